#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel says what it has forgotten while who serves the mount is killed: all is heard.

usage: forget.py DIR SUPERVISOR FILES ROUNDS

FILES are made; the kernel drops its caches, which is a list of thousands of numbers, and who
serves is killed some milliseconds later. When the files are removed behind ROUNDS of that,
nothing of them is left in memory: a number that was not heard would keep a file for ever. One
line tells; status 1 if anything is left.
"""
import os
import random
import signal
import sys
import time

import kill

mnt = sys.argv[1]
mount = kill.Mount(mnt, int(sys.argv[2]))
nr_files, rounds = int(sys.argv[3]), int(sys.argv[4])


def sockets():
    """Files in the memory of who serves."""
    with open(f"{mnt}/.proc/slabinfo", encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("sock_inode_cache"))


def drop_caches():
    # Dentries and inodes, of the whole system: they come back as they are needed.
    with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as f:
        f.write("2\n")


def main():
    before = sockets()
    os.mkdir(f"{mnt}/many")
    for i in range(nr_files):
        os.close(os.open(f"{mnt}/many/{i}", os.O_CREAT | os.O_WRONLY))
    kills = 0
    while kills < rounds:
        with os.scandir(f"{mnt}/many") as names:
            for name in names:
                name.stat()
        # One long list: who serves does not hear a word before it is complete.
        worker = mount.worker()
        os.kill(worker, signal.SIGSTOP)
        drop_caches()
        os.kill(worker, signal.SIGCONT)
        time.sleep(random.uniform(0, 0.003))
        kills += mount.kill()
    for name in os.listdir(f"{mnt}/many"):
        os.unlink(f"{mnt}/many/{name}")
    end = time.monotonic() + 20
    while sockets() > before and time.monotonic() < end:
        drop_caches()
    left = sockets() - before
    print(f"{kills} kills, {nr_files} files forgotten each time: {left} left in memory")
    sys.stdout.flush()
    os._exit(1 if left else 0)


main()
