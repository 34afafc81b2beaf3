/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of policy/policy.c: rules of the mount options, and ports that are root's. */
#include "config.h"

#include "policy/policy.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "uapi/addr.h"
#include "unit.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

static const struct policy_ask root = {.cred = {0, 0, 1}, .proto = "tcp"},
			      user = {.cred = {1000, 1000, 0}, .proto = "tcp"};

static struct sockaddr_storage sockaddr_of(const char *host, unsigned int port)
{
	struct sockaddr_storage ss;
	struct sockfs_addr a = {0};
	socklen_t len;

	snprintf(a.host, sizeof(a.host), "%s", host);
	snprintf(a.port, sizeof(a.port), "%u", port);
	ck_assert_int_eq(addr_to_sockaddr(&a, AF_UNSPEC, &ss, &len), 0);
	return ss;
}

static int ask(const char *host)
{
	struct sockaddr_storage ss = sockaddr_of(host, 80);

	return policy_connect(&user, (struct sockaddr *)&ss, NULL);
}

/* One rule set (allow rules, then deny rules, blank between), one host, the answer. */
static const struct {
	const char *allow, *deny, *host;
	int want;
} cases[] = {
	{"", "", "10.0.0.1", 0},
	{"", "", "::1", 0},
	{"", "10.0.0.1", "10.0.0.1", -EACCES},
	{"", "10.0.0.1", "10.0.0.2", 0},
	{"", "10.0.0.0/8", "10.255.1.2", -EACCES},
	{"", "10.0.0.0/8", "11.0.0.0", 0},
	{"", "10.9.9.9/8", "10.1.2.3", -EACCES}, /* bits behind the mask do not count */
	{"", "192.168.128.0/17", "192.168.127.255", 0},
	{"", "192.168.128.0/17", "192.168.128.0", -EACCES},
	{"", "10.0.0.1/32", "10.0.0.1", -EACCES},
	{"", "10.0.0.1/31", "10.0.0.0", -EACCES},
	{"", "10.0.0.1/31", "10.0.0.2", 0},
	{"", "0.0.0.0/0", "1.2.3.4", -EACCES},
	{"", "0.0.0.0/0", "2001:db8::1", 0},
	{"", "::/0", "2001:db8::1", -EACCES},
	{"", "::/0", "1.2.3.4", 0},
	{"", "any", "1.2.3.4", -EACCES},
	{"", "any", "::1", -EACCES},
	{"", "2001:db8::/33", "2001:db8:7fff::1", -EACCES},
	{"", "2001:db8::/33", "2001:db8:8000::1", 0},
	{"", "::1", "::1", -EACCES},
	{"", "::1/128", "::2", 0},
	{"", "fe80::/10", "fe80::1%1", -EACCES},
	/* allow rules shut the rest out */
	{"10.0.0.0/8", "", "10.1.1.1", 0},
	{"10.0.0.0/8", "", "11.1.1.1", -EACCES},
	{"10.0.0.0/8", "", "::1", -EACCES},
	{"10.0.0.0/8 ::1", "", "::1", 0},
	{"any", "", "::1", 0},
	{"any", "", "10.1.1.1", 0},
	/* deny wins, whatever is narrower */
	{"10.0.0.0/8", "10.1.0.0/16", "10.1.0.1", -EACCES},
	{"10.0.0.0/8", "10.1.0.0/16", "10.2.0.1", 0},
	{"10.1.0.1", "10.0.0.0/8", "10.1.0.1", -EACCES},
	{"10.1.0.1", "any", "10.1.0.1", -EACCES},
	/* one IPv4 address in two spellings */
	{"", "10.0.0.0/8", "::ffff:10.1.2.3", -EACCES},
	{"", "::ffff:10.0.0.0/104", "10.1.2.3", -EACCES},
	{"", "::ffff:10.0.0.0/104", "11.1.2.3", 0},
	{"", "::ffff:10.0.0.1", "10.0.0.1", -EACCES},
	{"", "::ffff:0:0/96", "1.2.3.4", -EACCES},
	{"10.0.0.0/8", "", "::ffff:10.1.2.3", 0},
	/* the any-address is a way to the loopback */
	{"", "127.0.0.0/8", "0.0.0.0", -EACCES},
	{"", "127.0.0.0/8", "::ffff:0.0.0.0", -EACCES},
	{"", "::1", "::", -EACCES},
	{"", "0.0.0.0", "0.0.0.0", -EACCES},
	{"", "0.0.0.0", "127.0.0.1", 0},
	{"127.0.0.1", "", "0.0.0.0", 0},
	{"0.0.0.0", "", "0.0.0.0", -EACCES},
	{"10.0.0.0/8", "", "0.0.0.0", -EACCES},
	{"::1", "", "::", 0},
};

