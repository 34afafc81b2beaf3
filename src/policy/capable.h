/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The capabilities of a calling process. Twin of kernel/capability.c: ns_capable.
 */
#ifndef POLICY_CAPABLE_H
#define POLICY_CAPABLE_H

#include <stdbool.h>

#include "fs/fs.h"

/*
 * Has the process of @cred the capability @cap (capability(7)), where the daemon is? In a user
 * namespace of its own it has all, and none of them is of any use here. False also for who is not to be seen.
 */
bool cred_is_capable(const struct cred *cred, unsigned int cap);

#endif /* POLICY_CAPABLE_H */
