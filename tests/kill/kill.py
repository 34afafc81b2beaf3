# SPDX-License-Identifier: GPL-2.0-or-later
"""What the programs here share: who serves a mount, and how he dies."""
import os
import random
import signal
import subprocess
import threading
import time


def pieces(fd):
    """Where a ledger has memory: beginning and end."""
    end = os.fstat(fd).st_size
    at, found = 0, []
    while at < end:
        try:
            begin = os.lseek(fd, at, os.SEEK_DATA)
        except OSError:
            break
        at = os.lseek(fd, begin, os.SEEK_HOLE)
        found.append((begin, at))
    return found


def until(condition, what="it does not come to be", seconds=20):
    """Asks CONDITION again and again: nobody tells of a process or of a line in .proc."""
    end = time.monotonic() + seconds
    while not (result := condition()):
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.001)
    return result


def strace(pids, *options):
    """strace, which sees each system call of PIDS that begins from now on; None if it cannot.
    That it is their tracer (TracerPid) does not say so: it stops them a moment later.
    """
    p = subprocess.Popen(["strace", "-o", "/dev/null", *options] +
                         [word for pid in pids for word in ("-p", str(pid))],
                         stderr=subprocess.PIPE, text=True)
    left = set(map(str, pids))
    while left:
        words = p.stderr.readline().split()
        if not words:
            p.wait()
            return None
        if "attached" in words:
            left.discard(words[words.index("attached") - 1])
    threading.Thread(target=p.stderr.read, daemon=True).start()
    return p


def state(pid):
    """The letter of the process PID in proc(5); None: it is gone, maybe while we look."""
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return None


class Mount:
    """A mount at PATH whose SUPERVISOR is a process of ours."""

    def __init__(self, path, supervisor):
        self.path, self.supervisor = path, supervisor

    def children(self):
        with open(f"/proc/{self.supervisor}/task/{self.supervisor}/children") as f:
            return f.read().split()

    def worker(self):
        """Who serves now; for a moment behind each death nobody does."""
        return int(until(self.children, "nobody serves any more")[0])

    def waiting(self):
        """How many calls wait in the mount; not those of poll(2), whom the kernel keeps."""
        with open(f"{self.path}/.proc/waiting", encoding="utf-8") as f:
            return sum(line.split()[0].isdigit() for line in f)

    def until_waiting(self, nr, others=lambda: False):
        """NR calls wait, or what OTHERS says holds."""
        until(lambda: self.waiting() >= nr or others(), f"no {nr} calls wait", 30)

    def is_asleep(self):
        return state(self.worker()) == "S"

    def until_asleep(self):
        """Who serves has nothing to do."""
        until(self.is_asleep, "who serves does not come to rest")

    def ledger(self):
        """A descriptor of what is written down."""
        pid = self.worker()
        for name in os.listdir(f"/proc/{pid}/fd"):
            if os.readlink(f"/proc/{pid}/fd/{name}").startswith("/memfd:sockfs"):
                return os.open(f"/proc/{pid}/fd/{name}", os.O_RDWR)
        raise FileNotFoundError("no ledger")

    def kill(self):
        """False: that one had died just now."""
        try:
            os.kill(self.worker(), signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True

    def traced(self, what, when=1):
        """strace that kills who serves at its WHEN-th call of WHAT from now on; and his number."""
        def attached():
            pid = self.worker()
            p = strace([pid], "-e", f"inject={what}:signal=SIGKILL:when={when}")
            # One that has just died cannot be traced; the next one can.
            return (pid, p) if p else None
        return until(attached, "strace does not attach")

    def upgrade(self):
        """Another program takes over; returns when it serves."""
        before = self.worker()
        os.kill(self.supervisor, signal.SIGUSR2)
        until(lambda: self.worker() != before, "no other program takes over")
        return True


class Caller(threading.Thread):
    """Calls once, and has the result or the error."""

    def __init__(self, call, *args):
        super().__init__(daemon=True)
        self.call, self.args, self.result = call, args, None
        self.start()

    def run(self):
        try:
            self.result = self.call(*self.args)
        except OSError as e:
            self.result = e

    def ended(self):
        """What it has returned, or the errno, when it has."""
        self.join(20)
        if self.is_alive():
            raise TimeoutError("a call does not end")
        return self.result.errno if isinstance(self.result, OSError) else self.result


class Killer(threading.Thread):
    """Kills KILLS times, each a random moment after the last; then self.done is set."""

    def __init__(self, mount, kills, pause=(0.001, 0.02), blow=Mount.kill):
        super().__init__(daemon=True)
        self.mount, self.kills, self.pause, self.blow = mount, kills, pause, blow
        self.killed, self.error = 0, None
        self.stop, self.done = threading.Event(), threading.Event()

    def run(self):
        try:
            while self.killed < self.kills and not self.stop.is_set():
                time.sleep(random.uniform(*self.pause))
                self.killed += self.blow(self.mount)
        except (OSError, TimeoutError) as e:
            self.error = e
        self.done.set()
