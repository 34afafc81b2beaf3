#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs ./bootstrap on machines that have nothing yet: minimal Debian systems, each
# with processes, mounts and devices of its own, as a container has them.
#
#	tests/fresh/run.sh [RELEASE[:USER[:COMMAND]]]...
#
# RELEASE is 12, 13 or testing (without a row: 12 and 13), USER is root or user (an
# ordinary one with sudo), COMMAND is demo or check; what is left out means both. A
# line tells the outcome of each row; the status is 1 if one failed.
#
# It runs the last commit, and what has been changed since in the files git knows.
# Root only. The systems and their packages come from the mirror that this machine's
# apt uses, or from FRESH_MIRROR, and stay in FRESH_CACHE (/var/cache/sockfs-fresh).
# The logs are there too; FRESH_LOGS is another folder for them.
set -eu

self=$(cd "$(dirname "$0")" && pwd)/$(basename "$0")
top=$(cd "$(dirname "$0")/../.." && pwd)
cache=${FRESH_CACHE:-/var/cache/sockfs-fresh}
logs=${FRESH_LOGS:-$cache/logs}

die()
{
	printf 'fresh: %s\n' "$*" >&2
	exit 1
}

# ---- inside: a process of its own with new namespaces, the first in its pid namespace ----

# The devices that a container has, and /dev/fuse as udev leaves it.
make_devices()
{
	mount -t tmpfs -o mode=755 dev "$1"
	mknod -m 666 "$1/null" c 1 3
	mknod -m 666 "$1/zero" c 1 5
	mknod -m 666 "$1/full" c 1 7
	mknod -m 666 "$1/random" c 1 8
	mknod -m 666 "$1/urandom" c 1 9
	mknod -m 666 "$1/tty" c 5 0
	mknod -m 666 "$1/fuse" c 10 229
	ln -s /proc/self/fd "$1/fd"
	ln -s fd/0 "$1/stdin"
	ln -s fd/1 "$1/stdout"
	ln -s fd/2 "$1/stderr"
	mkdir "$1/pts" "$1/shm"
	mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$1/pts"
	ln -s pts/ptmx "$1/ptmx"
	mount -t tmpfs -o mode=1777 shm "$1/shm"
}

# run_inside ROOT PACKAGES USER COMMAND
run_inside()
{
	# Mounts that somebody has just now are here as copies, and would outlive their umount.
	awk '/ - fuse\.sockfs / { print $5 }' /proc/self/mountinfo | while read -r copy; do
		umount -i -l "$(printf '%b' "$copy")" || :
	done
	mount --bind "$1" "$1"
	mount -t proc proc "$1/proc"
	mount --rbind /sys "$1/sys"
	make_devices "$1/dev"
	mount --bind "$2" "$1/var/cache/apt/archives"
	# fusermount3 wants it, so each maker of containers puts it there.
	[ -e "$1/etc/mtab" ] || ln -s /proc/mounts "$1/etc/mtab"
	hostname fresh
	home=/root
	[ "$3" = root ] || home=/home/$3
	# Not exec: this shell is process 1 of the namespace and reaps what loses its parent.
	# shellcheck disable=SC2016  # the inner shell expands it
	chroot --userspec="$3" "$1" env -i HOME="$home" USER="$3" LOGNAME="$3" TERM=dumb \
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		sh -c 'cd "$HOME/sockfs" && exec ./bootstrap "$0"' "$4"
}

if [ "${1-}" = --inside ]; then
	shift
	run_inside "$@"
	exit
fi

# ---- outside ---------------------------------------------------------------------

# Where this machine's apt has Debian from.
mirror()
{
	[ -z "${FRESH_MIRROR-}" ] || { printf '%s\n' "$FRESH_MIRROR" && return; }
	# shellcheck disable=SC2016  # apt expands it
	apt-get indextargets --format '$(ORIGIN)/$(LABEL)/$(COMPONENT) $(REPO_URI)' \
		'Created-By: Packages' | sed -n 's|^Debian/Debian/main ||p' | sed 1q
}

codename()
{
	case $1 in
	12) echo bookworm ;;
	13) echo trixie ;;
	testing) echo testing ;;
	*) return 1 ;;
	esac
}

