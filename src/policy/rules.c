/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory of a policy file, and its sets of numbers.
 */
#include "config.h"

#include "policy/rules.h"

#include <stdlib.h>
#include <string.h>

#include "lib/util.h"

/* Room for one more in a growing array: doubles at each power of two. */
static void *grow(void *array, size_t n, size_t size)
{
	if (n != 0 && (n & (n - 1)) != 0)
		return array;
	return reallocarray(array, n != 0 ? 2 * n : 1, size);
}

bool target_has_name(const struct target *target)
{
	return target->kind == TARGET_NAME || target->kind == TARGET_BELOW ||
	       target->kind == TARGET_UNIX;
}

static void rule_free(struct rule *rule)
{
	for (size_t i = 0; i < rule->targets.n; i++)
		if (target_has_name(&rule->targets.target[i]))
			free(rule->targets.target[i].name);
	free(rule->targets.target);
	free(rule->ports.range);
	free(rule->uids.range);
	free(rule->gids.range);
}

void policy_free(struct policy *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < p->nr_rules; i++)
		rule_free(&p->rules[i]);
	free(p->rules);
	free(p->path);
	free(p);
}

bool targets_add(struct targets *targets, const struct target *target)
{
	struct target *more = grow(targets->target, targets->n, sizeof(*more));

	if (more == NULL)
		return false;
	targets->target = more;
	more[targets->n++] = *target;
	return true;
}

bool range_set_add(struct range_set *set, uint32_t first, uint32_t last)
{
	struct range *more = grow(set->range, set->n, sizeof(*more));

	if (more == NULL)
		return false;
	set->range = more;
	more[set->n++] = (struct range){first, last};
	return true;
}

struct rule *policy_add_rule(struct policy *p)
{
	struct rule *more = grow(p->rules, p->nr_rules, sizeof(*more));

	if (more == NULL)
		return NULL;
	p->rules = more;
	memset(&more[p->nr_rules], 0, sizeof(*more));
	return &more[p->nr_rules++];
}

static int by_first(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

void range_set_sort(struct range_set *set)
{
	size_t n = 0;

	if (set->n < 2)
		return;
	qsort(set->range, set->n, sizeof(set->range[0]), by_first);
	for (size_t i = 1; i < set->n; i++) {
		struct range *last = &set->range[n];

		if (set->range[i].first > last->last)
			set->range[++n] = set->range[i];
		else if (set->range[i].last > last->last)
			last->last = set->range[i].last;
	}
	set->n = n + 1;
}

bool range_set_has(const struct range_set *set, uint32_t number)
{
	size_t from = 0, to = set->n;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (number < set->range[middle].first)
			to = middle;
		else if (number > set->range[middle].last)
			from = middle + 1;
		else
			return true;
	}
	return false;
}

const char *policy_proto_word(unsigned int bit)
{
	static const char *const words[] = {"tcp", "udp", "tls", "unix"};

	return bit < ARRAY_SIZE(words) ? words[bit] : NULL;
}

unsigned int policy_proto(const char *word)
{
	const char *other;

	for (unsigned int i = 0; (other = policy_proto_word(i)) != NULL; i++)
		if (strcmp(word, other) == 0)
			return 1u << i;
	return 0;
}
