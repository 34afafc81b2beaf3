#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# coverage.sh: how many lines of src/ have run in this build folder, a file a line, the
# least covered first, and all together. `make coverage' runs it; COVERAGE_LEAST=90
# has it fail below so many per cent. In such a build some groups fail that have another
# user run a helper: it may not write what it records here, and says so.
set -eu
command -v gcov >/dev/null || {
	echo 'coverage: there is no gcov' >&2
	exit 1
}
[ -n "$(find src -name '*.gcda' | sed 1q)" ] || {
	echo 'coverage: nothing is recorded here: configure with --enable-coverage and run the tests' >&2
	exit 1
}
# gcov tells of each file that went into an object; a .c file is one object's alone. What
# never ran has no .gcda and counts from its .gcno.
find src -name '*.gcno' -exec gcov -n {} + 2>/dev/null |
	sed -n "/^File '.*src\/.*\.c'\$/{
		s/^File '.*\(src\/.*\)'/\1/
		N
		s/\nLines executed:\([0-9.]*\)% of \([0-9]*\)/ \1 \2/p
	}" | awk -v least="${COVERAGE_LEAST:-0}" '
	{
		run = $2 * $3 / 100
		printf "%6.1f %% %5d  %s\n", $2, $3, $1 | "sort -n"
		lines += $3
		all += run
	}
	END {
		close("sort -n")
		percent = lines ? 100 * all / lines : 0
		printf "%6.1f %% %5d  all\n", percent, lines
		exit percent < least
	}'
