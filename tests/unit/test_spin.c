/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When the daemon spins and when it sleeps. The clock is the real one; the
 * tests move spin->last, so none of them has to wait.
 */
#include "config.h"

#include "fuse/spin.h"

#include <sched.h>

#include "unit.h"

#define USEC 5000000u /* longer than any test */
#define LONG_AGO (60 * (uint64_t)1000000000)

static uv_loop_t loop;
static struct spin sp;
static int looks, finds;
static bool is_alone;
static uint64_t look_ns; /* how long a look works */
static int waits_after, stops_after; /* so many looks somebody waits; spin_stop() is called. 0: never */

/* Has found something @finds times, and says so as the session does. */
static bool look(void *arg)
{
	ck_assert_ptr_eq(arg, &looks);
	looks++;
	for (uint64_t begin = uv_hrtime(); uv_hrtime() - begin < look_ns;)
		;
	if (finds == 0)
		return false;
	finds--;
	if (looks == waits_after)
		is_alone = false;
	if (looks == stops_after)
		spin_stop(&sp);
	spin_wake(&sp);
	spin_busy(&sp);
	return true;
}

static bool alone(void *arg)
{
	(void)arg;
	return is_alone;
}

static void setup(void)
{
	looks = finds = waits_after = stops_after = 0;
	look_ns = 0;
	is_alone = true;
	ck_assert_int_eq(uv_loop_init(&loop), 0);
	spin_init(&sp, &loop, USEC, look, alone, &looks);
}

static void teardown(void)
{
	if (sp.open)
		spin_close(&sp, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	ck_assert_int_eq(uv_loop_close(&loop), 0);
}

static bool spinning(void)
{
	return uv_is_active((uv_handle_t *)&sp.idle);
}

/* A request after a pause. */
static void request(bool soon)
{
	sp.last = uv_hrtime() - (soon ? 0 : LONG_AGO);
	spin_wake(&sp);
	spin_busy(&sp);
}

/* The budget is used up. */
static void in_vain(void)
{
	sp.last -= LONG_AGO;
	uv_run(&loop, UV_RUN_NOWAIT);
}

START_TEST(no_budget_no_spin)
{
	struct spin off;

	spin_init(&off, &loop, 0, look, alone, &looks);
	ck_assert(!off.open);
	for (int i = 0; i < 1000; i++) {
		spin_wake(&off);
		spin_busy(&off);
	}
	ck_assert_int_eq(uv_run(&loop, UV_RUN_NOWAIT), 0);
	ck_assert_int_eq(looks, 0);
}
END_TEST

START_TEST(on_a_lone_processor_it_cannot_pay)
{
	cpu_set_t all, one;
	int cpu = 0;

	ck_assert_int_eq(sched_getaffinity(0, sizeof(all), &all), 0);
	ck_assert_int_eq(spin_may_pay(), CPU_COUNT(&all) > 1);
	while (!CPU_ISSET(cpu, &all))
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	ck_assert_int_eq(sched_setaffinity(0, sizeof(one), &one), 0);
	ck_assert(!spin_may_pay());
	ck_assert_int_eq(sched_setaffinity(0, sizeof(all), &all), 0);
}
END_TEST

START_TEST(long_pauses_never_make_it_spin)
{
	for (int i = 0; i < 1000; i++)
		request(false);
	ck_assert(!spinning());
	ck_assert_int_eq(uv_run(&loop, UV_RUN_NOWAIT), 0);
	ck_assert_int_eq(looks, 0);
}
END_TEST

START_TEST(a_short_pause_makes_it_spin)
{
	request(true);
	ck_assert(spinning());
	uv_run(&loop, UV_RUN_NOWAIT);
	ck_assert_int_ge(looks, 1);
	ck_assert(spinning());
}
END_TEST

START_TEST(what_waits_for_a_socket_gets_its_turn)
{
	is_alone = false;
	request(true);
	uv_run(&loop, UV_RUN_NOWAIT);
	ck_assert_int_eq(looks, 1);
	finds = 100;
	uv_run(&loop, UV_RUN_NOWAIT);
	ck_assert_int_eq(looks, 2);
	/* Again if this process lost its processor meanwhile: its time for looks was over. */
	is_alone = true;
	do {
		looks = 0;
		finds = 100;
		uv_run(&loop, UV_RUN_NOWAIT);
	} while (looks < 2);
	ck_assert_int_gt(finds, 0);
}
END_TEST

/* Work without end must not keep timers and sockets for so many whole turns. */
START_TEST(looks_that_take_long_leave_the_loop_its_turn)
{
	request(true);
	look_ns = 100000;
	finds = 100;
	for (int i = 1; i < 5; i++) {
		uv_run(&loop, UV_RUN_NOWAIT);
		ck_assert_int_eq(looks, i);
	}
}
END_TEST

/* What a look has found may be one who waits, or the end. */
START_TEST(a_look_may_change_it_all)
{
	request(true);
	finds = 100;
	waits_after = 1;
	uv_run(&loop, UV_RUN_NOWAIT);
	ck_assert_int_eq(looks, 1);
	is_alone = true;
	looks = waits_after = 0;
	stops_after = 1;
	uv_run(&loop, UV_RUN_NOWAIT);
	ck_assert_int_eq(looks, 1);
	ck_assert(!spinning());
}
END_TEST

START_TEST(a_spin_in_vain_ends)
{
	request(true);
	in_vain();
	ck_assert(!spinning());
	ck_assert_uint_eq(sp.doubt, 2);
	/* Twice as many short pauses are asked for now. */
	request(true);
	ck_assert(!spinning());
	request(true);
	ck_assert(spinning());
}
END_TEST

START_TEST(a_long_pause_begins_anew)
{
	request(true);
	in_vain();
	request(true);
	request(false);
	request(true);
	ck_assert(!spinning());
	request(true);
	ck_assert(spinning());
}
END_TEST

START_TEST(doubt_has_a_limit)
{
	for (int i = 0; i < 20; i++) {
		while (!spinning())
			request(true);
		in_vain();
	}
	ck_assert_uint_eq(sp.doubt, SPIN_DOUBT_MAX);
	while (!spinning())
		request(true);
	/* What it finds takes the doubts away. */
	finds = 1;
	uv_run(&loop, UV_RUN_NOWAIT);
	ck_assert_uint_eq(sp.doubt, 1);
	ck_assert(spinning());
}
END_TEST

START_TEST(stopped_is_stopped)
{
	request(true);
	spin_stop(&sp);
	ck_assert(!spinning());
	request(true);
	ck_assert(!spinning());
	ck_assert_int_eq(uv_run(&loop, UV_RUN_NOWAIT), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("spin");
	TCase *tc = tcase_create("all");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, no_budget_no_spin);
	tcase_add_test(tc, on_a_lone_processor_it_cannot_pay);
	tcase_add_test(tc, long_pauses_never_make_it_spin);
	tcase_add_test(tc, a_short_pause_makes_it_spin);
	tcase_add_test(tc, what_waits_for_a_socket_gets_its_turn);
	tcase_add_test(tc, looks_that_take_long_leave_the_loop_its_turn);
	tcase_add_test(tc, a_look_may_change_it_all);
	tcase_add_test(tc, a_spin_in_vain_ends);
	tcase_add_test(tc, a_long_pause_begins_anew);
	tcase_add_test(tc, doubt_has_a_limit);
	tcase_add_test(tc, stopped_is_stopped);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
