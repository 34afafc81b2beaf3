/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which rule of a policy file decides.
 */
#ifndef POLICY_MATCH_H
#define POLICY_MATCH_H

#include "policy/policy.h"
#include "policy/rules.h"

/*
 * The first rule that holds for @ask's @verb with @sa; NULL: none, so it is refused. @bound: as
 * policy_connect(), which this is for one file and without a log; for POLICY_LISTEN NULL.
 *
 * A rule by name lets nobody in whom a rule by address (any apart) keeps out, wherever that one
 * stands: the first of the rules by address that holds, if it is a deny, comes before every
 * allow by name. So nobody's name server leads inside.
 */
const struct rule *policy_match(const struct policy *p, const struct policy_ask *ask,
				enum policy_verb verb, const struct sockaddr *sa,
				const struct sockaddr *bound);
/*
 * As policy_match, of the UNIX socket @path (policy/path.h). Only a rule that names such
 * paths, or their protocol, allows one; any deny without a target or of "any" refuses it.
 */
const struct rule *policy_match_path(const struct policy *p, const struct policy_ask *ask,
				     enum policy_verb verb, const char *path);
/* Is there an allow to connect that may hold for @ask, of something below the directory @dir? */
bool policy_match_leads(const struct policy *p, const struct policy_ask *ask, const char *dir);
/*
 * Before the address is known, of @ask->name: the rule that will decide in any case; or a rule
 * that may allow it; NULL: whatever the address is, nothing allows it.
 */
const struct rule *policy_match_name(const struct policy *p, const struct policy_ask *ask,
				     const char *port);

#endif /* POLICY_MATCH_H */
