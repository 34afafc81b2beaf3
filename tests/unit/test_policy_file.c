/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of policy files: the grammar and its errors, which rule decides, what is told. */
#include "config.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "lib/task_groups.h"
#include "policy/file.h"
#include "policy/match.h"
#include "policy/parse.h"
#include "policy/policy.h"
#include "policy/tell.h"
#include "uapi/addr.h"
#include "unit.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

static struct policy *parse(const char *text)
{
	struct policy_error error;
	struct policy *p = NULL;
	int err = policy_parse(text, strlen(text), &p, &error);

	ck_assert_msg(err == 0, "%u:%u: %s in: %s", error.line, error.column, error.reason, text);
	p->path = strdup("FILE");
	return p;
}

static struct sockaddr_storage sockaddr_of(const char *host, const char *port)
{
	struct sockaddr_storage ss;
	struct sockfs_addr a = {0};
	socklen_t len;

	snprintf(a.host, sizeof(a.host), "%s", host);
	snprintf(a.port, sizeof(a.port), "%s", port);
	ck_assert_int_eq(addr_to_sockaddr(&a, AF_UNSPEC, &ss, &len), 0);
	return ss;
}

/* ----------------------------------------------------------------------- errors */

static const struct {
	const char *text;
	unsigned int line, column;
	const char *reason;
} bad[] = {
	{"permit", 1, 1, "a rule begins with allow or deny"},
	{"Allow connect", 1, 1, "a rule begins with allow or deny"},
	{"allow", 1, 6, "connect or listen is missing"},
	{"allow connects", 1, 7, "neither connect nor listen: connects"},
	{"allow , connect", 1, 7, "connect or listen is missing"},
	{"# one\n\n  deny connect\tto", 3, 18, "an address or a name is missing"},
	{"allow connect to any,", 1, 22, "an address or a name is missing"},
	{"allow connect to ,any", 1, 18, "an address or a name is missing"},
	{"allow connect to any port 80,, 81", 1, 30, "a port is missing"},
	{"allow connect any", 1, 15, "not a word of a rule: any"},
	{"allow connect to any any", 1, 22, "not a word of a rule: any"},
	{"allow connect on any", 1, 15, "connect goes to an address, not on one"},
	{"allow listen to any", 1, 14, "listen is on an address, not to one"},
	{"allow connect port 1 port 2", 1, 22, "port is there already"},
	{"allow connect log log", 1, 19, "log is there already"},
	{"allow connect to 10.0.0.256", 1, 18, "neither an address nor a name: 10.0.0.256"},
	{"allow connect to 10.0.0.0/33", 1, 18, "neither an address nor a name: 10.0.0.0/33"},
	{"allow connect to [::1]", 1, 18, "neither an address nor a name: [::1]"},
	{"allow connect to 12345", 1, 18, "neither an address nor a name: 12345"},
	{"allow connect to a..b", 1, 18, "neither an address nor a name: a..b"},
	{"allow connect to *.", 1, 18, "neither an address nor a name: *."},
	{"allow connect to *.*.a", 1, 18, "neither an address nor a name: *.*.a"},
	{"allow connect to a.*.b", 1, 18, "neither an address nor a name: a.*.b"},
	{"allow connect to -a.b", 1, 18, "neither an address nor a name: -a.b"},
	{"allow connect to a-.b", 1, 18, "neither an address nor a name: a-.b"},
	{"allow connect to example.com:80", 1, 18, "neither an address nor a name: example.com:80"},
	{"allow listen on example.com", 1, 17, "not an address: example.com"},
	{"allow listen on *", 1, 17, "not an address: *"},
	{"allow connect port 65536", 1, 20, "no such port: 65536"},
	{"allow connect port -1", 1, 20, "no such port: -1"},
	{"allow connect port 1-", 1, 20, "no such port: "},
	{"allow connect port 1-2-3", 1, 20, "no such port: 2-3"},
	{"allow connect port 9-8", 1, 20, "a range that ends before it begins: 9-8"},
	{"allow connect port nothing-of-that-name", 1, 20, "no such port: nothing-of-that-name"},
	{"allow connect uid 4294967295", 1, 19, "no such user: 4294967295"},
	{"allow connect uid no-such-user-here", 1, 19, "no such user: no-such-user-here"},
	{"allow connect gid no-such-group-here", 1, 19, "no such group: no-such-group-here"},
	{"allow connect proto sctp", 1, 21, "no such protocol: sctp"},
	{"allow connect to unix:", 1, 18, "a path begins with a slash, a name with @: "},
	{"allow connect to unix:run/x", 1, 18, "a path begins with a slash, a name with @: run/x"},
	{"allow connect to unix:*", 1, 18, "a path begins with a slash, a name with @: *"},
	{"allow listen on unix:@", 1, 17, "a name is missing behind @: @"},
	{"allow listen on unix:/run//x", 1, 17, "a path has no empty parts: /run//x"},
	{"allow listen on unix:/run/", 1, 17, "a path has no empty parts: /run/"},
	{"allow connect to unix:/run/../x", 1, 18, "a path has no parts . and ..: /run/../x"},
	{"allow connect to unix:/run/.", 1, 18, "a path has no parts . and ..: /run/."},
	{"allow connect to unix:/run/**/x", 1, 18, "** can only be the last part: /run/**/x"},
	{"allow connect to unix:/proc/self/x", 1, 18,
	 "/proc/self is a symbolic link: write the path that it leads to"},
	{"allow connect \\ to any", 1, 15, "a backslash joins lines only at the end of one"},
	{"allow connect to a\\\n.b", 2, 1, "not a word of a rule: .b"},
	{"allow connect\\\n\\\n to", 3, 4, "an address or a name is missing"},
	{"allow connect to b\303\274cher.example", 1, 19, "not ASCII: write such a name as xn--..."},
	{"allow connect \001", 1, 15, "a control character (\\001)"},
	{"deny connect\rallow connect", 1, 13, "a control character (\\015)"},
	{"\357\273\277allow connect", 1, 1, "not ASCII: write such a name as xn--..."},
};

