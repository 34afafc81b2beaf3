/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Paths that dial: what is a name, and every way in which an open ends.
 */
#include "config.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/policy.h"
#include "net/socket.h"
#include "tests/unit/unit.h"
#include "wire.h"

#define ROOT FUSE_ROOT_ID

static struct wire *w;
static uint64_t tcp;

static void setup(void)
{
	struct fuse_entry_out e;

	w = wire_new();
	ck_assert_ptr_nonnull(w);
	ck_assert_int_eq(wire_lookup(w, ROOT, "tcp", &e), 0);
	tcp = e.nodeid;
}

static void teardown(void)
{
	ck_assert_int_eq(wire_free(w), 0);
	policy_clear();
}

static int answer(uint64_t unique)
{
	return wire_answer(w, unique, NULL, 0, NULL);
}

static uint64_t sockets(void)
{
	return w->sb.s_nr_sockets;
}

/* A listening socket on a port of the kernel's choice; nobody accepts by itself. */
static int listener(int backlog, char *ret_port)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(sa);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (void *)&sa, sizeof(sa)), 0);
	ck_assert_int_eq(listen(fd, backlog), 0);
	ck_assert_int_eq(getsockname(fd, (void *)&sa, &len), 0);
	sprintf(ret_port, "%u", ntohs(sa.sin_port));
	return fd;
}

/* The number of tcp/HOST/PORT. */
static uint64_t path(const char *host, const char *port)
{
	struct fuse_entry_out e;

	ck_assert_int_eq(wire_lookup(w, tcp, host, &e), 0);
	ck_assert(S_ISDIR(e.attr.mode));
	ck_assert_int_eq(wire_lookup(w, e.nodeid, port, &e), 0);
	ck_assert(S_ISREG(e.attr.mode));
	ck_assert_uint_eq(e.attr.size, 1 << 20);
	return e.nodeid;
}

/* Its st_ino. */
static uint64_t path_ino(const char *host, const char *port)
{
	struct fuse_attr a;

	ck_assert_int_eq(wire_getattr(w, path(host, port), &a), 0);
	return a.ino;
}

static int open_wait(uint64_t ino, uint32_t flags, struct fuse_open_out *ret)
{
	return wire_wait(w, wire_start_open(w, ino, flags), ret, sizeof(*ret), NULL);
}

/* A listener whose queue is full: a dial of it hangs until somebody accepts. */
struct full {
	int fd, filler[2];
	char port[8];
};

static struct full full_listener(void)
{
	struct full f = {.fd = -1};
	struct sockaddr_in sa;
	socklen_t len = sizeof(sa);

	f.fd = listener(0, f.port);
	ck_assert_int_eq(getsockname(f.fd, (void *)&sa, &len), 0);
	for (int i = 0; i < 2; i++) {
		f.filler[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		(void)connect(f.filler[i], (void *)&sa, sizeof(sa));
	}
	return f;
}

static void full_close(struct full *f)
{
	close(f->filler[0]);
	close(f->filler[1]);
	close(f->fd);
}

/* ------------------------------------------------------------------------ names */

/* cp(1) and find(1) tell files apart by it: where one part ends counts, and the protocol. */
START_TEST(each_path_has_its_inode_number)
{
	uint64_t ino = path_ino("1.1.1.1", "23");
	struct fuse_entry_out e;

	ck_assert_uint_eq(path_ino("1.1.1.1", "23"), ino);
	ck_assert_uint_ne(path_ino("1.1.1.12", "3"), ino);
	ck_assert_uint_ne(path_ino("1.1.1.1", "2"), ino);
	ck_assert_uint_ne(path_ino("1.1.1.2", "23"), ino);
	ck_assert_int_eq(wire_lookup(w, tcp, "ttl=9", &e), 0);
	ck_assert_int_eq(wire_lookup(w, e.nodeid, "1.1.1.1", &e), 0);
	ck_assert_int_eq(wire_lookup(w, e.nodeid, "23", &e), 0);
	ck_assert_uint_ne(e.attr.ino, ino);
	ck_assert_int_eq(wire_lookup(w, ROOT, "udp", &e), 0);
	ck_assert_int_eq(wire_lookup(w, e.nodeid, "1.1.1.1", &e), 0);
	ck_assert_int_eq(wire_lookup(w, e.nodeid, "23", &e), 0);
	ck_assert_uint_ne(e.attr.ino, ino);
}
END_TEST

START_TEST(names_that_can_be)
{
	static const char *const hosts[] = {"localhost", "127.0.0.1", "::1", "[::1]", "a.b.example.",
					    "no-such-host.invalid", "caf\xc3\xa9.example", "x"};
	static const char *const ports[] = {"80", "0", "65535", "http", "no-such-service", "00080"};
	struct fuse_entry_out e, p;

	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
		ck_assert_int_eq(wire_lookup(w, tcp, hosts[i], &e), 0);
		ck_assert_uint_eq(e.attr.mode, S_IFDIR | 0555);
		ck_assert_uint_eq(e.attr.nlink, 2);
		/* Asked again it would be another directory: not in anybody's life. */
		ck_assert_uint_gt(e.entry_valid, 365 * 24 * 3600);
	}
	for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
		ck_assert_int_eq(wire_lookup(w, e.nodeid, ports[i], &p), 0);
		ck_assert_uint_eq(p.attr.mode, S_IFREG | 0666);
		ck_assert_uint_eq(p.attr.nlink, 1);
	}
	ck_assert_uint_eq(sockets(), 0);
}
END_TEST

