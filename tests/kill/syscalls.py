#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Who serves the mount is killed at each system call of each kind of request, in turn.

usage: syscalls.py DIR SUPERVISOR STEP

For each call below strace(1) kills the process that serves at its first read(2), at its
second, and so on until the call gets by; then the same with its other system calls (MOVES:
those bytes go by, one by one; any other: each STEP-th of its name). Whatever the moment, the
call has to have the result that it has on any file system. One line tells; status 1 at a
difference.
"""
import fcntl
import os
import select
import socket
import struct
import sys

import kill

mnt, step = sys.argv[1], int(sys.argv[3])
mount = kill.Mount(mnt, int(sys.argv[2]))
LIMIT = 400
MOVES = ["read", "splice", "vmsplice", "recvmmsg", "sendmmsg", "write", "writev", "accept4", "connect"]


class Failed(Exception):
    pass


def expect(got, want):
    if got != want:
        raise Failed(f"{got!r}, not {want!r}")


listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(64)
PORT = listener.getsockname()[1]


def connection():
    fd = os.open(f"{mnt}/tcp/127.0.0.1/{PORT}", os.O_RDWR)
    return fd, listener.accept()[0]


def control(name, text):
    fd = os.open(f"{mnt}/.ctl/{name}", os.O_WRONLY)
    try:
        expect(os.write(fd, text.encode()), len(text))
    finally:
        os.close(fd)


def status(name):
    with open(f"{mnt}/.ctl/{name}") as f:
        return dict(line.split(" ", 1) for line in f.read().splitlines() if " " in line)


def prepare_file(i):
    os.close(os.open(f"{mnt}/f{i}", os.O_CREAT | os.O_WRONLY))
    return i


def do_create(i):
    os.close(os.open(f"{mnt}/c{i}", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o640))
    expect(os.stat(f"{mnt}/c{i}").st_mode & 0o777, 0o640)
    os.unlink(f"{mnt}/c{i}")


def do_rename(i):
    os.rename(f"{mnt}/f{i}", f"{mnt}/g{i}")
    expect(os.path.exists(f"{mnt}/f{i}"), False)
    os.unlink(f"{mnt}/g{i}")


def prepare_two(i):
    prepare_file(i)
    os.close(os.open(f"{mnt}/g{i}", os.O_CREAT | os.O_WRONLY))
    return i


def do_link(i):
    os.link(f"{mnt}/f{i}", f"{mnt}/h{i}")
    expect(os.stat(f"{mnt}/f{i}").st_nlink, 2)
    os.unlink(f"{mnt}/h{i}")
    os.unlink(f"{mnt}/f{i}")


def do_dirs(i):
    os.mkdir(f"{mnt}/d{i}")
    os.symlink("x" * 300, f"{mnt}/d{i}/l")
    expect(os.readlink(f"{mnt}/d{i}/l"), "x" * 300)
    os.unlink(f"{mnt}/d{i}/l")
    os.rmdir(f"{mnt}/d{i}")


def do_label(i):
    os.setxattr(f"{mnt}/f{i}", "user.x", b"y" * 200)
    expect(os.getxattr(f"{mnt}/f{i}", "user.x"), b"y" * 200)
    os.unlink(f"{mnt}/f{i}")


def do_write(c):
    fd, peer = c
    data = os.urandom(50000)
    expect(os.write(fd, data), len(data))
    got = b""
    while len(got) < len(data):
        got += peer.recv(1 << 20)
    expect(got == data, True)
    peer.setblocking(False)
    try:
        expect(peer.recv(1), None)
    except BlockingIOError:
        pass
    os.close(fd)
    peer.setblocking(True)
    expect(peer.recv(1), b"")


def do_read(size):
    def do(c):
        fd, peer = c
        data = os.urandom(3 * size + 17)
        peer.sendall(data)
        peer.shutdown(socket.SHUT_WR)
        got = b""
        while len(got) < len(data):
            piece = os.read(fd, size)
            if not piece:
                break
            got += piece
        expect(got == data, True)
        expect(os.read(fd, size), b"")
        os.close(fd)
    return do


def prepare_reset(i):
    """What has arrived, and then a reset."""
    fd, peer = connection()
    peer.sendall(b"x" * 20000)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()
    return fd


def do_reset(size):
    def do(fd):
        got = 0
        try:
            while piece := os.read(fd, size):
                got += len(piece)
            raise Failed(f"an end of file after {got} bytes")
        except ConnectionResetError:
            expect(got, 20000)
        expect(os.read(fd, size), b"")
        os.close(fd)
    return do


def do_dial(_):
    fd, peer = connection()
    os.write(fd, b"x")
    # A dial that was cut short has left a connection that nobody writes to.
    while peer.recv(10) != b"x":
        peer = listener.accept()[0]
    os.close(fd)


def do_connect(i):
    control(f"f{i}", f"connect 127.0.0.1:{PORT}\nset keepalive on\n")
    expect(status(f"f{i}")["state"], "connected")
    expect(status(f"f{i}")["keepalive"], "1")
    os.unlink(f"{mnt}/f{i}")
    while True:
        peer = listener.accept()[0]
        expect(peer.recv(1), b"")
        listener.setblocking(False)
        more = select.select([listener], [], [], 0.01)[0]
        listener.setblocking(True)
        if not more:
            break


def prepare_listener(i):
    prepare_file(i)
    control(f"f{i}", "listen 127.0.0.1:0\n")
    client = socket.create_connection(("127.0.0.1", int(status(f"f{i}")["local"].rsplit(":", 1)[1])))
    return i, client


def do_accept(arg):
    i, client = arg
    with open(f"{mnt}/f{i}", "rb", buffering=0) as f:
        name = b""
        while not name.endswith(b"\n"):
            name += f.read(1)
    name = name.decode().strip()
    client.send(b"hello")
    fd = os.open(f"{mnt}/{name}", os.O_RDWR)
    expect(os.read(fd, 100), b"hello")
    os.write(fd, b"bye")
    expect(client.recv(100), b"bye")
    os.close(fd)
    os.unlink(f"{mnt}/{name}")
    os.unlink(f"{mnt}/f{i}")
    expect(client.recv(1), b"")


def do_poll(c):
    fd, peer = c
    p = select.poll()
    p.register(fd, select.POLLIN)
    expect(p.poll(1), [])
    peer.send(b"x")
    expect(p.poll(20000), [(fd, select.POLLIN)])
    os.close(fd)


CALLS = {
    "create": (lambda i: i, do_create),
    "rename": (prepare_file, do_rename),
    "rename over": (prepare_two, do_rename),
    "link": (prepare_file, do_link),
    "mkdir, symlink": (lambda i: i, do_dirs),
    "label": (prepare_file, do_label),
    "write": (lambda i: connection(), do_write),
    "read": (lambda i: connection(), do_read(1000)),
    "large read": (lambda i: connection(), do_read(60000)),
    "read, reset": (prepare_reset, do_reset(4096)),
    "large read, reset": (prepare_reset, do_reset(60000)),
    "dial": (lambda i: i, do_dial),
    "connect": (prepare_file, do_connect),
    "accept": (prepare_listener, do_accept),
    "poll": (lambda i: connection(), do_poll),
}


number = 0


def kill_at(name, what, step):
    """Call NAME again and again, until nobody dies of it; how many have."""
    global number
    prepare, do = CALLS[name]
    for kills, when in enumerate(range(1, LIMIT, step)):
        number += 1
        arg = prepare(number)
        pid, tracer = mount.traced(what, when)
        try:
            do(arg)
        except (Failed, OSError) as e:
            print(f"{name}: killed at {what} {when}: {e}")
            os._exit(1)
        survived = mount.worker() == pid
        tracer.terminate()
        tracer.wait()
        if survived:
            return kills
    raise Failed(f"{name} ends at no time, killed at {what}")


def main():
    kills = 0
    for name in CALLS:
        for what in MOVES:
            died = kill_at(name, what, 1)
            # Else its bytes were copied, and the pipe was left out of what is tried.
            if (name, what) == ("large read", "splice"):
                expect(died > 1, True)
            kills += died
        kills += kill_at(name, "all", step)
    print(f"{kills} kills at system calls of {len(CALLS)} kinds of requests: no difference")
    sys.stdout.flush()
    os._exit(0)


main()
