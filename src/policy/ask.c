/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who asks: what a request says of its caller.
 */
#include "config.h"

#include "policy/ask.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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
