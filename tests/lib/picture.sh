#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# picture.sh PROGRAM: draws struct socket_alloc as PROGRAM was compiled with it, from its
# debugging information: offset, size and name of each member. doc/LESSON.md shows this.
set -eu
gdb -nx -q -batch -ex 'ptype /o struct socket_alloc' "$1" 2>/dev/null | awk '
	{ gsub(/\/\*|\*\/|\|/, " ") }
	/total size/ || !NF { next }
	/type = struct socket_alloc/ { depth = 1; next }
	!depth { next }
	# A struct within: the two of the object have a heading, those within them a line.
	$NF == "{" {
		depth++
		if (depth == 2)
			printf "%s%4d  struct %s, %d bytes\n", lines++ ? "\n" : "", $1, $4, $2
		else if (depth == 3) { offset = $1; size = $2; type = $3 " " $4 }
		next
	}
	$1 ~ /^}/ {
		if (depth == 3)
			printf "%8d %4d  %s %s\n", offset, size, type, $2
		depth--
		next
	}
	depth == 2 {
		printf "%8d %4d  ", $1, $2
		for (i = 3; i <= NF; i++)
			printf "%s%s", $i, i < NF ? " " : "\n"
	}' | tr -d ';'
