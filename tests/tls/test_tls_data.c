/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes through sockfs-tls: all of them and in order, whatever the sizes, and the pace.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/confine.h"
#include "tests/tls/helper.h"
#include "tests/unit/unit.h"
#include "tls/pump.h"

#define MIB (1u << 20)

static unsigned char buf[MIB], back[MIB];

/* A connection to @peer, which verifies nothing that is not looked at elsewhere. */
static int open_to(uint64_t id, struct peer peer)
{
	int fd = ask_tls(id, peer_start(peer), (struct ask){.name = NULL});

	expect_opened(id, 0, NULL);
	return fd;
}

/* ---------------------------------------------------------------------------- streams */

static void peer_echoes(SSL *ssl, int fd)
{
	static char chunk[65536];
	size_t n;

	(void)fd;
	while (SSL_read_ex(ssl, chunk, sizeof(chunk), &n) == 1)
		peer_write(ssl, chunk, n);
	peer_assert(SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN);
	SSL_shutdown(ssl);
}

/* Write and read at the same time: neither side may wait for the other. */
static void exchange(int fd, size_t size, size_t chunk)
{
	size_t sent = 0, got = 0;

	ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	while (got < size) {
		struct pollfd pfd = {.fd = fd, .events = sent < size ? POLLIN | POLLOUT : POLLIN};

		ck_assert_int_eq(poll(&pfd, 1, WAIT_MS), 1);
		if (pfd.revents & POLLOUT && sent < size) {
			size_t len = chunk < size - sent ? chunk : size - sent;
			ssize_t n = send(fd, buf + sent, len, MSG_NOSIGNAL);

			ck_assert(n > 0 || errno == EAGAIN);
			sent += n > 0 ? (size_t)n : 0;
		}
		if (pfd.revents & POLLIN) {
			ssize_t n = read(fd, back + got, size - got);

			ck_assert_int_gt(n, 0);
			got += (size_t)n;
		}
	}
	ck_assert(is_pattern(back, 0, size));
}

START_TEST(a_mebibyte_goes_both_ways_at_once)
{
	static const size_t chunks[] = {MIB, 16384, 16385, 4095, 1000};

	for (size_t i = 0; i < sizeof(chunks) / sizeof(chunks[0]); i++) {
		int fd = open_to(i, (struct peer){.talk = peer_echoes,
						  .max_version = i % 2 ? TLS1_2_VERSION : 0});

		exchange(fd, MIB, chunks[i]);
		ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
		expect_eof(i, fd);
		close(fd);
		expect_end(i, 0, NULL);
	}
}
END_TEST

START_TEST(a_network_that_carries_single_bytes_loses_none)
{
	int fd = open_to(1, (struct peer){.talk = peer_echoes, .byte_by_byte = true});

	exchange(fd, 20000, 7000);
	close(fd);
	expect_end(1, 0, NULL);
}
END_TEST

/* A byte, and the next when that one has been answered. */
static void peer_says_slowly(SSL *ssl, int fd)
{
	(void)fd;
	for (int i = 0; i < 20; i++) {
		unsigned char c = pattern((size_t)i), answer;

		peer_write(ssl, &c, 1);
		usleep(20000);
		peer_read(ssl, &answer, 1);
		peer_assert(answer == c);
	}
	SSL_shutdown(ssl);
	peer_expect_end(ssl);
}

START_TEST(each_byte_comes_when_it_is_sent)
{
	int fd = open_to(1, (struct peer){.talk = peer_says_slowly});

	for (size_t i = 0; i < 20; i++) {
		file_read(fd, buf, 1);
		ck_assert_uint_eq(buf[0], pattern(i));
		file_write(fd, buf, 1);
	}
	expect_eof(1, fd);
	close(fd);
	expect_end(1, 0, NULL);
}
END_TEST

#define CROWD 40

START_TEST(many_at_once_do_not_mix)
{
	int fds[CROWD];

	for (size_t i = 0; i < CROWD; i++)
		fds[i] = ask_tls(i, peer_start((struct peer){.talk = peer_echoes}),
				 (struct ask){.name = NULL});
	/* The answers come in whatever order. */
	for (size_t i = 0; i < CROWD; i++)
		ck_assert_int_eq(expect_msg(TLS_MSG_OPENED, ANY_ID)->opened.err, 0);
	for (size_t i = 0; i < CROWD; i++)
		file_write(fds[i], buf + i, 30000);
	for (size_t i = 0; i < CROWD; i++) {
		file_read(fds[i], back, 30000);
		ck_assert(is_pattern(back, i, 30000));
		close(fds[i]);
		expect_end(i, 0, NULL);
	}
}
END_TEST

