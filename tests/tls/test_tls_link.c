/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's side of sockfs-tls (net/tls/tls_helper.h), with the real helper and a real peer:
 * links that open and end, a helper that dies, is not there, or has no room.
 */
#include "config.h"

#include "net/tls/tls_helper.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/tls/helper.h"
#include "tests/unit/unit.h"

#define LINKS_MAX 400

static uv_loop_t loop;
static uv_timer_t limit; /* how long a test waits for the loop */
static unsigned int nr_opened;
static int last_err; /* of the last on_opened; -1: the helper has died */

static void on_limit(uv_timer_t *timer)
{
	(void)timer;
	ck_abort_msg("nothing comes");
}

static void setup(void)
{
	setenv("SSL_CERT_FILE", cert("ca.pem"), 1);
	nr_opened = 0;
	last_err = 0;
	ck_assert_int_eq(uv_loop_init(&loop), 0);
	uv_timer_init(&loop, &limit);
	ck_assert_int_eq(tls_helper_init(&loop, "./sockfs-tls"), 0);
}

static void teardown(void)
{
	tls_helper_stop();
	tls_helper_exit();
	uv_close((uv_handle_t *)&limit, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	ck_assert_int_eq(uv_loop_close(&loop), 0);
	peer_wait();
}

/* Run the loop until so many links have been answered. */
static void run_until(unsigned int n)
{
	uv_timer_start(&limit, on_limit, WAIT_MS, 0);
	while (nr_opened < n)
		uv_run(&loop, UV_RUN_ONCE);
	uv_timer_stop(&limit);
}

static void on_opened(struct tls_link *link, const struct tls_msg *msg)
{
	(void)link;
	nr_opened++;
	last_err = msg == NULL ? -1 : msg->opened.err;
}

static int open_link_keeping(struct tls_link *link, int net)
{
	static struct tls_msg msg;

	*link = (struct tls_link){.on_opened = on_opened};
	tls_msg_init(&msg, TLS_MSG_OPEN, 0);
	msg.open.kind = TLS_CLIENT;
	msg.open.flags = TLS_OPEN_VERIFY;
	msg.open.uid = geteuid();
	ck_assert_int_eq(tls_msg_add(&msg, "localhost"), 0);
	for (int i = 1; i < TLS_OPEN_TEXTS; i++)
		ck_assert_int_eq(tls_msg_add(&msg, ""), 0);
	return tls_link_open(link, &msg, net);
}

/* What has gone into the channel is the helper's own. */
static int open_link(struct tls_link *link, int net)
{
	int fd = open_link_keeping(link, net);

	ck_assert(fd < 0 || link->request == NULL);
	close(net);
	return fd;
}

static void peer_greets(SSL *ssl, int fd)
{
	(void)fd;
	peer_write(ssl, "hello", 5);
	SSL_shutdown(ssl);
	peer_expect_end(ssl);
}

static void peer_holds(SSL *ssl, int fd)
{
	char c;

	(void)fd;
	peer_write(ssl, "hello", 5);
	(void)SSL_read(ssl, &c, 1);
}

static void silent(int fd)
{
	char buf[4096];

	while (read(fd, buf, sizeof(buf)) > 0)
		;
}

START_TEST(it_opens_and_ends)
{
	struct tls_link link;
	char buf[5];
	int fd = open_link(&link, peer_start((struct peer){.talk = peer_greets}));

	ck_assert_int_ge(fd, 0);
	ck_assert_int_ne(tls_helper_pid(), 0);
	run_until(1);
	ck_assert_int_eq(last_err, 0);
	file_read(fd, buf, 5);
	file_expect_eof(fd);
	/* The loop has not run: it is taken out of the channel now. */
	ck_assert_int_eq(tls_link_end(&link), 0);
	close(fd);
	tls_link_close(&link);
}
END_TEST

START_TEST(an_answer_says_why_not)
{
	struct tls_link link;
	int fd = open_link(&link, peer_start((struct peer){.cert = cert("expired.pem"),
							  .may_fail = true}));

	run_until(1);
	ck_assert_int_eq(last_err, EKEYEXPIRED);
	close(fd);
	tls_link_close(&link);
}
END_TEST

static void cut(SSL *ssl, int fd)
{
	peer_write(ssl, "hello", 5);
	shutdown(fd, SHUT_WR);
	silent(fd);
}

START_TEST(an_end_that_is_none_has_its_errno)
{
	struct tls_link link;
	char buf[5];
	int fd = open_link(&link, peer_start((struct peer){.talk = cut}));

	run_until(1);
	file_read(fd, buf, 5);
	file_expect_eof(fd);
	ck_assert_int_eq(tls_link_end(&link), EPROTO);
	ck_assert_ptr_nonnull(strstr(link.reason, "close_notify"));
	close(fd);
	tls_link_close(&link);
}
END_TEST

START_TEST(a_helper_that_dies_resets_its_links_and_is_replaced)
{
	struct tls_link open, opening, next;
	struct capture c;
	char buf[5];
	int fd = open_link(&open, peer_start((struct peer){.talk = peer_holds}));
	int fd2, fd3;
	pid_t first;

	run_until(1);
	file_read(fd, buf, 5);
	fd2 = open_link(&opening, peer_start((struct peer){.raw = silent}));
	first = tls_helper_pid();
	capture_begin(&c);
	ck_assert_int_eq(kill(first, SIGKILL), 0);
	run_until(2);
	ck_assert_int_eq(last_err, -1);
	file_expect_eof(fd);
	ck_assert_int_eq(tls_link_end(&open), ECONNRESET);
	ck_assert_ptr_nonnull(strstr(open.reason, "died"));
	fd3 = open_link(&next, peer_start((struct peer){.talk = peer_greets}));
	run_until(3);
	ck_assert_int_eq(last_err, 0);
	ck_assert_int_ne(tls_helper_pid(), first);
	file_read(fd3, buf, 5);
	file_expect_eof(fd3);
	ck_assert_int_eq(tls_link_end(&next), 0);
	/* What the old one had is no matter of the new one's. */
	ck_assert_int_eq(tls_link_end(&open), ECONNRESET);
	ck_assert_ptr_nonnull(strstr(capture_end(&c), "sockfs-tls: Killed"));
	close(fd);
	close(fd2);
	close(fd3);
	tls_link_close(&open);
	tls_link_close(&opening);
	tls_link_close(&next);
}
END_TEST

START_TEST(one_that_has_died_unseen_is_replaced_at_once)
{
	struct tls_link first, next;
	struct capture c;
	siginfo_t info;
	int fd = open_link(&first, peer_start((struct peer){.talk = peer_holds})), fd2;

	run_until(1);
	file_read(fd, (char[5]){0}, 5);
	capture_begin(&c);
	ck_assert_int_eq(kill(tls_helper_pid(), SIGKILL), 0);
	/* It has let go of everything. */
	ck_assert_int_eq(waitid(P_PID, (id_t)tls_helper_pid(), &info, WEXITED | WNOWAIT), 0);
	file_expect_eof(fd);
	fd2 = open_link(&next, peer_start((struct peer){.talk = peer_greets}));
	ck_assert_int_ge(fd2, 0);
	run_until(2);
	ck_assert_int_eq(last_err, 0);
	(void)capture_end(&c);
	close(fd);
	close(fd2);
	tls_link_close(&first);
	tls_link_close(&next);
}
END_TEST

START_TEST(a_link_that_is_closed_hears_nothing)
{
	struct tls_link link, other;
	int fd = open_link(&link, peer_start((struct peer){.may_fail = true})), fd2;

	tls_link_close(&link);
	close(fd);
	fd2 = open_link(&other, peer_start((struct peer){.talk = peer_greets}));
	run_until(1);
	ck_assert_int_eq(last_err, 0);
	close(fd2);
	tls_link_close(&other);
}
END_TEST

/* A helper that does not take what it gets makes nobody wait, and loses nothing. */
START_TEST(what_a_full_channel_does_not_take_is_sent_later)
{
	static struct tls_link links[LINKS_MAX];
	static int fds[LINKS_MAX], nets[LINKS_MAX];
	int n, kept = 0, pair[2];

	/* Sent, and not answered. */
	fds[0] = open_link(&links[0], peer_start((struct peer){.raw = silent}));
	ck_assert_int_eq(kill(tls_helper_pid(), SIGSTOP), 0);
	for (n = 1; n < LINKS_MAX; n++) {
		ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
		close(pair[1]);
		fds[n] = open_link_keeping(&links[n], nets[n] = pair[0]);
		ck_assert_int_ge(fds[n], 0);
		kept += links[n].request != NULL;
	}
	ck_assert_int_gt(kept, 1);
	/* One that is closed meanwhile is not sent. */
	tls_link_close(&links[LINKS_MAX - 1]);
	ck_assert_int_eq(kill(tls_helper_pid(), SIGCONT), 0);
	/* All but the first have nobody at the other end, and hear so. */
	run_until(LINKS_MAX - 2);
	ck_assert_int_gt(last_err, 0);
	for (n = 0; n < LINKS_MAX; n++) {
		close(fds[n]);
		if (n > 0)
			close(nets[n]);
		tls_link_close(&links[n]);
	}
}
END_TEST

/* ... and when it dies they have their answer, too. */
START_TEST(what_was_not_sent_dies_with_it)
{
	static struct tls_link links[LINKS_MAX];
	static int fds[LINKS_MAX], nets[LINKS_MAX];
	struct capture c;
	int n = 0, pair[2];

	fds[n] = open_link(&links[n], peer_start((struct peer){.may_fail = true}));
	ck_assert_int_eq(kill(tls_helper_pid(), SIGSTOP), 0);
	while (links[n].request == NULL) {
		ck_assert_int_lt(++n, LINKS_MAX);
		ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
		close(pair[1]);
		fds[n] = open_link_keeping(&links[n], nets[n] = pair[0]);
		ck_assert_int_ge(fds[n], 0);
	}
	capture_begin(&c);
	ck_assert_int_eq(kill(tls_helper_pid(), SIGKILL), 0);
	run_until((unsigned int)n + 1);
	ck_assert_int_eq(last_err, -1);
	(void)capture_end(&c);
	for (int i = 0; i <= n; i++) {
		close(fds[i]);
		if (i > 0)
			close(nets[i]);
		tls_link_close(&links[i]);
	}
}
END_TEST

START_TEST(a_check_tells_whether_it_could_be)
{
	struct tls_link link = {.on_opened = on_opened};
	static struct tls_msg msg;

	for (unsigned int i = 0; i < 2; i++) {
		tls_msg_init(&msg, TLS_MSG_OPEN, 0);
		msg.open.kind = TLS_SERVER;
		msg.open.uid = geteuid();
		for (unsigned int text = 0; text < TLS_OPEN_TEXTS; text++)
			ck_assert_int_eq(tls_msg_add(&msg, text != TLS_OPEN_CERT ? "" :
						     cert(i == 0 ? "good.pem" : "ca.pem")), 0);
		ck_assert_int_eq(tls_link_check(&link, &msg), 0);
		run_until(i + 1);
		ck_assert_int_eq(last_err, i == 0 ? 0 : ENOKEY);
		tls_link_close(&link);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tls_link");
	TCase *tc = tcase_create("links");
	int status;

	certs_setup();
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, it_opens_and_ends);
	tcase_add_test(tc, an_answer_says_why_not);
	tcase_add_test(tc, an_end_that_is_none_has_its_errno);
	tcase_add_test(tc, a_helper_that_dies_resets_its_links_and_is_replaced);
	tcase_add_test(tc, one_that_has_died_unseen_is_replaced_at_once);
	tcase_add_test(tc, a_link_that_is_closed_hears_nothing);
	tcase_add_test(tc, what_a_full_channel_does_not_take_is_sent_later);
	tcase_add_test(tc, what_was_not_sent_dies_with_it);
	tcase_add_test(tc, a_check_tells_whether_it_could_be);
	suite_add_tcase(suite, tc);
	status = unit_run(suite);
	certs_teardown();
	return status;
}
