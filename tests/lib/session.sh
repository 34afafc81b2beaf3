#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# session.sh DIR PORT CLOSED-PORT: sockets with names, by echo and read, for every shell, in the
# mount DIR. An echo server is behind PORT, nobody behind CLOSED-PORT.
set -eu
cd "$1"

# A client: each command opens the file anew, the connection stays.
: > web
echo "connect 127.0.0.1:$2" > .ctl/web
printf 'first\nsecond\n' > web
# ksh93 reads ahead, so one open for both lines.
exec 3< web
read -r one <&3
read -r two <&3
exec 3<&-
echo "$one, $two"
echo third > web
sed -u 1q web

# Lines of the control file are words.
while read -r key value; do
	case $key in
	state | rx_bytes) echo "$key $value" ;;
	esac
done < .ctl/web
rm web

# What fails is a command that fails.
: > web
if echo "connect 127.0.0.1:$3" 2> /dev/null > .ctl/web; then
	echo 'somebody is there'
else
	grep '^state' .ctl/web
	grep '^error' .ctl/web
fi
if echo 'dance' 2> /dev/null > .ctl/web; then echo 'it dances'; fi
rm web

# A server of three callers, each of them a file.
: > srv
echo 'listen 127.0.0.1:0' > .ctl/srv
address=$(sed -n 's/^local //p' .ctl/srv)
for caller in 1 2 3; do
	: > "caller$caller"
	echo "connect $address" > ".ctl/caller$caller"
	echo "caller $caller" > "caller$caller"
done
for caller in 1 2 3; do
	read -r connection < srv
	read -r line < "$connection"
	echo "$connection: $line"
	echo "hello, $line" > "$connection"
	rm "$connection"
done
for caller in 1 2 3; do
	cat "caller$caller"
	rm "caller$caller"
done
rm srv

# Connections wait for a loop that reads their names, and a job answers each.
: > srv
echo 'listen 127.0.0.1:0' > .ctl/srv
address=$(sed -n 's/^local //p' .ctl/srv)
for caller in 1 2; do
	: > "caller$caller"
	echo "connect $address" > ".ctl/caller$caller"
done
(
	left=2
	while [ $left -gt 0 ] && read -r connection; do
		{ echo "from a job" > "$connection"; rm "$connection"; } &
		left=$((left - 1))
	done < srv
	wait
)
cat caller1 caller2
rm caller1 caller2 srv
