#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# ntp.sh MOUNT SERVER [PORT]: the time of an NTP server, and by how many seconds this
# machine's clock is behind it. One datagram to it, one from it (RFC 5905).
set -eu
case $# in
[23]) ;;
*) echo "usage: $0 MOUNT SERVER [PORT]" >&2; exit 2 ;;
esac

# The clock in seconds: GNU date has a fraction of them, others print an N.
now() { date +%s.%N | tr -d N; }

# 48 bytes: version 4, client; zeros; then eight at random in place of our time. An answer
# that does not say them again is not for us.
query='\043' i=1
while [ $i -lt 40 ]; do query="$query\\000" i=$((i + 1)); done
nonce=$(od -An -v -N8 -tu1 /dev/urandom)
for byte in $nonce; do query="$query\\$(printf %03o "$byte")"; done

exec 3<> "$1/udp/rcvtimeo=5/$2/${3:-123}"
sent=$(now)
# shellcheck disable=SC2059  # its escapes are meant; and it is one write, see sockfs(7)
env printf "$query" >&3
answer=$(dd bs=65536 count=1 status=none <&3 | od -An -v -tu1)
received=$(now)

# Times are seconds since 1900 and a fraction, four bytes each.
# shellcheck disable=SC2086  # words
echo $answer | awk -v nonce="$nonce" -v sent="$sent" -v received="$received" '
	function time(at,  s) {
		s = (($at * 256 + $(at + 1)) * 256 + $(at + 2)) * 256 + $(at + 3)
		return s - 2208988800 + ($(at + 4) * 256 + $(at + 5)) / 65536
	}
	function die(why) { print "ntp.sh: " why > "/dev/stderr"; failed = 1; exit 1 }
	NF < 48 || $1 % 8 != 4 { die("that is no answer") }
	{
		split(nonce, said)
		for (i in said) if ($(24 + i) != said[i]) die("an answer to somebody else")
		if ($2 == 0 || $2 > 15) die("the server does not know the time")
		# Half of the way there and back lies before its clock, half behind.
		printf "%.3f %+.3f\n", time(41), ((time(33) - sent) + (time(41) - received)) / 2
	}
	END { exit failed }'
