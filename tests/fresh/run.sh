#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs ./bootstrap on machines that have nothing yet (system.sh).
#
#	tests/fresh/run.sh [RELEASE[:USER[:COMMAND]]]...
#
# RELEASE is 12, 13 or testing (without a row: 12 and 13), USER is root or user (an
# ordinary one with sudo), COMMAND is demo or check; what is left out means both. A
# line tells the outcome of each row; the status is 1 if one failed.
#
# It runs the last commit, and what has been changed since in the files git knows.
set -eu

self=$(cd "$(dirname "$0")" && pwd)/$(basename "$0")
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/fresh/system.sh
. "${self%/*}/system.sh"

# --inside ROOT PACKAGES USER COMMAND
if [ "${1-}" = --inside ]; then
	furnish "$2" "$3"
	enter "$2"
	run_as "$4" sockfs/bootstrap "$5"
	exit
fi

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
	isolated -- "$self" --inside "$work/root" "$cache/packages.$1" "$2" "$3" >"$log" 2>&1 ||
		outcome=FAILED
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
	# The root will not be there to look at.
	[ -z "$suite" ] || sed -n '/^## Detailed failed tests/,$p' "$suite" | head -n 300
}

# rows RELEASE[:USER[:COMMAND]]
rows()
{
	IFS=: read -r release users commands <<EOT
$1
EOT
	codename "$release" >/dev/null || die "there is no release $release here: 12, 13 or testing"
	make_system "$release" || { failed=1 && return; }
	for user in ${users:-root user}; do
		unpack "$release" "$user"
		put_source "$user"
		for command in ${commands:-demo check}; do
			row "$release" "$user" "$command"
		done
	done
}

[ $# -gt 0 ] || set -- 12 13
begin "$top"
failed=0
for wanted; do
	rows "$wanted"
done
exit $failed