START_TEST(names_that_cannot)
{
	static const char *const hosts[] = {"*", ".git", ".hidden", "a..b", "[]", "[", "]", "[a]",
					    "a b", "a:b", "1:2", ":::", "[127.0.0.1]", "a%b", "a\nb",
					    "fe80::1%", " "};
	static const char *const ports[] = {"65536", "99999999999999999999", "-1", "+80", "80x y",
					    " ", ".git", "8\n0", "[80]", "_-_"};
	char longest[NAME_MAX + 1];
	struct fuse_entry_out e, p;
	struct fuse_open_out o;

	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++)
		ck_assert_msg(wire_lookup(w, tcp, hosts[i], &e) == -ENOENT, "%s", hosts[i]);
	ck_assert_int_eq(wire_lookup(w, tcp, "localhost", &e), 0);
	for (size_t i = 0; i < ARRAY_SIZE(ports); i++)
		ck_assert_msg(wire_lookup(w, e.nodeid, ports[i], &e) == -ENOENT, "%s", ports[i]);
	memset(longest, 'a', SOCKFS_PORT_MAX);
	longest[SOCKFS_PORT_MAX] = '\0';
	ck_assert_int_eq(wire_lookup(w, e.nodeid, longest, &p), -ENAMETOOLONG);
	ck_assert_int_eq(wire_create(w, e.nodeid, longest, O_WRONLY, 0644, &p, &o), -ENAMETOOLONG);
	longest[SOCKFS_PORT_MAX - 1] = '\0';
	ck_assert_int_eq(wire_create(w, e.nodeid, longest, O_WRONLY, 0644, &p, &o), -ENOENT);
	ck_assert_int_eq(wire_lookup(w, e.nodeid, longest, &p), 0);

	/* The longest name that there is, and all of it settings. */
	longest[0] = '\0';
	for (int i = 0; i < 41; i++)
		strcat(longest, "ttl=9,");
	strcat(longest, "ttl=0x009");
	ck_assert_uint_eq(strlen(longest), NAME_MAX);
	ck_assert_int_eq(wire_lookup(w, tcp, longest, &e), 0);
	longest[NAME_MAX - 1] = 'x';
	ck_assert_int_eq(wire_lookup(w, tcp, longest, &e), -EINVAL);
}
END_TEST

START_TEST(nothing_can_be_made_or_removed)
{
	struct fuse_entry_out host, port, e;
	struct fuse_open_out o;

	ck_assert_int_eq(wire_lookup(w, tcp, "h", &host), 0);
	ck_assert_int_eq(wire_lookup(w, host.nodeid, "80", &port), 0);
	ck_assert_int_eq(wire_mkdir(w, tcp, ".x", 0755, &e), -EPERM);
	ck_assert_int_eq(wire_mknod(w, tcp, ".x", S_IFREG | 0644, &e), -ENOENT);
	ck_assert_int_eq(wire_mkdir(w, host.nodeid, "-1", 0755, &e), -EPERM);
	ck_assert_int_eq(wire_symlink(w, host.nodeid, "-1", "x", &e), -EPERM);
	ck_assert_int_eq(wire_create(w, host.nodeid, "-1", O_WRONLY, 0644, &e, &o), -ENOENT);
	ck_assert_int_eq(wire_link(w, port.nodeid, ROOT, "x", &e), -EPERM);
	ck_assert_int_eq(wire_unlink(w, host.nodeid, "80"), -EPERM);
	ck_assert_int_eq(wire_rmdir(w, tcp, "h"), -EPERM);
	ck_assert_int_eq(wire_rmdir(w, ROOT, "tcp"), -EPERM);
	ck_assert_int_eq(wire_rename(w, host.nodeid, "80", ROOT, "x", 0), -EPERM);
	ck_assert_int_eq(wire_rename(w, ROOT, "tcp", ROOT, "x", 0), -EPERM);
	ck_assert_int_eq(wire_mkdir(w, ROOT, "d", 0755, &e), 0);
	ck_assert_int_eq(wire_rename(w, ROOT, "d", tcp, "h", 0), -EPERM);
}
END_TEST

