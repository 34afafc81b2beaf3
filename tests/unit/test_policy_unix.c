/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of policy files: rules of UNIX sockets. */
#include "config.h"

#include <check.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "policy/match.h"
#include "policy/parse.h"
#include "policy/policy.h"
#include "unit.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

static gid_t groups[] = {50};

static struct policy *parse(const char *text)
{
	struct policy_error error;
	struct policy *p = NULL;
	int err = policy_parse(text, strlen(text), &p, &error);

	ck_assert_msg(err == 0, "%u:%u: %s in: %s", error.line, error.column, error.reason, text);
	return p;
}

/* UNIX sockets: a path and the verb's line. */
static const struct {
	const char *text, *path;
	int want;
} unixes[] = {
	{"allow connect to unix:/run/x.sock", "/run/x.sock", 1},
	{"allow connect to unix:/run/x.sock", "/run/x.sock.d", 0},
	{"allow connect to unix:/run/x.sock", "/run/x", 0},
	{"allow connect to unix:/run/x.sock", "@run/x.sock", 0},
	{"allow connect to unix:/x/*/bus", "/x/1000/bus", 1},
	{"allow connect to unix:/x/*/bus", "/x//bus", 1},
	{"allow connect to unix:/x/*/bus", "/x/1000/a/bus", 0},
	{"allow connect to unix:/x/*/bus", "/x/1000/bus/a", 0},
	{"allow connect to unix:/x/*s*k", "/x/socks.sock", 1},
	{"allow connect to unix:/x/*s*k", "/x/socks.socks", 0},
	{"allow connect to unix:/x/a?c", "/x/abc", 1},
	{"allow connect to unix:/x/a?c", "/x/a/c", 0},
	{"allow connect to unix:/x/*a", "/x/b", 0},
	{"allow connect to unix:/x/**", "/x/a", 1},
	{"allow connect to unix:/x/**", "/x/a/b/c", 1},
	{"allow connect to unix:/x/**", "/x", 0},
	{"allow connect to unix:/x/**", "/x/", 0},
	{"allow connect to unix:/x/**", "/xy/a", 0},
	{"allow connect to unix:/x/*/**", "/x/a", 0},
	{"allow connect to unix:/x/*/**", "/x/a/b/c", 1},
	{"allow connect to unix:/**", "/a", 1},
	{"allow connect to unix:/**", "@a", 0},
	{"allow connect to unix:@ab*", "@abc/d", 1},
	{"allow connect to unix:@ab*", "@a", 0},
	{"allow connect to unix:@*d", "@a/b/d", 1},
	{"allow connect to unix:@a?b", "@a/b", 1},
	{"allow connect to 10.0.0.1,unix:/x,a.example", "/x", 1},
	/* what is said of addresses allows none, and refuses them */
	{"allow connect", "/x", 0},
	{"allow connect to any", "/x", 0},
	{"allow connect to private", "/x", 0},
	{"allow connect to *", "/x", 0},
	{"allow connect proto unix", "/x", 1},
	{"allow connect to any proto tcp,unix", "@x", 1},
	{"allow connect proto tcp", "/x", 0},
	{"allow connect to 127.0.0.1 proto unix", "/x", 0},
	{"deny connect uid 1000\nallow connect to unix:/x", "/x", -1},
	{"deny connect uid 1001\nallow connect to unix:/x", "/x", 2},
	{"deny connect to any\nallow connect to unix:/x", "/x", -1},
	{"deny connect to private\nallow connect to unix:/x", "/x", 2},
	{"deny connect proto tcp\nallow connect to unix:/x", "/x", 2},
	{"deny connect to unix:/x/y\nallow connect to unix:/x/*", "/x/y", -1},
	{"deny connect to unix:/x/y\nallow connect to unix:/x/*", "/x/z", 2},
	/* they have no port */
	{"allow connect to unix:/x port 1", "/x", 0},
	{"allow connect to unix:/x port 0", "/x", 0},
	{"deny connect port 1\nallow connect to unix:/x", "/x", 2},
	{"allow connect to unix:/x uid 1000 gid 50", "/x", 1},
	{"allow connect to unix:/x gid 51", "/x", 0},
	{"allow listen on unix:/x", "/x", 0},
};

