#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# http-serve.sh MOUNT HOST:PORT FOLDER: a web server in shell.
# Prints the address it listens on. Each connection is a file of its own.
set -eu
mnt=$1 address=$2 folder=$3
srv=$mnt/http-serve.$$
cr=$(printf '\r')

answer() { # CONNECTION: one request, one answer
	IFS=' ' read -r method path _ < "$1" || return 0
	while IFS= read -r line && [ "$line" != "$cr" ]; do :; done < "$1"
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
	esac > "$1"
}

touch "$srv"
trap 'rm -f "$srv" "$srv".*' EXIT
trap 'exit 0' INT TERM
echo "listen $address" > "$mnt/.ctl/${srv##*/}"
sed -n 's/^local //p' "$mnt/.ctl/${srv##*/}"

# A listener read gives the name of the next connection's file.
while IFS= read -r name; do
	{ answer "$mnt/$name"; rm -f "$mnt/$name"; } &
done < "$srv"
