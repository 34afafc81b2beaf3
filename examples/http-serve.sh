#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# http-serve.sh MOUNT HOST:PORT FOLDER: a web server in shell.
# Prints the address it listens on. Each connection is a file of its own.
set -eu
[ $# -eq 3 ] || { echo "usage: $0 MOUNT HOST:PORT FOLDER" >&2; exit 2; }
mnt=$1 address=$2 folder=$3
srv=$mnt/http-serve.$$
cr=$(printf '\r')

answer() { # one request, one answer
	IFS=' ' read -r method path _ || return 0
	while IFS= read -r line && [ "$line" != "$cr" ]; do :; done
	case $path in
	*/) path=${path}index.html ;;
	esac
	case $method:$path in
	*..*) printf 'HTTP/1.0 400 Bad Request\r\n\r\n' ;;
	GET:/*)
		if [ -f "$folder$path" ]; then
			printf 'HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n' \
				"$(wc -c < "$folder$path")"
			cat "$folder$path"
		else
			printf 'HTTP/1.0 404 Not Found\r\n\r\nno such page\n'
		fi ;;
	*) printf 'HTTP/1.0 405 Method Not Allowed\r\n\r\n' ;;
	esac
}

touch "$srv"
trap 'rm -f "$srv" "$srv".*' EXIT
trap 'exit 0' INT TERM
echo "listen $address" > "$mnt/.ctl/${srv##*/}"
sed -n 's/^local //p' "$mnt/.ctl/${srv##*/}"

# A listener read gives the name of the next connection's file.
while IFS= read -r name; do
	# Nobody keeps a process waiting for long. The name goes whatever happens, and the
	# connection with the last who has it open.
	(
		trap 'rm -f "$mnt/$name"' EXIT
		printf 'set rcvtimeo 30\nset sndtimeo 30\n' > "$mnt/.ctl/$name"
		answer <> "$mnt/$name" >&0
	) &
done < "$srv"
