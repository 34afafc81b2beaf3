#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# docker.sh MOUNT SOCKET PATH: GET a path from an HTTP server behind a UNIX socket, as that
# of Docker or Podman: docker.sh /mnt/net /run/docker.sock /containers/json
set -eu
[ $# -eq 3 ] || { echo "usage: $0 MOUNT SOCKET PATH" >&2; exit 2; }

exec 3<> "$1/unix$2"
# Closed behind the answer, so that cat ends; env: in one write, whatever the shell.
env printf 'GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "$3" >&3
cat <&3 | {
	read -r _ status _
	while IFS= read -r line && [ "$line" != "$(printf '\r')" ]; do :; done
	[ "$status" = 200 ] || { echo "docker.sh: status $status" >&2; exit 1; }
	cat
}
