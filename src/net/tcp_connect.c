/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TCP: dialling.
 *
 * Happy path: the host's name is looked up, its addresses are tried in turn by
 * uv_tcp_connect; the first that answers makes the socket connected, and the
 * caller, if it waits, gets 0.
 *
 * Failure modes: every address fails (the last error counts), the time limit
 * passes (ETIMEDOUT), the caller is signalled, the socket is aborted or
 * removed. A caller that waited has its answer and the socket is unconnected
 * again; if nobody waited (O_NONBLOCK), the error is kept for SO_ERROR and the
 * next read or write, and the socket is closed. Either way it may be dialled
 * again.
 *
 * A dial that is over may still be known to libuv (its connect request, its
 * timer): dial->sock is NULL from then on, and the last callback frees it.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/log.h"
#include "net/policy.h"
#include "net/resolve.h"
#include "net/tcp.h"

struct tcp_dial {
	struct socket *sock;
	struct kiocb *iocb; /* who waits, or NULL */
	struct cred cred;
	struct resolve *resolve;
	struct addr_list *list;
	size_t next;	   /* in list */
	unsigned int refs; /* the sock's, the connect request's, the timer's */
	int err;	   /* of the last attempt */
	int result;	   /* valid when the dial ended before it was parked */
	bool started;	   /* tcp_connect has returned */
	bool has_timer;
	struct sockaddr_storage bound; /* keep this local address; ss_family 0: none */
	uv_connect_t req;
	uv_timer_t timer;
};

static void dial_next(struct tcp_dial *dial);

static void dial_put(struct tcp_dial *dial)
{
	if (--dial->refs > 0)
		return;
	free(dial->list);
	free(dial);
}

static void on_timer_closed(uv_handle_t *handle)
{
	dial_put(handle->data);
}

/*
 * Cut the dial off from its socket; whoever waited is returned, to be completed
 * by the caller when all else is in order.
 */
static struct kiocb *dial_detach(struct tcp_dial *dial)
{
	struct kiocb *iocb = dial->iocb;

	tcp_sk(dial->sock->sk)->dial = NULL;
	dial->sock = NULL;
	dial->iocb = NULL;
	if (dial->resolve != NULL) {
		resolve_cancel(dial->resolve);
		dial->resolve = NULL;
	}
	if (dial->has_timer)
		uv_close((uv_handle_t *)&dial->timer, on_timer_closed);
	dial_put(dial);
	return iocb;
}

static void dial_succeed(struct tcp_dial *dial)
{
	struct socket *sock = dial->sock;
	struct inode *inode = SOCK_INODE(sock);
	struct kiocb *iocb;

	ihold(inode);
	tcp_sk(sock->sk)->sk.sk_shutdown = 0;
	tcp_sk(sock->sk)->sk.sk_err_last = 0;
	sock_set_state(sock, SS_CONNECTED);
	dial->result = 0;
	iocb = dial_detach(dial);
	if (iocb != NULL)
		iocb->ki_complete(iocb, 0);
	sock_state_change(sock);
	iput(inode);
}

/*
 * A descriptor that has failed, or is half way, is of no use for another dial:
 * the socket gets a fresh sock. A bound address is taken again at once.
 */
static int dial_fresh_sock(struct tcp_dial *dial)
{
	struct tcp_sock *tsk = tcp_sk(dial->sock->sk);
	int err;

	if (tsk->fd < 0)
		return 0;
	tsk = tcp_replace(tsk);
	if (tsk == NULL)
		return -ENOMEM;
	if (dial->bound.ss_family == AF_UNSPEC)
		return 0;
	err = tcp_open(tsk, dial->bound.ss_family);
	if (err == 0)
		err = tcp_bind_sockaddr(tsk, &dial->bound);
	tsk->bound = err == 0;
	return err;
}

static void dial_fail(struct tcp_dial *dial, int err)
{
	struct socket *sock = dial->sock;
	struct inode *inode = SOCK_INODE(sock);
	struct kiocb *iocb;

	ihold(inode);
	if (dial_fresh_sock(dial) != 0)
		tcp_close_handle(tcp_sk(sock->sk), false);
	sock->sk->sk_err_last = -err;
	dial->result = err;
	if (dial->iocb != NULL || !dial->started) {
		sock_set_state(sock, SS_UNCONNECTED);
	} else {
		sk_set_err(sock->sk, -err);
		sock_set_state(sock, SS_CLOSED);
	}
	iocb = dial_detach(dial);
	if (iocb != NULL)
		iocb->ki_complete(iocb, err);
	/* What was parked in the hope of a connection. */
	sock_cancel_all(sock, err);
	sock_state_change(sock);
	iput(inode);
}

struct sockaddr_storage tcp_dial_peer(const struct tcp_sock *tsk)
{
	const struct tcp_dial *dial = tsk->dial;

	if (dial == NULL || dial->list == NULL || dial->next == 0)
		return (struct sockaddr_storage){.ss_family = AF_UNSPEC};
	return dial->list->addr[dial->next - 1];
}

void tcp_dial_abort(struct tcp_sock *tsk, int err)
{
	if (tsk->dial != NULL)
		dial_fail(tsk->dial, err);
}

