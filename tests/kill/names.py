#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Names and attributes while who serves the mount is killed, beside another file system.

usage: names.py DIR OTHER SUPERVISOR KILLS

The same random calls are made in DIR, a directory of the mount, and in OTHER, one of tmpfs.
Each has to give the same result or the same error, and in the end the trees have to be
equal (labels only where OTHER has them). Prints what happened, in one line; status 1 at the first difference.
"""
import errno
import os
import random
import stat
import sys

import kill

here, other, kills = sys.argv[1], sys.argv[2], int(sys.argv[4])
mount = kill.Mount(here, int(sys.argv[3]))

NAMES = [f"n{i}" for i in range(12)] + ["long" * 40]
FILES = {}


def path(top, *names):
    return os.path.join(top, *names)


def pick():
    """A place: at the top, or in a directory that may be there."""
    if random.random() < 0.5:
        return (random.choice(NAMES),)
    return (random.choice(NAMES), random.choice(NAMES))


def call(top, what, a, b, mode):
    p, q = path(top, *a), path(top, *b)
    if what == "create":
        fd = os.open(p, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600 | mode & 0o77)
        os.close(fd)
    elif what == "mkdir":
        os.mkdir(p, 0o700 | mode & 0o77)
    elif what == "rmdir":
        os.rmdir(p)
    elif what == "unlink":
        os.unlink(p)
    elif what == "rename":
        os.rename(p, q)
    elif what == "link":
        os.link(p, q, follow_symlinks=False)
    elif what == "symlink":
        os.symlink("/".join(b) * (1 + mode % 60), p)
    elif what == "readlink":
        return os.readlink(p)
    elif what == "chmod":
        # Who goes through the tree may be nobody special.
        os.chmod(p, 0o700 | mode & 0o77, follow_symlinks=True)
    elif what == "utime":
        # Some of them are before the epoch.
        os.utime(p, ns=(mode * 1000, mode * 2000 - 10**7), follow_symlinks=False)
    elif what == "setxattr":
        os.setxattr(p, "user.label", bytes([mode & 0xff]) * (mode % 300), follow_symlinks=False)
    elif what == "getxattr":
        return os.getxattr(p, "user.label", follow_symlinks=False)
    elif what == "list":
        return sorted(os.listdir(p))
    elif what == "look":
        # The kernel knows some of what is below .ctl, too.
        try:
            os.lstat(path(os.path.dirname(here), ".ctl", os.path.basename(here), *a))
        except OSError:
            pass
    elif what == "hold":
        FILES.setdefault(top, []).append(os.open(p, os.O_RDONLY | os.O_NONBLOCK))
    elif what == "drop":
        files = FILES.get(top, [])
        if files:
            os.close(files.pop(0))
    return None


CALLS = ["create", "create", "mkdir", "rmdir", "unlink", "rename", "rename", "link", "symlink",
         "readlink", "chmod", "utime", "setxattr", "getxattr", "list", "look", "hold",
         "drop"]


def result(top, *args):
    try:
        return call(top, *args)
    except OSError as e:
        return errno.errorcode[e.errno]


def tree(top):
    """Everything that is to be equal; names of the mount's own stand only at its root."""
    found = {}
    for folder, dirs, files in os.walk(top):
        for name in sorted(dirs + files):
            p = os.path.join(folder, name)
            st = os.lstat(p)
            kind = stat.S_IFMT(st.st_mode)
            found[os.path.relpath(p, top)] = (
                kind, st.st_mode & 0o777, st.st_nlink if kind != stat.S_IFDIR else None, st.st_uid, st.st_mtime_ns if kind ==
                stat.S_IFREG and st.st_mtime_ns < 10**12 else None,
                os.readlink(p) if kind == stat.S_IFLNK else None)
    return found


def has_labels(top):
    try:
        os.setxattr(top, "user.label", b"y")
        os.removexattr(top, "user.label")
    except OSError:
        return False
    return True


def main():
    if not has_labels(other):
        CALLS.remove("setxattr")
        CALLS.remove("getxattr")
    killer = kill.Killer(mount, kills)
    killer.start()
    calls = 0
    while not killer.done.is_set():
        args = (random.choice(CALLS), pick(), pick(), random.randrange(1, 1 << 16))
        got, want = result(here, *args), result(other, *args)
        calls += 1
        if got != want:
            print(f"after {killer.killed} kills, call {calls}: {args}: {got}, not {want}")
            return 1
    if killer.error is not None:
        print(killer.error)
        return 1
    for fds in FILES.values():
        for fd in fds:
            os.close(fd)
    got, want = tree(here), tree(other)
    for name in sorted(set(got) | set(want)):
        if got.get(name) != want.get(name):
            print(f"after {killer.killed} kills: {name}: {got.get(name)}, not {want.get(name)}")
            return 1
    print(f"{killer.killed} kills, {calls} calls, {len(want)} names, 0 differences")
    return 0


sys.exit(main())