START_TEST(forgotten_names_leave_nothing)
{
	size_t before = w->sb.s_inodes.count;
	struct fuse_entry_out host, port;

	ck_assert_int_eq(wire_lookup(w, tcp, "h", &host), 0);
	ck_assert_int_eq(wire_lookup(w, host.nodeid, "80", &port), 0);
	ck_assert_uint_eq(w->sb.s_inodes.count, before + 2);
	wire_forget(w, host.nodeid, 1);
	wire_forget(w, port.nodeid, 1);
	ck_assert_uint_eq(w->sb.s_inodes.count, before);
	ck_assert_int_eq(wire_getattr(w, port.nodeid, NULL), -ESTALE);
	/* An answer that the kernel does not take is as good as forgotten. */
	w->refuse = ENOENT;
	(void)wire_lookup(w, tcp, "h", &host);
	w->refuse = 0;
	ck_assert_uint_eq(w->sb.s_inodes.count, before);
}
END_TEST

START_TEST(directories_list_nothing)
{
	struct fuse_entry_out e;
	struct fuse_read_in in = {.size = 4096, .read_flags = FUSE_READ_LOCKOWNER};
	uint64_t dirs[2] = {tcp};
	char buf[4096];
	size_t len;

	ck_assert_int_eq(wire_lookup(w, tcp, "h", &e), 0);
	dirs[1] = e.nodeid;
	ck_assert_int_eq(wire_lookup(w, e.nodeid, "80", &e), 0);
	for (int i = 0; i < 2; i++) {
		struct fuse_dirent *d = (void *)buf;

		ck_assert_int_eq(wire_opendir(w, dirs[i], &in.fh), 0);
		in.offset = 0;
		ck_assert_int_eq(wire_call(w, FUSE_READDIR, dirs[i], &in, sizeof(in), NULL, 0, buf,
					   sizeof(buf), &len), 0);
		ck_assert_uint_eq(len, 2 * FUSE_DIRENT_ALIGN(FUSE_NAME_OFFSET + 2));
		ck_assert_uint_eq(d->namelen, 1);
		in.offset = 2;
		ck_assert_int_eq(wire_call(w, FUSE_READDIR, dirs[i], &in, sizeof(in), NULL, 0, buf,
					   sizeof(buf), &len), 0);
		ck_assert_uint_eq(len, 0);
		ck_assert_int_eq(wire_releasedir(w, dirs[i], in.fh), 0);
	}
}
END_TEST

/* ---------------------------------------------------------------------- dialling */

