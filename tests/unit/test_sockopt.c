/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of uapi/sockopt.c: the table, and a value as text, number and bytes. */
#include "config.h"

#include "uapi/sockopt.h"

#include <check.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

static const struct {
	const char *name, *text;
	int err;
	const char *want;
} texts[] = {
	{"headers", "text", 0, "text"},
	{"headers", "plan9", 0, "plan9"},
	{"headers", "Text", -EINVAL, NULL},
	{"headers", "1", -EINVAL, NULL},
	{"headers", "", -EINVAL, NULL},
	{"message", "discard", 0, "discard"},
	{"proto", "udp", 0, "udp"},
	{"proto", "", -EINVAL, NULL},
	{"from", "127.0.0.1:1", -EINVAL, NULL},
	{"drops", "0", -EINVAL, NULL},
	{"nodelay", "1", 0, "1"},
	{"nodelay", "0", 0, "0"},
	{"nodelay", "on", 0, "1"},
	{"nodelay", "OFF", 0, "0"},
	{"nodelay", "yes", 0, "1"},
	{"keepalive", "no", 0, "0"},
	{"nodelay", "2", -EINVAL, NULL},
	{"nodelay", "-1", -EINVAL, NULL},
	{"nodelay", "maybe", -EINVAL, NULL},
	{"nodelay", "", -EINVAL, NULL},
	{"keepidle", "1", 0, "1"},
	{"keepidle", "32767", 0, "32767"},
	{"keepidle", "0", -EINVAL, NULL},
	{"keepidle", "32768", -EINVAL, NULL},
	{"keepidle", "on", -EINVAL, NULL},
	{"keepcnt", "127", 0, "127"},
	{"keepcnt", "128", -EINVAL, NULL},
	{"linger", "off", 0, "-1"},
	{"linger", "-1", 0, "-1"},
	{"linger", "0", 0, "0"},
	{"linger", "30", 0, "30"},
	{"linger", "-2", -EINVAL, NULL},
	{"linger", "on", -EINVAL, NULL},
	{"rcvbuf", "65536", 0, "65536"},
	{"rcvbuf", "2147483647", 0, "2147483647"},
	{"rcvbuf", "2147483648", -EINVAL, NULL},
	{"rcvbuf", "4294967297", -EINVAL, NULL},
	{"rcvbuf", "99999999999999999999", -EINVAL, NULL},
	{"rcvbuf", "-1", -EINVAL, NULL},
	{"user_timeout", "5000", 0, "5000"},
	{"tos", "0x10", 0, "16"},
	{"tos", "0xFF", 0, "255"},
	{"tos", "010", 0, "10"},
	{"tos", "256", -EINVAL, NULL},
	{"tos", "0x", -EINVAL, NULL},
	{"tos", "0x0x1", -EINVAL, NULL},
	{"tos", "0x1g", -EINVAL, NULL},
	{"ttl", "255", 0, "255"},
	{"ttl", "0", -EINVAL, NULL},
	{"ttl", "64 ", -EINVAL, NULL},
	{"ttl", " 64", -EINVAL, NULL},
	{"ttl", "+64", -EINVAL, NULL},
	{"ttl", "--64", -EINVAL, NULL},
	{"ttl", "-", -EINVAL, NULL},
	{"ttl", "64\n", -EINVAL, NULL},
	{"ttl", "6.4", -EINVAL, NULL},
	{"connect_timeout", "0", 0, "0"},
	{"rcvtimeo", "3600", 0, "3600"},
	{"sndtimeo", "-1", -EINVAL, NULL},
	{"reap", "60", 0, "60"},
	{"error", "0", -EINVAL, NULL},
};

START_TEST(text_and_back)
{
	const struct sockopt *so = sockopt_by_name(texts[_i].name);
	struct sockfs_sockopt opt, before;
	char buf[32];

	ck_assert_ptr_nonnull(so);
	memset(&opt, 0xaa, sizeof(opt));
	before = opt;
	ck_assert_int_eq(sockopt_parse(so, texts[_i].text, &opt), texts[_i].err);
	if (texts[_i].err) {
		ck_assert_mem_eq(&opt, &before, sizeof(opt));
		return;
	}
	ck_assert_int_eq(opt.level, so->level);
	ck_assert_int_eq(opt.name, so->optname);
	ck_assert_int_eq(sockopt_format(so, &opt, buf, sizeof(buf)), (int)strlen(texts[_i].want));
	ck_assert_str_eq(buf, texts[_i].want);
}
END_TEST