START_TEST(bad_text)
{
	struct policy_error error;
	struct policy *p = NULL;
	int err = policy_parse(bad[_i].text, strlen(bad[_i].text), &p, &error);

	ck_assert_msg(err == -EINVAL && p == NULL, "taken: %s", bad[_i].text);
	ck_assert_msg(error.line == bad[_i].line && error.column == bad[_i].column &&
			      strcmp(error.reason, bad[_i].reason) == 0,
		      "%s: %u:%u: %s", bad[_i].text, error.line, error.column, error.reason);
}
END_TEST

START_TEST(long_words)
{
	static const char *const clauses[] = {"to", "port", "proto", "uid", "gid"};
	char text[600] = "allow connect to ";
	struct policy_error error;
	struct policy *p;

	for (int i = 0; i < COUNT(clauses); i++) {
		int n = snprintf(text, sizeof(text), "allow connect %s ", clauses[i]);

		memset(text + n, '1', 300);
		ck_assert_int_eq(policy_parse(text, strlen(text), &p, &error), -EINVAL);
		ck_assert_str_eq(error.reason, "a word of 300 characters");
		memset(text, 0, sizeof(text));
	}
	strcpy(text, "allow connect to ");
	memset(text + 17, 'a', 300);
	ck_assert_int_eq(policy_parse(text, strlen(text), &p, &error), -EINVAL);
	ck_assert_str_eq(error.reason, "a word of 300 characters");
	/* A label has 63 bytes at most. */
	text[17 + 64] = '\0';
	ck_assert_int_eq(policy_parse(text, strlen(text), &p, &error), -EINVAL);
	text[17 + 63] = '\0';
	policy_free(parse(text));
	/* A NUL is no end. */
	ck_assert_int_eq(policy_parse("allow connect\0", 14, &p, &error), -EINVAL);
	ck_assert_uint_eq(error.column, 14);
}
END_TEST

