#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""dial.py MOUNT HOST PORT: send standard input, print what comes back.

No socket module: the path is the connection. buffering=0, because a buffered
"r+b" file wants to seek.
"""
import fcntl
import struct
import sys
import threading

SOCKFS_IOC_SHUTDOWN = 0x4004B505  # _IOW(0xB5, 5, __s32)
SHUT_WR = 1


def main():
    if len(sys.argv) != 4:
        print("usage: dial.py MOUNT HOST PORT", file=sys.stderr)
        return 2
    mount, host, port = sys.argv[1:4]
    with open(f"{mount}/tcp/{host}/{port}", "r+b", buffering=0) as conn:

        def send():
            while data := sys.stdin.buffer.read1(65536):
                conn.write(data)
            fcntl.ioctl(conn, SOCKFS_IOC_SHUTDOWN, struct.pack("i", SHUT_WR))

        threading.Thread(target=send, daemon=True).start()
        while data := conn.read(65536):
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
    return 0


sys.exit(main())
