/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TCP: bytes in and out, now or not at all.
 *
 * These work on the descriptor alone and know neither the loop nor who asked.
 * Bytes stay in the kernel's receive queue until a reader is there for them,
 * and are the kernel's when a write is answered.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "net/sock_wait.h"
#include "net/core/core.h"

void tcp_over(struct tcp_sock *tsk, int err)
{
	struct socket *sock = tsk->sk.sk_socket;

	if (err != 0)
		tsk->sk.sk_err_last = err;
	if (sock->state == SS_CONNECTED || sock->state == SS_DISCONNECTING)
		sock_set_state(sock, SS_CLOSED);
}

/* The peer has sent its FIN and we have read up to it. */
static void tcp_eof(struct tcp_sock *tsk)
{
	tsk->sk.sk_shutdown |= RCV_SHUTDOWN;
	if (tsk->sk.sk_shutdown & SEND_SHUTDOWN)
		tcp_over(tsk, 0);
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

/*
 * Into the iterator's pipe, or into its memory when that cannot be. splice stops at
 * the mark of urgent data for good, and says then that there is nothing more, now or
 * ever; recv passes the mark. So what splice says of an end is asked again.
 */
static ssize_t tcp_splice(int fd, struct iov_iter *to)
{
	bool usable = false;
	ssize_t n;

	if (to->pipe->fd >= 0) {
		n = splice(fd, NULL, to->pipe->fd, NULL, to->count,
			   SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
		usable = n >= 0 || !no_splice(errno);
		if (n > 0 || (n < 0 && usable && !retry_later(errno)))
			return n;
	}
	n = recv(fd, to->buf, to->count, MSG_DONTWAIT);
	/* Nothing has moved: the pipe may serve the next time. */
	if (n > 0 || !usable)
		iov_iter_unpipe(to);
	return n;
}

ssize_t tcp_recvmsg(struct socket *sock, struct iov_iter *to)
{
	struct tcp_sock *tsk = tcp_sk(sock->sk);
	ssize_t n;

	if (tsk->fd < 0)
		return 0;
	tcp_watch_moved(tsk);
	if (to->iter_type == ITER_PIPE)
		n = tcp_splice(tsk->fd, to);
	else
		n = recv(tsk->fd, to->buf, to->count, MSG_DONTWAIT);
	if (n > 0) {
		iov_iter_advance(to, (size_t)n);
		tsk->sk.sk_rx_bytes += (size_t)n;
		return n;
	}
	if (n == 0) {
		tcp_eof(tsk);
		return 0;
	}
	if (retry_later(errno))
		return -EAGAIN;
	n = -errno;
	tcp_over(tsk, (int)-n);
	return n;
}

ssize_t tcp_sendmsg(struct socket *sock, struct iov_iter *from)
{
	struct tcp_sock *tsk = tcp_sk(sock->sk);
	ssize_t n;

	if (tsk->fd < 0)
		return -EPIPE;
	tcp_watch_moved(tsk);
	n = send(tsk->fd, from->buf, from->count, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n >= 0) {
		iov_iter_advance(from, (size_t)n);
		tsk->sk.sk_tx_bytes += (size_t)n;
		return n;
	}
	if (retry_later(errno))
		return -EAGAIN;
	n = -errno;
	/* EPIPE after our own shutdown says nothing of the connection. */
	if (n != -EPIPE || !(tsk->sk.sk_shutdown & SEND_SHUTDOWN))
		tcp_over(tsk, (int)-n);
	return n;
}

unsigned int tcp_poll(struct socket *sock)
{
	struct tcp_sock *tsk = tcp_sk(sock->sk);
	struct pollfd p = {
		.fd = tsk->fd,
		.events = POLLIN | POLLPRI | POLLOUT | POLLRDHUP | POLLRDNORM | POLLWRNORM,
	};
	unsigned int events;

	if (sock->state == SS_CONNECTING)
		return 0;
	if (sock->state == SS_UNCONNECTED || tsk->fd < 0) {
		events = POLLOUT | POLLWRNORM | POLLHUP;
		if (sock->state == SS_CLOSED)
			events |= POLLIN | POLLRDNORM | POLLRDHUP;
	} else {
		events = poll(&p, 1, 0) == 1 ? (unsigned short)p.revents : 0;
	}
	if (tsk->sk.sk_err != 0)
		events |= POLLERR;
	return events;
}

int tcp_queues(struct socket *sock, uint32_t *ret_inq, uint32_t *ret_outq)
{
	int fd = sock->sk != NULL ? tcp_sk(sock->sk)->fd : -1;
	int inq = 0, outq = 0;

	if (fd >= 0 && sock->state == SS_LISTENING) {
		struct tcp_info info;
		socklen_t len = sizeof(info);

		/* Of a listener this counts the connections that wait, as ss(8) shows. */
		if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
			return -errno;
		inq = (int)info.tcpi_unacked;
	} else if (fd >= 0 && sock->state != SS_UNCONNECTED && sock->state != SS_CONNECTING) {
		if (ioctl(fd, SIOCINQ, &inq) != 0 || ioctl(fd, SIOCOUTQ, &outq) != 0)
			return -errno;
	}
	*ret_inq = (uint32_t)inq;
	*ret_outq = (uint32_t)outq;
	return 0;
}

/* A connection that was reset never gets its acknowledgements, and SIOCOUTQ keeps counting. */
int tcp_sync(struct socket *sock)
{
	struct tcp_sock *tsk = tcp_sk(sock->sk);
	struct tcp_info info;
	socklen_t len = sizeof(info);
	int outq = 0, err = 0;

	if (tsk->fd < 0)
		return 0;
	if (ioctl(tsk->fd, SIOCOUTQ, &outq) != 0)
		return -errno;
	if (outq == 0)
		return 0;
	if (getsockopt(tsk->fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
		return -errno;
	if (info.tcpi_state != TCP_CLOSE)
		return -EAGAIN;
	len = sizeof(err);
	if (getsockopt(tsk->fd, SOL_SOCKET, SO_ERROR, &err, &len) != 0)
		return -errno;
	if (err == 0)
		err = tsk->sk.sk_err_last != 0 ? tsk->sk.sk_err_last : EPIPE;
	tcp_over(tsk, err);
	return -err;
}

/* As inet_shutdown: a listener stops listening when its reading side is shut. */
static int tcp_shutdown_listener(struct tcp_sock *tsk, int how)
{
	struct socket *sock = tsk->sk.sk_socket;

	if (how == SHUT_WR)
		return 0;
	tcp_close_handle(tsk, false);
	sock_set_state(sock, SS_CLOSED);
	sock_cancel_all(sock, -EINVAL);
	sock_notify(sock);
	return 0;
}

int tcp_shutdown(struct socket *sock, int how)
{
	struct tcp_sock *tsk = tcp_sk_get(sock);

	if (tsk == NULL)
		return -ENOMEM;
	if (sock->state == SS_LISTENING)
		return tcp_shutdown_listener(tsk, how);
	if (tsk->fd < 0)
		return -ENOTCONN;
	/* From here on it may become a TIME_WAIT, which is as the socket was. */
	if (how != SHUT_RD && tsk->bound)
		(void)tcp_reuse_address(tsk, true);
	if (shutdown(tsk->fd, how) != 0)
		return -errno;
	if (how != SHUT_RD) {
		bool eof = tsk->sk.sk_shutdown & RCV_SHUTDOWN;

		tsk->sk.sk_shutdown |= SEND_SHUTDOWN;
		if (sock->state == SS_CONNECTED)
			sock_set_state(sock, eof ? SS_CLOSED : SS_DISCONNECTING);
	}
	/* Parked readers get end of file, parked writers EPIPE. */
	sock_state_change(sock);
	return 0;
}
