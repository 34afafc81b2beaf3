#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Each header compiles alone and twice; the installed one also as C++ and without our flags.
cd "${srcdir:-.}" || exit 99
: "${CC:=cc}"
failed=0

# alone LANGUAGE HEADER-LINE FLAGS...: includes one header twice and compiles that.
alone()
{
	language=$1 include=$2
	shift 2
	# shellcheck disable=SC2086  # $compiler may hold flags of its own
	if ! printf '%s\n%s\n' "$include" "$include" | $compiler "$@" -fsyntax-only -x "$language" -; then
		printf '%s: does not compile alone (%s)\n' "$include" "$language"
		failed=1
	fi
}

compiler=$CC
for header in $(find src tests -name '*.h' | sort); do
	name=$header
	case $header in src/*) name=${header#src/} ;; esac
	# shellcheck disable=SC2086  # a list of flags
	alone c "#include \"config.h\"
#include \"$name\"" -I"${top_builddir:-.}" -Isrc -Iinclude -I. $LINT_CFLAGS
done

for header in include/sockfs/*.h; do
	name=${header#include/}
	compiler=$CC
	alone c "#include <$name>" -Iinclude -std=c99 -Wall -Wextra -Werror
	if [ -n "$CXX" ]; then
		compiler=$CXX
		alone c++ "#include <$name>" -Iinclude -Wall -Wextra -Werror
	fi
done
exit $failed
