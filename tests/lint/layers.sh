#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# No room of src/ includes a room above it, and each foreign library stays in its rooms.
cd "${srcdir:-.}" || exit 99
include='^[[:space:]]*#[[:space:]]*include[[:space:]]*'
bad=$(
	above='options\.h|loop\.h'
	for room in fuse ctl net/inet net/core net fs mm uapi lib; do
		grep -nE "$include\"($above)" "src/$room/"*.[ch]
		above="$above|$room/"
	done
	grep -rnE "$include\"($above)" src/sockctl | grep -vE '"(lib|uapi)/'
	grep -rnE "$include<(fuse|fuse_lowlevel|linux/fuse)\.h>" src | grep -v '^src/fuse/'
	grep -rnE "$include<(ares|idn2)\.h>" src | grep -v '^src/net/core/resolve\.c:'
	grep -rnE "$include<uv\.h>" src |
		grep -vE '^src/(net/(core|inet)/[a-z_]+\.[ch]|fuse/(session|spin)\.[ch]|loop\.[ch]|main\.c):'
)
if [ -n "$bad" ]; then
	printf 'includes against the layers (lib < uapi < mm < fs < net < net/core < net/inet < ctl < fuse < main):\n%s\n' "$bad"
	exit 1
fi