START_TEST(each_open_is_a_connection)
{
	char port[8], buf[16];
	int fd = listener(8, port), peer[2];
	uint64_t ino = path("127.0.0.1", port);
	struct fuse_open_out o[2];
	size_t len = 0;

	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(open_wait(ino, O_RDWR, &o[i]), 0);
		ck_assert_uint_eq(o[i].open_flags,
				  FOPEN_DIRECT_IO | FOPEN_STREAM | FOPEN_NONSEEKABLE |
					  FOPEN_PARALLEL_DIRECT_WRITES);
		peer[i] = accept(fd, NULL, NULL);
		ck_assert_int_ge(peer[i], 0);
	}
	ck_assert_uint_eq(sockets(), 2);
	for (int i = 0; i < 2; i++) {
		struct sockfs_addr addr;

		ck_assert_int_eq(write(peer[i], i ? "two" : "one", 3), 3);
		ck_assert_int_eq(wire_wait(w, wire_read(w, ino, o[i].fh, 16, O_RDWR), buf, 16, &len),
				 0);
		ck_assert_uint_eq(len, 3);
		ck_assert_mem_eq(buf, i ? "two" : "one", 3);
		ck_assert_int_eq(answer(wire_write(w, ino, o[i].fh, "x", 1, O_RDWR)), 0);
		ck_assert_int_eq(recv(peer[i], buf, 16, 0), 1);
		ck_assert_int_eq(wire_ioctl(w, ino, o[i].fh, SOCKFS_IOC_GETPEERNAME, &addr), 0);
		ck_assert_str_eq(addr.port, port);
	}
	/* The last close is the end of the connection, and of nothing else. */
	ck_assert_int_eq(wire_release(w, ino, o[0].fh), 0);
	ck_assert_int_eq(recv(peer[0], buf, 16, 0), 0);
	ck_assert_uint_eq(sockets(), 1);
	ck_assert_int_eq(recv(peer[1], buf, 16, MSG_DONTWAIT), -1);
	ck_assert_int_eq(wire_getattr(w, ino, NULL), 0);
	ck_assert_int_eq(wire_release(w, ino, o[1].fh), 0);
	close(peer[0]);
	close(peer[1]);
	close(fd);
}
END_TEST

START_TEST(open_fails_as_connect_does)
{
	char port[8];
	struct fuse_open_out o;

	close(listener(1, port));
	ck_assert_int_eq(open_wait(path("127.0.0.1", port), O_RDWR, &o), -ECONNREFUSED);
	ck_assert_int_eq(open_wait(path("127.0.0.1", "no-such-service"), O_RDWR, &o), -ENXIO);
	ck_assert_int_eq(policy_add("127.0.0.0/8", false), 0);
	ck_assert_int_eq(open_wait(path("127.0.0.1", port), O_RDWR, &o), -EACCES);
	w->sb.s_max_sockets = 0;
	ck_assert_int_eq(open_wait(path("127.0.0.1", port), O_RDWR, &o), -ENOSPC);
	ck_assert_uint_eq(w->sb.s_files.count, 0);
	ck_assert_uint_eq(sockets(), 0);
}
END_TEST

START_TEST(interrupt_while_dialling)
{
	struct full f = full_listener();
	uint64_t ino = path("127.0.0.1", f.port);
	uint64_t u = wire_start_open(w, ino, O_RDWR);
	struct fuse_open_in in = {.flags = O_RDWR};

	ck_assert_int_eq(answer(u), WIRE_OPEN);
	ck_assert_uint_eq(sockfs_session_parked(w->session), 1);
	wire_interrupt(w, u);
	ck_assert_int_eq(answer(u), -EINTR);
	/* And the interrupt that comes first. */
	w->unique += 2;
	wire_interrupt(w, w->unique);
	wire_send_as(w, w->unique, FUSE_OPEN, ino, &in, sizeof(in), NULL, 0, true);
	ck_assert_int_eq(answer(w->unique), -EINTR);
	ck_assert_uint_eq(sockfs_session_parked(w->session), 0);
	ck_assert_uint_eq(w->sb.s_files.count, 0);
	ck_assert_uint_eq(sockets(), 0);
	full_close(&f);
}
END_TEST

START_TEST(connect_timeout_ends_a_dial)
{
	struct full f = full_listener();
	struct fuse_open_out o;

	sock_default_connect_timeout = 1;
	ck_assert_int_eq(open_wait(path("127.0.0.1", f.port), O_RDWR, &o), -ETIMEDOUT);
	sock_default_connect_timeout = 0;
	full_close(&f);
}
END_TEST

START_TEST(stop_while_dialling)
{
	struct full f = full_listener();
	uint64_t u = wire_start_open(w, path("127.0.0.1", f.port), O_RDWR);

	ck_assert_int_eq(answer(u), WIRE_OPEN);
	wire_stop(w);
	ck_assert_int_eq(answer(u), -ESHUTDOWN);
	full_close(&f);
}
END_TEST

