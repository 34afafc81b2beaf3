/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Words to rules: one function for what may stand behind each word of a rule.
 *
 * RULE   := ("allow" | "deny") ("connect" | "listen") CLAUSE...
 * CLAUSE := ("to" | "on") TARGETS | "port" PORTS | "proto" WORDS | "uid" USERS
 *         | "gid" GROUPS | "log"
 * and each list has commas between its members.
 */
#include "config.h"

#include "policy/parse.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/path.h"

#define NAME_MAX_LEN 253 /* RFC 1035 */
#define LABEL_MAX_LEN 63
#define WORD_MAX_LEN 256
#define UNIX_PREFIX "unix:" /* as users write such an address */

struct parser {
	struct lexer lex;
	struct policy *policy;
	struct rule *rule;  /* the one that is being read */
	unsigned int given; /* bits of clauses[] */
	bool printed;	    /* what stands there has been looked at when it came into force */
	bool no_memory;
};

static bool out_of_memory(struct parser *p)
{
	p->no_memory = true;
	return lex_fail(&p->lex, "%s", strerror(ENOMEM));
}

/* A copy of the token, terminated. False: longer than any word that means something. */
static bool token_text(struct parser *p, char text[WORD_MAX_LEN])
{
	const struct token *t = &p->lex.token;

	if (t->len >= WORD_MAX_LEN)
		return lex_fail(&p->lex, "a word of %zu characters", t->len);
	memcpy(text, t->text, t->len);
	text[t->len] = '\0';
	return true;
}

/* ----------------------------------------------------------------------- targets */

/* RFC 1123, and the underscore that some names have. A last label of digits is no name. */
static bool is_name(const char *name)
{
	size_t label = 0;
	bool digits = true;

	if (strlen(name) > NAME_MAX_LEN)
		return false;
	for (const char *s = name;; s++) {
		if (*s == '.' || *s == '\0') {
			if (label == 0 || label > LABEL_MAX_LEN || s[-1] == '-')
				return false;
			if (*s == '\0')
				return !digits;
			label = 0;
			digits = true;
			continue;
		}
		if (!isalnum((unsigned char)*s) && *s != '_' && !(*s == '-' && label > 0))
			return false;
		digits = digits && isdigit((unsigned char)*s);
		label++;
	}
}

/* @target takes @target->name along; in any case it is the callee's. */
static bool add_named(struct parser *p, struct target *target)
{
	if (targets_add(&p->rule->targets, target))
		return true;
	free(target->name);
	return out_of_memory(p);
}

static bool add_path(struct parser *p, struct target *target, const char *text)
{
	const char *fault = path_pattern_fault(text);
	size_t len;

	if (fault != NULL)
		return lex_fail(&p->lex, "%s: %.60s", fault, text);
	if (!p->printed && path_has_link(text, &len))
		return lex_fail(&p->lex, "%.*s is a symbolic link: write the path that it leads to",
				len < 60 ? (int)len : 60, text);
	target->kind = TARGET_UNIX;
	target->name = strdup(text);
	return target->name != NULL ? add_named(p, target) : out_of_memory(p);
}

static bool add_name(struct parser *p, struct target *target, const char *text)
{
	size_t len;
	bool below = strncmp(text, "*.", 2) == 0;

	target->kind = below ? TARGET_BELOW : TARGET_NAME;
	target->name = strdup(below ? text + 1 : text);
	if (target->name == NULL)
		return out_of_memory(p);
	len = strlen(target->name);
	if (len > 1 && target->name[len - 1] == '.')
		target->name[len - 1] = '\0';
	for (char *s = target->name; *s != '\0'; s++)
		*s = (char)tolower((unsigned char)*s);
	if (!is_name(target->name + below)) {
		free(target->name);
		return lex_fail(&p->lex, "neither an address nor a name: %.60s", text);
	}
	p->policy->has_names = true;
	return add_named(p, target);
}

