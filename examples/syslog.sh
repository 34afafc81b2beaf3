#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# syslog.sh MOUNT send SERVER PORT TEXT...   log a line on another machine
# syslog.sh MOUNT receive ADDRESS:PORT       print what others log here, a line each,
#                                            behind the address of its sender
# Syslog over UDP: a message is a datagram (RFC 5424, RFC 5426).
set -eu
usage() { echo "usage: $0 MOUNT send SERVER PORT TEXT... | receive ADDRESS:PORT" >&2; exit 2; }
[ $# -ge 3 ] || usage
mnt=$1 role=$2
shift 2

case $role in
send)
	[ $# -ge 3 ] || usage
	server=$1 port=$2
	shift 2
	# user.notice, version, time, host, program, process; a "-" is what we do not know.
	env printf '<13>1 %s %s syslog.sh %s - - %s' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" \
		"$(uname -n)" $$ "$*" > "$mnt/udp/$server/$port" ;;
receive)
	file=$mnt/syslog.$$
	trap 'rm -f "$file"' EXIT
	trap 'echo abort > "$mnt/.ctl/syslog.$$"' HUP INT TERM
	: > "$file"
	# Many send to one file, and before each message stands who, and how long it is.
	echo "bind udp:$1" > "$mnt/.ctl/syslog.$$"
	echo 'set headers text' > "$mnt/.ctl/syslog.$$"
	sed -n 's/^local //p' "$mnt/.ctl/syslog.$$"
	# A read gives one datagram. What is a line ends without a newline, mostly.
	while message=$(dd bs=65536 count=1 2>/dev/null && echo .); do
		message=${message%.}
		[ -n "$message" ] || break
		from=${message%% *}
		message=${message#*
}
		printf '%s %s\n' "$from" "${message%
}"
	done < "$file" &
	# A signal ends this wait, and the abort the loop.
	wait || wait ;;
*) usage ;;
esac
