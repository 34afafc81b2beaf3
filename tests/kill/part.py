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


def killed_with_request(fd, peer, whole):
    """How many bytes the peer gets of the request that the dead process has left."""
    data = os.urandom(16) * (SIZE // 16)
    os.write(fd, data)
    if receive(peer, SIZE, 20) != data:
        raise ValueError("other bytes")
    ledger = mount.ledger()
    worker = mount.worker()
    mount.until_asleep()
    os.kill(worker, signal.SIGSTOP)
    with mmap.mmap(ledger, os.fstat(ledger).st_size) as m:
        at = m.find(data[:64]) - HEAD
        if at < 0 or struct.unpack_from("<II", m, at) != (0, 16):
            raise ValueError(f"no write request at {at}")
        last = at + (HEAD + SIZE - 1) // mmap.PAGESIZE * mmap.PAGESIZE
        if m[last:last + len(MARK)] != MARK:
            raise ValueError("the buffer is not marked for the next request")
        m[at + HEAD:at + HEAD + SIZE] = data
        if not whole:
            m[last:last + len(MARK)] = MARK
        struct.pack_into("<I", m, at, HEAD + SIZE)
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
