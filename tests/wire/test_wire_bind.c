/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Taking an address: who may have it, what is left on it by those who have gone,
 * and whose listener one may join.
 */
#include "config.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/unit.h"
#include "wire.h"

#define ROOT FUSE_ROOT_ID

static struct wire *w;

static void setup(void)
{
	w = wire_new();
	ck_assert_ptr_nonnull(w);
}

static void teardown(void)
{
	ck_assert_int_eq(wire_free(w), 0);
}

struct handle {
	uint64_t ino, fh;
	const char *name;
};

static struct handle make_file(const char *name)
{
	struct handle h = {.name = name};
	struct fuse_entry_out entry;
	struct fuse_open_out o;

	ck_assert_int_eq(wire_create(w, ROOT, name, O_RDWR, 0644, &entry, &o), 0);
	h.ino = entry.nodeid;
	h.fh = o.fh;
	return h;
}

/* rm, and the last close. */
static void remove_file(const struct handle *h)
{
	ck_assert_int_eq(wire_unlink(w, ROOT, h->name), 0);
	ck_assert_int_eq(wire_release(w, h->ino, h->fh), 0);
}

static int ioc(const struct handle *h, uint32_t cmd, void *arg)
{
	return wire_ioctl(w, h->ino, h->fh, cmd, arg);
}

static struct sockfs_addr loopback(unsigned int port)
{
	struct sockfs_addr addr = {.host = "127.0.0.1"};

	snprintf(addr.port, sizeof(addr.port), "%u", port);
	return addr;
}

static int bind_to(const struct handle *h, unsigned int port)
{
	struct sockfs_addr addr = loopback(port);

	return ioc(h, SOCKFS_IOC_BIND, &addr);
}

static int listen_on(const struct handle *h)
{
	int32_t backlog = 0;

	return ioc(h, SOCKFS_IOC_LISTEN, &backlog);
}

static unsigned int port_of(const struct handle *h)
{
	struct sockfs_addr addr;

	ck_assert_int_eq(ioc(h, SOCKFS_IOC_GETSOCKNAME, &addr), 0);
	return (unsigned int)atoi(addr.port);
}

static int set_reuseport(const struct handle *h)
{
	struct sockfs_sockopt opt = {
		.level = SOL_SOCKET, .name = SO_REUSEPORT, .len = sizeof(int)};
	int on = 1;

	memcpy(opt.value, &on, sizeof(on));
	return ioc(h, SOCKFS_IOC_SETSOCKOPT, &opt);
}

static int plain_socket(unsigned int port, bool reuseport)
{
	struct sockaddr_in sa = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				 .sin_port = htons((uint16_t)port)};
	int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (reuseport)
		ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)), 0);
	ck_assert_int_eq(bind(fd, (void *)&sa, sizeof(sa)), 0);
	return fd;
}

static unsigned int plain_listener(int fd)
{
	struct sockaddr_in sa;
	socklen_t len = sizeof(sa);

	ck_assert_int_eq(listen(fd, 16), 0);
	ck_assert_int_eq(getsockname(fd, (void *)&sa, &len), 0);
	return ntohs(sa.sin_port);
}

static int dial(unsigned int port)
{
	struct sockaddr_in sa = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				 .sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(connect(fd, (void *)&sa, sizeof(sa)), 0);
	return fd;
}

/* Both ends close, ours first: the TIME_WAIT is on our side. */
static void close_after_us(int fd)
{
	char c;

	ck_assert_int_eq(read(fd, &c, 1), 0);
	close(fd);
}

/* Serve one connection on @port and go: its TIME_WAIT stays. */
static void serve_and_go(const char *name, const char *accepted, unsigned int *port)
{
	struct handle srv = make_file(name);
	struct sockfs_accept a;
	int fd;

	ck_assert_int_eq(bind_to(&srv, *port), 0);
	ck_assert_int_eq(listen_on(&srv), 0);
	*port = port_of(&srv);
	fd = dial(*port);
	ck_assert_int_eq(ioc(&srv, SOCKFS_IOC_ACCEPT, &a), 0);
	ck_assert_str_eq(a.name, accepted);
	ck_assert_int_eq(wire_unlink(w, ROOT, accepted), 0);
	close_after_us(fd);
	remove_file(&srv);
}

START_TEST(a_listener_comes_back_at_once)
{
	unsigned int port = 0;

	for (int i = 0; i < 3; i++)
		serve_and_go("srv", "srv.1", &port);
}
END_TEST

