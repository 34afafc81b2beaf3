/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * proc(5), /proc/PID/status: the fourth number of "Uid:" is the user for files, which a
 * FUSE request names; "Groups:" comes behind it.
 */
#include "config.h"

#include "lib/task_groups.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/nofile.h"

#define UID_KEY "Uid:"
#define GROUPS_KEY "Groups:"

struct group_list {
	gid_t *groups;
	size_t nr;
};

static bool is_of(const char *line, uid_t uid)
{
	unsigned int fsuid;

	return sscanf(line, UID_KEY " %*u %*u %*u %u", &fsuid) == 1 && fsuid == uid;
}

/* The numbers of a line; what is not one ends it. 0 or -ENOMEM. */
static int parse_groups(const char *text, struct group_list *ret)
{
	char *end;

	for (unsigned long gid = strtoul(text, &end, 10); end != text;
	     text = end, gid = strtoul(text, &end, 10)) {
		gid_t *more = reallocarray(ret->groups, ret->nr + 1, sizeof(*more));

		if (more == NULL)
			return -ENOMEM;
		ret->groups = more;
		more[ret->nr++] = (gid_t)gid;
	}
	return 0;
}

static int read_status(FILE *f, uid_t uid, struct group_list *ret)
{
	char *line = NULL;
	size_t size = 0;
	int err = 0;
	bool ours = true;

	while (ours && err == 0 && getline(&line, &size, f) >= 0) {
		if (strncmp(line, UID_KEY, strlen(UID_KEY)) == 0)
			ours = is_of(line, uid);
		else if (strncmp(line, GROUPS_KEY, strlen(GROUPS_KEY)) == 0)
			err = parse_groups(line + strlen(GROUPS_KEY), ret);
	}
	free(line);
	return err;
}

int task_groups(pid_t pid, uid_t uid, gid_t **ret_groups, size_t *ret_nr)
{
	struct group_list list = {.groups = NULL};
	char path[32];
	int err;
	FILE *f;

	*ret_groups = NULL;
	*ret_nr = 0;
	if (pid <= 0)
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	nofile_reserve_begin();
	f = fopen(path, "re");
	nofile_reserve_end();
	/* Gone, or hidden: nobody knows. But a rule for a group must not fail to hold for want of files. */
	if (f == NULL)
		return errno == ENOMEM || errno == EMFILE || errno == ENFILE ? -errno : 0;
	err = read_status(f, uid, &list);
	fclose(f);
	if (err != 0) {
		free(list.groups);
		return err;
	}
	*ret_groups = list.groups;
	*ret_nr = list.nr;
	return 0;
}
