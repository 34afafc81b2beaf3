/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names to addresses, without blocking: uv_getaddrinfo behind a small object
 * that can be given up at any time.
 */
#ifndef NET_RESOLVE_H
#define NET_RESOLVE_H

#include <stdbool.h>
#include <sys/socket.h>
#include <uv.h>

#include "sockfs/ioctl.h"

/* A resolved host: its addresses in the order to try (RFC 6724, as getaddrinfo gives). */
struct addr_list {
	size_t n;
	struct sockaddr_storage addr[]; /* sa_len by family */
};

/* For connect(2) and bind(2); 0 for other families than AF_INET and AF_INET6. */
socklen_t sockaddr_len(const struct sockaddr_storage *sa);

struct resolve;

/*
 * @list: malloc'ed, now the callee's to free(3); NULL on failure. err: 0, -ENXIO (host or service
 * unknown), -EHOSTUNREACH (the resolver fails), -ENOMEM.
 */
typedef void resolve_cb(void *arg, int err, struct addr_list *list);

/*
 * Look @addr up: numeric ones at once without a thread (then @cb is called
 * before this returns, *ret_r is NULL), others by uv_getaddrinfo in libuv's
 * pool. @passive: for bind, an empty host is the any-address (0.0.0.0 and ::);
 * otherwise the loopback (::1 and 127.0.0.1). Returns 0 or -errno (then @cb is
 * not called, *ret_r untouched): -EINVAL for a numeric port over 65535 or a
 * host that is not UTF-8, -ENOMEM. *ret_r is valid until @cb runs or
 * resolve_cancel. @addr has passed addr_check and is not needed afterwards.
 */
int resolve_start(uv_loop_t *loop, const struct sockfs_addr *addr, bool passive, resolve_cb *cb,
		  void *arg, struct resolve **ret_r);
/*
 * Give up: @cb is not called any more; memory goes when the pool lets go, so the
 * loop must be run to its end before it is closed.
 */
void resolve_cancel(struct resolve *r);

/*
 * What uv_getaddrinfo reports (UV_EAI_ codes, or -errno for EAI_SYSTEM) to
 * -errno. Not for getaddrinfo's own EAI_ codes, which glibc numbers -1, -2, ...
 * as if they were errnos.
 */
int resolve_errno(int status);

#endif /* NET_RESOLVE_H */
