/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines of log about decisions, so few that nobody can fill a disk with them.
 */
#include "config.h"

#include "policy/tell.h"

#include <stdio.h>
#include <time.h>

#include "lib/log.h"
#include "uapi/addr.h"

static struct budget {
	const char *what;
	time_t second;
	unsigned int told, left_out;
} refusals = {.what = "refusals"}, permits = {.what = "permissions"};

static void say_left_out(struct budget *b)
{
	if (b->left_out != 0)
		pr_notice("policy: %u more %s are not told", b->left_out, b->what);
	b->left_out = 0;
}

/* lib/ratelimit.c: ___ratelimit, by whole seconds. */
static bool may_tell(struct budget *b)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	if (now.tv_sec != b->second) {
		b->second = now.tv_sec;
		b->told = 0;
		say_left_out(b);
	}
	if (b->told < TELL_MAX) {
		b->told++;
		return true;
	}
	b->left_out++;
	return false;
}

void policy_tell_rest(void)
{
	say_left_out(&refusals);
	say_left_out(&permits);
}

/* For a line of the log, which nobody may begin another one in: what is not printed is a "?". */
static void say_text(const char *from, char *text, size_t size)
{
	size_t i;

	for (i = 0; from[i] != '\0' && i < size - 1; i++)
		text[i] = from[i] > ' ' && from[i] < 0x7f ? from[i] : '?';
	text[i] = '\0';
}

void policy_tell(const struct policy *p, const struct rule *rule, const struct policy_ask *ask,
		 enum policy_verb verb, const struct sockaddr *sa, const char *text)
{
	const bool allow = rule != NULL && rule->allow;
	const char *name = sa != NULL ? ask->name : NULL; /* else @text has it */
	char place[32] = " no rule", where[ADDR_TEXT_MAX];
	struct sockfs_addr addr;

	if (allow && !rule->log)
		return;
	if (!may_tell(allow ? &permits : &refusals))
		return;
	if (rule != NULL)
		snprintf(place, sizeof(place), "%u", rule->line);
	addr_from_sockaddr(sa, &addr);
	if (text != NULL)
		say_text(text, where, sizeof(where));
	else
		addr_format(&addr, where, sizeof(where));
	pr_notice("%s:%s: %s: uid %u gid %u pid %d: %s %s %s%s%s%s", p->path, place,
		  allow ? "allowed" : "refused", ask->cred.uid, ask->cred.gid, (int)ask->cred.pid,
		  ask->proto, verb == POLICY_LISTEN ? "listen on" : "connect to", where,
		  name != NULL ? " (" : "", name != NULL ? name : "", name != NULL ? ")" : "");
}
