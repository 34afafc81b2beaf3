/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules to text: see print.h. */
#include "config.h"

#include "policy/print.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "policy/rules.h"

static void print_target(FILE *f, const struct target *t)
{
	char ip[INET6_ADDRSTRLEN];

	switch (t->kind) {
	case TARGET_ANY:
		fputs("any", f);
		break;
	case TARGET_PRIVATE:
		fputs("private", f);
		break;
	case TARGET_NET:
		inet_ntop(t->net.ip.family, t->net.ip.byte, ip, sizeof(ip));
		fprintf(f, "%s/%u", ip, t->net.bits);
		break;
	case TARGET_NAME:
		/* With its dot, for a host may be called "any". */
		fprintf(f, "%s.", t->name);
		break;
	case TARGET_BELOW:
		fprintf(f, "*%s", t->name);
		break;
	case TARGET_ANYNAME:
		fputc('*', f);
		break;
	case TARGET_UNIX:
		fprintf(f, "unix:%s", t->name);
		break;
	}
}

static void print_protos(FILE *f, unsigned int protos)
{
	const char *word, *before = " proto ";

	for (unsigned int i = 0; (word = policy_proto_word(i)) != NULL; i++) {
		if (!(protos & 1u << i))
			continue;
		fprintf(f, "%s%s", before, word);
		before = ",";
	}
}

static void print_ranges(FILE *f, const char *clause, const struct range_set *set)
{
	for (size_t i = 0; i < set->n; i++) {
		const struct range *range = &set->range[i];

		fprintf(f, "%s%u", i == 0 ? clause : ",", range->first);
		if (range->last != range->first)
			fprintf(f, "-%u", range->last);
	}
}

static void print_rule(FILE *f, const struct rule *rule)
{
	const char *to = rule->verb == POLICY_CONNECT ? " to " : " on ";

	fprintf(f, "%s %s", rule->allow ? "allow" : "deny",
		rule->verb == POLICY_CONNECT ? "connect" : "listen");
	for (size_t i = 0; i < rule->targets.n; i++) {
		fputs(i == 0 ? to : ",", f);
		print_target(f, &rule->targets.target[i]);
	}
	print_ranges(f, " port ", &rule->ports);
	print_protos(f, rule->protos);
	print_ranges(f, " uid ", &rule->uids);
	print_ranges(f, " gid ", &rule->gids);
	if (rule->log)
		fputs(" log", f);
}

char *policy_print(const struct policy *p)
{
	unsigned int line = 1;
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	bool failed;

	if (f == NULL)
		return NULL;
	for (size_t i = 0; i < p->nr_rules; i++) {
		for (; line < p->rules[i].line; line++)
			fputc('\n', f);
		print_rule(f, &p->rules[i]);
	}
	fputc('\n', f);
	failed = ferror(f) != 0;
	if (fclose(f) == 0 && !failed)
		return text;
	free(text);
	return NULL;
}
