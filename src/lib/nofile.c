/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RLIMIT_NOFILE, in two steps.
 */
#include "config.h"

#include "lib/nofile.h"

#include <sys/resource.h>

#include "lib/util.h"

/* Few are open at a time: an epoll, a file of /proc, a pidfd. */
#define RESERVE 8

static struct rlimit users; /* while the reserve is in use: the limit that is to hold again */

void nofile_init(void)
{
	struct rlimit lim;

	if (getrlimit(RLIMIT_NOFILE, &lim) != 0)
		return;
	/* Where there are few at all, users need most of them. */
	lim.rlim_cur = lim.rlim_max - min((rlim_t)RESERVE, lim.rlim_max / 4);
	(void)setrlimit(RLIMIT_NOFILE, &lim);
}

void nofile_reserve_begin(void)
{
	struct rlimit all;

	if (getrlimit(RLIMIT_NOFILE, &users) != 0)
		return;
	all = users;
	all.rlim_cur = all.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &all);
}

void nofile_reserve_end(void)
{
	(void)setrlimit(RLIMIT_NOFILE, &users);
}
