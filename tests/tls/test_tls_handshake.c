/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sockfs-tls shaking hands: with whom it does and what it tells, with whom it does not
 * and why.
 */
#include "config.h"

#include <errno.h>
#include <openssl/x509.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/util.h"
#include "tests/tls/helper.h"
#include "tests/unit/unit.h"

#define DAY 86400

/* Nothing but what is usual. */
static const struct ask plain;
static const struct peer plain_peer;

/* It opens, and ends in order. */
static void expect_good(struct peer peer, struct ask ask)
{
	int fd = ask_tls(1, peer_start(peer), ask);

	expect_opened(1, 0, NULL);
	close(fd);
	expect_end(1, 0, NULL);
	peer_wait();
}

static void expect_bad(struct peer peer, struct ask ask, int err, const char *reason)
{
	int fd;

	peer.may_fail = true;
	fd = ask_tls(1, peer_start(peer), ask);
	expect_opened(1, err, reason);
	file_expect_eof(fd);
	close(fd);
	expect_silence();
	peer_wait();
}

START_TEST(it_tells_what_was_agreed)
{
	int fd = ask_tls(7, peer_start(plain_peer), plain);
	const struct tls_msg *msg = expect_msg(TLS_MSG_OPENED, 7);
	const char *fingerprint = tls_msg_text(msg, TLS_OPENED_FINGERPRINT);

	ck_assert_int_eq(msg->opened.err, 0);
	ck_assert_str_eq(tls_msg_text(msg, TLS_OPENED_VERSION), "TLSv1.3");
	ck_assert_str_eq(tls_msg_text(msg, TLS_OPENED_CIPHER), "TLS_AES_256_GCM_SHA384");
	ck_assert_str_eq(tls_msg_text(msg, TLS_OPENED_PEER), "CN=localhost,O=sockfs");
	ck_assert_uint_eq(strlen(fingerprint), 32 * 3 - 1);
	ck_assert_uint_eq(strspn(fingerprint, "0123456789ABCDEF:"), 32 * 3 - 1);
	ck_assert_str_eq(tls_msg_text(msg, TLS_OPENED_ALPN), "");
	ck_assert_int_gt(msg->opened.expires, time(NULL) + 29 * DAY);
	ck_assert_int_le(msg->opened.expires, time(NULL) + 30 * DAY);
	close(fd);
	expect_end(7, 0, NULL);
}
END_TEST

START_TEST(an_older_version_will_do_and_one_that_is_too_old_will_not)
{
	int fd = ask_tls(1, peer_start((struct peer){.max_version = TLS1_2_VERSION}),
			 plain);
	const struct tls_msg *msg = expect_msg(TLS_MSG_OPENED, 1);

	ck_assert_str_eq(tls_msg_text(msg, TLS_OPENED_VERSION), "TLSv1.2");
	close(fd);
	expect_end(1, 0, NULL);
	expect_bad((struct peer){.max_version = TLS1_1_VERSION}, plain, EPROTO, "version");
	expect_bad((struct peer){.max_version = TLS1_VERSION}, plain, EPROTO, "version");
	expect_bad((struct peer){.max_version = TLS1_2_VERSION},
		   (struct ask){.min_version = TLS1_3_VERSION}, EPROTO, "version");
}
END_TEST

/* A certificate of the peer, and what we say to it. */
static const struct verdict {
	const char *cert, *name, *ca;
	int err;
	const char *reason;
} verdicts[] = {
	{"good.pem", "localhost", "ca.pem", 0, NULL},
	{"good.pem", "LocalHost.", "ca.pem", 0, NULL},
	{"good.pem", "127.0.0.1", "ca.pem", 0, NULL},
	{"good.pem", "::1", "ca.pem", 0, NULL},
	{"good.pem", "a.wild.test", "ca.pem", 0, NULL},
	{"good.pem", "a.b.wild.test", "ca.pem", EKEYREJECTED, "hostname mismatch"},
	{"good.pem", "127.0.0.2", "ca.pem", EKEYREJECTED, "IP address mismatch"},
	{"good.pem", "localhost", "", 0, NULL}, /* SSL_CERT_FILE has the authority */
	{"chain.pem", "localhost", "ca.pem", 0, NULL},
	{"good.pem", "localhost", "ca-crl.pem", 0, NULL},
	{"expired.pem", "localhost", "ca.pem", EKEYEXPIRED, "expired"},
	{"future.pem", "localhost", "ca.pem", EKEYREJECTED, "not yet valid"},
	{"self.pem", "localhost", "ca.pem", EKEYREJECTED, "self-signed"},
	{"other.pem", "localhost", "ca.pem", EKEYREJECTED, "hostname mismatch"},
	{"good.pem", "localhost", "other-ca.pem", EKEYREJECTED, "unable to get local issuer"},
	{"orphan.pem", "localhost", "ca.pem", EKEYREJECTED, "unable to"},
	{"weak.pem", "localhost", "ca.pem", EKEYREJECTED, "too weak"},
	{"client.pem", "localhost", "ca.pem", EKEYREJECTED, "purpose"},
	{"revoked.pem", "localhost", "ca-crl.pem", EKEYREVOKED, "revoked"},
	{"revoked.pem", "localhost", "ca.pem", 0, NULL}, /* nobody has told */
};

