/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who asks: what a request says of its caller, and the groups that it does not say.
 */
#include "config.h"

#include "policy/ask.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLANKS " \t\n"

/* The numbers of a line; what is not one ends it. 0 or -ENOMEM. */
static int parse_groups(char *text, struct policy_ask *ask)
{
	char *save = NULL;

	for (char *word = strtok_r(text, BLANKS, &save); word != NULL;
	     word = strtok_r(NULL, BLANKS, &save)) {
		gid_t *more = reallocarray(ask->groups, ask->nr_groups + 1, sizeof(*more));

		if (more == NULL)
			return -ENOMEM;
		ask->groups = more;
		more[ask->nr_groups++] = (gid_t)strtoul(word, NULL, 10);
	}
	return 0;
}

/*
 * proc(5): the line "Groups:" of /proc/PID/status. A caller in a process namespace that
 * the daemon does not see has the number 0, and no groups beside its own.
 */
int ask_read_groups(struct policy_ask *ask)
{
	static const char key[] = "Groups:";
	char path[32], *line = NULL;
	size_t size = 0;
	int err = 0;
	FILE *f;

	if (ask->cred.pid <= 0)
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/status", (int)ask->cred.pid);
	f = fopen(path, "re");
	if (f == NULL)
		return errno == ENOMEM ? -ENOMEM : 0;
	while (getline(&line, &size, f) >= 0)
		if (strncmp(line, key, strlen(key)) == 0) {
			err = parse_groups(line + strlen(key), ask);
			break;
		}
	free(line);
	fclose(f);
	return err;
}

int ask_set_name(struct policy_ask *ask, const char *host)
{
	if (host == NULL || *host == '\0')
		return 0;
	ask->name = strdup(host);
	return ask->name != NULL ? 0 : -ENOMEM;
}

void policy_ask_fini(struct policy_ask *ask)
{
	free(ask->name);
	free(ask->groups);
	ask->name = NULL;
	ask->groups = NULL;
	ask->nr_groups = 0;
}