static void add_rules(const char *rules, bool allow)
{
	char copy[128], *save = NULL, *rule;

	snprintf(copy, sizeof(copy), "%s", rules);
	for (rule = strtok_r(copy, " ", &save); rule; rule = strtok_r(NULL, " ", &save))
		ck_assert_int_eq(policy_add(rule, allow), 0);
}

START_TEST(rule)
{
	add_rules(cases[_i].allow, true);
	add_rules(cases[_i].deny, false);
	ck_assert_msg(ask(cases[_i].host) == cases[_i].want, "allow=%s deny=%s: %s", cases[_i].allow,
		      cases[_i].deny, cases[_i].host);
	policy_clear();
	ck_assert_int_eq(ask(cases[_i].host), 0);
}
END_TEST

/* Where a connect leads to is the kernel's choice, so it is asked: bound x target. */
static const char *const bounds[] = {
	NULL, "0.0.0.0", "127.0.0.1", "127.0.0.2", "::", "::1", "::ffff:0.0.0.0", "::ffff:127.0.0.2",
};
static const char *const targets[] = {
	"0.0.0.0",	  "127.0.0.1",	  "127.0.0.2", "127.0.0.3", "::", "::%1", "::1", "::1%1",
	"::ffff:0.0.0.0", "::ffff:127.0.0.2",
};

/* The port of a listener that takes both families, or IPv4 alone where there is no IPv6. */
static unsigned int listen_any(int *ret_fd)
{
	struct sockaddr_storage ss = sockaddr_of("::", 0);
	socklen_t len = sizeof(ss);
	int off = 0, fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) != 0 ||
	    bind(fd, (void *)&ss, len) != 0) {
		close(fd);
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	}
	ck_assert_int_eq(listen(fd, COUNT(bounds) * COUNT(targets)), 0);
	ck_assert_int_eq(getsockname(fd, (void *)&ss, &len), 0);
	*ret_fd = fd;
	return addr_port((void *)&ss);
}

/* Connect from @bound to @target: the peer's address as the kernel tells; false: no way there. */
static bool kernel_goes(const char *bound, const struct sockaddr_storage *target,
			struct sockfs_addr *ret_peer)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	int off = 0, fd = socket(target->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool ok = fd >= 0;

	if (target->ss_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bound) {
		ss = sockaddr_of(bound, 0);
		ok = ok && ss.ss_family == target->ss_family && bind(fd, (void *)&ss, len) == 0;
	}
	len = sizeof(ss);
	ok = ok && connect(fd, (const void *)target, sizeof(*target)) == 0 &&
	     getpeername(fd, (void *)&ss, &len) == 0;
	if (ok)
		addr_from_sockaddr((void *)&ss, ret_peer);
	if (fd >= 0)
		close(fd);
	return ok;
}

START_TEST(the_kernel_goes_where_we_judge)
{
	int fd;
	unsigned int port = listen_any(&fd), nr = 0;

	for (int b = 0; b < COUNT(bounds); b++) {
		struct sockaddr_storage bound = {.ss_family = AF_UNSPEC};

		if (bounds[b])
			bound = sockaddr_of(bounds[b], 0);
		for (int t = 0; t < COUNT(targets); t++) {
			struct sockaddr_storage target = sockaddr_of(targets[t], port);
			struct sockfs_addr peer;
			int denied, allowed;

			if (!kernel_goes(bounds[b], &target, &peer))
				continue;
			nr++;
			ck_assert_int_eq(policy_add(peer.host, false), 0);
			denied = policy_connect(&user, (void *)&target, (void *)&bound);
			policy_clear();
			ck_assert_int_eq(policy_add(peer.host, true), 0);
			allowed = policy_connect(&user, (void *)&target, (void *)&bound);
			policy_clear();
			ck_assert_msg(denied == -EACCES && allowed == 0,
				      "%s to %s leads to %s: denied %d, allowed %d",
				      bounds[b] ? bounds[b] : "-", targets[t], peer.host, denied,
				      allowed);
		}
	}
	/* Four addresses of IPv4 from four, at least. */
	ck_assert_uint_ge(nr, 16);
	close(fd);
}
END_TEST