#define HEAP (PUMP_BATCH + 1000)

static void peer_says_a_heap(SSL *ssl, int fd)
{
	static unsigned char chunk[HEAP];

	(void)fd;
	fill(chunk, 0, sizeof(chunk));
	peer_write(ssl, chunk, sizeof(chunk));
	peer_expect_end(ssl);
}

/*
 * A little more than a turn takes, all at once and nothing after it: the end of it lies
 * inside OpenSSL, which reads ahead, when the kernel has no byte left to wake anybody for.
 */
START_TEST(bytes_inside_openssl_come_without_an_event)
{
	int room = 2 * (int)HEAP, net = peer_start((struct peer){.talk = peer_says_a_heap});
	int tcp = dup(net), queued = 0, fd;

	setsockopt(net, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	fd = ask_tls(1, net, (struct ask){.name = NULL});
	expect_opened(1, 0, NULL);
	ck_assert_int_eq(kill(helper_pid, SIGSTOP), 0);
	for (int i = 0; i < 50 && queued < (int)HEAP; i++) {
		usleep(10000);
		ck_assert_int_eq(ioctl(tcp, SIOCINQ, &queued), 0);
	}
	ck_assert_int_eq(kill(helper_pid, SIGCONT), 0);
	file_read(fd, back, HEAP);
	ck_assert(is_pattern(back, 0, HEAP));
	close(tcp);
	close(fd);
	expect_end(1, 0, NULL);
}
END_TEST

/* ----------------------------------------------------------------------- back-pressure */

static void peer_floods(SSL *ssl, int fd)
{
	static unsigned char chunk[MIB];

	(void)fd;
	for (size_t i = 0; i < 8; i++) {
		fill(chunk, i * MIB, MIB);
		peer_write(ssl, chunk, MIB);
	}
	SSL_shutdown(ssl);
	peer_expect_end(ssl);
}

START_TEST(what_nobody_reads_stays_outside)
{
	size_t before, after;
	int fd, other;

	other = open_to(1, (struct peer){.talk = peer_echoes});
	before = helper_rss();
	fd = open_to(2, (struct peer){.talk = peer_floods});
	/* The others have their turns, so what could be read has been. */
	exchange(other, 100000, 10000);
	exchange(other, 100000, 10000);
	after = helper_rss();
#ifndef CONFINE_SANITIZED
	if (!on_valgrind())
		ck_assert_msg(after < before + 2 * MIB, "%zu bytes more", after - before);
#else
	(void)after;
	(void)before;
#endif
	for (size_t i = 0; i < 8; i++) {
		file_read(fd, back, MIB);
		ck_assert(is_pattern(back, i * MIB, MIB));
	}
	expect_eof(2, fd);
	close(fd);
	expect_end(2, 0, NULL);
	close(other);
	expect_end(1, 0, NULL);
}
END_TEST

static void peer_reads_late(SSL *ssl, int fd)
{
	static unsigned char chunk[MIB];
	char c;

	(void)fd;
	peer_read(ssl, &c, 1);
	usleep(200000);
	peer_read(ssl, chunk, MIB);
	peer_assert(is_pattern(chunk, 0, MIB));
	peer_expect_end(ssl);
	SSL_shutdown(ssl);
}

START_TEST(a_closed_file_sends_what_it_has)
{
	int fd = open_to(1, (struct peer){.talk = peer_reads_late});

	file_write(fd, "!", 1);
	file_write(fd, buf, MIB);
	close(fd);
	expect_end(1, 0, NULL);
}
END_TEST

/* Bytes of ours that nobody reads: the peer must have all of its own, nevertheless. */
static void peer_says_and_reads(SSL *ssl, int fd)
{
	static unsigned char chunk[MIB];

	/* All is in the kernel by then. */
	usleep(100000);
	for (int i = 0; i < 100; i++)
		peer_write(ssl, chunk, 1000);
	usleep(100000);
	(void)fd;
	peer_read(ssl, chunk, MIB);
	peer_assert(is_pattern(chunk, 0, MIB));
	peer_expect_end(ssl);
}

START_TEST(unread_bytes_of_a_closed_file_take_nothing_from_the_peer)
{
	int fd = open_to(1, (struct peer){.talk = peer_says_and_reads});

	file_write(fd, buf, MIB);
	close(fd);
	expect_end(1, 0, NULL);
}
END_TEST

/* What is queued lies in the stream or in the kernel's TCP, and both can be asked. */
static void peer_reads_when_told(SSL *ssl, int fd)
{
	static unsigned char chunk[MIB];
	char c;

	(void)fd;
	peer_read(ssl, &c, 1);
	peer_read(ssl, chunk, MIB);
	peer_write(ssl, "k", 1);
	peer_expect_end(ssl);
}

START_TEST(queues_tell_when_all_is_sent)
{
	int net = peer_start((struct peer){.talk = peer_reads_when_told});
	int tcp = dup(net);
	int fd = ask_tls(1, net, (struct ask){.name = NULL});
	int queued = -1, outq = -1;

	expect_opened(1, 0, NULL);
	file_write(fd, "!", 1);
	file_write(fd, buf, MIB);
	file_read(fd, back, 1);
	/* The peer has it all, so the queues run empty. */
	for (int i = 0; i < WAIT_MS / 10 && (queued != 0 || outq != 0); i++) {
		ck_assert_int_eq(ioctl(fd, SIOCOUTQ, &queued), 0);
		ck_assert_int_eq(ioctl(tcp, SIOCOUTQ, &outq), 0);
		usleep(10000);
	}
	ck_assert_int_eq(queued, 0);
	ck_assert_int_eq(outq, 0);
	close(fd);
	close(tcp);
	expect_end(1, 0, NULL);
}
END_TEST

/* ------------------------------------------------------------------- the helper's life */

START_TEST(it_ends_with_the_daemon)
{
	int fd = open_to(1, (struct peer){.talk = peer_reads_late});
	int waiting = ask_tls(2, peer_start((struct peer){.may_fail = true}),
			      (struct ask){.name = NULL});

	file_write(fd, "!", 1);
	file_write(fd, buf, MIB);
	close(helper_control);
	helper_control = -1;
	close(fd);
	close(waiting);
	ck_assert_int_eq(helper_wait(), 0);
	/* And the peer has got it all, says peer_wait(). */
}
END_TEST

#define IDLE 100

static void peer_waits(SSL *ssl, int fd)
{
	char c;

	(void)fd;
	peer_write(ssl, "!", 1);
	peer_read(ssl, &c, 1);
	peer_expect_end(ssl);
	SSL_shutdown(ssl);
}

START_TEST(an_idle_connection_is_small)
{
	int fds[IDLE];
	size_t before = 0, each;
	char c;

	for (size_t i = 0; i < IDLE; i++) {
		/* What all have in common is there after the first ones. */
		if (i == 10)
			before = helper_rss();
		fds[i] = open_to(i, (struct peer){.talk = peer_waits});
		file_write(fds[i], "!", 1);
		file_read(fds[i], &c, 1);
	}
	each = (helper_rss() - before) / (IDLE - 10);
	printf("an idle connection: %zu bytes\n", each);
#ifndef CONFINE_SANITIZED
	if (!on_valgrind())
		ck_assert_uint_le(each, 65536);
#endif
	for (size_t i = 0; i < IDLE; i++) {
		close(fds[i]);
		expect_end(i, 0, NULL);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tls_data");
	TCase *tc = tcase_create("data");
	int status;

	certs_setup();
	fill(buf, 0, sizeof(buf));
	tcase_add_checked_fixture(tc, helper_setup, helper_teardown);
	tcase_add_test(tc, a_mebibyte_goes_both_ways_at_once);
	tcase_add_test(tc, a_network_that_carries_single_bytes_loses_none);
	tcase_add_test(tc, each_byte_comes_when_it_is_sent);
	tcase_add_test(tc, bytes_inside_openssl_come_without_an_event);
	tcase_add_test(tc, many_at_once_do_not_mix);
	tcase_add_test(tc, what_nobody_reads_stays_outside);
	tcase_add_test(tc, a_closed_file_sends_what_it_has);
	tcase_add_test(tc, unread_bytes_of_a_closed_file_take_nothing_from_the_peer);
	tcase_add_test(tc, queues_tell_when_all_is_sent);
	tcase_add_test(tc, it_ends_with_the_daemon);
	tcase_add_test(tc, an_idle_connection_is_small);
	suite_add_tcase(suite, tc);
	status = unit_run(suite);
	certs_teardown();
	return status;
}
