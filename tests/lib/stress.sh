#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC1091,SC2016,SC2034,SC2154
# make check-stress: the file system class of stress-ng in a mount.
#
# Run in an empty folder, with sockfs in PATH and $srcdir/tests/lib at hand. What is
# about names must pass. What is about bytes at offsets fails, for a socket has
# none: there only the daemon is watched. It must live, answer, and keep nothing.
: "${srcdir:=.}" "${stress_seconds:=1}"
sanitizers=no
at_status_file=/dev/null
. "$srcdir/tests/lib/functions.sh"

must_pass='access chattr chdir chmod chown dentry dir dirdeep dirmany dup fcntl filename
	flock fstat getdent handle inode-flags lease link open rename symlink touch utime xattr'
# fallocate, lseek, pwrite, copy_file_range, sizes, FIFOs: these say so and give up.
may_fail='copy-file dnotify fallocate file-ioctl fpunch fsize hdd inotify iomix locka lockf
	lockofd mknod sync-file verity'
failed=0

# objects CACHE: how many of them there are.
objects()
{
	awk -v cache="$1" '$1 == cache { print $2 }' mnt/.proc/slabinfo
}

# The daemon answers, no process waits in it for ever, nothing is left.
check_daemon()
{
	rm -rf mnt/tmp
	mkdir mnt/tmp && wait_until 'test "$(objects sock_inode_cache)" -eq 0' && return 0
	echo "$1: the daemon does not answer, or keeps $(objects sock_inode_cache) sockets" >&2
	failed=1
}

# stressor NAME: a second of it (stress_seconds); its exit status.
stressor()
{
	timeout -s KILL $((stress_seconds + 60)) stress-ng "--$1" 1 -t "$stress_seconds" \
		--temp-path mnt/tmp --verify >"$1.log" 2>&1
}

command -v stress-ng >/dev/null || {
	echo 'there is no stress-ng' >&2
	exit 77
}
group_begin $((60 * (stress_seconds + 10)))
sockfs_mount mnt
mkdir mnt/tmp
passed=0
for name in $must_pass; do
	if stressor "$name"; then
		echo "$name: passed"
		passed=$((passed + 1))
	else
		echo "$name: FAILED"
		cat "$name.log"
		failed=1
	fi
	check_daemon "$name"
done
for name in $may_fail; do
	stressor "$name"
	echo "$name: ended with $?"
	check_daemon "$name"
done
# All together, and what belongs to the whole machine left out.
timeout -s KILL $((4 * stress_seconds + 60)) stress-ng --class filesystem --all 1 \
	-x binderfs,bind-mount,procfs,io,ioprio,eventfd,fanotify -t $((4 * stress_seconds)) \
	--temp-path mnt/tmp >all.log 2>&1
echo "all of them: ended with $?"
check_daemon all
test "$failed" -ne 0 || echo "$passed passed, and $(echo "$may_fail" | wc -w) others and all at once hurt nobody"
group_finish || failed=1
exit $failed
