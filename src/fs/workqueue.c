/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Work that is done in pieces, one in each turn of the loop. Twin of
 * kernel/workqueue.c.
 */
#include "config.h"

#include "fs/fs.h"

bool schedule_work(struct super_block *sb, struct work_struct *work)
{
	if (sb->s_begin_work == NULL)
		return false;
	TAILQ_INSERT_TAIL(&sb->s_work, work, entry);
	sb->s_begin_work(sb);
	return true;
}

void cancel_work(struct super_block *sb, struct work_struct *work)
{
	TAILQ_REMOVE(&sb->s_work, work, entry);
}

bool run_work(struct super_block *sb)
{
	struct work_struct *work = TAILQ_FIRST(&sb->s_work);

	if (work == NULL)
		return false;
	TAILQ_REMOVE(&sb->s_work, work, entry);
	work->func(work);
	return !TAILQ_EMPTY(&sb->s_work);
}

#define WORK_NS 500000u

uint64_t work_begin(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

bool work_is_over(uint64_t begin)
{
	return work_begin() - begin > WORK_NS;
}
