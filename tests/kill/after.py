#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What has to be as it was when another process goes on.

usage: after.py DIR SUPERVISOR CASE

Each case makes something in DIR, a mount, has who serves it killed, and looks. Says nothing;
status 1 at a difference, with a line that tells it.
"""
import os
import socket
import sys
import threading
import time

import kill

mnt = sys.argv[1]
mount = kill.Mount(mnt, int(sys.argv[2]))


def expect(got, want):
    if got != want:
        print(f"{got!r}, not {want!r}")
        sys.stdout.flush()
        os._exit(1)


def control(name, *lines):
    if not os.path.exists(f"{mnt}/{name}"):
        os.close(os.open(f"{mnt}/{name}", os.O_CREAT | os.O_WRONLY, 0o600))
    with open(f"{mnt}/.ctl/{name}", "w") as f:
        f.write("".join(line + "\n" for line in lines))


def status(name):
    with open(f"{mnt}/.ctl/{name}") as f:
        return dict(line.split(" ", 1) for line in f.read().splitlines() if " " in line)


def local_port(name):
    return int(status(name)["local"].rsplit(":", 1)[1])


def until(condition):
    end = time.monotonic() + 20
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.005)


class Reader(threading.Thread):
    """Reads once from NAME."""

    def __init__(self, name):
        super().__init__(daemon=True)
        self.fd, self.result = os.open(f"{mnt}/{name}", os.O_RDONLY), None
        self.start()

    def run(self):
        self.result = os.read(self.fd, 100).decode()


def until_parked(nr):
    def there():
        with open(f"{mnt}/.proc/waiting", encoding="utf-8") as f:
            return sum(line.split()[0].isdigit() for line in f) >= nr
    until(there)


def case_copies():
    """Who waits to write does so with a copy of the descriptor, which nobody has called by."""
    control("srv", "listen 127.0.0.1:0")
    client = socket.create_connection(("127.0.0.1", local_port("srv")))
    with open(f"{mnt}/srv", "rb", buffering=0) as f:
        name = f.read(100).decode().strip()
    fd = os.open(f"{mnt}/{name}", os.O_WRONLY)
    threading.Thread(target=os.write, args=(fd, b"x" * (8 << 20)), daemon=True).start()
    until_parked(1)
    mount.kill()
    caller = Reader("srv")
    until_parked(2)
    other = socket.create_connection(("127.0.0.1", local_port("srv")))
    until(lambda: caller.result)
    peer = "{}:{}".format(*other.getsockname())
    expect(status(caller.result.strip())["remote"], peer)
    client.close()


CASES = {name[5:]: case for name, case in list(globals().items()) if name.startswith("case_")}
CASES[sys.argv[3]]()
sys.stdout.flush()
os._exit(0)
