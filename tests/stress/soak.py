#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""soak.py MOUNT WORKER SECONDS: all at once, and every byte accounted for.

Processes that each do one thing to the mount until the time is over:

    streams     bytes to an echo server and back, compared by their place
    listeners   a listener, clients that connect, acceptors that echo
    killed      a reader or writer dies in mid-call; the stream goes on where it was
    dials       opens and closes of paths that dial
    names       files, directories and links that come and go
    lookers     ls, stat, status and tables, which must answer within five seconds, beside all that

Each ends by itself and tells its counts by a pipe; one that has failed has said why, and
makes the status 1. Afterwards no socket and no descriptor may be left.
"""
import json
import os
import random
import socket
import sys
import threading
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from mount import *  # noqa: E402,F403
from faults import echo_server  # noqa: E402

m = Mount(*sys.argv[1:3])
END = time.monotonic() + float(sys.argv[3])


def over():
    return time.monotonic() > END


def echo_stream(port, nr):
    """A named file or a dialled path; writes and reads at a time, in pieces of any size."""
    done = connections = 0
    while not over():
        if nr % 2:
            path = m.make(f"stream{nr}", f"connect 127.0.0.1:{port}")
            fd = os.open(path, os.O_RDWR)
            os.unlink(path)
        else:
            fd = os.open(m.at(f"tcp/127.0.0.1/{port}"), os.O_RDWR)
        size, sent = random.choice((1, 4096, 1 << 20, 16 << 20)), 0

        def write():
            sent = 0
            while sent < size:
                n = min(size - sent, random.choice((1, 777, 4096, 1 << 17, 1 << 20)))
                write_all(fd, pattern(sent, n))
                sent += n

        t = threading.Thread(target=write)
        t.start()
        while sent < size:
            data = os.read(fd, random.choice((1, 1000, 1 << 17, 1 << 20)))
            assert data and data == pattern(sent, len(data)), f"stream {nr} at {sent}"
            sent += len(data)
        t.join()
        os.close(fd)
        done += size
        connections += 1
    return {"bytes each way, in order": done, "connections": connections}


def serve(nr):
    """Accepts and echoes."""
    lines, served = os.open(m.at("srv"), os.O_RDONLY), 0
    while True:
        name = os.read(lines, 256).decode().strip()
        fd = os.open(m.at(name), os.O_RDWR)
        os.unlink(m.at(name))
        while data := os.read(fd, 1 << 16):
            write_all(fd, data)
        os.close(fd)


def clients(nr):
    host, port = m.status("srv", "local").rsplit(":", 1)
    served = sent = 0
    while not over():
        some = [socket.create_connection((host, int(port))) for _ in range(random.randrange(1, 50))]
        for i, c in enumerate(some):
            data = pattern(i * 1000, random.randrange(1, 3000))
            c.sendall(data)
            c.shutdown(socket.SHUT_WR)
            got = b""
            while part := c.recv(1 << 16):
                got += part
            assert got == data, f"client: {len(got)} of {len(data)} bytes"
            c.close()
            served += 1
            sent += len(data)
    return {"clients accepted and served": served, "bytes of theirs": sent}


def killed(nr):
    rounds = sent = 0
    with listener(rcvbuf=8192) as s:
        path = m.make(f"killed{nr}", f"connect 127.0.0.1:{port_of(s)}\nset sndbuf 8192")
        peer = s.accept()[0]
        fd = os.open(path, os.O_RDWR)
        while not over():
            pid = child(os.read, fd, 1 << random.randrange(20))
            until(lambda: parks(m, pid), "a reader that waits")
            kill(pid)
            data = pattern(sent, random.randrange(1, 3000))
            peer.sendall(data)
            assert read_exactly(fd, len(data)) == data, f"round {rounds}"
            cut_write(m, fd, peer, 1 << 19, rounds)
            sent += len(data)
            rounds += 1
        os.close(fd)
        os.unlink(path)
    return {"readers and writers killed": 2 * rounds}


def dial(port, nr):
    n = 0
    while not over():
        os.close(os.open(m.at(f"tcp/linger=0/127.0.0.1/{port}"), os.O_RDWR))
        n += 1
    return {"dialled and closed": n}


def names(nr):
    n, top = 0, m.at(f"dir{nr}")
    while not over():
        os.mkdir(top)
        for i in range(50):
            os.mknod(f"{top}/{i}", 0o100600)
        for i in range(0, 50, 5):
            os.link(f"{top}/{i}", f"{top}/l{i}")
            os.rename(f"{top}/{i}", f"{top}/r{i}")
            os.symlink("nowhere", f"{top}/s{i}")
        found = sorted(os.listdir(top))
        assert len(found) == 70, found
        for name in found:
            os.unlink(f"{top}/{name}")
        os.rmdir(top)
        n += 50
    return {"files made and removed": n}


def look(nr):
    n, worst = 0, 0.0
    while not over():
        begin = time.monotonic()
        os.listdir(m.path)
        m.table("tcp")
        m.table("waiting")
        os.statvfs(m.path)
        m.status("srv", "state")
        worst = max(worst, time.monotonic() - begin)
        assert worst < 5, f"{worst:.3f} s"
        n += 1
    return {"looks": n, "longest look, ms": round(1000 * worst, 1)}


def begin(run, *args):
    """The process, and the end of a pipe that its counts come by."""
    ends = os.pipe()

    def told():
        os.close(ends[0])
        try:
            counts = run(*args)
        except BaseException:
            traceback.print_exc()
            raise
        os.write(ends[1], json.dumps(counts).encode())

    pid = child(told)
    os.close(ends[1])
    return run.__name__, pid, ends[0]


def main():
    before = m.descriptors()
    with listener(backlog=1024) as s:
        echo = child(echo_server, s)
        m.make("srv", "listen 127.0.0.1:0 128")
        servers = [child(serve, i) for i in range(4)]
        port = port_of(s)
        parts = [begin(echo_stream, port, i) for i in range(6)] + [begin(killed, i) for i in range(2)]
        parts += [begin(clients, i) for i in range(2)] + [begin(dial, port, 0), begin(names, 0), begin(look, 0)]
        failed, sums = 0, {}
        for name, pid, pipe in parts:
            text = b""
            while part := os.read(pipe, 4096):
                text += part
            failed += os.waitpid(pid, 0)[1] != 0
            for what, count in (json.loads(text) if text else {f"FAILED: {name}": 1}).items():
                longest = what.startswith("longest")
                sums[what] = max(sums.get(what, 0), count) if longest else sums.get(what, 0) + count
        for pid in servers + [echo]:
            kill(pid)
        os.unlink(m.at("srv"))
    for what, count in sums.items():
        print(f"{what}: {count}")
    until(lambda: m.sockets() == 0, "no socket")
    until(lambda: m.descriptors() <= before + 2, "no descriptor")
    print(f"left: 0 sockets; {m.memory()} KiB of memory")
    sys.exit(failed != 0)


main()
