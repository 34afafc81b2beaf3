#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Cache misses of one random access to an inode and its socket, by where they lie:
#
#	misses.sh SLAB_BENCH OBJECTS
#
# prints `misses-first-WAY N' and `misses-outer-WAY N', misses an object of the
# first cache and of the outer one. Counted by perf where the machine has counters:
# ten passes more are run, and what they add is divided by their accesses. Else by
# cachegrind, which simulates a first cache like this CPU's and an outer one of 1 MiB
# (a last level of 300 MiB, shared by a rack of virtual machines, is nobody's own).
set -eu

program=$1
objects=$2
events=L1-dcache-load-misses:u,cache-misses:u

# perf_counts WAY PASSES: two numbers, or nothing.
perf_counts()
{
	LC_ALL=C perf stat -x, -e "$events" -- "$program" access "$1" "$objects" "$2" 2>&1 >/dev/null |
		awk -F, '$1 ~ /^[0-9]+$/ { printf "%s ", $1 }'
}

by_perf()
{
	for way in colocated apart malloc; do
		echo "$way $objects $(perf_counts "$way" 1) $(perf_counts "$way" 11)"
	done | awk '{
		printf "misses-first-%s %.3f\n", $1, ($5 - $3) / (10 * $2)
		printf "misses-outer-%s %.3f\n", $1, ($6 - $4) / (10 * $2)
	}'
}

# A line of the file: where, then Ir I1mr ILmr Dr D1mr DLmr Dw D1mw DLmw.
by_cachegrind()
{
	out=$(mktemp)
	trap 'rm -f "$out"' 0
	for way in colocated apart malloc; do
		valgrind -q --tool=cachegrind --cache-sim=yes --LL=1048576,16,64 \
			--cachegrind-out-file="$out" \
			"$program" access "$way" "$objects" >/dev/null 2>&1
		awk -v way="$way" -v objects="$objects" '
			/^fn=/ { inside = /^fn=sum_/ }
			inside && /^[0-9]/ { first += $6; last += $7 }
			END {
				printf "misses-first-%s %.3f\n", way, first / objects
				printf "misses-outer-%s %.3f\n", way, last / objects
			}' "$out"
	done
}

if command -v perf >/dev/null && [ "$(perf_counts colocated 1 | wc -w)" -eq 2 ]; then
	by_perf
elif command -v valgrind >/dev/null; then
	by_cachegrind
else
	exit 127
fi
