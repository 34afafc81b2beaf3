#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Bits of what is written down are flipped, and who serves is killed.

usage: flip.py DIR SUPERVISOR BITS

Whoever goes on believes nothing that would lead him astray: the mount answers within some
seconds, or it has gone with a line in the log. Prints which, in one line; status 1 if it hangs.
"""
import os
import random
import socket
import subprocess
import sys

import kill

mnt, bits = sys.argv[1], int(sys.argv[3])
mount = kill.Mount(mnt, int(sys.argv[2]))


def fill():
    """Something of everything, and files that are open meanwhile."""
    fds = []
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(64)
    for i in range(20):
        os.mkdir(f"{mnt}/d{i}")
        fds.append(os.open(f"{mnt}/d{i}/f", os.O_CREAT | os.O_RDWR))
        os.symlink("x" * 200, f"{mnt}/d{i}/l")
        os.link(f"{mnt}/d{i}/f", f"{mnt}/d{i}/" + "long" * 30)
        os.setxattr(f"{mnt}/d{i}/f", "user.x", b"y" * 300)
        fds.append(os.open(f"{mnt}/tcp/127.0.0.1/{listener.getsockname()[1]}", os.O_RDWR))
        fds.append(listener.accept()[0])
    return fds, listener


def flip(fd):
    # Behind the head: a wrong number of the device would be nobody's mount.
    where = [(max(begin, 4096), end) for begin, end in kill.pieces(fd) if end > 4096]
    for _ in range(bits):
        begin, end = random.choice(where)
        at = random.randrange(begin, end)
        byte = os.pread(fd, 1, at)[0] ^ 1 << random.randrange(8)
        os.pwrite(fd, bytes([byte]), at)


def main():
    kept = fill()
    fd = mount.ledger()
    flip(fd)
    mount.kill()
    os.close(fd)
    p = subprocess.run(["timeout", "-s", "KILL", "20", "ls", "-lR", mnt], stdout=subprocess.PIPE,
                       stderr=subprocess.DEVNULL, check=False)
    if p.returncode == 137:
        print("it hangs")
        os._exit(1)
    print(f"{bits} bits: " + ("it answers" if p.stdout else "it has gone"))
    sys.stdout.flush()
    del kept
    os._exit(0)


main()