# make_system RELEASE: $cache/RELEASE.tar, which is made anew when it is a week old.
make_system()
{
	[ -z "$(find "$cache/$1.tar" -mtime -7 2>/dev/null)" ] || return 0
	from=$(mirror)
	[ -n "$from" ] || die 'apt knows no mirror of Debian: set FRESH_MIRROR'
	debootstrap --variant=minbase --include=sudo "$(codename "$1")" "$work/new" "$from" \
		>"$logs/$1.debootstrap.log" 2>&1 || {
		tail -n 5 "$logs/$1.debootstrap.log" >&2
		return 1
	}
	# As images come: without packages, and without lists of them.
	rm -rf "$work/new/var/cache/apt"/*.bin "$work/new/var/cache/apt/archives"/*.deb \
		"$work/new/var/lib/apt/lists"/*
	tar -C "$work/new" -cf "$cache/$1.tar.new" .
	mv "$cache/$1.tar.new" "$cache/$1.tar"
	rm -rf "$work/new"
}

# unpack RELEASE USER: $work/root, with the source in the home of USER.
unpack()
{
	rm -rf "$work/root"
	mkdir "$work/root"
	tar -C "$work/root" -xpf "$cache/$1.tar"
	cat /etc/resolv.conf >"$work/root/etc/resolv.conf"
	printf '127.0.0.1 localhost fresh\n::1 localhost\n' >"$work/root/etc/hosts"
	# A mirror, and a system in the cache, may be some weeks old.
	echo 'Acquire::Check-Valid-Until "false";' >"$work/root/etc/apt/apt.conf.d/old"
	proxy=
	eval "$(apt-config shell proxy Acquire::http::Proxy)"
	[ -z "$proxy" ] || printf 'Acquire::http::Proxy "%s";\n' "$proxy" \
		>"$work/root/etc/apt/apt.conf.d/proxy"
	home=$work/root/root
	if [ "$2" != root ]; then
		home=$work/root/home/$2
		chroot "$work/root" useradd --create-home --shell /bin/sh "$2"
		echo "$2 ALL=(ALL) NOPASSWD: ALL" >"$work/root/etc/sudoers.d/$2"
	fi
	mkdir "$home/sockfs"
	tar -C "$home/sockfs" -xf "$work/tree.tar"
	[ "$2" = root ] || chroot "$work/root" chown -R "$2:" "/home/$2/sockfs"
}

# What a log of check says of its tests, on a line.
counts()
{
	sed -n 's/^# PASS: *\([0-9]*\)$/\1 programs/p
		s/^\([0-9]* tests\) behaved as expected.*/\1/p
		s/^\([0-9]* tests\) were successful.*/\1/p
		s/^\([0-9]* tests\{0,1\} \(were \|was \)*skipped\).*/\1/p
		s/^\([0-9]* failed unexpectedly\).*/\1/p' "$1" | paste -s -d, | sed 's/,/, /g'
}

# row RELEASE USER COMMAND
row()
{
	log=$logs/$1.$2.$3.log
	start=$(date +%s)
	outcome=ok
	unshare --mount --pid --uts --ipc --fork --kill-child -- "$self" --inside \
		"$work/root" "$cache/packages.$1" "$2" "$3" >"$log" 2>&1 </dev/null 9>&- || outcome=FAILED
	if [ $outcome = ok ] && [ "$3" = check ] && grep -E '(^|[: ])warning: ' "$log"; then
		outcome=FAILED
	fi
	printf '%-7s %-8s %-5s %-6s %4d s  %s\n' $outcome "$1" "$2" "$3" \
		$(($(date +%s) - start)) "$(counts "$log")"
	suite=$(find "$work/root/root/sockfs/build" "$work/root/home/$2/sockfs/build" \
		-path '*/tests/testsuite.log' 2>/dev/null) || :
	[ -z "$suite" ] || cp "$suite" "${log%.log}.testsuite.log"
	[ $outcome = FAILED ] || return 0
	failed=1
	tail -n 40 "$log"
}

# rows RELEASE[:USER[:COMMAND]]
rows()
{
	IFS=: read -r release users commands <<EOT
$1
EOT
	codename "$release" >/dev/null || die "there is no release $release here: 12, 13 or testing"
	make_system "$release" || { failed=1 && return; }
	mkdir -p "$cache/packages.$release"
	for user in ${users:-root user}; do
		unpack "$release" "$user"
		for command in ${commands:-demo check}; do
			row "$release" "$user" "$command"
		done
	done
}

[ "$(id -u)" -eq 0 ] || die 'only root can make systems: use sudo'
for tool in debootstrap unshare git; do
	command -v $tool >/dev/null || die "there is no $tool; './bootstrap deps ci' installs what is needed"
done
[ $# -gt 0 ] || set -- 12 13
mkdir -p "$cache" "$logs"
# One at a time: apt locks the folders of packages and does not wait for them.
exec 9>"$cache/lock"
flock -n 9 || { echo 'fresh: waiting for another run' >&2 && flock 9; }
work=$(mktemp -d "$cache/work.XXXXXX")
trap 'rm -rf "$work"' 0
trap 'exit 130' INT
trap 'exit 143' HUP TERM
tree=$(git -C "$top" stash create) || :
git -C "$top" archive -o "$work/tree.tar" "${tree:-HEAD}"
failed=0
for wanted; do
	rows "$wanted"
done
exit $failed