static bool is_text(const struct sockopt *so)
{
	return so->kind == SOCKOPT_PROTO || so->kind == SOCKOPT_STRING || so->kind == SOCKOPT_TEXT;
}

static bool is_ours(const struct sockopt *so)
{
	return is_text(so) || so->kind == SOCKOPT_SECONDS || so->kind == SOCKOPT_CHOICE ||
	       so->kind == SOCKOPT_COUNT;
}

START_TEST(table_is_consistent)
{
	size_t i, j;

	for (i = 0; i < nr_sockopts; i++) {
		const struct sockopt *so = &sockopts[i];

		ck_assert_ptr_eq(sockopt_by_name(so->name), so);
		ck_assert_ptr_eq(sockopt_by_number(so->level, so->optname), so);
		ck_assert_int_le(so->min, so->max);
		ck_assert_int_le(so->max, INT_MAX);
		ck_assert_int_eq(so->level == SOL_SOCKFS, is_ours(so));
		ck_assert_int_eq(so->words != NULL, so->kind == SOCKOPT_CHOICE);
		for (long value = so->min; so->words != NULL && value <= so->max; value++)
			ck_assert_ptr_nonnull(so->words[value]);
		if (so->words != NULL)
			ck_assert_ptr_null(so->words[so->max + 1]);
		for (j = 0; j < i; j++)
			ck_assert_str_ne(so->name, sockopts[j].name);
	}
	ck_assert_ptr_null(sockopt_by_name("frobnicate"));
	ck_assert_ptr_null(sockopt_by_name(""));
	ck_assert_ptr_null(sockopt_by_name("NODELAY"));
	ck_assert_ptr_null(sockopt_by_number(SOL_SOCKET, 4711));
	ck_assert_ptr_null(sockopt_by_number(SOL_SOCKFS, 0));
	ck_assert_ptr_null(sockopt_by_number(-1, -1));
}
END_TEST

/* Every option takes the least and the most that its line allows, and not one more. */
START_TEST(ranges)
{
	struct sockfs_sockopt opt;
	long value;
	size_t i;

	for (i = 0; i < nr_sockopts; i++) {
		const struct sockopt *so = &sockopts[i];
		const long edge[] = {so->min, so->max};
		size_t e;

		if (sockopt_is_readonly(so) || is_text(so)) {
			ck_assert_int_eq(sockopt_make(so, 0, &opt), -EINVAL);
			continue;
		}
		for (e = 0; e < 2; e++) {
			value = LONG_MIN;
			ck_assert_int_eq(sockopt_make(so, edge[e], &opt), 0);
			ck_assert_int_eq(sockopt_value(so, &opt, &value), 0);
			ck_assert_int_eq(value, edge[e]);
		}
		ck_assert_int_eq(sockopt_make(so, so->min - 1, &opt), -EINVAL);
		ck_assert_int_eq(sockopt_make(so, so->max + 1, &opt), -EINVAL);
	}
}
END_TEST

/* A protocol takes an option by its whole name. */
START_TEST(taken_by_protocols)
{
	ck_assert(sockopt_taken_by(sockopt_by_name("ttl"), "tcp"));
	ck_assert(sockopt_taken_by(sockopt_by_name("ttl"), "udp"));
	ck_assert(!sockopt_taken_by(sockopt_by_name("ttl"), "unix"));
	ck_assert(!sockopt_taken_by(sockopt_by_name("ttl"), "tc"));
	ck_assert(!sockopt_taken_by(sockopt_by_name("ttl"), "dp"));
	ck_assert(!sockopt_taken_by(sockopt_by_name("nodelay"), "udp"));
	ck_assert(!sockopt_taken_by(sockopt_by_name("broadcast"), "tcp"));
	ck_assert(sockopt_taken_by(sockopt_by_name("reap"), "anything"));
}
END_TEST

