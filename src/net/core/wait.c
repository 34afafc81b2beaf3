/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Telling when a TCP socket can be read or written, without touching a byte.
 *
 * Reading: the uv_tcp_t itself. An alloc_cb that returns no memory makes libuv
 * report UV_ENOBUFS and leave the bytes in the kernel: a readiness notice.
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
#include "net/core/core.h"

struct tcp_wait {
	struct tcp_sock *tsk; /* NULL: closing */
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
	struct tcp_sock *tsk = stream->data;

	(void)nread; /* UV_ENOBUFS, always */
	(void)buf;
	if (tsk->sk.sk_socket == NULL || !sk_has_readers(&tsk->sk)) {
		tcp_read_stop(tsk);
		return;
	}
	sock_data_ready(tsk->sk.sk_socket);
}

static int tcp_read_start(struct tcp_sock *tsk)
{
	int err;

	if (tsk->reading)
		return 0;
	err = uv_read_start((uv_stream_t *)&tsk->tcp, on_alloc, on_readable);
	if (err == 0)
		tsk->reading = true;
	return err;
}

void tcp_read_stop(struct tcp_sock *tsk)
{
	if (!tsk->reading)
		return;
	tsk->reading = false;
	uv_read_stop((uv_stream_t *)&tsk->tcp);
}

/* ---------------------------------------------------- the second descriptor */

static void wait_put(struct tcp_wait *wait)
{
	if (--wait->refs == 0)
		free(wait);
}

static void on_wait_closed(uv_handle_t *handle)
{
	wait_put(handle->data);
}

static struct tcp_wait *wait_get(struct tcp_sock *tsk)
{
	if (tsk->wait == NULL) {
		tsk->wait = calloc(1, sizeof(*tsk->wait));
		if (tsk->wait == NULL)
			return NULL;
		tsk->wait->tsk = tsk;
		tsk->wait->fd = -1;
		tsk->wait->refs = 1;
	}
	return tsk->wait;
}

void tcp_wait_close(struct tcp_sock *tsk)
{
	struct tcp_wait *wait = tsk->wait;

	if (wait == NULL)
		return;
	tsk->wait = NULL;
	tsk->sk.sk_timer = 0;
	wait->tsk = NULL;
	if (wait->fd >= 0) {
		uv_close((uv_handle_t *)&wait->poll, on_wait_closed);
		close(wait->fd);
	}
	if (wait->has_timer)
		uv_close((uv_handle_t *)&wait->timer, on_wait_closed);
	wait_put(wait);
}

static void on_poll(uv_poll_t *poll, int status, int events);

static int wait_watch(struct tcp_wait *wait, int events)
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
	struct tcp_wait *wait = poll->data;
	struct socket *sock = wait->tsk->sk.sk_socket;
	int unwanted = 0;

	if (status != 0)
		events = UV_READABLE | UV_WRITABLE;
	if ((events & UV_READABLE) && !sk_has_readers(&wait->tsk->sk))
		unwanted |= UV_READABLE;
	if ((events & UV_WRITABLE) && !sk_has_writers(&wait->tsk->sk))
		unwanted |= UV_WRITABLE;
	/* libuv stops a poll that failed; so do we. */
	(void)wait_watch(wait, status != 0 ? 0 : wait->events & ~unwanted);
	/* Each of these may end the socket, and the wait with it. */
	wait->refs++;
	if ((events & ~unwanted) & UV_READABLE)
		sock_data_ready(sock);
	if (((events & ~unwanted) & UV_WRITABLE) && wait->tsk != NULL)
		sock_write_space(sock);
	/* Room stays: it would be told again and again. */
	if (wait->tsk != NULL && !sk_has_writers(&wait->tsk->sk))
		(void)wait_watch(wait, wait->events & ~UV_WRITABLE);
	wait_put(wait);
}

/* The dup and its uv_poll_t. */
static int wait_open(struct tcp_wait *wait)
{
	int fd, err;

	if (wait->fd >= 0)
		return 0;
	fd = fcntl(wait->tsk->fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	err = uv_poll_init(tcp_loop, &wait->poll, fd);
	if (err != 0) {
		close(fd);
		return err;
	}
	wait->poll.data = wait;
	wait->refs++;
	wait->fd = fd;
	return 0;
}

int tcp_wait_for(struct socket *sock, unsigned int events)
{
	struct tcp_sock *tsk = tcp_sk(sock->sk);
	struct tcp_wait *wait;
	int want, err;

	/* Dialling, or over: a change of state will tell. */
	if (tsk->fd < 0 || sock->state == SS_CONNECTING || sock->state == SS_UNCONNECTED)
		return 0;
	if (events == POLLIN && sock->state != SS_LISTENING)
		return tcp_read_start(tsk);
	wait = wait_get(tsk);
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
	struct tcp_wait *wait = timer->data;

	sock_timeout(wait->tsk->sk.sk_socket, uv_now(tcp_loop));
}

int tcp_timer(struct socket *sock, uint64_t deadline)
{
	struct tcp_wait *wait = wait_get(tcp_sk(sock->sk));
	uint64_t now = uv_now(tcp_loop);

	if (wait == NULL)
		return -ENOMEM;
	if (!wait->has_timer) {
		uv_timer_init(tcp_loop, &wait->timer);
		wait->timer.data = wait;
		wait->refs++;
		wait->has_timer = true;
	}
	return uv_timer_start(&wait->timer, on_timer, deadline > now ? deadline - now : 0, 0);
}

void tcp_timer_keep(struct tcp_sock *tsk, uint64_t deadline)
{
	struct socket *sock = tsk->sk.sk_socket;

	tsk->sk.sk_timer = 0;
	if (sock != NULL && deadline != 0 && tcp_timer(sock, deadline) == 0)
		tsk->sk.sk_timer = deadline;
}

uint64_t tcp_now(struct socket *sock)
{
	(void)sock;
	return uv_now(tcp_loop);
}
