#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# port-forward.sh MOUNT LISTEN-HOST:PORT HOST PORT: forward with two cats a
# connection. Prints the address it listens on.
set -eu
mnt=$1 address=$2 host=$3 port=$4
srv=forward.$$

forward() { # NAME of the accepted connection
	out=$1.out
	touch "$mnt/$out"
	if echo "connect $host:$port" > "$mnt/.ctl/$out"; then
		# Each direction passes its end of file on.
		{ cat "$mnt/$1" > "$mnt/$out"; echo 'shutdown wr' > "$mnt/.ctl/$out"; } &
		{ cat "$mnt/$out" > "$mnt/$1"; echo 'shutdown wr' > "$mnt/.ctl/$1"; } &
		wait
	fi
	rm -f "$mnt/$1" "$mnt/$out"
}

touch "$mnt/$srv"
trap 'rm -f "$mnt/$srv" "$mnt/$srv".*' EXIT
trap 'exit 0' INT TERM
echo "listen $address" > "$mnt/.ctl/$srv"
sed -n 's/^local //p' "$mnt/.ctl/$srv"
while IFS= read -r name; do
	forward "$name" &
done < "$mnt/$srv"
