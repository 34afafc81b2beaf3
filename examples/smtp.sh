#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# smtp.sh MOUNT HOST PORT FROM TO < MESSAGE: hand a mail to a server.
# One descriptor talks both ways: say a line, read the answer.
set -eu
[ $# -eq 5 ] || { echo "usage: $0 MOUNT HOST PORT FROM TO < MESSAGE" >&2; exit 2; }
mnt=$1 host=$2 port=$3 from=$4 to=$5
cr=$(printf '\r')

expect() { # CODE: read one answer, of one or more lines
	while IFS= read -r line <&3; do
		case $line in
		"$1"-*) ;;
		"$1"*) return 0 ;;
		*) echo "smtp.sh: ${line%"$cr"}" >&2; exit 1 ;;
		esac
	done
	echo "smtp.sh: the server has hung up" >&2
	exit 1
}

say() {
	printf '%s\r\n' "$1" >&3
}

exec 3<> "$mnt/tcp/$host/$port"
expect 220
say "HELO $(uname -n)"; expect 250
say "MAIL FROM:<$from>"; expect 250
say "RCPT TO:<$to>"; expect 250
say DATA; expect 354
while IFS= read -r line || [ -n "$line" ]; do
	case $line in
	.*) say ".$line" ;;
	*) say "$line" ;;
	esac
done
say .; expect 250
say QUIT; expect 221
