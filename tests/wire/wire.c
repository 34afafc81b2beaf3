/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A kernel for tests: the plumbing. wire_ops.c has the requests.
 */
#include "config.h"

#define FUSE_USE_VERSION 35

#include "wire.h"

#include <errno.h>
#include <fuse_lowlevel.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "ctl/faces.h"
#include "journal/ledger.h"
#include "net/core/wait.h"
#include "net/inet/af_inet.h"
#include "net/unix/unix.h"
#include "net/socket.h"
#include "resume/save.h"

#define WAIT_MS 10000

static struct wire *the_wire;

/* ------------------------------------------------- the daemon's side of the line */

static bool request_done(struct wire *w, uint64_t unique)
{
	struct wire_request *r;

	TAILQ_FOREACH(r, &w->requests, link)
		if (r->unique == unique) {
			TAILQ_REMOVE(&w->requests, r, link);
			free(r);
			return true;
		}
	return false;
}

static void take_notice(struct wire *w, int code, const char *body)
{
	w->notices++;
	if (code == FUSE_NOTIFY_POLL)
		memcpy(&w->last_kh, body, sizeof(w->last_kh));
	else if (code == FUSE_NOTIFY_INVAL_INODE)
		memcpy(&w->last_inval, body, sizeof(w->last_inval));
}

/* True: @a is kept, and what it holds of @out is filled in. */
static bool take_answer(struct wire *w, const struct fuse_out_header *out, struct wire_answer *a)
{
	/* An interrupt that found nobody may be handed back, to be sent again. */
	if (out->unique & 1 && out->error == -EAGAIN)
		return false;
	if (out->len != sizeof(*out) + a->len || out->error > 0 || out->error < -511 ||
	    !request_done(w, out->unique)) {
		w->wrong++;
		return false;
	}
	a->unique = out->unique;
	a->error = out->error;
	TAILQ_INSERT_TAIL(&w->answers, a, link);
	return true;
}

/* What the kernel says to such an answer: 0 or an errno. */
static int kernels_word(struct wire *w, const struct fuse_out_header *out, size_t len)
{
	struct wire_request *r;

	if (w->refuse != 0) {
		/* The kernel has given the request up: it is over all the same. */
		request_done(w, out->unique);
		return w->refuse;
	}
	if (!w->resumed || out->unique == 0)
		return 0;
	if (out->len != len || out->error > 0 || out->error < -511)
		return EINVAL;
	TAILQ_FOREACH(r, &w->requests, link)
		if (r->unique == out->unique)
			return 0;
	return ENOENT;
}

/* The header is in the first part. */
static ssize_t take_message(struct wire *w, const struct iovec *iov, int count)
{
	struct fuse_out_header out;
	struct wire_answer *a;
	size_t len = 0, at = 0;
	bool kept = false;

	if (iov[0].iov_len < sizeof(out)) {
		if (!w->resumed)
			abort();
		errno = EINVAL;
		return -1;
	}
	memcpy(&out, iov[0].iov_base, sizeof(out));
	for (int i = 0; i < count; i++)
		len += iov[i].iov_len;
	errno = kernels_word(w, &out, len);
	if (errno != 0)
		return -1;
	a = malloc(sizeof(*a) + len);
	if (a == NULL)
		abort();
	a->len = len - sizeof(out);
	for (int i = 0; i < count; i++) {
		size_t skip = i == 0 ? sizeof(out) : 0;

		memcpy(a->data + at, (const char *)iov[i].iov_base + skip, iov[i].iov_len - skip);
		at += iov[i].iov_len - skip;
	}
	if (out.unique == 0)
		take_notice(w, out.error, a->data);
	else
		kept = take_answer(w, &out, a);
	if (!kept)
		free(a);
	return (ssize_t)len;
}

/* Answers, and the notices that the wire counts. */
static bool is_for_wire(const struct iovec *iov)
{
	const struct fuse_out_header *out = iov[0].iov_base;

	return iov[0].iov_len < sizeof(*out) || out->unique != 0 || out->error == FUSE_NOTIFY_POLL ||
	       out->error == FUSE_NOTIFY_INVAL_INODE;
}

/*
 * libfuse answers by writev(2), and finds this one before the C library's. (Its own door for
 * that, fuse_session_custom_io(), is closed in the libfuse of some distributions.)
 */
ssize_t writev(int fd, const struct iovec *iov, int count)
{
	struct wire *w = the_wire != NULL && fd == the_wire->daemon_fd ? the_wire : NULL;

	if (w != NULL && w->die != NULL && w->answers_left-- == 0)
		w->die(w);
	if (w != NULL && is_for_wire(iov))
		return take_message(w, iov, count);
	if (w != NULL && w->refuse_others != 0) {
		w->refused++;
		errno = w->refuse_others;
		return -1;
	}
	return syscall(SYS_writev, fd, iov, count);
}

static void on_ready(void *arg)
{
	struct wire *w = arg;

	w->wrong += w->ready;
	w->ready = true;
}

static void on_end(void *arg, int err)
{
	(void)err;
	((struct wire *)arg)->ended = true;
}

