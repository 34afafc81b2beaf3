/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections for the tests of TCP, over loopback.
 */
#include "config.h"

#include "wire_net.h"

#include <arpa/inet.h>
#include <check.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct end make_file(struct wire *w, const char *name)
{
	struct end e = {.w = w, .peer = -1};
	struct fuse_entry_out entry;
	struct fuse_open_out o;

	ck_assert_int_eq(wire_create(w, FUSE_ROOT_ID, name, O_RDWR, 0644, &entry, &o), 0);
	e.ino = entry.nodeid;
	e.fh = o.fh;
	return e;
}

struct end open_file(struct wire *w, const char *name)
{
	struct end e = {.w = w, .peer = -1};
	struct fuse_entry_out entry;
	struct fuse_open_out o;

	ck_assert_int_eq(wire_lookup(w, FUSE_ROOT_ID, name, &entry), 0);
	ck_assert_int_eq(wire_open(w, entry.nodeid, O_RDWR, &o), 0);
	e.ino = entry.nodeid;
	e.fh = o.fh;
	return e;
}

struct end make_connected(struct wire *w, const char *name)
{
	struct end e = make_file(w, name);
	struct sockfs_addr addr;
	int fd = plain_listener(&addr);

	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_CONNECT, &addr), 0);
	e.peer = accept(fd, NULL, NULL);
	ck_assert_int_ge(e.peer, 0);
	close(fd);
	return e;
}

struct end make_listener(struct wire *w, const char *host, unsigned int *ret_port)
{
	struct end e = make_file(w, "srv");
	struct sockfs_addr addr = {.port = "0"};
	int32_t backlog = 0;

	strcpy(addr.host, host);
	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_BIND, &addr), 0);
	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_LISTEN, &backlog), 0);
	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_GETSOCKNAME, &addr), 0);
	*ret_port = (unsigned int)atoi(addr.port);
	return e;
}

int ioc(const struct end *e, uint32_t cmd, void *arg)
{
	return wire_ioctl(e->w, e->ino, e->fh, cmd, arg);
}

void set_option(const struct end *e, int level, int name, int value)
{
	struct sockfs_sockopt opt = {.level = level, .name = name, .len = sizeof(value)};

	memcpy(opt.value, &value, sizeof(value));
	ck_assert_int_eq(ioc(e, SOCKFS_IOC_SETSOCKOPT, &opt), 0);
}

int get_option(const struct end *e, int level, int name)
{
	struct sockfs_sockopt opt = {.level = level, .name = name, .len = sizeof(opt.value)};
	int value;

	ck_assert_int_eq(ioc(e, SOCKFS_IOC_GETSOCKOPT, &opt), 0);
	ck_assert_uint_eq(opt.len, sizeof(value));
	memcpy(&value, opt.value, sizeof(value));
	return value;
}

struct socket *socket_of(const struct end *e)
{
	return SOCKET_I(ilookup(&e->w->sb, e->ino));
}

int plain_listener(struct sockfs_addr *ret_addr)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(sa);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int size = 4096;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)), 0);
	ck_assert_int_eq(bind(fd, (void *)&sa, sizeof(sa)), 0);
	ck_assert_int_eq(listen(fd, 16), 0);
	ck_assert_int_eq(getsockname(fd, (void *)&sa, &len), 0);
	memset(ret_addr, 0, sizeof(*ret_addr));
	strcpy(ret_addr->host, "127.0.0.1");
	snprintf(ret_addr->port, sizeof(ret_addr->port), "%u", ntohs(sa.sin_port));
	return fd;
}

int dial(int family, unsigned int port)
{
	struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6,
				    .sin6_addr = IN6ADDR_LOOPBACK_INIT,
				    .sin6_port = htons((uint16_t)port)};
	struct sockaddr_in sin = {.sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				  .sin_port = htons((uint16_t)port)};
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(family == AF_INET ? connect(fd, (void *)&sin, sizeof(sin))
					   : connect(fd, (void *)&sin6, sizeof(sin6)),
			 0);
	return fd;
}

void until_polled(const struct end *e, unsigned int events)
{
	struct socket *sock = socket_of(e);

	for (int i = 0; i < 1000 && !(proto_poll(sock) & events); i++)
		poll(NULL, 0, 10);
	ck_assert(proto_poll(sock) & events);
}

void reset_by_peer(struct end *e)
{
	struct linger linger = {.l_onoff = 1};

	ck_assert_int_eq(setsockopt(e->peer, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
	close(e->peer);
	e->peer = -1;
	until_polled(e, POLLHUP);
}

const char *read_table(struct wire *w, const char *name)
{
	static char buf[16384];
	struct fuse_entry_out dir, f;
	struct fuse_open_out o;
	size_t len = 0;

	ck_assert_int_eq(wire_lookup(w, FUSE_ROOT_ID, ".proc", &dir), 0);
	ck_assert_int_eq(wire_lookup(w, dir.nodeid, name, &f), 0);
	ck_assert_int_eq(wire_wait(w, wire_start_open(w, f.nodeid, O_RDONLY), &o, sizeof(o), NULL),
			 0);
	ck_assert_int_eq(wire_wait(w, wire_read(w, f.nodeid, o.fh, sizeof(buf) - 1, O_RDONLY), buf,
				   sizeof(buf) - 1, &len),
			 0);
	ck_assert_uint_lt(len, sizeof(buf) - 1);
	buf[len] = '\0';
	ck_assert_int_eq(wire_release(w, f.nodeid, o.fh), 0);
	return buf;
}

bool have_ipv6(void)
{
	struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool ret = fd >= 0 && bind(fd, (void *)&sin6, sizeof(sin6)) == 0;

	if (fd >= 0)
		close(fd);
	return ret;
}
