/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Receiving requests, a turn at a time.
 *
 * Happy path: /dev/fuse becomes readable; up to TURN_MAX requests are read, one
 * read(2) each, and worked on at once; then the sockets get their turn.
 *
 * Failure modes: the mount goes away (ENODEV from read, or POLLERR, which libuv
 * calls UV_EBADF): the normal end. Anything else that read says ends the
 * session with that error. The messages are read here and not by libfuse,
 * which would print its own errors and own the buffer: a parked write keeps it.
 */
#include "config.h"

#include "fuse/session_i.h"
#include "fuse/whole.h"

#include <errno.h>
#include <linux/fuse.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"

/* A turn ends after so many requests or so much time, and the sockets get theirs. */
#define TURN_MAX 32
#define TURN_NS 500000u

static void session_end(struct session_impl *si, int err)
{
	if (si->ended || si->stopped)
		return;
	si->ended = true;
	uv_poll_stop(&si->poll);
	uv_idle_stop(&si->again);
	if (si->spin.open)
		spin_stop(&si->spin);
	/* From here on libfuse does not complain that nobody reads its answers. */
	fuse_session_exit(si->s.se);
	if (si->events.end != NULL)
		si->events.end(si->events.arg, err);
}

/* One message into s->buf: its length, 0 at the end, or -errno. */
static ssize_t session_receive(struct sockfs_session *s)
{
	ssize_t n;

	if (ledger != NULL) {
		ledger->message_done = 0;
		whole_mark(s->buf, s->unmarked);
		s->unmarked = 0;
	}
	do /* ENOENT: that request was interrupted before it was read */
		n = read(fuse_session_fd(s->se), s->buf, SESSION_BUF_SIZE);
	while (n < 0 && (errno == EINTR || errno == ENOENT));
	if (n < 0)
		return errno == ENODEV ? 0 : -errno;
	s->len = (size_t)n;
	s->unmarked = s->len + SESSION_BUF_PAD;
	memset(s->buf + n, 0, SESSION_BUF_PAD);
	return n;
}

/* Whoever goes on after us has to begin with the kernel's first word. */
static void keep_init(const struct sockfs_session *s)
{
	const struct fuse_in_header *in = (const void *)s->buf;

	if (ledger == NULL || in->opcode != FUSE_INIT || s->len > sizeof(ledger->init))
		return;
	memcpy(ledger->init, s->buf, s->len);
	ledger->init_len = (uint32_t)s->len;
}

void session_process(struct sockfs_session *s)
{
	struct session_impl *si = impl(s);
	struct fuse_buf msg = {.size = s->len, .mem = s->buf};

	if (s->len < sizeof(struct fuse_in_header)) {
		pr_warn("a message of %zu bytes is too short", s->len);
		return;
	}
	keep_init(s);
	session_message_begin(s);
	fuse_session_process_buf(s->se, &msg);
	session_message_end(s);
	if (s->got_init && !si->told_ready) {
		si->told_ready = true;
		if (si->events.ready != NULL)
			si->events.ready(si->events.arg);
	}
}

static bool session_turn(struct session_impl *si);

static void on_again(uv_idle_t *handle)
{
	session_turn(container_of(handle, struct session_impl, again));
}

/* With large reads left the loop must not sleep. */
static void session_again(struct session_impl *si, bool on)
{
	if (on == (bool)uv_is_active((uv_handle_t *)&si->again) || si->stopped || si->ended)
		return;
	if (on)
		uv_idle_start(&si->again, on_again);
	else
		uv_idle_stop(&si->again);
}

/* Is a turn of @i requests that began at @start over? */
static bool turn_is_over(const struct session_impl *si, int i, uint64_t start)
{
	return i >= TURN_MAX || si->stopped || (i > 0 && uv_hrtime() - start > TURN_NS);
}

