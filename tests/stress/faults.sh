#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC1091,SC2013,SC2034,SC2154,SC2317,SC2329
# faults.sh [ROW...]: the rows of doc/RELIABILITY.md, each on a mount, with its count. Run by make
# check-stress in an empty folder, with sockfs in PATH and $srcdir/tests at hand.
# STRESS_SCALE=0.01 does a hundredth of each.
#
# faults.sh soak [SECONDS]: ten minutes of all at once.
: "${srcdir:=.}"
: "${sanitizers:=no}"
at_status_file=/dev/null
. "$srcdir/tests/lib/functions.sh"
failed=0

# What the rows need of the machine's limits.
raise_limit()
{
	# shellcheck disable=SC3045
	ulimit -S -n "$(ulimit -H -n)"
}

# row NAME: says what was counted, or that it failed; the daemon must live on and keep nothing.
row()
{
	printf '%s: ' "$1"
	if ! PYTHONDONTWRITEBYTECODE=1 timeout -k 10 1200 python3 "$srcdir/tests/stress/faults.py" mnt "$(worker_of mnt)" "$1" \
		>row.log 2>&1 </dev/null; then
		echo FAILED
		failed=1
	fi
	cat row.log
	if ! wait_until "awk '\$1 == \"sock_inode_cache\" { n = \$2 } END { exit n != 0 }' mnt/.proc/slabinfo"; then
		echo "$1: sockets are left, or the daemon does not answer"
		failed=1
	fi
}

# programs NAME COMMAND...: a row that other tests of ours are.
programs()
{
	printf '%s: ' "$1"
	shift
	if "$@" >row.log 2>&1; then
		sed -n 's/%: Checks: \([0-9]*\).*/ \1/p' row.log | awk '{ n += $2 } END { print n + 0, "tests passed" }'
	else
		echo FAILED
		cat row.log
		failed=1
	fi
}

# Those that have every allocation of an operation fail, one after the other.
allocations()
{
	for source in $(grep -l 'kmem_fault_after' "$srcdir"/tests/unit/test_*.c "$srcdir"/tests/wire/test_*.c); do
		program=$top_builddir/${source#"$srcdir/"}
		CK_DEFAULT_TIMEOUT=300 "${program%.c}" || return 1
	done
}

group_begin 86400
raise_limit
if [ "${1-}" = soak ]; then
	sockfs_mount mnt
	timeout -k 10 $((${2:-600} + 300)) python3 "$srcdir/tests/stress/soak.py" mnt "$(worker_of mnt)" "${2:-600}" </dev/null || failed=1
	group_finish || failed=1
	exit $failed
fi
chosen=$#
if [ $# -eq 0 ]; then
	set -- killed_readers killed_writers resets stalls drips urgent vanishes many storm parked memory dials names
fi
sockfs_mount mnt
for name; do
	row "$name"
done
sockfs_unmount mnt || failed=1
if [ "$chosen" -eq 0 ]; then
	# A daemon raises its limit as far as it may.
	SOCKFS_WRAPPER='prlimit --nofile=100:100'
	sockfs_mount mnt
	row descriptors
	sockfs_unmount mnt || failed=1
	SOCKFS_WRAPPER=
	programs allocations allocations
	programs dns "$top_builddir/tests/unit/test_resolve_dns"
fi
group_finish || failed=1
exit $failed
