#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# dns.sh MOUNT SERVER PORT NAME: print the IPv4 addresses of NAME, asked of a name server.
# One datagram to it, one from it (RFC 1035), over a path that dials UDP.
set -eu
[ $# -eq 4 ] || { echo "usage: $0 MOUNT SERVER PORT NAME" >&2; exit 2; }

# A query in octal escapes: an id, "recursion desired", one question; the labels, each
# behind its length; type A, class IN.
query='\022\064\001\000\000\001\000\000\000\000\000\000'
rest=$4.
while [ -n "$rest" ]; do
	label=${rest%%.*}
	rest=${rest#*.}
	query="$query\\$(printf %03o ${#label})$label"
done
query="$query\\000\\000\\001\\000\\001"

exec 3<> "$1/udp/rcvtimeo=5/$2/$3"
# shellcheck disable=SC2059  # its escapes are meant; and it is one write, see sockfs(7)
env printf "$query" >&3
# Its bytes as numbers. Behind the question (12 bytes, the name, 5) come the answers: name,
# type, class, time, length, data. A name ends with 0 or with a pointer of two bytes.
dd bs=65536 count=1 status=none <&3 | od -An -v -tu1 | awk '
	{ for (i = 1; i <= NF; i++) b[n++] = $i }
	function skip(at) {
		while (b[at] > 0 && b[at] < 192) at += b[at] + 1
		return at + (b[at] >= 192 ? 2 : 1)
	}
	END {
		if (n < 12 || b[3] % 16 != 0) { print "dns.sh: no answer, or no such name" > "/dev/stderr"; exit 1 }
		at = skip(12) + 4
		for (left = 256 * b[6] + b[7]; left > 0; left--) {
			at = skip(at)
			type = 256 * b[at] + b[at + 1]
			len = 256 * b[at + 8] + b[at + 9]
			at += 10
			if (type == 1) print b[at] "." b[at + 1] "." b[at + 2] "." b[at + 3]
			at += len
		}
	}'