static bool parse_target(struct parser *p)
{
	struct target target = {0};
	char text[WORD_MAX_LEN];

	if (!token_text(p, text))
		return false;
	if (strcmp(text, "any") == 0)
		target.kind = TARGET_ANY;
	else if (strcmp(text, "private") == 0)
		target.kind = TARGET_PRIVATE;
	else if (strcmp(text, "*") == 0)
		target.kind = TARGET_ANYNAME;
	else if (strncmp(text, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0)
		return add_path(p, &target, text + strlen(UNIX_PREFIX));
	else if (ip_net_parse(text, &target.net) == 0)
		target.kind = TARGET_NET;
	else if (p->rule->verb == POLICY_LISTEN)
		return lex_fail(&p->lex, "not an address: %.60s", text);
	else
		return add_name(p, &target, text);
	if (target.kind == TARGET_ANYNAME) {
		if (p->rule->verb == POLICY_LISTEN)
			return lex_fail(&p->lex, "not an address: *");
		p->policy->has_names = true;
	}
	return targets_add(&p->rule->targets, &target) || out_of_memory(p);
}

/* ----------------------------------------------------------------------- numbers */

/* "FIRST-LAST" becomes FIRST, and LAST is returned; NULL for what is no range (ms-sql-s). */
static char *split_range(char *text)
{
	char *dash = text + strspn(text, "0123456789");

	if (dash == text || *dash != '-')
		return NULL;
	*dash = '\0';
	return dash + 1;
}

/* One member of a list of numbers; @one reads a number or a name, @what it is called. */
static bool parse_number(struct parser *p, struct range_set *set, const char *what,
			 int (*one)(struct parser *p, const char *text, uint32_t *ret_number))
{
	char text[WORD_MAX_LEN], *to, *read = text;
	uint32_t first = 0, last;
	int err;

	if (!token_text(p, text))
		return false;
	to = split_range(text);
	err = one(p, read, &first);
	last = first;
	if (err == 0 && to != NULL) {
		read = to;
		err = one(p, read, &last);
	}
	if (err == -ENOMEM)
		return out_of_memory(p);
	if (err == -EINVAL)
		return lex_fail(&p->lex, "no such %s: %.60s", what, read);
	if (err != 0)
		return lex_fail(&p->lex, "%.60s: cannot look it up: %s", read, strerror(-err));
	if (last < first)
		return lex_fail(&p->lex, "a range that ends before it begins: %u-%u", first, last);
	return range_set_add(set, first, last) || out_of_memory(p);
}

static int one_port(struct parser *p, const char *text, uint32_t *ret_number)
{
	return policy_parse_port(text, p->rule->protos, ret_number);
}

static int one_uid(struct parser *p, const char *text, uint32_t *ret_number)
{
	(void)p;
	return policy_parse_uid(text, ret_number);
}

static int one_gid(struct parser *p, const char *text, uint32_t *ret_number)
{
	(void)p;
	return policy_parse_gid(text, ret_number);
}

static bool parse_port(struct parser *p)
{
	return parse_number(p, &p->rule->ports, "port", one_port);
}

static bool parse_uid(struct parser *p)
{
	return parse_number(p, &p->rule->uids, "user", one_uid);
}

static bool parse_gid(struct parser *p)
{
	p->policy->has_groups = true;
	return parse_number(p, &p->rule->gids, "group", one_gid);
}

static bool parse_proto(struct parser *p)
{
	char text[WORD_MAX_LEN];
	unsigned int bit;

	if (!token_text(p, text))
		return false;
	bit = policy_proto(text);
	if (bit == 0)
		return lex_fail(&p->lex, "no such protocol: %.60s", text);
	p->rule->protos |= bit;
	return true;
}

/* ------------------------------------------------------------------------- rules */

static const struct clause {
	const char *word;
	const char *what; /* a member of its list; NULL: it has none */
	bool (*member)(struct parser *p);
} clauses[] = {
	{"to", "an address or a name", parse_target},
	{"on", "an address", parse_target},
	{"port", "a port", parse_port},
	{"proto", "a protocol", parse_proto},
	{"uid", "a user", parse_uid},
	{"gid", "a group", parse_gid},
	{"log", NULL, NULL},
};

/* MEMBER ("," MEMBER)* */
static bool parse_list(struct parser *p, const struct clause *clause)
{
	for (;;) {
		if (p->lex.token.kind != TOKEN_WORD)
			return lex_fail(&p->lex, "%s is missing", clause->what);
		if (!clause->member(p))
			return false;
		lex_next(&p->lex);
		if (p->lex.token.kind != TOKEN_COMMA)
			return true;
		lex_next(&p->lex);
	}
}

static bool wrong_word(struct parser *p, const char *what)
{
	const struct token *t = &p->lex.token;

	return lex_fail(&p->lex, "%s: %.*s", what, (int)(t->len < 60 ? t->len : 60), t->text);
}

static bool parse_clause(struct parser *p)
{
	const struct clause *clause = NULL;
	const char *unfit = p->rule->verb == POLICY_CONNECT ? "on" : "to";
	size_t i;

	for (i = 0; i < ARRAY_SIZE(clauses) && clause == NULL; i++)
		if (lex_is(&p->lex, clauses[i].word))
			clause = &clauses[i];
	if (clause == NULL)
		return wrong_word(p, "not a word of a rule");
	if (strcmp(clause->word, unfit) == 0)
		return lex_fail(&p->lex, "%s", p->rule->verb == POLICY_CONNECT
						       ? "connect goes to an address, not on one"
						       : "listen is on an address, not to one");
	if (p->given & 1u << i)
		return lex_fail(&p->lex, "%s is there already", clause->word);
	p->given |= 1u << i;
	lex_next(&p->lex);
	if (clause->member != NULL)
		return parse_list(p, clause);
	p->rule->log = true;
	return true;
}

static bool parse_rule(struct parser *p)
{
	p->rule = policy_add_rule(p->policy);
	if (p->rule == NULL)
		return out_of_memory(p);
	p->given = 0;
	p->rule->line = p->lex.token.line;
	p->rule->allow = lex_is(&p->lex, "allow");
	if (!p->rule->allow && !lex_is(&p->lex, "deny"))
		return lex_fail(&p->lex, "a rule begins with allow or deny");
	lex_next(&p->lex);
	p->rule->verb = lex_is(&p->lex, "listen") ? POLICY_LISTEN : POLICY_CONNECT;
	if (p->rule->verb == POLICY_CONNECT && !lex_is(&p->lex, "connect"))
		return p->lex.token.kind == TOKEN_WORD
			       ? wrong_word(p, "neither connect nor listen")
			       : lex_fail(&p->lex, "connect or listen is missing");
	lex_next(&p->lex);
	while (p->lex.token.kind != TOKEN_EOL)
		if (!parse_clause(p))
			return false;
	range_set_sort(&p->rule->ports);
	range_set_sort(&p->rule->uids);
	range_set_sort(&p->rule->gids);
	return true;
}

static int parse(const char *text, size_t size, bool printed, struct policy **ret_policy,
		 struct policy_error *ret_error)
{
	struct parser p = {.policy = calloc(1, sizeof(*p.policy)), .printed = printed};
	bool ok = true;

	lex_init(&p.lex, text, size);
	if (p.policy == NULL)
		ok = out_of_memory(&p);
	for (; ok && p.lex.token.kind != TOKEN_END; lex_next(&p.lex))
		if (p.lex.token.kind != TOKEN_EOL)
			ok = parse_rule(&p);
	if (ok) {
		*ret_policy = p.policy;
		return 0;
	}
	policy_free(p.policy);
	*ret_error = p.lex.error;
	return p.no_memory ? -ENOMEM : -EINVAL;
}

int policy_parse(const char *text, size_t size, struct policy **ret_policy,
		 struct policy_error *ret_error)
{
	return parse(text, size, false, ret_policy, ret_error);
}

int policy_parse_printed(const char *text, size_t size, struct policy **ret_policy,
			 struct policy_error *ret_error)
{
	return parse(text, size, true, ret_policy, ret_error);
}