/* --------------------------------------------------------------------- decisions */

/* Who asks: uid 1000, group 100, with the group 50. */
static gid_t groups[] = {50};

/* The line that decides, negative for a deny, 0: none. @name NULL: by number. */
static int decide(struct policy *p, enum policy_verb verb, const char *proto, const char *name,
		  const char *host, const char *port)
{
	struct sockaddr_storage ss = sockaddr_of(host, port);
	struct policy_ask ask = {
		.cred = {1000, 100, 1},
		.proto = proto,
		.name = (char *)name,
		.groups = groups,
		.nr_groups = COUNT(groups),
	};
	const struct rule *rule = policy_match(p, &ask, verb, (void *)&ss, NULL);

	return rule == NULL ? 0 : rule->allow ? (int)rule->line : -(int)rule->line;
}

static const struct {
	const char *text, *name, *host, *port;
	int want;
} connects[] = {
	{"", NULL, "8.8.8.8", "80", 0},
	{"# nothing\n\n", NULL, "8.8.8.8", "80", 0},
	{"allow connect", NULL, "8.8.8.8", "80", 1},
	{"allow connect to any", NULL, "::1", "80", 1},
	{"allow listen", NULL, "8.8.8.8", "80", 0},
	{"allow connect", NULL, "8.8.8.8", "80", 1},
	/* the first that holds */
	{"deny connect\nallow connect", NULL, "8.8.8.8", "80", -1},
	{"allow connect to 10.0.0.0/8\ndeny connect to private", NULL, "10.1.1.1", "80", 1},
	{"allow connect to 10.0.0.0/8\ndeny connect to private", NULL, "192.168.1.1", "80", -2},
	/* lists, joined lines, comments, blanks around commas, CR */
	{"allow connect to 10.0.0.1 , 10.0.0.2,\\\n 10.0.0.3 # the third\n", NULL, "10.0.0.3", "1", 1},
	{"\r\nallow\tconnect to 10.0.0.3\r\n", NULL, "10.0.0.3", "1", 2},
	{"allow connect to \\\r\n10.0.0.3", NULL, "10.0.0.3", "1", 1},
	{"allow connect#to 10.0.0.3", NULL, "10.0.0.4", "1", 1},
	/* ports */
	{"allow connect port 443,8000-8999", NULL, "1.1.1.1", "443", 1},
	{"allow connect port 443,8000-8999", NULL, "1.1.1.1", "442", 0},
	{"allow connect port 443,8000-8999", NULL, "1.1.1.1", "8000", 1},
	{"allow connect port 443,8000-8999", NULL, "1.1.1.1", "8999", 1},
	{"allow connect port 443,8000-8999", NULL, "1.1.1.1", "9000", 0},
	{"allow connect port 7-9,1-3,2-5,8", NULL, "1.1.1.1", "5", 1},
	{"allow connect port 7-9,1-3,2-5,8", NULL, "1.1.1.1", "6", 0},
	{"allow connect uid 2000,3000,1000", NULL, "1.1.1.1", "5", 1},
	{"allow connect gid 200,300,100", NULL, "1.1.1.1", "5", 1},
	{"allow connect port 1-10,2-3", NULL, "1.1.1.1", "5", 1},
	{"allow connect port 2-3,1-10", NULL, "1.1.1.1", "10", 1},
	{"allow connect port http,https", NULL, "1.1.1.1", "443", 1},
	{"allow connect port http", NULL, "1.1.1.1", "443", 0},
	{"allow connect port 65535,0", NULL, "1.1.1.1", "65535", 1},
	/* callers */
	{"allow connect uid 1000", NULL, "1.1.1.1", "1", 1},
	{"allow connect uid 999,1001", NULL, "1.1.1.1", "1", 0},
	{"allow connect uid 500-2000", NULL, "1.1.1.1", "1", 1},
	{"allow connect uid root", NULL, "1.1.1.1", "1", 0},
	{"allow connect gid 100", NULL, "1.1.1.1", "1", 1},
	{"allow connect gid 50", NULL, "1.1.1.1", "1", 1},
	{"allow connect gid 51", NULL, "1.1.1.1", "1", 0},
	{"allow connect gid 50 uid 1", NULL, "1.1.1.1", "1", 0},
	{"allow connect proto tcp", NULL, "1.1.1.1", "1", 1},
	{"allow connect proto udp,tls", NULL, "1.1.1.1", "1", 0},
	/* names */
	{"allow connect to a.example", "a.example", "1.1.1.1", "1", 1},
	{"allow connect to A.Example.", "a.eXAMPLE", "1.1.1.1", "1", 1},
	{"allow connect to a.example", "a.example.", "1.1.1.1", "1", 1},
	{"allow connect to a.example", "ba.example", "1.1.1.1", "1", 0},
	{"allow connect to a.example", "a.example.b", "1.1.1.1", "1", 0},
	{"allow connect to a.example", NULL, "1.1.1.1", "1", 0},
	{"allow connect to *.example", "a.example", "1.1.1.1", "1", 1},
	{"allow connect to *.example", "b.a.example", "1.1.1.1", "1", 1},
	{"allow connect to *.example", "example", "1.1.1.1", "1", 0},
	{"allow connect to *.example", "badexample", "1.1.1.1", "1", 0},
	{"allow connect to *.example", "a.example.com", "1.1.1.1", "1", 0},
	{"allow connect to *", "a.example", "1.1.1.1", "1", 1},
	{"allow connect to *", NULL, "1.1.1.1", "1", 0},
	{"deny connect to *\nallow connect", "a.example", "1.1.1.1", "1", -1},
	{"deny connect to *\nallow connect", NULL, "1.1.1.1", "1", 2},
	/* nobody's name server leads inside */
	{"allow connect to a.example\ndeny connect to private", "a.example", "10.0.0.1", "1", -2},
	{"allow connect to a.example\ndeny connect to private", "a.example", "127.0.0.1", "1", -2},
	{"allow connect to a.example\ndeny connect to private", "a.example", "::ffff:10.0.0.1", "1", -2},
	{"allow connect to a.example\ndeny connect to private", "a.example", "64:ff9b::a00:1", "1", -2},
	{"allow connect to a.example\ndeny connect to private", "a.example", "0.0.0.0", "1", -2},
	{"allow connect to a.example\ndeny connect to private", "a.example", "1.1.1.1", "1", 1},
	{"allow connect to a.example\ndeny connect to 1.1.1.1 port 2", "a.example", "1.1.1.1", "1", 1},
	{"allow connect to a.example\ndeny connect to 1.1.1.1 uid 7", "a.example", "1.1.1.1", "1", 1},
	{"allow connect to a.example\nallow connect to 10.0.0.1\ndeny connect to private",
	 "a.example", "10.0.0.1", "1", 1},
	{"allow connect to a.example\ndeny connect", "a.example", "10.0.0.1", "1", 1},
	{"allow connect to a.example\ndeny connect to any", "a.example", "10.0.0.1", "1", 1},
	{"deny connect to a.example\nallow connect", "a.example", "10.0.0.1", "1", -1},
	/* a target that holds by address needs no name */
	{"allow connect to a.example,10.0.0.0/8\ndeny connect to private", "a.example", "10.0.0.1", "1", 1},
	/* the any-address is a way to the loopback */
	{"allow connect to 127.0.0.1", NULL, "0.0.0.0", "1", 1},
	{"deny connect to 0.0.0.0\nallow connect", NULL, "0.0.0.0", "1", -1},
	{"deny connect to 127.0.0.0/8\nallow connect", NULL, "0.0.0.0", "1", -1},
	{"allow connect to 0.0.0.0", NULL, "0.0.0.0", "1", 0},
};

