/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts of policy_ask_init(): what a question takes with it.
 */
#ifndef POLICY_ASK_H
#define POLICY_ASK_H

#include "policy/policy.h"

/* A copy of @host, if there is one. 0 or -ENOMEM. */
int ask_set_name(struct policy_ask *ask, const char *host);

#endif /* POLICY_ASK_H */
