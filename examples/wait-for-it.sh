#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# wait-for-it.sh MOUNT HOST PORT [SECONDS [COMMAND...]]: wait until a service
# answers, then run COMMAND. POSIX sh; no nc, no bash, no curl.
set -eu
[ $# -ge 3 ] || { echo "usage: $0 MOUNT HOST PORT [SECONDS [COMMAND...]]" >&2; exit 2; }
mnt=$1 host=$2 port=$3 seconds=${4:-15}
shift 3
[ $# -eq 0 ] || shift

end=$(($(date +%s) + seconds))
left=$seconds
while :; do
	# Opening the path dials; the error is open's. The subshell closes it again. A
	# service that is there but does not get round to us would be waited for, so the
	# path has a limit: what is left, and a second for the last try.
	[ "$left" -ge 1 ] || left=1
	if (: < "$mnt/tcp/connect_timeout=$left/$host/$port") 2> /dev/null; then break; fi
	left=$((end - $(date +%s)))
	if [ "$left" -le 0 ]; then
		echo "wait-for-it.sh: $host:$port does not answer after $seconds s" >&2
		exit 1
	fi
	sleep 1
done
[ $# -eq 0 ] || exec "$@"
