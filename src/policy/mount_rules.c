/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * allow= and deny=: no order, deny wins, one allow refuses all others.
 */
#include "config.h"

#include "policy/mount_rules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "policy/ip.h"

struct mount_rule {
	SLIST_ENTRY(mount_rule) list;
	bool allow;
	bool any;
	struct ip_net net;
};

static SLIST_HEAD(, mount_rule) rules = SLIST_HEAD_INITIALIZER(rules);

int mount_rules_add(const char *text, bool allow)
{
	struct mount_rule *rule = calloc(1, sizeof(*rule));
	int err = 0;

	if (rule == NULL)
		return -ENOMEM;
	rule->allow = allow;
	rule->any = strcmp(text, "any") == 0;
	if (!rule->any)
		err = ip_net_parse(text, &rule->net);
	if (err != 0) {
		free(rule);
		return err;
	}
	SLIST_INSERT_HEAD(&rules, rule, list);
	return 0;
}

void mount_rules_clear(void)
{
	struct mount_rule *rule;

	while ((rule = SLIST_FIRST(&rules)) != NULL) {
		SLIST_REMOVE_HEAD(&rules, list);
		free(rule);
	}
}

static bool any_matches(bool allow, const struct ip *ip)
{
	const struct mount_rule *rule;

	SLIST_FOREACH(rule, &rules, list)
		if (rule->allow == allow && (rule->any || ip_net_has(&rule->net, ip)))
			return true;
	return false;
}

static bool have_allow_rules(void)
{
	const struct mount_rule *rule;

	SLIST_FOREACH(rule, &rules, list)
		if (rule->allow)
			return true;
	return false;
}

int mount_rules_connect(const struct sockaddr *sa, const struct sockaddr *bound)
{
	struct ip ip, from = {.family = AF_UNSPEC};

	if (SLIST_EMPTY(&rules))
		return 0;
	if (ip_from_sockaddr(sa, &ip) != 0)
		return -EACCES;
	if (bound != NULL && bound->sa_family != AF_UNSPEC && ip_from_sockaddr(bound, &from) != 0)
		return -EACCES;
	if (any_matches(false, &ip))
		return -EACCES;
	ip_any_to_target(&ip, &from);
	if (any_matches(false, &ip))
		return -EACCES;
	return have_allow_rules() && !any_matches(true, &ip) ? -EACCES : 0;
}
