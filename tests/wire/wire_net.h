/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tests of TCP share. Each function fails the test when it cannot.
 */
#ifndef TESTS_WIRE_NET_H
#define TESTS_WIRE_NET_H

#include "net/proto_ops.h"
#include "wire.h"

/* A socket file that is open, and the other end of its connection (a plain socket), or -1. */
struct end {
	struct wire *w;
	uint64_t ino, fh;
	int peer;
};

/* A new file of the root; one that is there; one that is connected; a listener on any port. */
struct end make_file(struct wire *w, const char *name);
struct end open_file(struct wire *w, const char *name);
struct end make_connected(struct wire *w, const char *name);
struct end make_listener(struct wire *w, const char *host, unsigned int *ret_port);

int ioc(const struct end *e, uint32_t cmd, void *arg);
/* Options whose value is an int. */
void set_option(const struct end *e, int level, int name, int value);
int get_option(const struct end *e, int level, int name);
struct socket *socket_of(const struct end *e);

/* A plain listening socket on a port of the kernel's choice, with a small window. */
int plain_listener(struct sockfs_addr *ret_addr);
/* A plain socket connected to @port of the loopback. */
int dial(int family, unsigned int port);

/* Read the whole of .proc/@name into a static buffer. */
const char *read_table(struct wire *w, const char *name);

/* Is there a loopback of IPv6? */
bool have_ipv6(void);

/* Until the kernel has one of @events; loopback does not say when. The loop does not turn. */
void until_polled(const struct end *e, unsigned int events);
/* RST, and the kernel has it. */
void reset_by_peer(struct end *e);

#endif /* TESTS_WIRE_NET_H */
