#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# dial.sh DIR PORT CLOSED-PORT: what bash has in /dev/tcp, for every shell, in the mount DIR.
# An echo server is behind PORT, nobody behind CLOSED-PORT.
set -eu
echo_server=$1/tcp/127.0.0.1/$2
nobody=$1/tcp/127.0.0.1/$3

# One descriptor, both ways, a line at a time.
exec 3<> "$echo_server"
printf 'first\nsecond\n' >&3
read -r one <&3
read -r two <&3
printf 'third\n' >&3
read -r three <&3
exec 3>&-
echo "$one, $two, $three"

# Each open is a connection of its own.
exec 3<> "$echo_server" 4<> "$echo_server"
printf 'on three\n' >&3
printf 'on four\n' >&4
read -r four <&4
read -r three <&3
exec 3>&- 4>&-
echo "$three, $four"

# A child gets the descriptor like any other.
exec 3<> "$echo_server"
(echo 'from a child' >&3)
sed -u 1q <&3
exec 3>&-

# A connection that fails is an open that fails, and the script goes on.
for direction in read write both; do
	if case $direction in
		read) (: < "$nobody") ;;
		write) (: > "$nobody") ;;
		both) (: <> "$nobody") ;;
		esac 2> refused; then
		echo "$direction: somebody is there"
	fi
	# Each shell in words of its own around it.
	sed -n 's/.*[Cc]onnection refused.*/connection refused/p' refused
done
