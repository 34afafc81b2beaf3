/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Large reads stand back behind small requests.
 *
 * The kernel hands requests out in the order of their coming, and a large read
 * takes as long as dozens of small ones. So of several requests that are there
 * at the same time a large read waits here, parked, until the device has no
 * more; a lone one is served at once. The talker beside many bulk readers then
 * waits for the one that is being served, not for all of them.
 *
 * Small requests that never end must not keep it here: once PASSED_MAX of them
 * have gone by, the large read that has waited longest is served before the next.
 */
#include "config.h"

#include "fuse/fuse_i.h"

#include <errno.h>

/* Small requests that may go by between two large reads. */
#define PASSED_MAX 16

static void bulk_remove(struct sockfs_session *s, struct kiocb *iocb)
{
	TAILQ_REMOVE(&s->bulk, iocb, ki_wait);
	s->nr_bulk--;
	s->passed = 0;
}

static void bulk_cancel(struct kiocb *iocb, int err)
{
	struct fuse_iocb *io = container_of(iocb, struct fuse_iocb, kiocb);

	bulk_remove(io->session, iocb);
	iocb->ki_complete(iocb, err);
}

ssize_t bulk_read(struct fuse_iocb *io)
{
	struct kiocb *iocb = &io->kiocb;
	struct sockfs_session *s = io->session;

	if (!s->crowded || iocb->ki_iter.count < SESSION_SPLICE_MIN ||
	    !(iocb->ki_filp->f_mode & FMODE_STREAM))
		return iocb->ki_filp->f_op->read_iter(iocb, &iocb->ki_iter);
	iocb->ki_cancel = bulk_cancel;
	TAILQ_INSERT_TAIL(&s->bulk, iocb, ki_wait);
	s->nr_bulk++;
	return -EIOCBQUEUED;
}

void bulk_passed(struct sockfs_session *s, size_t nr_bulk)
{
	if (s->nr_bulk > 0 && s->nr_bulk <= nr_bulk)
		s->passed++;
}

bool bulk_is_due(const struct sockfs_session *s)
{
	return s->nr_bulk > 0 && s->passed >= PASSED_MAX;
}

bool bulk_next(struct sockfs_session *s)
{
	struct kiocb *iocb = TAILQ_FIRST(&s->bulk);
	uint32_t before;
	ssize_t ret;

	if (iocb == NULL)
		return false;
	before = journal_work_on(iocb->ki_slot);
	bulk_remove(s, iocb);
	ret = iocb->ki_filp->f_op->read_iter(iocb, &iocb->ki_iter);
	/* Parked anew it belongs to the socket. */
	if (ret != -EIOCBQUEUED)
		iocb->ki_complete(iocb, ret);
	(void)journal_work_on(before);
	return true;
}
