/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * UDP: datagrams that are read in part, errors that are told once, headers, and a file
 * for each peer of a listener.
 */
#include "config.h"

#include <poll.h>

#include "policy/policy.h"
#include "wire_udp.h"

#define LONGEST 65507u /* udp(7): what IPv4 has room for */

/* --------------------------------------------------------------------- connected */

START_TEST(a_write_is_a_datagram)
{
	struct end e = pair("f");
	char buf[64];

	ck_assert_int_eq(put(&e, "one", 3), 0);
	ck_assert_int_eq(put(&e, "three", 5), 0);
	ck_assert_int_eq(recv(e.peer, buf, sizeof(buf), 0), 3);
	ck_assert_int_eq(recv(e.peer, buf, sizeof(buf), 0), 5);
	say(e.peer, "hello");
	say(e.peer, "you");
	expect(&e, 100, "hello");
	expect(&e, 100, "you");
	ck_assert_int_eq(get(&e, buf, 10), -EAGAIN);
	close(e.peer);
}
END_TEST

/* A shell's read asks byte by byte, and another process means another datagram. */
START_TEST(the_rest_is_kept_for_who_began)
{
	struct end e = pair("f");

	say(e.peer, "hello");
	say(e.peer, "world");
	w->owner = 11;
	expect(&e, 1, "h");
	expect(&e, 1, "e");
	w->owner = 22;
	expect(&e, 2, "wo");
	w->owner = 11;
	expect(&e, 100, "llo");
	ck_assert_uint_eq(vm_stat(VM_MESSAGES)->objects, 1);
	w->owner = 22;
	expect(&e, 100, "rld");
	w->owner = 0;
	close(e.peer);
}
END_TEST

START_TEST(the_rest_can_be_thrown_away)
{
	struct end e = pair("f");

	set_option(&e, SOL_SOCKFS, SOCKFS_SO_MESSAGE, SOCKFS_MESSAGE_DISCARD);
	say(e.peer, "hello");
	say(e.peer, "world");
	expect(&e, 1, "h");
	expect(&e, 1, "w");
	ck_assert_int_eq(number(&e, SOCKFS_SO_DROPS), 0);
	close(e.peer);
}
END_TEST

/* What there is no room to keep is lost, and counted. */
START_TEST(rests_are_bounded)
{
	struct end e = pair("f");

	vm_set_max(VM_MESSAGES, 16);
	say(e.peer, "hello");
	say(e.peer, "world");
	expect(&e, 1, "h");
	expect(&e, 1, "w");
	vm_set_max(VM_MESSAGES, 0);
	ck_assert_int_eq(number(&e, SOCKFS_SO_DROPS), 2);
	close(e.peer);
}
END_TEST

START_TEST(sizes)
{
	struct end e = pair("f");
	char *data = calloc(1, LONGEST + 1), *buf = malloc(1 << 17);
	int room = 1 << 18;

	ck_assert_int_eq(setsockopt(e.peer, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room)), 0);
	ck_assert_int_eq(put(&e, data, LONGEST + 1), -EMSGSIZE);
	ck_assert_int_eq(put(&e, data, LONGEST), 0);
	ck_assert_int_eq(recv(e.peer, buf, 1 << 17, MSG_DONTWAIT), LONGEST);
	ck_assert_int_eq(send(e.peer, data, LONGEST, 0), LONGEST);
	ck_assert_int_eq(send(e.peer, data, 7, 0), 7);
	ck_assert_int_eq(get(&e, buf, 100), 100);
	ck_assert_int_eq(get(&e, buf, 1 << 17), LONGEST - 100);
	ck_assert_int_eq(get(&e, buf, 1 << 17), 7);
	free(data);
	free(buf);
	close(e.peer);
}
END_TEST

/* The kernel sends the rest of a long call at an offset: that is no datagram. */
START_TEST(the_rest_of_a_call_is_no_datagram)
{
	struct end e = pair("f");
	struct fuse_write_in in = {.fh = e.fh, .offset = 1 << 20, .size = 3, .flags = O_RDWR};
	char buf[8];

	ck_assert_int_eq(wire_call(w, FUSE_WRITE, e.ino, &in, sizeof(in), "abc", 3, NULL, 0, NULL),
			 -EMSGSIZE);
	in.flags |= O_APPEND;
	ck_assert_int_eq(wire_call(w, FUSE_WRITE, e.ino, &in, sizeof(in), "abc", 3, NULL, 0, NULL), 0);
	ck_assert_int_eq(recv(e.peer, buf, sizeof(buf), MSG_DONTWAIT), 3);
	close(e.peer);
}
END_TEST

