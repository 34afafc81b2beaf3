/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses of the internet protocols.
 */
#ifndef NET_INET_INET_ADDR_H
#define NET_INET_INET_ADDR_H

#include "net/core/resolve.h"
#include "net/sock.h"

/* HOST:PORT, by numbers, files and name servers: struct proto.resolve of TCP and of UDP. */
int inet_resolve(struct sock *sk, const struct sockfs_addr *addr, const struct cred *cred,
		 bool passive, resolve_cb *cb, void *arg, struct resolve **ret_r);

/* bind(2); to the any-address of IPv6 for IPv4 as well. 0 or -errno. */
int inet_bind_fd(int fd, const struct sockaddr *addr, socklen_t len);
/*
 * Any address of both families, or of IPv4 where there is no IPv6; a port of the kernel's
 * choice. @sk has no descriptor; the socket may have another sk afterwards. 0 or -errno.
 */
int inet_autobind(struct sock *sk);

/* Of a struct proto_ops, for TCP and what is upon it (af_inet.c). */
int inet_bind(struct socket *sock, int fd, const struct sockaddr *addr, socklen_t len);
/* Bound to any address and a port of the kernel's choice, if it is not yet. */
int inet_listen(struct socket *sock, int backlog);

#endif /* NET_INET_INET_ADDR_H */
