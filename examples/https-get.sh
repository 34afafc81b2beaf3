#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# https-get.sh MOUNT HOST[:PORT] [PATH]: fetch a page over TLS by opening a path.
# The server has to prove that it is HOST, or opening fails; AUTHORITIES=FILE (PEM) trusts
# those instead of the system's.
set -eu
[ $# -eq 2 ] || [ $# -eq 3 ] || { echo "usage: $0 MOUNT HOST[:PORT] [PATH]" >&2; exit 2; }
mnt=$1 host=${2%:*} path=${3:-/}
case $2 in *:*) port=${2##*:} ;; *) port=443 ;; esac

if [ -z "${AUTHORITIES-}" ]; then
	exec 3<> "$mnt/tls/$host/$port"
else
	web=$mnt/https-get.$$
	touch "$web"
	trap 'rm -f "$web"' EXIT
	printf 'set tls_ca %s\nconnect tls:%s:%s\n' "$AUTHORITIES" "$host" "$port" \
		> "$mnt/.ctl/${web##*/}" || {
		sed -n 's/^tls_error /https-get.sh: /p' "$mnt/.ctl/${web##*/}" >&2
		exit 1
	}
	exec 3<> "$web"
fi
printf 'GET %s HTTP/1.0\r\nHost: %s\r\n\r\n' "$path" "$host" >&3

# Skip the head: it ends with an empty line. read takes no byte too many.
cr=$(printf '\r')
while IFS= read -r line <&3 && [ "$line" != "$cr" ]; do :; done
# An answer that somebody has cut short ends with an error, not as if it were whole.
cat <&3
