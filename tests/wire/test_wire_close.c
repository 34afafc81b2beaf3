/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How connections end, and what outlives a descriptor: time limits, the watch.
 */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/core/core.h"
#include "tests/unit/unit.h"
#include "wire_net.h"

#define ROOT FUSE_ROOT_ID

static struct wire *w;

static void setup(void)
{
	w = wire_new();
	ck_assert_ptr_nonnull(w);
}

static void teardown(void)
{
	ck_assert_int_eq(wire_free(w), 0);
}

static bool was_told(void *nr)
{
	return w->notices > *(unsigned int *)nr;
}

static int answer_of(uint64_t unique)
{
	return wire_wait(w, unique, NULL, 0, NULL);
}

static void close_and_remove(const struct end *e, const char *name)
{
	ck_assert_int_eq(wire_unlink(w, ROOT, name), 0);
	ck_assert_int_eq(wire_release(w, e->ino, e->fh), 0);
}

/* -------------------------------------------------------------------- FIN or RST */

/* The answer arrives and the stream ends, although not all of the question was read. */
START_TEST(bytes_that_nobody_read)
{
	static const char question[5000];
	struct end e = make_connected(w, "f");
	char got[16];

	ck_assert_int_eq(send(e.peer, question, sizeof(question), 0), sizeof(question));
	until_polled(&e, POLLIN);
	ck_assert_int_eq(answer_of(wire_write(w, e.ino, e.fh, "answer", 6, O_RDWR)), 0);
	close_and_remove(&e, "f");
	ck_assert_int_eq(recv(e.peer, got, sizeof(got), MSG_WAITALL), 6);
	ck_assert_mem_eq(got, "answer", 6);
	ck_assert_int_eq(recv(e.peer, got, sizeof(got), 0), 0);
	close(e.peer);
}
END_TEST

/* linger 0 asks for RST; with any other time FIN goes at once: close must not wait. */
START_TEST(linger_times)
{
	static const struct {
		int seconds, err;
	} cases[] = {{0, ECONNRESET}, {100, 0}};
	struct linger linger = {.l_onoff = 1, .l_linger = cases[_i].seconds};
	struct sockfs_sockopt opt = {
		.level = SOL_SOCKET, .name = SO_LINGER, .len = sizeof(linger)};
	struct end e = make_connected(w, "f");
	static char data[128 << 10];
	ssize_t n;

	memcpy(opt.value, &linger, sizeof(linger));
	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_SETSOCKOPT, &opt), 0);
	/* More than the peer takes: there is something to wait for. */
	ck_assert_int_eq(answer_of(wire_write(w, e.ino, e.fh, data, sizeof(data),
					      O_RDWR | O_NONBLOCK)),
			 0);
	close_and_remove(&e, "f");
	do
		n = recv(e.peer, data, sizeof(data), 0);
	while (n > 0);
	ck_assert_int_eq(n < 0 ? errno : 0, cases[_i].err);
	close(e.peer);
}
END_TEST

/* RST goes out although a writer waits, and with it a second descriptor. */
START_TEST(an_abort_under_a_writer)
{
	static char data[128 << 10];
	struct end e = make_connected(w, "f");
	uint64_t u;
	ssize_t n;

	set_option(&e, SOL_SOCKET, SO_SNDBUF, 4096);
	u = wire_write(w, e.ino, e.fh, data, sizeof(data), O_RDWR);
	ck_assert_int_eq(wire_answer(w, u, NULL, 0, NULL), WIRE_OPEN);
	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_ABORT, NULL), 0);
	ck_assert_int_eq(answer_of(u), 0);
	do
		n = recv(e.peer, data, sizeof(data), 0);
	while (n > 0);
	ck_assert_int_eq(n, -1);
	ck_assert_int_eq(errno, ECONNRESET);
	close(e.peer);
}
END_TEST

/* Nobody waited: the next read is told, and only that one; what comes then is an end. */
START_TEST(an_abort_that_nobody_saw)
{
	struct end e = make_connected(w, "f");
	size_t len = 1;
	char c;

	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_ABORT, NULL), 0);
	ck_assert_int_eq(answer_of(wire_read(w, e.ino, e.fh, 1, O_RDWR)), -ECONNABORTED);
	ck_assert_int_eq(wire_answer(w, wire_read(w, e.ino, e.fh, 1, O_RDWR), &c, 1, &len), 0);
	ck_assert_uint_eq(len, 0);
	ck_assert_int_eq(answer_of(wire_write(w, e.ino, e.fh, "x", 1, O_RDWR)), -EPIPE);
	close(e.peer);
}
END_TEST

/* ----------------------------------------------------------------------- sleeping */

static void on_time(uv_timer_t *timer)
{
	*(bool *)timer->data = true;
}

