#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""faces.py MOUNT: the same operations by text, by ioctl and by sockctl.

Each row of ROWS is run three times, each time on a fresh socket that has been
brought to the row's state: all three must end with the row's errno, and leave
the same behind. Prints one line for each that differs; status 0: there is none.
"""
import errno
import fcntl
import os
import socket
import struct
import subprocess
import sys

# include/sockfs/ioctl.h
ADDR = "256s32s"
ACCEPT = ADDR + "Q256s"
SOCKOPT = "iiI64s"
INFO = "IiIIQQQQQ" + 2 * ADDR + "16s64s"


def ioc(direction, number, fmt=""):
    return direction << 30 | struct.calcsize(fmt) << 16 | 0xB5 << 8 | number


CONNECT, BIND, LISTEN = ioc(1, 1, ADDR), ioc(1, 2, ADDR), ioc(1, 3, "i")
IOC_ACCEPT, SHUTDOWN, ABORT = ioc(2, 4, ACCEPT), ioc(1, 5, "i"), ioc(0, 6)
GETSOCKNAME, GETPEERNAME = ioc(2, 7, ADDR), ioc(2, 8, ADDR)
SETSOCKOPT, GETSOCKOPT = ioc(1, 9, SOCKOPT), ioc(3, 10, SOCKOPT)
INQ, OUTQ, IOC_INFO = ioc(2, 11, "i"), ioc(2, 12, "i"), ioc(2, 13, INFO)

STATES = ["", "unconnected", "connecting", "connected", "listening", "disconnecting", "closed"]

SOL_SOCKFS = 0x5346
OPTIONS = {  # name: level, number, kind of the value, a value to set
    "nodelay": (socket.IPPROTO_TCP, socket.TCP_NODELAY, "i", 0),
    "keepalive": (socket.SOL_SOCKET, socket.SO_KEEPALIVE, "i", 1),
    "keepidle": (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, "i", 61),
    "keepintvl": (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, "i", 7),
    "keepcnt": (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, "i", 3),
    "linger": (socket.SOL_SOCKET, socket.SO_LINGER, "ii", 5),
    "rcvbuf": (socket.SOL_SOCKET, socket.SO_RCVBUF, "i", 65536),
    "sndbuf": (socket.SOL_SOCKET, socket.SO_SNDBUF, "i", 65536),
    "reuseport": (socket.SOL_SOCKET, socket.SO_REUSEPORT, "i", 1),
    "user_timeout": (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, "i", 30000),
    "tos": (socket.IPPROTO_IP, socket.IP_TOS, "i", 16),
    "ttl": (socket.IPPROTO_IP, socket.IP_TTL, "i", 33),
    "connect_timeout": (SOL_SOCKFS, 1, "i", 9),
    "rcvtimeo": (SOL_SOCKFS, 2, "i", 60),
    "sndtimeo": (SOL_SOCKFS, 3, "i", 61),
    "reap": (SOL_SOCKFS, 4, "i", 62),
}
ERROR = (socket.SOL_SOCKET, socket.SO_ERROR, "i", 1)


# ---- files of the mount ------------------------------------------------------


class Place:
    """A mount, and who is there to talk to."""

    def __init__(self, mount):
        self.mount = mount
        self.count = 0
        self.server = socket.create_server(("127.0.0.1", 0), backlog=16)
        self.server.setblocking(False)
        self.port = self.server.getsockname()[1]
        # A port that nobody listens on, and nobody else takes.
        self.idle = socket.socket()
        self.idle.bind(("127.0.0.1", 0))
        self.free = self.idle.getsockname()[1]
        # A queue that is full: a dial of it hangs.
        self.full = socket.create_server(("127.0.0.1", 0), backlog=0)
        self.filler = [socket.socket() for _ in range(2)]
        for s in self.filler:
            s.setblocking(False)
            s.connect_ex(self.full.getsockname())
        self.filled = self.full.getsockname()[1]

    def path(self, name):
        return os.path.join(self.mount, name)

    def ctl(self, name):
        return os.path.join(self.mount, ".ctl", name)

    def status(self, name):
        with open(self.ctl(name), "rb", buffering=0) as f:
            return dict(line.split(" ", 1) for line in f.read().decode().splitlines())

    def hang_up(self):
        try:
            self.server.accept()[0].close()
            return True
        except BlockingIOError:
            return False

    def fresh(self, state):
        """A new file, by ioctl in @state. Whoever called before is done."""
        while self.hang_up():
            pass
        self.count += 1
        name = f"f{self.count}"
        fd = os.open(self.path(name), os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        dial = struct.pack(ADDR, b"127.0.0.1", str(self.port).encode())
        if state == "bound" or state == "listening":
            fcntl.ioctl(fd, BIND, struct.pack(ADDR, b"127.0.0.1", b"0"))
        if state == "listening":
            fcntl.ioctl(fd, LISTEN, struct.pack("i", 0))
        if state in ("connected", "disconnecting", "closed"):
            fcntl.ioctl(fd, CONNECT, dial)
        if state == "disconnecting":
            fcntl.ioctl(fd, SHUTDOWN, struct.pack("i", socket.SHUT_WR))
        if state == "closed":
            fcntl.ioctl(fd, ABORT)
        if state == "disconnecting":
            os.fsync(fd)  # until the FIN has been acknowledged it counts in sendq
        os.close(fd)
        if state == "connecting":
            fd = os.open(self.path(name), os.O_RDWR | os.O_NONBLOCK)
            dial = struct.pack(ADDR, b"127.0.0.1", str(self.filled).encode())
            try:
                fcntl.ioctl(fd, CONNECT, dial)
            except BlockingIOError:
                pass
            os.close(fd)
        return name


# ---- the three faces: each returns 0 or an errno --------------------------------


def by_text(place, name, op, args):
    fd = os.open(place.ctl(name), os.O_WRONLY)
    try:
        line = " ".join([op] + args) + "\n"
        return 0 if os.write(fd, line.encode()) == len(line) else errno.EIO
    except OSError as e:
        return e.errno
    finally:
        os.close(fd)


def pack_addr(text):
    host, _, port = text.rpartition(":")
    return struct.pack(ADDR, host.encode(), port.encode())


def pack_option(name, value):
    level, number, kind, _ = ERROR if name == "error" else OPTIONS.get(name, (1, 999, "i", 0))
    data = struct.pack("ii", value >= 0, value) if kind == "ii" else struct.pack("i", value)
    return struct.pack(SOCKOPT, level, number, len(data), data)


def ioctl_calls(op, args):
    """What a C program would do: a list of calls."""
    if op == "connect":
        return [(CONNECT, pack_addr(args[0]))]
    if op == "bind":
        return [(BIND, pack_addr(args[0]))]
    if op == "shutdown":
        how = {"rd": 0, "wr": 1, "rdwr": 2}.get(args[0], 3)
        return [(SHUTDOWN, struct.pack("i", how))]
    if op == "abort":
        return [(ABORT, 0)]
    if op == "set":
        return [(SETSOCKOPT, pack_option(args[0], int(args[1])))]
    calls = []
    if args and ":" in args[0]:
        calls.append((BIND, pack_addr(args[0])))
        args = args[1:]
    return calls + [(LISTEN, struct.pack("i", int(args[0]) if args else 0))]


def by_ioctl(place, name, op, args):
    fd = os.open(place.path(name), os.O_WRONLY)
    try:
        for number, data in ioctl_calls(op, args):
            fcntl.ioctl(fd, number, data)
        return 0
    except OSError as e:
        return e.errno
    finally:
        os.close(fd)


WORDS = {os.strerror(e): e for e in errno.errorcode}
WORDS["Unknown host or service"] = errno.ENXIO
WORDS["Resource temporarily unavailable"] = errno.EAGAIN


def by_sockctl(place, name, op, args):
    words = [op, place.path(name)] + args
    if op == "listen" and args and ":" not in args[-1]:
        words = words[:-1] + ["-b", args[-1]]
    p = subprocess.run(["sockctl"] + words, capture_output=True, text=True)
    if p.returncode == 2:
        return errno.ENOPROTOOPT if "no option" in p.stderr or "only be read" in p.stderr else errno.EINVAL
    if p.returncode == 1:
        return WORDS.get(p.stderr.strip().rsplit(": ", 1)[1], p.stderr)
    return p.returncode


FACES = [by_text, by_ioctl, by_sockctl]


# ---- the rows ------------------------------------------------------------------


def rows(place):
    """State before, operation, arguments, errno, state behind (None: as before)."""
    here = f"127.0.0.1:{place.port}"
    every = ["unconnected", "bound", "connecting", "connected", "listening", "disconnecting", "closed"]
    yield from [
        ("unconnected", "connect", [here], 0, "connected"),
        ("unconnected", "connect", [f"localhost:{place.port}"], 0, "connected"),
        ("unconnected", "connect", [f":{place.port}"], 0, "connected"),
        ("bound", "connect", [here], 0, "connected"),
        ("closed", "connect", [here], 0, "connected"),
        ("connecting", "connect", [here], errno.EALREADY, None),
        ("connected", "connect", [here], errno.EISCONN, None),
        ("disconnecting", "connect", [here], errno.EISCONN, None),
        ("listening", "connect", [here], errno.EINVAL, None),
        ("unconnected", "connect", [f"127.0.0.1:{place.free}"], errno.ECONNREFUSED, None),
        ("unconnected", "connect", ["127.0.0.1:no-such-service"], errno.ENXIO, None),
        ("unconnected", "connect", ["[fe80::1%no-such-if]:1"], errno.ENXIO, None),
        ("unconnected", "bind", ["127.0.0.1:0"], 0, None),
        ("unconnected", "bind", ["localhost:0"], 0, None),
        ("unconnected", "bind", [here], errno.EADDRINUSE, None),
        ("unconnected", "bind", ["192.0.2.1:0"], errno.EADDRNOTAVAIL, None),
        ("unconnected", "bind", [":no-such-service"], errno.ENXIO, None),
        ("bound", "bind", ["127.0.0.1:0"], errno.EINVAL, None),
        ("listening", "bind", ["127.0.0.1:0"], errno.EINVAL, None),
        ("connected", "bind", ["127.0.0.1:0"], errno.EINVAL, None),
        ("unconnected", "listen", [], 0, "listening"),
        ("unconnected", "listen", ["127.0.0.1:0"], 0, "listening"),
        ("unconnected", "listen", ["localhost:0", "3"], 0, "listening"),
        ("bound", "listen", ["3"], 0, "listening"),
        ("listening", "listen", ["7"], 0, None),
        ("listening", "listen", ["127.0.0.1:0"], errno.EINVAL, None),
        ("unconnected", "listen", [here], errno.EADDRINUSE, None),
        ("unconnected", "listen", ["-1"], errno.EINVAL, None),
        ("connected", "listen", [], errno.EINVAL, None),
        ("connecting", "listen", [], errno.EINVAL, None),
        ("unconnected", "shutdown", ["wr"], errno.ENOTCONN, None),
        ("connecting", "shutdown", ["wr"], errno.ENOTCONN, None),
        ("connected", "shutdown", ["rd"], 0, None),
        ("connected", "shutdown", ["wr"], 0, "disconnecting"),
        ("connected", "shutdown", ["rdwr"], 0, "closed"),
        ("connected", "shutdown", ["both"], errno.EINVAL, None),
        ("unconnected", "abort", [], errno.ENOTCONN, None),
        ("connected", "abort", [], 0, "closed"),
        ("disconnecting", "abort", [], 0, "closed"),
        ("listening", "abort", [], 0, "closed"),
        ("connecting", "abort", [], 0, "closed"),
        ("closed", "abort", [], 0, "closed"),
        ("unconnected", "set", ["ttl", "0"], errno.EINVAL, None),
        ("unconnected", "set", ["keepcnt", "128"], errno.EINVAL, None),
        ("unconnected", "set", ["tos", "256"], errno.EINVAL, None),
        ("unconnected", "set", ["nonsense", "1"], errno.ENOPROTOOPT, None),
        ("unconnected", "set", ["error", "1"], errno.ENOPROTOOPT, None),
    ]
    for bad in [":", "h:66000", "h:-1", "[::1:80", "[h]:80", "h/:80", "h:x y"]:
        for op in ["connect", "bind", "listen"]:
            if op == "connect" or bad != ":":  # an ioctl may bind to no port, that is 0
                yield "unconnected", op, [bad], errno.EINVAL, None
    for name, (_, _, _, value) in OPTIONS.items():
        for state in every if name in ("nodelay", "ttl", "reap") else ["unconnected", "connected"]:
            yield state, "set", [name, str(value)], 0, None


def address_kind(text):
    """Ports of the kernel's choice differ from run to run."""
    return text.rpartition(":")[0]


