/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Listening on UDP: a file for each peer, who gets what it sends and nothing else, and all
 * that can fail on the way to it.
 */
#include "config.h"

#include <poll.h>
#include <sys/syscall.h>

#include "net/inet/udp.h"
#include "tests/unit/unit.h"
#include "wire_udp.h"

/* The errno of the next calls by the daemon, 0: they are the C library's. */
static int connect_error, receive_error;
/* Has the kernel no IPv6? */
static bool no_ipv6;

/* Plain sockets that send before the next connect of the daemon, what they are; 0: none. */
static int in_between[3];

/* In place of the C library's. It connects the peers' sockets. */
int connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	for (int i = 0; i < 3 && in_between[i] != 0; i++)
		say(in_between[i], i == 0 ? "new" : "known");
	memset(in_between, 0, sizeof(in_between));
	if (connect_error != 0) {
		errno = connect_error;
		return -1;
	}
	return (int)syscall(SYS_connect, fd, addr, len);
}

int socket(int family, int type, int protocol)
{
	if (no_ipv6 && family == AF_INET6) {
		errno = EAFNOSUPPORT;
		return -1;
	}
	return (int)syscall(SYS_socket, family, type, protocol);
}

ssize_t recvfrom(int fd, void *buf, size_t size, int flags, struct sockaddr *addr, socklen_t *len)
{
	if (receive_error != 0) {
		errno = receive_error;
		return -1;
	}
	return syscall(SYS_recvfrom, fd, buf, size, flags, addr, len);
}

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

START_TEST(a_peers_file_has_the_options_of_the_listener)
{
	struct end e = listener(), one;
	struct sockfs_addr addr;
	int a = plain(&addr);

	set_option(&e, IPPROTO_IP, IP_TTL, 9);
	set_option(&e, SOL_SOCKFS, SOCKFS_SO_MESSAGE, SOCKFS_MESSAGE_DISCARD);
	connect_plain(a, &e);
	say(a, "x");
	expect(&e, 64, "srv.1\n");
	one = open_file(w, "srv.1");
	ck_assert_int_eq(get_option(&one, IPPROTO_IP, IP_TTL), 9);
	ck_assert_int_eq(number(&one, SOCKFS_SO_MESSAGE), SOCKFS_MESSAGE_DISCARD);
	close(a);
}
END_TEST

/* Its datagram would be the first for ever, so it is dropped; others are served. */
START_TEST(a_peer_that_cannot_be_connected_to)
{
	struct end e = listener();
	struct sockfs_addr addr;
	int a = plain(&addr), b = plain(&addr);
	char buf[64];

	connect_plain(a, &e);
	connect_plain(b, &e);
	say(a, "lost");
	connect_error = ENETUNREACH;
	ck_assert_int_eq(get(&e, buf, 64), -EAGAIN);
	connect_error = 0;
	ck_assert_int_eq(number(&e, SOCKFS_SO_DROPS), 1);
	ck_assert_int_eq(get(&e, buf, 64), -EAGAIN);
	say(b, "served");
	expect(&e, 64, "srv.1\n");
	close(a);
	close(b);
}
END_TEST

/* It has come to the listener behind somebody new, and moves when that one is accepted. */
START_TEST(who_waits_for_what_is_moved)
{
	struct end e = listener(), one;
	struct sockfs_addr addr;
	int a = plain(&addr), b = plain(&addr);
	char buf[64];
	uint64_t unique;
	size_t len = 0;

	connect_plain(a, &e);
	connect_plain(b, &e);
	say(a, "a1");
	say(b, "b1");
	say(a, "a2");
	say(a, "a3");
	expect(&e, 64, "srv.1\n");
	one = open_file(w, "srv.1");
	expect(&one, 64, "a1");
	/* The first is told that it can write; then there is nothing new. */
	for (uint64_t kh = 5; kh < 7; kh++) {
		w->notices = 0;
		unique = wire_poll(w, one.ino, one.fh, kh);
		ck_assert_int_eq(wire_answer(w, unique, buf, sizeof(buf), NULL), 0);
		for (int i = 0; i < 5; i++)
			wire_turn(w);
	}
	ck_assert_uint_eq(w->notices, 0);
	unique = wire_read(w, one.ino, one.fh, 64, O_RDWR);
	ck_assert_int_eq(wire_answer(w, unique, NULL, 0, NULL), WIRE_OPEN);
	expect(&e, 64, "srv.2\n");
	ck_assert_uint_eq(w->last_kh, 6);
	ck_assert_int_eq(wire_wait(w, unique, buf, sizeof(buf), &len), 0);
	ck_assert_uint_eq(len, 2);
	expect(&one, 64, "a3");
	close(a);
	close(b);
}
END_TEST

