/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Watching the supervisor by a pidfd, which becomes readable when it dies: see guard.h.
 * (PR_SET_PDEATHSIG would not do here: the kernel forgets it when the worker takes a
 * caller's credentials for a moment.)
 */
#include "config.h"

#include "super/guard.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include "lib/log.h"
#include "lib/nofile.h"
#include "policy/reload.h"
#include "super/supervisor.h"

#define AGAIN_MS 1000

struct guard {
	uv_poll_t poll;
	uv_timer_t timer;
	uv_loop_t *loop;
	int pidfd;	       /* of the supervisor; -1: there is none */
	uint64_t made;	       /* when the supervisor was made, ms of the loop; 0: not by us */
	unsigned int handles;  /* to be closed before this is freed */
	bool stopped;
};

static void on_gone(uv_poll_t *poll, int status, int events);
static void replace(struct guard *g);

static void on_timer(uv_timer_t *timer)
{
	replace(timer->data);
}

static void try_again(struct guard *g)
{
	uv_timer_start(&g->timer, on_timer, AGAIN_MS, 0);
}

static void on_freed(uv_handle_t *handle)
{
	struct guard *g = handle->data;

	if (--g->handles == 0 && g->stopped)
		free(g);
}

/* 0, or -errno: nobody is watched. */
static int watch_pid(struct guard *g, pid_t pid)
{
	int err;

	nofile_reserve_begin();
	g->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	nofile_reserve_end();
	if (g->pidfd < 0)
		return -errno;
	/* The first one is our parent: if it is not, the number may be somebody else's by now. */
	if (g->made == 0 && getppid() != pid) {
		close(g->pidfd);
		g->pidfd = -1;
		return -ESRCH;
	}
	err = uv_poll_init(g->loop, &g->poll, g->pidfd);
	if (err != 0) {
		close(g->pidfd);
		g->pidfd = -1;
		return err;
	}
	g->handles++;
	g->poll.data = g;
	uv_unref((uv_handle_t *)&g->poll);
	return uv_poll_start(&g->poll, UV_READABLE, on_gone);
}

static void unwatch(struct guard *g, uv_close_cb closed)
{
	if (g->pidfd < 0)
		return;
	uv_close((uv_handle_t *)&g->poll, closed);
	close(g->pidfd);
	g->pidfd = -1;
}

static void replace(struct guard *g)
{
	int err;

	if (policy_reload_is_reading()) {
		try_again(g);
		return;
	}
	err = supervisor_replace();
	if (err == 0) {
		g->made = uv_now(g->loop);
		err = watch_pid(g, supervisor_pid());
	}
	if (err == 0)
		return;
	pr_warn("no other supervisor yet: %s", strerror(-err));
	try_again(g);
}

/* The handle of the dead one has been closed. */
static void on_unwatched(uv_handle_t *handle)
{
	struct guard *g = handle->data;
	bool stopped = g->stopped;

	on_freed(handle);
	if (stopped)
		return;
	if (g->made != 0 && uv_now(g->loop) - g->made < AGAIN_MS)
		try_again(g);
	else
		replace(g);
}

static void on_gone(uv_poll_t *poll, int status, int events)
{
	struct guard *g = poll->data;

	(void)status;
	(void)events;
	pr_warn("the supervisor, process %d, is gone: making another one", (int)supervisor_pid());
	/* One that we have made is a child of ours. */
	if (g->made != 0)
		waitpid(supervisor_pid(), NULL, WNOHANG);
	unwatch(g, on_unwatched);
}

struct guard *guard_start(uv_loop_t *loop)
{
	struct guard *g;
	int err;

	if (supervisor_pid() == 0)
		return NULL;
	g = calloc(1, sizeof(*g));
	if (g == NULL)
		return NULL;
	g->loop = loop;
	g->pidfd = -1;
	uv_timer_init(loop, &g->timer);
	uv_unref((uv_handle_t *)&g->timer);
	g->timer.data = g;
	g->handles = 1;
	err = watch_pid(g, supervisor_pid());
	if (err == -ESRCH)
		replace(g); /* gone already */
	else if (err != 0)
		pr_warn("the supervisor cannot be watched: %s", strerror(-err));
	return g;
}

void guard_stop(struct guard *g)
{
	if (g == NULL)
		return;
	g->stopped = true;
	unwatch(g, on_freed);
	uv_close((uv_handle_t *)&g->timer, on_freed);
}