/* Work on what is there, but not for ever. False: there was nothing. */
static bool session_turn(struct session_impl *si)
{
	struct sockfs_session *s = &si->s;
	uint64_t start = uv_hrtime();
	bool cut = true;
	int i;

	for (i = 0; !turn_is_over(si, i, start); i++) {
		size_t nr_bulk = s->nr_bulk;
		ssize_t n;

		if (bulk_is_due(s) && bulk_next(s))
			continue;
		n = session_receive(s);
		s->crowded = i > 0 || si->cut || nr_bulk > 0;
		if (n == -EAGAIN && bulk_next(s))
			continue;
		cut = n != -EAGAIN;
		if (!cut)
			break;
		if (i == 0)
			spin_wake(&si->spin);
		if (n <= 0) {
			session_end(si, (int)n);
			return true;
		}
		session_process(s);
		if (ledger != NULL)
			ledger->served++;
		bulk_passed(s, nr_bulk);
	}
	si->cut = cut;
	session_again(si, !TAILQ_EMPTY(&s->bulk));
	if (i > 0)
		spin_busy(&si->spin);
	return i > 0;
}

static bool session_look(void *arg)
{
	return session_turn(arg);
}

/* A poller waits for a socket as one who reads does, though no request of it is parked. */
static bool session_alone(void *arg)
{
	const struct sockfs_session *s = &((struct session_impl *)arg)->s;

	return s->sb->s_waiting.count == 0 && s->nr_pollers == 0;
}

void session_work_begin(struct sockfs_session *s)
{
	spin_wake(&impl(s)->spin);
}

void session_work_end(struct sockfs_session *s)
{
	/* Within the work on a message all of it holds together. */
	if (!s->in_message)
		session_flush(s);
	spin_busy(&impl(s)->spin);
}

static void on_readable(uv_poll_t *handle, int status, int events)
{
	struct session_impl *si = container_of(handle, struct session_impl, poll);

	(void)events;
	if (status < 0)
		session_end(si, status == UV_EBADF ? 0 : status);
	else
		session_turn(si);
}

/* What changed without an answer, before the loop sleeps. */
static void on_prepare(uv_prepare_t *prepare)
{
	session_flush(&container_of(prepare, struct session_impl, prepare)->s);
}

/* One piece of work a turn, between the requests. */
static void on_idle(uv_idle_t *idle)
{
	struct session_impl *si = container_of(idle, struct session_impl, idle);

	if (!run_work(si->s.sb))
		uv_idle_stop(idle);
}

static void begin_work(struct super_block *sb)
{
	struct sockfs_session *s = sb->s_fs_info;

	uv_idle_start(&impl(s)->idle, on_idle);
}

/* -------------------------------------------------------------- start and stop */

int turn_start(struct session_impl *si, int fd)
{
	int err = uv_poll_init(si->loop, &si->poll, fd);

	if (err != 0)
		return err;
	si->polling = true;
	uv_idle_init(si->loop, &si->idle);
	si->s.sb->s_begin_work = begin_work;
	uv_idle_init(si->loop, &si->again);
	uv_prepare_init(si->loop, &si->prepare);
	if (ledger != NULL)
		uv_prepare_start(&si->prepare, on_prepare);
	spin_init(&si->spin, si->loop, si->spin_us, session_look, session_alone, si);
	return uv_poll_start(&si->poll, UV_READABLE, on_readable);
}

static void on_poll_closed(uv_handle_t *handle)
{
	struct session_impl *si = container_of((uv_poll_t *)handle, struct session_impl, poll);

	si->polling = false;
}

void turn_stop(struct session_impl *si)
{
	/* The descriptor goes with the mount, so the loop must let go of it before. */
	if (si->polling) {
		uv_close((uv_handle_t *)&si->poll, on_poll_closed);
		uv_close((uv_handle_t *)&si->again, NULL);
		uv_close((uv_handle_t *)&si->prepare, NULL);
		uv_close((uv_handle_t *)&si->idle, NULL);
		si->s.sb->s_begin_work = NULL;
	}
	if (si->spin.open)
		spin_close(&si->spin, NULL);
}
