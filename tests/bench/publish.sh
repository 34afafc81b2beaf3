#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Puts the results of one run where the documentation shows them:
#
#	publish.sh RESULTS DOC
#
# copies the plots and bench.json to DOC/bench, and the table between the two
# marks in DOC/BENCHMARKS.md.
set -eu

results=$1
doc=$2
for need in table.txt bench.json read.svg; do
	[ -s "$results/$need" ] || {
		echo "publish: there is no $results/$need: run 'make bench' first, with gnuplot" >&2
		exit 1
	}
done
mkdir -p "$doc/bench"
cp "$results"/*.svg "$results/bench.json" "$doc/bench/"
awk -v table="$results/table.txt" '
	/^<!-- table ends -->/ { inside = 0 }
	!inside { print }
	/^<!-- table begins -->/ {
		inside = 1
		print "```"
		while ((getline line < table) > 0) {
			sub(/ +$/, "", line)
			print line
		}
		print "```"
	}' "$doc/BENCHMARKS.md" >"$doc/BENCHMARKS.md.new"
mv "$doc/BENCHMARKS.md.new" "$doc/BENCHMARKS.md"
