#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What `make bench` runs: the driver, then the plots.
#
#	run.sh OUT [OPTION...] [ROW...]		of tests/bench/bench
#
# It runs in the build folder; $srcdir is the source folder. A debug or sanitizer
# build is measured too, with a warning: its figures say nothing.
set -u

out=$1
shift
status=0
if grep -qE '^#define CONFIG_SLUB_DEBUG 1|^enable_sanitizers = yes' config.h Makefile; then
	echo 'bench: this build checks itself (--enable-debug or --enable-sanitizers): not its speed' >&2
fi
mkdir -p "$out"
rm -f "$out"/*.dat "$out"/*.svg
tests/bench/bench --sockfs=./sockfs --floor=tests/bench/floor --slab=tests/bench/slab_bench \
	--misses="${srcdir:-.}/tests/bench/misses.sh" --out="$out" "$@" || status=$?
[ "$status" -le 1 ] || exit "$status"

if ! command -v gnuplot >/dev/null; then
	echo 'bench: there is no gnuplot: no plots' >&2
	exit "$status"
fi
plots=$(cd "${srcdir:-.}/tests/bench" && pwd)/plots.gp
(cd "$out" && gnuplot "$plots") || status=1
printf '\nin %s: %s\n' "$out" "$(cd "$out" && echo table.txt bench.json && ls ./*.svg 2>/dev/null)" |
	tr '\n' ' '
echo
exit "$status"
