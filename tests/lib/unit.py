#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs contrib/systemd/sockfs@.service as systemd would, where there is no systemd.

unit.py UNIT BINDIR MOUNTPOINT OPTIONS COMMAND...

Starts what the unit says, with a socket for sd_notify(3) that keeps descriptors; runs COMMAND;
stops it, as root. Who serves has the user, capabilities, file system and descriptors of the
unit, by bwrap and setpriv. Not shown so: the unit's filter of system calls, limits and
address families (filter.py compares the first with the program's own).
"""
import array
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import threading

unit, bindir, mountpoint, options = sys.argv[1:5]
command = sys.argv[5:]
USER = "61184"  # the first of those that DynamicUser= takes


def lines(key):
    with open(unit, encoding="utf-8") as f:
        return [line.rstrip("\n").split("=", 1)[1] for line in f if line.startswith(key + "=")]


def words(line):
    """A command line without what stands in front of it, and that. It is in the right namespace."""
    prefix, rest = re.fullmatch(r"([-+]*)(?:/usr/bin/nsenter --mount=/proc/1/ns/mnt -- )?(.*)", line).groups()
    rest = rest.replace("@bindir@", bindir).replace("%f", mountpoint).replace("$SOCKFS_OPTIONS", options)
    return prefix, shlex.split(rest)


class Manager(threading.Thread):
    """What systemd does with messages: FDSTORE=1 is kept, all else closed when it is read."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        self.store = []

    def run(self):
        while True:
            try:
                text, control, _, _ = self.socket.recvmsg(4096, 1024)
            except OSError:  # all ends, and the socket before this thread
                return
            for _, _, data in control:
                fds = array.array("i", data)
                if b"FDSTORE=1" in text.split(b"\n"):
                    self.store.extend(fds)
                else:
                    for fd in fds:
                        os.close(fd)


def run(key, environment):
    for line in lines(key):
        prefix, argv = words(line)
        if "+" not in prefix:
            sys.exit(f"{key}: who serves could not do that: {line}")
        status = subprocess.run(argv, env=environment, check=False).returncode
        if status != 0 and "-" not in prefix:
            sys.exit(f"{line}: {status}")


def sandbox(argv):
    """The unit's walls in front of a command line."""
    caps = [c.lower().removeprefix("cap_") for c in lines("CapabilityBoundingSet")[0].split()]
    assert lines("AmbientCapabilities") == lines("CapabilityBoundingSet")
    assert lines("DynamicUser") == ["yes"] and lines("NoNewPrivileges") == ["yes"]
    sets = ",".join(["-all"] + ["+" + c for c in caps])
    walls = ["bwrap", "--ro-bind", "/usr", "/usr", "--ro-bind", "/etc", "/etc", "--proc", "/proc",
             "--dev", "/dev", "--tmpfs", "/tmp", "--ro-bind", argv[0], "/sockfs"]
    for name in ("bin", "lib", "lib64", "lib32", "sbin"):
        if os.path.islink("/" + name):
            walls += ["--symlink", os.readlink("/" + name), "/" + name]
    return walls + ["setpriv", "--reuid", USER, "--regid", USER, "--clear-groups", "--inh-caps", sets,
                    "--ambient-caps", sets, "--bounding-set", sets, "--no-new-privs", "/sockfs"] + argv[1:]


def first_process(pid):
    """bwrap waits for its child, which is what systemd would have started."""
    while True:
        with open(f"/proc/{pid}/comm", encoding="utf-8") as f:
            if f.read().strip() != "bwrap":
                return pid
        with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as f:
            children = f.read().split()
        if children:
            pid = int(children[0])


def main():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "notify")
        manager = Manager(path)
        manager.start()
        run("ExecStartPre", dict(os.environ, NOTIFY_SOCKET=path))
        assert len(manager.store) == 1 == int(lines("FileDescriptorStoreMax")[0]), manager.store
        (line,) = lines("ExecStart")
        prefix, argv = words(line)
        assert prefix == ""
        os.dup2(manager.store[0], 3)
        daemon = subprocess.Popen(sandbox(argv), pass_fds=[3], env=dict(os.environ, LISTEN_FDS="1"))
        os.close(3)
        status = subprocess.run(command, check=False).returncode
        os.kill(first_process(daemon.pid), signal.SIGTERM)
        ended = daemon.wait(30)
        run("ExecStopPost", os.environ)
        if ended != 0:
            sys.exit(f"ended with {ended}")
        sys.exit(status)


main()
