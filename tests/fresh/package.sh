#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes the Debian packages and uses them, on machines that have nothing yet (system.sh).
#
#	tests/fresh/package.sh [RELEASE]...
#
# RELEASE is 12, 13 or testing (without one: 12 and 13). On the first machine of each the
# packages are built, and lintian finds nothing. On the second they are installed; a mount
# serves and is served, by mount(8) too; systemd boots it, and has mounted in each way that
# sockfs(8) tells of; a newer version comes under a mount in use; purged, nothing is left. A
# line tells the outcome, and the status is 1 if one failed. package_steps.sh has the steps.
#
# It takes the last commit, and what has been changed since in the files git knows.
set -eu

self=$(cd "$(dirname "$0")" && pwd)/$(basename "$0")
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/fresh/system.sh
. "${self%/*}/system.sh"

# Process 1 becomes systemd, which wants its own /sys, /run and control groups.
boot_inside()
{
	umount -R "$1/sys"
	mount -t sysfs -o ro sysfs "$1/sys"
	mount -t cgroup2 cgroup2 "$1/sys/fs/cgroup"
	mount -t tmpfs -o mode=755 run "$1/run"
	[ ! -e /dev/autofs ] || mknod -m 600 "$1/dev/autofs" c 10 235
	enter "$1"
	exec env -i container=other PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		/sbin/init
}

# --inside STEP ROOT PACKAGES
if [ "${1-}" = --inside ]; then
	furnish "$3" "$4"
	[ "$2" != boot ] || boot_inside "$3"
	enter "$3"
	run_as root sh packages/package_steps.sh "$2"
	exit
fi

# step RELEASE STEP [OPTION...]: of package_steps.sh in $work/root, with these namespaces, too.
step()
{
	release=$1 what=$2
	shift 2
	isolated "$@" -- "$self" --inside "$what" "$work/root" "$cache/packages.$release"
}

# machine RELEASE: $work/root with the packages that there are.
machine()
{
	unpack "$1"
	cp -R "$work/packages" "$work/root/root/packages"
	cp "${self%/*}/package_steps.sh" "$top/tests/lib/manual.sh" "$work/root/root/packages"
}

# boot RELEASE: in a control group of its own, whose groups below it go with it. The step
# booted has written its result.
boot()
{
	groups=$(findmnt -n -t cgroup2 -o TARGET | sed 1q)/sockfs-fresh.$$
	mkdir "$groups"
	sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$groups" \
		timeout -s KILL 300 unshare --cgroup --net --mount --pid --uts --ipc --fork --kill-child -- \
		"$self" --inside boot "$work/root" "$cache/packages.$1" </dev/null 9>&- || :
	# What was killed may take a moment to be gone.
	for pause in 0 0.1 0.5 2; do
		sleep $pause
		[ ! -d "$groups" ] || find "$groups" -depth -type d -exec rmdir {} + 2>/dev/null || :
	done
	cat "$work/root/root/boot.log"
	[ "$(cat "$work/root/root/boot.result")" = success ]
}

# all RELEASE: stops at the first step that fails. It is a condition, in which set -e is off.
all()
{
	rm -rf "$work/packages" && mkdir "$work/packages" &&
		machine "$1" && put_source root && step "$1" build &&
		cp -R "$work/root/root/packages" "$work/" &&
		machine "$1" && step "$1" install && step "$1" before_boot && boot "$1"
}

[ $# -gt 0 ] || set -- 12 13
begin "$top"
failed=0
for release; do
	codename "$release" >/dev/null || die "there is no release $release here: 12, 13 or testing"
	start=$(date +%s) outcome=ok log=$logs/$release.package.log
	make_system "$release"
	if ! all "$release" >"$log" 2>&1; then
		outcome=FAILED failed=1
		tail -n 40 "$log"
	fi
	printf '%-7s %-8s package %4d s\n' $outcome "$release" $(($(date +%s) - start))
done
exit $failed
