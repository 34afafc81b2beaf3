/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stream sockets: listening and accepting.
 *
 * Connections stay in the kernel's backlog until somebody asks for one: ss(8)
 * counts them there, a reader that dies takes none with it, and when
 * descriptors run out the peer waits instead of being thrown away. That is why
 * listen(2) and accept4(2) are called directly: uv_listen accepts ahead.
 */
#include "config.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/core/core.h"

int stream_listen(struct socket *sock, int backlog)
{
	struct sock *sk = sock->sk;
	int err;

	/* Its connections inherit it: they must not keep the next listener from the address. */
	err = sk_reuse_address(sk, true);
	if (err != 0)
		return err;
	if (listen(sk->sk_fd, backlog > 0 ? backlog : SOMAXCONN) != 0)
		return -errno;
	if (sock->state != SS_LISTENING)
		sock_set_state(sock, SS_LISTENING);
	sock_state_change(sock);
	return 0;
}

/* Connections that are lost already are passed over, so many at most: it may be for ever. */
#define ACCEPT_TRIES 16

/* accept(2): errors that belong to the connection, not to us; take the next. */
static bool connection_lost(int err)
{
	switch (err) {
	case ECONNABORTED:
	case EPROTO:
	case ENETDOWN:
	case ENOPROTOOPT:
	case EHOSTDOWN:
	case ENONET:
	case EHOSTUNREACH:
	case EOPNOTSUPP:
	case ENETUNREACH:
	case EINTR:
		return true;
	default:
		return false;
	}
}

int stream_accept_fd(struct socket *sock, struct socket *newsock)
{
	struct sock *sk = sock->sk;
	struct sock *newsk = sk_get(newsock);
	int fd, err, tries = 0;

	if (newsk == NULL)
		return -ENOMEM;
	sk_watch_moved(sk);
	err = sk_copy_options(newsk, sk);
	if (err != 0)
		return err;
	fd = sk->sk_regained;
	sk->sk_regained = -1;
	while (fd < 0 && tries++ < ACCEPT_TRIES) {
		fd = accept4(sk->sk_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0 && !connection_lost(errno))
			break;
	}
	if (fd < 0)
		return errno == EWOULDBLOCK ? -EAGAIN : -errno;
	newsk->sk_called = true;
	return fd;
}

int stream_accept(struct socket *sock, struct socket *newsock)
{
	int fd = stream_accept_fd(sock, newsock), err;

	if (fd < 0)
		return fd;
	err = sk_adopt(newsock->sk, fd);
	if (err != 0)
		close(fd);
	return err;
}
