/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sockfs --check-policy FILE [connect|listen ADDRESS [uid USER] [gid GROUP[,GROUP]...]
 * [proto WORD]]: asks as a dial would, resolver and all, and says which line answers. Paths of
 * UNIX sockets are walked as whoever runs this.
 */
#include "config.h"

#include "check_policy.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "lib/log.h"
#include "net/core/resolve.h"
#include "net/unix/unix.h"
#include "policy/file.h"
#include "policy/match.h"
#include "policy/parse.h"
#include "uapi/addr.h"
#include "uapi/info.h"

#define GROUPS_MAX 65536 /* Linux's NGROUPS_MAX */

struct check {
	struct policy *policy;
	struct policy_ask ask;
	enum policy_verb verb;
	struct sockfs_addr addr;
	char proto[ADDR_PROTO_MAX]; /* of the address */
	bool has_groups; /* given, not to be looked up */
	bool allowed;	 /* some address is */
	int err;	 /* of the resolver */
};

static int complain(const char *what, const char *word)
{
	pr_err("--check-policy: %s: %s", word, what);
	return -EINVAL;
}

static void answer(struct check *c, const struct rule *rule, const char *where)
{
	const bool allow = rule != NULL && rule->allow;

	if (rule != NULL)
		printf("%s:%u: ", c->policy->path, rule->line);
	else
		printf("%s: no rule: ", c->policy->path);
	printf("%s %s\n", where, allow ? "allowed" : "refused");
	c->allowed = c->allowed || allow;
}

static void on_resolved(void *arg, int err, struct addr_list *list)
{
	struct check *c = arg;
	char where[ADDR_TEXT_MAX];
	struct sockfs_addr addr;

	c->err = err;
	for (size_t i = 0; err == 0 && i < list->n; i++) {
		const struct sockaddr *sa = (const struct sockaddr *)&list->addr[i];

		addr_from_sockaddr(sa, &addr);
		answer(c, policy_match(c->policy, &c->ask, c->verb, sa, NULL),
		       addr_format(&addr, where, sizeof(where)));
	}
	free(list);
}

/* The groups of @ask->cred.uid as login(1) would give them; none for an unknown user. */
static int look_up_groups(struct policy_ask *ask)
{
	const struct passwd *user = getpwuid(ask->cred.uid);
	int n = GROUPS_MAX;

	if (user == NULL)
		return 0;
	ask->cred.gid = user->pw_gid;
	ask->groups = calloc(GROUPS_MAX, sizeof(*ask->groups));
	if (ask->groups == NULL)
		return -ENOMEM;
	if (getgrouplist(user->pw_name, user->pw_gid, ask->groups, &n) >= 0)
		ask->nr_groups = (size_t)n;
	return 0;
}

/* "GROUP[,GROUP]...": the first is the group of the process. */
static int take_groups(struct check *c, char *text)
{
	char *word;

	c->has_groups = true;
	for (bool is_first = true; (word = strsep(&text, ",")) != NULL; is_first = false) {
		gid_t *more = reallocarray(c->ask.groups, c->ask.nr_groups + 1, sizeof(*more));
		uint32_t gid;

		if (more == NULL)
			return -ENOMEM;
		c->ask.groups = more;
		if (policy_parse_gid(word, &gid) != 0)
			return complain("no such group", word);
		more[c->ask.nr_groups++] = gid;
		if (is_first)
			c->ask.cred.gid = gid;
	}
	return 0;
}

static int take_pair(struct check *c, const char *key, char *value)
{
	uint32_t uid;

	if (strcmp(key, "uid") == 0) {
		if (policy_parse_uid(value, &uid) != 0)
			return complain("no such user", value);
		c->ask.cred.uid = uid;
		return 0;
	}
	if (strcmp(key, "gid") == 0)
		return take_groups(c, value);
	if (strcmp(key, "proto") != 0)
		return complain("not uid, gid or proto", key);
	if (policy_proto(value) == 0)
		return complain("no such protocol", value);
	c->ask.proto = value;
	return 0;
}

static bool is_unix(const struct check *c)
{
	return strcmp(c->ask.proto, "unix") == 0;
}

