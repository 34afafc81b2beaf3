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
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/task_groups.h"
#include "lib/util.h"
#include "net/unix/unix.h"

#define SAME ((unsigned int)-1)

int unix_caller_begin(const struct cred *cred, struct unix_caller *ret_was)
{
	struct unix_caller was = {.uid = geteuid(), .gid = getegid()};
	gid_t *groups;
	size_t n;
	int err;

	if (cred->uid == was.uid) {
		ret_was->changed = false;
		return 0;
	}
	was.nr_groups = getgroups((int)ARRAY_SIZE(was.groups), was.groups);
	if (was.nr_groups < 0)
		return -EACCES;
	err = task_groups(cred->pid, cred->uid, &groups, &n);
	if (err != 0)
		return err;
	if (syscall(SYS_setgroups, n, groups) != 0)
		err = -EACCES;
	free(groups);
	if (err != 0)
		return err;
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
