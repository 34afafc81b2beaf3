/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading and writing messages: each call is one.
 *
 * A shell's `read' asks byte by byte, and recv(2) throws the rest of a datagram away:
 * of "hello" it would get an "h". So the rest is kept for who began it, as the rest of
 * a listener's line is (sock_line.c), unless the socket is told to be as recv(2)
 * (`set message discard').
 *
 * A write is one message, whole or not at all. The kernel cuts a call that is longer
 * than a request, or in very many pieces, and sends the rest at an offset: such a rest
 * is no message (EMSGSIZE), and the call says that it was cut.
 */
#include "config.h"

#include <errno.h>

#include "net/proto_ops.h"
#include "net/sock_wait.h"

static bool is_rest_of_a_call(const struct kiocb *iocb)
{
	return iocb->ki_pos > 0 && !(iocb->ki_flags & IOCB_APPEND);
}

ssize_t sock_read_message(struct kiocb *iocb)
{
	/* One thread, and nobody keeps it over a call. */
	static char message[SOCK_MESSAGE_MAX];
	struct socket *sock = SOCKET_I(iocb->ki_filp->f_inode);
	struct iov_iter *to = &iocb->ki_iter, whole;
	size_t count = to->count;
	ssize_t n;

	iov_iter_unpipe(to);
	if (count >= sizeof(message))
		return proto_recvmsg(sock, to);
	iov_iter_ubuf(&whole, message, sizeof(message));
	n = proto_recvmsg(sock, &whole);
	if (n <= 0)
		return n;
	if ((size_t)n > count && !sock->sk->sk_discard &&
	    sock_rest_keep(iocb, message + count, (size_t)n - count) != 0)
		sock->sk->sk_drops++;
	return copy_to_iter(message, (size_t)n, to);
}

ssize_t sock_write_message(struct kiocb *iocb)
{
	struct socket *sock = SOCKET_I(iocb->ki_filp->f_inode);
	ssize_t n;

	if (is_rest_of_a_call(iocb))
		return -EMSGSIZE;
	n = proto_sendmsg(sock, &iocb->ki_iter);
	if (n > 0)
		iocb->ki_done += (size_t)n;
	return n;
}
