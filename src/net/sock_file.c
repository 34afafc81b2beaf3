/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A socket as an open file: read, write, poll, fsync.
 *
 * Read and write enter by the inode. SOCKET_I() finds the socket, its state
 * decides, the protocol moves the bytes; what would wait is parked
 * (sock_wait.c).
 */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "fs/dcache.h"
#include "journal/journal.h"
#include "net/proto_ops.h"
#include "net/sock_wait.h"

int sock_open(struct inode *inode, struct file *file, struct kiocb *iocb)
{
	(void)inode;
	(void)iocb;
	file->f_mode |= FMODE_STREAM;
	return 0;
}

/* close(2) leaves the socket as it is; a half-read line of a listener goes. */
void sock_close(struct inode *inode, struct file *file)
{
	sock_lines_free(file);
	sock_reap_start(SOCKET_I(inode), inode->i_opens - 1);
}

static struct socket *iocb_socket(const struct kiocb *iocb)
{
	return SOCKET_I(iocb->ki_filp->f_inode);
}

/* The iterator has moved: count it for the result of a request that parks later. */
static ssize_t iocb_moved(struct kiocb *iocb, ssize_t ret)
{
	if (ret <= 0)
		return ret;
	iocb->ki_done += (size_t)ret;
	iocb->ki_progress = iocb->ki_done;
	if (iocb->ki_kept != NULL)
		*iocb->ki_kept = iocb->ki_done;
	journal_sent();
	return ret;
}

/* -------------------------------------------------------------------- reading */

/* Accept a connection and give out its name: reading a listener. */
static ssize_t sock_read_listener(struct kiocb *iocb)
{
	struct sock_line *line = sock_line_alloc();
	struct inode *inode = NULL;
	int err;

	if (line == NULL)
		return -ENOMEM;
	err = sock_do_accept(iocb_socket(iocb), &iocb->ki_cred, &inode);
	if (err != 0) {
		free(line);
		return err;
	}
	sock_line_begin(iocb, line, dentry_name(d_find_alias(inode)));
	return sock_line_read(line, &iocb->ki_iter);
}

static ssize_t sock_try_read(struct kiocb *iocb)
{
	struct socket *sock = iocb_socket(iocb);
	int err;

	if (sock->sk != NULL && (err = sock_error(sock->sk)) != 0)
		return err;
	switch (sock->state) {
	case SS_UNCONNECTED:
		return sock_is_bound_for_all(sock) ? sock_read_message(iocb) : -ENOTCONN;
	case SS_CONNECTING:
		return -EAGAIN;
	case SS_LISTENING:
		return sock_read_listener(iocb);
	default:
		if (sock->sk != NULL && sock_has_messages(sock))
			return sock_read_message(iocb);
		return sock->sk == NULL ? 0 : proto_recvmsg(sock, &iocb->ki_iter);
	}
}

/*
 * A call of more than one request's worth, or of many pieces: when a request
 * was answered in full the kernel sends the next, at the offset that the call
 * has reached (a stream has no other offsets; with O_APPEND all are behind the size,
 * and each request counts as a call). Those bytes are the caller's
 * already, so this one must neither wait nor use up what only the next call
 * would show, an error or a connection: the kernel drops the errors it gets here.
 */
static bool iocb_goes_on(const struct kiocb *iocb)
{
	return iocb->ki_pos > 0 && !(iocb->ki_flags & IOCB_APPEND);
}

static ssize_t sock_read_on(struct kiocb *iocb)
{
	struct socket *sock = iocb_socket(iocb);
	ssize_t ret;

	if (sock->sk == NULL || sock->sk->sk_err != 0 || sock->state == SS_LISTENING ||
	    sock_has_messages(sock) || !TAILQ_EMPTY(&sock->sk->sk_read_queue))
		return -EAGAIN;
	ret = sock_try_read(iocb);
	if (ret < 0 && ret != -EAGAIN && ret != -ENOTCONN)
		sk_set_err(sock->sk, (int)-ret);
	return ret;
}

ssize_t sock_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct socket *sock = iocb_socket(iocb);
	bool nowait = iocb->ki_flags & IOCB_NOWAIT;
	struct sock_line *line;
	ssize_t ret = -EAGAIN;

	if (to->count == 0)
		return 0;
	/* The rest of a line that the caller has begun, whatever has become of the listener. */
	line = sock_line_find(iocb);
	if (line != NULL)
		return sock_line_read(line, to);
	if (iocb_goes_on(iocb))
		return sock_read_on(iocb);
	/* Whoever waits already comes first. */
	if (nowait || sock->sk == NULL || TAILQ_EMPTY(&sock->sk->sk_read_queue))
		ret = sock_try_read(iocb);
	if (ret != -EAGAIN || nowait)
		return ret;
	return sock_park_on(sock, iocb, SOCK_READ, sock_try_read);
}

