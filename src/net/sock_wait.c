/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests that wait on a socket: parking, waking, deadlines, cancelling.
 *
 * Happy path: an operation is tried; -EAGAIN parks its kiocb at the end of one
 * of the sock's queues and asks the protocol to say when things change. The
 * protocol calls sock_data_ready() or sock_write_space(); each parked kiocb is
 * tried again in order, until one would still wait.
 *
 * Failure modes: the caller is signalled (ki_cancel), the deadline passes
 * (sock_timeout), the socket is aborted (sock_cancel_all), the protocol can no
 * longer tell (sock_wait_anew), or the retry itself fails. Whoever comes first
 * unlinks the kiocb and then completes it.
 *
 * A completion may free the file, the inode and with it the socket. Whoever
 * walks holds the inode by its i_work meanwhile.
 */
#include "config.h"

#include "net/sock_wait.h"

#include <errno.h>
#include <poll.h>

#include "journal/journal.h"
#include "net/sock.h"

const struct sock_loop *sock_loop;

static struct kiocb_queue *sk_queue(struct sock *sk, enum sock_queue queue)
{
	switch (queue) {
	case SOCK_READ:
		return &sk->sk_read_queue;
	case SOCK_WRITE:
		return &sk->sk_write_queue;
	default:
		return &sk->sk_sync_queue;
	}
}

/* What a request that ends early answers: what it has moved, or the error. */
static ssize_t partial_or(const struct kiocb *iocb, int err)
{
	return iocb->ki_done > 0 ? (ssize_t)iocb->ki_done : err;
}

void sock_unpark(struct kiocb *iocb)
{
	struct sock_park *park = sock_park(iocb);

	TAILQ_REMOVE(sk_queue(park->sock->sk, park->queue), iocb, ki_wait);
}

static void sock_cancel(struct kiocb *iocb, int err)
{
	sock_unpark(iocb);
	iocb->ki_complete(iocb, partial_or(iocb, err));
}

/* The earlier deadline is the one that the timer is set to. */
int sock_timer_before(struct socket *sock, uint64_t deadline)
{
	struct sock *sk = sock->sk;
	int err;

	if (deadline == 0 || (sk->sk_timer != 0 && sk->sk_timer <= deadline))
		return 0;
	err = sock_loop->timer(sock, deadline);
	if (err == 0)
		sk->sk_timer = deadline;
	return err;
}

ssize_t sock_park_on(struct socket *sock, struct kiocb *iocb, enum sock_queue queue,
		     ssize_t (*retry)(struct kiocb *iocb))
{
	struct sock *sk = sock->sk;
	struct sock_park *park = sock_park(iocb);
	int seconds = queue == SOCK_READ ? sk->sk_rcvtimeo : sk->sk_sndtimeo;
	int err = 0;

	if (queue != SOCK_SYNC && seconds > 0)
		iocb->ki_deadline = sock_loop->now() + (uint64_t)seconds * 1000;
	if (queue == SOCK_SYNC && TAILQ_EMPTY(&sk->sk_sync_queue))
		sk->sk_sync_wait = 1;
	err = sock_timer_before(sock, queue == SOCK_SYNC
					      ? sock_loop->now() + sk->sk_sync_wait
					      : iocb->ki_deadline);
	if (err == 0 && queue != SOCK_SYNC)
		err = sock_loop->wait(sock, queue == SOCK_READ ? POLLIN : POLLOUT);
	if (err != 0)
		return partial_or(iocb, err);

	park->sock = sock;
	park->queue = queue;
	iocb->ki_retry = retry;
	iocb->ki_cancel = sock_cancel;
	TAILQ_INSERT_TAIL(sk_queue(sk, queue), iocb, ki_wait);
	return -EIOCBQUEUED;
}

/*
 * Try the first parked request of a queue again. It is taken off before it is completed:
 * the completion may park, cancel or free anything. False: it still waits, or all is over.
 */
static bool sock_wake_one(struct socket *sock, enum sock_queue queue, struct kiocb *iocb)
{
	ssize_t ret = iocb->ki_retry(iocb);

	if (ret == -EAGAIN)
		return false;
	/* The retry may have ended the socket and with it this request. */
	if (sock->sk == NULL || TAILQ_FIRST(sk_queue(sock->sk, queue)) != iocb)
		return false;
	sock_unpark(iocb);
	iocb->ki_complete(iocb, ret);
	return true;
}

