/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Receiving requests: libfuse's session on libuv's loop.
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

#include "fuse/fuse_i.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <uv.h>

#include "fuse/spin.h"
#include "lib/log.h"
#include "mm/slab.h"

/* A turn ends after so many requests or so much time, and the sockets get theirs. */
#define TURN_MAX 32
#define TURN_NS 500000u
#define FREE_BUFS_MAX 4

/* Zeros behind a message: names in a broken one end there, fixed structures are whole. */
#define BUF_PAD 1024u

struct session_impl {
	struct sockfs_session s; /* what the room sees */
	struct sockfs_session_events events;
	uv_loop_t *loop;
	uv_poll_t poll;
	uv_idle_t idle; /* while there is work */
	uv_idle_t again; /* while large reads stand back */
	bool cut; /* the last turn ended before the device had no more */
	bool polling; /* the handle is the loop's */
	bool stopped;
	bool ended;
	bool told_ready;
	unsigned int spin_us;
	struct spin spin;
	char *free_bufs[FREE_BUFS_MAX];
	unsigned int nr_free_bufs;
};

static struct session_impl *impl(const struct sockfs_session *s)
{
	return container_of((struct sockfs_session *)s, struct session_impl, s);
}

/* --------------------------------------------------------- what libfuse says */

/* The first words of libfuse since log_capture(); they explain why a mount failed. */
static char captured[256];
static bool capturing;

static void log_capture(bool on)
{
	capturing = on;
	if (on)
		captured[0] = '\0';
}

__attribute__((format(printf, 2, 0))) static void
on_fuse_log(enum fuse_log_level level, const char *fmt, va_list ap)
{
	char text[256];

	vsnprintf(text, sizeof(text), fmt, ap);
	text[strcspn(text, "\n")] = '\0';
	if (capturing) {
		if (captured[0] == '\0')
			memcpy(captured, text, sizeof(captured));
		return;
	}
	if (level >= FUSE_LOG_DEBUG)
		pr_debug("%s", text);
	else
		pr_warn("%s", text);
}

/* Without the name that the sender put in front of it. */
static const char *captured_text(void)
{
	static const char *const prefixes[] = {"fuse: ", "fusermount3: ", "error: "};
	const char *p = captured;

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (strncmp(p, prefixes[i], strlen(prefixes[i])) == 0)
			p += strlen(prefixes[i]);
	return *p != '\0' ? p : "no reason given";
}

/* -------------------------------------------------------------------- buffers */

bool session_in_message(const struct sockfs_session *s, const void *p, size_t len)
{
	const char *b = p;

	return len == 0 || (b >= s->buf && b <= s->buf + s->len && len <= s->len - (size_t)(b - s->buf));
}

static char *alloc_buf(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

char *session_take_buf(struct sockfs_session *s)
{
	struct session_impl *si = impl(s);
	char *fresh, *taken = s->buf;

	fresh = si->nr_free_bufs > 0 ? si->free_bufs[--si->nr_free_bufs]
				     : alloc_buf(SESSION_BUF_SIZE + BUF_PAD);
	if (fresh == NULL)
		return NULL;
	s->buf = fresh;
	s->len = 0;
	return taken;
}

void session_put_buf(struct sockfs_session *s, char *buf)
{
	struct session_impl *si = impl(s);

	if (si->nr_free_bufs < FREE_BUFS_MAX)
		si->free_bufs[si->nr_free_bufs++] = buf;
	else
		munmap(buf, SESSION_BUF_SIZE + BUF_PAD);
}

/* ------------------------------------------------------------------ receiving */

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

	do /* ENOENT: that request was interrupted before it was read */
		n = read(fuse_session_fd(s->se), s->buf, SESSION_BUF_SIZE);
	while (n < 0 && (errno == EINTR || errno == ENOENT));
	if (n < 0)
		return errno == ENODEV ? 0 : -errno;
	s->len = (size_t)n;
	memset(s->buf + n, 0, BUF_PAD);
	return n;
}

