#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# git-proxy.sh HOST PORT: what git runs for a git:// URL, with the mount in MOUNT (/mnt/net).
# git config core.gitProxy git-proxy.sh
# Standard input and output are git's side. git ends its own and waits for the
# server's: so the end of input has to go on as a half-close.
set -eu
[ $# -eq 2 ] || { echo "usage: $0 HOST PORT" >&2; exit 2; }
exec 3<> "${MOUNT:-/mnt/net}/tcp/$1/$2"
cat <&3 &
cat >&3
sockctl --fd 3 shutdown wr
wait
