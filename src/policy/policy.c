/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one place that says yes or no.
 */
#include "config.h"

#include "policy/policy.h"

#include <errno.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/nofile.h"
#include "lib/task_groups.h"
#include "policy/ask.h"
#include "policy/capable.h"
#include "policy/mount_rules.h"
#include "policy/tell.h"
#include "uapi/addr.h"

static struct policy *file; /* NULL: there is none */

int policy_add(const char *rule, bool allow)
{
	return mount_rules_add(rule, allow);
}

void policy_set(struct policy *policy)
{
	policy_tell_rest();
	policy_free(file);
	file = policy;
}

void policy_clear(void)
{
	policy_set(NULL);
	mount_rules_clear();
}

const struct policy *policy_in_force(void)
{
	return file;
}

bool policy_has_file(void)
{
	return file != NULL;
}

int policy_ask_init(struct policy_ask *ask, const struct cred *cred, const char *proto,
		    const char *host)
{
	int err;

	*ask = (struct policy_ask){.cred = *cred, .proto = proto};
	if (file == NULL)
		return 0;
	err = ask_set_name(ask, host);
	if (err == 0 && file->has_groups)
		err = task_groups(cred->pid, cred->uid, &ask->groups, &ask->nr_groups);
	return err;
}

/* What the policy file says, told where it is to be told. */
static int ask_file(const struct policy_ask *ask, enum policy_verb verb, const struct sockaddr *sa,
		    const struct sockaddr *bound)
{
	const struct rule *rule;

	if (file == NULL)
		return 0;
	rule = policy_match(file, ask, verb, sa, bound);
	policy_tell(file, rule, ask, verb, sa, NULL);
	return rule != NULL && rule->allow ? 0 : -EACCES;
}

int policy_lookup(const struct policy_ask *ask, const char *port)
{
	char where[ADDR_TEXT_MAX];
	const struct rule *rule;

	if (file == NULL || ask->name == NULL)
		return 0;
	rule = policy_match_name(file, ask, port);
	if (rule != NULL && rule->allow)
		return 0;
	snprintf(where, sizeof(where), "%s:%s", ask->name, port);
	policy_tell(file, rule, ask, POLICY_CONNECT, NULL, where);
	return -EACCES;
}

int policy_connect(const struct policy_ask *ask, const struct sockaddr *sa,
		   const struct sockaddr *bound)
{
	int err = mount_rules_connect(sa, bound);

	return err != 0 ? err : ask_file(ask, POLICY_CONNECT, sa, bound);
}

/* Asked each time: an administrator may change it under a running daemon. ip(7). */
static unsigned int unprivileged_port_start(void)
{
	unsigned int port = IPPORT_RESERVED;
	FILE *f;

	nofile_reserve_begin();
	f = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "re");
	nofile_reserve_end();
	if (f) {
		if (fscanf(f, "%u", &port) != 1)
			port = IPPORT_RESERVED;
		fclose(f);
	}
	return port;
}

int policy_bind(const struct policy_ask *ask, const struct sockaddr *sa)
{
	unsigned int port = addr_port(sa);

	/* net/ipv4/af_inet.c: __inet_bind, for the caller and not for the daemon. */
	if (ask->cred.uid != 0 && port != 0 && port < unprivileged_port_start() &&
	    !cred_is_capable(&ask->cred, CAP_NET_BIND_SERVICE))
		return -EACCES;
	return ask_file(ask, POLICY_LISTEN, sa, NULL);
}

int policy_accept(const struct cred *cred, const char *proto, int fd)
{
	struct sockaddr_storage local;
	socklen_t len = sizeof(local);
	struct policy_ask ask;
	int err;

	if (file == NULL)
		return 0;
	if (getsockname(fd, (struct sockaddr *)&local, &len) != 0)
		return -errno;
	err = policy_ask_init(&ask, cred, proto, NULL);
	if (err == 0)
		err = ask_file(&ask, POLICY_LISTEN, (struct sockaddr *)&local, NULL);
	policy_ask_fini(&ask);
	return err;
}

static int ask_path(const struct cred *cred, const char *proto, enum policy_verb verb,
		    const char *path, bool tell)
{
	const struct rule *rule;
	struct policy_ask ask;
	int err;

	if (file == NULL)
		return 0;
	err = policy_ask_init(&ask, cred, proto, NULL);
	if (err == 0) {
		rule = policy_match_path(file, &ask, verb, path);
		if (tell)
			policy_tell(file, rule, &ask, verb, NULL, path);
		err = rule != NULL && rule->allow ? 0 : -EACCES;
	}
	policy_ask_fini(&ask);
	return err;
}

int policy_connect_path(const struct cred *cred, const char *proto, const char *path, bool tell)
{
	return ask_path(cred, proto, POLICY_CONNECT, path, tell);
}

int policy_listen_path(const struct cred *cred, const char *proto, const char *path, bool tell)
{
	return ask_path(cred, proto, POLICY_LISTEN, path, tell);
}

bool policy_leads(const struct cred *cred, const char *proto, const char *dir)
{
	struct policy_ask ask;
	bool leads;

	if (file == NULL)
		return true;
	leads = policy_ask_init(&ask, cred, proto, NULL) == 0 && policy_match_leads(file, &ask, dir);
	policy_ask_fini(&ask);
	return leads;
}
