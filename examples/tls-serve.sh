#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# tls-serve.sh MOUNT HOST:PORT CERTIFICATE KEY PROGRAM...: serve TLS with any program.
# PROGRAM talks by its standard input and output, as for inetd. Prints the address it
# listens on. With CLIENTS=FILE (PEM) callers have to show a certificate of these authorities.
set -eu
[ $# -ge 5 ] || { echo "usage: $0 MOUNT HOST:PORT CERTIFICATE KEY PROGRAM..." >&2; exit 2; }
mnt=$1 address=$2 certificate=$3 key=$4
shift 4
name=tls-serve.$$
srv=$mnt/$name

touch "$srv"
trap 'rm -f "$srv" "$srv".*' EXIT
trap 'exit 0' INT TERM
# Who does not shake hands, or is silent, does not keep a process for long.
{
	printf 'set tls_cert %s\nset tls_key %s\n' "$certificate" "$key" &&
		printf 'set tls_ca %s\n' "${CLIENTS:--}" &&
		printf 'set connect_timeout 10\nset rcvtimeo 60\nset sndtimeo 60\n' &&
		printf 'listen tls:%s\n' "$address"
} > "$mnt/.ctl/$name" || {
	sed -n 's/^tls_error /tls-serve.sh: /p' "$mnt/.ctl/$name" >&2
	exit 1
}
sed -n 's/^local //p' "$mnt/.ctl/$name"

while IFS= read -r caller; do
	# Its file goes first: the connection lives as long as the program has it open.
	(
		exec <> "$mnt/$caller" >&0
		rm -f "$mnt/$caller"
		exec "$@"
	) &
done < "$srv"
