/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Receiving into a pipe: each way in which splice answers, and the way out when
 * it cannot. The wire's device takes no splice, so the iterator is made here.
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

#include "net/proto_ops.h"
#include "tests/unit/unit.h"
#include "wire.h"

#define ROOT FUSE_ROOT_ID

static struct wire *w;
static struct socket *sock;
static int peer;
static int fds[2];
static struct iter_pipe to;
static struct iov_iter iter;
static char copy[4096];

/* A connected socket of the mount, and the other end of it. */
static void connect_file(void)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockfs_addr addr = {.host = "127.0.0.1"};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct fuse_entry_out entry;
	struct fuse_open_out o;
	socklen_t len = sizeof(sa);

	ck_assert_int_eq(bind(fd, (void *)&sa, sizeof(sa)), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	ck_assert_int_eq(getsockname(fd, (void *)&sa, &len), 0);
	snprintf(addr.port, sizeof(addr.port), "%u", ntohs(sa.sin_port));
	ck_assert_int_eq(wire_create(w, ROOT, "f", O_RDWR, 0644, &entry, &o), 0);
	ck_assert_int_eq(wire_ioctl(w, entry.nodeid, o.fh, SOCKFS_IOC_CONNECT, &addr), 0);
	peer = accept(fd, NULL, NULL);
	ck_assert_int_ge(peer, 0);
	close(fd);
	sock = SOCKET_I(ilookup(&w->sb, entry.nodeid));
}

static void setup(void)
{
	w = wire_new();
	ck_assert_ptr_nonnull(w);
	connect_file();
	ck_assert_int_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	to.fd = fds[1];
	iov_iter_pipe(&iter, &to, copy, sizeof(copy));
}

static void teardown(void)
{
	close(peer);
	close(fds[0]);
	close(fds[1]);
	ck_assert_int_eq(wire_free(w), 0);
}

/* The kernel has what the peer did; loopback does not say when. */
static void until_readable(void)
{
	struct pollfd p = {.events = POLLIN};

	for (int i = 0; i < 1000; i++) {
		if (proto_poll(sock) & POLLIN)
			return;
		poll(&p, 0, 10);
	}
	ck_abort_msg("nothing came");
}

static void peer_says(const char *text)
{
	ck_assert_int_eq(send(peer, text, strlen(text), 0), (ssize_t)strlen(text));
	until_readable();
}

static ssize_t receive(void)
{
	return proto_recvmsg(sock, &iter);
}

START_TEST(bytes_go_into_the_pipe)
{
	char got[16];

	peer_says("spliced");
	ck_assert_int_eq(receive(), 7);
	ck_assert_int_eq(iter.iter_type, ITER_PIPE);
	ck_assert_uint_eq(iter.count, sizeof(copy) - 7);
	ck_assert_int_eq(read(fds[0], got, sizeof(got)), 7);
	ck_assert_mem_eq(got, "spliced", 7);
}
END_TEST

START_TEST(nothing_there_leaves_the_iterator)
{
	ck_assert_int_eq(receive(), -EAGAIN);
	ck_assert_int_eq(iter.iter_type, ITER_PIPE);
	peer_says("late");
	ck_assert_int_eq(receive(), 4);
	ck_assert_int_eq(iter.iter_type, ITER_PIPE);
}
END_TEST

START_TEST(count_is_kept)
{
	iter.count = 3;
	peer_says("abcdef");
	ck_assert_int_eq(receive(), 3);
	iov_iter_pipe(&iter, &to, copy, sizeof(copy));
	ck_assert_int_eq(receive(), 3);
	ck_assert_int_eq(read(fds[0], copy, sizeof(copy)), 6);
	ck_assert_mem_eq(copy, "abcdef", 6);
}
END_TEST

static void copied(void)
{
	peer_says("copied");
	ck_assert_int_eq(receive(), 6);
	ck_assert_int_eq(iter.iter_type, ITER_UBUF);
	ck_assert_mem_eq(copy, "copied", 6);
}

START_TEST(pipe_out_of_use_is_copied)
{
	to.fd = -1;
	copied();
}
END_TEST

/* As a kernel that has no splice from sockets, or a sandbox that forbids it. */
START_TEST(splice_that_fails_is_copied)
{
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	to.fd = fd;
	copied();
	close(fd);
}
END_TEST

