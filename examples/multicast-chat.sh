#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# multicast-chat.sh MOUNT GROUP PORT NAME [INTERFACE]: talk with all on this network who
# are in the same group, such as 239.1.2.3. Nobody listens, nobody is called: no server.
# What you type is sent behind your NAME, what others say is shown.
set -eu
case $# in
[45]) ;;
*) echo "usage: $0 MOUNT GROUP PORT NAME [INTERFACE]" >&2; exit 2 ;;
esac
mnt=$1 group=$2 port=$3 name=$4 interface=${5-}
hear=group.$$.in say=group.$$.out
trap 'rm -f "$mnt/$hear" "$mnt/$say"' EXIT
# The cat in the background does not hear of Ctrl-C, but of an abort.
trap 'echo abort > "$mnt/.ctl/$hear"; exit 1' HUP INT TERM

: > "$mnt/$hear"
: > "$mnt/$say"
# Several of us may live on one machine; and what we say ourselves we do not want to hear.
for command in 'set reuseport on' "bind udp:$group:$port" "join $group $interface"; do
	echo "$command" > "$mnt/.ctl/$hear"
done
for command in 'set proto udp' 'set mloop off' "connect udp:$group:$port"; do
	echo "$command" > "$mnt/.ctl/$say"
done

cat "$mnt/$hear" 2>/dev/null &
echo "$name is here" > "$mnt/$say"
while IFS= read -r line; do
	echo "$name: $line" > "$mnt/$say"
done
echo "$name has gone" > "$mnt/$say"
echo abort > "$mnt/.ctl/$hear"
wait || :
