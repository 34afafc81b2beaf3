/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses of the internet protocols: text to addresses, and taking one.
 */
#include "config.h"

#include "net/inet/inet_addr.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "net/core/wait.h"

int inet_resolve(struct sock *sk, const struct sockfs_addr *addr, const struct cred *cred,
		 bool passive, resolve_cb *cb, void *arg, struct resolve **ret_r)
{
	(void)cred;
	return resolve_start(sk_loop, addr, sk->sk_prot->word, passive, cb, arg, ret_r);
}

int inet_bind_fd(int fd, const struct sockaddr *addr, socklen_t len)
{
	int off = 0;

	if (addr->sa_family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) != 0)
		return -errno;
	return bind(fd, addr, len) != 0 ? -errno : 0;
}
