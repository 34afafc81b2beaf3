/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One attempt to connect, with a descriptor of its own.
 *
 * Linux answers connect(2) with ECONNABORTED on a descriptor whose last attempt
 * failed later than in the call itself, and sends nothing. So no descriptor is
 * used twice, and several attempts may be under way at a time.
 *
 * Happy path: connect(2) begins, the loop reports the descriptor writable, and
 * whoever started the attempt takes the descriptor.
 *
 * Failure modes: connect(2) fails at once (sk_try_start says so), or later
 * (the callback gets the error); it is given up (sk_try_close).
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/core/core.h"

static void on_try_closed(uv_handle_t *handle)
{
	free(handle->data);
}

int sk_try_take(struct sk_try *try)
{
	int fd = try->fd;

	/* The loop lets go of the descriptor here, of the memory later. */
	uv_close((uv_handle_t *)&try->poll, on_try_closed);
	return fd;
}

void sk_try_close(struct sk_try *try)
{
	close(sk_try_take(try));
}

static void on_try(uv_poll_t *poll, int status, int events)
{
	struct sk_try *try = poll->data;
	socklen_t len = sizeof(int);
	int err = 0;

	(void)events;
	uv_poll_stop(poll);
	/* libuv calls each error EBADF; the socket knows which it is. */
	if (getsockopt(try->fd, SOL_SOCKET, SO_ERROR, &err, &len) != 0)
		err = errno;
	if (err == 0 && status < 0)
		err = -status;
	try->cb(try->arg, try, -err);
}

/* A descriptor as @sk would have it, bound to @bound unless that has no family. */
static int open_for(const struct sock *sk, int family, const struct sockaddr_storage *bound)
{
	struct socket *sock = sk->sk_socket;
	int err = 0, fd = sk_new_fd(sk, family);

	if (fd >= 0 && bound->ss_family != AF_UNSPEC)
		err = proto_bind(sock, fd, (const struct sockaddr *)bound,
				      sockaddr_len(bound));
	if (err != 0) {
		close(fd);
		return err;
	}
	return fd;
}

/* Connect and watch @try->fd. On failure it is the caller's still, and no handle is left. */
static int begin(struct sk_try *try, struct socket *sock, const struct sockaddr_storage *sa)
{
	int err = proto_connect(sock, try->fd, (const struct sockaddr *)sa, sockaddr_len(sa));

	if (err == 0)
		err = uv_poll_init(sk_loop, &try->poll, try->fd);
	if (err == 0)
		uv_poll_start(&try->poll, UV_WRITABLE, on_try);
	return err;
}

int sk_try_start(const struct sock *sk, const struct sockaddr_storage *bound, int fd,
		  const struct sockaddr_storage *sa, sk_try_cb *cb, void *arg,
		  struct sk_try **ret_try)
{
	struct sk_try *try;
	int err;

	if (fd < 0)
		fd = open_for(sk, sa->ss_family, bound);
	if (fd < 0)
		return fd;
	try = malloc(sizeof(*try));
	if (try == NULL) {
		close(fd);
		return -ENOMEM;
	}
	try->fd = fd;
	try->family = sa->ss_family;
	try->cb = cb;
	try->arg = arg;
	try->poll.data = try;
	err = begin(try, sk->sk_socket, sa);
	if (err != 0) {
		close(fd);
		free(try);
		return err;
	}
	*ret_try = try;
	return 0;
}