START_TEST(empty_datagrams_are_no_end)
{
	struct end e = pair("f");
	char buf[8];

	ck_assert_int_eq(send(e.peer, "", 0, 0), 0);
	ck_assert_int_eq(send(e.peer, "", 0, 0), 0);
	ck_assert_int_eq(get(&e, buf, 8), -EAGAIN);
	say(e.peer, "x");
	expect(&e, 8, "x");
	ck_assert_int_eq(number(&e, SOCKFS_SO_EMPTY), 2);
	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_SENDEMPTY, NULL), 0);
	ck_assert_int_eq(recv(e.peer, buf, sizeof(buf), MSG_DONTWAIT), 0);
	close(e.peer);
}
END_TEST

START_TEST(a_refusal_is_told_once)
{
	struct end e = pair("f");
	char buf[8];

	close(e.peer);
	ck_assert_int_eq(put(&e, "x", 1), 0);
	until_polled(&e, POLLERR);
	ck_assert_int_eq(put(&e, "x", 1), -ECONNREFUSED);
	ck_assert_int_eq(put(&e, "x", 1), 0);
	until_polled(&e, POLLERR);
	ck_assert_int_eq(get(&e, buf, 8), -ECONNREFUSED);
	ck_assert_int_eq(get(&e, buf, 8), -EAGAIN);
	ck_assert_int_eq((int)sock_current_state(socket_of(&e)), SS_CONNECTED);
}
END_TEST

START_TEST(a_reader_waits_for_a_datagram)
{
	struct end e = pair("f");
	uint64_t unique = wire_read(w, e.ino, e.fh, 64, O_RDWR);
	char buf[64];
	size_t len = 0;

	ck_assert_int_eq(wire_answer(w, unique, NULL, 0, NULL), WIRE_OPEN);
	say(e.peer, "late");
	ck_assert_int_eq(wire_wait(w, unique, buf, sizeof(buf), &len), 0);
	ck_assert_uint_eq(len, 4);
	close(e.peer);
}
END_TEST

START_TEST(shutdown_as_a_socket_of_linux)
{
	struct end e = pair("f");
	int32_t how = SHUT_WR;
	char buf[8];

	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_SHUTDOWN, &how), 0);
	ck_assert_int_eq(put(&e, "x", 1), -EPIPE);
	how = SHUT_RD;
	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_SHUTDOWN, &how), 0);
	ck_assert_int_eq(get(&e, buf, 8), 0);
	close(e.peer);
}
END_TEST

/* ------------------------------------------------------------------------- bound */

START_TEST(bound_for_all)
{
	struct end e = bound("f");
	struct sockfs_addr one, two;
	int a = plain(&one), b = plain(&two);
	struct sockfs_sockopt from = {.level = SOL_SOCKFS, .name = SOCKFS_SO_FROM};
	char want[64], buf[8];

	ck_assert_int_eq(get(&e, buf, 8), -EAGAIN);
	connect_plain(a, &e);
	connect_plain(b, &e);
	say(a, "from a");
	say(b, "from b");
	expect(&e, 64, "from a");
	expect(&e, 64, "from b");
	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_GETSOCKOPT, &from), 0);
	snprintf(want, sizeof(want), "127.0.0.1:%s", two.port);
	ck_assert_str_eq((char *)from.value, want);
	/* To whom? */
	ck_assert_int_eq(put(&e, "x", 1), -EDESTADDRREQ);
	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_SENDEMPTY, NULL), -EDESTADDRREQ);
	close(a);
	close(b);
}
END_TEST

START_TEST(abort_ends_a_reader_of_a_bound_file)
{
	struct end e = bound("f");
	uint64_t unique = wire_read(w, e.ino, e.fh, 64, O_RDWR);

	ck_assert_int_eq(wire_answer(w, unique, NULL, 0, NULL), WIRE_OPEN);
	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_ABORT, NULL), 0);
	ck_assert_int_eq(wire_wait(w, unique, NULL, 0, NULL), -ECONNABORTED);
}
END_TEST

/* Reading what everybody sends, and then one peer only, from the same address. */
START_TEST(connect_what_is_bound)
{
	struct end e = bound("f");
	struct sockfs_addr addr, before, after;
	uint64_t unique = wire_read(w, e.ino, e.fh, 64, O_RDWR);
	int a = plain(&addr);

	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_GETSOCKNAME, &before), 0);
	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_CONNECT, &addr), 0);
	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_GETSOCKNAME, &after), 0);
	ck_assert_str_eq(before.port, after.port);
	connect_plain(a, &e);
	say(a, "x");
	ck_assert_int_eq(wire_wait(w, unique, NULL, 0, NULL), 0);
	close(a);
}
END_TEST