/* -------------------------------------------------------------------- writing */

/* Send all; what was sent before an error is the result, the error comes next time. */
static ssize_t sock_try_write(struct kiocb *iocb)
{
	struct socket *sock = iocb_socket(iocb);
	ssize_t ret = 0;

	if (sock->sk != NULL && sock->sk->sk_err != 0 && iocb->ki_done == 0)
		return iocb_goes_on(iocb) ? -sock->sk->sk_err : sock_error(sock->sk);
	switch (sock->state) {
	case SS_UNCONNECTED:
		if (!sock_has_messages(sock))
			return -ENOTCONN;
		return sock_is_bound_for_all(sock) ? sock_write_message(iocb) : -EDESTADDRREQ;
	case SS_CONNECTING:
		return -EAGAIN;
	case SS_LISTENING:
		return -EINVAL;
	default:
		break;
	}
	if (sock->sk == NULL)
		return -EPIPE;
	if (sock_has_messages(sock))
		return sock_write_message(iocb);
	while (iocb->ki_iter.count > 0) {
		ret = iocb_moved(iocb, proto_sendmsg(sock, &iocb->ki_iter));
		if (ret < 0)
			break;
	}
	if (ret == -EAGAIN)
		return ret;
	if (ret < 0 && ret != -EPIPE && (iocb->ki_done > 0 || iocb_goes_on(iocb)))
		sk_set_err(sock->sk, (int)-ret);
	return iocb->ki_done > 0 ? (ssize_t)iocb->ki_done : ret;
}

ssize_t sock_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct socket *sock = iocb_socket(iocb);
	bool nowait = iocb->ki_flags & IOCB_NOWAIT;
	ssize_t ret = -EAGAIN;

	/* As write(2) of nothing on a socket: says only whether one may write. */
	if (from->count == 0)
		return sock->state == SS_UNCONNECTED ? -ENOTCONN : 0;
	if (sock->sk == NULL || TAILQ_EMPTY(&sock->sk->sk_write_queue))
		ret = sock_try_write(iocb);
	if (ret != -EAGAIN)
		return ret;
	if (nowait)
		return iocb->ki_done > 0 ? (ssize_t)iocb->ki_done : -EAGAIN;
	return sock_park_on(sock, iocb, SOCK_WRITE, sock_try_write);
}

/* ------------------------------------------------------------- poll and fsync */

/* What poll(2) says of a TCP socket that was never connected. */
#define POLL_UNCONNECTED (POLLOUT | POLLWRNORM | POLLHUP)

unsigned int sock_poll(struct file *file, bool arm)
{
	struct socket *sock = SOCKET_I(file->f_inode);
	unsigned int events = POLL_UNCONNECTED;

	if (sock->sk != NULL && arm) {
		int ret = sock_loop->watch(sock, file->f_poll.events);

		events = ret >= 0 ? (unsigned int)ret : POLLERR;
	} else if (sock->sk != NULL) {
		events = proto_poll(sock);
	}
	/* The others have been told by now of what has come meanwhile. */
	if (arm)
		poll_wait(&file->f_poll, &sock->wq);
	if (sock_has_lines(file))
		events |= POLLIN | POLLRDNORM;
	return events;
}

static ssize_t sock_try_fsync(struct kiocb *iocb)
{
	struct socket *sock = iocb_socket(iocb);
	int err;

	switch (sock->state) {
	case SS_CONNECTED:
	case SS_DISCONNECTING:
	case SS_CLOSED:
		err = sock->sk != NULL ? sock_error(sock->sk) : 0;
		return err != 0 || sock->sk == NULL ? err : proto_sync(sock);
	case SS_CONNECTING:
		return -EAGAIN;
	default:
		return 0; /* nothing was written */
	}
}

ssize_t sock_fsync(struct kiocb *iocb)
{
	ssize_t ret = sock_try_fsync(iocb);

	if (ret != -EAGAIN || (iocb->ki_flags & IOCB_NOWAIT))
		return ret;
	return sock_park_on(iocb_socket(iocb), iocb, SOCK_SYNC, sock_try_fsync);
}
