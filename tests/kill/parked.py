#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Those who wait go on in their order, and with what they have been granted.

usage: parked.py DIR SUPERVISOR order|dial|limit|many|loop

order: a write waits, and who serves is killed at the next one, for which there is room when
another process goes on. dial: a read waits for a connection that is being made, for which no
call waits. limit: more calls wait for connections than one second's worth of `dials'. many: so
many reads wait that the place of the last one lies in two pages of their table. loop: process
after process dies of nothing that was asked, while a read waits.
One line tells; status 1 if it is not as it should be.
"""
import itertools
import os
import signal
import socket
import sys
import time

import kill

mnt = sys.argv[1]
mount = kill.Mount(mnt, int(sys.argv[2]))
SIZE = 900 << 10  # one request


def is_mounted():
    path = os.path.abspath(mnt)
    with open("/proc/self/mountinfo") as f:
        return any(line.split()[4] == path for line in f)


def touch(name):
    os.close(os.open(f"{mnt}/{name}", os.O_CREAT | os.O_WRONLY))


def control(name, text, flags=0):
    fd = os.open(f"{mnt}/.ctl/{name}", os.O_WRONLY | flags)
    try:
        return os.write(fd, text.encode())
    finally:
        os.close(fd)


def read(name):
    with open(f"{mnt}/{name}", "rb", buffering=0) as f:
        return f.read(100)


def listen(backlog):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    listener.bind(("127.0.0.1", 0))
    listener.listen(backlog)
    return listener, listener.getsockname()[1]


def connect(name, *settings):
    listener, port = listen(5)
    touch(name)
    for line in (*settings, f"connect 127.0.0.1:{port}"):
        control(name, line + "\n")
    return listener.accept()[0]


def full_listener():
    """Who connects waits until somebody accepts."""
    listener, port = listen(0)
    fill = [socket.socket() for _ in range(3)]
    for s in fill:
        s.setblocking(False)
        s.connect_ex(("127.0.0.1", port))
    return listener, port, fill


def drain(peer, size):
    data = b""
    peer.settimeout(20)
    while len(data) < size:
        data += peer.recv(1 << 16)
    return data


def order():
    peer = connect("web", "set sndbuf 8192")
    fd = os.open(f"{mnt}/web", os.O_WRONLY)
    first = kill.Caller(os.write, fd, b"a" * SIZE)
    mount.until_waiting(1)
    _, tracer = mount.traced("mlock")  # it keeps the request: there was no room
    # Nobody goes on yet, and there is room meanwhile.
    os.kill(mount.supervisor, signal.SIGSTOP)
    second = kill.Caller(os.write, fd, b"b" * SIZE)
    tracer.wait()
    got = b""
    peer.settimeout(0.2)
    try:
        while True:
            got += peer.recv(1 << 16)
    except TimeoutError:
        os.kill(mount.supervisor, signal.SIGCONT)
    got += drain(peer, 2 * SIZE - len(got))
    first.join(20)
    second.join(20)
    pieces = [(chr(c), len(list(group))) for c, group in itertools.groupby(got)]
    return (first.result, second.result, pieces) == (SIZE, SIZE, [("a", SIZE), ("b", SIZE)]), pieces


def dial():
    listener, port, fill = full_listener()
    touch("web")
    try:
        control("web", f"connect 127.0.0.1:{port}\n", os.O_NONBLOCK)
    except BlockingIOError:
        pass
    reader = kill.Caller(read, "web")
    mount.until_waiting(1)
    mount.kill()
    os.stat(f"{mnt}/.proc")
    for _ in fill:
        listener.settimeout(20)
        peer = listener.accept()[0]
        peer.send(b"hello")
        fill.append(peer)
        if len(fill) == 6:
            break
    reader.join(20)
    return reader.result == b"hello", reader.result


def limit():
    _, port, _fill = full_listener()
    calls = []
    for i in range(8):
        touch(f"web{i}")
        calls.append(kill.Caller(control, f"web{i}", f"connect 127.0.0.1:{port}\n"))
        time.sleep(0.25)  # it is so many in a second that is measured
    mount.until_waiting(8)
    mount.kill()
    mount.until_waiting(8, lambda: any(call.result for call in calls))
    results = [call.result for call in calls if call.result]
    return not results, results


def many():
    pairs = []
    for i in range(60):
        peer = connect(f"web{i}")
        pairs.append((peer, kill.Caller(read, f"web{i}")))
        mount.until_waiting(len(pairs))
        if i in (17, 52):
            mount.kill()
            os.stat(f"{mnt}/.proc")
    for peer, _ in pairs:
        peer.send(b"hello")
    lost = 0
    for _, call in pairs:
        call.join(5)
        lost += call.result != b"hello"
    return lost == 0, lost


def loop():
    peer = connect("web")
    kill.Caller(read, "web")
    mount.until_waiting(1)
    deaths = 0
    while deaths < 40 and is_mounted():
        try:
            mount.until_asleep()
            os.kill(mount.worker(), signal.SIGSEGV)
            deaths += 1
        except (OSError, TimeoutError):
            pass  # it goes on, or all has ended
    peer.close()
    return not is_mounted(), deaths


def main():
    good, what = {"order": order, "dial": dial, "limit": limit, "many": many,
                  "loop": loop}[sys.argv[3]]()
    print("as it should be" if good else what)
    sys.stdout.flush()
    os._exit(0 if good else 1)


main()
