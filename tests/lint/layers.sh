#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# No room of src/ includes a room above it, and each foreign library stays in its rooms.
cd "${srcdir:-.}" || exit 99
include='^[[:space:]]*#[[:space:]]*include[[:space:]]*'
bad=$(
	above='options\.h|loop\.h'
	for room in priv super fuse resume ctl net/unix net/tls net/inet net/core net policy fs mm journal uapi lib; do
		grep -nE "$include\"($above)" "src/$room/"*.[ch]
		above="$above|$room/"
	done
	grep -rnE "$include\"($above)" src/sockctl | grep -vE '"(lib|uapi)/'
	grep -rnE "$include\"[a-z]+/" src/tls | grep -vE '"(lib|uapi|tls)/'
	grep -rnE "$include\"tls/" src | grep -v '^src/tls/'
	grep -rnE "$include<openssl/.*\.h>" src | grep -v '^src/tls/'
	grep -rnE "$include<seccomp\.h>" src | grep -vE '^src/(tls|priv)/|^src/lib/confine\.c:'
	grep -rnE "$include<(fuse|fuse_lowlevel|linux/fuse)\.h>" src | grep -v '^src/fuse/'
	grep -rnE "$include<(ares|idn2)\.h>" src | grep -v '^src/net/core/resolve\.c:'
	grep -rnE "$include<uv\.h>" src |
		grep -vE '^src/(net/(core|inet|tls|unix)/[a-z_]+\.[ch]|policy/reload\.[ch]|fuse/(session_i|turn|spin)\.[ch]|super/guard\.c|tls/(main|channel|conn)\.[ch]|loop\.[ch]|check_policy\.c|main\.c):'
)
if [ -n "$bad" ]; then
	printf 'includes against the layers (lib < uapi < journal < mm < fs < policy < net < net/core < net/inet < net/tls < net/unix < ctl < resume < fuse < super < priv < main):\n%s\n' "$bad"
	exit 1
fi

# What all protocols have in common names none of them, but in comments.
bad=$(for file in src/net/*.[ch] src/net/core/*.[ch]; do
	sed 's,/\*.*,,; s,^[[:space:]]*\*.*,,' "$file" |
		grep -niE 'tcp|udp|tls|(af|pf)_(unix|local)|uv_pipe' | sed "s,^,$file:,"
done)
if [ -n "$bad" ]; then
	printf 'protocols named where there should be none:\n%s\n' "$bad"
	exit 1
fi

# Each operation of a protocol is called by its wrapper, which looks at the state.
ops=$(sed -n '/^struct proto_ops {/,/^};/s/^.*(\*\([a-z]*\))(.*/\1/p' src/net/proto_ops.h | paste -sd'|')
bad=$(grep -rnE -- "->ops->($ops)\(" src | grep -v '^src/net/proto_ops\.h:')
if [ -z "$ops" ] || [ -n "$bad" ]; then
	printf 'operations (%s) that are called without their wrapper:\n%s\n' "$ops" "$bad"
	exit 1
fi
