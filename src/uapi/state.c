/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The words for the states of a socket.
 */
#include "config.h"

#include "uapi/state.h"

#include <string.h>

#include "lib/util.h"
#include "sockfs/ioctl.h"

static const char *const names[] = {
	[SOCKFS_UNCONNECTED] = "unconnected",	  [SOCKFS_CONNECTING] = "connecting",
	[SOCKFS_CONNECTED] = "connected",	  [SOCKFS_LISTENING] = "listening",
	[SOCKFS_DISCONNECTING] = "disconnecting", [SOCKFS_CLOSED] = "closed",
};

const char *state_name(unsigned int state)
{
	return state < ARRAY_SIZE(names) && names[state] != NULL ? names[state] : "unknown";
}

unsigned int state_by_name(const char *name)
{
	for (unsigned int i = SOCKFS_UNCONNECTED; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return 0;
}