START_TEST(wrong_lengths)
{
	static const __u32 lens[] = {0, 1, 3, 5, 7, 9, 64, 65, UINT_MAX};
	struct sockfs_sockopt opt = {0};
	char buf[32] = "untouched";
	long value = 4711;
	size_t i, l;

	for (i = 0; i < nr_sockopts; i++)
		for (l = 0; l < sizeof(lens) / sizeof(lens[0]); l++) {
			opt.len = lens[l];
			ck_assert_int_eq(sockopt_value(&sockopts[i], &opt, &value), -EINVAL);
			/* A text has any length that there is room for. */
			if (is_text(&sockopts[i]) && lens[l] > 0 && lens[l] <= sizeof(opt.value))
				continue;
			ck_assert_int_eq(sockopt_format(&sockopts[i], &opt, buf, sizeof(buf)),
					 -EINVAL);
		}
	ck_assert_int_eq(value, 4711);
	ck_assert_str_eq(buf, "untouched");

	/* An int is no struct linger, and the other way. */
	opt.len = sizeof(int);
	ck_assert_int_eq(sockopt_value(sockopt_by_name("linger"), &opt, &value), -EINVAL);
	opt.len = sizeof(struct linger);
	ck_assert_int_eq(sockopt_value(sockopt_by_name("ttl"), &opt, &value), -EINVAL);
}
END_TEST

/* Programs pass any int for a flag, and struct linger with junk while it is off. */
START_TEST(values_from_programs)
{
	struct linger linger = {.l_onoff = 0, .l_linger = 99};
	struct sockfs_sockopt opt = {.len = sizeof(int)};
	long value;
	int n = 5;

	memcpy(opt.value, &n, sizeof(n));
	ck_assert_int_eq(sockopt_value(sockopt_by_name("nodelay"), &opt, &value), 0);
	ck_assert_int_eq(value, 1);
	ck_assert_int_eq(sockopt_value(sockopt_by_name("tos"), &opt, &value), 0);
	ck_assert_int_eq(value, 5);
	n = ECONNREFUSED;
	memcpy(opt.value, &n, sizeof(n));
	ck_assert_int_eq(sockopt_value(sockopt_by_name("error"), &opt, &value), 0);
	ck_assert_int_eq(value, ECONNREFUSED);

	opt.len = sizeof(linger);
	memcpy(opt.value, &linger, sizeof(linger));
	ck_assert_int_eq(sockopt_value(sockopt_by_name("linger"), &opt, &value), 0);
	ck_assert_int_eq(value, -1);
	linger.l_onoff = 2;
	memcpy(opt.value, &linger, sizeof(linger));
	ck_assert_int_eq(sockopt_value(sockopt_by_name("linger"), &opt, &value), 0);
	ck_assert_int_eq(value, 99);
}
END_TEST

/* The kernel knows every number of the table and takes what sockopt_make makes. */
static void ask_kernel(int family)
{
	int tcp = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int udp = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockfs_sockopt opt;
	size_t i;

	ck_assert_msg((tcp >= 0 && udp >= 0) || family == AF_INET6, "no socket");
	for (i = 0; i < nr_sockopts && tcp >= 0; i++) {
		const struct sockopt *so = &sockopts[i];
		int fd = sockopt_taken_by(so, "tcp") ? tcp : udp;
		bool v6 = family == AF_INET6 && so->level6;
		int level = v6 ? so->level6 : so->level;
		int name = v6 ? so->optname6 : so->optname;
		socklen_t len = sizeof(opt.value);
		char buf[32];

		if (is_ours(so))
			continue;
		if (so->kind != SOCKOPT_ERROR) {
			ck_assert_int_eq(sockopt_make(so, 1, &opt), 0);
			ck_assert_msg(setsockopt(fd, level, name, opt.value, opt.len) == 0,
				      "set %s: %s", so->name, strerror(errno));
		}
		ck_assert_msg(getsockopt(fd, level, name, opt.value, &len) == 0, "get %s: %s",
			      so->name, strerror(errno));
		opt.len = len;
		ck_assert_int_gt(sockopt_format(so, &opt, buf, sizeof(buf)), 0);
		/* The kernel doubles buffer sizes, keeps ECN's bits of TOS to itself, has no error. */
		if (!strstr(so->name, "buf") && strcmp(so->name, "tos") != 0 &&
		    so->kind != SOCKOPT_ERROR)
			ck_assert_msg(strcmp(buf, "1") == 0, "%s is %s", so->name, buf);
	}
	if (tcp >= 0)
		close(tcp);
	if (udp >= 0)
		close(udp);
}

START_TEST(kernel_agrees)
{
	ask_kernel(AF_INET);
	ask_kernel(AF_INET6);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("sockopt");
	TCase *tc = tcase_create("sockopt");

	tcase_add_loop_test(tc, text_and_back, 0, COUNT(texts));
	tcase_add_test(tc, table_is_consistent);
	tcase_add_test(tc, ranges);
	tcase_add_test(tc, taken_by_protocols);
	tcase_add_test(tc, wrong_lengths);
	tcase_add_test(tc, values_from_programs);
	tcase_add_test(tc, kernel_agrees);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