START_TEST(unix_rule)
{
	const struct policy_ask ask = {{1000, 100, 1}, "unix", NULL, groups, COUNT(groups)};
	struct policy *p = parse(unixes[_i].text);
	const struct rule *rule = policy_match_path(p, &ask, POLICY_CONNECT, unixes[_i].path);
	const struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x01010101)};
	int line = rule == NULL ? 0 : rule->allow ? (int)rule->line : -(int)rule->line;

	ck_assert_msg(line == unixes[_i].want, "%s: %s: %d", unixes[_i].text, unixes[_i].path, line);
	/* Nor does a path allow an address. */
	if (strstr(unixes[_i].text, "to unix:") != NULL) {
		const struct policy_ask tcp = {{1000, 100, 1}, "tcp", NULL, groups, COUNT(groups)};

		rule = policy_match(p, &tcp, POLICY_CONNECT, (const struct sockaddr *)&sin, NULL);
		ck_assert(rule == NULL || !rule->allow);
	}
	policy_free(p);
}
END_TEST

START_TEST(unix_listen_rule)
{
	const struct policy_ask ask = {{1000, 100, 1}, "unix", NULL, NULL, 0};
	struct policy *p = parse("allow connect to unix:/a\nallow listen on unix:/b,unix:@c");

	ck_assert_ptr_null(policy_match_path(p, &ask, POLICY_LISTEN, "/a"));
	ck_assert_uint_eq(policy_match_path(p, &ask, POLICY_LISTEN, "/b")->line, 2);
	ck_assert_uint_eq(policy_match_path(p, &ask, POLICY_LISTEN, "@c")->line, 2);
	policy_free(p);
}
END_TEST

/* Many stars take no time: a matcher that tries all ways would not end. */
START_TEST(unix_rule_time)
{
	char text[256] = "allow connect to unix:/", path[256] = "/";
	const struct policy_ask ask = {{1000, 100, 1}, "unix", NULL, NULL, 0};
	struct policy *p;

	for (int i = 0; i < 100; i++)
		strcat(text, "*a");
	strcat(text, "b");
	memset(path + 1, 'a', sizeof(path) - 2);
	p = parse(text);
	ck_assert_ptr_null(policy_match_path(p, &ask, POLICY_CONNECT, path));
	policy_free(p);
}
END_TEST

static const struct {
	const char *text, *dir;
	bool leads;
} leads[] = {
	{"allow connect to unix:/run/x/*.sock", "/run", true},
	{"allow connect to unix:/run/x/*.sock", "/run/x", true},
	{"allow connect to unix:/run/x/*.sock", "/run/x/a.sock", false},
	{"allow connect to unix:/run/x/*.sock", "/run/y", false},
	{"allow connect to unix:/run/x/*.sock", "/ru", false},
	{"allow connect to unix:/x/*/bus", "/x/1000", true},
	{"allow connect to unix:/x/**", "/x/1000/2000", true},
	{"allow connect to unix:/x/**", "/y", false},
	{"allow connect to unix:@x", "/x", false},
	{"allow connect to unix:/x/y uid 1001", "/x", false},
	{"allow connect to unix:/x/y port 1", "/x", false},
	{"allow listen on unix:/x/y", "/x", false},
	{"deny connect to unix:/x/y", "/x", false},
	{"allow connect", "/x", false},
	{"allow connect to any", "/x", false},
	{"allow connect proto unix", "/x", true},
	{"allow connect to any proto unix", "/x", true},
};

START_TEST(unix_leads)
{
	const struct policy_ask ask = {{1000, 100, 1}, "unix", NULL, NULL, 0};
	struct policy *p = parse(leads[_i].text);

	ck_assert_msg(policy_match_leads(p, &ask, leads[_i].dir) == leads[_i].leads, "%s: %s",
		      leads[_i].text, leads[_i].dir);
	policy_free(p);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("policy of UNIX sockets");
	TCase *tc = tcase_create("policy of UNIX sockets");

	tcase_add_loop_test(tc, unix_rule, 0, COUNT(unixes));
	tcase_add_test(tc, unix_listen_rule);
	tcase_add_test(tc, unix_rule_time);
	tcase_add_loop_test(tc, unix_leads, 0, COUNT(leads));
	suite_add_tcase(s, tc);
	return unit_run(s);
}
