#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What has to be as it was when another process goes on.

usage: after.py DIR SUPERVISOR CASE

Each case makes something in DIR, a mount, has who serves it killed, and looks. Says nothing;
status 1 at a difference, with a line that tells it.
"""
import errno
import os
import select
import signal
import socket
import ssl
import struct
import sys
import threading
import time

import kill

mnt = os.path.abspath(sys.argv[1])
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


def reading(name):
    """Reads once from NAME."""
    fd = os.open(f"{mnt}/{name}", os.O_RDONLY)
    return kill.Caller(lambda: os.read(fd, 100).decode())


def killed_at_accept(address, port):
    """A connection has been taken from a backlog, and nobody has written it down."""
    pid, tracer = mount.traced("getsockname", 1)
    client = socket.create_connection((address, port))
    kill.until(lambda: mount.worker() != pid)
    tracer.wait()
    return client


def expect_called(address, port, want):
    """Of those who read the listeners WANT the one that was called there has a connection."""
    readers = {name: reading(name) for name in want}
    mount.until_waiting(len(want))
    client = killed_at_accept(address, port)
    kill.until(lambda: any(r.result for r in readers.values()))
    expect({name: r.result for name, r in readers.items()}, want)
    client.close()


def case_listeners():
    """One that was made before and has the port, too, at another address, or at all of them."""
    control("other", "listen 127.0.0.1:0")
    port = local_port("other")
    control("its", f"listen 127.0.0.2:{port}")
    expect_called("127.0.0.2", port, {"other": None, "its": "its.1\n"})


def case_listener_of_all():
    control("all", "set reuseport on", "listen 0.0.0.0:0")
    port = local_port("all")
    control("one", "set reuseport on", f"listen 127.0.0.2:{port}")
    expect_called("127.0.0.2", port, {"all": None, "one": "one.1\n"})


def case_listener_for_all():
    control("all", "set reuseport on", "listen 0.0.0.0:0")
    port = local_port("all")
    control("one", "set reuseport on", f"listen 127.0.0.2:{port}")
    expect_called("127.0.0.1", port, {"all": "all.1\n", "one": None})


def case_listener_of_datagrams():
    """It was made before, and has the port of another protocol."""
    control("datagrams")
    control("its", "listen 127.0.0.1:0")
    control("datagrams", f"listen udp:127.0.0.1:{local_port('its')}")
    expect_called("127.0.0.1", local_port("its"), {"its": "its.1\n"})


def accepted(name):
    """One more client of NAME, and the file of its connection."""
    reader = reading(name)
    client = socket.create_connection(("127.0.0.1", local_port(name)))
    kill.until(lambda: reader.result)
    accepted_file = reader.result.strip()
    expect(status(accepted_file)["remote"], "{}:{}".format(*client.getsockname()))
    return client, accepted_file


def case_copies():
    """Who waits to write does so with a copy of the descriptor, which nobody has called by."""
    control("srv", "listen 127.0.0.1:0")
    client, name = accepted("srv")
    fd = os.open(f"{mnt}/{name}", os.O_WRONLY)
    threading.Thread(target=os.write, args=(fd, b"x" * (8 << 20)), daemon=True).start()
    mount.until_waiting(1)
    mount.kill()
    accepted("srv")
    client.close()


def case_partly():
    """A long write of which little is left waits on, and is whole."""
    data = bytes(i % 251 for i in range(40000))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("u")
        listener.listen()
        control("f", f"connect unix:{os.path.abspath('u')}")
        peer = listener.accept()[0]
    fd = os.open(f"{mnt}/f", os.O_WRONLY)
    written, waits = 0, False
    while not waits:
        writer = kill.Caller(os.write, fd, data)
        mount.until_waiting(1, lambda: writer.result)
        written += len(data)
        waits = writer.result is None
    mount.kill()
    got = bytearray()
    peer.settimeout(20)
    while len(got) < written:
        got += peer.recv(1 << 20)
    expect(got == data * (written // len(data)), True)
    expect(writer.ended(), len(data))


def case_starttls():
    """A caller with whom TLS was spoken has not called again."""
    control("srv", "listen 127.0.0.1:0")
    client, name = accepted("srv")
    context = ssl.create_default_context(cafile="certs/ca.pem")
    protected = []
    threading.Thread(target=lambda: protected.append(
        context.wrap_socket(client, server_hostname="localhost")), daemon=True).start()
    pem = os.path.abspath("certs/good.pem")
    control(name, f"set tls_cert {pem}", f"set tls_key {pem}", "tls")
    kill.until(lambda: protected)
    expect(status(name)["proto"], "tls")
    mount.kill()
    accepted("srv")
    expect_talk(os.open(f"{mnt}/{name}", os.O_RDWR), protected[0])


def tls_listener():
    """What takes a connection by TLS, and its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("certs/good.pem")
    listener = socket.create_server(("127.0.0.1", 0))
    return (lambda: context.wrap_socket(listener.accept()[0], server_side=True),
            listener.getsockname()[1])


