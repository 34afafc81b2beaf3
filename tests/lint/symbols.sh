#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What layers.sh says of includes holds of symbols, too: no object of a room uses what a room
# above it defines. And the files of a room use each other without a circle.
: "${srcdir:=.}" "${NM:=nm}"
if ! command -v "$NM" >/dev/null; then
	echo 'skipped: there is no nm'
	exit 77
fi
failed=0
rooms='lib uapi mm fs policy net net/core net/inet net/tls net/unix ctl fuse super tls'

# symbols ROOM: "file symbol T" for what it defines and "file symbol U" for what it wants.
symbols()
{
	for object in src/"$1"/*.o; do
		# A source file that has been moved leaves its object behind.
		[ -f "$srcdir/${object%.o}.c" ] || continue
		$NM "$object" | awk -v file="$object" '
			NF == 2 && $1 ~ /^[Uwv]$/ { print file, $2, "U" }
			NF == 3 && $2 ~ /^[A-TV-Z]$/ { print file, $3, "T" }'
	done
}

all=$(n=0; for room in $rooms; do
	n=$((n + 1))
	symbols "$room" | sed "s/^/$n /"
done)
count=$(printf '%s\n' "$all" | grep -c ' T$')
if [ "$count" -lt 200 ]; then
	printf 'only %d symbols found in the objects of src: has the build another form?\n' "$count"
	exit 99
fi

# Edges between files: "room user room definer symbol".
edges=$(printf '%s\n' "$all" | awk '
	$4 == "T" { room[$3] = $1; file[$3] = $2 }
	{ line[NR] = $0 }
	END {
		for (i = 1; i <= NR; i++) {
			split(line[i], f)
			if (f[4] == "U" && f[3] in file && file[f[3]] != f[2])
				print f[1], f[2], room[f[3]], file[f[3]], f[3]
		}
	}')

bad=$(printf '%s\n' "$edges" | awk '$1 < $3 { print $2 ": " $5 " is of " $4 }')
if [ -n "$bad" ]; then
	printf 'symbols against the layers (%s):\n%s\n' "$rooms" "$bad"
	failed=1
fi

for room in fs mm policy net ctl fuse super tls; do
	circle=$(printf '%s\n' "$edges" | awk -v room="^src/$room/" '$2 ~ room && $4 ~ room { print $2, $4 }' |
		sort -u | tsort 2>&1 >/dev/null)
	if [ -n "$circle" ]; then
		printf 'a circle of files in src/%s:\n%s\n' "$room" "$circle"
		failed=1
	fi
done
exit $failed
