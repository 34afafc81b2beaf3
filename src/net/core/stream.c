/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stream sockets: bytes in and out, now or not at all.
 *
 * These work on the descriptor alone and know neither the loop nor who asked.
 * Bytes stay in the kernel's receive queue until a reader is there for them,
 * and are the kernel's when a write is answered.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/socket.h>

#include "journal/journal.h"
#include "net/core/core.h"
#include "net/sock_wait.h"

void sk_over(struct sock *sk, int err)
{
	struct socket *sock = sk->sk_socket;

	if (err != 0)
		sk->sk_err_last = err;
	mark_sock_dirty(sock);
	if (sock->state == SS_CONNECTED || sock->state == SS_DISCONNECTING)
		sock_closed(sock);
}

/* The peer has sent its FIN and we have read up to it. */
static void sk_eof(struct sock *sk)
{
	sk->sk_shutdown |= RCV_SHUTDOWN;
	sk_mark_dirty(sk);
	if (sk->sk_shutdown & SEND_SHUTDOWN)
		sk_over(sk, 0);
}

static bool retry_later(int err)
{
	return err == EAGAIN || err == EWOULDBLOCK || err == EINTR;
}

/* Of splice(2) itself, not of the connection; each socket error is told only once. */
static bool no_splice(int err)
{
	return err == EINVAL || err == ENOSYS || err == EPERM || err == EBADF || err == ENOMEM;
}

void sk_note_fin(struct sock *sk)
{
	if (!sk->sk_fin && sk->sk_prot->fin_came != NULL)
		sk->sk_fin = sk->sk_prot->fin_came(sk->sk_fd);
}

/*
 * recv(2), of which the journal knows. recvmmsg(2), which it takes for that, tells a pending
 * error before what has arrived, and recv(2) behind it: so an error is held back until the
 * kernel has nothing else to say. Behind the peer's FIN that is the end of file, again and again:
 * EPIPE says that it had come (net/ipv4/tcp_input.c: tcp_reset), or it was noted.
 */
static ssize_t sk_receive(struct sock *sk, const struct iov_iter *to)
{
	ssize_t n = journal_recv(sk->sk_fd, to->buf, to->count, to->unique);

	if (n < 0 && !retry_later(errno) && sk->sk_held == 0 && to->unique != 0 && journal_is_on()) {
		sk_hold(sk, errno);
		n = journal_recv(sk->sk_fd, to->buf, to->count, to->unique);
	}
	if (n == 0 && sk->sk_held == 0)
		sk_note_fin(sk);
	if (sk->sk_held == 0 || n > 0 || (n == 0 && (sk->sk_held == EPIPE || sk->sk_fin)))
		return n;
	errno = sk->sk_held;
	sk_hold(sk, 0);
	return -1;
}

/*
 * Into the iterator's pipe, or into its memory when that cannot be. splice stops at
 * the mark of urgent data for good, and says then that there is nothing more, now or
 * ever; recv passes the mark. So what splice says of an end is asked again.
 */
static ssize_t sk_splice(struct sock *sk, struct iov_iter *to)
{
	bool usable = false;
	ssize_t n;

	if (to->pipe->fd >= 0) {
		journal_pipe(to->unique);
		n = splice(sk->sk_fd, NULL, to->pipe->fd, NULL, to->count,
			   SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
		usable = n >= 0 || !no_splice(errno);
		if (n <= 0)
			journal_received();
		if (n > 0 || (n < 0 && usable && !retry_later(errno)))
			return n;
	}
	n = sk_receive(sk, to);
	/* Nothing has moved: the pipe may serve the next time. */
	if (n > 0 || !usable)
		iov_iter_unpipe(to);
	return n;
}

ssize_t stream_recvmsg(struct socket *sock, struct iov_iter *to)
{
	struct sock *sk = sock->sk;
	ssize_t n;

	if (sk->sk_fd < 0)
		return 0;
	sk_watch_moved(sk);
	if (to->iter_type == ITER_PIPE)
		n = sk_splice(sk, to);
	else
		n = sk_receive(sk, to);
	if (n > 0) {
		iov_iter_advance(to, (size_t)n);
		sk_count_rx(sk, (size_t)n);
		return n;
	}
	if (n == 0) {
		sk_eof(sk);
		return 0;
	}
	if (retry_later(errno))
		return -EAGAIN;
	n = -errno;
	sk_over(sk, (int)-n);
	return n;
}

ssize_t stream_sendmsg(struct socket *sock, struct iov_iter *from)
{
	struct sock *sk = sock->sk;
	ssize_t n;

	if (sk->sk_fd < 0)
		return -EPIPE;
	sk_watch_moved(sk);
	if (sk->sk_held != 0) {
		n = -sk->sk_held;
		sk_hold(sk, 0);
		sk_over(sk, (int)-n);
		return n;
	}
	n = journal_send(sk->sk_fd, from->buf, from->count, from->unique, from->moved);
	if (n >= 0) {
		iov_iter_advance(from, (size_t)n);
		sk_count_tx(sk, (size_t)n);
		return n;
	}
	if (retry_later(errno))
		return -EAGAIN;
	n = -errno;
	/* EPIPE after our own shutdown says nothing of the connection. */
	if (n != -EPIPE || !(sk->sk_shutdown & SEND_SHUTDOWN))
		sk_over(sk, (int)-n);
	return n;
}

/* As inet_shutdown: a listener stops listening when its reading side is shut. */
static int shutdown_listener(struct sock *sk, int how)
{
	struct socket *sock = sk->sk_socket;

	if (how == SHUT_WR)
		return 0;
	sk_close(sk, false);
	sock_closed(sock);
	sock_cancel_all(sock, -EINVAL);
	sock_notify(sock);
	return 0;
}

int stream_shutdown(struct socket *sock, int how)
{
	struct sock *sk = sk_get(sock);

	if (sk == NULL)
		return -ENOMEM;
	if (sock->state == SS_LISTENING)
		return shutdown_listener(sk, how);
	if (sk->sk_fd < 0)
		return -ENOTCONN;
	/* From here on it may become a TIME_WAIT, which is as the socket was. */
	if (how != SHUT_RD && sk->sk_bound)
		(void)sk_reuse_address(sk, true);
	if (shutdown(sk->sk_fd, how) != 0)
		return -errno;
	if (how != SHUT_RD) {
		bool eof = sk->sk_shutdown & RCV_SHUTDOWN;

		sk->sk_shutdown |= SEND_SHUTDOWN;
		mark_sock_dirty(sock);
		if (sock->state == SS_CONNECTED && eof)
			sock_closed(sock);
		else if (sock->state == SS_CONNECTED)
			sock_set_state(sock, SS_DISCONNECTING);
	}
	/* Parked readers get end of file, parked writers EPIPE. */
	sock_state_change(sock);
	return 0;
}