def outcome(place, face, row):
    state, op, args, _, _ = row
    name = place.fresh(state)
    before = place.status(name)
    err = face(place, name, op, args)
    after = place.status(name)
    os.unlink(place.path(name))
    if err != 0:
        changed = [k for k in after if k not in ("error", "sendq", "sk_ino") and after[k] != before[k]]
        if changed:
            return f"{errno.errorcode.get(err, err)}, but changed {changed}"
    return err, after["state"], address_kind(after["local"]), address_kind(after["remote"]), \
        [after[k] for k in OPTIONS]


def run_rows(place):
    bad = 0
    for row in rows(place):
        state, _, _, err, then = row
        results = [outcome(place, face, row) for face in FACES]
        want = err, then or ("unconnected" if state == "bound" else state)
        if any(r != results[0] for r in results) or results[0][:2] != want:
            print(row, "should give", want, "gave", results)
            bad += 1
    return bad


# ---- what asks -------------------------------------------------------------------


def info_by_ioctl(fd):
    raw = fcntl.ioctl(fd, IOC_INFO, bytes(struct.calcsize(INFO)))
    f = struct.unpack(INFO, raw)

    def address(host, port):
        host, port = (x.split(b"\0")[0].decode() for x in (host, port))
        return "-" if not port else f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    info = dict(zip(["error", "recvq", "sendq", "rx_bytes", "tx_bytes", "accepted", "ino", "sk_ino"],
                    map(str, f[1:9])))
    if f[1]:
        info["error"] += " " + os.strerror(f[1])
    info["state"] = STATES[f[0]]
    info["local"], info["remote"] = address(*f[9:11]), address(*f[11:13])
    info["proto"] = f[13].split(b"\0")[0].decode()
    for name, (level, number, kind, _) in OPTIONS.items():
        raw = fcntl.ioctl(fd, GETSOCKOPT, struct.pack(SOCKOPT, level, number, 64, b""))
        value = struct.unpack_from(kind, struct.unpack(SOCKOPT, raw)[3])
        info[name] = str(value[0] if kind == "i" else value[1] if value[0] else -1)
    return info


