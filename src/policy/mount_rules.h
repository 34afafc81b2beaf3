/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules of the mount options allow= and deny=; policy/policy.h adds and clears them.
 */
#ifndef POLICY_MOUNT_RULES_H
#define POLICY_MOUNT_RULES_H

#include <stdbool.h>
#include <sys/socket.h>

/* As policy_add(). */
int mount_rules_add(const char *text, bool allow);
void mount_rules_clear(void);
/* As policy_connect(), by these rules. */
int mount_rules_connect(const struct sockaddr *sa, const struct sockaddr *bound);

#endif /* POLICY_MOUNT_RULES_H */