START_TEST(connect_rule)
{
	struct policy *p = parse(connects[_i].text);
	int line = decide(p, POLICY_CONNECT, "tcp", connects[_i].name, connects[_i].host,
			  connects[_i].port);

	ck_assert_msg(line == connects[_i].want, "%s: %s %s:%s: %d", connects[_i].text,
		      connects[_i].name ? connects[_i].name : "", connects[_i].host,
		      connects[_i].port, line);
	policy_free(p);
}
END_TEST

static const struct {
	const char *text, *host, *port;
	int want;
} listens[] = {
	{"allow listen on 127.0.0.1 port 8080-8090", "127.0.0.1", "8085", 1},
	{"allow listen on 127.0.0.1 port 8080-8090", "127.0.0.1", "0", 0},
	{"allow listen on 127.0.0.1 port 8080-8090", "0.0.0.0", "8085", 0},
	{"allow listen on 127.0.0.1 port 8080-8090", "::", "8085", 0},
	{"allow listen port 8080", "::", "8080", 1},
	{"allow listen on any", "0.0.0.0", "8080", 1},
	{"allow connect", "127.0.0.1", "1", 0},
	/* the any-address is not private, but whoever may not have a part may not have all */
	{"allow listen on private", "127.0.0.1", "1", 1},
	{"allow listen on private", "0.0.0.0", "1", 0},
	{"allow listen on private", "::", "1", 0},
	{"deny listen on private\nallow listen", "0.0.0.0", "1", -1},
	{"deny listen on 10.0.0.1\nallow listen", "0.0.0.0", "1", -1},
	{"deny listen on 10.0.0.1\nallow listen", "::", "1", -1},
	{"deny listen on 2001:db8::1\nallow listen", "::", "1", -1},
	{"deny listen on 2001:db8::1\nallow listen", "0.0.0.0", "1", 2},
	{"deny listen on 10.0.0.1\nallow listen", "10.0.0.2", "1", 2},
	{"allow listen on 0.0.0.0", "0.0.0.0", "1", 1},
};

