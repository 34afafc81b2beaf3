/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tests of UDP share: files that are connected or bound, and plain sockets.
 */
#ifndef TESTS_WIRE_UDP_H
#define TESTS_WIRE_UDP_H

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mm/vmstat.h"
#include "net/socket.h"
#include "wire_net.h"

static struct wire *w;

static inline void setup(void)
{
	w = wire_new();
	ck_assert_ptr_nonnull(w);
}

static inline void teardown(void)
{
	ck_assert_int_eq(wire_free(w), 0);
	ck_assert_uint_eq(vm_stat(VM_MESSAGES)->objects, 0);
	ck_assert_uint_eq(vm_stat(VM_MESSAGES)->bytes, 0);
}

/* A plain socket on the loopback, and its address with "udp:" before it. */
static inline int plain(struct sockfs_addr *ret_addr)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(sa);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(fd, (void *)&sa, sizeof(sa)), 0);
	ck_assert_int_eq(getsockname(fd, (void *)&sa, &len), 0);
	memset(ret_addr, 0, sizeof(*ret_addr));
	strcpy(ret_addr->host, "udp:127.0.0.1");
	snprintf(ret_addr->port, sizeof(ret_addr->port), "%u", ntohs(sa.sin_port));
	return fd;
}

static inline void connect_plain(int fd, const struct end *e)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockfs_addr addr = {.host = ""};

	ck_assert_int_eq(ioc(e, SOCKFS_IOC_GETSOCKNAME, &addr), 0);
	sa.sin_port = htons((uint16_t)atoi(addr.port));
	ck_assert_int_eq(connect(fd, (void *)&sa, sizeof(sa)), 0);
}

/* A file and a plain socket that are each other's peer. */
static inline struct end pair(const char *name)
{
	struct end e = make_file(w, name);
	struct sockfs_addr addr;

	e.peer = plain(&addr);
	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_CONNECT, &addr), 0);
	connect_plain(e.peer, &e);
	return e;
}

static inline struct end bound(const char *name)
{
	struct end e = make_file(w, name);
	struct sockfs_addr addr = {.host = "udp:127.0.0.1", .port = "0"};

	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_BIND, &addr), 0);
	return e;
}

static inline void say(int fd, const char *text)
{
	ck_assert_int_eq(send(fd, text, strlen(text), 0), (int)strlen(text));
}

/* Read up to @size bytes now: they, or an errno. */
static inline int get(const struct end *e, char *buf, uint32_t size)
{
	size_t len = 0;
	int err = wire_wait(w, wire_read(w, e->ino, e->fh, size, O_RDWR | O_NONBLOCK), buf, size, &len);

	return err != 0 ? err : (int)len;
}

static inline void expect(const struct end *e, uint32_t size, const char *want)
{
	char buf[256] = "";
	int n = get(e, buf, size);

	ck_assert_msg(n == (int)strlen(want) && memcmp(buf, want, (size_t)n) == 0,
		      "%d: \"%.*s\" and not \"%s\"", n, n > 0 ? n : 0, buf, want);
}

static inline int put(const struct end *e, const void *data, uint32_t size)
{
	return wire_wait(w, wire_write(w, e->ino, e->fh, data, size, O_RDWR | O_NONBLOCK), NULL, 0,
			 NULL);
}

static inline int number(const struct end *e, int name)
{
	return get_option(e, SOL_SOCKFS, name);
}

#endif /* TESTS_WIRE_UDP_H */
