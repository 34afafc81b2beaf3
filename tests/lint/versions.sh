#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A release has one version, wherever it is said.
cd "${srcdir:-.}" || exit 99
failed=0
version=$(sed -n 's/^AC_INIT(\[sockfs\], \[\([0-9.]*\)\].*/\1/p' configure.ac)
if [ -z "$version" ]; then
	echo 'configure.ac has no version: has it another form?'
	exit 99
fi

# says FILE SED: what the expression finds first has to be the version. A tarball has no debian/.
says()
{
	[ -e "$1" ] || [ ! -e .git ] || { echo "there is no $1" && failed=1 && return; }
	[ -e "$1" ] || return 0
	found=$(sed -n "$2" "$1" | sed 1q)
	[ "$found" = "$version" ] && return
	printf '%s: version %s, and %s in configure.ac\n' "$1" "${found:-none}" "$version"
	failed=1
}

says NEWS 's/^\([0-9][0-9.]*\)$/\1/p'
says debian/changelog 's/^sockfs (\([0-9.]*\)-.*/\1/p'
says contrib/rpm/sockfs.spec 's/^Version: *//p'
says contrib/alpine/APKBUILD 's/^pkgver=//p'
exit $failed