def tls_dialled(name, taking):
    """The file NAME, open, has called; and the other end."""
    accept, port = taking
    peer = kill.Caller(accept)
    ca = os.path.abspath("certs/ca.pem")
    control(name, f"set tls_ca {ca}", f"connect tls:localhost:{port}")
    kill.until(lambda: peer.result)
    peer.result.settimeout(20)
    return os.open(f"{mnt}/{name}", os.O_RDWR), peer.result


def expect_talk(fd, peer):
    """Bytes go both ways."""
    os.write(fd, b"hither")
    expect(peer.recv(100), b"hither")
    peer.sendall(b"thither")
    expect(os.read(fd, 100), b"thither")


def tls_status(name):
    return {k: v for k, v in status(name).items() if k.startswith("tls")}


def helpers():
    """The sockfs-tls that who serves has started himself."""
    with open(f"/proc/{mount.worker()}/task/{mount.worker()}/children") as f:
        return [int(pid) for pid in f.read().split()]


def is_running(pid):
    """Nor a zombie, for whom init may take a while."""
    return kill.state(pid) not in (None, "Z")


def tls_over(blow, new_helpers):
    """
    BLOW, and a connection by TLS is as it was, and ends as it should. A new one has a helper of
    its own if NEW_HELPERS is 1.
    """
    taking = tls_listener()
    fd, peer = tls_dialled("a", taking)
    before = tls_status("a")
    os.write(fd, b"under way")
    peer.sendall(b"not read yet")
    helper, = helpers()
    blow()
    expect(peer.recv(100), b"under way")
    expect(os.read(fd, 100), b"not read yet")
    expect_talk(fd, peer)
    expect(tls_status("a"), before)
    other, other_peer = tls_dialled("b", taking)
    expect_talk(other, other_peer)
    expect_talk(fd, peer)
    expect(len(helpers()), new_helpers)
    # Its end is in order, behind what waits.
    reader = kill.Caller(os.read, fd, 100)
    mount.until_waiting(1)
    blow()
    peer.sendall(b"last words")
    kill.until(lambda: reader.result)
    expect(reader.result, b"last words")
    os.write(fd, b"its last words")
    expect(peer.recv(100), b"its last words")
    ended = kill.Caller(peer.unwrap)
    expect(os.read(fd, 100), b"")
    os.close(fd)
    os.unlink(f"{mnt}/a")
    expect(ended.ended() is not None, True)
    if new_helpers:
        kill.until(lambda: not is_running(helper), "a helper without connections stays")
    other_peer.close()
    expect(kill.Caller(os.read, other, 100).ended(), errno.EPROTO)


def case_tls():
    tls_over(mount.kill, 0)


def case_tls_upgrade():
    tls_over(mount.upgrade, 1)