static void on_connect(uv_connect_t *req, int status)
{
	struct tcp_dial *dial = req->data;

	if (dial->sock == NULL) {
		dial_put(dial);
		return;
	}
	dial->refs--; /* the request's; the sock's keeps it alive */
	if (status == 0) {
		dial_succeed(dial);
		return;
	}
	dial->err = status;
	dial_next(dial);
}

/* Start connecting to one address: 0, or -errno at once. */
static int dial_one(struct tcp_dial *dial, const struct sockaddr_storage *sa)
{
	struct tcp_sock *tsk;
	int err = policy_connect(&dial->cred, (const struct sockaddr *)sa,
				 (const struct sockaddr *)&dial->bound);

	if (err != 0)
		return err;
	if (dial->bound.ss_family != AF_UNSPEC && dial->bound.ss_family != sa->ss_family)
		return -EAFNOSUPPORT;
	/* Linux lets a socket that was refused try again; not one of another family. */
	tsk = tcp_sk(dial->sock->sk);
	if (tsk->fd >= 0 && tsk->family != sa->ss_family) {
		err = dial_fresh_sock(dial);
		if (err != 0)
			return err;
		tsk = tcp_sk(dial->sock->sk);
	}
	if (tsk->fd < 0) {
		err = tcp_open(tsk, sa->ss_family);
		if (err != 0)
			return err;
	}
	dial->req.data = dial;
	err = uv_tcp_connect(&dial->req, &tsk->tcp, (const struct sockaddr *)sa, on_connect);
	if (err == 0)
		dial->refs++;
	return err;
}

static void dial_next(struct tcp_dial *dial)
{
	while (dial->next < dial->list->n) {
		int err = dial_one(dial, &dial->list->addr[dial->next++]);

		if (err == 0)
			return;
		dial->err = err;
		/* No other address helps here. */
		if (err == -EMFILE || err == -ENFILE || err == -ENOMEM)
			break;
	}
	dial_fail(dial, dial->err);
}

static void on_resolved(void *arg, int err, struct addr_list *list)
{
	struct tcp_dial *dial = arg;

	dial->resolve = NULL;
	dial->list = list;
	if (err != 0)
		dial_fail(dial, err);
	else
		dial_next(dial);
}

static void on_dial_timer(uv_timer_t *timer)
{
	struct tcp_dial *dial = timer->data;

	dial_fail(dial, -ETIMEDOUT);
}

static void dial_cancel(struct kiocb *iocb, int err)
{
	dial_fail(iocb->ki_park[0], err);
}

static void dial_start_timer(struct tcp_dial *dial, int seconds)
{
	uv_timer_init(tcp_loop, &dial->timer);
	dial->timer.data = dial;
	dial->has_timer = true;
	dial->refs++;
	uv_timer_start(&dial->timer, on_dial_timer, (uint64_t)seconds * 1000, 0);
}

/* A socket that was bound dials from that address and no other. */
static int dial_keep_bound(struct tcp_dial *dial, const struct tcp_sock *tsk)
{
	socklen_t len = sizeof(dial->bound);

	if (!tsk->bound)
		return 0;
	return getsockname(tsk->fd, (struct sockaddr *)&dial->bound, &len) != 0 ? -errno : 0;
}

int tcp_connect(struct socket *sock, const struct sockfs_addr *addr, struct kiocb *iocb)
{
	struct tcp_sock *tsk = tcp_sk_get(sock);
	bool nowait = iocb->ki_flags & IOCB_NOWAIT;
	struct resolve *resolve = NULL;
	struct tcp_dial *dial;
	int err;

	/* What is left of the last connection is of no use for the next. */
	if (tsk != NULL && tsk->open && (sock->state == SS_CLOSED || tsk->fd < 0))
		tsk = tcp_replace(tsk);
	if (tsk == NULL)
		return -ENOMEM;
	dial = calloc(1, sizeof(*dial));
	if (dial == NULL)
		return -ENOMEM;
	dial->sock = sock;
	dial->cred = iocb->ki_cred;
	dial->err = -ENXIO;
	dial->refs = 2; /* the sock's, and ours until we return */
	err = dial_keep_bound(dial, tsk);
	if (err != 0)
		goto free_dial;
	tsk->dial = dial;
	tsk->sk.sk_err = 0;
	sock_set_state(sock, SS_CONNECTING);
	if (tsk->sk.sk_connect_timeout > 0)
		dial_start_timer(dial, tsk->sk.sk_connect_timeout);
	err = resolve_start(tcp_loop, addr, false, on_resolved, dial, &resolve);
	if (err != 0)
		dial_fail(dial, err);
	if (dial->sock == NULL) {
		err = dial->result;
		goto put_dial;
	}
	dial->resolve = resolve;
	dial->started = true;
	err = -EINPROGRESS;
	if (!nowait) {
		dial->iocb = iocb;
		iocb->ki_park[0] = dial;
		iocb->ki_cancel = dial_cancel;
		err = -EIOCBQUEUED;
	}
put_dial:
	dial_put(dial);
	return err;

free_dial:
	free(dial);
	return err;
}
