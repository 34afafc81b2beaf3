/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names to addresses, without blocking and without threads: numbers, /etc/hosts,
 * then the name servers, by c-ares on the loop. A look-up can be given up at any time.
 */
#ifndef NET_RESOLVE_H
#define NET_RESOLVE_H

#include <stdbool.h>
#include <sys/socket.h>
#include <uv.h>

#include "sockfs/ioctl.h"

/* A resolved host: its addresses in the order to try (RFC 6724, or that of hosts(5)). */
struct addr_list {
	size_t n;
	struct sockaddr_storage addr[]; /* sa_len by family */
};

/*
 * For connect(2) and bind(2); 0 for other families than AF_INET and AF_INET6, whose rows
 * know the length.
 */
socklen_t sockaddr_len(const struct sockaddr_storage *sa);

struct resolve;

/*
 * @list: malloc'ed, now the callee's to free(3); NULL on failure. err: 0, -ENXIO (host or service
 * unknown), -EHOSTUNREACH (no name server answers, or those that do fail), -ENOMEM, -EMFILE,
 * -ENFILE. May start and give up other look-ups.
 */
typedef void resolve_cb(void *arg, int err, struct addr_list *list);

/*
 * Look @addr up. What needs no name server (numbers, services, /etc/hosts, localhost, what
 * cannot be a name) is answered before this returns: @cb has been called and *ret_r is NULL.
 * @proto: whose services, as services(5) names it ("tcp"). @passive: for bind, an empty host
 * is the any-address (0.0.0.0 and ::); otherwise the loopback (::1 and 127.0.0.1). Returns 0
 * or -errno (then @cb is not called, *ret_r untouched): -EINVAL for a numeric port over 65535
 * or a host that is not UTF-8, -ENOMEM, -EMFILE, -ENFILE. *ret_r is valid until @cb runs or
 * resolve_cancel. @addr has passed addr_check and is not needed afterwards.
 *
 * Each look-up reads resolv.conf(5) and hosts(5) anew, so a change of them counts from the
 * next one on.
 */
int resolve_start(uv_loop_t *loop, const struct sockfs_addr *addr, const char *proto, bool passive,
		  resolve_cb *cb, void *arg, struct resolve **ret_r);
/*
 * Give up: @cb is not called any more, and the descriptors are closed when this returns. The
 * memory goes with libuv's close callbacks, in the same turn of the loop.
 */
void resolve_cancel(struct resolve *r);

/*
 * The name of @addr's host in ASCII, as name servers are asked for it: *ret_name, for free(3), is
 * NULL for a number, for no host, and for what cannot be a name. 0 or -ENOMEM.
 */
int resolve_name(const struct sockfs_addr *addr, char **ret_name);

/* An ARES_ status to -errno, as resolve_cb has it. */
int resolve_errno(int status);

#endif /* NET_RESOLVE_H */