def case_tls_ends():
    """What the helper has said of an end before is not forgotten."""
    taking = tls_listener()
    good, good_peer = tls_dialled("good", taking)
    bad, bad_peer = tls_dialled("bad", taking)
    deaf, _deaf_peer = tls_dialled("deaf", taking)
    kill.Caller(good_peer.unwrap)
    bad_peer.sendall(b"all that came")
    bad_peer.close()
    for fd in (good, bad):
        select.select([fd], [], [])
    # He cannot know whether his bytes have arrived, but what has come is there.
    kill.until(lambda: kill.Caller(os.fsync, bad).ended() == errno.EPROTO)
    control("deaf", "shutdown rd")
    shut, _shut_peer = tls_dialled("shut", taking)
    os.write(shut, b"x")
    control("shut", "shutdown rdwr")
    expect(kill.Caller(os.fsync, shut).ended(), None)
    mount.until_asleep()
    mount.kill()
    expect(kill.Caller(os.read, good, 100).ended(), b"")
    expect(os.read(bad, 100), b"all that came")
    expect(kill.Caller(os.read, bad, 100).ended(), errno.EPROTO)
    expect(kill.Caller(os.read, deaf, 100).ended(), b"")


def case_tls_refused():
    """One that is bound stays so, and knows why it is not connected."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    control("f", "bind tls:127.0.0.1:0")
    ctl = os.open(f"{mnt}/.ctl/f", os.O_WRONLY | os.O_NONBLOCK)
    kill.Caller(os.write, ctl, f"connect tls:127.0.0.1:{port}\n".encode()).ended()
    kill.until(lambda: status("f")["error"].startswith(f"{errno.ECONNREFUSED} "))
    before = status("f")
    mount.until_asleep()
    mount.kill()
    expect(status("f"), before)


def case_tls_broken():
    """An errno that cannot be one: the kernel would not take it as an answer."""
    fd, peer = tls_dialled("f", tls_listener())
    peer.close()
    select.select([fd], [], [])
    mount.until_asleep()
    ledger = mount.ledger()
    os.pwrite(ledger, b"\x80", record_of_socket(ledger) + 45)
    os.close(ledger)
    mount.kill()
    expect(kill.Caller(os.read, fd, 100).ended(), errno.ECONNRESET)


def case_tls_dialling():
    """What waits to be written goes out once, and on the connection that is there then."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("certs/good.pem")
    listener = socket.create_server(("127.0.0.1", 0))
    ca = os.path.abspath("certs/ca.pem")
    control("f", f"set tls_ca {ca}")
    ctl = os.open(f"{mnt}/.ctl/f", os.O_WRONLY | os.O_NONBLOCK)
    connect = f"connect tls:localhost:{listener.getsockname()[1]}\n".encode()
    expect(kill.Caller(os.write, ctl, connect).ended(), errno.EINPROGRESS)
    fd = os.open(f"{mnt}/f", os.O_RDWR)
    first = listener.accept()[0]
    writer = kill.Caller(os.write, fd, b"precious")
    mount.until_waiting(1)
    # The first connection has the C library look at files of its own.
    _fd, _peer = tls_dialled("other", tls_listener())
    # What has changed is about to be written down.
    pid, tracer = mount.traced("fstat,newfstatat")
    gets = kill.Caller(lambda: context.wrap_socket(first, server_side=True).recv(100))
    kill.until(lambda: mount.worker() != pid)
    tracer.wait()
    listener.settimeout(20)
    second = listener.accept()[0]
    second.settimeout(20)
    second = context.wrap_socket(second, server_side=True)
    expect(second.recv(100), b"precious")
    expect(writer.ended(), 8)
    expect(gets.ended() in (b"", errno.ECONNRESET), True)


def case_tls_half():
    """Half of a handshake is not begun anew."""
    listener = socket.create_server(("127.0.0.1", 0))
    control("f", f"connect 127.0.0.1:{listener.getsockname()[1]}")
    fd = os.open(f"{mnt}/f", os.O_RDWR)
    starts = kill.Caller(control, "f", "tls localhost")
    mount.until_waiting(1)
    reader = kill.Caller(os.read, fd, 100)
    mount.until_waiting(2)
    mount.kill()
    expect({starts.ended(), reader.ended()} <= {errno.ECONNRESET, errno.ENOTCONN}, True)
    expect(status("f")["state"], "closed")


