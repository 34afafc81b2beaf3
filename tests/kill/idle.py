#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Much that is idle while who serves the mount is killed: all of it is there afterwards.

usage: idle.py DIR SUPERVISOR FILES CONNECTIONS CALLERS POLLERS KILLS

CALLERS wait in each of read, a write that does not fit, accept, and an ioctl that accepts;
POLLERS wait in poll. After the kills every file has its name, number and mode, every
connection moves bytes both ways, and everybody who waits gets what he has waited for. The
pause that a caller sees is measured at each kill. One line tells; status 1 if anything is lost.
"""
import fcntl
import os
import select
import socket
import sys
import time

import kill

mnt = sys.argv[1]
mount = kill.Mount(mnt, int(sys.argv[2]))
nr_files, nr_connections, nr_callers, nr_pollers, kills = (int(a) for a in sys.argv[3:8])
failures = []

# _IOR(0xB5, 4, struct sockfs_accept) of sockfs/ioctl.h
ACCEPT_SIZE = 552
ACCEPT = 2 << 30 | ACCEPT_SIZE << 16 | 0xB5 << 8 | 4


class Caller(kill.Caller):
    """One of many of its kind."""

    def __init__(self, name, call, *args):
        self.kind = name
        super().__init__(call, *args)

    def expect(self, want):
        self.join(30)
        if self.is_alive():
            failures.append(f"{self.kind}: waits for ever")
        elif not want(self.result):
            failures.append(f"{self.kind}: {self.result}")


def make_files():
    os.mkdir(f"{mnt}/many")
    for i in range(nr_files):
        os.close(os.open(f"{mnt}/many/{i}", os.O_CREAT | os.O_WRONLY, 0o600 | i & 0o77))
    return {name: os.stat(f"{mnt}/many/{name}") for name in os.listdir(f"{mnt}/many")}


def check_files(before):
    names = os.listdir(f"{mnt}/many")
    if sorted(names) != sorted(before):
        failures.append(f"{len(names)} names of {len(before)}")
    for name in names:
        st, was = os.stat(f"{mnt}/many/{name}"), before[name]
        if (st.st_ino, st.st_mode, st.st_mtime_ns) != (was.st_ino, was.st_mode, was.st_mtime_ns):
            failures.append(f"{name}: {st}, was {was}")


def connect(listener, n):
    pairs = []
    for _ in range(n):
        fd = os.open(f"{mnt}/tcp/127.0.0.1/{listener.getsockname()[1]}", os.O_RDWR)
        pairs.append((fd, listener.accept()[0]))
    return pairs


def check_connection(i, fd, peer):
    for _ in range(2):
        os.write(fd, b"there %d" % i)
        if peer.recv(100) != b"there %d" % i:
            failures.append(f"connection {i}: nothing arrives")
        peer.send(b"and back %d" % i)
        if os.read(fd, 100) != b"and back %d" % i:
            failures.append(f"connection {i}: nothing comes back")


def make_listener(name):
    os.close(os.open(f"{mnt}/{name}", os.O_CREAT | os.O_WRONLY, 0o600))
    with open(f"{mnt}/.ctl/{name}", "w") as ctl:
        ctl.write("listen 127.0.0.1:0\n")
    with open(f"{mnt}/.ctl/{name}") as ctl:
        local = dict(line.split(" ", 1) for line in ctl.read().splitlines() if " " in line)
    return int(local["local"].rsplit(":", 1)[1])


def poller(fd):
    p = select.poll()
    p.register(fd, select.POLLIN)
    return p.poll(600000)


def accept_by_ioctl(name):
    arg = bytearray(ACCEPT_SIZE)
    fd = os.open(f"{mnt}/{name}", os.O_RDWR)
    try:
        fcntl.ioctl(fd, ACCEPT, arg)
    finally:
        os.close(fd)
    return bytes(arg)


def read_listener(name):
    with open(f"{mnt}/{name}", "rb", buffering=0) as f:
        return f.read(300)


FULL = b"x" * (6 << 20)


def main():
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(4096)
    files = make_files()
    idle = connect(listener, nr_connections)
    readers = connect(listener, nr_callers)
    writers = connect(listener, nr_callers)
    polled = connect(listener, nr_pollers)
    port_read, port_ioctl = make_listener("srv"), make_listener("srvi")
    waiting = {
        "read": [Caller("read", os.read, fd, 100) for fd, _ in readers],
        "write": [Caller("write", os.write, fd, FULL) for fd, _ in writers],
        "accept": [Caller("accept", read_listener, "srv") for _ in range(nr_callers)],
        "ioctl": [Caller("ioctl", accept_by_ioctl, "srvi") for _ in range(nr_callers)],
        "poll": [Caller("poll", poller, fd) for fd, _ in polled],
    }
    mount.until_waiting(4 * nr_callers)
    pauses = []
    while len(pauses) < kills:
        if not mount.kill():
            continue
        begin = time.monotonic()
        os.stat(f"{mnt}/many/0")
        os.utime(f"{mnt}/many", None)
        pauses.append(time.monotonic() - begin)
    for i, (fd, peer) in enumerate(idle):
        check_connection(i, fd, peer)
    for (_, peer), caller in zip(readers, waiting["read"]):
        peer.send(b"at last")
        caller.expect(lambda got: got == b"at last")
    for (_, peer), caller in zip(writers, waiting["write"]):
        left = len(FULL)
        peer.settimeout(30)
        while left > 0:
            data = peer.recv(1 << 20)
            if not data or data.strip(b"x"):
                failures.append("write: other bytes")
                break
            left -= len(data)
        caller.expect(lambda got: got == len(FULL))
    clients = []
    for port in [port_read, port_ioctl] * nr_callers:
        clients.append(socket.create_connection(("127.0.0.1", port), 30))
    names = []
    for caller in waiting["accept"]:
        caller.expect(lambda got: isinstance(got, bytes) and got.startswith(b"srv."))
        names.append(caller.result)
    for caller in waiting["ioctl"]:
        caller.expect(lambda got: isinstance(got, bytes) and b"srvi." in got)
        names.append(caller.result)
    if len(set(names)) != len(names):
        failures.append("two have accepted one connection")
    for (_, peer), caller in zip(polled, waiting["poll"]):
        peer.send(b"!")
        caller.expect(lambda got: got and got[0][1] & select.POLLIN)
    check_files(files)
    pauses.sort()
    print(f"{kills} kills, {nr_files} files, {nr_connections} connections,"
          f" {nr_callers} callers of each of 4 kinds, {nr_pollers} pollers: {len(failures)} lost;"
          f" pause {pauses[len(pauses) // 2] * 1000:.0f} ms, at most {pauses[-1] * 1000:.0f} ms")
    for f in failures[:5]:
        print(f)
    sys.stdout.flush()
    os._exit(1 if failures else 0)


main()