START_TEST(a_certificate_is_looked_at)
{
	const struct verdict *v = &verdicts[_i];
	struct peer peer = {.cert = cert(v->cert)};
	struct ask ask = {.name = v->name, .ca = v->ca[0] == '\0' ? "" : cert(v->ca)};

	if (v->err == 0)
		expect_good(peer, ask);
	else
		expect_bad(peer, ask, v->err, v->reason);
}
END_TEST

START_TEST(or_not_if_that_is_asked_for)
{
	expect_good((struct peer){.cert = cert("self.pem")},
		    (struct ask){.trust = true, .name = ""});
	expect_good((struct peer){.cert = cert("expired.pem")}, (struct ask){.trust = true});
	expect_good((struct peer){.cert = cert("other.pem")}, (struct ask){.trust = true});
}
END_TEST

START_TEST(nothing_in_common_is_eproto)
{
	expect_bad((struct peer){.max_version = TLS1_2_VERSION, .ciphers = "aNULL"},
		   plain, EPROTO, "handshake failure");
	expect_bad((struct peer){.max_version = TLS1_2_VERSION,
		   .ciphers = "ECDHE-ECDSA-AES128-SHA"},
		   (struct ask){.min_version = TLS1_3_VERSION}, EPROTO, NULL);
}
END_TEST

/* ------------------------------------------------------------------- peers without TLS */

static void say(int fd, const char *text)
{
	char buf[4096];

	peer_assert(read(fd, buf, sizeof(buf)) > 0);
	peer_assert(write(fd, text, strlen(text)) > 0);
	while (read(fd, buf, sizeof(buf)) > 0)
		;
}