/* VERB ADDRESS [KEY VALUE]... */
static int take_question(struct check *c, int argc, char **argv)
{
	struct sockfs_addr addr;
	int err = 0;

	c->verb = strcmp(argv[0], "listen") == 0 ? POLICY_LISTEN : POLICY_CONNECT;
	if (c->verb == POLICY_CONNECT && strcmp(argv[0], "connect") != 0)
		return complain("not connect or listen", argv[0]);
	if (argc < 2 || argc % 2 != 0)
		return complain("something is missing behind it", argv[argc - 1]);
	if (addr_parse(argv[1], &addr) != 0)
		return complain("not an address with a port", argv[1]);
	addr_split(&addr, c->proto, &c->addr);
	if (c->proto[0] != '\0') {
		if (policy_proto(c->proto) == 0)
			return complain("no such protocol", c->proto);
		c->ask.proto = c->proto;
	}
	for (int i = 2; err == 0 && i < argc; i += 2)
		err = take_pair(c, argv[i], argv[i + 1]);
	if (err == 0 && is_unix(c) != addr_is_path(c->addr.host))
		return complain(is_unix(c) ? "not a path" : "a path is only of unix:", argv[1]);
	if (err == 0 && !c->has_groups)
		err = look_up_groups(&c->ask);
	return err;
}

/* As unix_connect() and unix_bind() do it. */
static int ask_path(struct check *c)
{
	char real[PATH_MAX];
	int err = unix_real_path(c->addr.host, c->verb == POLICY_LISTEN, real);

	if (err == 0)
		answer(c, policy_match_path(c->policy, &c->ask, c->verb, real), real);
	return err;
}

/* As sock_connect() and sock_bind() do it. */
static int ask(struct check *c)
{
	const struct rule *rule = NULL;
	char where[ADDR_TEXT_MAX];
	struct resolve *resolve;
	uv_loop_t loop;
	int err;

	if (is_unix(c))
		return ask_path(c);
	err = resolve_name(&c->addr, &c->ask.name);
	if (err != 0)
		return err;
	if (c->verb == POLICY_LISTEN) {
		free(c->ask.name);
		c->ask.name = NULL;
	} else if (c->ask.name != NULL) {
		rule = policy_match_name(c->policy, &c->ask, c->addr.port);
		if (rule == NULL || !rule->allow) {
			snprintf(where, sizeof(where), "%s:%s", c->ask.name, c->addr.port);
			answer(c, rule, where);
			return 0;
		}
	}
	err = uv_loop_init(&loop);
	if (err != 0)
		return err;
	err = resolve_start(&loop, &c->addr, c->ask.proto, c->verb == POLICY_LISTEN, on_resolved, c,
			    &resolve);
	uv_run(&loop, UV_RUN_DEFAULT);
	uv_loop_close(&loop);
	return err != 0 ? err : c->err;
}

/* As sockctl says it. */
static const char *reason(int err)
{
	const struct sockfs_info info = {.error = -err, .flags = SOCKFS_INFO_LOOKUP};

	return info_error_text(&info);
}

int check_policy(int argc, char **argv)
{
	struct check c = {.ask = {.cred = {.uid = getuid(), .gid = getgid()}, .proto = "tcp"}};
	char message[512];
	int err;

	if (argc == 0) {
		pr_err("--check-policy: no file given (see sockfs --help)");
		return 1;
	}
	if (policy_read(argv[0], &c.policy, message, sizeof(message)) != 0) {
		pr_err("%s", message);
		return 1;
	}
	if (argc == 1) {
		printf("%s: %zu rules\n", argv[0], c.policy->nr_rules);
		c.allowed = true;
		err = 0;
	} else {
		err = take_question(&c, argc - 1, argv + 1);
		if (err == 0) {
			err = ask(&c);
			if (err != 0)
				(void)complain(reason(err), argv[2]);
		}
	}
	policy_ask_fini(&c.ask);
	policy_free(c.policy);
	/* An answer that nobody could read is a failure. */
	return err == 0 && c.allowed && fflush(stdout) == 0 ? 0 : 1;
}
