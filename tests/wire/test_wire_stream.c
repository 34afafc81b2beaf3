/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stream as the kernel asks for it: calls that take several requests, and
 * pollers that must be told of each change once and of nothing else.
 */
#include "config.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/unit.h"
#include "wire.h"

#define ROOT FUSE_ROOT_ID

static struct wire *w;

/* A connected socket file that is open, and the other end. */
static uint64_t ino, fh;
static int peer;

static void setup(void)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockfs_addr addr = {.host = "127.0.0.1"};
	struct fuse_entry_out entry;
	struct fuse_open_out o;
	socklen_t len = sizeof(sa);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int small = 4096;

	w = wire_new();
	ck_assert_ptr_nonnull(w);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	ck_assert_int_eq(bind(fd, (void *)&sa, sizeof(sa)), 0);
	ck_assert_int_eq(listen(fd, 16), 0);
	ck_assert_int_eq(getsockname(fd, (void *)&sa, &len), 0);
	snprintf(addr.port, sizeof(addr.port), "%u", ntohs(sa.sin_port));
	ck_assert_int_eq(wire_create(w, ROOT, "f", O_RDWR, 0644, &entry, &o), 0);
	ino = entry.nodeid;
	fh = o.fh;
	ck_assert_int_eq(wire_ioctl(w, ino, fh, SOCKFS_IOC_CONNECT, &addr), 0);
	peer = accept(fd, NULL, NULL);
	ck_assert_int_ge(peer, 0);
	close(fd);
}

static void teardown(void)
{
	if (peer >= 0)
		close(peer);
	ck_assert_int_eq(wire_free(w), 0);
}

static int answer(uint64_t unique)
{
	return wire_answer(w, unique, NULL, 0, NULL);
}