START_TEST(listen_rule)
{
	struct policy *p = parse(listens[_i].text);
	int line = decide(p, POLICY_LISTEN, "tcp", NULL, listens[_i].host, listens[_i].port);

	ck_assert_msg(line == listens[_i].want, "%s: %s: %d", listens[_i].text, listens[_i].host, line);
	policy_free(p);
}
END_TEST

/* private, and the addresses beside it */
static const char *const inside[] = {
	"0.0.0.1", "10.0.0.0", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.8.8.8",
	"169.254.169.254", "172.16.0.1", "172.31.255.255", "192.168.0.1", "198.19.1.1", "224.0.0.1",
	"239.1.1.1", "255.255.255.255", "::1", "fc00::1", "fdff::1", "fe80::1", "fec0::1", "ff02::1",
	"::ffff:192.168.1.1", "64:ff9b::c0a8:101", "64:ff9b:1::1", "2002:c0a8:101::1", "::10.0.0.1",
	"2001:db8::1", "2001::1", "100::1",
};
static const char *const outside[] = {
	"1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
	"128.0.0.0", "169.253.0.1", "172.15.255.255", "172.32.0.0", "192.167.1.1", "192.169.0.1",
	"198.17.255.255", "198.20.0.0", "223.255.255.255", "2606:4700::1", "64:ff9b::808:808",
	"2002:808:808::1", "2a00::1", "fbff::1", "100:1::1",
};

START_TEST(private_addresses)
{
	struct policy *p = parse("deny connect to private\nallow connect");

	for (int i = 0; i < COUNT(inside); i++)
		ck_assert_msg(decide(p, POLICY_CONNECT, "tcp", NULL, inside[i], "1") == -1, "%s",
			      inside[i]);
	for (int i = 0; i < COUNT(outside); i++)
		ck_assert_msg(decide(p, POLICY_CONNECT, "tcp", NULL, outside[i], "1") == 2, "%s",
			      outside[i]);
	policy_free(p);
}
END_TEST