START_TEST(headers_as_text)
{
	struct end e = bound("f");
	struct sockfs_addr addr;
	int a = plain(&addr);
	char text[64], buf[64];

	set_option(&e, SOL_SOCKFS, SOCKFS_SO_HEADERS, SOCKFS_HEADERS_TEXT);
	connect_plain(a, &e);
	say(a, "hello");
	ck_assert_int_eq(send(a, "", 0, 0), 0);
	snprintf(text, sizeof(text), "127.0.0.1:%s 5\nhello", addr.port);
	expect(&e, 64, text);
	snprintf(text, sizeof(text), "127.0.0.1:%s 0\n", addr.port);
	expect(&e, 64, text);
	snprintf(text, sizeof(text), "127.0.0.1:%s 3\nyou", addr.port);
	ck_assert_int_eq(put(&e, text, (uint32_t)strlen(text)), 0);
	ck_assert_int_eq(recv(a, buf, sizeof(buf), MSG_DONTWAIT), 3);
	/* An empty one has a header, too. */
	snprintf(text, sizeof(text), "127.0.0.1:%s 0\n", addr.port);
	ck_assert_int_eq(put(&e, text, (uint32_t)strlen(text)), 0);
	ck_assert_int_eq(recv(a, buf, sizeof(buf), MSG_DONTWAIT), 0);
	close(a);
}
END_TEST

static const char *const bad_headers[] = {
	"x", "127.0.0.1:9 1\n", "127.0.0.1:9 2\nx", "127.0.0.1:9\nx", "127.0.0.1:9 x\nx",
	"localhost:9 1\nx", "127.0.0.1 1\nx", "127.0.0.1:domain 1\nx", "[::1]:9 1\nx", " 1\nx",
	"127.0.0.1:9 \nx", "127.0.0.1:9 -1\nx", "127.0.0.1:9 1 \nx", "\n",
};

START_TEST(headers_that_are_none)
{
	struct end e = bound("f");

	set_option(&e, SOL_SOCKFS, SOCKFS_SO_HEADERS, SOCKFS_HEADERS_TEXT);
	ck_assert_int_eq(put(&e, bad_headers[_i], (uint32_t)strlen(bad_headers[_i])), -EINVAL);
	set_option(&e, SOL_SOCKFS, SOCKFS_SO_HEADERS, SOCKFS_HEADERS_PLAN9);
	ck_assert_int_eq(put(&e, bad_headers[_i], (uint32_t)strlen(bad_headers[_i])), -EINVAL);
}
END_TEST

/* ip(3) of Plan 9: three addresses and two ports. */
START_TEST(headers_of_plan9)
{
	static const unsigned char loopback[16] = {[10] = 0xff, [11] = 0xff, 127, 0, 0, 1};
	struct end e = bound("f");
	struct sockfs_addr addr;
	int a = plain(&addr);
	unsigned char buf[128], data[55];
	uint16_t port = htons((uint16_t)atoi(addr.port));

	set_option(&e, SOL_SOCKFS, SOCKFS_SO_HEADERS, SOCKFS_HEADERS_PLAN9);
	connect_plain(a, &e);
	say(a, "hello");
	ck_assert_int_eq(get(&e, (char *)buf, sizeof(buf)), 52 + 5);
	ck_assert_mem_eq(buf, loopback, 16);
	ck_assert_mem_eq(buf + 16, loopback, 16);
	ck_assert_mem_eq(buf + 48, &port, 2);
	ck_assert_mem_eq(buf + 52, "hello", 5);
	memcpy(data, buf, 52);
	memcpy(data + 52, "you", 3);
	ck_assert_int_eq(put(&e, data, sizeof(data)), 0);
	ck_assert_int_eq(recv(a, buf, sizeof(buf), MSG_DONTWAIT), 3);
	close(a);
}
END_TEST

START_TEST(the_policy_is_asked_for_each_header)
{
	struct end e = bound("f");
	int err;

	set_option(&e, SOL_SOCKFS, SOCKFS_SO_HEADERS, SOCKFS_HEADERS_TEXT);
	ck_assert_int_eq(policy_add("127.0.0.2", false), 0);
	err = put(&e, "127.0.0.2:9 1\nx", 15);
	policy_clear();
	ck_assert_int_eq(err, -EACCES);
}
END_TEST

/* --------------------------------------------------------------------- listening */

static struct end listener(void)
{
	struct end e = bound("srv");
	int32_t backlog = 0;

	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_LISTEN, &backlog), 0);
	return e;
}

