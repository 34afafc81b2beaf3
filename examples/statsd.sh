#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# statsd.sh MOUNT SERVER PORT METRIC...: count, gauge or time something, such as
# statsd.sh /mnt/net localhost 8125 'visits:1|c' 'load:42|g' 'page:320|ms'
# Nobody answers, and nobody need listen: a metric that is lost is lost.
set -eu
[ $# -ge 4 ] || { echo "usage: $0 MOUNT SERVER PORT METRIC..." >&2; exit 2; }
path=$1/udp/$2/$3
shift 3

# One write is one datagram; an open socket would tell the second one that nobody is there.
for metric; do
	echo "$metric" > "$path"
done