def ask(command, *words):
    p = subprocess.run(["sockctl", command, *words], capture_output=True, text=True)
    return p.stdout if p.returncode == 0 else p.stderr.rsplit(": ", 1)[1]


def name_by_ioctl(fd, number):
    try:
        raw = fcntl.ioctl(fd, number, bytes(struct.calcsize(ADDR)))
    except OSError as e:
        return e.errno, ""
    host, port = (x.split(b"\0")[0].decode() for x in struct.unpack(ADDR, raw))
    return 0, f"{host}:{port}" if port else "-"


def run_questions(place):
    bad = 0
    for state in ["unconnected", "connecting", "connected", "listening", "disconnecting", "closed"]:
        name = place.fresh(state)
        path = place.path(name)
        text = place.status(name)
        fd = os.open(path, os.O_RDONLY)
        stat = dict(line.split(" ", 1) for line in ask("stat", path).splitlines())
        differ = [(k, text.get(k), stat.get(k), v) for k, v in info_by_ioctl(fd).items()
                  if not text.get(k) == stat.get(k) == v]
        differ += [(k, text[k], ask("get", path, k)) for k in OPTIONS
                   if ask("get", path, k) != text[k] + "\n"]
        for key, number in (("recvq", INQ), ("sendq", OUTQ)):
            value = struct.unpack("i", fcntl.ioctl(fd, number, bytes(4)))[0]
            if str(value) != text[key]:
                differ.append((key, text[key], value))
        for key, number, command in (("local", GETSOCKNAME, "local"), ("remote", GETPEERNAME, "peer")):
            err, value = name_by_ioctl(fd, number)
            if err == errno.ENOTCONN and key == "remote":
                value = "-"
                if ask(command, path) != os.strerror(err) + "\n":
                    differ.append((key, ask(command, path)))
            elif err != 0 or ask(command, path) != value + "\n":
                differ.append((key, err, value, ask(command, path)))
            if value != text[key]:
                differ.append((key, text[key], value))
        if set(text) != {"proto", "state", "local", "remote", "recvq", "sendq", "rx_bytes", "tx_bytes",
                         "accepted", "error", "ino", "sk_ino", *OPTIONS}:
            differ.append(sorted(text))
        if differ:
            print(state, differ)
            bad += 1
        os.close(fd)
        os.unlink(path)
    return bad