/* What lies in the daemon is read, counted and named as what lies in the kernel. */
START_TEST(what_was_moved_is_as_any)
{
	struct end e = listener(), one;
	struct sockfs_addr addr;
	struct sockfs_sockopt from = {.level = SOL_SOCKFS, .name = SOCKFS_SO_FROM};
	struct sockfs_info info;
	int a = plain(&addr);
	char want[64];

	connect_plain(a, &e);
	say(a, "hello");
	expect(&e, 64, "srv.1\n");
	one = open_file(w, "srv.1");
	ck_assert_int_eq(ioc(&one, SOCKFS_IOC_INFO, &info), 0);
	ck_assert_uint_eq(info.recvq, 5);
	expect(&one, 64, "hello");
	ck_assert_int_eq(ioc(&one, SOCKFS_IOC_GETSOCKOPT, &from), 0);
	snprintf(want, sizeof(want), "127.0.0.1:%s", addr.port);
	ck_assert_str_eq((char *)from.value, want);
	say(a, "you");
	expect(&one, 64, "you");
	ck_assert_int_eq(ioc(&one, SOCKFS_IOC_INFO, &info), 0);
	ck_assert_uint_eq(info.recvq, 0);
	ck_assert_uint_eq(info.rx_bytes, 8);
	close(a);
}
END_TEST

/* Without an address: any, and a port of the kernel's choice. */
START_TEST(listen_without_an_address)
{
	struct end e = make_file(w, "srv");
	struct sockfs_sockopt udp = {.level = SOL_SOCKFS, .name = SOCKFS_SO_PROTO, .len = 3,
				     .value = "udp"};
	struct sockfs_addr addr;
	int32_t backlog = 0;
	int a = plain(&addr);

	no_ipv6 = _i == 1;
	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_SETSOCKOPT, &udp), 0);
	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_LISTEN, &backlog), 0);
	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_GETSOCKNAME, &addr), 0);
	ck_assert_int_gt(atoi(addr.port), 0);
	if (no_ipv6)
		ck_assert_str_eq(addr.host, "0.0.0.0");
	connect_plain(a, &e);
	say(a, "x");
	expect(&e, 64, "srv.1\n");
	no_ipv6 = false;
	close(a);
}
END_TEST

START_TEST(a_read_that_a_signal_ends)
{
	struct end e = bound("f");
	char buf[8];

	receive_error = EINTR;
	ck_assert_int_eq(get(&e, buf, 8), -EAGAIN);
	receive_error = 0;
}
END_TEST

/* Waiting for the next datagram would not end it. */
START_TEST(an_error_of_the_listener_is_told)
{
	struct end e = listener();
	struct sockfs_addr addr;
	int a = plain(&addr);
	char buf[64];

	connect_plain(a, &e);
	say(a, "x");
	receive_error = ENOBUFS;
	ck_assert_int_eq(get(&e, buf, 64), -ENOBUFS);
	receive_error = EINTR;
	ck_assert_int_eq(get(&e, buf, 64), -EAGAIN);
	receive_error = 0;
	expect(&e, 64, "srv.1\n");
	close(a);
}
END_TEST

/*
 * More than one turn moves: without anybody who accepts again, all of it comes. A kernel
 * that has little room for datagrams drops some, and says so.
 */
START_TEST(all_that_waits_for_a_peer_comes)
{
	struct end e = listener(), one;
	struct sockfs_addr addr;
	int a = plain(&addr), lost, got = 0, want = 400;
	char buf[8];

	set_option(&e, SOL_SOCKET, SO_RCVBUF, 1 << 20);
	connect_plain(a, &e);
	for (int i = 0; i < want; i++)
		say(a, "x");
	lost = number(&e, SOCKFS_SO_DROPS);
	ck_assert_int_lt(lost, want - 256);
	expect(&e, 64, "srv.1\n");
	one = open_file(w, "srv.1");
	for (int i = 0; i < 100 && got < want - lost; i++) {
		while (get(&one, buf, sizeof(buf)) == 1)
			got++;
		wire_turn(w);
	}
	ck_assert_int_eq(got, want - lost);
	close(a);
}
END_TEST