/* In how many turns of the loop a tenth of a second goes by; one that sleeps takes few. */
static unsigned int turns(void)
{
	unsigned int n = 0;
	bool over = false;
	uv_timer_t timer;

	uv_timer_init(&w->loop, &timer);
	timer.data = &over;
	uv_timer_start(&timer, on_time, 100, 0);
	while (!over) {
		uv_run(&w->loop, UV_RUN_ONCE);
		n++;
	}
	uv_close((uv_handle_t *)&timer, NULL);
	uv_run(&w->loop, UV_RUN_NOWAIT);
	return n;
}

/* What nobody waits for any more does not keep the daemon busy: bytes, room, connections. */
START_TEST(nobody_waits_any_more)
{
	static char data[128 << 10];
	struct end e = make_connected(w, "f");
	unsigned int port;
	struct end srv = make_listener(w, "127.0.0.1", &port);
	uint64_t u[3];
	int fd;

	set_option(&e, SOL_SOCKET, SO_SNDBUF, 4096);
	u[0] = wire_read(w, e.ino, e.fh, 16, O_RDWR);
	u[1] = wire_write(w, e.ino, e.fh, data, sizeof(data), O_RDWR);
	u[2] = wire_read(w, srv.ino, srv.fh, 100, O_RDWR);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(wire_answer(w, u[i], NULL, 0, NULL), WIRE_OPEN);
		wire_interrupt(w, u[i]);
		ck_assert_int_le(wire_answer(w, u[i], NULL, 0, NULL), 0);
	}
	ck_assert_int_eq(send(e.peer, "x", 1, 0), 1);
	fd = dial(AF_INET, port);
	while (recv(e.peer, data, sizeof(data), MSG_DONTWAIT) > 0)
		;
	until_polled(&e, POLLIN);
	until_polled(&e, POLLOUT);
	until_polled(&srv, POLLIN);
	ck_assert_uint_lt(turns(), 50);
	/* And who waits anew is served. */
	ck_assert_int_eq(answer_of(wire_read(w, e.ino, e.fh, 16, O_RDWR)), 0);
	ck_assert_int_eq(answer_of(wire_read(w, srv.ino, srv.fh, 100, O_RDWR)), 0);
	close(fd);
	close(e.peer);
}
END_TEST

/* Nor does an end that is known, whatever was watched before. */
START_TEST(the_end_is_quiet)
{
	struct end e = make_connected(w, "f");
	unsigned int told = w->notices;

	ck_assert_int_eq(answer_of(wire_poll(w, e.ino, e.fh, 7)), 0);
	close(e.peer);
	ck_assert(wire_until(w, was_told, &told));
	ck_assert_int_eq(answer_of(wire_read(w, e.ino, e.fh, 16, O_RDWR)), 0);
	ck_assert_int_eq(answer_of(wire_read(w, e.ino, e.fh, 16, O_RDWR)), 0);
	ck_assert_uint_lt(turns(), 50);
}
END_TEST

/* -------------------------------------------------------------------- time limits */

/* A dial may need another descriptor; a read that waits meanwhile keeps its time limit. */
START_TEST(a_time_limit_outlives_the_descriptor)
{
	struct end e = make_connected(w, "f");
	uint64_t u;

	set_option(&e, SOL_SOCKFS, SOCKFS_SO_RCVTIMEO, 1);
	u = wire_read(w, e.ino, e.fh, 16, O_RDWR);
	ck_assert_int_eq(wire_answer(w, u, NULL, 0, NULL), WIRE_OPEN);
	ck_assert_ptr_nonnull(sk_replace(socket_of(&e)->sk));
	ck_assert_uint_ne(socket_of(&e)->sk->sk_timer, 0);
	ck_assert_int_eq(answer_of(u), -ETIMEDOUT);
	close(e.peer);
}
END_TEST

static bool has_no_name(void *inode)
{
	return ((struct inode *)inode)->i_nlink == 0;
}

/* It is over and its time runs; an abort does not stop that. */
START_TEST(an_abort_before_it_is_reaped)
{
	unsigned int port;
	struct end srv = make_listener(w, "127.0.0.1", &port), f;
	struct sockfs_accept a;
	struct inode *inode;
	int fd;

	set_option(&srv, SOL_SOCKFS, SOCKFS_SO_REAP, 1);
	fd = dial(AF_INET, port);
	ck_assert_int_eq(ioc(&srv, SOCKFS_IOC_ACCEPT, &a), 0);
	f = open_file(w, a.name);
	f.peer = fd;
	inode = ilookup(&w->sb, f.ino);
	reset_by_peer(&f);
	ck_assert_int_eq(answer_of(wire_read(w, f.ino, f.fh, 16, O_RDWR)), -ECONNRESET);
	ck_assert_int_eq(wire_release(w, f.ino, f.fh), 0);
	ck_assert_uint_ne(socket_of(&f)->sk->sk_timer, 0);
	ck_assert_int_eq(sock_abort(socket_of(&f)), 0);
	ck_assert(wire_until(w, has_no_name, inode));
}
END_TEST

