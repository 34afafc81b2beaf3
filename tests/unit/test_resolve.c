/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of net/core/resolve.c. No test needs a name server; test_resolve_dns.c has those. */
#include "config.h"

#include "net/core/resolve.h"

#include <ares.h>
#include <check.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "uapi/addr.h"
#include "unit.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

static uv_loop_t loop;

struct answer {
	int calls, err;
	struct addr_list *list;
};

static void on_answer(void *arg, int err, struct addr_list *list)
{
	struct answer *answer = arg;

	answer->calls++;
	answer->err = err;
	answer->list = list;
	ck_assert_int_eq(!err, list != NULL);
}

static struct sockfs_addr addr_of(const char *host, const char *port)
{
	struct sockfs_addr a = {0};

	snprintf(a.host, sizeof(a.host), "%s", host);
	snprintf(a.port, sizeof(a.port), "%s", port);
	return a;
}

static void setup(void)
{
	ck_assert_int_eq(uv_loop_init(&loop), 0);
}

static void teardown(void)
{
	/* UV_EBUSY would tell of a request that was forgotten. */
	ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
	ck_assert_int_eq(uv_loop_close(&loop), 0);
}

static const struct {
	const char *host, *port;
	bool passive;
	size_t n;
	const char *want[2];
} at_once[] = {
	{"127.0.0.1", "80", false, 1, {"127.0.0.1:80", NULL}},
	{"127.0.0.1", "80", true, 1, {"127.0.0.1:80", NULL}},
	{"::1", "65535", false, 1, {"[::1]:65535", NULL}},
	{"fe80::1%lo", "1", false, 1, {"[fe80::1%lo]:1", NULL}},
	{"", "80", false, 2, {"[::1]:80", "127.0.0.1:80"}},
	{"", "0", true, 2, {"0.0.0.0:0", "[::]:0"}},
};

START_TEST(numbers_at_once)
{
	struct sockfs_addr a = addr_of(at_once[_i].host, at_once[_i].port), back;
	struct answer answer = {0};
	struct resolve *r = (struct resolve *)&answer;
	char text[ADDR_TEXT_MAX];
	size_t i;

	ck_assert_int_eq(
		resolve_start(&loop, &a, "tcp", at_once[_i].passive, on_answer, &answer, &r), 0);
	ck_assert_ptr_null(r);
	ck_assert_int_eq(answer.calls, 1);
	ck_assert_int_eq(answer.err, 0);
	ck_assert_int_eq(uv_loop_alive(&loop), 0);
	ck_assert_uint_eq(answer.list->n, at_once[_i].n);
	for (i = 0; i < at_once[_i].n; i++) {
		addr_from_sockaddr((struct sockaddr *)&answer.list->addr[i], &back);
		ck_assert_str_eq(addr_format(&back, text, sizeof(text)), at_once[_i].want[i]);
	}
	free(answer.list);
}
END_TEST

static bool contains(const struct addr_list *list, const struct addrinfo *ai)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if (sockaddr_len(&list->addr[i]) == ai->ai_addrlen &&
		    memcmp(&list->addr[i], ai->ai_addr, ai->ai_addrlen) == 0)
			return true;
	return false;
}

/* What is answered at once is what getaddrinfo answers; its order depends on the machine's IPv6. */
START_TEST(empty_host_as_getaddrinfo)
{
	bool passive = _i;
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = passive ? AI_PASSIVE : 0};
	struct addrinfo *res, *ai;
	struct sockfs_addr a = addr_of("", "80");
	struct answer answer = {0};
	struct resolve *r;
	size_t n = 0;

	ck_assert_int_eq(getaddrinfo(NULL, "80", &hints, &res), 0);
	ck_assert_int_eq(resolve_start(&loop, &a, "tcp", passive, on_answer, &answer, &r), 0);
	for (ai = res; ai; ai = ai->ai_next, n++)
		ck_assert(contains(answer.list, ai));
	ck_assert_uint_eq(n, answer.list->n);
	freeaddrinfo(res);
	free(answer.list);
}
END_TEST

static const struct {
	const char *host, *port;
	bool passive;
	int err;
} looked_up[] = {
	{"localhost", "80", false, 0},
	{"localhost", "80", true, 0},
	{"127.0.0.1", "http", false, 0},
	{"", "http", false, 0},
	{"", "http", true, 0},
	{"127.1", "80", false, 0}, /* inet_aton's short forms, as getaddrinfo takes them */
	{"0x7f.1", "80", true, 0},
	{"2130706433", "00080", false, 0},
	{"127.0.0.1", "no-such-service", false, -ENXIO},
	{"", "no-such-service", true, -ENXIO},
	{"fe80::1%no-such-if", "80", false, -ENXIO},
	{"300.1.1.1", "80", false, -ENXIO}, /* mistyped, and nobody's name */
	{"127.0.0.1.", "80", false, -ENXIO},
	{"1.2.3.4.5", "80", true, -ENXIO},
};

START_TEST(services_and_hosts)
{
	struct sockfs_addr a = addr_of(looked_up[_i].host, looked_up[_i].port);
	struct answer answer = {0};
	struct resolve *r = (struct resolve *)&answer;
	int want = looked_up[_i].err;
	size_t i;

	/* A machine without /etc/services knows no service. */
	if (strcmp(looked_up[_i].port, "http") == 0 && !getservbyname("http", "tcp"))
		want = -ENXIO;
	ck_assert_int_eq(resolve_start(&loop, &a, "tcp", looked_up[_i].passive, on_answer, &answer, &r), 0);
	ck_assert_ptr_null(r);
	ck_assert_int_eq(answer.calls, 1);
	ck_assert_int_eq(answer.err, want);
	if (answer.err)
		return;
	ck_assert_uint_gt(answer.list->n, 0);
	for (i = 0; i < answer.list->n; i++) {
		ck_assert_uint_gt(sockaddr_len(&answer.list->addr[i]), 0);
		ck_assert_uint_eq(addr_port((struct sockaddr *)&answer.list->addr[i]), 80);
	}
	free(answer.list);
}
END_TEST