static void peer_resets(void)
{
	struct linger linger = {.l_onoff = 1};

	setsockopt(peer, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(peer);
	peer = -1;
}

static int32_t inq(void)
{
	int32_t n = -1;

	ck_assert_int_eq(wire_ioctl(w, ino, fh, SOCKFS_IOC_INQ, &n), 0);
	return n;
}

static bool has_bytes(void *arg)
{
	return inq() == *(int *)arg;
}

/* What poll says now, with @kh != 0 asking to be told of changes. */
static unsigned int events(uint64_t kh, uint32_t want)
{
	struct fuse_poll_in in = {.fh = fh, .kh = kh, .events = want};
	struct fuse_poll_out out = {0};
	uint64_t u;

	in.flags = kh != 0 ? FUSE_POLL_SCHEDULE_NOTIFY : 0;
	u = wire_send(w, FUSE_POLL, ino, &in, sizeof(in), NULL, 0);
	ck_assert_int_eq(wire_answer(w, u, &out, sizeof(out), NULL), 0);
	return out.revents;
}

static uint64_t read_at(uint64_t offset, uint32_t size)
{
	struct fuse_read_in in = {
		.fh = fh,
		.offset = offset,
		.size = size,
		.flags = O_RDWR,
		.read_flags = FUSE_READ_LOCKOWNER,
	};

	return wire_send(w, FUSE_READ, ino, &in, sizeof(in), NULL, 0);
}

static uint64_t write_at(uint64_t offset, const void *data, uint32_t size)
{
	struct fuse_write_in in = {.fh = fh, .offset = offset, .size = size, .flags = O_RDWR};

	return wire_send(w, FUSE_WRITE, ino, &in, sizeof(in), data, size);
}

/* ------------------------------------------------------ calls of several requests */

START_TEST(what_was_read_is_not_held_back)
{
	char buf[8];
	size_t len;
	int n = 6;

	ck_assert_int_eq(write(peer, "abcdef", 6), 6);
	ck_assert(wire_until(w, has_bytes, &n));
	ck_assert_int_eq(answer(read_at(0, 4)), 0);
	/* The kernel goes on since the request was answered in full. */
	ck_assert_int_eq(wire_answer(w, read_at(4, 4), buf, sizeof(buf), &len), 0);
	ck_assert_uint_eq(len, 2);
	ck_assert_mem_eq(buf, "ef", 2);
	ck_assert_int_eq(answer(read_at(6, 4)), -EAGAIN);
	ck_assert_uint_eq(sockfs_session_parked(w->session), 0);
}
END_TEST

static bool is_over(void *arg)
{
	(void)arg;
	return events(0, 0) & POLLHUP;
}

START_TEST(an_error_waits_for_the_next_read)
{
	int n = 4;

	ck_assert_int_eq(write(peer, "abcd", 4), 4);
	ck_assert(wire_until(w, has_bytes, &n));
	ck_assert_int_eq(answer(read_at(0, 4)), 0);
	peer_resets();
	ck_assert(wire_until(w, is_over, NULL));
	/* The kernel shows its caller the four bytes and drops this. */
	ck_assert_int_lt(answer(read_at(4, 4)), 0);
	ck_assert_int_eq(answer(read_at(0, 4)), -ECONNRESET);
	ck_assert_int_eq(answer(read_at(0, 4)), 0);
}
END_TEST

START_TEST(an_error_waits_for_the_next_write)
{
	ck_assert_int_eq(answer(write_at(0, "abcd", 4)), 0);
	peer_resets();
	ck_assert(wire_until(w, is_over, NULL));
	ck_assert_int_lt(answer(write_at(4, "efgh", 4)), 0);
	ck_assert_int_eq(answer(write_at(0, "ijkl", 4)), -ECONNRESET);
	ck_assert_int_eq(answer(write_at(0, "ijkl", 4)), -EPIPE);
}
END_TEST

/* The kernel appends behind the size, which is no place in a stream. */
START_TEST(an_appended_write_begins_anew)
{
	struct fuse_write_in in = {.fh = fh, .offset = 1 << 20, .size = 4, .flags = O_RDWR | O_APPEND};

	ck_assert_int_eq(answer(wire_send(w, FUSE_WRITE, ino, &in, sizeof(in), "abcd", 4)), 0);
	peer_resets();
	ck_assert(wire_until(w, is_over, NULL));
	in.offset += 4;
	ck_assert_int_eq(answer(wire_send(w, FUSE_WRITE, ino, &in, sizeof(in), "efgh", 4)),
			 -ECONNRESET);
	ck_assert_int_eq(answer(wire_send(w, FUSE_WRITE, ino, &in, sizeof(in), "efgh", 4)), -EPIPE);
}
END_TEST

/* For sendfile, splice, readahead and mmap: whole pages, at their places. */
START_TEST(a_read_of_a_page_takes_nothing)
{
	char buf[8];
	size_t len;
	int n = 6;

	ck_assert_int_eq(write(peer, "abcdef", 6), 6);
	ck_assert(wire_until(w, has_bytes, &n));
	ck_assert_int_eq(wire_read_page(w, ino, fh, 0), -EINVAL);
	ck_assert_int_eq(wire_read_page(w, ino, fh, 4096), -EINVAL);
	ck_assert_int_eq(wire_answer(w, read_at(0, 8), buf, sizeof(buf), &len), 0);
	ck_assert_uint_eq(len, 6);
	ck_assert_mem_eq(buf, "abcdef", 6);
}
END_TEST

START_TEST(a_reset_ends_fsync)
{
	static char data[1 << 20];
	struct fuse_fsync_in in = {.fh = fh};
	uint64_t u, s;

	do
		u = write_at(0, data, sizeof(data));
	while (answer(u) == 0);
	wire_interrupt(w, u);
	(void)answer(u);
	s = wire_send(w, FUSE_FSYNC, ino, &in, sizeof(in), NULL, 0);
	ck_assert_int_eq(answer(s), WIRE_OPEN);
	peer_resets();
	ck_assert_int_eq(wire_wait(w, s, NULL, 0, NULL), -ECONNRESET);
}
END_TEST

static bool sleeps(void *arg)
{
	(void)arg;
	return uv_backend_timeout(&w->loop) >= 8;
}

START_TEST(fsync_looks_less_and_less_often)
{
	static char data[1 << 20];
	struct sockfs_sockopt opt = {.level = SOL_SOCKFS, .name = SOCKFS_SO_RCVTIMEO, .len = 4};
	struct fuse_fsync_in in = {.fh = fh};
	int32_t seconds = 60;
	uint64_t u;

	/* A time limit that runs already, of a read. */
	memcpy(opt.value, &seconds, sizeof(seconds));
	ck_assert_int_eq(wire_ioctl(w, ino, fh, SOCKFS_IOC_SETSOCKOPT, &opt), 0);
	ck_assert_int_eq(answer(read_at(0, 4)), WIRE_OPEN);
	do
		u = write_at(0, data, sizeof(data));
	while (answer(u) == 0);
	wire_interrupt(w, u);
	(void)answer(u);
	ck_assert_int_eq(answer(wire_send(w, FUSE_FSYNC, ino, &in, sizeof(in), NULL, 0)), WIRE_OPEN);
	ck_assert(wire_until(w, sleeps, NULL));
}
END_TEST

/* ------------------------------------------------------------------------- pollers */

static bool was_told(void *arg)
{
	return w->last_kh == *(uint64_t *)arg;
}

/* Wait until the poller @kh was told; it does not ask again. */
static void expect_told(uint64_t kh)
{
	ck_assert(wire_until(w, was_told, &kh));
	w->last_kh = 0;
}

/* Nobody is told anything in the next turns of the loop. */
static void expect_silence(void)
{
	w->last_kh = 0;
	for (int i = 0; i < 20; i++)
		wire_turn(w);
	ck_assert_uint_eq(w->last_kh, 0);
}

START_TEST(the_end_behind_unread_bytes_is_told)
{
	int n = 4;

	ck_assert_int_eq(write(peer, "abcd", 4), 4);
	ck_assert(wire_until(w, has_bytes, &n));
	ck_assert_uint_eq(events(7, POLLRDHUP) & POLLRDHUP, 0);
	shutdown(peer, SHUT_WR);
	expect_told(7);
	ck_assert_uint_ne(events(8, 0) & POLLRDHUP, 0);
	/* Behind that only an error can come. */
	expect_silence();
	peer_resets();
	expect_told(8);
	ck_assert_uint_ne(events(0, 0) & POLLERR, 0);
}
END_TEST

START_TEST(unread_bytes_do_not_spin)
{
	static char data[1 << 20];
	uint64_t u;
	int n = 1;

	ck_assert_int_eq(write(peer, "x", 1), 1);
	ck_assert(wire_until(w, has_bytes, &n));
	do
		u = write_at(0, data, sizeof(data));
	while (answer(u) == 0);
	wire_interrupt(w, u);
	(void)answer(u);
	ck_assert_uint_eq(events(5, POLLOUT) & (POLLIN | POLLOUT), POLLIN);
	expect_silence();
	while (recv(peer, data, sizeof(data), MSG_DONTWAIT) > 0 || !was_told(&(uint64_t){5}))
		wire_turn(w);
	ck_assert_uint_ne(events(0, 0) & POLLOUT, 0);
}
END_TEST

START_TEST(what_the_poller_knows_is_no_news)
{
	int n = 1;

	/* Writable, and told so: nothing comes until something changes. */
	ck_assert_uint_ne(events(3, POLLIN | POLLOUT) & POLLOUT, 0);
	expect_silence();
	ck_assert_int_eq(write(peer, "x", 1), 1);
	expect_told(3);
	/* More bytes are news, as to a poller of the socket itself. */
	ck_assert_uint_ne(events(4, POLLIN | POLLOUT) & POLLIN, 0);
	expect_silence();
	ck_assert_int_eq(write(peer, "y", 1), 1);
	expect_told(4);
	/* Nobody asked since: the next poller finds out by asking. */
	ck_assert_int_eq(write(peer, "z", 1), 1);
	n = 3;
	ck_assert(wire_until(w, has_bytes, &n));
	expect_silence();
	ck_assert_uint_ne(events(5, POLLIN) & POLLIN, 0);
	expect_silence();
}
END_TEST

/* One who waits for room only, then one who waits for bytes. */
START_TEST(pollers_of_different_things)
{
	ck_assert_uint_ne(events(3, POLLOUT) & POLLOUT, 0);
	ck_assert_uint_eq(events(4, POLLIN) & POLLIN, 0);
	expect_silence();
	ck_assert_int_eq(write(peer, "x", 1), 1);
	expect_told(4);
}
END_TEST

START_TEST(bytes_taken_by_another_are_told_anew)
{
	int n = 1;

	ck_assert_uint_eq(events(3, POLLIN) & POLLIN, 0);
	ck_assert_int_eq(write(peer, "x", 1), 1);
	ck_assert(wire_until(w, has_bytes, &n));
	ck_assert_int_eq(answer(read_at(0, 4)), 0);
	/* The poller comes late, finds nothing, and waits on. */
	ck_assert_uint_eq(events(4, POLLIN) & POLLIN, 0);
	ck_assert_int_eq(write(peer, "y", 1), 1);
	expect_told(4);
}
END_TEST

START_TEST(a_parked_reader_and_a_poller)
{
	uint64_t u = read_at(0, 4);

	ck_assert_int_eq(answer(u), WIRE_OPEN);
	ck_assert_uint_eq(events(3, POLLIN) & POLLIN, 0);
	ck_assert_int_eq(write(peer, "x", 1), 1);
	ck_assert_int_eq(wire_wait(w, u, NULL, 0, NULL), 0);
	/* What the reader has taken is not told; what comes then is. */
	ck_assert_int_eq(write(peer, "y", 1), 1);
	expect_told(3);
}
END_TEST

START_TEST(a_poller_of_a_socket_that_goes)
{
	ck_assert_uint_eq(events(3, POLLIN) & POLLIN, 0);
	ck_assert_int_eq(wire_ioctl(w, ino, fh, SOCKFS_IOC_ABORT, NULL), 0);
	expect_told(3);
	ck_assert_uint_ne(events(4, POLLIN) & POLLHUP, 0);
	ck_assert_int_eq(wire_unlink(w, ROOT, "f"), 0);
	ck_assert_int_eq(wire_release(w, ino, fh), 0);
}
END_TEST

static TCase *tests(void)
{
	TCase *t = tcase_create("stream");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, what_was_read_is_not_held_back);
	tcase_add_test(t, an_error_waits_for_the_next_read);
	tcase_add_test(t, an_error_waits_for_the_next_write);
	tcase_add_test(t, an_appended_write_begins_anew);
	tcase_add_test(t, a_read_of_a_page_takes_nothing);
	tcase_add_test(t, a_reset_ends_fsync);
	tcase_add_test(t, fsync_looks_less_and_less_often);
	tcase_add_test(t, the_end_behind_unread_bytes_is_told);
	tcase_add_test(t, unread_bytes_do_not_spin);
	tcase_add_test(t, what_the_poller_knows_is_no_news);
	tcase_add_test(t, pollers_of_different_things);
	tcase_add_test(t, bytes_taken_by_another_are_told_anew);
	tcase_add_test(t, a_parked_reader_and_a_poller);
	tcase_add_test(t, a_poller_of_a_socket_that_goes);
	return t;
}

int main(void)
{
	Suite *s = suite_create("wire: streams and pollers");

	suite_add_tcase(s, tests());
	return unit_run(s);
}
