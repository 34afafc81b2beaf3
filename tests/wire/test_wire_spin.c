/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whom the session names to the spin as waiting for a socket: then the loop, which
 * hears of sockets, has its turn after each look. Here nothing spins: the
 * functions below stand in for src/fuse/spin.c and keep the question.
 */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "fuse/spin.h"
#include "tests/unit/unit.h"
#include "wire_net.h"

static bool (*asked)(void *arg);
static void *asked_arg;
static unsigned int wakes, busies;

bool spin_may_pay(void)
{
	return true;
}

void spin_init(struct spin *sp, uv_loop_t *loop, unsigned int usec, bool (*look)(void *arg),
	       bool (*alone)(void *arg), void *arg)
{
	(void)loop;
	(void)usec;
	*sp = (struct spin){.look = look, .alone = alone, .arg = arg};
	asked = alone;
	asked_arg = arg;
}

void spin_stop(struct spin *sp)
{
	(void)sp;
}

void spin_close(struct spin *sp, uv_close_cb on_closed)
{
	(void)sp;
	(void)on_closed;
}

void spin_wake(struct spin *sp)
{
	(void)sp;
	wakes++;
}

void spin_busy(struct spin *sp)
{
	(void)sp;
	busies++;
}

static struct wire *w;
static struct end e;

static void setup(void)
{
	w = wire_new();
	ck_assert_ptr_nonnull(w);
	e = make_connected(w, "f");
}

static void teardown(void)
{
	close(e.peer);
	ck_assert_int_eq(wire_free(w), 0);
}

static bool alone(void)
{
	return asked(asked_arg);
}

/* What poll says of the open file @fh now, with @kh != 0 asking to be told of changes. */
static unsigned int poll_file(uint64_t fh, uint64_t kh)
{
	struct fuse_poll_out out = {0};
	uint64_t u = wire_poll(w, e.ino, fh, kh);

	ck_assert_int_eq(wire_answer(w, u, &out, sizeof(out), NULL), 0);
	return out.revents;
}

static bool is_alone(void *arg)
{
	(void)arg;
	return alone();
}

START_TEST(a_poller_waits_for_a_socket)
{
	ck_assert(alone());
	/* One who only asks does not wait. */
	ck_assert_uint_eq(poll_file(e.fh, 0) & POLLIN, 0);
	ck_assert(alone());
	ck_assert_uint_eq(poll_file(e.fh, 1) & POLLIN, 0);
	ck_assert(!alone());
	/* Once told it does not wait any more. */
	ck_assert_int_eq(write(e.peer, "x", 1), 1);
	ck_assert(wire_until(w, is_alone, NULL));
}
END_TEST

START_TEST(a_poller_that_asks_again_is_one)
{
	poll_file(e.fh, 1);
	poll_file(e.fh, 2);
	ck_assert(!alone());
	ck_assert_int_eq(write(e.peer, "x", 1), 1);
	ck_assert(wire_until(w, is_alone, NULL));
}
END_TEST

START_TEST(a_poller_that_closes_waits_no_more)
{
	struct end other = open_file(w, "f");

	poll_file(e.fh, 1);
	poll_file(other.fh, 2);
	ck_assert_int_eq(wire_release(w, e.ino, e.fh), 0);
	ck_assert(!alone());
	ck_assert_int_eq(wire_release(w, other.ino, other.fh), 0);
	ck_assert(alone());
}
END_TEST

START_TEST(a_reader_waits_for_a_socket)
{
	uint64_t u = wire_read(w, e.ino, e.fh, 1, O_RDWR);

	wire_turn(w);
	ck_assert(!alone());
	ck_assert_int_eq(write(e.peer, "x", 1), 1);
	ck_assert_int_eq(wire_wait(w, u, NULL, 0, NULL), 0);
	ck_assert(alone());
}
END_TEST

/* The pause before the next request begins with the answer, not with the request. */
START_TEST(an_answer_that_comes_later_is_work)
{
	uint64_t u = wire_read(w, e.ino, e.fh, 1, O_RDWR);

	wire_turn(w);
	wakes = busies = 0;
	ck_assert_int_eq(write(e.peer, "x", 1), 1);
	ck_assert_int_eq(wire_wait(w, u, NULL, 0, NULL), 0);
	ck_assert_uint_eq(wakes, 1);
	ck_assert_uint_eq(busies, 1);
}
END_TEST

static TCase *tests(void)
{
	TCase *t = tcase_create("waiting");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_poller_waits_for_a_socket);
	tcase_add_test(t, a_poller_that_asks_again_is_one);
	tcase_add_test(t, a_poller_that_closes_waits_no_more);
	tcase_add_test(t, a_reader_waits_for_a_socket);
	tcase_add_test(t, an_answer_that_comes_later_is_work);
	return t;
}

int main(void)
{
	Suite *s = suite_create("wire: who waits beside a spin");

	suite_add_tcase(s, tests());
	return unit_run(s);
}