/* ----------------------------------------------------------------- up and down */

static int start_session(struct wire *w)
{
	const struct sockfs_session_events events = {on_ready, on_end, w};

	if (sockfs_session_attach(w->session, &w->loop, &w->sb, &events) != 0)
		return -1;
	if (w->pipe_size > 0)
		sockfs_session_tune(w->session, &(struct sockfs_tuning){.pipe_size = w->pipe_size});
	return sockfs_session_start(w->session);
}

static int new_session(struct wire *w, int fd)
{
	char name[] = "wire", path[32];
	char *argv[] = {name, NULL};
	struct fuse_args args = FUSE_ARGS_INIT(1, argv);

	w->session = sockfs_session_new(&args);
	fuse_opt_free_args(&args);
	if (w->session == NULL)
		return -1;
	/* To libfuse it is a mount that somebody else has made. */
	snprintf(path, sizeof(path), "/dev/fd/%d", fd);
	w->daemon_fd = fd;
	return sockfs_session_mount(w->session, path);
}

static struct wire *wire_alloc(int fd)
{
	struct wire *w = calloc(1, sizeof(*w));

	if (w == NULL)
		abort();
	the_wire = w;
	w->fd = fd;
	w->daemon_fd = -1;
	w->pid = 1;
	TAILQ_INIT(&w->answers);
	TAILQ_INIT(&w->requests);
	return w;
}

struct wire *wire_make(void)
{
	struct wire *w = wire_alloc(-1);
	int size = 4 << 20;
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0)
		return NULL;
	setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	setsockopt(fds[0], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	w->fd = fds[0];
	return new_session(w, fds[1]) == 0 ? w : NULL;
}

struct wire *wire_adopt(int fd, int daemon_fd)
{
	struct wire *w = wire_alloc(fd);

	return new_session(w, daemon_fd) == 0 ? w : NULL;
}

/* All that the session stands on. */
static int bring_up(struct wire *w)
{
	if (uv_loop_init(&w->loop) != 0)
		abort();
	sk_loop_init(&w->loop);
	if (sock_init() != 0 || inet_init() != 0 || unix_init() != 0 ||
	    super_init(&w->sb, &sockfs_ops, &sockfs_dir_iops, 0755, 0, 0) != 0 ||
	    faces_init(&w->sb) != 0)
		return -1;
	w->sb.s_max_sockets = 1000000;
	if (ledger != NULL) {
		idtable_limit(&w->sb.s_inodes, ledger_max(LEDGER_INODES) - 1);
		idtable_limit(&w->sb.s_files, ledger_max(LEDGER_FILES));
	}
	return 0;
}

int wire_serve(struct wire *w)
{
	if (bring_up(w) != 0)
		return -1;
	save_begin(&w->sb, true);
	return start_session(w);
}

/* settle.c refuses requests by write(2), which comes out at the other end. */
static void take_written(struct wire *w)
{
	struct fuse_out_header out;

	while (recv(w->fd, &out, sizeof(out), MSG_DONTWAIT) > 0)
		request_done(w, out.unique);
}

int wire_resume(struct wire *w, const int *keep, size_t nr)
{
	int err;

	w->resumed = true;
	ledger_begin();
	err = restore_begin(keep, nr);
	if (bring_up(w) != 0)
		abort();
	if (err == 0)
		err = sockfs_session_claim(w->session);
	if (err == 0)
		err = restore(&w->sb, &w->restored);
	else
		restore_cancel();
	if (err == 0)
		err = start_session(w);
	if (err == 0)
		err = sockfs_session_settle(w->session);
	if (err == 0) {
		restore_end(&w->sb);
		restore_dials(&w->sb);
		sockfs_session_resume(w->session);
	}
	take_written(w);
	return err;
}

struct wire *wire_new_raw(void)
{
	struct wire *w = wire_make();

	return w != NULL && wire_serve(w) == 0 ? w : NULL;
}

struct wire *wire_new(void)
{
	struct wire *w = wire_new_raw();

	return w != NULL && wire_init(w) == 0 && w->ready ? w : NULL;
}

void wire_stop(struct wire *w)
{
	sockfs_session_stop(w->session);
}

static void on_wait_over(uv_timer_t *timer)
{
	*(bool *)timer->data = true;
}

/* Handles that do not close are found by uv_loop_close. */
static void drain(struct wire *w)
{
	bool over = false;
	uv_timer_t timer;

	uv_timer_init(&w->loop, &timer);
	timer.data = &over;
	uv_timer_start(&timer, on_wait_over, WAIT_MS, 0);
	uv_unref((uv_handle_t *)&timer);
	while (!over && uv_run(&w->loop, UV_RUN_ONCE) != 0)
		;
	uv_close((uv_handle_t *)&timer, NULL);
	uv_run(&w->loop, UV_RUN_NOWAIT);
}

