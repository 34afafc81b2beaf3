/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Telling pollers when a socket changes.
 *
 * A poller wants to hear of each change and not of what it knows: of an end of
 * file behind bytes that nobody reads, of more bytes where there were some. So
 * the descriptors that are polled lie in an epoll instance of our own, edge-
 * triggered: the kernel's socket wakes it as it would wake a poller of its own,
 * and what has been told and stays as it is costs nothing.
 *
 * Happy path: a poller asks, the descriptor is watched for what it wants; an
 * edge comes, every poller is told once and asks again if it still wants to
 * know. An edge that finds nobody puts the watch to sleep: it stays in the
 * instance, for errors only, until the next poller or the end of the handle.
 *
 * A watch that begins reports at once what holds already, though the poller is
 * told that in the answer. So this first report is taken before the answer is
 * made: later on it could not be told from a change behind the answer. To others, who
 * wait already, it is news if they do not know all of it.
 *
 * Failure modes: no memory, or no descriptor for the instance. The poller gets
 * the errno and nothing is watched.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "lib/nofile.h"
#include "net/core/core.h"
#include "net/sock_wait.h"

/* Edges taken in one turn of the loop. */
#define WATCH_BATCH 64

/* What a poller may ask for; errors are told without asking. EPOLL and POLL bits are the same. */
#define WATCH_EVENTS                                                                               \
	(EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDNORM | EPOLLRDBAND | EPOLLWRNORM | EPOLLWRBAND |   \
	 EPOLLRDHUP)

/* What proto_poll() tells, so that a report can be compared with it. */
#define WATCH_TOLD                                                                                 \
	(EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP | EPOLLRDNORM | EPOLLWRNORM | EPOLLERR | EPOLLHUP)

/* The instance: made with the first watched descriptor, gone with the last. */
struct watcher {
	int epfd;
	size_t nr; /* descriptors in it */
	uv_poll_t poll;
	struct epoll_event batch[WATCH_BATCH]; /* being worked on; data.ptr NULL: has gone */
	int nr_batch;
};

static struct watcher *watcher;

static void watch_sleep(struct sock *sk)
{
	struct epoll_event sleep = {.events = EPOLLET, .data.ptr = sk};

	if (sk->sk_watch != 0 && epoll_ctl(watcher->epfd, EPOLL_CTL_MOD, sk->sk_fd, &sleep) == 0)
		sk->sk_watch = 0;
}

static void watch_event(struct sock *sk, uint32_t events, bool is_report)
{
	struct socket *sock = sk->sk_socket;

	if (events & EPOLLHUP)
		sock_reap_start(sock, SOCK_INODE(sock)->i_opens);
	if (is_report && (LIST_EMPTY(&sock->wq) || (events & WATCH_TOLD & ~sk->sk_watch_told) == 0))
		return;
	if (!LIST_EMPTY(&sock->wq))
		sock_notify(sock);
	else
		watch_sleep(sk);
}

/* Take what has changed. @begun, unless NULL: it reports what holds. */
static void take_edges(struct watcher *w, const struct sock *begun)
{
	w->nr_batch = epoll_wait(w->epfd, w->batch, WATCH_BATCH, 0);
	for (int i = 0; i < w->nr_batch && w == watcher; i++)
		if (w->batch[i].data.ptr != NULL)
			watch_event(w->batch[i].data.ptr, w->batch[i].events,
				    w->batch[i].data.ptr == begun);
	w->nr_batch = 0;
}

static void on_edges(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	take_edges(poll->data, NULL);
}

static void on_watcher_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static int watcher_open(void)
{
	struct watcher *w;
	int err;

	if (watcher != NULL)
		return 0;
	w = calloc(1, sizeof(*w));
	if (w == NULL)
		return -ENOMEM;
	/* A poller has to hear of the end of all other descriptors, too. */
	nofile_reserve_begin();
	w->epfd = epoll_create1(EPOLL_CLOEXEC);
	nofile_reserve_end();
	if (w->epfd < 0) {
		err = -errno;
		goto free_watcher;
	}
	err = uv_poll_init(sk_loop, &w->poll, w->epfd);
	if (err != 0)
		goto close_epoll;
	w->poll.data = w;
	err = uv_poll_start(&w->poll, UV_READABLE, on_edges);
	watcher = w;
	return err;

close_epoll:
	close(w->epfd);
free_watcher:
	free(w);
	return err;
}

static void watcher_close_if_empty(void)
{
	struct watcher *w = watcher;

	if (w == NULL || w->nr > 0)
		return;
	watcher = NULL;
	uv_close((uv_handle_t *)&w->poll, on_watcher_closed);
	close(w->epfd);
}

/* Watch @sk for @events too. Where more has changed than one batch its report comes as a change. */
static int watch_begin(struct sock *sk, uint32_t events)
{
	struct epoll_event e = {.data.ptr = sk};
	int err;

	if (sk->sk_watching && (events & ~sk->sk_watch) == 0)
		return 0;
	/* What has changed before is told as that. */
	if (sk->sk_watch != 0)
		take_edges(watcher, NULL);
	e.events = sk->sk_watch | events | EPOLLET;
	err = watcher_open();
	if (err == 0 && epoll_ctl(watcher->epfd, sk->sk_watching ? EPOLL_CTL_MOD : EPOLL_CTL_ADD,
				  sk->sk_fd, &e) != 0)
		err = -errno;
	if (err != 0) {
		watcher_close_if_empty();
		return err;
	}
	if (!sk->sk_watching)
		watcher->nr++;
	sk->sk_watching = true;
	sk->sk_watch |= events;
	take_edges(watcher, sk);
	return 0;
}

int sk_watch_for(struct socket *sock, unsigned int events)
{
	struct sock *sk = sock->sk;
	int err;

	/* Dialling, or over: a change of state will tell. */
	if (sk->sk_fd < 0 || sock->state == SS_CONNECTING ||
	    (sock->state == SS_UNCONNECTED && !sock_is_bound_for_all(sock)))
		return (int)proto_poll(sock);
	err = watch_begin(sk, events & WATCH_EVENTS);
	if (err != 0)
		return err;
	events = proto_poll(sock);
	sk->sk_watch_told = LIST_EMPTY(&sock->wq) ? events : events & sk->sk_watch_told;
	return (int)events;
}

void sk_unwatch(struct sock *sk)
{
	if (!sk->sk_watching)
		return;
	/* Not by closing alone: a second descriptor would keep it in the instance. */
	(void)epoll_ctl(watcher->epfd, EPOLL_CTL_DEL, sk->sk_fd, NULL);
	for (int i = 0; i < watcher->nr_batch; i++)
		if (watcher->batch[i].data.ptr == sk)
			watcher->batch[i].data.ptr = NULL;
	sk->sk_watching = false;
	sk->sk_watch = 0;
	watcher->nr--;
	watcher_close_if_empty();
}
