#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Puts the results of one run where the documentation shows them:
#
#	publish.sh RESULTS DOC RUN
#
# copies the plots and bench.json to DOC/bench/RUN, and the table between the two
# marks of RUN in DOC/BENCHMARKS.md.
set -eu

results=$1
doc=$2
run=$3
for need in table.txt bench.json read.svg; do
	[ -s "$results/$need" ] || {
		echo "publish: there is no $results/$need: run 'make bench' first, with gnuplot" >&2
		exit 1
	}
done
for mark in begins ends; do
	grep -qxF "<!-- table of $run $mark -->" "$doc/BENCHMARKS.md" || {
		echo "publish: $doc/BENCHMARKS.md has no place for a run '$run'" >&2
		exit 1
	}
done
mkdir -p "$doc/bench/$run"
cp "$results"/*.svg "$results/bench.json" "$doc/bench/$run/"
awk -v table="$results/table.txt" -v run="$run" '
	$0 == "<!-- table of " run " ends -->" { inside = 0 }
	!inside { print }
	$0 == "<!-- table of " run " begins -->" {
		inside = 1
		print "```"
		while ((getline line < table) > 0) {
			sub(/ +$/, "", line)
			print line
		}
		print "```"
	}' "$doc/BENCHMARKS.md" >"$doc/BENCHMARKS.md.new"
mv "$doc/BENCHMARKS.md.new" "$doc/BENCHMARKS.md"