static void session_process(struct sockfs_session *s)
{
	struct session_impl *si = impl(s);
	struct fuse_buf msg = {.size = s->len, .mem = s->buf};

	if (s->len < sizeof(struct fuse_in_header)) {
		pr_warn("a message of %zu bytes is too short", s->len);
		return;
	}
	fuse_session_process_buf(s->se, &msg);
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

/* ------------------------------------------------------------- begin and end */

static void inval_attr(struct super_block *sb, struct inode *inode)
{
	struct sockfs_session *s = sb->s_fs_info;

	/* Takes no lock of the inode, unlike the notices about names: cannot deadlock. */
	if (s->got_init && (inode->i_nlookup > 0 || inode->i_nodeid == FUSE_ROOT_ID))
		fuse_lowlevel_notify_inval_inode(s->se, inode->i_nodeid, -1, 0);
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

static void session_free(struct session_impl *si)
{
	struct sockfs_session *s = &si->s;

	if (s->se != NULL)
		fuse_session_destroy(s->se);
	reply_pipe_close(&s->pipe);
	if (s->buf != NULL)
		session_put_buf(s, s->buf);
	while (si->nr_free_bufs > 0)
		munmap(si->free_bufs[--si->nr_free_bufs], SESSION_BUF_SIZE + BUF_PAD);
	if (s->scratch != NULL)
		munmap(s->scratch, SESSION_BUF_SIZE);
	free(si);
}

struct sockfs_session *sockfs_session_new(uv_loop_t *loop, struct super_block *sb,
					  struct fuse_args *args,
					  const struct sockfs_session_events *events)
{
	struct session_impl *si = calloc(1, sizeof(*si));
	struct sockfs_session *s;

	if (si == NULL)
		goto no_memory;
	s = &si->s;
	si->loop = loop;
	si->events = *events;
	s->sb = sb;
	s->pipe = (struct reply_pipe){.to.fd = -1, .from = -1};
	TAILQ_INIT(&s->bulk);
	s->buf = alloc_buf(SESSION_BUF_SIZE + BUF_PAD);
	s->scratch = alloc_buf(SESSION_BUF_SIZE);
	s->iocb_cache = kmem_cache_create("fuse_iocb", sizeof(struct fuse_iocb), 0,
					  SLAB_HWCACHE_ALIGN, NULL);
	if (s->buf == NULL || s->scratch == NULL || s->iocb_cache == NULL)
		goto free_session;

	fuse_set_log_func(on_fuse_log);
	log_capture(true);
	s->se = fuse_session_new(args, &sockfs_ll_ops, sizeof(sockfs_ll_ops), s);
	log_capture(false);
	if (s->se == NULL) {
		pr_err("%s", captured_text());
		goto destroy_cache;
	}
	sb->s_inval_attr = inval_attr;
	sb->s_fs_info = s;
	return s;

destroy_cache:
	kmem_cache_destroy(s->iocb_cache);
	session_free(si);
	return NULL;
free_session:
	kmem_cache_destroy(s->iocb_cache);
	session_free(si);
no_memory:
	pr_err("%s", strerror(ENOMEM));
	return NULL;
}

/* The first line of what fusermount3 wrote to stderr, unless libfuse said more. */
static void capture_stderr(int fd)
{
	ssize_t n;

	if (captured[0] != '\0')
		return;
	n = pread(fd, captured, sizeof(captured) - 1, 0);
	captured[n > 0 ? n : 0] = '\0';
	captured[strcspn(captured, "\n")] = '\0';
}

int sockfs_session_mount(struct sockfs_session *s, const char *mountpoint)
{
	int text = memfd_create("stderr", MFD_CLOEXEC);
	int saved = text >= 0 ? fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3) : -1;
	int err;

	if (saved >= 0)
		dup2(text, STDERR_FILENO);
	log_capture(true);
	err = fuse_session_mount(s->se, mountpoint);
	log_capture(false);
	if (saved >= 0) {
		dup2(saved, STDERR_FILENO);
		close(saved);
		capture_stderr(text);
	}
	if (text >= 0)
		close(text);
	if (err == 0)
		return 0;
	pr_err("cannot mount on %s: %s", mountpoint, captured_text());
	return -EIO;
}

void sockfs_session_tune(struct sockfs_session *s, const struct sockfs_tuning *tuning)
{
	int err = 0;

	impl(s)->spin_us = spin_may_pay() ? tuning->spin_us : 0;
	if (tuning->pipe_size > 0)
		err = reply_pipe_open(&s->pipe, tuning->pipe_size);
	if (err != 0)
		pr_info("large reads are copied: no pipe of %zu bytes: %s", tuning->pipe_size,
			strerror(-err));
}

int sockfs_session_start(struct sockfs_session *s)
{
	struct session_impl *si = impl(s);
	int fd = fuse_session_fd(s->se);
	int flags = fcntl(fd, F_GETFL);
	int err;

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	err = uv_poll_init(si->loop, &si->poll, fd);
	if (err != 0)
		return err;
	si->polling = true;
	uv_idle_init(si->loop, &si->idle);
	s->sb->s_begin_work = begin_work;
	uv_idle_init(si->loop, &si->again);
	spin_init(&si->spin, si->loop, si->spin_us, session_look, session_alone, si);
	return uv_poll_start(&si->poll, UV_READABLE, on_readable);
}

static void on_poll_closed(uv_handle_t *handle)
{
	struct session_impl *si = container_of((uv_poll_t *)handle, struct session_impl, poll);

	si->polling = false;
}

void sockfs_session_stop(struct sockfs_session *s)
{
	struct session_impl *si = impl(s);
	struct file *file;
	uint64_t pos = 0;
	bool wait;

	if (si->stopped)
		return;
	si->stopped = true;
	/* The descriptor goes with the mount, so the loop must let go of it before. */
	if (si->polling) {
		uv_close((uv_handle_t *)&si->poll, on_poll_closed);
		uv_close((uv_handle_t *)&si->again, NULL);
		uv_close((uv_handle_t *)&si->idle, NULL);
		s->sb->s_begin_work = NULL;
	}
	if (si->spin.open)
		spin_close(&si->spin, NULL);
	wait = s->sb->s_waiting.count > 0;
	iocb_cancel(s, NULL, -ESHUTDOWN);
	/* What no request waits for: numbers to forget. */
	while (run_work(s->sb))
		;
	while ((file = idtable_next(&s->sb->s_files, &pos)) != NULL)
		poll_reply(&file->f_poll);
	if (s->got_init && !si->ended)
		session_refuse(s, wait);
	fuse_session_exit(s->se);
	s->got_init = false;
	fuse_session_unmount(s->se);
}

int sockfs_session_destroy(struct sockfs_session *s)
{
	int err;

	if (s == NULL)
		return 0;
	err = kmem_cache_destroy(s->iocb_cache);
	if (s->sb->s_fs_info == s) {
		s->sb->s_fs_info = NULL;
		s->sb->s_inval_attr = NULL;
		s->sb->s_prune = NULL;
	}
	session_free(impl(s));
	return err;
}

size_t sockfs_session_parked(const struct sockfs_session *s)
{
	return s->sb->s_waiting.count;
}
