/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who polls is told of each change, on real TCP over loopback.
 */
#include "config.h"

#include <check.h>
#include <poll.h>
#include <unistd.h>

#include "tests/unit/unit.h"
#include "wire.h"
#include "wire_net.h"

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

static int answer(uint64_t unique)
{
	return wire_answer(w, unique, NULL, 0, NULL);
}

static bool was_notified(void *arg)
{
	return w->last_kh == *(uint64_t *)arg;
}

START_TEST(poll_notifies)
{
	struct end e = make_connected(w, "f");
	struct fuse_poll_out out = {0};
	uint64_t kh = 77, last = 78;

	ck_assert_int_eq(wire_answer(w, wire_poll(w, e.ino, e.fh, 0), &out, sizeof(out), NULL), 0);
	ck_assert_uint_eq(out.revents & (POLLIN | POLLOUT), POLLOUT);
	ck_assert_int_eq(answer(wire_poll(w, e.ino, e.fh, kh)), 0);
	/* A second waiter's handle takes the place of the first. */
	ck_assert_int_eq(answer(wire_poll(w, e.ino, e.fh, last)), 0);
	ck_assert_int_eq(write(e.peer, "x", 1), 1);
	ck_assert(wire_until(w, was_notified, &last));
	ck_assert_int_eq(wire_answer(w, wire_poll(w, e.ino, e.fh, 0), &out, sizeof(out), NULL), 0);
	ck_assert_uint_eq(out.revents & (POLLIN | POLLOUT), POLLIN | POLLOUT);
	/* Released with a waiter: nothing is left of it. */
	ck_assert_int_eq(answer(wire_poll(w, e.ino, e.fh, 79)), 0);
	ck_assert_int_eq(wire_release(w, e.ino, e.fh), 0);
	close(e.peer);
}
END_TEST

static bool there(void *arg)
{
	const struct end *e = arg;
	struct fuse_poll_out out = {0};

	ck_assert_int_eq(wire_answer(w, wire_poll(w, e->ino, e->fh, 0), &out, sizeof(out), NULL), 0);
	return out.revents & POLLIN;
}

/* More of what the answer has told comes before the daemon looks at its descriptors again. */
START_TEST(what_comes_behind_the_answer_is_told)
{
	struct end e = make_connected(w, "f");
	uint64_t kh = 77;

	ck_assert_int_eq(write(e.peer, "x", 1), 1);
	ck_assert(wire_until(w, there, &e));
	ck_assert_int_eq(answer(wire_poll(w, e.ino, e.fh, kh)), 0);
	ck_assert_int_eq(write(e.peer, "x", 1), 1);
	ck_assert(wire_until(w, was_notified, &kh));
	close(e.peer);
}
END_TEST

static uint64_t poll_for(const struct end *e, uint64_t kh, uint32_t events)
{
	struct fuse_poll_in in = {
		.fh = e->fh, .kh = kh, .flags = FUSE_POLL_SCHEDULE_NOTIFY, .events = events};

	return wire_send(w, FUSE_POLL, e->ino, &in, sizeof(in), NULL, 0);
}

/*
 * What holds when one asks for more may have come just now: others, who do not know it, look for
 * themselves. What they know, and what has not been over since, is no news.
 */
START_TEST(who_asks_for_more_wakes_those_who_know_less)
{
	struct end e = make_connected(w, "f"), other = open_file(w, "f");
	char byte;

	ck_assert_int_eq(answer(poll_for(&e, 77, POLLOUT)), 0);
	ck_assert_int_eq(write(e.peer, "x", 1), 1);
	ck_assert(wire_until(w, there, &other));
	ck_assert_uint_eq(w->last_kh, 0);
	ck_assert_int_eq(answer(poll_for(&other, 78, POLLIN)), 0);
	ck_assert_uint_eq(w->last_kh, 77);
	/* Both know of the byte. */
	ck_assert_int_eq(answer(poll_for(&e, 79, POLLOUT)), 0);
	w->last_kh = 0;
	ck_assert_int_eq(answer(poll_for(&other, 80, POLLIN | POLLPRI)), 0);
	wire_turn(w);
	ck_assert_uint_eq(w->last_kh, 0);
	/* Were it another one, nobody could tell. */
	ck_assert_int_eq(wire_answer(w, wire_read(w, e.ino, e.fh, 1, 0), &byte, 1, NULL), 0);
	w->notices = 0;
	ck_assert_int_eq(answer(poll_for(&other, 81, POLLIN | POLLPRI | POLLRDHUP)), 0);
	ck_assert_uint_eq(w->notices, 2);
	close(e.peer);
}
END_TEST

/* More of what one knows, before another asks for more in the same turn of the loop. */
START_TEST(a_change_before_is_told_as_one)
{
	struct end e = make_connected(w, "f"), other = open_file(w, "f");

	ck_assert_int_eq(write(e.peer, "x", 1), 1);
	ck_assert(wire_until(w, there, &e));
	ck_assert_int_eq(answer(poll_for(&e, 77, POLLIN)), 0);
	wire_turn(w);
	ck_assert_uint_eq(w->last_kh, 0);
	w->hold = true;
	(void)poll_for(&other, 78, POLLIN | POLLOUT);
	ck_assert_int_eq(write(e.peer, "y", 1), 1);
	w->hold = false;
	ck_assert(wire_until(w, was_notified, &(uint64_t){77}));
	close(e.peer);
}
END_TEST

START_TEST(stop_wakes_pollers)
{
	struct end e = make_connected(w, "f");

	ck_assert_int_eq(answer(wire_poll(w, e.ino, e.fh, 80)), 0);
	wire_stop(w);
	ck_assert_uint_eq(w->last_kh, 80);
	close(e.peer);
}
END_TEST

static TCase *tests(void)
{
	TCase *t = tcase_create("poll");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, poll_notifies);
	tcase_add_test(t, what_comes_behind_the_answer_is_told);
	tcase_add_test(t, who_asks_for_more_wakes_those_who_know_less);
	tcase_add_test(t, a_change_before_is_told_as_one);
	tcase_add_test(t, stop_wakes_pollers);
	return t;
}

int main(void)
{
	Suite *s = suite_create("wire: pollers");

	suite_add_tcase(s, tests());
	return unit_run(s);
}
