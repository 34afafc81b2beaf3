/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Telling when a socket can be read or written, without touching a byte.
 *
 * Reading: the handle itself (the row's read_start). An alloc_cb that returns no
 * memory makes libuv report UV_ENOBUFS and leave the bytes in the kernel: a
 * readiness notice.
 *
 * Writing and accepting: libuv has no such trick (a uv_write keeps bytes, a
 * uv_listen takes connections ahead of need, and throws them away when
 * descriptors run out). So a dup of the descriptor is watched by a uv_poll_t,
 * made with the first wait and kept.
 *
 * Reading and accepting stop late: only when an event finds nobody waiting. A
 * talker that waits again and again costs no system call for it. Waiting for
 * room stops with the last writer, for room is an event that does not pass.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/log.h"
#include "net/core/wait.h"
#include "net/proto_ops.h"

uv_loop_t *sk_loop;

struct sk_wait {
	struct sock *sk; /* NULL: closing */
	int fd;		      /* the dup, -1: not made */
	int events;	      /* UV_ events watched now */
	unsigned int refs;    /* handles that libuv knows, and the sock */
	bool has_timer;
	uv_poll_t poll;
	uv_timer_t timer;
};

/* ------------------------------------------------------------------- reading */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	(void)handle;
	(void)suggested;
	*buf = uv_buf_init(NULL, 0);
}

static void on_readable(uv_stream_t *stream, ssize_t nread, const uv_buf_t *buf)
{
	(void)nread; /* UV_ENOBUFS, always */
	(void)buf;
	sk_readable(stream->data);
}

static uv_stream_t *sk_stream(struct sock *sk)
{
	return (uv_stream_t *)((char *)sk + sk->sk_prot->handle);
}

int stream_read_start(struct sock *sk)
{
	return uv_read_start(sk_stream(sk), on_alloc, on_readable);
}

void stream_read_stop(struct sock *sk)
{
	uv_read_stop(sk_stream(sk));
}

void sk_readable(struct sock *sk)
{
	if (sk->sk_socket == NULL || !sk_has_readers(sk)) {
		sk_read_stop(sk);
		return;
	}
	sock_data_ready(sk->sk_socket);
}

static int sk_read_start(struct sock *sk)
{
	int err;

	if (sk->sk_reading)
		return 0;
	err = sk->sk_prot->read_start(sk);
	if (err == 0)
		sk->sk_reading = true;
	return err;
}

void sk_read_stop(struct sock *sk)
{
	if (!sk->sk_reading)
		return;
	sk->sk_reading = false;
	sk->sk_prot->read_stop(sk);
}

/* ---------------------------------------------------- the second descriptor */

static void wait_put(struct sk_wait *wait)
{
	if (--wait->refs == 0)
		free(wait);
}

static void on_wait_closed(uv_handle_t *handle)
{
	wait_put(handle->data);
}

static struct sk_wait *wait_get(struct sock *sk)
{
	if (sk->sk_wait == NULL) {
		sk->sk_wait = calloc(1, sizeof(*sk->sk_wait));
		if (sk->sk_wait == NULL)
			return NULL;
		sk->sk_wait->sk = sk;
		sk->sk_wait->fd = -1;
		sk->sk_wait->refs = 1;
	}
	return sk->sk_wait;
}

void sk_wait_close(struct sock *sk)
{
	struct sk_wait *wait = sk->sk_wait;

	if (wait == NULL)
		return;
	sk->sk_wait = NULL;
	sk->sk_timer = 0;
	wait->sk = NULL;
	if (wait->fd >= 0) {
		uv_close((uv_handle_t *)&wait->poll, on_wait_closed);
		close(wait->fd);
	}
	if (wait->has_timer)
		uv_close((uv_handle_t *)&wait->timer, on_wait_closed);
	wait_put(wait);
}

static void on_poll(uv_poll_t *poll, int status, int events);

static int wait_watch(struct sk_wait *wait, int events)
{
	int err;

	if (wait->events == events)
		return 0;
	err = events != 0 ? uv_poll_start(&wait->poll, events, on_poll) : uv_poll_stop(&wait->poll);
	if (err == 0)
		wait->events = events;
	return err;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct sk_wait *wait = poll->data;
	struct socket *sock = wait->sk->sk_socket;
	int unwanted = 0;

	if (status != 0)
		events = UV_READABLE | UV_WRITABLE;
	if ((events & UV_READABLE) && !sk_has_readers(wait->sk))
		unwanted |= UV_READABLE;
	if ((events & UV_WRITABLE) && !sk_has_writers(wait->sk))
		unwanted |= UV_WRITABLE;
	/* libuv stops a poll that failed; so do we. */
	(void)wait_watch(wait, status != 0 ? 0 : wait->events & ~unwanted);
	/* Each of these may end the socket, and the wait with it. */
	wait->refs++;
	if ((events & ~unwanted) & UV_READABLE)
		sock_data_ready(sock);
	if (((events & ~unwanted) & UV_WRITABLE) && wait->sk != NULL)
		sock_write_space(sock);
	/* Room stays: it would be told again and again. */
	if (wait->sk != NULL && !sk_has_writers(wait->sk))
		(void)wait_watch(wait, wait->events & ~UV_WRITABLE);
	wait_put(wait);
}

/* The dup and its uv_poll_t. */
static int wait_open(struct sk_wait *wait)
{
	int fd, err;

	if (wait->fd >= 0)
		return 0;
	fd = fcntl(wait->sk->sk_fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	err = uv_poll_init(sk_loop, &wait->poll, fd);
	if (err != 0) {
		close(fd);
		return err;
	}
	wait->poll.data = wait;
	wait->refs++;
	wait->fd = fd;
	return 0;
}

int sk_wait_for(struct socket *sock, unsigned int events)
{
	struct sock *sk = sock->sk;
	struct sk_wait *wait;
	int want, err;

	/* Dialling, or over: a change of state will tell. */
	if (sk->sk_fd < 0 || sock->state == SS_CONNECTING ||
	    (sock->state == SS_UNCONNECTED && !sock_is_bound_for_all(sock)))
		return 0;
	if (events == POLLIN && sock->state != SS_LISTENING)
		return sk_read_start(sk);
	wait = wait_get(sk);
	if (wait == NULL)
		return -ENOMEM;
	err = wait_open(wait);
	if (err != 0)
		return err;
	want = events == POLLIN ? UV_READABLE : UV_WRITABLE;
	return wait_watch(wait, wait->events | want);
}

/* --------------------------------------------------------------------- timer */

static void on_timer(uv_timer_t *timer)
{
	struct sk_wait *wait = timer->data;

	sock_timeout(wait->sk->sk_socket, uv_now(sk_loop));
}

int sk_timer_set(struct socket *sock, uint64_t deadline)
{
	struct sk_wait *wait = wait_get(sock->sk);
	uint64_t now = uv_now(sk_loop);

	if (wait == NULL)
		return -ENOMEM;
	if (!wait->has_timer) {
		uv_timer_init(sk_loop, &wait->timer);
		wait->timer.data = wait;
		wait->refs++;
		wait->has_timer = true;
	}
	return uv_timer_start(&wait->timer, on_timer, deadline > now ? deadline - now : 0, 0);
}

void sk_timer_keep(struct sock *sk, uint64_t deadline)
{
	struct socket *sock = sk->sk_socket;

	sk->sk_timer = 0;
	if (sock != NULL && deadline != 0 && sk_timer_set(sock, deadline) == 0)
		sk->sk_timer = deadline;
}

uint64_t sk_now(void)
{
	return uv_now(sk_loop);
}
