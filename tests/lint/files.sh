#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Each file says its licence in its first lines, or REUSE.toml says it. No source file has more
# than 600 lines, and no function more than 60, which is a screen.
cd "${srcdir:-.}" || exit 99
failed=0

complain()
{
	printf '%s\n' "$*"
	failed=1
}

# What git knows; of a tarball, what is in the folders of sources.
files()
{
	if [ -e .git ] && git ls-files 2>/dev/null; then return; fi
	find src include tests examples contrib doc m4 \
		\( -name testsuite.dir -o -name corpus -o -name '*.dir' \) -prune -o -type f \
		\( -name '*.[ch1-9]' -o -name '*.sh' -o -name '*.at' -o -name '*.m4' -o -name '*.md' \) -print
	printf '%s\n' configure.ac Makefile.am bootstrap
}

# is_elsewhere FILE: is its licence in REUSE.toml?
elsewhere=$(sed -n 's/^	"\(.*\)",$/\1/p' REUSE.toml)
is_elsewhere()
{
	for pattern in $elsewhere; do
		# shellcheck disable=SC2254  # it is a pattern
		case $1 in $pattern) return 0 ;; esac
	done
	return 1
}

set -f
for file in $(files | sort); do
	case $file in tests/package.m4) continue ;; esac
	[ -f "$file" ] || continue
	if ! sed 5q "$file" | grep -q 'SPDX-License-Identifier: ' && ! is_elsewhere "$file"; then
		complain "$file: no SPDX-License-Identifier in its first lines, and none in REUSE.toml"
	fi
	case $file in *.[ch] | *.sh | *.at | *.m4 | *.ac | *.am | *.mk | *.py | bootstrap) ;; *) continue ;; esac
	lines=$(wc -l <"$file")
	[ "$lines" -le 600 ] || complain "$file: $lines lines, more than 600"
	case $file in *.c) ;; *) continue ;; esac
	long=$(awk '/^\{/ { begin = NR } /^\}/ { if (begin && NR - begin - 1 > 60)
		print FILENAME ":" begin ": a function of " NR - begin - 1 " lines, more than 60"; begin = 0 }' "$file")
	[ -z "$long" ] || complain "$long"
done
[ -n "$elsewhere" ] || complain 'REUSE.toml has no paths: has it another form?'
exit $failed