/* A connection of the last listener lives on; the next one does not mind. */
START_TEST(a_listener_comes_back_beside_its_connections)
{
	struct handle srv = make_file("srv");
	struct sockfs_accept a;
	unsigned int port;
	int fd;

	ck_assert_int_eq(bind_to(&srv, 0), 0);
	ck_assert_int_eq(listen_on(&srv), 0);
	port = port_of(&srv);
	fd = dial(port);
	ck_assert_int_eq(ioc(&srv, SOCKFS_IOC_ACCEPT, &a), 0);
	remove_file(&srv);
	srv = make_file("srv");
	ck_assert_int_eq(bind_to(&srv, port), 0);
	ck_assert_int_eq(listen_on(&srv), 0);
	close(fd);
}
END_TEST

/* In use is in use, and it is bind that says so; whatever was on the port before. */
START_TEST(an_address_in_use)
{
	unsigned int port = 0;
	struct handle a, b;

	if (_i == 1)
		serve_and_go("old", "old.1", &port);
	a = make_file("a");
	b = make_file("b");
	ck_assert_int_eq(bind_to(&a, port), 0);
	port = port_of(&a);
	/* Bound only ... */
	ck_assert_int_eq(bind_to(&b, port), -EADDRINUSE);
	ck_assert_int_eq(listen_on(&a), 0);
	/* ... and listening; and the one that was refused is as it was. */
	ck_assert_int_eq(bind_to(&b, port), -EADDRINUSE);
	ck_assert_int_eq(bind_to(&b, 0), 0);
	ck_assert_int_eq(listen_on(&b), 0);
}
END_TEST

/* One that dials from an address of its own may do so again, once it has gone. */
START_TEST(a_dialler_comes_back_at_once)
{
	int srv = plain_socket(0, false);
	unsigned int to = plain_listener(srv), from = 0;

	for (int i = 0; i < 4; i++) {
		struct sockfs_addr addr = loopback(to);
		struct handle h = make_file("f"), other = make_file("other");
		int32_t how = SHUT_WR;
		int fd;

		/* To another port each time, else it would be the same connection again. */
		ck_assert_int_eq(bind_to(&h, from), 0);
		from = port_of(&h);
		ck_assert_int_eq(ioc(&h, SOCKFS_IOC_CONNECT, &addr), 0);
		ck_assert_int_eq(bind_to(&other, from), -EADDRINUSE);
		fd = accept(srv, NULL, NULL);
		if (i % 2)
			ck_assert_int_eq(ioc(&h, SOCKFS_IOC_SHUTDOWN, &how), 0);
		else
			remove_file(&h);
		close_after_us(fd);
		if (i % 2)
			remove_file(&h);
		remove_file(&other);
		close(srv);
		srv = plain_socket(0, false);
		to = plain_listener(srv);
	}
	close(srv);
}
END_TEST

/* ---------------------------------------------------------------- ports of others */

#define ALICE 1001
#define BOB 1002

/* With SO_REUSEPORT Linux lets a socket join the listeners of its owner; of no one else. */
START_TEST(no_one_joins_another_users_listener)
{
	int want = geteuid() == 0 ? -EADDRINUSE : -EACCES;
	int fd = plain_socket(0, true);
	unsigned int port = plain_listener(fd);
	struct handle a;

	/* The daemon's user's, outside of the mount. */
	w->uid = ALICE;
	a = make_file("a");
	ck_assert_int_eq(set_reuseport(&a), 0);
	ck_assert_int_eq(bind_to(&a, port), want);
	/* Its own user may. */
	w->uid = geteuid();
	a = make_file("b");
	ck_assert_int_eq(set_reuseport(&a), 0);
	ck_assert_int_eq(bind_to(&a, port), 0);
	ck_assert_int_eq(listen_on(&a), 0);
	close(fd);
}
END_TEST

/* A dial that fails leaves a bound socket as it was, on its address and no other. */
START_TEST(bound_after_a_failed_dial)
{
	struct handle h = make_file("h"), taken = make_file("taken");
	struct sockfs_addr nobody, peer;
	unsigned int port;
	int fd = plain_socket(0, false), conn;

	nobody = loopback(plain_listener(fd));
	close(fd);
	ck_assert_int_eq(bind_to(&h, 0), 0);
	port = port_of(&h);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(ioc(&h, SOCKFS_IOC_CONNECT, &nobody), -ECONNREFUSED);
		ck_assert_uint_eq(port_of(&h), port);
		ck_assert_int_eq(bind_to(&h, 0), -EINVAL);
		ck_assert_int_eq(bind_to(&taken, port), -EADDRINUSE);
	}
	/* And the one that succeeds comes from there. */
	fd = plain_socket(0, false);
	peer = loopback(plain_listener(fd));
	ck_assert_int_eq(ioc(&h, SOCKFS_IOC_CONNECT, &peer), 0);
	ck_assert_uint_eq(port_of(&h), port);
	conn = accept(fd, NULL, NULL);
	ck_assert_int_ge(conn, 0);
	close(conn);
	close(fd);
}
END_TEST

