#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# http-get.sh MOUNT HOST:PORT [PATH]: fetch a page with touch, printf and cat.
set -eu
[ $# -eq 2 ] || [ $# -eq 3 ] || { echo "usage: $0 MOUNT HOST:PORT [PATH]" >&2; exit 2; }
mnt=$1 hostport=$2 path=${3:-/}
web=$mnt/http-get.$$

touch "$web"
trap 'rm -f "$web"' EXIT
trap 'exit 1' HUP INT TERM

echo "connect $hostport" > "$mnt/.ctl/${web##*/}"
printf 'GET %s HTTP/1.0\r\nHost: %s\r\n\r\n' "$path" "$hostport" > "$web"

# Skip the head: it ends with an empty line. read takes no byte too many.
cr=$(printf '\r')
while IFS= read -r line && [ "$line" != "$cr" ]; do :; done < "$web"
cat "$web"
