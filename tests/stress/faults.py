#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""faults.py MOUNT WORKER ROW: one row of doc/RELIABILITY.md, with its count.

WORKER is the process that serves MOUNT. Prints what was done and counted; status 1 and an
exception when something is not as promised. faults.sh runs all rows.
"""
import errno
import os
import random
import resource
import selectors
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from mount import *  # noqa: E402,F403  (its names are all words of this page)

SCALE = float(os.environ.get("STRESS_SCALE", "1"))


def times(n):
    return max(1, int(n * SCALE))


def killed_readers(m):
    """A reader dies in mid-call: the next one misses nothing and gets nothing twice."""
    n, sent = times(1000), 0
    with listener() as s:
        path = m.make("web", f"connect 127.0.0.1:{port_of(s)}")
        peer = s.accept()[0]
        fd = os.open(path, os.O_RDWR)
        for i in range(n):
            size = random.choice((1, 100, 4096, 1 << 17, 1 << 20))
            pid = child(os.read, fd, size)
            until(lambda: parks(m, pid), "a reader that waits")
            kill(pid)
            size = random.randrange(1, 3000)
            peer.sendall(pattern(sent, size))
            assert read_exactly(fd, size) == pattern(sent, size), f"round {i}"
            sent += size
        os.close(fd)
        os.unlink(path)
    print(f"{n} readers killed in mid-call, {sent} bytes in order for the others")


def killed_writers(m):
    """A writer dies in mid-call: the peer gets a beginning of what he wrote, and then the next."""
    n, total = times(1000), 0
    with listener(rcvbuf=8192) as s:
        path = m.make("web", f"connect 127.0.0.1:{port_of(s)}\nset sndbuf 8192")
        peer = s.accept()[0]
        fd = os.open(path, os.O_RDWR)
        for i in range(n):
            total += cut_write(m, fd, peer, 1 << 20, i)
        os.close(fd)
        os.unlink(path)
    print(f"{n} writers killed in mid-call, {total} bytes in order before what the others wrote")


def error_of(call, *args):
    try:
        return call(*args)
    except OSError as e:
        return errno.errorcode[e.errno]


def reset_reader(fd, peer):
    peer.close()  # the other one's is the last
    assert error_of(os.read, fd, 9) == "ECONNRESET"


def resets(m):
    """A peer that resets: the bytes that came, the error once, then the end."""
    n = times(1000)
    with listener() as s:
        for i in range(n):
            path = m.make("web", f"connect 127.0.0.1:{port_of(s)}")
            peer = s.accept()[0]
            fd = os.open(path, os.O_RDWR)
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            if i % 2:
                pid = child(reset_reader, fd, peer)
                until(lambda: parks(m, pid), "a reader that waits")
                peer.close()
                assert os.waitpid(pid, 0)[1] == 0
            else:
                peer.close()
                assert error_of(os.read, fd, 9) == "ECONNRESET"
            assert os.read(fd, 9) == b"" and error_of(os.write, fd, b"x") == "EPIPE"
            os.close(fd)
            os.unlink(path)
    print(f"{n} peers that reset: the error once, then the end")


def stalls(m):
    """A peer that reads nothing: writers end by their time limit and not before."""
    n = times(100)
    with listener(rcvbuf=4096) as s:
        names, peers = [f"w{i}" for i in range(n)], []
        for name in names:
            m.make(name, f"connect 127.0.0.1:{port_of(s)}\nset sndtimeo 1")
            peers.append(s.accept()[0])
        late = []

        def write(name):
            begin = time.monotonic()
            fd = os.open(m.at(name), os.O_WRONLY)
            try:
                write_all(fd, bytes(16 << 20))
            except OSError as e:
                assert e.errno == errno.ETIMEDOUT, e
                late.append(time.monotonic() - begin)
            os.close(fd)

        threads = [threading.Thread(target=write, args=(name,)) for name in names]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        for name in names:
            os.unlink(m.at(name))
    assert len(late) == n and min(late) >= 1, late
    print(f"{n} peers that stall: each writer got ETIMEDOUT, after {min(late):.2f} to {max(late):.2f} s")


def drips(m):
    """A byte at a time, both ways."""
    n = times(100000)
    with listener() as s:
        path = m.make("web", f"connect 127.0.0.1:{port_of(s)}")
        peer = s.accept()[0]
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        fd = os.open(path, os.O_RDWR)
        data = random.randbytes(n)

        def drip():
            for i in range(n):
                peer.sendall(data[i:i + 1])

        t = threading.Thread(target=drip)
        t.start()
        assert read_exactly(fd, n) == data
        t.join()
        for i in range(n):
            os.write(fd, data[i:i + 1])
        got = b""
        while len(got) < n:
            got += peer.recv(1 << 16)
        assert got == data
        os.close(fd)
        os.unlink(path)
    print(f"{n} bytes one at a time each way, all of them in order")


def urgent(m):
    """Urgent bytes among the others: these are all there, in order."""
    n, total = times(1000), 0
    with listener() as s:
        path = m.make("web", f"connect 127.0.0.1:{port_of(s)}")
        peer = s.accept()[0]
        fd = os.open(path, os.O_RDWR)
        for _ in range(n):
            size = random.choice((1, 5000, 200000))
            data = pattern(total, size)

            def send():
                peer.sendall(data[: size // 2])
                peer.send(b"!", socket.MSG_OOB)
                peer.sendall(data[size // 2:])

            t = threading.Thread(target=send)
            t.start()
            assert read_exactly(fd, size) == data
            t.join()
            total += size
        os.close(fd)
        os.unlink(path)
    print(f"{n} urgent bytes: the {total} others in order")


def lose_all(space, addr):
    """From now on nothing comes into the network space and nothing leaves it for addr."""
    rules = "\n".join(f"add chain ip sockfs {hook} {{ type filter hook {hook} priority 0; policy drop; }}"
                      for hook in ("input", "output"))
    try:
        subprocess.run(["ip", "netns", "exec", space, "nft", "-f", "-"], input="add table ip sockfs\n" + rules + "\n",
                       text=True, check=True, stderr=subprocess.DEVNULL)
    except subprocess.CalledProcessError:
        # Without nftables it hears us, but no answer of its gets out.
        subprocess.run(["ip", "-n", space, "route", "add", "blackhole", addr + "/32"], check=True)


def vanishes(m):
    """A peer whose packets are lost from one moment on: ETIMEDOUT after user_timeout."""
    n, nr = times(20), os.getpid()
    addr = [f"10.213.{nr % 250}.{i}" for i in (1, 2)]
    space, ours, theirs = f"sockfs-{nr}", f"sockfs{nr}a", f"sockfs{nr}b"

    def ip(*args):
        subprocess.run(("ip",) + args, check=True)

    if os.geteuid() != 0:
        print("not run: needs root, for a network of its own")
        return
    ip("netns", "add", space)
    try:
        ip("link", "add", ours, "type", "veth", "peer", "name", theirs, "netns", space)
        ip("addr", "add", addr[0] + "/24", "dev", ours)
        ip("link", "set", ours, "up")
        ip("-n", space, "addr", "add", addr[1] + "/24", "dev", theirs)
        ip("-n", space, "link", "set", theirs, "up")
        peer = subprocess.Popen(["ip", "netns", "exec", space, sys.executable, "-c",
                                 "import socket\ns = socket.create_server(('', 7000))\nprint(flush=True)\n"
                                 "kept = []\nwhile True: kept.append(s.accept()[0])"], stdout=subprocess.PIPE)
        peer.stdout.readline()
        fds = []
        for i in range(n):
            path = m.make(f"v{i}", "set user_timeout 1000", f"connect {addr[1]}:7000")
            fds.append(os.open(path, os.O_RDWR))
            os.write(fds[-1], b"hello")
        lose_all(space, addr[0])
        begin = time.monotonic()
        for fd in fds:
            os.write(fd, b"is anybody there?")
        for fd in fds:
            assert error_of(os.read, fd, 9) == "ETIMEDOUT"
            assert os.read(fd, 9) == b""
            os.close(fd)
        took = time.monotonic() - begin
        for i in range(n):
            os.unlink(m.at(f"v{i}"))
        peer.kill()
        peer.wait()
    finally:
        ip("netns", "del", space)
    print(f"{n} peers that vanish: ETIMEDOUT for each reader, {took:.1f} s after, with user_timeout 1 s")


def many(m):
    """10,000 connections at a time, each with its own bytes."""
    n = times(10000)
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    with listener(backlog=1024) as s:
        pid = child(echo_server, s)
        fds = []
        for i in range(n):
            fds.append(os.open(m.at(f"tcp/127.0.0.1/{port_of(s)}"), os.O_RDWR))
            os.write(fds[-1], b"%08d" % i)
        assert m.sockets() == n, m.sockets()
        at, table = m.descriptors(), len(m.table("tcp")) - 1
        for i in random.sample(range(n), n):
            assert read_exactly(fds[i], 8) == b"%08d" % i
        for fd in fds:
            os.close(fd)
        kill(pid)
    print(f"{n} connections at a time, each with its own bytes; {at} descriptors, {table} lines in .proc/tcp")


def echo_server(s):
    """One process, as many connections as come."""
    sel = selectors.DefaultSelector()
    s.setblocking(False)
    sel.register(s, selectors.EVENT_READ)
    while True:
        for key, _ in sel.select():
            if key.fileobj is s:
                sel.register(s.accept()[0], selectors.EVENT_READ)
                continue
            try:
                data = key.fileobj.recv(1 << 16)
            except OSError:
                data = b""
            if data:
                key.fileobj.sendall(data)
            else:
                sel.unregister(key.fileobj)
                key.fileobj.close()


def accept_and_echo(m):
    lines = os.open(m.at("srv"), os.O_RDONLY)
    while True:
        path = m.at(os.read(lines, 256).decode().strip())
        fd = os.open(path, os.O_RDWR)
        os.unlink(path)
        try:
            write_all(fd, read_exactly(fd, 8))
        except (EOFError, ConnectionError):
            pass  # a client that has given up meanwhile
        os.close(fd)


def storm(m):
    """
    5,000 clients at once at a listener with a backlog of 128. Each is answered. What finds the
    backlog full is dropped by the kernel, so a client that hears nothing for some seconds comes again.
    """
    n, workers = times(5000), 8
    m.make("srv", "listen 127.0.0.1:0 128")
    host, port = m.status("srv", "local").rsplit(":", 1)
    pids = [child(accept_and_echo, m) for _ in range(workers)]
    begin = time.monotonic()
    sel, answers, again = selectors.DefaultSelector(), set(), 0
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)

    def come(data):
        c = socket.socket()
        c.setblocking(False)
        c.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 3000)
        c.connect_ex((host, int(port)))
        sel.register(c, selectors.EVENT_WRITE, data)

    for i in range(n):
        come(b"%08d" % i)
    while len(answers) < n:
        ready = sel.select(60)
        assert ready, f"{len(answers)} answers, and then none for a minute"
        for key, mask in ready:
            c, data = key.fileobj, key.data
            try:
                if mask & selectors.EVENT_WRITE:
                    c.send(data)
                    sel.modify(c, selectors.EVENT_READ, data)
                    continue
                answer = c.recv(8)
            except OSError:
                answer = b""
            sel.unregister(c)
            c.close()
            if answer == b"":
                again += 1
                come(data)
                continue
            assert answer == data, (answer, data)
            answers.add(answer)
    took = time.monotonic() - begin
    for pid in pids:
        kill(pid)
    os.unlink(m.at("srv"))
    print(f"{n} clients at once, backlog 128, {workers} readers: each answered, in {took:.1f} s; {again} came again")


def parked(m):
    """200 readers that wait: stat, ls and rm take less than 50 ms all the same."""
    n, rounds = times(200), times(1000)
    with listener(backlog=1024) as s:
        fds, pids = [], []
        for i in range(n):
            fds.append(os.open(m.make(f"r{i}", f"connect 127.0.0.1:{port_of(s)}"), os.O_RDONLY))
            pids.append(child(os.read, fds[-1], 1))
        until(lambda: len(m.waiting()) == n, f"{n} readers that wait")
        worst = {"stat": 0.0, "ls": 0.0, "rm": 0.0}
        for i in range(rounds):
            m.make("x")
            for what, call in (("stat", lambda: os.stat(m.at(f"r{i % n}"))), ("ls", lambda: os.listdir(m.path)),
                               ("rm", lambda: os.unlink(m.at("x")))):
                begin = time.monotonic()
                call()
                worst[what] = max(worst[what], time.monotonic() - begin)
        for pid in pids:
            kill(pid)
        for i, fd in enumerate(fds):
            os.close(fd)
            os.unlink(m.at(f"r{i}"))
    text = ", ".join(f"{what} {1000 * t:.1f} ms" for what, t in worst.items())
    assert max(worst.values()) < 0.05, text
    print(f"{n} readers wait, {rounds} times each: the longest {text}")


def descriptors(m):
    """Out of descriptors, out and in: EMFILE, nobody is lost, and it goes on. The mount has few."""
    n, full, served = times(200), 0, 0
    with listener(backlog=1024) as s:
        pid = child(echo_server, s)
        for _ in range(n):
            fds, err = [], None
            while err is None:
                fd = error_of(os.open, m.at(f"tcp/127.0.0.1/{port_of(s)}"), os.O_RDWR)
                if isinstance(fd, int):
                    fds.append(fd)
                else:
                    err = fd
            assert err == "EMFILE" and fds, (err, len(fds))
            full += 1
            os.listdir(m.path)
            for fd in fds:
                os.close(fd)
        kill(pid)
    # More connections than it has descriptors: the rest wait in the backlog.
    m.make("srv", "listen 127.0.0.1:0 1024")
    host, port = m.status("srv", "local").rsplit(":", 1)
    clients = [socket.create_connection((host, int(port))) for _ in range(times(500))]
    fd = os.open(m.at("srv"), os.O_RDONLY | os.O_NONBLOCK)
    refused, names, deadline = 0, [], time.monotonic() + 60
    while served < len(clients):
        name = error_of(os.read, fd, 64)
        if isinstance(name, bytes):
            names.append(name.decode().strip())
            continue
        assert time.monotonic() < deadline, (served, name)
        assert name in ("EMFILE", "ENFILE", "EAGAIN"), name
        refused += name != "EAGAIN"
        for name in names:
            c = os.open(m.at(name), os.O_RDWR)
            os.write(c, b"hello")
            os.close(c)
            os.unlink(m.at(name))
            served += 1
        names.clear()
    assert all(c.recv(9) == b"hello" for c in clients)
    os.close(fd)
    os.unlink(m.at("srv"))
    print(f"{full} times out of descriptors at a dial, {refused} times at an accept; {served} clients served")


def flat(what, n, m, step):
    """Memory and descriptors after the first tenth and at the end."""
    for i in range(n // 10):
        step(i)
    memory, fds = m.memory(), m.descriptors()
    for i in range(n // 10, n):
        step(i)
    end = m.memory(), m.descriptors()
    assert end[1] <= fds + 2 and end[0] <= memory * 1.05 + 1024, (memory, fds, end)
    print(f"{n} times {what}: {memory} KiB and {fds} descriptors after a tenth, {end[0]} KiB and {end[1]} at the end")


def names(m):
    path = m.at("x")

    def step(_):
        os.mknod(path, 0o100600)
        os.unlink(path)

    flat("made and removed", times(1000000), m, step)


def dials(m):
    with listener(backlog=1024) as s:
        pid = child(echo_server, s)
        # By a reset, so that no port is kept for a minute.
        path = m.at(f"tcp/linger=0/127.0.0.1/{port_of(s)}")
        flat("dialled and closed", times(100000), m, lambda _: os.close(os.open(path, os.O_RDWR)))
        kill(pid)


def drain(peers, size):
    """From each peer so many bytes, which are all the same: that of its number."""
    sel, left, total = selectors.DefaultSelector(), {}, 0
    for i, peer in enumerate(peers):
        sel.register(peer, selectors.EVENT_READ, i)
        left[i] = size
    while left:
        for key, _ in sel.select():
            data = key.fileobj.recv(1 << 18)
            assert data and data == bytes([key.data % 251]) * len(data), key.data
            left[key.data] -= len(data)
            total += len(data)
            if left[key.data] == 0:
                del left[key.data]
                sel.unregister(key.fileobj)
                key.fileobj.close()
    return total


def memory(m):
    """2,000 writes of 1 MiB wait: their data is bounded; then all of it arrives."""
    n, size = times(2000), 1 << 20
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    threading.stack_size(64 << 10)
    before = m.memory()
    with listener(backlog=1024) as s:
        peers, fds, threads = [], [], []
        for i in range(n):
            fds.append(os.open(m.at(f"tcp/sndbuf=4608/127.0.0.1/{port_of(s)}"), os.O_WRONLY))
            peers.append(s.accept()[0])
            threads.append(threading.Thread(target=write_all, args=(fds[-1], bytes([i % 251]) * size)))
            threads[-1].start()
        until(lambda: len(m.waiting()) == n, f"{n} writers that wait")
        kept, most = m.parked_bytes()
        used = m.memory() - before
        assert kept <= most, (kept, most)
        total = drain(peers, size)
        for t, fd in zip(threads, fds):
            t.join()
            os.close(fd)
    print(f"{n} writes of 1 MiB wait: {kept} bytes kept of {most} that may be, {used} KiB more in memory; "
          f"then {total} bytes arrived")


ROWS = {f.__name__: f for f in (killed_readers, killed_writers, resets, stalls, drips, urgent, vanishes, many, storm,
                                parked, descriptors, names, dials, memory)}

if __name__ == "__main__":
    ROWS[sys.argv[3]](Mount(*sys.argv[1:3]))
