#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# chat.sh MOUNT listen [HOST:PORT]   wait for the other one (prints the address)
# chat.sh MOUNT call HOST:PORT       call
# What you type is sent, what comes is shown; end of input says goodbye.
set -eu
case $#:${2-} in
[23]:listen | 3:call) ;;
*) echo "usage: $0 MOUNT listen [HOST:PORT] | call HOST:PORT" >&2; exit 2 ;;
esac
mnt=$1 role=$2 address=${3:-127.0.0.1:0}
me=chat.$$
trap 'rm -f "$mnt/$me" "$mnt/$me".*' EXIT
# The cat in the background does not hear of Ctrl-C, but of an abort.
trap 'echo abort > "$mnt/.ctl/${talk:-$me}"; exit 1' HUP INT TERM

touch "$mnt/$me"
case $role in
listen)
	echo "listen $address" > "$mnt/.ctl/$me"
	sed -n 's/^local //p' "$mnt/.ctl/$me"
	IFS= read -r talk < "$mnt/$me" ;;
call)
	echo "connect $address" > "$mnt/.ctl/$me"
	talk=$me ;;
esac

cat "$mnt/$talk" & # ends when the other side says goodbye
cat > "$mnt/$talk"
echo 'shutdown wr' > "$mnt/.ctl/$talk"
wait