def run_accept(place):
    """A listener's read, the ioctl and the command: one name each."""
    name = place.fresh("listening")
    local = place.status(name)["local"]
    host, _, port = local.rpartition(":")
    callers = [socket.create_connection((host, int(port))) for _ in range(3)]
    fd = os.open(place.path(name), os.O_RDONLY)
    got = [os.read(fd, 300).decode()]
    peer_host, peer_port, ino, new = struct.unpack(
        ACCEPT, fcntl.ioctl(fd, IOC_ACCEPT, bytes(struct.calcsize(ACCEPT))))
    got.append(new.split(b"\0")[0].decode() + "\n")
    got.append(ask("accept", place.path(name)))
    os.close(fd)
    accepted = place.status(name)["accepted"]
    bad = []
    if got != [f"{name}.{n}\n" for n in (1, 2, 3)]:
        bad.append(got)
    if ino != os.stat(place.path(f"{name}.2")).st_ino:
        bad.append(("ino", ino))
    if int(peer_port.split(b"\0")[0]) != callers[1].getsockname()[1]:
        bad.append((peer_host, peer_port))
    if accepted != "3":
        bad.append(("accepted", accepted))
    if bad:
        print("accept", bad)
    for n in (".1", ".2", ".3", ""):
        os.unlink(place.path(name + n))
    return len(bad)


def run_modes(place):
    """What the descriptor is not open for: EBADF, by ioctl and by text."""
    bad = 0
    name = place.fresh("unconnected")
    calls = [c for op, args in (("connect", ["h:1"]), ("bind", ["h:1"]), ("listen", []), ("abort", []),
                                ("shutdown", ["wr"]), ("set", ["ttl", "9"]))
             for c in ioctl_calls(op, args)]
    for flags, wanted in ((os.O_RDONLY, calls),
                          (os.O_WRONLY, [(IOC_ACCEPT, bytes(struct.calcsize(ACCEPT)))])):
        fd = os.open(place.path(name), flags)
        for number, data in wanted:
            try:
                fcntl.ioctl(fd, number, data)
                bad += 1
                print("ioctl", hex(number), "with flags", flags, "is let through")
            except OSError as e:
                if e.errno != errno.EBADF:
                    bad += 1
                    print("ioctl", hex(number), e)
        os.close(fd)
    return bad


def main():
    place = Place(sys.argv[1])
    bad = run_rows(place) + run_questions(place) + run_accept(place) + run_modes(place)
    return 1 if bad else 0


sys.exit(main())
