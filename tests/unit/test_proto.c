/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Protocols come and go: whichever step of their init fails, nothing of it stays, and what
 * has gone can come again.
 */
#include "config.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "lib/util.h"
#include "mm/slab.h"
#include "net/core/core.h"
#include "net/inet/af_inet.h"
#include "net/socket.h"
#include "net/tls/tls.h"
#include "net/unix/unix.h"
#include "unit.h"

static int tls_up(void)
{
	/* It needs a loop when somebody connects. */
	return tls_init(NULL);
}

static const struct {
	const char *name;
	int (*init)(void);
	int (*exit)(void);
	int family; /* its own, or 0 */
} parts[] = {
	{"inet", inet_init, inet_exit, AF_INET},
	{"unix", unix_init, unix_exit, AF_UNIX},
	{"tls", tls_up, tls_exit, 0},
};

static int no_create(struct socket *sock, int type, int protocol)
{
	(void)sock, (void)type, (void)protocol;
	return -EAFNOSUPPORT;
}

static void nothing_is_left(const char *name, int family)
{
	const struct net_proto_family fam = {.family = family, .create = no_create};

	ck_assert_msg(kmem_cache_next(NULL) == NULL, "%s: cache %s", name,
		      kmem_cache_next(NULL) != NULL ? kmem_cache_name(kmem_cache_next(NULL)) : "");
	ck_assert_msg(proto_next(NULL) == NULL, "%s: a row", name);
	ck_assert_msg(sock_register(&fam) == 0, "%s: the family", name);
	sock_unregister(family);
}

START_TEST(without_memory)
{
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		int err;
		long n = 0;

		do {
			kmem_fault_after(++n);
			err = parts[i].init();
			kmem_fault_after(-1);
			ck_assert(err == 0 || err == -ENOMEM);
			if (err == 0)
				ck_assert_int_eq(parts[i].exit(), 0);
			nothing_is_left(parts[i].name, parts[i].family);
		} while (err != 0);
	}
}
END_TEST

/* No place in the table of families. */
START_TEST(without_a_place)
{
	struct net_proto_family others[NR_FAMILIES];

	for (int i = 0; i < NR_FAMILIES; i++) {
		others[i] = (struct net_proto_family){.family = 100 + i, .create = no_create};
		ck_assert_int_eq(sock_register(&others[i]), 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (parts[i].family != 0)
			ck_assert_int_eq(parts[i].init(), -ENOBUFS);
	for (int i = 0; i < NR_FAMILIES; i++)
		sock_unregister(others[i].family);
	nothing_is_left("all", AF_INET);
}
END_TEST

/* Nor are the paths that others may use, which the next mount of a process says anew. */
START_TEST(rules_go_with_the_family)
{
	const struct cred other = {.uid = geteuid() + 1};

	ck_assert_int_eq(unix_init(), 0);
	ck_assert_int_eq(unix_policy_add("/run"), 0);
	ck_assert_int_eq(unix_policy_may(&other, "/run/x"), 0);
	ck_assert_int_eq(unix_exit(), 0);
	ck_assert_int_eq(unix_policy_may(&other, "/run/x"), -EACCES);
}
END_TEST

START_TEST(types_that_there_are_not)
{
	static const struct {
		int family, type, protocol, err;
	} kinds[] = {
		{AF_INET, SOCK_STREAM, 0, 0},
		{AF_INET, SOCK_STREAM, IPPROTO_TCP, 0},
		{AF_INET, SOCK_DGRAM, IPPROTO_UDP, 0},
		{AF_INET, SOCK_STREAM, IPPROTO_UDP, -EPROTONOSUPPORT},
		{AF_INET, SOCK_RAW, 0, -ESOCKTNOSUPPORT},
		{AF_UNIX, SOCK_STREAM, 0, 0},
		{AF_UNIX, SOCK_DGRAM, 0, -ESOCKTNOSUPPORT},
		{AF_UNIX, SOCK_STREAM, 1, -EPROTONOSUPPORT},
		{AF_NETLINK, SOCK_STREAM, 0, -EAFNOSUPPORT},
	};

	ck_assert_int_eq(inet_init(), 0);
	ck_assert_int_eq(unix_init(), 0);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct socket sock = {.ops = NULL};

		ck_assert_int_eq(sock_create(&sock, kinds[i].family, kinds[i].type,
					     kinds[i].protocol),
				 kinds[i].err);
		ck_assert_int_eq(sock.ops != NULL, kinds[i].err == 0);
	}
	ck_assert_int_eq(unix_exit(), 0);
	ck_assert_int_eq(inet_exit(), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("proto");
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, without_memory);
	tcase_add_test(tc, without_a_place);
	tcase_add_test(tc, rules_go_with_the_family);
	tcase_add_test(tc, types_that_there_are_not);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
