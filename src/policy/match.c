/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules in order, the first that holds decides; see match.h for the one exception.
 *
 * Nothing here allocates. What is cheapest to find false is looked at first.
 */
#include "config.h"

#include "policy/match.h"

#include <string.h>
#include <strings.h>

#include "policy/parse.h"
#include "policy/path.h"
#include "uapi/addr.h"

/* One question, as rules look at it. */
struct query {
	const struct policy_ask *ask;
	enum policy_verb verb;
	unsigned int proto;  /* its bit */
	unsigned int port;
	bool any_port;	     /* it is not known: no rule with ports holds for sure */
	size_t name_len;     /* of ask->name, without a dot at its end; 0: there is none */
	struct ip ip;	     /* AF_UNSPEC: it is not known, or there is none */
	const char *path;    /* of a UNIX socket; NULL: it has an address */
};

static size_t length_of_name(const char *name)
{
	size_t len = name != NULL ? strlen(name) : 0;

	return len > 1 && name[len - 1] == '.' ? len - 1 : len;
}

static bool same_name(const struct query *q, const char *name)
{
	return strlen(name) == q->name_len && strncasecmp(q->ask->name, name, q->name_len) == 0;
}

static bool is_below(const struct query *q, const char *suffix)
{
	size_t len = strlen(suffix);

	return q->name_len > len &&
	       strncasecmp(q->ask->name + q->name_len - len, suffix, len) == 0;
}

/* By what the caller asked for; false for targets that are addresses. */
static bool name_holds(const struct target *t, const struct query *q)
{
	if (q->name_len == 0)
		return false;
	switch (t->kind) {
	case TARGET_NAME:
		return same_name(q, t->name);
	case TARGET_BELOW:
		return is_below(q, t->name);
	case TARGET_ANYNAME:
		return true;
	default:
		return false;
	}
}

/*
 * Who listens at the any-address listens at all of its family's, and at IPv4's through ::.
 * So a deny holds where one of them is denied, and an allow only where it names it.
 */
static bool covers(const struct rule *rule, const struct target *t, const struct query *q)
{
	if (q->verb != POLICY_LISTEN || !ip_is_any(&q->ip))
		return false;
	if (t->kind == TARGET_PRIVATE)
		return !rule->allow;
	return !rule->allow && (q->ip.family == AF_INET6 || t->net.ip.family == AF_INET);
}

/* By the address, if it is known; false for names, and for "any". */
static bool address_holds(const struct rule *rule, const struct target *t, const struct query *q)
{
	if (q->ip.family == AF_UNSPEC)
		return false;
	if (t->kind == TARGET_NET)
		return ip_net_has(&t->net, &q->ip) || covers(rule, t, q);
	if (t->kind != TARGET_PRIVATE)
		return false;
	if (q->verb == POLICY_LISTEN && ip_is_any(&q->ip))
		return covers(rule, t, q);
	return ip_is_private(&q->ip);
}

enum by {
	BY_NONE = 0,
	BY_ADDRESS = 1,
	BY_NAME = 2,
	BY_ANY = 4,
};

/*
 * Behind a path there may be a service that trusts whoever can open it. So what was said of
 * addresses allows none, but it refuses them, as it says.
 */
static bool any_holds(const struct rule *rule, const struct query *q)
{
	return q->path == NULL || !rule->allow || rule->protos & q->proto;
}

/* By which of its targets @rule holds: bits. */
static unsigned int target_holds(const struct rule *rule, const struct query *q)
{
	unsigned int by = rule->targets.n == 0 && any_holds(rule, q) ? BY_ANY : BY_NONE;

	for (size_t i = 0; i < rule->targets.n; i++) {
		const struct target *t = &rule->targets.target[i];

		if (t->kind == TARGET_ANY)
			by |= any_holds(rule, q) ? BY_ANY : BY_NONE;
		else if (t->kind == TARGET_UNIX)
			by |= q->path != NULL && path_pattern_has(t->name, q->path) ? BY_ADDRESS : BY_NONE;
		else if (name_holds(t, q))
			by |= BY_NAME;
		else if (address_holds(rule, t, q))
			by |= BY_ADDRESS;
	}
	return by;
}

static bool is_member(const struct range_set *gids, const struct policy_ask *ask)
{
	if (range_set_has(gids, ask->cred.gid))
		return true;
	for (size_t i = 0; i < ask->nr_groups; i++)
		if (range_set_has(gids, ask->groups[i]))
			return true;
	return false;
}

