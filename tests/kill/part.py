#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A request is there in part when who serves is killed: nothing is done of it.

usage: part.py DIR SUPERVISOR

A write leaves its bytes in the buffer of requests, with a header that has no length any more
and with the pages marked anew. It is put back there, once but for its last page, once all of
it: that is what a process leaves that is killed while it reads, or as soon as it has read.
"""
import mmap
import os
import signal
import socket
import struct
import sys

import kill

mount = kill.Mount(sys.argv[1], int(sys.argv[2]))
SIZE = 60000
HEAD = 80  # struct fuse_in_header, struct fuse_write_in
MARK = b"\xff\xc0\xf7\xc1\xfe\xf5\xff\xc0"  # src/fuse/whole.c


def receive(sock, size, seconds):
    """As many bytes as come, @size at most."""
    data = b""
    sock.settimeout(seconds)
    try:
        while len(data) < size:
            data += sock.recv(size - len(data))
    except TimeoutError:
        pass
    return data


def write(fd, peer):
    """A request of bytes that nobody has seen, and its answer."""
    data = os.urandom(16) * (SIZE // 16)
    os.write(fd, data)
    if receive(peer, SIZE, 20) != data:
        raise ValueError("other bytes")
    return data


def find(ledger, m, data):
    """Where in M, which is LEDGER, it is; not in its holes, which looking would fill."""
    for begin, end in kill.pieces(ledger):
        if (at := m.find(data, begin, end)) >= 0:
            return at
    return -1


def put_back(m, at, data, whole):
    """The request that was answered is in work again. False: the buffer is not marked yet."""
    if at < 0 or struct.unpack_from("<II", m, at) != (0, 16):
        raise ValueError(f"no write request at {at}")
    last = at + (HEAD + SIZE - 1) // mmap.PAGESIZE * mmap.PAGESIZE
    if m[last:last + len(MARK)] != MARK:
        return False
    m[at + HEAD:at + HEAD + SIZE] = data
    if not whole:
        m[last:last + len(MARK)] = MARK
    struct.pack_into("<I", m, at, HEAD + SIZE)
    return True


def killed_with_request(fd, peer, whole):
    """How many bytes the peer gets of the request that the dead process has left."""
    ledger = mount.ledger()
    worker = mount.worker()
    with mmap.mmap(ledger, os.fstat(ledger).st_size) as m:
        # It is marked when the next is about to be read, which may be another turn.
        for _ in range(20):
            data = write(fd, peer)
            mount.until_asleep()
            os.kill(worker, signal.SIGSTOP)
            if put_back(m, find(ledger, m, data[:64]) - HEAD, data, whole):
                break
            os.kill(worker, signal.SIGCONT)
        else:
            raise ValueError("the buffer is not marked for the next request")
    os.close(ledger)
    os.kill(worker, signal.SIGKILL)
    os.stat(mount.path + "/.proc")
    return len(receive(peer, SIZE, 20 if whole else 1))


def main():
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(1)
    fd = os.open(f"{mount.path}/tcp/127.0.0.1/{listener.getsockname()[1]}", os.O_RDWR)
    peer = listener.accept()[0]
    sent = killed_with_request(fd, peer, False)
    print("part:", f"{sent} bytes were sent" if sent else "nothing of it was sent")
    sent = killed_with_request(fd, peer, True)
    print("whole:", "it was sent" if sent == SIZE else f"{sent} bytes were sent")


main()
