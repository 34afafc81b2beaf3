/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * UDP: datagrams that are read in part, errors that are told once, headers.
 */
#include "config.h"

#include <poll.h>

#include "net/inet/udp.h"
#include "policy/policy.h"
#include "tests/unit/unit.h"
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

/* What nobody waits for lies there, and the loop sleeps. */
START_TEST(nobody_waits)
{
	struct end e = pair("f");
	uint64_t unique = wire_read(w, e.ino, e.fh, 64, O_RDWR);

	wire_interrupt(w, unique);
	ck_assert_int_eq(wire_wait(w, unique, NULL, 0, NULL), -EINTR);
	say(e.peer, "x");
	until_polled(&e, POLLIN);
	wire_turn(w);
	ck_assert(!uv_is_active((uv_handle_t *)&udp_sk(socket_of(&e)->sk)->udp));
	expect(&e, 64, "x");
	close(e.peer);
}
END_TEST

/* So many that a read has to take several turns for them. */
START_TEST(a_reader_waits_behind_empty_datagrams)
{
	struct end e = pair("f");
	uint64_t unique;
	char buf[8];
	size_t len = 0;

	for (int i = 0; i < 200; i++)
		ck_assert_int_eq(send(e.peer, "", 0, 0), 0);
	unique = wire_read(w, e.ino, e.fh, 8, O_RDWR);
	ck_assert_int_eq(wire_answer(w, unique, NULL, 0, NULL), WIRE_OPEN);
	for (int i = 0; i < 200; i++)
		wire_turn(w);
	ck_assert_int_eq(wire_answer(w, unique, NULL, 0, NULL), WIRE_OPEN);
	say(e.peer, "x");
	ck_assert_int_eq(wire_wait(w, unique, buf, sizeof(buf), &len), 0);
	ck_assert_uint_eq(len, 1);
	ck_assert_int_eq(number(&e, SOCKFS_SO_EMPTY), 200);
	close(e.peer);
}
END_TEST

/* Each half for itself: who waits for data hears of the end of one of them only. */
START_TEST(shutdown_under_a_reader)
{
	struct end e = pair("f");
	uint64_t unique = wire_read(w, e.ino, e.fh, 8, O_RDWR);
	int32_t how = SHUT_WR;
	char buf[8];
	size_t len = 1;

	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_SHUTDOWN, &how), 0);
	wire_turn(w);
	ck_assert_int_eq(wire_answer(w, unique, NULL, 0, NULL), WIRE_OPEN);
	say(e.peer, "x");
	ck_assert_int_eq(wire_wait(w, unique, buf, sizeof(buf), &len), 0);
	ck_assert_uint_eq(len, 1);
	close(e.peer);

	e = pair("g");
	unique = wire_read(w, e.ino, e.fh, 8, O_RDWR);
	how = SHUT_RD;
	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_SHUTDOWN, &how), 0);
	ck_assert_int_eq(wire_wait(w, unique, buf, sizeof(buf), &len), 0);
	ck_assert_uint_eq(len, 0);
	ck_assert_int_eq(put(&e, "x", 1), 0);
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

/* Not even with SO_REUSEADDR, which libuv would set on ours. */
START_TEST(nobody_else_takes_the_address)
{
	struct end e = bound("f");
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockfs_addr addr;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), on = 1;

	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_GETSOCKNAME, &addr), 0);
	sa.sin_port = htons((uint16_t)atoi(addr.port));
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	ck_assert_int_eq(bind(fd, (void *)&sa, sizeof(sa)), -1);
	ck_assert_int_eq(errno, EADDRINUSE);
	close(fd);
}
END_TEST

START_TEST(groups_that_are_none)
{
	static const struct sockfs_addr bad[] = {{.host = "nonsense"}, {.host = ""}, {.host = "127.0.0.1"},
						 {.host = "224.0.0.251", .port = "no-such-device"}};
	static const int want[] = {-EINVAL, -EINVAL, -EINVAL, -ENODEV};
	struct end e = bound("f"), fresh = make_file(w, "fresh");

	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(ioc(&e, SOCKFS_IOC_JOIN, (void *)&bad[i]), want[i]);
	ck_assert_int_eq(ioc(&fresh, SOCKFS_IOC_JOIN, (void *)&bad[0]), -EOPNOTSUPP);
}
END_TEST

