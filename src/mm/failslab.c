/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A countdown of allocations to one that fails, for tests. Twin of mm/failslab.c.
 */
#include "config.h"

#include "mm/slab_def.h"

static long countdown; /* allocations until the one that fails, 0: off */

bool failslab_armed(void)
{
	return countdown != 0;
}

void failslab_arm(long n)
{
	countdown = n > 0 ? n : 0;
}

bool should_failslab(void)
{
	if (likely(countdown == 0))
		return false;
	return --countdown == 0;
}
