#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# sandbox.sh POLICY PROGRAM [ARGUMENT...]: by bubblewrap, a program that may read /usr, /etc
# and this folder and write to a /tmp of its own, and whose only network is a sockfs at
# /net, under the rules of POLICY (sockfs.policy(5)). Its exit status is passed on.
set -eu
[ $# -ge 2 ] || { echo "usage: $0 POLICY PROGRAM [ARGUMENT...]" >&2; exit 2; }
policy=$1
shift
mnt=$(mktemp -d)

leave() {
	fusermount3 -u "$mnt"
	rmdir "$mnt"
}

sockfs -o "policy=$policy" "$mnt" || { rmdir "$mnt"; exit 1; }
trap leave EXIT
trap 'exit 1' HUP INT TERM

# /bin and its like are links into /usr on most systems, and folders on some.
places=
for place in /bin /sbin /lib /lib32 /lib64; do
	if [ -L "$place" ]; then
		places="$places --symlink $(readlink "$place") $place"
	elif [ -d "$place" ]; then
		places="$places --ro-bind $place $place"
	fi
done

status=0
# UNIX sockets are files and no part of a network namespace: none is below these
# folders, or leave the folder out. --new-session keeps it from typing into the terminal.
# shellcheck disable=SC2086  # a list of options
bwrap --unshare-all --die-with-parent --new-session --cap-drop ALL \
	--ro-bind /usr /usr $places --ro-bind /etc /etc --proc /proc --dev /dev \
	--tmpfs /tmp --bind "$mnt" /net --ro-bind "$PWD" "$PWD" --chdir "$PWD" \
	-- "$@" || status=$?
[ "$status" -eq 0 ] || exit "$status"
