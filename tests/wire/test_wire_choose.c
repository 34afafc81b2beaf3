/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The protocol of a file: what chooses it, when it is chosen for good, and what other
 * protocols have not.
 */
#include "config.h"

#include "mm/slab.h"
#include "tests/unit/unit.h"
#include "wire_udp.h"

static int choose(const struct end *e, const char *word)
{
	struct sockfs_sockopt opt = {
		.level = SOL_SOCKFS, .name = SOCKFS_SO_PROTO, .len = (uint32_t)strlen(word)};

	memcpy(opt.value, word, strlen(word));
	return ioc(e, SOCKFS_IOC_SETSOCKOPT, &opt);
}

START_TEST(the_first_address_chooses)
{
	struct end e = make_file(w, "f"), l, c;
	struct sockfs_addr tcp = {.host = "tcp:127.0.0.1", .port = "0"},
			   udp = {.host = "udp:127.0.0.1", .port = "0"},
			   none = {.host = "foo:127.0.0.1", .port = "1"},
			   path = {.host = "udp:/run/x", .port = ""};
	struct sockfs_info info;
	unsigned int port;
	int32_t backlog = 0;

	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_BIND, &none), -EPROTONOSUPPORT);
	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_CONNECT, &none), -EPROTONOSUPPORT);
	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_CONNECT, &path), -EINVAL);
	ck_assert_int_eq(choose(&e, "foo"), -EPROTONOSUPPORT);
	ck_assert_int_eq(choose(&e, "tcp"), 0);
	/* What is set before stays, if the protocol has it. */
	set_option(&e, IPPROTO_IP, IP_TTL, 9);
	set_option(&e, SOL_SOCKFS, SOCKFS_SO_RCVTIMEO, 7);
	ck_assert_int_eq(choose(&e, "udp"), 0);
	ck_assert_int_eq(get_option(&e, IPPROTO_IP, IP_TTL), 9);
	ck_assert_int_eq(number(&e, SOCKFS_SO_RCVTIMEO), 7);
	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_BIND, &udp), 0);
	ck_assert_int_eq(get_option(&e, IPPROTO_IP, IP_TTL), 9);
	/* Bound: it is of one now. */
	ck_assert_int_eq(choose(&e, "tcp"), -EPROTOTYPE);
	ck_assert_int_eq(choose(&e, "udp"), 0);
	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_CONNECT, &tcp), -EPROTOTYPE);
	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_BIND, &tcp), -EPROTOTYPE);
	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_BIND, &udp), -EINVAL);
	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_INFO, &info), 0);
	ck_assert_str_eq(info.proto, "udp");
	/* A listener of TCP. */
	l = make_listener(w, "127.0.0.1", &port);
	ck_assert_int_eq(ioc(&l, SOCKFS_IOC_BIND, &udp), -EPROTOTYPE);
	ck_assert_int_eq(ioc(&l, SOCKFS_IOC_CONNECT, &udp), -EPROTOTYPE);
	ck_assert_int_eq(ioc(&l, SOCKFS_IOC_CONNECT, &tcp), -EINVAL);
	ck_assert_int_eq(choose(&l, "udp"), -EPROTOTYPE);
	/* Connected, and then over: it may be another. */
	c = pair("c");
	ck_assert_int_eq(ioc(&c, SOCKFS_IOC_CONNECT, &tcp), -EISCONN);
	ck_assert_int_eq(ioc(&c, SOCKFS_IOC_LISTEN, &backlog), -EINVAL);
	ck_assert_int_eq(ioc(&c, SOCKFS_IOC_ABORT, NULL), 0);
	ck_assert_int_eq(choose(&c, "tcp"), 0);
	close(c.peer);
}
END_TEST

/* Each place where memory may run out leaves the file as it was. */
START_TEST(choosing_without_memory)
{
	struct end e = make_file(w, "f");
	int err = -ENOMEM, n = 1;

	set_option(&e, SOL_SOCKET, SO_RCVBUF, 20000);
	for (; err == -ENOMEM && n < 20; n++) {
		kmem_fault_after(n);
		err = choose(&e, "udp");
		kmem_fault_after(-1);
		if (err != 0)
			ck_assert_str_eq(socket_of(&e)->ops->prot->word, "tcp");
	}
	ck_assert_int_eq(err, 0);
	ck_assert_int_gt(n, 1);
	ck_assert_str_eq(socket_of(&e)->ops->prot->word, "udp");
}
END_TEST

START_TEST(groups)
{
	struct end e = bound("f"), t = make_file(w, "t");
	struct sockfs_addr group = {.host = "239.1.2.3", .port = "lo"};

	ck_assert_int_eq(ioc(&t, SOCKFS_IOC_JOIN, &group), -EOPNOTSUPP);
	ck_assert_int_eq(ioc(&t, SOCKFS_IOC_SENDEMPTY, NULL), -EOPNOTSUPP);
	ck_assert_int_eq(choose(&t, "udp"), 0);
	ck_assert_int_eq(ioc(&t, SOCKFS_IOC_JOIN, &group), -EINVAL);
	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_LEAVE, &group), -EADDRNOTAVAIL);
	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_JOIN, &group), 0);
	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_JOIN, &group), -EADDRINUSE);
	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_LEAVE, &group), 0);
	strcpy(group.port, "no-such-if");
	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_JOIN, &group), -ENODEV);
	group = (struct sockfs_addr){.host = "127.0.0.1"};
	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_JOIN, &group), -EINVAL);
	group = (struct sockfs_addr){.host = "all-hosts"};
	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_JOIN, &group), -EINVAL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wire_choose");
	TCase *tc = tcase_create("all");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_first_address_chooses);
	tcase_add_test(tc, choosing_without_memory);
	tcase_add_test(tc, groups);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