/* Before a name is looked up. */
static const struct {
	const char *text, *name, *port;
	int want;
} lookups[] = {
	{"", "a.example", "80", 0},
	{"allow connect to a.example", "a.example", "80", 1},
	{"allow connect to a.example", "secret.evil.example", "80", 0},
	{"allow connect to a.example port 80", "a.example", "81", 0},
	{"allow connect to a.example port http", "a.example", "http", 1},
	{"allow connect to a.example port 80", "a.example", "no-such-service", 0},
	{"allow connect to *.example uid 1", "a.example", "80", 0},
	{"deny connect to evil.example\nallow connect", "evil.example", "80", -1},
	{"allow connect", "evil.example", "80", 1},
	{"deny connect\nallow connect to a.example", "a.example", "80", -1},
	/* it may have such an address, or not */
	{"allow connect to 10.0.0.0/8", "a.example", "80", 1},
	{"allow connect to 10.0.0.0/8 port 443", "a.example", "80", 0},
	{"deny connect to private\nallow connect to b.example", "a.example", "80", 0},
	{"deny connect to private\nallow connect to b.example", "b.example", "80", 2},
	{"allow connect to a.example\ndeny connect to *\nallow connect to 10.0.0.0/8", "b.example",
	 "80", -2},
	{"allow listen", "a.example", "80", 0},
};

START_TEST(lookup_rule)
{
	struct policy *p = parse(lookups[_i].text);
	struct policy_ask ask = {.cred = {1000, 100, 1}, .proto = "tcp", .name = (char *)lookups[_i].name};
	const struct rule *rule = policy_match_name(p, &ask, lookups[_i].port);
	int line = rule == NULL ? 0 : rule->allow ? (int)rule->line : -(int)rule->line;

	ck_assert_msg(line == lookups[_i].want, "%s: %s:%s: %d", lookups[_i].text, lookups[_i].name,
		      lookups[_i].port, line);
	policy_free(p);
}
END_TEST

START_TEST(other_families)
{
	struct policy *p = parse("allow connect");
	struct policy_ask ask = {.proto = "tcp"};
	struct sockaddr_storage ss = sockaddr_of("1.1.1.1", "1");
	struct sockaddr unspec = {.sa_family = AF_UNSPEC}, local = {.sa_family = AF_UNIX};

	ck_assert_ptr_null(policy_match(p, &ask, POLICY_CONNECT, &unspec, NULL));
	ck_assert_ptr_null(policy_match(p, &ask, POLICY_CONNECT, &local, NULL));
	ck_assert_ptr_null(policy_match(p, &ask, POLICY_CONNECT, (void *)&ss, &local));
	ck_assert_ptr_nonnull(policy_match(p, &ask, POLICY_CONNECT, (void *)&ss, &unspec));
	policy_free(p);
}
END_TEST

/* ----------------------------------------------------------------- in force, told */

static int ask_connect(const char *name, const char *host, const char *port)
{
	struct sockaddr_storage ss = sockaddr_of(host, port);
	const struct cred cred = {1000, 100, getpid()};
	struct policy_ask ask;
	int err;

	ck_assert_int_eq(policy_ask_init(&ask, &cred, "tcp", name), 0);
	err = policy_connect(&ask, (void *)&ss, NULL);
	policy_ask_fini(&ask);
	return err;
}

START_TEST(both_sets_have_to_agree)
{
	struct capture c;

	ck_assert(!policy_has_file());
	ck_assert_int_eq(policy_add("10.0.0.0/8", true), 0);
	policy_set(parse("allow connect to 10.0.0.0/16, 11.0.0.1"));
	ck_assert(policy_has_file());
	capture_begin(&c);
	ck_assert_int_eq(ask_connect(NULL, "10.0.1.1", "1"), 0);
	ck_assert_int_eq(ask_connect(NULL, "10.1.1.1", "1"), -EACCES);
	ck_assert_int_eq(ask_connect(NULL, "11.0.0.1", "1"), -EACCES);
	/* What the mount options refuse is not told, as ever. */
	ck_assert_int_eq(count_of(capture_end(&c), "\n"), 1);
	policy_clear();
	ck_assert_int_eq(ask_connect(NULL, "12.1.1.1", "1"), 0);
}
END_TEST

