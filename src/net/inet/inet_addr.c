/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses of the internet protocols: text to addresses, and taking one.
 */
#include "config.h"

#include "net/inet/inet_addr.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "net/core/core.h"

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

int inet_autobind(struct sock *sk)
{
	const struct sockaddr_in6 any6 = {.sin6_family = AF_INET6};
	const struct sockaddr_in any4 = {.sin_family = AF_INET};
	int err = sk_open(sk, AF_INET6);

	if (err == 0)
		err = inet_bind_fd(sk->sk_fd, (const struct sockaddr *)&any6, sizeof(any6));
	if (err != -EAFNOSUPPORT && err != -EADDRNOTAVAIL)
		return err;
	sk = sk_replace(sk);
	err = sk == NULL ? -ENOMEM : sk_open(sk, AF_INET);
	return err != 0 ? err
			: inet_bind_fd(sk->sk_fd, (const struct sockaddr *)&any4, sizeof(any4));
}
