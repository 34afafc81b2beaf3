#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# starttls-smtp.sh MOUNT HOST PORT FROM TO < MESSAGE: hand a mail to a server, under TLS.
# It begins in the clear; STARTTLS and "tls" make the same file speak TLS, and the server
# has to be HOST then. AUTHORITIES=FILE (PEM) trusts those instead of the system's.
set -eu
[ $# -eq 5 ] || { echo "usage: $0 MOUNT HOST PORT FROM TO < MESSAGE" >&2; exit 2; }
mnt=$1 host=$2 port=$3 from=$4 to=$5
mail=starttls-smtp.$$
cr=$(printf '\r')

expect() { # CODE: read one answer to its end, of one or more lines
	while IFS= read -r line <&3; do
		case $line in
		"$1"-*) ;;
		"$1"*) return 0 ;;
		*) echo "starttls-smtp.sh: ${line%"$cr"}" >&2; exit 1 ;;
		esac
	done
	echo "starttls-smtp.sh: the server has hung up" >&2
	exit 1
}

say() {
	printf '%s\r\n' "$1" >&3
}

control() { # COMMAND: a line for the control file
	echo "$1" > "$mnt/.ctl/$mail" || {
		sed -n 's/^tls_error /starttls-smtp.sh: /p' "$mnt/.ctl/$mail" >&2
		exit 1
	}
}

touch "$mnt/$mail"
trap 'rm -f "$mnt/$mail"' EXIT
if [ -n "${AUTHORITIES-}" ]; then control "set tls_ca $AUTHORITIES"; fi
control "connect $host:$port"
exec 3<> "$mnt/$mail"
expect 220
say "EHLO $(uname -n)"; expect 250
say STARTTLS; expect 220
control tls
say "EHLO $(uname -n)"; expect 250
say "MAIL FROM:<$from>"; expect 250
say "RCPT TO:<$to>"; expect 250
say DATA; expect 354
sed "s/^\./../; s/\$/$cr/" >&3
say .; expect 250
say QUIT; expect 221