START_TEST(what_is_told)
{
	struct capture c;
	const char *text;

	policy_set(parse("allow connect to 10.0.0.0/16\n"
			 "deny connect to 10.0.0.0/8\n"
			 "allow connect to a.example log\n"));
	capture_begin(&c);
	ck_assert_int_eq(ask_connect(NULL, "10.0.1.1", "1"), 0);
	ck_assert_int_eq(ask_connect(NULL, "10.1.1.1", "443"), -EACCES);
	ck_assert_int_eq(ask_connect("a.example", "11.1.1.1", "80"), 0);
	ck_assert_int_eq(ask_connect("b\n.example", "11.1.1.1", "80"), -EACCES);
	text = capture_end(&c);
	ck_assert_int_eq(count_of(text, "\n"), 3);
	ck_assert_ptr_nonnull(strstr(text, "FILE:2: refused: uid 1000 gid 100 pid "));
	ck_assert_ptr_nonnull(strstr(text, ": tcp connect to 10.1.1.1:443\n"));
	ck_assert_ptr_nonnull(strstr(text, "FILE:3: allowed: uid 1000 gid 100 pid "));
	ck_assert_ptr_nonnull(strstr(text, ": tcp connect to 11.1.1.1:80 (a.example)\n"));
	ck_assert_ptr_nonnull(strstr(text, "FILE: no rule: refused: uid 1000"));
	ck_assert_ptr_nonnull(strstr(text, "(b\\012.example)\n"));
	policy_clear();
}
END_TEST

START_TEST(at_most_ten_a_second)
{
	struct capture c;
	struct timespec now;
	time_t begun, ended;
	const char *text;

	policy_set(parse(""));
	capture_begin(&c);
	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	begun = now.tv_sec;
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(ask_connect(NULL, "10.1.1.1", "443"), -EACCES);
	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	ended = now.tv_sec;
	/* The end of the rules says how many were left out. */
	policy_clear();
	text = capture_end(&c);
	ck_assert_int_le(count_of(text, "refused:"), TELL_MAX * (int)(ended - begun + 1));
	ck_assert_int_ge(count_of(text, "refused:"), TELL_MAX);
	if (ended == begun)
		ck_assert_ptr_nonnull(strstr(text, "policy: 990 more refusals are not told\n"));
}
END_TEST

/* The groups of a caller are asked for where a rule is about groups. */
START_TEST(groups_of_a_process)
{
	const struct cred me = {geteuid(), getegid(), getpid()};
	struct policy_ask ask;
	const gid_t one = 54321;
	gid_t *groups_of_mine;
	size_t n;

	if (geteuid() == 0)
		ck_assert_int_eq(setgroups(1, &one), 0);
	ck_assert_int_eq(task_groups(me.pid, me.uid, &groups_of_mine, &n), 0);
	policy_set(parse("allow connect gid 4000000000"));
	ck_assert_int_eq(ask_connect(NULL, "1.1.1.1", "1"), -EACCES);
	ck_assert_int_eq(policy_ask_init(&ask, &me, "tcp", NULL), 0);
	ck_assert_uint_eq(ask.nr_groups, n);
	policy_ask_fini(&ask);
	policy_set(parse("allow connect uid 0"));
	ck_assert_int_eq(policy_ask_init(&ask, &me, "tcp", NULL), 0);
	ck_assert_uint_eq(ask.nr_groups, 0);
	policy_ask_fini(&ask);
	policy_clear();
	free(groups_of_mine);
}
END_TEST