/* Everything of @rule but its targets and its ports. */
static bool caller_holds(const struct rule *rule, const struct query *q)
{
	return rule->verb == q->verb && (rule->protos == 0 || (rule->protos & q->proto) != 0) &&
	       (rule->uids.n == 0 || range_set_has(&rule->uids, q->ask->cred.uid)) &&
	       (rule->gids.n == 0 || is_member(&rule->gids, q->ask));
}

static bool port_holds(const struct rule *rule, const struct query *q)
{
	return rule->ports.n == 0 || (!q->any_port && range_set_has(&rule->ports, q->port));
}

static const struct rule *first(const struct policy *p, const struct query *q)
{
	const struct rule *by_name = NULL;

	for (size_t i = 0; i < p->nr_rules; i++) {
		const struct rule *rule = &p->rules[i];
		unsigned int by = target_holds(rule, q);

		if (by == BY_NONE || !caller_holds(rule, q) || !port_holds(rule, q))
			continue;
		/* The rules by address are to be asked before it may allow. */
		if (by_name != NULL) {
			if (by & BY_ADDRESS)
				return rule->allow ? by_name : rule;
			continue;
		}
		if (!rule->allow || by != BY_NAME)
			return rule;
		by_name = rule;
	}
	return by_name;
}

const struct rule *policy_match(const struct policy *p, const struct policy_ask *ask,
				enum policy_verb verb, const struct sockaddr *sa,
				const struct sockaddr *bound)
{
	struct query q = {.ask = ask, .verb = verb, .proto = policy_proto(ask->proto)};
	struct ip from = {.family = AF_UNSPEC};
	const struct rule *rule;

	if (ip_from_sockaddr(sa, &q.ip) != 0)
		return NULL;
	if (bound != NULL && bound->sa_family != AF_UNSPEC && ip_from_sockaddr(bound, &from) != 0)
		return NULL;
	q.port = addr_port(sa);
	q.name_len = length_of_name(ask->name);
	if (verb == POLICY_CONNECT && ip_is_any(&q.ip)) {
		rule = first(p, &q);
		if (rule != NULL && !rule->allow)
			return rule;
		ip_any_to_target(&q.ip, &from);
	}
	return first(p, &q);
}

static struct query path_query(const struct policy_ask *ask, enum policy_verb verb, const char *path)
{
	return (struct query){
		.ask = ask,
		.verb = verb,
		.proto = policy_proto(ask->proto),
		.any_port = true, /* it has none */
		.ip.family = AF_UNSPEC,
		.path = path,
	};
}

const struct rule *policy_match_path(const struct policy *p, const struct policy_ask *ask,
				     enum policy_verb verb, const char *path)
{
	const struct query q = path_query(ask, verb, path);

	return first(p, &q);
}

static bool rule_leads(const struct rule *rule, const struct query *q)
{
	if (rule->targets.n == 0)
		return any_holds(rule, q);
	for (size_t i = 0; i < rule->targets.n; i++) {
		const struct target *t = &rule->targets.target[i];

		if ((t->kind == TARGET_ANY && any_holds(rule, q)) ||
		    (t->kind == TARGET_UNIX && path_pattern_leads(t->name, q->path)))
			return true;
	}
	return false;
}

bool policy_match_leads(const struct policy *p, const struct policy_ask *ask, const char *dir)
{
	const struct query q = path_query(ask, POLICY_CONNECT, dir);

	for (size_t i = 0; i < p->nr_rules; i++) {
		const struct rule *rule = &p->rules[i];

		if (rule->allow && caller_holds(rule, &q) && port_holds(rule, &q) &&
		    rule_leads(rule, &q))
			return true;
	}
	return false;
}

/* Could the targets of @rule hold for some address? */
static bool has_addresses(const struct rule *rule)
{
	for (size_t i = 0; i < rule->targets.n; i++)
		if (rule->targets.target[i].kind == TARGET_NET ||
		    rule->targets.target[i].kind == TARGET_PRIVATE)
			return true;
	return false;
}

const struct rule *policy_match_name(const struct policy *p, const struct policy_ask *ask,
				     const char *port)
{
	struct query q = {
		.ask = ask,
		.verb = POLICY_CONNECT,
		.proto = policy_proto(ask->proto),
		.name_len = length_of_name(ask->name),
		.ip.family = AF_UNSPEC, /* in no network */
	};
	uint32_t number;

	if (policy_parse_port(port, q.proto, &number) == 0)
		q.port = number;
	else
		q.any_port = true; /* nor will it be dialled */
	for (size_t i = 0; i < p->nr_rules; i++) {
		const struct rule *rule = &p->rules[i];

		if (!caller_holds(rule, &q) || !port_holds(rule, &q))
			continue;
		if (target_holds(rule, &q) != BY_NONE || (rule->allow && has_addresses(rule)))
			return rule;
	}
	return NULL;
}
