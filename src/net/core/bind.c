/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Taking a local address.
 *
 * Happy path: the host is numeric and bind(2) answers at once.
 * Failure modes: a name has to be looked up first, and then the socket may
 * have been connected or bound by somebody else meanwhile (EINVAL), or the
 * caller may have gone (the look-up is given up).
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "net/core/core.h"

struct bind_op {
	struct socket *sock;
	struct kiocb *iocb;
	struct resolve *resolve;
	struct policy_ask ask;
	int err;
	bool any;    /* no host given: any address */
	bool parked; /* the answer goes by ki_complete */
};

static void bind_free(struct bind_op *op)
{
	policy_ask_fini(&op->ask);
	free(op);
}

static int bind_one(struct socket *sock, const struct sockaddr_storage *sa,
		    const struct policy_ask *ask)
{
	struct sock *sk = sock->sk;
	/* A path is judged where it is walked, so that it is the one that is used. */
	int err = sk->sk_prot->path ? 0 : policy_bind(ask, (const struct sockaddr *)sa);

	if (err != 0)
		return err;
	if (sk->sk_fd < 0) {
		err = sk_open(sk, sa->ss_family);
		if (err != 0)
			return err;
	}
	err = proto_bind(sock, sk->sk_fd, (const struct sockaddr *)sa, sockaddr_len(sa));
	if (err == 0) {
		sk->sk_bound = true;
		mark_sock_dirty(sock);
		return 0;
	}
	/* The next address may be of another family. */
	return sk_replace(sk) == NULL ? -ENOMEM : err;
}

/*
 * The first address that can be had. An IPv6 any-address serves IPv4 as well,
 * so it is tried before the IPv4 one.
 */
static int bind_list(struct socket *sock, const struct addr_list *list,
		     const struct policy_ask *ask, bool any)
{
	int err = -ENXIO;

	if (sock->state != SS_UNCONNECTED || sock->sk->sk_bound)
		return -EINVAL;
	for (int pass = any ? 0 : 1; pass < 2; pass++) {
		for (size_t i = 0; i < list->n; i++) {
			if (pass == 0 && list->addr[i].ss_family != AF_INET6)
				continue;
			err = bind_one(sock, &list->addr[i], ask);
			if (err != -EAFNOSUPPORT && err != -EADDRNOTAVAIL)
				return err;
		}
	}
	return err;
}

static void on_bind_resolved(void *arg, int err, struct addr_list *list)
{
	struct bind_op *op = arg;
	bool parked = op->parked;

	op->resolve = NULL;
	if (err == 0)
		err = bind_list(op->sock, list, &op->ask, op->any);
	free(list);
	op->err = err;
	if (parked) {
		struct kiocb *iocb = op->iocb;

		bind_free(op);
		iocb->ki_complete(iocb, err);
	}
}

static void bind_cancel(struct kiocb *iocb, int err)
{
	struct bind_op *op = iocb->ki_park[0];

	resolve_cancel(op->resolve);
	bind_free(op);
	iocb->ki_complete(iocb, err);
}

int sock_bind(struct socket *sock, const struct sockfs_addr *text, struct kiocb *iocb)
{
	struct sockfs_addr addr;
	struct bind_op *op;
	struct sock *sk;
	int taken = 0, err = sock_may_bind(sock);

	/* A listener of another protocol is that first of all. */
	if (err == 0 || sock->state == SS_LISTENING)
		taken = sock_take_addr(sock, text, &addr);
	if (err == 0 || taken == -EPROTOTYPE)
		err = taken;
	if (err != 0)
		return err;
	sk = sk_get(sock);
	if (sk == NULL)
		return -ENOMEM;
	if (sk->sk_bound)
		return -EINVAL;
	op = calloc(1, sizeof(*op));
	if (op == NULL)
		return -ENOMEM;
	op->sock = sock;
	op->iocb = iocb;
	op->any = addr.host[0] == '\0';
	err = policy_ask_init(&op->ask, &iocb->ki_cred, sk->sk_prot->word, NULL);
	if (err == 0)
		err = sk->sk_prot->resolve(sk, &addr, &iocb->ki_cred, true, on_bind_resolved, op,
					   &op->resolve);
	if (err == 0 && op->resolve != NULL) {
		op->parked = true;
		iocb->ki_park[0] = op;
		iocb->ki_cancel = bind_cancel;
		return -EIOCBQUEUED;
	}
	if (err == 0)
		err = op->err;
	bind_free(op);
	return err;
}
