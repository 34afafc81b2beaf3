#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""ioctl.py MOUNT: listen and accept by ioctl; greets one caller and ends."""
import fcntl
import os
import struct
import sys

# include/sockfs/ioctl.h
ADDR = "256s32s"
ACCEPT = ADDR + "Q256s"


def ioc(direction, number, fmt):
    return direction << 30 | struct.calcsize(fmt) << 16 | 0xB5 << 8 | number


BIND = ioc(1, 2, ADDR)
LISTEN = ioc(1, 3, "i")
IOC_ACCEPT = ioc(2, 4, ACCEPT)
GETSOCKNAME = ioc(2, 7, ADDR)


def text(field):
    return field.split(b"\0", 1)[0].decode()


def main():
    if len(sys.argv) != 2:
        print("usage: ioctl.py MOUNT", file=sys.stderr)
        return 2
    mount = sys.argv[1]
    path = f"{mount}/ioctl-py.{os.getpid()}"
    listener = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        fcntl.ioctl(listener, BIND, struct.pack(ADDR, b"127.0.0.1", b"0"))
        fcntl.ioctl(listener, LISTEN, struct.pack("i", 0))
        name = fcntl.ioctl(listener, GETSOCKNAME, bytes(struct.calcsize(ADDR)))
        host, port = (text(f) for f in struct.unpack(ADDR, name))
        print(f"{host}:{port}", flush=True)

        accepted = fcntl.ioctl(listener, IOC_ACCEPT, bytes(struct.calcsize(ACCEPT)))
        host, port, _ino, name = struct.unpack(ACCEPT, accepted)
        conn = f"{mount}/{text(name)}"
        with open(conn, "wb", buffering=0) as f:
            os.unlink(conn)  # now: nothing is left whatever fails
            f.write(f"hello {text(host)}\n".encode())
    finally:
        os.unlink(path)
    return 0


sys.exit(main())