static void plain_http(int fd)
{
	say(fd, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\nThis is not TLS.\r\n");
}

static void mail_server(int fd)
{
	say(fd, "220 mail.test ESMTP\r\n");
}

static void hangs_up(int fd)
{
	char buf[4096];

	peer_assert(read(fd, buf, sizeof(buf)) > 0);
}

static void resets(int fd)
{
	struct linger now = {1, 0};
	char buf[4096];

	peer_assert(read(fd, buf, 16) == 16);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	(void)buf;
	close(fd);
}

/* The head of a record that never goes on. */
static void stalls(int fd)
{
	char buf[4096];

	peer_assert(read(fd, buf, sizeof(buf)) > 0);
	peer_assert(write(fd, "\x16\x03\x03\x00\x7a\x02", 6) == 6);
	while (read(fd, buf, sizeof(buf)) > 0)
		;
}

static void noise(int fd)
{
	unsigned char buf[4096];

	peer_assert(read(fd, buf, sizeof(buf)) > 0);
	fill(buf, 77, sizeof(buf));
	(void)!write(fd, buf, sizeof(buf));
	while (read(fd, buf, sizeof(buf)) > 0)
		;
}

START_TEST(what_is_not_tls_is_eproto)
{
	expect_bad((struct peer){.raw = plain_http}, plain, EPROTO, "does not speak TLS");
	expect_bad((struct peer){.raw = mail_server}, plain, EPROTO, "does not speak TLS");
	expect_bad((struct peer){.raw = noise}, plain, EPROTO, NULL);
	expect_bad((struct peer){.raw = hangs_up}, plain, EPROTO, "ended in the handshake");
	expect_bad((struct peer){.raw = resets}, plain, ECONNRESET, "reset");
}
END_TEST

START_TEST(a_handshake_that_stalls_ends_in_time)
{
	struct timespec begin, now;
	int waiting = ask_tls(9, peer_start((struct peer){.raw = stalls}),
			      (struct ask){.timeout_ms = 600});
	int fd;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	/* Others have not to wait for it. */
	fd = ask_tls(2, peer_start(plain_peer), plain);
	expect_opened(2, 0, NULL);
	close(fd);
	expect_end(2, 0, NULL);
	expect_opened(9, ETIMEDOUT, "took too long");
	clock_gettime(CLOCK_MONOTONIC, &now);
	ck_assert_int_ge((now.tv_sec - begin.tv_sec) * 1000 +
				 (now.tv_nsec - begin.tv_nsec) / 1000000,
			 550);
	file_expect_eof(waiting);
	close(waiting);
}
END_TEST

START_TEST(a_file_that_is_closed_ends_the_handshake)
{
	int fd = ask_tls(1, peer_start((struct peer){.raw = stalls}), plain);

	close(fd);
	expect_opened(1, ECANCELED, NULL);
}
END_TEST

START_TEST(single_bytes_are_put_together)
{
	expect_good((struct peer){.byte_by_byte = true}, plain);
	expect_good((struct peer){.byte_by_byte = true, .max_version = TLS1_2_VERSION},
		    plain);
}
END_TEST

/* ------------------------------------------------------------------- our certificates */

START_TEST(a_certificate_that_the_peer_wants_is_sent)
{
	const struct peer peer = {.ca = cert("ca.pem")};

	expect_good(peer, (struct ask){.cert = cert("client.pem")});
	expect_good(peer, (struct ask){.cert = cert("good.crt"), .key = cert("good.key")});
	expect_good((struct peer){.ca = cert("ca.pem"), .max_version = TLS1_2_VERSION},
		    (struct ask){.cert = cert("client.pem")});
}
END_TEST

static void refuses(SSL *ssl, int fd)
{
	(void)fd;
	peer_expect_end(ssl);
}

START_TEST(without_one_it_is_enokey)
{
	struct peer peer = {.ca = cert("ca.pem"), .may_fail = true, .talk = refuses};
	int fd;

	expect_bad((struct peer){.ca = cert("ca.pem"), .max_version = TLS1_2_VERSION},
		   plain, ENOKEY, "certificate");
	/* With TLS 1.3 we are done before the peer says so. */
	fd = ask_tls(1, peer_start(peer), plain);
	expect_opened(1, 0, NULL);
	expect_end(1, ENOKEY, "certificate");
	file_expect_eof(fd);
	close(fd);
	/* Bytes sent meanwhile change nothing. */
	fd = ask_tls(2, peer_start(peer), plain);
	file_write(fd, "hello", 5);
	expect_opened(2, 0, NULL);
	expect_end(2, ENOKEY, "certificate");
	close(fd);
}
END_TEST

/*
 * The peer's alert has come and then RST. A byte of ours that is written before the alert is
 * looked at finds the connection reset; what counts is the alert.
 */
START_TEST(its_last_words_are_heard_beyond_a_reset)
{
	struct peer peer = {.ca = cert("ca.pem"), .may_fail = true, .resets = true};
	int fd = ask_tls(1, peer_start(peer), (struct ask){.cert = cert("client.pem")});

	expect_opened(1, 0, NULL);
	ck_assert_int_eq(kill(helper_pid, SIGSTOP), 0);
	file_write(fd, "hello", 5);
	peer_wait();
	ck_assert_int_eq(kill(helper_pid, SIGCONT), 0);
	expect_end(1, EKEYREVOKED, "revoked");
	close(fd);
}
END_TEST

START_TEST(a_peer_that_refuses_ours_says_why)
{
	struct peer peer = {.ca = cert("other-ca.pem"), .may_fail = true, .talk = refuses,
			    .max_version = TLS1_2_VERSION};

	expect_bad(peer, (struct ask){.cert = cert("client.pem")}, EKEYREJECTED, "unknown CA");
	peer.ca = cert("ca.pem");
	expect_bad(peer, (struct ask){.cert = cert("expired.pem")}, EKEYEXPIRED, "expired");
}
END_TEST

/* ----------------------------------------------------------------------- as a server */

static int ask_server(uint64_t id, struct peer client, struct ask ask)
{
	ask.kind = TLS_SERVER;
	if (ask.ca == NULL)
		ask.trust = true;
	return ask_tls(id, peer_start_client(client), ask);
}

START_TEST(clients_are_served)
{
	int fd = ask_server(1, (struct peer){.ca = cert("ca.pem")}, (struct ask){.name = ""});

	expect_opened(1, 0, NULL);
	close(fd);
	expect_end(1, 0, NULL);
}
END_TEST

START_TEST(clients_may_have_to_show_a_certificate)
{
	struct ask ask = {.name = "", .ca = cert("ca.pem")};
	int fd = ask_server(1, (struct peer){.cert = cert("client.pem")}, ask);

	expect_opened(1, 0, NULL);
	close(fd);
	expect_end(1, 0, NULL);
	fd = ask_server(2, (struct peer){.may_fail = true, .talk = refuses,
					 .max_version = TLS1_2_VERSION}, ask);
	expect_opened(2, ENOKEY, "no certificate");
	close(fd);
	fd = ask_server(3, (struct peer){.cert = cert("expired.pem"), .may_fail = true,
					 .talk = refuses, .max_version = TLS1_2_VERSION}, ask);
	expect_opened(3, EKEYEXPIRED, "expired");
	close(fd);
}
END_TEST

static void says_nothing(int fd)
{
	char buf[256];

	while (read(fd, buf, sizeof(buf)) > 0)
		;
}

START_TEST(a_client_that_says_nothing_is_given_up)
{
	int fd = ask_server(1, (struct peer){.raw = says_nothing},
			    (struct ask){.name = "", .timeout_ms = 200});

	expect_opened(1, ETIMEDOUT, NULL);
	close(fd);
}
END_TEST

static void asks_in_plain(int fd)
{
	char buf[256];

	peer_assert(write(fd, "GET / HTTP/1.0\r\n\r\n", 18) == 18);
	while (read(fd, buf, sizeof(buf)) > 0)
		;
}

START_TEST(a_request_in_plain_text_is_eproto)
{
	int fd = ask_server(1, (struct peer){.raw = asks_in_plain}, (struct ask){.name = ""});

	expect_opened(1, EPROTO, "does not speak TLS");
	close(fd);
}
END_TEST

static void expect_alpn(const char *ours, const char *theirs, bool server, const char *result)
{
	struct peer peer = {.alpn = theirs};
	struct ask ask = {.alpn = ours, .name = "", .trust = true};
	int fd;

	if (server)
		fd = ask_server(1, peer, ask);
	else
		fd = ask_tls(1, peer_start(peer), ask);
	ck_assert_str_eq(tls_msg_text(expect_msg(TLS_MSG_OPENED, 1), TLS_OPENED_ALPN), result);
	close(fd);
	expect_end(1, 0, NULL);
	peer_wait();
}

START_TEST(protocols_are_agreed_on)
{
	int fd;

	expect_alpn("h2,http/1.1", "\010http/1.1\002h2", true, "h2");
	expect_alpn("http/1.1", "\002h2\010http/1.1", true, "http/1.1");
	expect_alpn("", "\002h2", true, "");
	expect_alpn("h2", NULL, true, "");
	fd = ask_server(2, (struct peer){.alpn = "\004smtp", .may_fail = true, .talk = refuses},
			(struct ask){.name = "", .alpn = "h2"});
	expect_opened(2, EPROTO, "protocol");
	close(fd);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tls_handshake");
	TCase *tc = tcase_create("handshake");
	int status;

	certs_setup();
	tcase_add_checked_fixture(tc, helper_setup, helper_teardown);
	tcase_add_test(tc, it_tells_what_was_agreed);
	tcase_add_test(tc, an_older_version_will_do_and_one_that_is_too_old_will_not);
	tcase_add_loop_test(tc, a_certificate_is_looked_at, 0, ARRAY_SIZE(verdicts));
	tcase_add_test(tc, or_not_if_that_is_asked_for);
	tcase_add_test(tc, nothing_in_common_is_eproto);
	tcase_add_test(tc, what_is_not_tls_is_eproto);
	tcase_add_test(tc, a_handshake_that_stalls_ends_in_time);
	tcase_add_test(tc, a_file_that_is_closed_ends_the_handshake);
	tcase_add_test(tc, single_bytes_are_put_together);
	tcase_add_test(tc, a_certificate_that_the_peer_wants_is_sent);
	tcase_add_test(tc, without_one_it_is_enokey);
	tcase_add_test(tc, its_last_words_are_heard_beyond_a_reset);
	tcase_add_test(tc, a_peer_that_refuses_ours_says_why);
	tcase_add_test(tc, clients_are_served);
	tcase_add_test(tc, clients_may_have_to_show_a_certificate);
	tcase_add_test(tc, a_client_that_says_nothing_is_given_up);
	tcase_add_test(tc, a_request_in_plain_text_is_eproto);
	tcase_add_test(tc, protocols_are_agreed_on);
	suite_add_tcase(suite, tc);
	status = unit_run(suite);
	certs_teardown();
	return status;
}
