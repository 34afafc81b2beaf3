/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a connection of sockfs-tls ends: in halves, cut short, reset, tampered with; and what
 * looks like an end and is none.
 */
#include "config.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/tls/helper.h"
#include "tests/unit/unit.h"
#include "tls/pump.h"

static unsigned char buf[300000], back[300000];

static int open_to(uint64_t id, struct peer peer)
{
	int fd = ask_tls(id, peer_start(peer), (struct ask){.name = NULL});

	expect_opened(id, 0, NULL);
	return fd;
}

static void peer_hears_the_end_and_talks_on(SSL *ssl, int fd)
{
	unsigned char chunk[50000];

	(void)fd;
	peer_read(ssl, chunk, 100);
	peer_expect_end(ssl);
	fill(chunk, 0, sizeof(chunk));
	usleep(50000);
	peer_write(ssl, chunk, sizeof(chunk));
	SSL_shutdown(ssl);
}

START_TEST(a_half_closed_file_still_reads)
{
	int fd = open_to(1, (struct peer){.talk = peer_hears_the_end_and_talks_on});

	file_write(fd, buf, 100);
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	file_read(fd, back, 50000);
	ck_assert(is_pattern(back, 0, 50000));
	expect_eof(1, fd);
	close(fd);
	expect_end(1, 0, NULL);
}
END_TEST

static void peer_ends_and_listens(SSL *ssl, int fd)
{
	unsigned char chunk[50000];

	(void)fd;
	SSL_shutdown(ssl);
	peer_read(ssl, chunk, sizeof(chunk));
	peer_assert(is_pattern(chunk, 0, sizeof(chunk)));
	peer_expect_end(ssl);
}

START_TEST(a_file_whose_peer_has_ended_still_writes)
{
	int fd = open_to(1, (struct peer){.talk = peer_ends_and_listens});

	expect_eof(1, fd);
	expect_silence();
	file_write(fd, buf, 50000);
	close(fd);
	expect_end(1, 0, NULL);
}
END_TEST

/* Closed half after half: only the last tells that nobody is there. */
static void peer_stays_silent(SSL *ssl, int fd)
{
	char c;

	peer_expect_end(ssl);
	peer_assert(read(fd, &c, 1) == 0);
}

START_TEST(a_file_that_is_half_closed_and_then_closed_is_closed)
{
	int fd = open_to(1, (struct peer){.talk = peer_stays_silent});

	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	usleep(50000);
	expect_silence();
	close(fd);
	expect_end(1, 0, NULL);
}
END_TEST

/* Two turns; the stream has no room for all of the second, with which the end comes. */
#define TRUNCATED (PUMP_BATCH + 120000)

static void peer_truncates(SSL *ssl, int fd)
{
	static unsigned char chunk[TRUNCATED];

	fill(chunk, 0, sizeof(chunk));
	peer_write(ssl, chunk, sizeof(chunk));
	shutdown(fd, SHUT_WR);
	while (read(fd, chunk, sizeof(chunk)) > 0)
		;
}

START_TEST(an_end_without_close_notify_is_eproto_behind_the_last_byte)
{
	int fd = open_to(1, (struct peer){.talk = peer_truncates});

	/* While bytes wait nothing is told. */
	usleep(100000);
	expect_silence();
	file_read(fd, back, TRUNCATED);
	ck_assert(is_pattern(back, 0, TRUNCATED));
	file_expect_eof(fd);
	/* It lies there already when the end of file can be seen. */
	ck_assert_int_eq(recv(helper_control, back, sizeof(back), MSG_DONTWAIT | MSG_PEEK) > 0, 1);
	expect_end(1, EPROTO, "without close_notify");
	close(fd);
}
END_TEST

START_TEST(or_an_end_if_that_is_asked_for)
{
	int fd = ask_tls(1, peer_start((struct peer){.talk = peer_truncates}),
			 (struct ask){.lax = true});

	expect_opened(1, 0, NULL);
	file_read(fd, back, TRUNCATED);
	expect_eof(1, fd);
	expect_silence();
	close(fd);
	expect_end(1, 0, NULL);
}
END_TEST

