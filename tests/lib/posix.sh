# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# shellcheck disable=SC2034,SC2154
# What the groups of tests/posix*.at do by name; see also functions.sh.

# Other users see the mount too, if root has made it.
mount_for_all=
if test "$(id -u)" -eq 0; then mount_for_all='-o allow_other,umask=0'; fi
nobody=65534

# Random calls on names: valgrind is slow.
: "${names_steps:=4000}"
if test -n "$SOCKFS_WRAPPER"; then names_steps=600; fi

# make_oracle: sets oracle.
make_oracle()
{
	oracle=$(mktemp -d /dev/shm/sockfs.XXXXXX) || return 1
	on_exit "chmod -R u+rwX '$oracle'; rm -rf '$oracle'"
}

# fscall_both SCRIPT DIR [ARG...]: on both, in a fresh folder DIR; says what differs.
fscall_both()
{
	local script=$1 dir=$2 side
	shift 2
	for side in mnt "$oracle"; do
		mkdir "$side/$dir" && chmod 777 "$side/$dir" || return 1
		fscall "$@" "$side/$dir" <"$script" >"$dir.$(basename "$side")" || return 1
	done
	diff -u "$dir.$(basename "$oracle")" "$dir.mnt"
}

# side_by_side SCRIPT: as whoever runs this, and by root also as nobody.
side_by_side()
{
	fscall_both "$1" first || return 1
	test "$(id -u)" -ne 0 || fscall_both "$1" second -u $nobody
}

# asked: prints what the kernel has asked the daemon of mnt, which runs with -d, since
# the last time, as NUMBER OPERATION lines; what closes and forgets comes when it likes.
asked()
{
	local from
	from=$(cat asked.lines 2>/dev/null || echo 0)
	wc -l <daemon.err >asked.lines
	tail -n +$((from + 1)) daemon.err | sed -n 's/.*unique: .*opcode: \([A-Z_0-9]*\) .*/\1/p' |
		grep -vxE 'RELEASE|RELEASEDIR|FORGET|BATCH_FORGET' | sort | uniq -c | sed 's/^ *//'
}

# objects: what the mount mnt holds; not what comes and goes with the asking.
objects()
{
	awk '/^(sock_inode_cache|inode_cache|dentry|TCP) / { print $1, $2 }' mnt/.proc/slabinfo
}
