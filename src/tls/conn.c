/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of a connection.
 *
 * Happy path: a request comes with two descriptors, the handshake goes to and fro on
 * the TCP descriptor, TLS_MSG_OPENED tells the daemon, the pump moves bytes until
 * both directions have ended (the peer's with TLS_MSG_EOF), TLS_MSG_END follows.
 *
 * When the file is closed first, what it has written goes out, then close_notify and
 * FIN. Then the connection *lingers*: whatever the peer still sends is read and dropped, for
 * close(2) with unread bytes sends RST, and that would take from the peer what it has
 * not read yet.
 *
 * Failure modes: the request is wrong, the handshake fails or takes too long: OPENED with
 * the errno. Afterwards: END with the errno. A file that is closed while the peer takes
 * nothing is given up after PATIENCE_MS without a byte.
 *
 * A closed file is seen by a third way beside libuv's: the end of a stream pair
 * can be half closed, and then only EPOLLHUP, which cannot be asked of libuv alone, tells that
 * the other half has gone too. One epoll instance, which libuv watches, has all files.
 */
#include "config.h"

#include "tls/conn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/util.h"
#include "tls/channel.h"
#include "tls/pump.h"
#include "tls/session.h"

#define PATIENCE_MS 60000	/* with a peer that takes nothing of a closed file */
#define LINGER_MS 5000		/* with a peer that does not close */
#define LINGER_BYTES (1u << 20) /* ... or sends without end */
#define HANGUPS_MAX 64		/* closed files at once */

enum conn_state {
	CONN_HANDSHAKE,
	CONN_OPEN,
	CONN_LINGER, /* everything is said; what comes is dropped */
	CONN_DEAD,   /* handles are closing */
};

struct watch {
	uv_poll_t poll;
	int events; /* which are asked for */
};

struct conn {
	TAILQ_ENTRY(conn) link;
	TAILQ_ENTRY(conn) busy_link;
	uint64_t id;
	enum conn_state state;
	int fds[CHANNEL_FDS];
	struct session session;
	struct pump pump;
	struct watch net, file;
	uv_timer_t timer;     /* a handle that libuv knows has its data set */
	unsigned int handles; /* that libuv knows */
	bool busy;	      /* in busy_conns: to be run without an event */
	bool hung_up;	      /* the file is closed */
	uint64_t sent_before; /* when the timer was set */
	size_t dropped;	      /* bytes, lingering */
};

TAILQ_HEAD(conns, conn);

static struct conns all_conns = TAILQ_HEAD_INITIALIZER(all_conns);
static struct conns busy_conns = TAILQ_HEAD_INITIALIZER(busy_conns);
static uv_loop_t *conn_loop;
static uv_idle_t again; /* active while busy_conns has somebody: the loop does not sleep */
static uv_poll_t hangups;
static int hangups_fd = -1;
static void (*on_no_conns)(void);

static void conn_run(struct conn *c);

static void set_busy(struct conn *c, bool busy)
{
	if (c->busy == busy)
		return;
	c->busy = busy;
	if (busy)
		TAILQ_INSERT_TAIL(&busy_conns, c, busy_link);
	else
		TAILQ_REMOVE(&busy_conns, c, busy_link);
}

/* ---------------------------------------------------------------------------- the end */

static void check_idle(void)
{
	void (*idle)(void) = on_no_conns;

	if (idle == NULL || !TAILQ_EMPTY(&all_conns))
		return;
	on_no_conns = NULL;
	idle();
}

/* The bytes that lie in a stream when it is closed would be ECONNRESET to its other end. */
static void empty_file(int fd)
{
	char buf[4096];

	shutdown(fd, SHUT_RDWR);
	for (int i = 0; i < 64 && recv(fd, buf, sizeof(buf), MSG_DONTWAIT) > 0; i++)
		;
}

static void conn_free(struct conn *c)
{
	pump_fini(&c->pump);
	session_fini(&c->session);
	empty_file(c->fds[CHANNEL_FILE]);
	epoll_ctl(hangups_fd, EPOLL_CTL_DEL, c->fds[CHANNEL_FILE], NULL);
	for (size_t i = 0; i < CHANNEL_FDS; i++)
		close(c->fds[i]);
	TAILQ_REMOVE(&all_conns, c, link);
	free(c);
	check_idle();
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct conn *c = handle->data;

	if (--c->handles == 0)
		conn_free(c);
}

static void close_handle(uv_handle_t *handle)
{
	if (handle->data != NULL)
		uv_close(handle, on_handle_closed);
}

/* Let go of it all. Nothing is told to anybody. */
static void conn_close(struct conn *c)
{
	c->state = CONN_DEAD;
	set_busy(c, false);
	close_handle((uv_handle_t *)&c->net.poll);
	close_handle((uv_handle_t *)&c->file.poll);
	close_handle((uv_handle_t *)&c->timer);
}

static void tell_opened(uint64_t id, const struct reason *r)
{
	static struct tls_msg msg;

	tls_msg_init(&msg, TLS_MSG_OPENED, id);
	msg.opened.err = r->err;
	for (unsigned int i = 0; i < TLS_OPENED_TEXTS; i++)
		tls_msg_add_cut(&msg, i == TLS_OPENED_REASON ? r->text : NULL);
	channel_send(&msg);
}

static void tell_end(uint64_t id, const struct reason *r)
{
	static struct tls_msg msg;

	tls_msg_init(&msg, TLS_MSG_END, id);
	msg.end.err = r->err;
	tls_msg_add_cut(&msg, r->err == 0 ? NULL : r->text);
	channel_send(&msg);
}

static void tell_eof(struct pump *p)
{
	static struct tls_msg msg;

	tls_msg_init(&msg, TLS_MSG_EOF, container_of(p, struct conn, pump)->id);
	tls_msg_add_cut(&msg, NULL);
	channel_send(&msg);
}

/* It is over, and the daemon hears why (@r->err 0: in order). */
static void conn_end(struct conn *c, const struct reason *r)
{
	if (c->state == CONN_HANDSHAKE)
		tell_opened(c->id, r);
	else
		tell_end(c->id, r);
	conn_close(c);
}

static void conn_fail(struct conn *c, int err, const char *why)
{
	struct reason r;

	reason_set(&r, err, "%s", why);
	conn_end(c, &r);
}

/* ---------------------------------------------------------------------- events, turns */

/* Each that is busy gets one turn, then the loop looks at the descriptors. */
static void on_again(uv_idle_t *handle)
{
	struct conns now = TAILQ_HEAD_INITIALIZER(now);
	struct conn *c;

	TAILQ_CONCAT(&now, &busy_conns, busy_link);
	while ((c = TAILQ_FIRST(&now)) != NULL) {
		TAILQ_REMOVE(&now, c, busy_link);
		c->busy = false;
		conn_run(c);
	}
	if (TAILQ_EMPTY(&busy_conns))
		uv_idle_stop(handle);
}

static void run_again(struct conn *c)
{
	set_busy(c, true);
	if (!uv_is_active((uv_handle_t *)&again))
		uv_idle_start(&again, on_again);
}

static void on_net(uv_poll_t *handle, int status, int events)
{
	struct conn *c = handle->data;

	/* A descriptor in error moves: OpenSSL will find out. libuv has stopped its watch. */
	if (status < 0)
		c->net.events = 0;
	if (status < 0 || (events & UV_READABLE))
		c->pump.net_in = true;
	if (status < 0 || (events & UV_WRITABLE))
		c->pump.net_out = true;
	conn_run(c);
}

static void on_file(uv_poll_t *handle, int status, int events)
{
	struct conn *c = handle->data;

	if (status < 0)
		c->file.events = 0;
	if (status < 0 || (events & UV_READABLE))
		c->pump.file_in = true;
	if (status < 0 || (events & UV_WRITABLE))
		c->pump.file_out = true;
	conn_run(c);
}

/* libuv makes two system calls of this, even where nothing changes. */
static void watch(struct watch *w, bool in, bool out, uv_poll_cb cb)
{
	int events = (in ? UV_READABLE : 0) | (out ? UV_WRITABLE : 0);

	if (events == w->events)
		return;
	w->events = events;
	if (events != 0)
		uv_poll_start(&w->poll, events, cb);
	else
		uv_poll_stop(&w->poll);
}

static void on_timer(uv_timer_t *timer)
{
	struct conn *c = timer->data;

	switch (c->state) {
	case CONN_HANDSHAKE:
		conn_fail(c, ETIMEDOUT, "the handshake took too long");
		break;
	case CONN_OPEN:
		if (c->pump.sent == c->sent_before) {
			conn_fail(c, ETIMEDOUT, "the peer takes nothing");
			break;
		}
		c->sent_before = c->pump.sent;
		uv_timer_start(&c->timer, on_timer, PATIENCE_MS, 0);
		break;
	default:
		conn_fail(c, 0, "");
	}
}

static void on_hangup(struct conn *c)
{
	c->hung_up = true;
	switch (c->state) {
	case CONN_HANDSHAKE:
		conn_fail(c, ECANCELED, "the file is closed");
		break;
	case CONN_OPEN:
		pump_set_deaf(&c->pump);
		c->pump.file_in = true;
		c->sent_before = c->pump.sent;
		uv_timer_start(&c->timer, on_timer, PATIENCE_MS, 0);
		conn_run(c);
		break;
	default:
		break;
	}
}

static void on_hangups(uv_poll_t *handle, int status, int events)
{
	struct epoll_event found[HANGUPS_MAX];
	int n = epoll_wait(hangups_fd, found, HANGUPS_MAX, 0);

	(void)handle;
	(void)status;
	(void)events;
	for (int i = 0; i < n; i++)
		on_hangup(found[i].data.ptr);
}

/* ------------------------------------------------------------------------------ states */

static void run_handshake(struct conn *c)
{
	static struct tls_msg msg;
	struct reason r;

	switch (session_handshake(&c->session, &r)) {
	case SESSION_WANT_READ:
		watch(&c->net, true, false, on_net);
		return;
	case SESSION_WANT_WRITE:
		watch(&c->net, false, true, on_net);
		return;
	case SESSION_FAILED:
		conn_end(c, &r);
		return;
	case SESSION_DONE:
		break;
	}
	uv_timer_stop(&c->timer);
	session_report(&c->session, &msg, c->id);
	channel_send(&msg);
	c->state = CONN_OPEN;
	run_again(c);
}

static void linger(struct conn *c)
{
	c->state = CONN_LINGER;
	shutdown(c->fds[CHANNEL_NET], SHUT_WR);
	watch(&c->file, false, false, on_file);
	uv_timer_start(&c->timer, on_timer, LINGER_MS, 0);
	run_again(c);
}

static void run_linger(struct conn *c)
{
	char buf[4096];
	ssize_t n = recv(c->fds[CHANNEL_NET], buf, sizeof(buf), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		watch(&c->net, true, false, on_net);
		return;
	}
	c->dropped += n > 0 ? (size_t)n : 0;
	if (n > 0 && c->dropped < LINGER_BYTES)
		run_again(c);
	else
		conn_fail(c, 0, "");
}

static void run_open(struct conn *c)
{
	enum pump_state state = pump_run(&c->pump);
	struct pump_wants wants;

	if (state == PUMP_FAILED) {
		conn_end(c, &c->pump.failed);
		return;
	}
	if (state == PUMP_DONE || (c->hung_up && c->pump.peer_told)) {
		linger(c);
		return;
	}
	wants = pump_wants(&c->pump);
	watch(&c->net, wants.net_in, wants.net_out, on_net);
	watch(&c->file, wants.file_in, wants.file_out, on_file);
	if (state == PUMP_MORE)
		run_again(c);
}

static void conn_run(struct conn *c)
{
	switch (c->state) {
	case CONN_HANDSHAKE:
		run_handshake(c);
		break;
	case CONN_OPEN:
		run_open(c);
		break;
	case CONN_LINGER:
		run_linger(c);
		break;
	case CONN_DEAD:
		break;
	}
}

/* --------------------------------------------------------------------------- beginning */

/* What came along is what it should be, and does not block. 0 or -errno. */
static int check_fds(const int *fds)
{
	for (size_t i = 0; i < CHANNEL_FDS; i++) {
		socklen_t len = sizeof(int);
		int type;

		if (fds[i] < 0)
			return -EMFILE; /* out of descriptors: the kernel drops them */
		if (getsockopt(fds[i], SOL_SOCKET, SO_TYPE, &type, &len) != 0)
			return -ENOTSOCK;
		if (type != SOCK_STREAM)
			return -EPROTOTYPE;
	}
	return 0;
}

static int watch_init(struct conn *c, struct watch *w, int fd)
{
	int err = uv_poll_init(conn_loop, &w->poll, fd);

	if (err != 0)
		return err;
	w->poll.data = c;
	c->handles++;
	return 0;
}

/* After a failure there are some handles, for conn_close. 0 or -errno. */
static int conn_start(struct conn *c)
{
	struct epoll_event hangup = {.events = EPOLLONESHOT, .data.ptr = c};
	int err;

	uv_timer_init(conn_loop, &c->timer);
	c->timer.data = c;
	c->handles = 1;
	err = watch_init(c, &c->net, c->fds[CHANNEL_NET]);
	if (err == 0)
		err = watch_init(c, &c->file, c->fds[CHANNEL_FILE]);
	if (err == 0 && epoll_ctl(hangups_fd, EPOLL_CTL_ADD, c->fds[CHANNEL_FILE], &hangup) != 0)
		err = -errno;
	return err;
}

/* Tell @r, which is all: there is no connection. */
static void refuse(uint64_t id, const int *fds, const struct reason *r)
{
	tell_opened(id, r);
	for (size_t i = 0; i < CHANNEL_FDS; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

/* Could there be such a connection? What came along belongs to none. */
static void conn_check(const struct tls_msg *msg, const int *fds)
{
	struct session session = {.ssl = NULL};
	struct reason r = {.err = 0};

	if (session_init(&session, msg, -1, &r))
		session_fini(&session);
	refuse(msg->head.id, fds, &r);
}

void conn_open(const struct tls_msg *msg, const int *fds)
{
	struct conn *c;
	struct reason r = {.err = 0};
	int err;

	if (msg->open.flags & TLS_OPEN_CHECK) {
		conn_check(msg, fds);
		return;
	}
	c = calloc(1, sizeof(*c));
	err = c == NULL ? -ENOMEM : check_fds(fds);
	if (err != 0) {
		reason_set(&r, -err, "%s", strerror(-err));
		refuse(msg->head.id, fds, &r);
		free(c);
		return;
	}
	c->id = msg->head.id;
	memcpy(c->fds, fds, sizeof(c->fds));
	TAILQ_INSERT_TAIL(&all_conns, c, link);
	err = conn_start(c);
	if (err != 0) {
		conn_fail(c, -err, strerror(-err));
		return;
	}
	if (!session_init(&c->session, msg, c->fds[CHANNEL_NET], &r)) {
		conn_end(c, &r);
		return;
	}
	pump_init(&c->pump, &c->session, c->fds[CHANNEL_NET], c->fds[CHANNEL_FILE], tell_eof);
	if (msg->open.timeout_ms > 0)
		uv_timer_start(&c->timer, on_timer, msg->open.timeout_ms, 0);
	conn_run(c);
}

int conns_init(uv_loop_t *loop)
{
	int err;

	conn_loop = loop;
	hangups_fd = epoll_create1(EPOLL_CLOEXEC);
	if (hangups_fd < 0)
		return -errno;
	err = uv_idle_init(loop, &again);
	if (err == 0)
		err = uv_poll_init(loop, &hangups, hangups_fd);
	if (err == 0)
		err = uv_poll_start(&hangups, UV_READABLE, on_hangups);
	return err;
}

void conns_finish(void (*idle)(void))
{
	struct conn *c, *next;

	on_no_conns = idle;
	for (c = TAILQ_FIRST(&all_conns); c != NULL; c = next) {
		next = TAILQ_NEXT(c, link);
		if (c->state == CONN_HANDSHAKE)
			conn_close(c);
	}
	check_idle();
}

static void on_hangups_closed(uv_handle_t *handle)
{
	(void)handle;
	close(hangups_fd);
	hangups_fd = -1;
}

void conns_exit(void)
{
	uv_close((uv_handle_t *)&again, NULL);
	uv_close((uv_handle_t *)&hangups, on_hangups_closed);
}