START_TEST(a_file_for_each_peer)
{
	struct end e = listener(), one, two;
	struct sockfs_addr addr;
	int a = plain(&addr), b = plain(&addr);
	char buf[64];

	ck_assert_int_eq(get(&e, buf, 64), -EAGAIN);
	connect_plain(a, &e);
	connect_plain(b, &e);
	/* All of it is there before anybody accepts. */
	say(a, "a1");
	say(a, "a2");
	say(b, "b1");
	say(a, "a3");
	expect(&e, 64, "srv.1\n");
	expect(&e, 64, "srv.2\n");
	ck_assert_int_eq(get(&e, buf, 64), -EAGAIN);
	say(a, "a4");
	one = open_file(w, "srv.1");
	two = open_file(w, "srv.2");
	expect(&one, 64, "a1");
	expect(&one, 1, "a");
	expect(&one, 64, "2");
	expect(&one, 64, "a3");
	expect(&one, 64, "a4");
	expect(&two, 64, "b1");
	ck_assert_int_eq(get(&two, buf, 64), -EAGAIN);
	ck_assert_int_eq(put(&two, "for b", 5), 0);
	ck_assert_int_eq(recv(b, buf, sizeof(buf), MSG_DONTWAIT), 5);
	ck_assert_int_eq(recv(a, buf, sizeof(buf), MSG_DONTWAIT), -1);
	/* Who has gone is somebody new the next time. */
	ck_assert_int_eq(ioc(&one, SOCKFS_IOC_ABORT, NULL), 0);
	say(a, "a5");
	expect(&e, 64, "srv.3\n");
	close(a);
	close(b);
}
END_TEST

START_TEST(what_waits_for_a_peer_is_bounded)
{
	struct end e = listener(), one;
	struct sockfs_addr addr;
	int a = plain(&addr), room = 1 << 20;
	char buf[1 << 14] = "";

	set_option(&e, SOL_SOCKET, SO_RCVBUF, room);
	connect_plain(a, &e);
	for (int i = 0; i < 6; i++)
		ck_assert_int_eq(send(a, buf, sizeof(buf), 0), sizeof(buf));
	expect(&e, 64, "srv.1\n");
	one = open_file(w, "srv.1");
	/* Four of them are 64 KiB. */
	ck_assert_int_eq(number(&one, SOCKFS_SO_DROPS), 2);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(get(&one, buf, sizeof(buf)), sizeof(buf));
	ck_assert_int_eq(get(&one, buf, sizeof(buf)), -EAGAIN);
	close(a);
}
END_TEST

START_TEST(accept_waits_for_somebody_new)
{
	struct end e = listener();
	struct sockfs_addr addr;
	int a = plain(&addr);
	uint64_t unique = wire_start_ioctl(w, e.ino, e.fh, SOCKFS_IOC_ACCEPT, NULL);
	struct {
		struct fuse_ioctl_out out;
		struct sockfs_accept acc;
	} answer;

	ck_assert_int_eq(wire_answer(w, unique, NULL, 0, NULL), WIRE_OPEN);
	connect_plain(a, &e);
	say(a, "x");
	ck_assert_int_eq(wire_wait(w, unique, &answer, sizeof(answer), NULL), 0);
	ck_assert_str_eq(answer.acc.name, "srv.1");
	ck_assert_str_eq(answer.acc.peer.port, addr.port);
	close(a);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wire_udp");
	TCase *tc = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_write_is_a_datagram);
	tcase_add_test(tc, the_rest_is_kept_for_who_began);
	tcase_add_test(tc, the_rest_can_be_thrown_away);
	tcase_add_test(tc, rests_are_bounded);
	tcase_add_test(tc, sizes);
	tcase_add_test(tc, the_rest_of_a_call_is_no_datagram);
	tcase_add_test(tc, empty_datagrams_are_no_end);
	tcase_add_test(tc, a_refusal_is_told_once);
	tcase_add_test(tc, a_reader_waits_for_a_datagram);
	tcase_add_test(tc, shutdown_as_a_socket_of_linux);
	tcase_add_test(tc, bound_for_all);
	tcase_add_test(tc, abort_ends_a_reader_of_a_bound_file);
	tcase_add_test(tc, connect_what_is_bound);
	tcase_add_test(tc, headers_as_text);
	tcase_add_loop_test(tc, headers_that_are_none, 0,
			    sizeof(bad_headers) / sizeof(bad_headers[0]));
	tcase_add_test(tc, headers_of_plan9);
	tcase_add_test(tc, the_policy_is_asked_for_each_header);
	tcase_add_test(tc, a_file_for_each_peer);
	tcase_add_test(tc, what_waits_for_a_peer_is_bounded);
	tcase_add_test(tc, accept_waits_for_somebody_new);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
