#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Kill the process that serves a mount, again and again, while bytes move both ways.

usage: streams.py DIR SUPERVISOR KILLS [STREAMS [upgrade|tls]]

DIR is a mount, SUPERVISOR the process that was started for it. Each stream is a
connection by path whose bytes say where they stand, so that one that is lost, doubled or
out of order is told at once. tls: by TLS, with certificates that are in the folder certs. Prints what happened, in one line; status 1 if anything was lost.
"""
import fcntl
import os
import random
import socket
import ssl
import struct
import sys
import threading

import kill

mnt, kills = sys.argv[1], int(sys.argv[3])
mount = kill.Mount(mnt, int(sys.argv[2]))
streams = int(sys.argv[4]) if len(sys.argv) > 4 else 8
upgrades, tls = sys.argv[5:] == ["upgrade"], sys.argv[5:] == ["tls"]

# _IOW(0xB5, 5, __s32) of sockfs/ioctl.h
SHUTDOWN = 1 << 30 | 4 << 16 | 0xB5 << 8 | 5

PERIOD = 251 * 256
PATTERN = bytes((i % 251) ^ (i // 251) & 0xff for i in range(PERIOD))
LONG = PATTERN * (3 + (1 << 20) // PERIOD)
SIZES = [1, 7, 100, 512, 4096, 30000, 40000, 65536, 200000, 1 << 20]

stop = threading.Event()
failures = []


def pattern(offset, n):
    start = offset % PERIOD
    return LONG[start:start + n]


def fail(what):
    failures.append(what)
    stop.set()


def check(who, offset, data):
    if data != pattern(offset, len(data)):
        want = pattern(offset, len(data))
        at = next(i for i in range(len(data)) if data[i] != want[i])
        fail(f"{who}: another byte than the one sent at {offset + at}")


def produce(who, write, end):
    """Write until it is time to stop, then say how much it was."""
    offset = 0
    try:
        while not stop.is_set():
            n = random.choice(SIZES)
            offset += write(pattern(offset, n))
        end(offset)
    except OSError as e:
        fail(f"{who}: after {offset} bytes: {e}")
    return offset


def consume(who, read, total):
    """Read to the end of file; TOTAL tells how much it should have been."""
    offset = 0
    try:
        while True:
            data = read(random.choice(SIZES))
            if not data:
                break
            check(who, offset, data)
            offset += len(data)
    except OSError as e:
        fail(f"{who}: after {offset} bytes: {e}")
    if not failures and offset != total():
        fail(f"{who}: {offset} bytes of {total()}")


class Protected:
    """
    The other end of a connection by TLS: one thread at a time, and close_notify for FIN. Behind
    its own OpenSSL 3 reads nothing here, so it ends when the file has.
    """

    def __init__(self, sock):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain("certs/good.pem")
        self.sock, self.lock, self.ended = sock, threading.Lock(), threading.Event()
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_side=True)
        while self.step(self.tls.do_handshake) is None:
            self.incoming.write(sock.recv(65536))

    def step(self, call, *args):
        """None: it wants more of the other end."""
        try:
            return call(*args) or True
        except ssl.SSLWantReadError:
            return None
        finally:
            self.sock.sendall(self.outgoing.read())

    def send(self, data):
        with self.lock:
            self.step(self.tls.write, data)
        return len(data)

    def shutdown(self, _):
        self.ended.wait(60)
        with self.lock:
            self.step(self.tls.unwrap)

    def recv(self, n):
        while True:
            with self.lock:
                try:
                    data = self.step(self.tls.read, n)
                except ssl.SSLZeroReturnError:
                    data = True
            if data is True:
                self.ended.set()
                return b""
            if data is not None:
                return data
            more = self.sock.recv(65536)
            with self.lock:
                self.incoming.write(more) if more else self.incoming.write_eof()


class Stream:
    def __init__(self, number, port):
        self.number = number
        self.sent = {}
        self.over = {"file": threading.Event(), "peer": threading.Event()}
        self.fd = os.open(f"{mnt}/{'tls/localhost' if tls else 'tcp/127.0.0.1'}/{port}", os.O_RDWR)
        self.threads = []

    def told(self, who):
        def total():
            self.over[who].wait(60)
            return self.sent.get(who, -1)
        return total

    def ended(self, who, close):
        def end(offset):
            self.sent[who] = offset
            self.over[who].set()
            close()
        return end

    def run(self, peer):
        def shut():
            fcntl.ioctl(self.fd, SHUTDOWN, struct.pack("i", socket.SHUT_WR))
        for target, args in (
                (produce, (f"file {self.number}", lambda b: os.write(self.fd, b),
                           self.ended("file", shut))),
                (consume, (f"file {self.number}", lambda n: os.read(self.fd, n),
                           self.told("peer"))),
                (produce, (f"peer {self.number}", peer.send,
                           self.ended("peer", lambda: peer.shutdown(socket.SHUT_WR)))),
                (consume, (f"peer {self.number}", peer.recv, self.told("file")))):
            t = threading.Thread(target=target, args=args, daemon=True)
            t.start()
            self.threads.append(t)


def main():
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(streams)
    all_streams, peers = [], []
    for i in range(streams):
        taken = kill.Caller(lambda: Protected(listener.accept()[0]) if tls else listener.accept()[0])
        s = Stream(i, listener.getsockname()[1])
        peers.append(taken.ended())
        all_streams.append(s)
    for s, peer in zip(all_streams, peers):
        s.run(peer)
    killer = kill.Killer(mount, kills, (0.02, 0.1) if upgrades else (0.001, 0.02),
                         kill.Mount.upgrade if upgrades else kill.Mount.kill)
    killer.start()
    while not killer.done.is_set() and not stop.is_set():
        killer.done.wait(0.1)
    stop.set()
    if killer.error is not None:
        failures.append(str(killer.error))
    for s in all_streams:
        for t in s.threads:
            t.join(60)
            if t.is_alive() and not failures:
                failures.append(f"stream {s.number} does not end")
    total = sum(sum(s.sent.values()) for s in all_streams)
    word = "upgrades" if upgrades else "kills"
    print(f"{killer.killed} {word}, {streams} streams, {total} bytes moved,"
          f" {len(failures)} failures")
    for f in failures[:5]:
        print(f)
    sys.stdout.flush()
    os._exit(1 if failures else 0)


main()
