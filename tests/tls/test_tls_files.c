/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sockfs-tls and its daemon: files and whose they are, requests that are wrong, what the helper
 * may do at all.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/confine.h"
#include "tests/tls/helper.h"
#include "tests/unit/unit.h"

#define NOBODY 65534

/* ------------------------------------------------------------------------------- files */

/* The request fails before a byte is sent. */
static void expect_refused(struct ask ask, int err, const char *reason)
{
	int fd = ask_tls(1, peer_start((struct peer){.may_fail = true}), ask);

	expect_opened(1, err, reason);
	file_expect_eof(fd);
	close(fd);
	peer_wait();
}

START_TEST(a_file_has_to_be_there_and_hold_what_it_should)
{
	FILE *f = fopen(cert("noise"), "w");

	ck_assert_int_ge(fputs("this is no certificate\n", f), 0);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(mkfifo(cert("fifo"), 0644), 0);

	expect_refused((struct ask){.ca = cert("none")}, ENOENT, "none: No such file");
	expect_refused((struct ask){.ca = cert("noise")}, EINVAL, "no certificate");
	expect_refused((struct ask){.ca = cert("good.key")}, EINVAL, "no certificate");
	expect_refused((struct ask){.ca = cert("fifo")}, EINVAL, "not a file");
	expect_refused((struct ask){.ca = "/dev/zero"}, EINVAL, "not a file");
	expect_refused((struct ask){.ca = certs_dir}, EINVAL, "not a file");
	expect_refused((struct ask){.cert = cert("noise")}, EINVAL, "no certificate");
	expect_refused((struct ask){.cert = cert("good.crt")}, ENOKEY, "no key");
	expect_refused((struct ask){.cert = cert("locked.pem")}, ENOKEY, "passphrase");
	expect_refused((struct ask){.cert = cert("good.crt"), .key = cert("none")}, ENOENT, "none");
	expect_refused((struct ask){.cert = cert("good.crt"), .key = cert("other.key")},
		       EKEYREJECTED,
		       "private key mismatch");
	expect_refused((struct ask){.cert = cert("weak.pem")}, EKEYREJECTED, "too small");
}
END_TEST

START_TEST(a_server_has_to_have_a_certificate)
{
	expect_refused((struct ask){.kind = TLS_SERVER, .name = "", .trust = true, .cert = ""},
		       ENOKEY,
		       "needs a certificate");
}
END_TEST

/* The same words before there is a connection, and no word when all is good. */
START_TEST(a_check_looks_at_the_files_alone)
{
	static struct tls_msg msg;

	for (int good = 0; good < 2; good++) {
		tls_msg_init(&msg, TLS_MSG_OPEN, 1);
		msg.open.kind = TLS_SERVER;
		msg.open.flags = TLS_OPEN_CHECK;
		msg.open.uid = geteuid();
		for (unsigned int i = 0; i < TLS_OPEN_TEXTS; i++)
			ck_assert_int_eq(tls_msg_add(&msg, i != TLS_OPEN_CERT ? "" :
						     cert(good ? "good.pem" : "good.crt")), 0);
		ck_assert_int_eq(send(helper_control, &msg, msg.head.len, 0), msg.head.len);
		expect_opened(1, good ? 0 : ENOKEY, good ? NULL : "no key");
	}
	/* There is no connection to end. */
	expect_silence();
}
END_TEST

/* Who asks needs the right to read it, whatever the helper could. */
START_TEST(files_are_opened_as_who_asks)
{
	int fd;

	if (geteuid() != 0) {
		/* An ordinary user's helper opens that user's files for nobody else. */
		expect_refused((struct ask){.uid = geteuid() + 1}, EACCES, "ca.pem");
		return;
	}
	ck_assert_int_eq(chmod(cert("good.key"), 0600), 0);
	expect_refused((struct ask){.uid = NOBODY, .cert = cert("good.crt"),
		       .key = cert("good.key")},
		       EACCES, "good.key: Permission denied");
	/* It is in the helper's memory after this; no reason to hand it on. */
	fd = ask_tls(2, peer_start((struct peer){.ca = cert("ca.pem")}),
		     (struct ask){.cert = cert("good.crt"), .key = cert("good.key")});
	expect_opened(2, 0, NULL);
	close(fd);
	expect_end(2, 0, NULL);
	peer_wait();
	expect_refused((struct ask){.uid = NOBODY, .cert = cert("good.crt"),
		       .key = cert("good.key")},
		       EACCES, "good.key: Permission denied");
	ck_assert_int_eq(chown(cert("good.key"), NOBODY, NOBODY), 0);
	fd = ask_tls(3, peer_start((struct peer){.ca = cert("ca.pem")}),
		     (struct ask){.uid = NOBODY, .cert = cert("good.crt"),
		      .key = cert("good.key")});
	expect_opened(3, 0, NULL);
	close(fd);
	expect_end(3, 0, NULL);
}
END_TEST

static void copy(const char *from, const char *to)
{
	char command[600];

	snprintf(command, sizeof(command), "cp %s %s", from, to);
	ck_assert_int_eq(system(command), 0);
}