static void sock_wake(struct socket *sock, enum sock_queue queue)
{
	struct kiocb *iocb;
	bool more = true;

	while (more && sock->sk != NULL && (iocb = TAILQ_FIRST(sk_queue(sock->sk, queue))) != NULL) {
		uint32_t before = journal_work_on(iocb->ki_slot);

		more = sock_wake_one(sock, queue, iocb);
		(void)journal_work_on(before);
	}
}

/* Tell every poller once; each asks again if it still wants to know. */
void sock_notify(struct socket *sock)
{
	struct poll_waiter *waiter;

	while ((waiter = LIST_FIRST(&sock->wq)) != NULL) {
		poll_unwait(waiter);
		waiter->wake(waiter);
	}
}

void sock_data_ready(struct socket *sock)
{
	struct inode *inode = SOCK_INODE(sock);

	inode_get_work(inode);
	sock_wake(sock, SOCK_READ);
	inode_put_work(inode);
}

void sock_write_space(struct socket *sock)
{
	struct inode *inode = SOCK_INODE(sock);

	inode_get_work(inode);
	sock_wake(sock, SOCK_WRITE);
	inode_put_work(inode);
}

/* End everything parked on one queue. True: somebody was told @err itself. */
static bool sock_cancel_queue(struct socket *sock, enum sock_queue queue, int err)
{
	bool told = false;
	struct kiocb *iocb;

	while (sock->sk != NULL && (iocb = TAILQ_FIRST(sk_queue(sock->sk, queue))) != NULL) {
		told |= iocb->ki_done == 0;
		sock_cancel(iocb, err);
	}
	return told;
}

/*
 * Those that still wait after a change of state have to ask the protocol anew: it
 * may have another descriptor, or one at last. When it cannot tell them (out of
 * descriptors, out of memory) nothing would ever wake them, so they end.
 */
static void sock_wait_anew(struct socket *sock, enum sock_queue queue)
{
	int err;

	if (sock->sk == NULL || TAILQ_EMPTY(sk_queue(sock->sk, queue)))
		return;
	if (queue == SOCK_SYNC)
		err = sock_timer_before(sock, sock_loop->now() + sock->sk->sk_sync_wait);
	else
		err = sock_loop->wait(sock, queue == SOCK_READ ? POLLIN : POLLOUT);
	if (err != 0)
		(void)sock_cancel_queue(sock, queue, err);
}

void sock_state_change(struct socket *sock)
{
	struct inode *inode = SOCK_INODE(sock);

	inode_get_work(inode);
	sock_notify(sock);
	for (enum sock_queue queue = SOCK_READ; queue <= SOCK_SYNC; queue++)
		sock_wake(sock, queue);
	for (enum sock_queue queue = SOCK_READ; queue <= SOCK_SYNC; queue++)
		sock_wait_anew(sock, queue);
	inode_put_work(inode);
}

/*
 * Complete what is over its deadline; returns the next one, 0 for none. A socket says
 * EAGAIN here, but who reads a file takes that for O_NONBLOCK: Python and Tcl for the
 * end of it, without a word, and ksh93 and less ask again for ever. A
 * completion may change the queue, so the walk begins anew behind each; the
 * oldest stand first and expire first.
 */
static uint64_t sock_expire(struct socket *sock, enum sock_queue queue, uint64_t now)
{
	struct kiocb *iocb;
	uint64_t first;

again:
	first = 0;
	if (sock->sk == NULL)
		return 0;
	TAILQ_FOREACH(iocb, sk_queue(sock->sk, queue), ki_wait) {
		if (iocb->ki_deadline == 0)
			continue;
		if (iocb->ki_deadline <= now) {
			sock_cancel(iocb, -ETIMEDOUT);
			goto again;
		}
		if (first == 0 || iocb->ki_deadline < first)
			first = iocb->ki_deadline;
	}
	return first;
}

uint64_t sock_expire_all(struct socket *sock, uint64_t now)
{
	uint64_t in = sock_expire(sock, SOCK_READ, now);
	uint64_t out = sock_expire(sock, SOCK_WRITE, now);

	sock_wake(sock, SOCK_SYNC);
	return in == 0 || (out != 0 && out < in) ? out : in;
}

bool sock_cancel_all(struct socket *sock, int err)
{
	struct inode *inode = SOCK_INODE(sock);
	bool told = false;

	inode_get_work(inode);
	for (enum sock_queue queue = SOCK_READ; queue <= SOCK_SYNC; queue++)
		told |= sock_cancel_queue(sock, queue, err);
	inode_put_work(inode);
	return told;
}
