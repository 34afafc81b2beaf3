#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# time-limit.sh MOUNT HOST PORT [SECONDS]: print what a service says by itself, such as
# the greeting of a mail server, until it ends or is silent for SECONDS (5).
#
# The limit is part of the path, for `read -t` and TMOUT of bash do nothing on a file.
# cat reads, for the `read` of busybox sh waits in poll(2), which has no limit.
set -eu
[ $# -ge 3 ] || { echo "usage: $0 MOUNT HOST PORT [SECONDS]" >&2; exit 2; }
seconds=${4:-5}

exec 3<> "$1/tcp/connect_timeout=$seconds,rcvtimeo=$seconds/$2/$3"
cat <&3 | while read -r line; do
	printf '%s\n' "$line"
done