/* A read that has parked with the pipe, which then went. */
START_TEST(pipe_that_goes_meanwhile_is_copied)
{
	ck_assert_int_eq(receive(), -EAGAIN);
	to.fd = -1;
	copied();
}
END_TEST

START_TEST(end_of_file)
{
	peer_says("last");
	shutdown(peer, SHUT_WR);
	ck_assert_int_eq(receive(), 4);
	until_readable();
	iov_iter_pipe(&iter, &to, copy, sizeof(copy));
	ck_assert_int_eq(receive(), 0);
	ck_assert_int_eq(receive(), 0);
}
END_TEST

/* ------------------------------------------------------------------- urgent data */

/* The next bytes must be @text, whichever way they come. */
static void expect_text(const char *text)
{
	char got[64] = "";
	ssize_t n;

	until_readable();
	n = receive();
	ck_assert_int_eq(n, (ssize_t)strlen(text));
	if (iter.iter_type == ITER_PIPE)
		ck_assert_int_eq(read(fds[0], got, sizeof(got)), n);
	ck_assert_mem_eq(iter.iter_type == ITER_PIPE ? got : copy, text, (size_t)n);
	iov_iter_pipe(&iter, &to, copy, sizeof(copy));
}

static void peer_urges(char byte)
{
	struct pollfd p = {.events = POLLPRI};

	ck_assert_int_eq(send(peer, &byte, 1, MSG_OOB), 1);
	for (int i = 0; i < 1000 && !(proto_poll(sock) & POLLPRI); i++)
		poll(&p, 0, 10);
	ck_assert(proto_poll(sock) & POLLPRI);
}

/* Bytes, the urgent one, bytes, the end: all but the urgent one arrive, by splice or not. */
START_TEST(urgent_byte_between)
{
	if (_i == 1)
		to.fd = -1;
	ck_assert_int_eq(send(peer, "before", 6, 0), 6);
	peer_urges('!');
	ck_assert_int_eq(send(peer, "after", 5, 0), 5);
	shutdown(peer, SHUT_WR);
	expect_text("before");
	expect_text("after");
	until_readable();
	ck_assert_int_eq(receive(), 0);
	ck_assert_uint_eq(proto_poll(sock) & POLLPRI, 0);
}
END_TEST

/* A splice over the mark is as good as ever afterwards. */
START_TEST(urgent_byte_without_an_end)
{
	peer_urges('!');
	/* Nothing but the mark is nothing to read. */
	ck_assert_uint_eq(proto_poll(sock) & POLLIN, 0);
	ck_assert_int_eq(receive(), -EAGAIN);
	ck_assert_int_eq(iter.iter_type, ITER_PIPE);
	peer_says("one");
	expect_text("one");
	peer_urges('?');
	peer_says("two");
	expect_text("two");
	peer_says("three");
	ck_assert_int_eq(receive(), 5);
	ck_assert_int_eq(iter.iter_type, ITER_PIPE);
}
END_TEST

START_TEST(urgent_byte_and_the_end)
{
	peer_urges('!');
	shutdown(peer, SHUT_WR);
	until_readable();
	ck_assert_int_eq(receive(), 0);
	ck_assert_int_eq(receive(), 0);
}
END_TEST

START_TEST(reset)
{
	struct linger linger = {.l_onoff = 1};

	setsockopt(peer, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(peer);
	peer = -1;
	until_readable();
	ck_assert_int_eq(receive(), -ECONNRESET);
	ck_assert_int_eq(sock->state, SS_CLOSED);
	iov_iter_pipe(&iter, &to, copy, sizeof(copy));
	ck_assert_int_eq(receive(), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wire_splice");
	TCase *tc = tcase_create("all");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, bytes_go_into_the_pipe);
	tcase_add_test(tc, nothing_there_leaves_the_iterator);
	tcase_add_test(tc, count_is_kept);
	tcase_add_test(tc, pipe_out_of_use_is_copied);
	tcase_add_test(tc, splice_that_fails_is_copied);
	tcase_add_test(tc, pipe_that_goes_meanwhile_is_copied);
	tcase_add_test(tc, end_of_file);
	tcase_add_loop_test(tc, urgent_byte_between, 0, 2);
	tcase_add_test(tc, urgent_byte_without_an_end);
	tcase_add_test(tc, urgent_byte_and_the_end);
	tcase_add_test(tc, reset);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
