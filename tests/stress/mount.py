# SPDX-License-Identifier: GPL-2.0-or-later
"""What the rows of faults.py and soak.py share: the mount, the process that serves, peers."""
import contextlib
import ctypes
import os
import signal
import socket
import struct
import threading
import time


PRCTL = ctypes.CDLL(None).prctl


class Mount:
    """A mount, and the process that serves it."""

    def __init__(self, path, worker):
        self.path = path
        self.worker = int(worker)

    def at(self, name):
        return os.path.join(self.path, name)

    def table(self, name):
        with open(self.at(".proc/" + name), encoding="ascii") as f:
            return [line.split() for line in f]

    def sockets(self):
        return next(int(row[1]) for row in self.table("slabinfo") if row[0] == "sock_inode_cache")

    def parked_bytes(self):
        """Data of writes that wait: now, and the most there may be."""
        row = next(row for row in self.table("memory") if row[0] == "parked_writes")
        return int(row[2]), int(row[3])

    def waiting(self):
        return [row for row in self.table("waiting") if row[0].isdigit()]

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.worker}/fd"))

    def memory(self):
        """Resident KiB of the process that serves."""
        with open(f"/proc/{self.worker}/status", encoding="ascii") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmRSS:"))

    def command(self, name, line):
        with open(self.at(".ctl/" + name), "w", encoding="ascii") as f:
            f.write(line)

    def status(self, name, key):
        with open(self.at(".ctl/" + name), encoding="ascii") as f:
            return next(line.split(None, 1)[1].strip() for line in f if line.split()[0] == key)

    def make(self, name, *commands):
        os.mknod(self.at(name), 0o100600)
        for line in commands:
            self.command(name, line)
        return self.at(name)


def until(condition, what, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"in vain: {what}")
        time.sleep(0.001)


def read_exactly(fd, size):
    data = b""
    while len(data) < size:
        part = os.read(fd, size - len(data))
        if part == b"":
            raise EOFError(f"{len(data)} of {size} bytes")
        data += part
    return data


def write_all(fd, data):
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view):]


def pattern(begin, size):
    """Bytes of a stream of 8-byte numbers, from byte @begin on."""
    first, last = begin // 8, (begin + size + 7) // 8
    return struct.pack(f">{last - first}Q", *range(first, last))[begin % 8:][:size]


@contextlib.contextmanager
def listener(serve=None, backlog=128, rcvbuf=0):
    """A socket that listens on the loopback. @serve(connection) runs in a thread for each."""
    with socket.socket() as s:
        if rcvbuf:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        s.bind(("127.0.0.1", 0))
        s.listen(backlog)

        def accept():
            with contextlib.suppress(OSError):
                while True:
                    threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()

        if serve:
            threading.Thread(target=accept, daemon=True).start()
        yield s
        with contextlib.suppress(OSError):
            s.shutdown(socket.SHUT_RDWR)


def port_of(s):
    return s.getsockname()[1]


def child(run, *args):
    """A process that runs the function and ends with 0, or 1 when that raised something."""
    parent, pid = os.getpid(), os.fork()
    if pid == 0:
        status = 1
        PRCTL(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: nobody is left when a row fails
        if os.getppid() != parent:
            os._exit(1)
        try:
            run(*args)
            status = 0
        finally:
            os._exit(status)
    return pid


def kill(pid):
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def parks(mount, pid):
    """Does that process wait in a call that the daemon has put aside?"""
    return any(int(row[0]) == pid for row in mount.waiting())


def cut_write(mount, fd, peer, size, number):
    """
    A writer of @size bytes dies in mid-call, and another writes behind him: the peer gets a
    beginning of the first, in order, and then the second. How many bytes of the first.
    """
    text, end = b"%08d" % number * (size // 8), b"END%d\n" % number
    pid = child(write_all, fd, text)
    until(lambda: parks(mount, pid), "a writer that waits")
    kill(pid)
    survivor = threading.Thread(target=write_all, args=(fd, end))
    survivor.start()
    got = b""
    while not got.endswith(end):
        got += peer.recv(1 << 20)
    survivor.join()
    body = got[: -len(end)]
    assert body == text[: len(body)], f"round {number}"
    return len(body)
