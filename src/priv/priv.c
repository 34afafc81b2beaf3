/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Users and capabilities of the process that serves: see priv.h. */
#include "config.h"

#include "priv/priv.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "lib/confine.h"
#include "lib/log.h"

#define CAP(name) (UINT64_C(1) << (name))

/* What callers who are root can do: ports below 1024, UNIX sockets and keys whose mode is not theirs. */
#define ROOTS (CAP(CAP_NET_BIND_SERVICE) | CAP(CAP_DAC_OVERRIDE) | CAP(CAP_DAC_READ_SEARCH))
/* To be another caller for a system call, and to give a socket to the owner of its file. */
#define OTHERS (CAP(CAP_SETUID) | CAP(CAP_SETGID) | CAP(CAP_CHOWN))

int priv_find_user(const char *name, struct priv_user *ret)
{
	const struct passwd *user = getpwnam(name);
	unsigned long uid;
	char *end;

	if (user == NULL) {
		uid = strtoul(name, &end, 10);
		if (*name < '0' || *name > '9' || *end != '\0' || uid >= UINT32_MAX)
			return -ENOENT;
		user = getpwuid((uid_t)uid);
		if (user == NULL)
			return -ENOENT;
	}
	*ret = (struct priv_user){.name = strdup(user->pw_name), .uid = user->pw_uid, .gid = user->pw_gid};
	return ret->name != NULL ? 0 : -ENOMEM;
}

int priv_begin(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return -errno;
	return confine_no_io_uring();
}

/* The groups first, while that is allowed. */
static int become(const struct priv_user *user)
{
	if (initgroups(user->name, user->gid) != 0 ||
	    setresgid(user->gid, user->gid, user->gid) != 0 ||
	    setresuid(user->uid, user->uid, user->uid) != 0)
		return -errno;
	return 0;
}

int priv_confine(const struct priv_user *user, bool others)
{
	uint64_t kept = ROOTS | (others ? OTHERS : 0);
	int err;

	if (user->name != NULL && user->uid != geteuid()) {
		err = become(user);
		if (err != 0) {
			pr_err("cannot become user %s: %s", user->name, strerror(-err));
			return err;
		}
		kept = 0;
	}
	err = confine_capabilities(kept);
	if (err != 0) {
		pr_err("capabilities: %s", strerror(-err));
		return err;
	}
	err = priv_filter_calls();
	if (err != 0)
		pr_err("seccomp: %s", strerror(-err));
	return err;
}