/* In services(5) syslog is udp's alone. */
START_TEST(each_protocol_has_its_services)
{
	static const char *const protos[] = {"udp", "tcp"};

	for (int i = 0; i < COUNT(protos); i++) {
		bool known = getservbyname("syslog", protos[i]) != NULL;
		struct sockfs_addr a = addr_of("127.0.0.1", "syslog");
		struct answer answer = {0};
		struct resolve *r;

		ck_assert_int_eq(
			resolve_start(&loop, &a, protos[i], false, on_answer, &answer, &r), 0);
		ck_assert_int_eq(answer.calls, 1);
		ck_assert_int_eq(answer.err, known ? 0 : -ENXIO);
		if (known)
			ck_assert_uint_eq(addr_port((struct sockaddr *)&answer.list->addr[0]), 514);
		free(answer.list);
	}
}
END_TEST

START_TEST(refused_at_once)
{
	struct sockfs_addr a = addr_of("127.0.0.1", "65536");
	struct answer answer = {0};
	struct resolve *r = (struct resolve *)&answer;

	ck_assert_int_eq(resolve_start(&loop, &a, "tcp", false, on_answer, &answer, &r), -EINVAL);
	a = addr_of("name", "65536");
	ck_assert_int_eq(resolve_start(&loop, &a, "tcp", false, on_answer, &answer, &r), -EINVAL);
	a = addr_of("\xff\xfe", "80");
	ck_assert_int_eq(resolve_start(&loop, &a, "tcp", false, on_answer, &answer, &r), -EINVAL);
	ck_assert_int_eq(answer.calls, 0);
	ck_assert_ptr_eq(r, (struct resolve *)&answer);
	ck_assert_int_eq(uv_loop_alive(&loop), 0);
}
END_TEST

/* A callback may start the next lookup. */
static void on_answer_again(void *arg, int err, struct addr_list *list)
{
	struct sockfs_addr a = addr_of("localhost", "81");
	struct resolve *r;

	ck_assert_int_eq(err, 0);
	free(list);
	ck_assert_int_eq(resolve_start(&loop, &a, "tcp", false, on_answer, arg, &r), 0);
}

START_TEST(callback_starts_another)
{
	struct sockfs_addr a = addr_of("localhost", "80");
	struct answer answer = {0};
	struct resolve *r;

	ck_assert_int_eq(resolve_start(&loop, &a, "tcp", false, on_answer_again, &answer, &r), 0);
	uv_run(&loop, UV_RUN_DEFAULT);
	ck_assert_int_eq(answer.calls, 1);
	ck_assert_int_eq(answer.err, 0);
	ck_assert_uint_eq(addr_port((struct sockaddr *)&answer.list->addr[0]), 81);
	free(answer.list);
}
END_TEST

START_TEST(errnos)
{
	ck_assert_int_eq(resolve_errno(ARES_SUCCESS), 0);
	ck_assert_int_eq(resolve_errno(ARES_ENOTFOUND), -ENXIO);
	ck_assert_int_eq(resolve_errno(ARES_ENODATA), -ENXIO);
	ck_assert_int_eq(resolve_errno(ARES_EBADNAME), -ENXIO);
	ck_assert_int_eq(resolve_errno(ARES_ENOMEM), -ENOMEM);
	/* The resolver failed, the name may exist. */
	ck_assert_int_eq(resolve_errno(ARES_ETIMEOUT), -EHOSTUNREACH);
	ck_assert_int_eq(resolve_errno(ARES_ECONNREFUSED), -EHOSTUNREACH);
	ck_assert_int_eq(resolve_errno(ARES_ESERVFAIL), -EHOSTUNREACH);
	ck_assert_int_eq(resolve_errno(ARES_EREFUSED), -EHOSTUNREACH);
	ck_assert_int_eq(resolve_errno(ARES_EBADRESP), -EHOSTUNREACH);
	ck_assert_int_eq(resolve_errno(ARES_EFILE), -EHOSTUNREACH);
}
END_TEST

START_TEST(lengths)
{
	struct sockaddr_storage ss = {.ss_family = AF_INET};

	ck_assert_uint_eq(sockaddr_len(&ss), sizeof(struct sockaddr_in));
	ss.ss_family = AF_INET6;
	ck_assert_uint_eq(sockaddr_len(&ss), sizeof(struct sockaddr_in6));
	ss.ss_family = AF_UNIX;
	ck_assert_uint_eq(sockaddr_len(&ss), 0);
	ss.ss_family = AF_UNSPEC;
	ck_assert_uint_eq(sockaddr_len(&ss), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("resolve");
	TCase *tc = tcase_create("resolve");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, numbers_at_once, 0, COUNT(at_once));
	tcase_add_loop_test(tc, empty_host_as_getaddrinfo, 0, 2);
	tcase_add_loop_test(tc, services_and_hosts, 0, COUNT(looked_up));
	tcase_add_test(tc, each_protocol_has_its_services);
	tcase_add_test(tc, refused_at_once);
	tcase_add_test(tc, callback_starts_another);
	tcase_add_test(tc, errnos);
	tcase_add_test(tc, lengths);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