START_TEST(a_file_that_has_changed_is_read_again)
{
	int fd;

	copy(cert("other-ca.pem"), cert("changing.pem"));
	expect_refused((struct ask){.ca = cert("changing.pem")}, EKEYREJECTED, "issuer");
	copy(cert("ca.pem"), cert("changing.pem"));
	fd = ask_tls(1, peer_start((struct peer){.alpn = NULL}),
		     (struct ask){.ca = cert("changing.pem")});
	expect_opened(1, 0, NULL);
	close(fd);
	expect_end(1, 0, NULL);
}
END_TEST

START_TEST(many_files_push_each_other_out)
{
	for (int i = 0; i < 40; i++) {
		char name[32];
		int fd;

		snprintf(name, sizeof(name), "copy%d.pem", i % 20);
		copy(cert("good.pem"), cert(name));
		fd = ask_tls(1, peer_start((struct peer){.ca = cert("ca.pem")}),
			     (struct ask){.cert = cert(name), .key = cert("good.pem")});
		expect_opened(1, 0, NULL);
		close(fd);
		expect_end(1, 0, NULL);
		peer_wait();
	}
}
END_TEST

/* ---------------------------------------------------------------------- wrong requests */

START_TEST(a_wrong_name_or_list_is_einval)
{
	expect_refused((struct ask){.name = ""}, EINVAL, "name");
	expect_refused((struct ask){.name = "."}, EINVAL, "name");
	expect_refused((struct ask){.alpn = "h2,,h3"}, EINVAL, "protocols");
	expect_refused((struct ask){.alpn = ","}, EINVAL, "protocols");
	expect_refused((struct ask){.min_version = 0x0305}, EINVAL, "version");
}
END_TEST

static void request(struct tls_msg *msg)
{
	tls_msg_init(msg, TLS_MSG_OPEN, 5);
	msg->open.kind = TLS_CLIENT;
	for (int i = 0; i < TLS_OPEN_TEXTS; i++)
		tls_msg_add_cut(msg, "");
}

START_TEST(wrong_descriptors_are_refused)
{
	static struct tls_msg msg;
	int null = open("/dev/null", O_RDWR), udp = socket(AF_INET, SOCK_DGRAM, 0);
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	request(&msg);
	send_msg(&msg, (int[]){null, pair[0]});
	expect_opened(5, ENOTSOCK, NULL);
	send_msg(&msg, (int[]){pair[0], null});
	expect_opened(5, ENOTSOCK, NULL);
	send_msg(&msg, (int[]){udp, pair[0]});
	expect_opened(5, EPROTOTYPE, NULL);
	ck_assert_int_gt(send(helper_control, &msg, msg.head.len, 0), 0);
	expect_opened(5, EMFILE, NULL);
	close(null);
	close(udp);
	close(pair[0]);
	close(pair[1]);
}
END_TEST

/* It cannot know what else such a daemon means, so it ends, and says why. */
static void expect_end_of_helper(const void *msg, size_t len)
{
	ck_assert_int_gt(send(helper_control, msg, len, 0), 0);
	ck_assert_int_eq(helper_wait(), 1);
	close(helper_control);
	helper_setup();
}

START_TEST(a_daemon_of_another_version_is_left)
{
	static struct tls_msg msg;

	request(&msg);
	msg.head.version = TLS_VERSION + 1;
	expect_end_of_helper(&msg, msg.head.len);
	request(&msg);
	msg.head.len++;
	expect_end_of_helper(&msg, msg.head.len - 1);
	request(&msg);
	expect_end_of_helper(&msg, 3);
}
END_TEST

/* ------------------------------------------------------------------------- confinement */

static unsigned long long status_of(const char *key, int base)
{
	char path[64], line[256];
	unsigned long long value = ~0ull;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)helper_pid);
	f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, key, strlen(key)) == 0 && line[strlen(key)] == ':')
			value = strtoull(line + strlen(key) + 1, NULL, base);
	fclose(f);
	return value;
}

START_TEST(it_has_few_rights)
{
	/* CAP_DAC_READ_SEARCH, CAP_SETGID, CAP_SETUID */
	ck_assert_uint_eq(status_of("CapEff", 16) & ~(1ull << 2 | 1ull << 6 | 1ull << 7), 0);
	ck_assert_uint_eq(status_of("NoNewPrivs", 10), 1);
#if defined(HAVE_SECCOMP) && !defined(CONFINE_SANITIZED)
	ck_assert_uint_eq(status_of("Seccomp", 10), 2); /* SECCOMP_MODE_FILTER */
#endif
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tls_files");
	TCase *tc = tcase_create("files");
	int status;

	certs_setup();
	tcase_add_checked_fixture(tc, helper_setup, helper_teardown);
	tcase_add_test(tc, a_file_has_to_be_there_and_hold_what_it_should);
	tcase_add_test(tc, a_server_has_to_have_a_certificate);
	tcase_add_test(tc, a_check_looks_at_the_files_alone);
	tcase_add_test(tc, files_are_opened_as_who_asks);
	tcase_add_test(tc, a_file_that_has_changed_is_read_again);
	tcase_add_test(tc, many_files_push_each_other_out);
	tcase_add_test(tc, a_wrong_name_or_list_is_einval);
	tcase_add_test(tc, wrong_descriptors_are_refused);
	tcase_add_test(tc, a_daemon_of_another_version_is_left);
	tcase_add_test(tc, it_has_few_rights);
	suite_add_tcase(suite, tc);
	status = unit_run(suite);
	certs_teardown();
	return status;
}
