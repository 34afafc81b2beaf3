/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Listening, for a protocol that has to ask somebody first (struct proto.may_listen).
 *
 * Happy path: the answer is that it may, and it listens.
 * Failure modes: it may not; the socket is no longer what it was when the answer comes; or
 * the caller has gone.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "net/core/core.h"

struct listen_op {
	struct socket *sock;
	const struct proto *prot; /* the one that was asked */
	struct kiocb *iocb;
	int backlog;
	void *asked;
};

/* The caller hears of it, and the socket may go with that. */
static void finish(struct listen_op *op, ssize_t ret)
{
	struct inode *inode = SOCK_INODE(op->sock);
	struct kiocb *iocb = op->iocb;

	free(op);
	iocb->ki_complete(iocb, ret);
	inode_put_work(inode);
}

static void on_answer(void *arg, int err)
{
	struct listen_op *op = arg;

	if (err == 0 && op->sock->ops->prot != op->prot)
		err = -EPROTOTYPE;
	finish(op, err != 0 ? err : sock_listen(op->sock, op->backlog));
}

static void cancel(struct kiocb *iocb, int err)
{
	struct listen_op *op = iocb->ki_park[0];

	op->prot->may_listen_cancel(op->asked);
	finish(op, err);
}

static int ask(struct socket *sock, int backlog, struct kiocb *iocb)
{
	struct sock *sk = sk_get(sock);
	struct listen_op *op = sk != NULL ? malloc(sizeof(*op)) : NULL;
	int err;

	if (op == NULL)
		return -ENOMEM;
	*op = (struct listen_op){
		.sock = sock, .prot = sk->sk_prot, .iocb = iocb, .backlog = backlog};
	err = op->prot->may_listen(sk, &iocb->ki_cred, on_answer, op, &op->asked);
	if (err != 0) {
		free(op);
		return err;
	}
	inode_get_work(SOCK_INODE(sock));
	iocb->ki_park[0] = op;
	iocb->ki_cancel = cancel;
	return -EIOCBQUEUED;
}

ssize_t sock_ask_listen(struct socket *sock, int backlog, struct kiocb *iocb)
{
	/* What is refused in any case need not be asked. */
	if (sock->ops->prot->may_listen == NULL || sock->state != SS_UNCONNECTED ||
	    SOCK_INODE(sock)->i_state & I_CLEAR)
		return sock_listen(sock, backlog);
	return ask(sock, backlog, iocb);
}
