/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A policy file in memory: rules in the order of the file, not changed after it was read.
 *
 * Words: a *target* is what stands behind "to" or "on"; a *range* is from a first to a
 * last number; a set of ranges is sorted and merged, so that it is searched by halves.
 * An empty set or list says nothing: it holds for everything.
 */
#ifndef POLICY_RULES_H
#define POLICY_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/ip.h"

enum policy_verb {
	POLICY_CONNECT,
	POLICY_LISTEN, /* to take a local address, and to accept there */
};

enum target_kind {
	TARGET_ANY,
	TARGET_PRIVATE,
	TARGET_NET,
	TARGET_NAME,	/* asked for by this name */
	TARGET_BELOW,	/* "*.name": by a name that ends in .name */
	TARGET_ANYNAME, /* "*": by a name at all */
	TARGET_UNIX,	/* the path of a UNIX socket, or its abstract name */
};

struct target {
	enum target_kind kind;
	union {
		struct ip_net net;
		/*
		 * Lower case, without a dot at the end; below: without "*"; of UNIX sockets
		 * a pattern (policy/path.h).
		 */
		char *name;
	};
};

struct targets {
	struct target *target;
	size_t n;
};

struct range {
	uint32_t first, last;
};

struct range_set {
	struct range *range;
	size_t n;
};

struct rule {
	unsigned int line;
	bool allow;
	bool log;	       /* tell of it though it allows */
	enum policy_verb verb;
	unsigned int protos;   /* bits by policy_proto(), 0: all */
	struct targets targets;
	struct range_set ports, uids, gids;
};

struct policy {
	char *path;
	struct rule *rules;
	size_t nr_rules;
	bool has_names;	 /* some rule asks for the name */
	bool has_groups; /* some rule asks for groups */
};

/* All of it; NULL is fine. */
void policy_free(struct policy *p);

/* One more; false: no memory, and nothing has changed. */
bool targets_add(struct targets *targets, const struct target *target);
bool range_set_add(struct range_set *set, uint32_t first, uint32_t last);
/* A zeroed rule at the end, NULL: no memory. */
struct rule *policy_add_rule(struct policy *p);

/* After the last range_set_add(): sort and merge. */
void range_set_sort(struct range_set *set);
bool range_set_has(const struct range_set *set, uint32_t number);

/* Does this kind of target have a name of its own? */
bool target_has_name(const struct target *target);

/* The bit of the protocol that users call @word, 0: unknown. */
unsigned int policy_proto(const char *word);
/* The word of bit number @bit, NULL: there are no more. */
const char *policy_proto_word(unsigned int bit);

#endif /* POLICY_RULES_H */