/* The kernel's lines have one length, so that lseek(2) finds the n-th. */
START_TEST(lines_of_the_table)
{
	struct end six = make_file(w, "six");
	struct sockfs_addr addr = {.host = "udp:::1", .port = "0"};
	char line[256];
	const char *text;
	FILE *kernel = fopen("/proc/net/udp", "re");

	/* It has no line here, and no number. */
	if (have_ipv6())
		ck_assert_int_eq(ioc(&six, SOCKFS_IOC_BIND, &addr), 0);
	bound("f");
	text = read_table(w, "udp");
	ck_assert_ptr_nonnull(fgets(line, sizeof(line), kernel));
	fclose(kernel);
	ck_assert_uint_eq(strlen(text), 2 * strlen(line));
	ck_assert_int_eq(text[strlen(line) - 1], '\n');
	ck_assert_int_eq(atoi(text + strlen(line)), 0);
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

/* A descriptor of IPv6, and one that is asked by IPv4 as well; both kinds of header. */
START_TEST(headers_of_ipv6)
{
	struct end e = make_file(w, "f");
	struct sockfs_addr addr = {.host = "udp:::", .port = "0"}, a4;
	struct sockaddr_in6 sa = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int six = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0), four = plain(&a4);
	socklen_t len = sizeof(sa);
	char text[64], buf[64];
	int n;

	ck_assert_int_eq(bind(six, (void *)&sa, sizeof(sa)), 0);
	ck_assert_int_eq(getsockname(six, (void *)&sa, &len), 0);
	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_BIND, &addr), 0);
	set_option(&e, SOL_SOCKFS, SOCKFS_SO_HEADERS, SOCKFS_HEADERS_TEXT);
	snprintf(text, sizeof(text), "[::1]:%u 3\nsix", ntohs(sa.sin6_port));
	ck_assert_int_eq(put(&e, text, (uint32_t)strlen(text)), 0);
	ck_assert_int_eq(recv(six, buf, sizeof(buf), MSG_DONTWAIT), 3);
	snprintf(text, sizeof(text), "127.0.0.1:%s 4\nfour", a4.port);
	ck_assert_int_eq(put(&e, text, (uint32_t)strlen(text)), 0);
	ck_assert_int_eq(recv(four, buf, sizeof(buf), MSG_DONTWAIT), 4);

	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_GETSOCKNAME, &addr), 0);
	sa.sin6_port = htons((uint16_t)atoi(addr.port));
	ck_assert_int_eq(sendto(six, "back", 4, 0, (void *)&sa, sizeof(sa)), 4);
	n = get(&e, text, sizeof(text));
	ck_assert_int_gt(n, 4);
	ck_assert_int_eq(put(&e, text, (uint32_t)n), 0);
	ck_assert_int_eq(recv(six, buf, sizeof(buf), MSG_DONTWAIT), 4);

	/* What comes with a header goes back with it. */
	set_option(&e, SOL_SOCKFS, SOCKFS_SO_HEADERS, SOCKFS_HEADERS_PLAN9);
	ck_assert_int_eq(sendto(six, "again", 5, 0, (void *)&sa, sizeof(sa)), 5);
	ck_assert_int_eq(get(&e, text, sizeof(text)), 52 + 5);
	ck_assert_mem_eq(text, &in6addr_loopback, 16);
	ck_assert_int_eq(put(&e, text, 52 + 5), 0);
	ck_assert_int_eq(recv(six, buf, sizeof(buf), MSG_DONTWAIT), 5);
	close(six);
	close(four);
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

/* The kernel sends to the address that the file is bound to, so the rules are asked for that. */
START_TEST(an_any_address_in_a_header)
{
	static const char *const any[] = {"0.0.0.0:9 1\nx", "[::ffff:0.0.0.0]:9 1\nx"};
	struct end e = make_file(w, "f");
	struct sockfs_addr addr = {.host = "udp:127.0.0.2", .port = "0"};

	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_BIND, &addr), 0);
	set_option(&e, SOL_SOCKFS, SOCKFS_SO_HEADERS, SOCKFS_HEADERS_TEXT);
	for (size_t i = 0; i < 2; i++) {
		uint32_t len = (uint32_t)strlen(any[i]);
		int denied, other;

		ck_assert_int_eq(policy_add("127.0.0.2", false), 0);
		denied = put(&e, any[i], len);
		policy_clear();
		ck_assert_int_eq(policy_add("127.0.0.1", false), 0);
		other = put(&e, any[i], len);
		policy_clear();
		ck_assert_int_eq(denied, -EACCES);
		ck_assert_int_eq(other, 0);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wire_udp");
	TCase *tc = tcase_create("all");

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
	tcase_add_test(tc, nobody_waits);
	tcase_add_test(tc, a_reader_waits_behind_empty_datagrams);
	tcase_add_test(tc, shutdown_under_a_reader);
	tcase_add_test(tc, shutdown_as_a_socket_of_linux);
	tcase_add_test(tc, bound_for_all);
	tcase_add_test(tc, nobody_else_takes_the_address);
	tcase_add_test(tc, groups_that_are_none);
	tcase_add_test(tc, lines_of_the_table);
	tcase_add_test(tc, abort_ends_a_reader_of_a_bound_file);
	tcase_add_test(tc, connect_what_is_bound);
	tcase_add_test(tc, headers_as_text);
	tcase_add_loop_test(tc, headers_that_are_none, 0,
			    sizeof(bad_headers) / sizeof(bad_headers[0]));
	tcase_add_test(tc, headers_of_plan9);
	if (have_ipv6())
		tcase_add_test(tc, headers_of_ipv6);
	tcase_add_test(tc, the_policy_is_asked_for_each_header);
	tcase_add_test(tc, an_any_address_in_a_header);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
