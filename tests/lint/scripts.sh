#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Our shell scripts pass shellcheck, when there is one.
cd "${srcdir:-.}" || exit 99
if ! command -v shellcheck >/dev/null; then
	echo 'skipped: there is no shellcheck'
	exit 77
fi
scripts=bootstrap
for file in .ci/run $(find tests examples contrib doc -name testsuite.dir -prune -o -type f -print 2>/dev/null); do
	[ -f "$file" ] || continue
	case $file in *.at | tests/atlocal.in | tests/testsuite) continue ;; esac
	case $file in
	*.sh | contrib/bash-completion/*) scripts="$scripts $file" ;;
	*) sed 1q "$file" | grep -qaE "^#! ?(/usr)?/bin/(env )?(ba|da)?sh" && scripts="$scripts $file" ;;
	esac
done
# shellcheck disable=SC2086  # a list of names
shellcheck $scripts
