/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who may connect and bind where.
 *
 * The daemon may be more powerful than its callers (root's mount, an ordinary
 * user's script), so what the kernel would refuse them is refused here.
 */
#ifndef NET_POLICY_H
#define NET_POLICY_H

#include <sys/socket.h>

#include "fs/fs.h"

/*
 * Add a rule: "ADDRESS", "ADDRESS/BITS", with IPv4 or IPv6 (no brackets), or
 * "any". Deny rules win; with one or more allow rules everything else is
 * refused. For the mount options allow=, deny=. 0, -EINVAL, -ENOMEM. Bits
 * behind BITS do not count; ::ffff:a.b.c.d/BITS is the IPv4 rule (BITS >= 96).
 */
int policy_add(const char *rule, bool allow);
/* Forget all rules. */
void policy_clear(void);

/*
 * May @cred connect to @sa from a socket that is bound to @bound (NULL or family
 * AF_UNSPEC: to nothing)? 0 or -EACCES. IPv4-mapped addresses are IPv4, scopes do not
 * count. The any-address is judged by itself (deny only) and as the address to which
 * the kernel takes it: the one that the socket is bound to, or the loopback.
 */
int policy_connect(const struct cred *cred, const struct sockaddr *sa,
		   const struct sockaddr *bound);
/*
 * May @cred bind to @sa? -EACCES for ports below ip_unprivileged_port_start
 * (ip(7); 1024 by default and where it cannot be read) unless root asks or the
 * port is 0; the address rules apply to connect only.
 */
int policy_bind(const struct cred *cred, const struct sockaddr *sa);

#endif /* NET_POLICY_H */
