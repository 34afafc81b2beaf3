/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the log gets to know of decisions.
 */
#ifndef POLICY_TELL_H
#define POLICY_TELL_H

#include "policy/match.h"

/*
 * One line of what @rule (NULL: none) has decided for @ask, if it refuses or says log.
 * @sa: NULL, it was asked before the address was known; @text stands for it then:
 * the path of a UNIX socket, or the name and its port. Of refusals and of the others at most
 * TELL_MAX a second each are told; the next line says how many were left out.
 */
void policy_tell(const struct policy *p, const struct rule *rule, const struct policy_ask *ask,
		 enum policy_verb verb, const struct sockaddr *sa, const char *text);
/* Say now how many were left out, if any. */
void policy_tell_rest(void);

#define TELL_MAX 10

#endif /* POLICY_TELL_H */