/* No kernel knows the handle before the answer; the numbers can be guessed. */
START_TEST(nothing_can_be_done_to_a_file_before_it_is_open)
{
	struct full f = full_listener();
	uint64_t ino = path("127.0.0.1", f.port);
	uint64_t u = wire_start_open(w, ino, O_RDWR);
	uint64_t pos = 0;
	struct file *file = idtable_next(&w->sb.s_files, &pos);

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(wire_release(w, ino, file->f_id), -EBADF);
	ck_assert_int_eq(answer(wire_read(w, ino, file->f_id, 1, O_RDWR)), -EBADF);
	/* Not even its name has to be there. */
	wire_forget(w, ino, 1);
	ck_assert_int_eq(answer(u), WIRE_OPEN);
	wire_interrupt(w, u);
	ck_assert_int_eq(answer(u), -EINTR);
	ck_assert_int_eq(wire_getattr(w, ino, NULL), -ESTALE);
	full_close(&f);
}
END_TEST

START_TEST(an_answer_that_is_not_taken)
{
	char port[8], c;
	int fd = listener(8, port), peer;
	uint64_t ino = path("127.0.0.1", port);
	uint64_t u;

	u = wire_start_open(w, ino, O_RDWR);
	w->refuse = ENOENT;
	peer = accept(fd, NULL, NULL);
	for (int i = 0; i < 1000 && w->sb.s_files.count > 0; i++)
		wire_turn(w);
	w->refuse = 0;
	ck_assert_uint_eq(w->sb.s_files.count, 0);
	ck_assert_int_eq(answer(u), WIRE_OPEN);
	ck_assert_uint_eq(sockets(), 0);
	ck_assert_int_eq(recv(peer, &c, 1, 0), 0);
	close(peer);
	close(fd);
}
END_TEST

static bool was_notified(void *arg)
{
	return w->last_kh == *(uint64_t *)arg;
}

static int so_error(uint64_t ino, uint64_t fh)
{
	struct sockfs_sockopt opt = {.level = SOL_SOCKET, .name = SO_ERROR};
	int err = -1;

	ck_assert_int_eq(wire_ioctl(w, ino, fh, SOCKFS_IOC_GETSOCKOPT, &opt), 0);
	memcpy(&err, opt.value, sizeof(err));
	return err;
}

START_TEST(nonblock_returns_at_once)
{
	char port[8];
	int fd = listener(8, port), peer;
	uint64_t ino = path("127.0.0.1", port), kh = 7;
	struct fuse_poll_out out = {0};
	struct fuse_open_out o;

	ck_assert_int_eq(wire_answer(w, wire_start_open(w, ino, O_RDWR | O_NONBLOCK), &o, sizeof(o),
				     NULL), 0);
	peer = accept(fd, NULL, NULL);
	ck_assert_int_eq(wire_answer(w, wire_poll(w, ino, o.fh, kh), &out, sizeof(out), NULL), 0);
	ck_assert(out.revents & POLLOUT || wire_until(w, was_notified, &kh));
	ck_assert_int_eq(wire_answer(w, wire_poll(w, ino, o.fh, 0), &out, sizeof(out), NULL), 0);
	ck_assert_uint_eq(out.revents & (POLLOUT | POLLERR), POLLOUT);
	ck_assert_int_eq(so_error(ino, o.fh), 0);
	ck_assert_int_eq(wire_release(w, ino, o.fh), 0);
	close(peer);
	close(fd);
}
END_TEST

START_TEST(close_while_dialling)
{
	struct full f = full_listener();
	uint64_t ino = path("127.0.0.1", f.port);
	struct fuse_open_out o;

	ck_assert_int_eq(open_wait(ino, O_RDWR | O_NONBLOCK, &o), 0);
	ck_assert_int_eq(wire_release(w, ino, o.fh), 0);
	ck_assert_uint_eq(sockets(), 0);
	/* Also while its name is looked up. */
	ino = path("localhost", f.port);
	ck_assert_int_eq(open_wait(ino, O_RDWR | O_NONBLOCK, &o), 0);
	ck_assert_int_eq(wire_release(w, ino, o.fh), 0);
	ck_assert_uint_eq(sockets(), 0);
	full_close(&f);
}
END_TEST

START_TEST(nonblock_tells_the_error_later)
{
	char port[8];
	uint64_t ino, kh = 7;
	struct fuse_poll_out out = {0};
	struct fuse_open_out o;

	close(listener(1, port));
	ino = path("127.0.0.1", port);
	ck_assert_int_eq(open_wait(ino, O_RDWR | O_NONBLOCK, &o), 0);
	ck_assert_int_eq(wire_answer(w, wire_poll(w, ino, o.fh, kh), &out, sizeof(out), NULL), 0);
	ck_assert(out.revents & POLLERR || wire_until(w, was_notified, &kh));
	ck_assert_int_eq(wire_answer(w, wire_poll(w, ino, o.fh, 0), &out, sizeof(out), NULL), 0);
	ck_assert_uint_ne(out.revents & POLLERR, 0);
	ck_assert_int_eq(so_error(ino, o.fh), ECONNREFUSED);
	ck_assert_int_eq(wire_release(w, ino, o.fh), 0);
}
END_TEST