def case_tls_helper():
    """That it dies is told by whoever serves, and another one is started."""
    taking = tls_listener()
    fd, _peer = tls_dialled("a", taking)
    full, _full_peer = tls_dialled("full", taking)
    helper, = helpers()
    mount.kill()
    reader = kill.Caller(os.read, fd, 100)
    os.set_blocking(full, False)
    while kill.Caller(os.write, full, b"x" * 65536).ended() != errno.EAGAIN:
        pass
    os.set_blocking(full, True)
    sync = kill.Caller(os.fsync, full)
    mount.until_waiting(2)
    os.kill(helper, signal.SIGKILL)
    expect(reader.ended(), errno.ECONNRESET)
    expect(sync.ended(), errno.ECONNRESET)
    expect(status("a")["tls_error"], "sockfs-tls has died")
    expect_talk(*tls_dialled("b", taking))
    mount.kill()
    expect_talk(*tls_dialled("c", taking))


def pause():
    """How long nobody serves."""
    mount.until_asleep()
    begin = time.monotonic()
    mount.kill()
    os.statvfs(mnt)
    return time.monotonic() - begin


def case_deep():
    """Directories in each other take no longer than as many beside each other."""
    nr, home = 12000, os.open(".", os.O_RDONLY)
    os.mkdir(f"{mnt}/flat")
    os.chdir(f"{mnt}/flat")
    for i in range(nr):
        os.mkdir(str(i))
    flat = pause()
    for i in range(nr):
        os.rmdir(str(i))
    for _ in range(nr):
        os.mkdir("d")
        os.chdir("d")
    deep = pause()
    # Were each to go up to the root it would be some hundred times.
    if deep > 0.2 + 4 * flat:
        expect(f"{deep:.2f} s, beside each other {flat:.2f} s", "about as long")
    for _ in range(nr):
        os.chdir("..")
        os.rmdir("d")
    os.fchdir(home)


def find(fd, what):
    """Where a table of the ledger has these bytes, -1: nowhere. Below 2 MiB are logs."""
    for begin, end in kill.pieces(fd):
        begin = max(begin, 2 << 20)
        at = os.pread(fd, max(end - begin, 0), begin).find(what)
        if at >= 0:
            return begin + at
    return -1


def parent_at(fd, name):
    """Where the record of NAME's parent is: in front of the name (journal/ledger.h)."""
    return find(fd, name.encode()) - 4


def case_circle():
    """Of directories that lie in each other one loses its name, and its log line tells."""
    os.makedirs(f"{mnt}/above/middle-one/below/the-last")
    os.mkdir(f"{mnt}/beside")
    mount.until_asleep()
    fd = mount.ledger()
    of_below = os.pread(fd, 4, parent_at(fd, "the-last"))
    os.pwrite(fd, of_below, parent_at(fd, "middle-one"))
    mount.kill()
    names = sorted(os.listdir(f"{mnt}"))
    expect([name for name in names if name in ("above", "beside")], ["above", "beside"])
    expect(os.listdir(f"{mnt}/above"), [])


def inherited():
    """What a program would get that whoever serves starts."""
    pid, names = mount.worker(), []
    for name in os.listdir(f"/proc/{pid}/fd"):
        with open(f"/proc/{pid}/fdinfo/{name}") as f:
            flags = next(line.split()[1] for line in f if line.startswith("flags:"))
        if int(name) > 2 and not int(flags, 8) & os.O_CLOEXEC:
            names.append(os.readlink(f"/proc/{pid}/fd/{name}"))
    return names


def case_inherited():
    """exec(2) takes them all along, and closes them again at the next time."""
    control("srv", "listen 127.0.0.1:0")
    client = socket.create_connection(("127.0.0.1", local_port("srv")))
    reading("srv").join(20)
    mount.upgrade()
    expect(status("srv.1")["state"], "connected")
    expect(inherited(), [])
    client.close()


