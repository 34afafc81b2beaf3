/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Being the caller for the time of a few system calls.
 *
 * The C library's setresuid() changes all threads of a process. The kernel's system
 * call changes the one that makes it, and that is what is wanted: c-ares, libuv and the
 * sanitizers may have threads of their own. With its user the thread loses root's
 * capabilities, and it gets them again with root.
 */
#include "config.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/util.h"
#include "net/unix/unix.h"

#define SAME ((unsigned int)-1)

/*
 * The groups of the process @pid, if it is @uid's: a process that has ended by now has left
 * its number to nobody, or to somebody else. At most @max; their number.
 */
static int groups_of(pid_t pid, uid_t uid, gid_t *groups, int max)
{
	char path[32], line[4096];
	bool is_theirs = false;
	int n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = pid > 0 ? fopen(path, "re") : NULL;
	if (f == NULL)
		return 0;
	while (fgets(line, sizeof(line), f) != NULL) {
		unsigned int fsuid;
		char *at, *end;

		if (sscanf(line, "Uid: %*u %*u %*u %u", &fsuid) == 1)
			is_theirs = fsuid == uid;
		if (strncmp(line, "Groups:", 7) != 0)
			continue;
		for (at = line + 7; n < max; at = end) {
			unsigned long gid = strtoul(at, &end, 10);

			if (end == at)
				break;
			groups[n++] = (gid_t)gid;
		}
	}
	fclose(f);
	return is_theirs ? n : 0;
}

int unix_caller_begin(const struct cred *cred, struct unix_caller *ret_was)
{
	struct unix_caller was = {.uid = geteuid(), .gid = getegid()};
	gid_t groups[64];
	int n;

	if (cred->uid == was.uid) {
		ret_was->changed = false;
		return 0;
	}
	was.nr_groups = getgroups((int)ARRAY_SIZE(was.groups), was.groups);
	n = groups_of(cred->pid, cred->uid, groups, (int)ARRAY_SIZE(groups));
	if (was.nr_groups < 0 || syscall(SYS_setgroups, n, groups) != 0)
		return -EACCES;
	was.changed = true;
	*ret_was = was;
	if (syscall(SYS_setresgid, SAME, cred->gid, SAME) != 0 ||
	    syscall(SYS_setresuid, SAME, cred->uid, SAME) != 0) {
		unix_caller_end(&was);
		return -EACCES;
	}
	return 0;
}

void unix_caller_end(const struct unix_caller *was)
{
	if (!was->changed)
		return;
	if (syscall(SYS_setresuid, SAME, was->uid, SAME) == 0 &&
	    syscall(SYS_setresgid, SAME, was->gid, SAME) == 0 &&
	    syscall(SYS_setgroups, was->nr_groups, was->groups) == 0)
		return;
	/* The saved user is root still, so this does not happen; half of either is worse than none. */
	pr_err("cannot be user %u again: %s", was->uid, strerror(errno));
	abort();
}