/* Called off, and set again by its control file when there is nobody left to close it. */
START_TEST(reaped_though_it_was_over_before)
{
	struct sockfs_sockopt opt = {.level = SOL_SOCKFS, .name = SOCKFS_SO_REAP, .len = 4};
	int second = 1;
	unsigned int port;
	struct end srv = make_listener(w, "127.0.0.1", &port), f;
	struct sockfs_accept a;
	struct inode *inode;
	int fd;

	set_option(&srv, SOL_SOCKFS, SOCKFS_SO_REAP, 1);
	fd = dial(AF_INET, port);
	ck_assert_int_eq(ioc(&srv, SOCKFS_IOC_ACCEPT, &a), 0);
	f = open_file(w, a.name);
	f.peer = fd;
	inode = ilookup(&w->sb, f.ino);
	set_option(&f, SOL_SOCKFS, SOCKFS_SO_REAP, 0);
	reset_by_peer(&f);
	ck_assert_int_eq(wire_release(w, f.ino, f.fh), 0);
	/* Its hang-up has come, and was of no interest. */
	for (int i = 0; i < 4; i++)
		wire_turn(w);
	memcpy(opt.value, &second, sizeof(second));
	ck_assert_int_eq(sock_setsockopt(socket_of(&f), &opt), 0);
	ck_assert(wire_until(w, has_no_name, inode));
}
END_TEST

/* Who waits for a connection is told that none will come. */
START_TEST(a_listener_that_is_shut_down)
{
	unsigned int port;
	struct end srv = make_listener(w, "127.0.0.1", &port);
	uint64_t u = wire_read(w, srv.ino, srv.fh, 64, O_RDWR);
	int32_t how = SHUT_WR;

	ck_assert_int_eq(ioc(&srv, SOCKFS_IOC_SHUTDOWN, &how), 0);
	ck_assert_int_eq(wire_answer(w, u, NULL, 0, NULL), WIRE_OPEN);
	how = SHUT_RD;
	ck_assert_int_eq(ioc(&srv, SOCKFS_IOC_SHUTDOWN, &how), 0);
	ck_assert_int_eq(wire_answer(w, u, NULL, 0, NULL), -EINVAL);
}
END_TEST

/* ---------------------------------------------------------------------- the watch */

static bool is_asleep(void *sk)
{
	return ((struct sock *)sk)->sk_watch == 0;
}

/* An edge that finds nobody is the last one, until somebody asks again. */
START_TEST(a_watch_that_nobody_wants_sleeps)
{
	struct end e = make_connected(w, "f");
	struct sock *sk = socket_of(&e)->sk;

	for (int i = 0; i < 3; i++) {
		struct fuse_poll_out out = {0};
		unsigned int told = w->notices;
		char buf[16];

		ck_assert_int_eq(wire_wait(w, wire_poll(w, e.ino, e.fh, 7), &out, sizeof(out), NULL),
				 0);
		ck_assert_uint_eq(out.revents & POLLIN, 0);
		ck_assert_uint_ne(sk->sk_watch & POLLIN, 0);
		ck_assert_int_eq(send(e.peer, "1", 1, 0), 1);
		ck_assert(wire_until(w, was_told, &told));
		told = w->notices;
		ck_assert_int_eq(send(e.peer, "2", 1, 0), 1);
		ck_assert(wire_until(w, is_asleep, sk));
		ck_assert_uint_eq(w->notices, told);
		ck_assert(sk->sk_watching);
		ck_assert_int_eq(answer_of(wire_read(w, e.ino, e.fh, sizeof(buf), O_RDWR)), 0);
	}
	close(e.peer);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wire_close");
	TCase *tc = tcase_create("all");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, bytes_that_nobody_read);
	tcase_add_loop_test(tc, linger_times, 0, 2);
	tcase_add_test(tc, an_abort_under_a_writer);
	tcase_add_test(tc, an_abort_that_nobody_saw);
	tcase_add_test(tc, nobody_waits_any_more);
	tcase_add_test(tc, the_end_is_quiet);
	tcase_add_test(tc, a_time_limit_outlives_the_descriptor);
	tcase_add_test(tc, an_abort_before_it_is_reaped);
	tcase_add_test(tc, reaped_though_it_was_over_before);
	tcase_add_test(tc, a_listener_that_is_shut_down);
	tcase_add_test(tc, a_watch_that_nobody_wants_sleeps);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