static void peer_resets(SSL *ssl, int fd)
{
	struct linger now = {1, 0};

	peer_read(ssl, back, 5);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

START_TEST(a_reset_is_a_reset)
{
	int fd = open_to(1, (struct peer){.talk = peer_resets});

	file_write(fd, buf, 5);
	expect_end(1, ECONNRESET, "reset");
	file_expect_eof(fd);
	close(fd);
}
END_TEST

static void peer_is_reset(SSL *ssl, int fd)
{
	char c;

	peer_read(ssl, &c, 1);
	peer_assert(read(fd, &c, 1) == -1 && errno == ECONNRESET);
}

START_TEST(the_daemon_resets_by_its_own_descriptor)
{
	struct sockaddr nobody = {.sa_family = AF_UNSPEC};
	int net = peer_start((struct peer){.talk = peer_is_reset});
	int tcp = dup(net);
	int fd = ask_tls(1, net, (struct ask){.name = NULL});

	expect_opened(1, 0, NULL);
	file_write(fd, "!", 1);
	usleep(50000);
	ck_assert_int_eq(connect(tcp, &nobody, sizeof(nobody)), 0);
	close(tcp);
	close(fd);
	ck_assert_uint_eq(expect_msg(TLS_MSG_END, 1)->head.id, 1);
}
END_TEST

static void peer_spoils_a_record(SSL *ssl, int fd)
{
	char c;

	peer_read(ssl, &c, 1);
	peer_write(ssl, "good", 4);
	peer_assert(write(fd, "\x17\x03\x03\x00\x20garbage that has no tag at all..", 37) == 37);
	while (read(fd, &c, 1) > 0)
		;
}

START_TEST(a_record_that_was_tampered_with_is_eproto)
{
	int fd = open_to(1, (struct peer){.talk = peer_spoils_a_record});

	file_write(fd, "!", 1);
	file_read(fd, back, 4);
	file_expect_eof(fd);
	expect_end(1, EPROTO, "");
	close(fd);
}
END_TEST

/* RFC 5246, 7.2.2: the answer is no_renegotiation, which OpenSSL as the other side takes ill. */
static void peer_renegotiates(SSL *ssl, int fd)
{
	char c;

	(void)fd;
	peer_assert(SSL_renegotiate(ssl) == 1);
	(void)SSL_do_handshake(ssl);
	peer_assert(SSL_read(ssl, &c, 1) <= 0);
	peer_assert(ERR_GET_REASON(ERR_peek_error()) == SSL_R_NO_RENEGOTIATION ||
		    ERR_GET_REASON(ERR_peek_error()) == SSL_R_TLSV1_ALERT_NO_RENEGOTIATION);
}

START_TEST(renegotiation_is_refused)
{
	struct peer peer = {.talk = peer_renegotiates, .max_version = TLS1_2_VERSION};
	int fd = ask_tls(1, peer_start_client(peer),
			 (struct ask){.kind = TLS_SERVER, .name = "", .trust = true});

	expect_opened(1, 0, NULL);
	ck_assert_int_eq(expect_msg(TLS_MSG_END, 1)->end.err, EPROTO);
	close(fd);
	/* And the other way round. */
	fd = open_to(2, peer);
	ck_assert_int_eq(expect_msg(TLS_MSG_END, 2)->end.err, EPROTO);
	close(fd);
}
END_TEST

static void peer_changes_keys(SSL *ssl, int fd)
{
	static unsigned char chunk[100000];

	(void)fd;
	for (int i = 0; i < 5; i++) {
		peer_assert(SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED) == 1);
		peer_read(ssl, chunk, sizeof(chunk));
		peer_assert(is_pattern(chunk, 0, sizeof(chunk)));
		peer_write(ssl, chunk, sizeof(chunk));
	}
	peer_expect_end(ssl);
	SSL_shutdown(ssl);
}

START_TEST(keys_may_change)
{
	int fd = open_to(1, (struct peer){.talk = peer_changes_keys});

	for (int i = 0; i < 5; i++) {
		file_write(fd, buf, 100000);
		file_read(fd, back, 100000);
		ck_assert(is_pattern(back, 0, 100000));
	}
	close(fd);
	expect_end(1, 0, NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tls_ends");
	TCase *tc = tcase_create("ends");
	int status;

	certs_setup();
	fill(buf, 0, sizeof(buf));
	tcase_add_checked_fixture(tc, helper_setup, helper_teardown);
	tcase_add_test(tc, a_half_closed_file_still_reads);
	tcase_add_test(tc, a_file_whose_peer_has_ended_still_writes);
	tcase_add_test(tc, a_file_that_is_half_closed_and_then_closed_is_closed);
	tcase_add_test(tc, an_end_without_close_notify_is_eproto_behind_the_last_byte);
	tcase_add_test(tc, or_an_end_if_that_is_asked_for);
	tcase_add_test(tc, a_reset_is_a_reset);
	tcase_add_test(tc, the_daemon_resets_by_its_own_descriptor);
	tcase_add_test(tc, a_record_that_was_tampered_with_is_eproto);
	tcase_add_test(tc, renegotiation_is_refused);
	tcase_add_test(tc, keys_may_change);
	suite_add_tcase(suite, tc);
	status = unit_run(suite);
	certs_teardown();
	return status;
}
