#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# port-forward.sh MOUNT LISTEN-HOST:PORT HOST PORT: forward with two cats a
# connection. Prints the address it listens on.
set -eu
[ $# -eq 4 ] || { echo "usage: $0 MOUNT LISTEN-HOST:PORT HOST PORT" >&2; exit 2; }
mnt=$1 address=$2 host=$3 port=$4
srv=forward.$$

abort() { # NAME...: whatever waits on these ends
	for name in "$@"; do
		echo abort > "$mnt/.ctl/$name" || :
	done 2> /dev/null
}

copy() { # FROM TO: an end of file goes on as one; an error, such as a reset, ends both
	if ! { cat "$mnt/$1" > "$mnt/$2" && echo 'shutdown wr' > "$mnt/.ctl/$2"; } 2> /dev/null; then
		abort "$1" "$2"
	fi
}

forward() { # NAME of the accepted connection
	in=$1 out=$1.out
	# Whatever fails, no file is left; and a connection ends with its file.
	trap 'rm -f "$mnt/$in" "$mnt/$out"' EXIT
	touch "$mnt/$out"
	echo "connect $host:$port" > "$mnt/.ctl/$out"
	copy "$in" "$out" &
	copy "$out" "$in" &
	wait
}

leave() {
	for file in "$mnt/$srv".*; do
		abort "${file##*/}"
	done
	rm -f "$mnt/$srv" "$mnt/$srv".*
}

touch "$mnt/$srv"
trap leave EXIT
trap 'exit 0' INT TERM
echo "listen $address" > "$mnt/.ctl/$srv"
sed -n 's/^local //p' "$mnt/.ctl/$srv"
while IFS= read -r name; do
	forward "$name" &
done < "$mnt/$srv"