def record_of_socket(fd):
    """Where the record of the only socket with a descriptor is (journal/ledger.h)."""
    pid = mount.worker()
    for name in os.listdir(f"/proc/{pid}/fd"):
        what = os.readlink(f"/proc/{pid}/fd/{name}")
        if what.startswith("socket:["):
            at = find(fd, struct.pack("=iQ", int(name), int(what[8:-1])))
            if at >= 0:
                return at - 4
    raise LookupError


def case_broken():
    """A connection whose record cannot be believed is closed, which its peer is told."""
    listener = socket.create_server(("127.0.0.1", 0))
    # Another number of the socket, another protocol, no kind of inode.
    for i, (where, value) in enumerate(((8, b"\1"), (16, b"none"), (None, b"\0"))):
        control(f"connected-{i}", f"connect 127.0.0.1:{listener.getsockname()[1]}")
        peer = listener.accept()[0]
        mount.until_asleep()
        fd = mount.ledger()
        at = record_of_socket(fd) + where if where else parent_at(fd, f"connected-{i}") - 76
        os.pwrite(fd, value, at)
        os.close(fd)
        mount.kill()
        os.statvfs(mnt)
        peer.settimeout(10)
        expect(peer.recv(1), b"")


def sockets_of(uid):
    with open(f"{mnt}/.proc/limits") as f:
        return [int(line.split()[1]) for line in f if line.startswith(f"sockets_of_{uid} ")]


def case_limits():
    """Who was given more than he may have is in the books with all of it."""
    for i in range(4):
        control(f"f{i}")
        os.chown(f"{mnt}/f{i}", 1000, 1000)
    expect(sockets_of(1000), [4])
    mount.kill()
    expect(sockets_of(1000), [4])
    for i in range(4):
        os.unlink(f"{mnt}/f{i}")
    expect(sockets_of(1000), [])


def case_counters():
    """They go on from where they were, at the second time as well."""
    listener = socket.create_server(("127.0.0.1", 0))
    control("f", f"connect 127.0.0.1:{listener.getsockname()[1]}")
    peer = listener.accept()[0]
    fd = os.open(f"{mnt}/f", os.O_RDWR)
    for i in range(1, 4):
        os.write(fd, b"x" * 1000)
        peer.send(b"y" * 500)
        expect(len(os.read(fd, 500)), 500)
        mount.kill()
        got = status("f")
        expect((got["rx_bytes"], got["tx_bytes"]), (f"{500 * i}", f"{1000 * i}"))


def case_reaped():
    """An accepted file that was over goes, whether it has a descriptor or not."""
    control("srv", "listen 127.0.0.1:0", "set reap 1")
    clients = []
    for command in ("abort", None):
        reader = reading("srv")
        clients.append(socket.create_connection(("127.0.0.1", local_port("srv"))))
        kill.until(lambda: reader.result)
        if command is not None:
            control(reader.result.strip(), command)
    mount.kill()
    clients.pop().close()
    control("srv.2", "shutdown rdwr")
    kill.until(lambda: [name for name in os.listdir(mnt) if name.startswith("srv.")] == [])


def case_deadly():
    """A connection that each process dies of is given up, and nothing else."""
    listener = socket.create_server(("127.0.0.1", 0))
    for i in range(2):
        control(f"f{i}", f"connect 127.0.0.1:{listener.getsockname()[1]}")
    peers = [listener.accept()[0] for _ in range(2)]
    control("new")
    pids = [mount.worker(), mount.supervisor]
    # Each socket is asked for its address when it is taken over.
    tracer = kill.strace(pids, "-f", "-e", "inject=getsockname:signal=SIGSEGV")
    mount.kill()
    os.statvfs(mnt)
    tracer.terminate()
    tracer.wait()
    for i, peer in enumerate(peers):
        peer.settimeout(10)
        expect(peer.recv(1), b"")
        expect(status(f"f{i}")["state"], "closed")
    expect(status("new")["state"], "unconnected")


CASES = {name[5:]: case for name, case in list(globals().items()) if name.startswith("case_")}
CASES[sys.argv[3]]()
sys.stdout.flush()
os._exit(0)
