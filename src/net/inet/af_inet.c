/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The family of the internet protocols. Twin of net/ipv4/af_inet.c.
 *
 * bind(2) and listen(2) are called directly, not by uv_tcp_bind, which keeps
 * EADDRINUSE for itself until listen or connect.
 */
#include "config.h"

#include "net/inet/af_inet.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "net/core/core.h"
#include "net/inet/inet_addr.h"
#include "net/inet/tcp.h"
#include "net/inet/udp.h"

static int set_reuse(int fd, int on)
{
	return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ? -errno : 0;
}

int inet_bind(struct socket *sock, int fd, const struct sockaddr *addr, socklen_t len)
{
	int err = inet_bind_fd(fd, addr, len);

	(void)sock;
	if (err != -EADDRINUSE)
		return err;
	/*
	 * Only connections of a listener that has gone may be in the way, and
	 * SO_REUSEADDR passes those. It is on for this moment alone: two sockets
	 * that both have it may bind the same address, and the second would learn
	 * it in listen only. A listener has it again, and so have its connections.
	 */
	err = set_reuse(fd, 1);
	if (err == 0 && bind(fd, addr, len) != 0)
		err = -errno;
	if (err == 0)
		err = set_reuse(fd, 0);
	return err;
}

int inet_listen(struct socket *sock, int backlog)
{
	struct sock *sk = sk_get(sock);
	int err;

	if (sk == NULL)
		return -ENOMEM;
	/* Never bound. */
	if (sk->sk_fd < 0) {
		err = inet_autobind(sk);
		if (err != 0)
			return err;
	}
	return stream_listen(sock, backlog);
}

/* net/ipv4/af_inet.c: inet_stream_ops. */
static const struct proto_ops inet_stream_ops = {
	.prot = &tcp_prot,
	.release = sock_common_release,
	.bind = inet_bind,
	.connect = sock_common_connect,
	.listen = inet_listen,
	.accept = stream_accept,
	.shutdown = stream_shutdown,
	.abort = sock_common_abort,
	.getname = sock_common_getname,
	.setsockopt = sock_common_setsockopt,
	.getsockopt = sock_common_getsockopt,
	.sendmsg = stream_sendmsg,
	.recvmsg = stream_recvmsg,
	.poll = sock_common_poll,
	.queues = sock_common_queues,
	.sync = sock_common_sync,
	.info = sock_common_info,
};

/* net/ipv4/af_inet.c: inet_dgram_ops. */
static const struct proto_ops inet_dgram_ops = {
	.prot = &udp_prot,
	.release = udp_release,
	.bind = udp_bind,
	.connect = sock_common_connect,
	.listen = udp_listen,
	.accept = udp_accept,
	.shutdown = udp_shutdown,
	.abort = udp_abort,
	.getname = sock_common_getname,
	.membership = udp_membership,
	.setsockopt = sock_common_setsockopt,
	.getsockopt = sock_common_getsockopt,
	.sendmsg = udp_sendmsg,
	.recvmsg = udp_recvmsg,
	.poll = udp_poll,
	.queues = udp_queues,
	.sync = sock_common_sync,
	.info = sock_common_info,
};

/* net/ipv4/af_inet.c: inetsw_array; type and protocol are the row's. */
static const struct proto_ops *const inetsw[] = {
	&inet_stream_ops,
	&inet_dgram_ops,
};

static int inet_create(struct socket *sock, int type, int protocol)
{
	int err = -ESOCKTNOSUPPORT;

	for (size_t i = 0; i < ARRAY_SIZE(inetsw); i++) {
		if (inetsw[i]->prot->type != type)
			continue;
		err = -EPROTONOSUPPORT;
		if (protocol != 0 && protocol != inetsw[i]->prot->protocol)
			continue;
		sock->ops = inetsw[i];
		return 0;
	}
	return err;
}

static const struct net_proto_family inet_family = {
	.family = AF_INET,
	.create = inet_create,
};

int inet_init(void)
{
	size_t n = 0;
	int err = 0;

	while (n < ARRAY_SIZE(inetsw) && (err = proto_register(inetsw[n]->prot)) == 0)
		n++;
	if (err == 0)
		err = sock_register(&inet_family);
	while (err != 0 && n > 0)
		(void)proto_unregister(inetsw[--n]->prot);
	return err;
}

int inet_exit(void)
{
	int err = 0;

	sock_unregister(inet_family.family);
	for (size_t i = 0; i < ARRAY_SIZE(inetsw); i++)
		if (proto_unregister(inetsw[i]->prot) != 0)
			err = -EBUSY;
	return err;
}
