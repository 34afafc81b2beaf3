/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who may connect where, and take which local address.
 *
 * The daemon may be more powerful than its callers (root's mount, an ordinary
 * user's script), so what the kernel would refuse them is refused here. Beside that
 * there are two sets of rules, and each has to agree: those of the mount options
 * allow= and deny=, and those of a policy file (sockfs.policy(5)).
 *
 * Every face asks here, for every protocol: whatever makes a descriptor connect, send
 * to an address, or take one.
 */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include <sys/socket.h>

#include "fs/fs.h"

/*
 * Who asks for what, as far as the rules want to know it; a copy, so that it can outlive
 * the request. Without a policy file it holds no memory.
 */
struct policy_ask {
	struct cred cred;
	const char *proto; /* what users call the protocol: "tcp" */
	char *name;	   /* of the host, as it was asked for; NULL: by number, or nobody wants it */
	gid_t *groups;	   /* supplementary ones, if some rule asks for groups */
	size_t nr_groups;
};

/*
 * Begin. @proto stays the caller's and must stay. @host: what the caller wrote, in ASCII, NULL
 * when it was no name. The groups are those that the process has now: it waits for its
 * answer, so its number is its own; later it may be somebody else's. 0 or -ENOMEM;
 * @ask is to be ended in any case.
 */
int policy_ask_init(struct policy_ask *ask, const struct cred *cred, const char *proto,
		    const char *host);
void policy_ask_fini(struct policy_ask *ask);

/* Is there a policy file? Else nobody needs to know by which name somebody asks. */
bool policy_has_file(void);

/*
 * Before @ask->name is looked up: could any answer let it connect? To ask a name server is
 * to tell it something. 0 or -EACCES. @port: as the caller wrote it.
 */
int policy_lookup(const struct policy_ask *ask, const char *port);
/*
 * May it connect to @sa from a socket that is bound to @bound (NULL or family
 * AF_UNSPEC: to nothing)? 0 or -EACCES. IPv4-mapped addresses are IPv4, scopes do not
 * count. The any-address is judged by itself (deny only) and as the address to which
 * the kernel takes it: the one that the socket is bound to, or the loopback. With a file
 * -EACCES for what is no Internet address.
 */
int policy_connect(const struct policy_ask *ask, const struct sockaddr *sa,
		   const struct sockaddr *bound);
/*
 * May it bind to @sa? -EACCES for ports below ip_unprivileged_port_start
 * (ip(7); 1024 by default and where it cannot be read) unless root asks, or a process that has
 * CAP_NET_BIND_SERVICE, or the port is 0, and what the policy file refuses; allow= and deny= are of connect only.
 */
int policy_bind(const struct policy_ask *ask, const struct sockaddr *sa);
/*
 * May it take a connection of the listener @fd? As policy_bind to the local address of
 * @fd, by the policy file only.
 */
int policy_accept(const struct cred *cred, const char *proto, int fd);

/*
 * The same for UNIX sockets, by the policy file only. @path is the one that the kernel
 * uses (policy/path.h), not the one that was written. policy_listen_path is for whoever
 * takes a path and for whoever accepts there. @tell: the log may hear of it.
 */
int policy_connect_path(const struct cred *cred, const char *proto, const char *path, bool tell);
int policy_listen_path(const struct cred *cred, const char *proto, const char *path, bool tell);
/* Is there something below the directory @dir that @cred may connect to? True without a file. */
bool policy_leads(const struct cred *cred, const char *proto, const char *dir);

/*
 * Add a rule: "ADDRESS", "ADDRESS/BITS", with IPv4 or IPv6 (no brackets), or
 * "any". Deny rules win; with one or more allow rules everything else is
 * refused. For the mount options allow=, deny=. 0, -EINVAL, -ENOMEM. Bits
 * behind BITS do not count; ::ffff:a.b.c.d/BITS is the IPv4 rule (BITS >= 96).
 */
int policy_add(const char *rule, bool allow);

struct policy;

/*
 * The rules of the policy file from now on: @policy is the callee's, who frees the ones
 * before. NULL: no file. policy/file.h reads one.
 */
void policy_set(struct policy *policy);
/* Those that hold now, NULL: no file. Until the next policy_set(). */
const struct policy *policy_in_force(void);
/* Forget all rules. */
void policy_clear(void);

#endif /* POLICY_POLICY_H */