/* Two of one user in the mount share, a third of another user does not. */
START_TEST(users_of_the_mount_apart)
{
	struct handle a, b, c;
	unsigned int port;

	if (geteuid() != 0)
		return; /* the daemon may give nothing away: the test below */
	w->uid = ALICE;
	a = make_file("a");
	b = make_file("b");
	w->uid = BOB;
	c = make_file("c");
	ck_assert_int_eq(set_reuseport(&a) | set_reuseport(&b) | set_reuseport(&c), 0);
	ck_assert_int_eq(bind_to(&a, 0), 0);
	port = port_of(&a);
	ck_assert_int_eq(listen_on(&a), 0);
	ck_assert_int_eq(bind_to(&b, port), 0);
	ck_assert_int_eq(listen_on(&b), 0);
	ck_assert_int_eq(bind_to(&c, port), -EADDRINUSE);
}
END_TEST

/* An ordinary user's daemon: all kernel sockets are that user's, so others may not share. */
START_TEST(a_daemon_that_cannot_give_away)
{
	struct handle a, b;
	uid_t uid = geteuid();

	if (uid == 0)
		ck_assert_int_eq(seteuid(BOB), 0);
	w->uid = ALICE;
	a = make_file("a");
	ck_assert_int_eq(set_reuseport(&a), 0);
	ck_assert_int_eq(bind_to(&a, 0), -EACCES);
	/* Without it all is well, and it cannot be switched on later. */
	b = make_file("b");
	ck_assert_int_eq(bind_to(&b, 0), 0);
	ck_assert_int_eq(set_reuseport(&b), -EACCES);
	ck_assert_int_eq(listen_on(&b), 0);
	ck_assert_int_eq(seteuid(uid), 0);
}
END_TEST

/* Whose is the kernel's socket of @h? As /proc/net/tcp has it. */
static unsigned int owner_of(const struct handle *h)
{
	unsigned int owner = UINT_MAX, uid;
	struct sockfs_info info;
	unsigned long long ino;
	char line[512];
	FILE *f;

	ck_assert_int_eq(ioc(h, SOCKFS_IOC_INFO, &info), 0);
	f = fopen("/proc/net/tcp", "re");
	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%*s %*s %*s %*s %*s %*s %*s %u %*u %llu", &uid, &ino) == 2 &&
		    ino == info.sk_ino)
			owner = uid;
	fclose(f);
	return owner;
}

/* What dials, listens and is accepted is its file's owner's. */
START_TEST(whose_a_connection_is)
{
	struct handle srv, got = {.name = "srv.1"}, h;
	struct sockfs_accept a;
	struct sockfs_addr addr;
	struct fuse_entry_out e;
	struct fuse_open_out o;

	if (geteuid() != 0)
		return;
	w->uid = ALICE;
	srv = make_file("srv");
	ck_assert_int_eq(bind_to(&srv, 0), 0);
	ck_assert_int_eq(listen_on(&srv), 0);
	ck_assert_uint_eq(owner_of(&srv), ALICE);
	w->uid = BOB;
	h = make_file("h");
	addr = loopback(port_of(&srv));
	ck_assert_int_eq(ioc(&h, SOCKFS_IOC_CONNECT, &addr), 0);
	ck_assert_uint_eq(owner_of(&h), BOB);
	w->uid = ALICE;
	ck_assert_int_eq(ioc(&srv, SOCKFS_IOC_ACCEPT, &a), 0);
	ck_assert_int_eq(wire_lookup(w, ROOT, "srv.1", &e), 0);
	ck_assert_int_eq(wire_open(w, e.nodeid, O_RDWR, &o), 0);
	got.ino = e.nodeid;
	got.fh = o.fh;
	ck_assert_uint_eq(owner_of(&got), ALICE);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wire_bind");
	TCase *tc = tcase_create("all");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_listener_comes_back_at_once);
	tcase_add_test(tc, a_listener_comes_back_beside_its_connections);
	tcase_add_loop_test(tc, an_address_in_use, 0, 2);
	tcase_add_test(tc, a_dialler_comes_back_at_once);
	tcase_add_test(tc, no_one_joins_another_users_listener);
	tcase_add_test(tc, bound_after_a_failed_dial);
	tcase_add_test(tc, users_of_the_mount_apart);
	tcase_add_test(tc, a_daemon_that_cannot_give_away);
	tcase_add_test(tc, whose_a_connection_is);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
