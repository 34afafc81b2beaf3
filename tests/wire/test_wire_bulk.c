/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Large reads that stand back behind small requests, and how each of them ends. */
#include "config.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/unit.h"
#include "wire.h"

#define ROOT FUSE_ROOT_ID
#define LARGE (128u << 10)
#define MANY 100

static struct wire *w;
static uint64_t ino, fh;
static int peer;

static void setup(void)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockfs_addr addr = {.host = "127.0.0.1"};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct fuse_entry_out entry;
	struct fuse_open_out o;
	socklen_t len = sizeof(sa);

	w = wire_new();
	ck_assert_ptr_nonnull(w);
	ck_assert_int_eq(bind(fd, (void *)&sa, sizeof(sa)), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
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
	close(peer);
	ck_assert_int_eq(wire_free(w), 0);
}

static uint64_t getattr(void)
{
	struct fuse_getattr_in in = {0};

	return wire_send(w, FUSE_GETATTR, ino, &in, sizeof(in), NULL, 0);
}

static uint64_t large_read(void)
{
	return wire_read(w, ino, fh, LARGE, 0);
}

/* The daemon finds at once what was sent since. */
static void hold(void)
{
	w->hold = true;
}

static void let_go(void)
{
	w->hold = false;
	wire_turn(w);
}

static void peer_says(const char *text)
{
	ck_assert_int_eq(send(peer, text, strlen(text), 0), (ssize_t)strlen(text));
}

/* A turn has a limit of time, so more than one may be needed. */
static void until_answered(uint64_t unique)
{
	for (;;) {
		struct wire_answer *answer;

		TAILQ_FOREACH(answer, &w->answers, link)
			if (answer->unique == unique)
				return;
		wire_turn(w);
	}
}

/* Is @a answered before @b? */
static bool before(uint64_t a, uint64_t b)
{
	struct wire_answer *answer;

	until_answered(a);
	until_answered(b);
	TAILQ_FOREACH(answer, &w->answers, link)
		if (answer->unique == a || answer->unique == b)
			return answer->unique == a;
	return false;
}

static void expect(uint64_t unique, const char *text)
{
	char got[64];
	size_t len;

	ck_assert_int_eq(wire_wait(w, unique, got, sizeof(got), &len), 0);
	ck_assert_uint_eq(len, strlen(text));
	ck_assert_mem_eq(got, text, len);
}

static void done(uint64_t unique)
{
	ck_assert_int_eq(wire_wait(w, unique, NULL, 0, NULL), 0);
}

START_TEST(small_requests_come_first)
{
	uint64_t first, large, small[3];

	hold();
	first = getattr();
	large = large_read();
	for (int i = 0; i < 3; i++)
		small[i] = getattr();
	peer_says("bulk");
	let_go();
	done(first);
	for (int i = 0; i < 3; i++)
		ck_assert(before(small[i], large));
	expect(large, "bulk");
	for (int i = 0; i < 3; i++)
		done(small[i]);
}
END_TEST

/* However many they are: one large read goes ahead of each so many of them. */
START_TEST(small_requests_without_end_do_not_keep_it)
{
	uint64_t first, large[2], small[MANY];

	hold();
	first = getattr();
	large[0] = large_read();
	large[1] = large_read();
	for (int i = 0; i < MANY; i++)
		small[i] = getattr();
	peer_says("bulk");
	shutdown(peer, SHUT_WR);
	let_go();
	done(first);
	ck_assert(before(small[9], large[0]));
	ck_assert(before(large[0], small[20]));
	ck_assert(before(small[25], large[1]));
	ck_assert(before(large[1], small[40]));
	expect(large[0], "bulk");
	expect(large[1], "");
	for (int i = 0; i < MANY; i++)
		done(small[i]);
}
END_TEST

START_TEST(it_may_wait_for_its_socket_too)
{
	uint64_t small, large;

	hold();
	small = getattr();
	large = large_read();
	let_go();
	done(small);
	while (sockfs_session_parked(w->session) == 0)
		wire_turn(w);
	ck_assert_int_eq(wire_answer(w, large, NULL, 0, NULL), WIRE_OPEN);
	peer_says("late");
	expect(large, "late");
}
END_TEST

START_TEST(interrupt_while_it_stands_back)
{
	uint64_t small, large;

	peer_says("kept");
	hold();
	small = getattr();
	large = large_read();
	wire_interrupt(w, large);
	let_go();
	done(small);
	ck_assert_int_eq(wire_wait(w, large, NULL, 0, NULL), -EINTR);
	/* It has taken nothing along. */
	expect(large_read(), "kept");
}
END_TEST

START_TEST(more_than_a_turn_holds)
{
	uint64_t small[2], large[MANY];

	hold();
	small[0] = getattr();
	for (int i = 0; i < MANY; i++)
		large[i] = large_read();
	small[1] = getattr();
	peer_says("x");
	shutdown(peer, SHUT_WR);
	let_go();
	done(small[0]);
	done(small[1]);
	/* In order: the bytes for the first, end of file for the others. */
	expect(large[0], "x");
	for (int i = 1; i < MANY; i++)
		expect(large[i], "");
}
END_TEST

/* Then the sockets and timers have theirs, however many requests are there. */
START_TEST(a_turn_ends)
{
	struct wire_answer *answer;
	uint64_t small[MANY];
	int n = 0;

	hold();
	for (int i = 0; i < MANY; i++)
		small[i] = getattr();
	let_go();
	TAILQ_FOREACH(answer, &w->answers, link)
		n++;
	ck_assert_int_ge(n, 1);
	ck_assert_int_le(n, 32);
	for (int i = 0; i < MANY; i++)
		done(small[i]);
}
END_TEST

START_TEST(release_under_it)
{
	struct fuse_release_in in = {.fh = fh};
	uint64_t small, large, release;

	hold();
	small = getattr();
	large = large_read();
	release = wire_send(w, FUSE_RELEASE, ino, &in, sizeof(in), NULL, 0);
	let_go();
	done(small);
	ck_assert_int_eq(wire_wait(w, large, NULL, 0, NULL), -EINTR);
	done(release);
}
END_TEST

/* A turn's worth: those that it has only received. */
START_TEST(stop_ends_what_stands_back)
{
	uint64_t small, large[31];

	hold();
	small = getattr();
	for (int i = 0; i < 31; i++)
		large[i] = large_read();
	let_go();
	while (sockfs_session_parked(w->session) < 31)
		wire_turn(w);
	wire_stop(w);
	done(small);
	for (int i = 0; i < 31; i++)
		ck_assert_int_eq(wire_answer(w, large[i], NULL, 0, NULL), -ESHUTDOWN);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wire_bulk");
	TCase *tc = tcase_create("all");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, small_requests_come_first);
	tcase_add_test(tc, small_requests_without_end_do_not_keep_it);
	tcase_add_test(tc, it_may_wait_for_its_socket_too);
	tcase_add_test(tc, interrupt_while_it_stands_back);
	tcase_add_test(tc, more_than_a_turn_holds);
	tcase_add_test(tc, a_turn_ends);
	tcase_add_test(tc, release_under_it);
	tcase_add_test(tc, stop_ends_what_stands_back);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