START_TEST(attributes_of_a_path_are_fixed)
{
	uint64_t ino = path("127.0.0.1", "80");
	struct fuse_setattr_in in = {.valid = FATTR_MODE, .mode = 0600};
	struct fuse_attr attr;

	ck_assert_int_eq(wire_call(w, FUSE_SETATTR, ino, &in, sizeof(in), NULL, 0, NULL, 0, NULL),
			 -EPERM);
	in = (struct fuse_setattr_in){.valid = FATTR_UID, .uid = 1};
	ck_assert_int_eq(wire_call(w, FUSE_SETATTR, ino, &in, sizeof(in), NULL, 0, NULL, 0, NULL),
			 -EPERM);
	in = (struct fuse_setattr_in){.valid = FATTR_SIZE | FATTR_MTIME | FATTR_MTIME_NOW};
	ck_assert_int_eq(wire_call(w, FUSE_SETATTR, ino, &in, sizeof(in), NULL, 0, NULL, 0, NULL), 0);
	/* Of tcp they are not: that is how an administrator closes it. */
	in = (struct fuse_setattr_in){.valid = FATTR_MODE, .mode = 0700};
	ck_assert_int_eq(wire_call(w, FUSE_SETATTR, tcp, &in, sizeof(in), NULL, 0, NULL, 0, NULL), 0);
	ck_assert_int_eq(wire_getattr(w, tcp, &attr), 0);
	ck_assert_uint_eq(attr.mode, S_IFDIR | 0700);
}
END_TEST

/* While a write waits the kernel locks its inode: two connections must not share one. */
START_TEST(each_lookup_of_a_port_is_an_inode)
{
	struct fuse_entry_out host, one, two, other;

	ck_assert_int_eq(wire_lookup(w, tcp, "127.0.0.1", &host), 0);
	ck_assert_int_eq(wire_lookup(w, host.nodeid, "80", &one), 0);
	ck_assert_int_eq(wire_lookup(w, host.nodeid, "80", &two), 0);
	ck_assert_int_eq(wire_lookup(w, host.nodeid, "81", &other), 0);
	ck_assert_uint_ne(one.nodeid, two.nodeid);
	/* So that the kernel looks again before it opens it again. */
	ck_assert_uint_eq(one.entry_valid, 0);
	ck_assert_uint_eq(one.entry_valid_nsec, 0);
	/* To programs it is one file. */
	ck_assert_uint_eq(one.attr.ino, two.attr.ino);
	ck_assert_uint_ne(one.attr.ino, other.attr.ino);
}
END_TEST

static TCase *tests(void)
{
	TCase *t = tcase_create("dial");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, each_path_has_its_inode_number);
	tcase_add_test(t, names_that_can_be);
	tcase_add_test(t, names_that_cannot);
	tcase_add_test(t, nothing_can_be_made_or_removed);
	tcase_add_test(t, forgotten_names_leave_nothing);
	tcase_add_test(t, directories_list_nothing);
	tcase_add_test(t, each_open_is_a_connection);
	tcase_add_test(t, open_fails_as_connect_does);
	tcase_add_test(t, interrupt_while_dialling);
	tcase_add_test(t, connect_timeout_ends_a_dial);
	tcase_add_test(t, stop_while_dialling);
	tcase_add_test(t, nothing_can_be_done_to_a_file_before_it_is_open);
	tcase_add_test(t, an_answer_that_is_not_taken);
	tcase_add_test(t, nonblock_returns_at_once);
	tcase_add_test(t, close_while_dialling);
	tcase_add_test(t, nonblock_tells_the_error_later);
	tcase_add_test(t, attributes_of_a_path_are_fixed);
	tcase_add_test(t, each_lookup_of_a_port_is_an_inode);
	return t;
}

int main(void)
{
	Suite *s = suite_create("wire: dialling");

	suite_add_tcase(s, tests());
	return unit_run(s);
}