/* ------------------------------------------------------------------------ files */

START_TEST(files)
{
	char dir[] = "policy-XXXXXX", path[64], message[256];
	struct policy *p = NULL;
	FILE *f;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(policy_read(dir, &p, message, sizeof(message)), -EISDIR);
	snprintf(path, sizeof(path), "%s/file", dir);
	ck_assert_int_eq(policy_read(path, &p, message, sizeof(message)), -ENOENT);
	ck_assert_ptr_nonnull(strstr(message, "/file: No such file or directory"));
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_eq(policy_read(path, &p, message, sizeof(message)), -EINVAL);
	ck_assert_ptr_nonnull(strstr(message, "/file: Not a regular file"));
	ck_assert_int_eq(unlink(path), 0);
	f = fopen(path, "we");
	ck_assert_int_ge(fputs("allow connect\ndeny\n", f), 0);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(policy_read(path, &p, message, sizeof(message)), -EINVAL);
	ck_assert_ptr_nonnull(strstr(message, "/file:2:5: connect or listen is missing"));
	f = fopen(path, "we");
	for (size_t i = 0; i < POLICY_SIZE_MAX; i++)
		fputc('\n', f);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(policy_read(path, &p, message, sizeof(message)), 0);
	ck_assert_uint_eq(p->nr_rules, 0);
	ck_assert_str_eq(p->path, path);
	policy_free(p);
	f = fopen(path, "ae");
	fputc('\n', f);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(policy_read(path, &p, message, sizeof(message)), -EFBIG);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(rmdir(dir), 0);
}
END_TEST

/* A file as long as there may be: what a question costs is printed, and its order is held. */
START_TEST(many_rules)
{
	size_t size = 0, room = POLICY_SIZE_MAX;
	char *text = malloc(room + 128);
	const int rounds = on_valgrind() ? 1 : 100;
	struct timespec from, to;
	struct policy *p;
	unsigned int i;
	double us;

	for (i = 0; size < room; i++)
		size += (size_t)sprintf(text + size, i % 3 == 0 ? "deny connect to 20.%u.%u.0/24 port 80\n"
						     : i % 3 == 1 ? "allow connect to *.n%u.d%u.example\n"
								  : "deny connect to 2600:%x::%x port 80\n",
					i / 250 % 250, i % 250);
	text[size] = '\0';
	p = parse(text);
	ck_assert_uint_gt(p->nr_rules, 25000);
	clock_gettime(CLOCK_MONOTONIC, &from);
	for (int n = 0; n < rounds; n++)
		ck_assert_int_eq(decide(p, POLICY_CONNECT, "tcp", "a.b.example", "8.8.8.8", "80"), 0);
	clock_gettime(CLOCK_MONOTONIC, &to);
	us = ((double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec)) / 1e3 /
	     rounds;
	printf("%zu rules: %.0f us a question\n", p->nr_rules, us);
	/* Under 1 ms where nothing else runs; a crowded machine or a sanitizer takes longer. */
	if (!on_valgrind())
		ck_assert_double_lt(us, 20000);
	policy_free(p);
	free(text);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("policy file");
	TCase *tc = tcase_create("policy file");

	tcase_add_loop_test(tc, bad_text, 0, COUNT(bad));
	tcase_add_test(tc, long_words);
	tcase_add_loop_test(tc, connect_rule, 0, COUNT(connects));
	tcase_add_loop_test(tc, listen_rule, 0, COUNT(listens));
	tcase_add_test(tc, private_addresses);
	tcase_add_loop_test(tc, lookup_rule, 0, COUNT(lookups));
	tcase_add_test(tc, other_families);
	tcase_add_test(tc, both_sets_have_to_agree);
	tcase_add_test(tc, what_is_told);
	tcase_add_test(tc, at_most_ten_a_second);
	tcase_add_test(tc, groups_of_a_process);
	tcase_add_test(tc, files);
	tcase_add_test(tc, many_rules);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
