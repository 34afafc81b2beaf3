/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TCP: one attempt to connect, with a descriptor of its own.
 *
 * Linux answers connect(2) with ECONNABORTED on a descriptor whose last attempt
 * failed later than in the call itself, and sends nothing. So no descriptor is
 * used twice, and several attempts may be under way at a time.
 *
 * Happy path: connect(2) begins, the loop reports the descriptor writable, and
 * whoever started the attempt takes the descriptor.
 *
 * Failure modes: connect(2) fails at once (tcp_try_start says so), or later
 * (the callback gets the error); it is given up (tcp_try_close).
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/core/resolve.h"
#include "net/core/core.h"

static void on_try_closed(uv_handle_t *handle)
{
	free(handle->data);
}

int tcp_try_take(struct tcp_try *try)
{
	int fd = try->fd;

	/* The loop lets go of the descriptor here, of the memory later. */
	uv_close((uv_handle_t *)&try->poll, on_try_closed);
	return fd;
}

void tcp_try_close(struct tcp_try *try)
{
	close(tcp_try_take(try));
}

static void on_try(uv_poll_t *poll, int status, int events)
{
	struct tcp_try *try = poll->data;
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

/* A descriptor with the options of @tsk, bound to @bound unless that has no family. */
static int open_for(const struct tcp_sock *tsk, int family, const struct sockaddr_storage *bound)
{
	struct tcp_sock scratch = {
		.fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
		.family = family,
		.opts = tsk->opts,
		.opt_set = tsk->opt_set,
	};
	int err;

	if (scratch.fd < 0)
		return -errno;
	tcp_set_owner(&scratch, tsk->sk.sk_socket);
	err = tcp_apply_options(&scratch);
	if (err == 0 && bound->ss_family != AF_UNSPEC)
		err = tcp_bind_sockaddr(&scratch, bound);
	if (err != 0) {
		close(scratch.fd);
		return err;
	}
	return scratch.fd;
}

/* Connect and watch @try->fd. On failure it is the caller's still, and no handle is left. */
static int begin(struct tcp_try *try, const struct sockaddr_storage *sa)
{
	int err;

	if (connect(try->fd, (const struct sockaddr *)sa, sockaddr_len(sa)) != 0 &&
	    errno != EINPROGRESS)
		return -errno;
	err = uv_poll_init(tcp_loop, &try->poll, try->fd);
	if (err == 0)
		uv_poll_start(&try->poll, UV_WRITABLE, on_try);
	return err;
}

int tcp_try_start(const struct tcp_sock *tsk, const struct sockaddr_storage *bound, int fd,
		  const struct sockaddr_storage *sa, tcp_try_cb *cb, void *arg,
		  struct tcp_try **ret_try)
{
	struct tcp_try *try;
	int err;

	if (fd < 0)
		fd = open_for(tsk, sa->ss_family, bound);
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
	err = begin(try, sa);
	if (err != 0) {
		close(fd);
		free(try);
		return err;
	}
	*ret_try = try;
	return 0;
}