int wire_free(struct wire *w)
{
	struct wire_request *r;
	struct wire_answer *a;
	int bad = 0;

	wire_stop(w);
	save_end(&w->sb);
	super_fini(&w->sb);
	drain(w);
	if (w->resumed) /* what was broken is nobody's, and may have had its answer before */
		w->wrong = 0;
	bad += (int)w->wrong;
	while ((r = TAILQ_FIRST(&w->requests)) != NULL) {
		TAILQ_REMOVE(&w->requests, r, link);
		free(r);
		bad += !w->resumed;
	}
	while ((a = TAILQ_FIRST(&w->answers)) != NULL) {
		TAILQ_REMOVE(&w->answers, a, link);
		free(a);
	}
	bad += sockfs_session_destroy(w->session) != 0;
	the_wire = NULL;
	bad += unix_exit() != 0;
	bad += inet_exit() != 0;
	bad += sock_exit() != 0;
	bad += uv_loop_close(&w->loop) != 0;
	close(w->fd);
	free(w);
	return bad;
}

/* --------------------------------------------------------- requests and answers */

void wire_turn(struct wire *w)
{
	uv_run(&w->loop, UV_RUN_NOWAIT);
}

static void send_parts(struct wire *w, struct iovec *iov, size_t count)
{
	const struct msghdr msg = {.msg_iov = iov, .msg_iovlen = count};
	ssize_t len = 0;

	for (size_t i = 0; i < count; i++)
		len += (ssize_t)iov[i].iov_len;
	if (sendmsg(w->fd, &msg, MSG_NOSIGNAL) != len)
		abort();
	if (!w->hold)
		wire_turn(w);
}

void wire_send_raw(struct wire *w, const void *msg, size_t len)
{
	send_parts(w, &(struct iovec){(void *)msg, len}, 1);
}

void wire_expect(struct wire *w, uint64_t unique)
{
	struct wire_request *r = calloc(1, sizeof(*r));

	if (r == NULL)
		abort();
	r->unique = unique;
	TAILQ_INSERT_TAIL(&w->requests, r, link);
}

void wire_send_as(struct wire *w, uint64_t unique, uint32_t opcode, uint64_t nodeid,
		  const void *arg, size_t len, const void *data, size_t data_len, bool expects)
{
	struct fuse_in_header in = {
		.len = (uint32_t)(sizeof(in) + len + data_len),
		.opcode = opcode,
		.unique = unique,
		.nodeid = nodeid,
		.uid = w->uid,
		.gid = w->gid,
		.pid = (uint32_t)w->pid,
	};
	struct iovec iov[] = {{&in, sizeof(in)}, {(void *)arg, len}, {(void *)data, data_len}};

	if (expects)
		wire_expect(w, unique);
	send_parts(w, iov, 3);
}

uint64_t wire_send(struct wire *w, uint32_t opcode, uint64_t nodeid, const void *arg, size_t len,
		   const void *data, size_t data_len)
{
	/* As in the kernel: even numbers, odd ones are interrupts'. */
	uint64_t unique = w->unique += 2;

	wire_send_as(w, unique, opcode, nodeid, arg, len, data, data_len, true);
	return unique;
}

int wire_answer(struct wire *w, uint64_t unique, void *buf, size_t size, size_t *ret_len)
{
	struct wire_answer *a;
	int error;

	TAILQ_FOREACH(a, &w->answers, link)
		if (a->unique == unique)
			break;
	if (a == NULL)
		return WIRE_OPEN;
	error = a->error;
	if (buf != NULL)
		memcpy(buf, a->data, a->len < size ? a->len : size);
	if (ret_len != NULL)
		*ret_len = a->len;
	TAILQ_REMOVE(&w->answers, a, link);
	free(a);
	return error;
}

bool wire_until(struct wire *w, bool (*cond)(void *arg), void *arg)
{
	bool over = false;
	uv_timer_t timer;

	uv_timer_init(&w->loop, &timer);
	timer.data = &over;
	uv_timer_start(&timer, on_wait_over, WAIT_MS, 0);
	while (!over && !cond(arg))
		uv_run(&w->loop, UV_RUN_ONCE);
	uv_close((uv_handle_t *)&timer, NULL);
	uv_run(&w->loop, UV_RUN_NOWAIT);
	/* A machine that stood still finds both at once. */
	return !over || cond(arg);
}

struct awaited {
	struct wire *w;
	uint64_t unique;
};

static bool has_answer(void *arg)
{
	struct awaited *x = arg;
	struct wire_answer *a;

	TAILQ_FOREACH(a, &x->w->answers, link)
		if (a->unique == x->unique)
			return true;
	return false;
}

int wire_wait(struct wire *w, uint64_t unique, void *buf, size_t size, size_t *ret_len)
{
	struct awaited x = {w, unique};

	wire_until(w, has_answer, &x);
	return wire_answer(w, unique, buf, size, ret_len);
}

int wire_call(struct wire *w, uint32_t opcode, uint64_t nodeid, const void *arg, size_t len,
	      const void *data, size_t data_len, void *ret, size_t size, size_t *ret_len)
{
	return wire_answer(w, wire_send(w, opcode, nodeid, arg, len, data, data_len), ret, size,
			   ret_len);
}
