/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TCP: taking a local address.
 *
 * Happy path: the host is numeric and bind(2) answers at once.
 * Failure modes: a name has to be looked up first, and then the socket may
 * have been connected or bound by somebody else meanwhile (EINVAL), or the
 * caller may have gone (the look-up is given up).
 *
 * bind(2) is called directly, not by uv_tcp_bind, which keeps EADDRINUSE for
 * itself until listen or connect.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "net/core/policy.h"
#include "net/core/resolve.h"
#include "net/core/core.h"

struct tcp_bind_op {
	struct socket *sock;
	struct kiocb *iocb;
	struct resolve *resolve;
	int err;
	bool any;    /* no host given: any address */
	bool parked; /* the answer goes by ki_complete */
};

int tcp_reuse_address(const struct tcp_sock *tsk, bool on)
{
	int value = on;

	return setsockopt(tsk->fd, SOL_SOCKET, SO_REUSEADDR, &value, sizeof(value)) != 0 ? -errno
											 : 0;
}

int tcp_bind_sockaddr(struct tcp_sock *tsk, const struct sockaddr_storage *sa)
{
	const struct sockaddr *addr = (const struct sockaddr *)sa;
	socklen_t len = sockaddr_len(sa);
	int off = 0, err;

	if (sa->ss_family == AF_INET6 &&
	    setsockopt(tsk->fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) != 0)
		return -errno;
	if (bind(tsk->fd, addr, len) == 0)
		return 0;
	if (errno != EADDRINUSE)
		return -errno;
	/*
	 * Only connections of a listener that has gone may be in the way, and
	 * SO_REUSEADDR passes those. It is on for this moment alone: two sockets
	 * that both have it may bind the same address, and the second would learn
	 * it in listen only. A listener has it again, and so have its connections.
	 */
	err = tcp_reuse_address(tsk, true);
	if (err == 0 && bind(tsk->fd, addr, len) != 0)
		err = -errno;
	if (err == 0)
		err = tcp_reuse_address(tsk, false);
	return err;
}

static int bind_one(struct socket *sock, const struct sockaddr_storage *sa,
		    const struct cred *cred)
{
	struct tcp_sock *tsk = tcp_sk(sock->sk);
	int err = policy_bind(cred, (const struct sockaddr *)sa);

	if (err != 0)
		return err;
	if (tsk->fd < 0) {
		err = tcp_open(tsk, sa->ss_family);
		if (err != 0)
			return err;
	}
	err = tcp_bind_sockaddr(tsk, sa);
	if (err == 0) {
		tsk->bound = true;
		return 0;
	}
	/* The next address may be of another family. */
	return tcp_replace(tsk) == NULL ? -ENOMEM : err;
}

/*
 * The first address that can be had. An IPv6 any-address serves IPv4 as well,
 * so it is tried before the IPv4 one.
 */
static int bind_list(struct socket *sock, const struct addr_list *list, const struct cred *cred,
		     bool any)
{
	int err = -ENXIO;

	if (sock->state != SS_UNCONNECTED || tcp_sk(sock->sk)->bound)
		return -EINVAL;
	for (int pass = any ? 0 : 1; pass < 2; pass++) {
		for (size_t i = 0; i < list->n; i++) {
			if (pass == 0 && list->addr[i].ss_family != AF_INET6)
				continue;
			err = bind_one(sock, &list->addr[i], cred);
			if (err != -EAFNOSUPPORT && err != -EADDRNOTAVAIL)
				return err;
		}
	}
	return err;
}

static void on_bind_resolved(void *arg, int err, struct addr_list *list)
{
	struct tcp_bind_op *op = arg;
	bool parked = op->parked;

	op->resolve = NULL;
	if (err == 0)
		err = bind_list(op->sock, list, &op->iocb->ki_cred, op->any);
	free(list);
	op->err = err;
	if (parked) {
		struct kiocb *iocb = op->iocb;

		free(op);
		iocb->ki_complete(iocb, err);
	}
}

static void bind_cancel(struct kiocb *iocb, int err)
{
	struct tcp_bind_op *op = iocb->ki_park[0];

	resolve_cancel(op->resolve);
	free(op);
	iocb->ki_complete(iocb, err);
}

int tcp_bind(struct socket *sock, const struct sockfs_addr *addr, struct kiocb *iocb)
{
	struct tcp_sock *tsk = tcp_sk_get(sock);
	struct tcp_bind_op *op;
	int err;

	if (tsk == NULL)
		return -ENOMEM;
	if (tsk->bound)
		return -EINVAL;
	op = calloc(1, sizeof(*op));
	if (op == NULL)
		return -ENOMEM;
	op->sock = sock;
	op->iocb = iocb;
	op->any = addr->host[0] == '\0';
	err = resolve_start(tcp_loop, addr, true, on_bind_resolved, op, &op->resolve);
	if (err == 0 && op->resolve != NULL) {
		op->parked = true;
		iocb->ki_park[0] = op;
		iocb->ki_cancel = bind_cancel;
		return -EIOCBQUEUED;
	}
	if (err == 0)
		err = op->err;
	free(op);
	return err;
}
