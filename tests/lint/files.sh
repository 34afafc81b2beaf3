#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Each source file says its licence in its first lines, and none has more than 600 lines.
cd "${srcdir:-.}" || exit 99
failed=0
for file in $(find src include tests examples contrib m4 \
	\( -name testsuite.dir -o -name corpus \) -prune -o -type f \
	\( -name '*.[ch]' -o -name '*.sh' -o -name '*.at' -o -name '*.m4' \) -print 2>/dev/null | sort) \
	configure.ac Makefile.am bootstrap; do
	case $file in tests/package.m4) continue ;; esac
	if ! sed 5q "$file" | grep -q 'SPDX-License-Identifier: '; then
		printf '%s: no SPDX-License-Identifier in its first lines\n' "$file"
		failed=1
	fi
	lines=$(wc -l <"$file")
	if [ "$lines" -gt 600 ]; then
		printf '%s: %d lines, more than 600\n' "$file" "$lines"
		failed=1
	fi
done
exit $failed