/* ----------------------------------- the moment between bind(2) and connect(2) */

/* What others send then is theirs, whether they have a socket already or not. */
START_TEST(nobody_gets_what_another_one_sends)
{
	struct end e = listener(), known, one, new;
	struct sockfs_addr addr;
	int a = plain(&addr), b = plain(&addr), c = plain(&addr);
	char buf[64];

	connect_plain(a, &e);
	connect_plain(b, &e);
	connect_plain(c, &e);
	say(a, "hello");
	expect(&e, 64, "srv.1\n");
	known = open_file(w, "srv.1");
	expect(&known, 64, "hello");
	say(b, "one");
	in_between[0] = c;
	in_between[1] = a;
	in_between[2] = b;
	expect(&e, 64, "srv.2\n");
	one = open_file(w, "srv.2");
	expect(&one, 64, "one");
	expect(&one, 64, "known");
	ck_assert_int_eq(get(&one, buf, sizeof(buf)), -EAGAIN);
	expect(&known, 64, "known");
	expect(&e, 64, "srv.3\n");
	new = open_file(w, "srv.3");
	expect(&new, 64, "new");
	ck_assert_int_eq(number(&e, SOCKFS_SO_DROPS), 0);
	close(a);
	close(b);
	close(c);
}
END_TEST

/* Both wait already: the kernel has nothing more to tell of what the listener's queue has. */
START_TEST(those_who_wait_learn_of_what_came_in_between)
{
	struct end e = listener();
	struct sockfs_addr addr;
	const struct cred cred = {.uid = 0};
	int a = plain(&addr), b = plain(&addr);
	struct inode *inode = NULL;
	uint64_t acceptor;
	char buf[64];
	size_t len = 0;

	connect_plain(a, &e);
	connect_plain(b, &e);
	acceptor = wire_read(w, e.ino, e.fh, 64, O_RDWR);
	ck_assert_int_eq(wire_answer(w, acceptor, NULL, 0, NULL), WIRE_OPEN);
	in_between[0] = b;
	say(a, "x");
	/* By somebody else, who does not stand in line. */
	ck_assert_int_eq(sock_do_accept(socket_of(&e), &cred, &inode), 0);
	ck_assert_int_eq(wire_wait(w, acceptor, buf, sizeof(buf), &len), 0);
	ck_assert_mem_eq(buf, "srv.2\n", 6);
	close(a);
	close(b);
}
END_TEST

/* What is left in the kernel's queue, behind more than is sorted at once, is dropped. */
START_TEST(a_stray_that_stays_is_dropped)
{
	struct end e = listener(), one;
	struct sockfs_addr addr;
	int a = plain(&addr), b = plain(&addr);
	struct udp_sock *u;
	char buf[64];

	connect_plain(a, &e);
	connect_plain(b, &e);
	say(a, "x");
	expect(&e, 64, "srv.1\n");
	one = open_file(w, "srv.1");
	expect(&one, 64, "x");
	/* As if it had been another's. */
	u = udp_sk(socket_of(&one)->sk);
	u->peer.in.sin_port ^= 1;
	say(a, "stray");
	ck_assert_int_eq(get(&one, buf, sizeof(buf)), -EAGAIN);
	ck_assert_int_eq(number(&one, SOCKFS_SO_DROPS), 1);
	close(a);
	close(b);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wire_udp_listen");
	TCase *tc = tcase_create("all");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_file_for_each_peer);
	tcase_add_test(tc, what_waits_for_a_peer_is_bounded);
	tcase_add_test(tc, accept_waits_for_somebody_new);
	tcase_add_test(tc, a_peers_file_has_the_options_of_the_listener);
	tcase_add_test(tc, a_peer_that_cannot_be_connected_to);
	tcase_add_test(tc, who_waits_for_what_is_moved);
	tcase_add_test(tc, what_was_moved_is_as_any);
	tcase_add_loop_test(tc, listen_without_an_address, 0, 2);
	tcase_add_test(tc, a_read_that_a_signal_ends);
	tcase_add_test(tc, an_error_of_the_listener_is_told);
	tcase_add_test(tc, all_that_waits_for_a_peer_comes);
	tcase_add_test(tc, nobody_gets_what_another_one_sends);
	tcase_add_test(tc, those_who_wait_learn_of_what_came_in_between);
	tcase_add_test(tc, a_stray_that_stays_is_dropped);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