static const char *const bad_rules[] = {
	"", "x", "ANY", "any/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/ 8",
	"10.0.0.0/8 ", "10.0.0.0/8x", "10.0.0.0/0x8", "10.0.0.0/8/8", "10.0.0", "10.0.0.256", "/8",
	"[::1]", "::/129", "::/4294967296", "::1%lo", ":::", "::ffff:10.0.0.0/95", "localhost",
	"1234:1234:1234:1234:1234:1234:1234:1234:1234:1234:1234:1234",
};

/* A rule that is refused leaves no trace: neither a denial nor "everything else is shut". */
START_TEST(bad_rule)
{
	ck_assert_msg(policy_add(bad_rules[_i], true) == -EINVAL, "accepted \"%s\"", bad_rules[_i]);
	ck_assert_msg(policy_add(bad_rules[_i], false) == -EINVAL, "accepted \"%s\"", bad_rules[_i]);
	ck_assert_int_eq(ask("10.0.0.1"), 0);
	ck_assert_int_eq(ask("::1"), 0);
}
END_TEST

START_TEST(other_families)
{
	struct sockaddr unspec = {.sa_family = AF_UNSPEC};

	ck_assert_int_eq(policy_connect(&user, &unspec, NULL), 0);
	ck_assert_int_eq(policy_add("10.0.0.0/8", false), 0);
	ck_assert_int_eq(policy_connect(&user, &unspec, NULL), -EACCES);
	policy_clear();
	/* Nor is anything known of a socket that is bound to something else. */
	ck_assert_int_eq(policy_add("any", true), 0);
	{
		struct sockaddr_storage ss = sockaddr_of("10.0.0.1", 80);
		struct sockaddr local = {.sa_family = AF_UNIX};

		ck_assert_int_eq(policy_connect(&user, (void *)&ss, &unspec), 0);
		ck_assert_int_eq(policy_connect(&user, (void *)&ss, &local), -EACCES);
	}
	policy_clear();
}
END_TEST

static int bind_errno(const struct policy_ask *ask, const char *host, unsigned int port)
{
	struct sockaddr_storage ss = sockaddr_of(host, port);

	return policy_bind(ask, (struct sockaddr *)&ss);
}

START_TEST(bind_ports)
{
	static const char *const hosts[] = {"127.0.0.1", "::1", "0.0.0.0"};
	FILE *f = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "re");
	unsigned int start = 1024;
	size_t i;

	if (f) {
		ck_assert_int_eq(fscanf(f, "%u", &start), 1);
		fclose(f);
	}
	for (i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		ck_assert_int_eq(bind_errno(&user, hosts[i], 0), 0);
		ck_assert_int_eq(bind_errno(&user, hosts[i], 1), start > 1 ? -EACCES : 0);
		ck_assert_int_eq(bind_errno(&user, hosts[i], 1023), start > 1023 ? -EACCES : 0);
		if (start > 1 && start < 65536)
			ck_assert_int_eq(bind_errno(&user, hosts[i], start - 1), -EACCES);
		if (start < 65536)
			ck_assert_int_eq(bind_errno(&user, hosts[i], start), 0);
		ck_assert_int_eq(bind_errno(&user, hosts[i], 65535), start > 65535 ? -EACCES : 0);
		ck_assert_int_eq(bind_errno(&root, hosts[i], 1), 0);
		ck_assert_int_eq(bind_errno(&root, hosts[i], 80), 0);
	}
	/* Who has the capability; here it is this process. */
	if (geteuid() == 0 && prctl(PR_CAPBSET_READ, CAP_NET_BIND_SERVICE) == 1) {
		const struct policy_ask capable = {.cred = {1000, 1000, getpid()}, .proto = "tcp"};

		ck_assert_int_eq(bind_errno(&capable, "127.0.0.1", 1), 0);
	}
	/* Where one may connect to says nothing about where one may bind. */
	ck_assert_int_eq(policy_add("any", false), 0);
	ck_assert_int_eq(bind_errno(&user, "127.0.0.1", 0), 0);
	policy_clear();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("policy");
	TCase *tc = tcase_create("policy");

	tcase_add_loop_test(tc, rule, 0, COUNT(cases));
	tcase_add_test(tc, the_kernel_goes_where_we_judge);
	tcase_add_loop_test(tc, bad_rule, 0, COUNT(bad_rules));
	tcase_add_test(tc, other_families);
	tcase_add_test(tc, bind_ports);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
