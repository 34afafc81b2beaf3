/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests that may have to wait.
 *
 * Happy path: iocb_new, the operation is called, iocb_started gets its result
 * and finish answers. If the operation wants to wait (-EIOCBQUEUED) the iocb is
 * parked: the operation owns the kiocb until it calls ki_complete, and only
 * then finish answers.
 *
 * Failure modes: the caller is signalled (INTERRUPT), its file is released
 * under it (the kernel does not, a broken one may), the session stops. Each
 * calls ki_cancel, which completes the kiocb: there is one way out.
 *
 * libfuse calls an interrupt function at once when the INTERRUPT was there
 * first, and would then touch the request that the answer has freed. So a
 * request that is interrupted already is cancelled here, without it.
 */
#include "config.h"

#include "fuse/fuse_i.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdlib.h>
#include <string.h>

#include "fs/user.h"
#include "lib/log.h"
#include "mm/slab.h"
#include "mm/vmstat.h"

static void iocb_complete(struct kiocb *kiocb, ssize_t ret);

struct fuse_iocb *iocb_new(fuse_req_t req, struct inode *inode, struct file *file,
			   unsigned int flags, void (*finish)(struct fuse_iocb *io, ssize_t ret))
{
	struct sockfs_session *s = req_session(req);
	struct fuse_iocb *io = kmem_cache_alloc(s->iocb_cache);

	if (io == NULL) {
		reply_err(req, -ENOMEM);
		return NULL;
	}
	memset(io, 0, offsetof(struct fuse_iocb, arg));
	io->kiocb.ki_filp = file;
	io->kiocb.ki_flags = flags & O_NONBLOCK ? IOCB_NOWAIT : 0;
	io->kiocb.ki_cred = req_cred(req);
	io->kiocb.ki_complete = iocb_complete;
	io->req = req;
	io->unique = ((const struct fuse_in_header *)s->buf)->unique;
	io->session = s;
	io->inode = inode;
	io->finish = finish;
	io->kiocb.ki_slot = s->slot;
	if (s->slot != 0)
		io->kiocb.ki_flags |= IOCB_AGAIN;
	if (journal_is_on())
		io->kiocb.ki_kept = s->slot != 0 ? slot_done(s->slot) : &ledger->message_done;
	return io;
}

void *iocb_mem(struct fuse_iocb *io, size_t size)
{
	if (size <= sizeof(io->arg))
		return io->arg;
	io->mem = should_failslab() ? NULL : malloc(size);
	if (io->mem != NULL)
		io->mem_kind = IOCB_MEM_HEAP;
	return io->mem;
}

/* As iocb_mem, for data of a write that waits. NULL: no memory, or too much is kept already. */
static void *iocb_data_mem(struct fuse_iocb *io, size_t size)
{
	size_t cost = size > IOCB_COPY_MAX ? SESSION_BUF_SIZE : size;
	char *mem;

	if (size <= sizeof(io->arg))
		return io->arg;
	if (!vm_fits(VM_PARKED, cost) || user_park(io->kiocb.ki_cred.uid, cost) != 0)
		return NULL;
	if (size > IOCB_COPY_MAX) {
		mem = session_take_buf(io->session);
		io->mem = mem;
		io->mem_kind = mem != NULL ? IOCB_MEM_RECEIVE : IOCB_MEM_NONE;
	} else {
		mem = iocb_mem(io, size);
	}
	if (mem == NULL) {
		user_unpark(io->kiocb.ki_cred.uid, cost);
		return NULL;
	}
	io->data_cost = cost;
	vm_account(VM_PARKED, cost);
	return mem;
}

void iocb_free(struct fuse_iocb *io)
{
	if (io->data_cost > 0) {
		vm_unaccount(VM_PARKED, io->data_cost);
		user_unpark(io->kiocb.ki_cred.uid, io->data_cost);
	}
	/* One that lies in the ledger goes with its place there. */
	if (io->mem_kind == IOCB_MEM_RECEIVE && io->kiocb.ki_slot == 0)
		session_put_buf(io->session, io->mem);
	else if (io->mem_kind == IOCB_MEM_HEAP)
		free(io->mem);
	kmem_cache_free(io->session->iocb_cache, io);
}

static void iocb_finish(struct fuse_iocb *io, ssize_t ret)
{
	struct sockfs_session *s = io->session;
	struct fuse_iocb *before = s->answering;

	s->answering = io;
	io->finish(io, ret);
	s->answering = before;
	iocb_free(io);
}

static void iocb_complete(struct kiocb *kiocb, ssize_t ret)
{
	struct fuse_iocb *io = container_of(kiocb, struct fuse_iocb, kiocb);
	struct sockfs_session *s = io->session;
	struct inode *inode = io->inode;
	uint32_t before = journal_work_on(kiocb->ki_slot);

	(void)idtable_remove(&s->sb->s_waiting, kiocb->ki_id);
	kiocb->ki_filp->f_busy--;
	session_work_begin(s);
	iocb_finish(io, ret);
	inode_put_work(inode);
	session_work_end(s);
	(void)journal_work_on(before);
}

static void on_interrupt(fuse_req_t req, void *data)
{
	struct fuse_iocb *io = data;

	(void)req;
	io->kiocb.ki_cancel(&io->kiocb, -EINTR);
}

/*
 * What was not sent lies in the receive buffer, which the next request overwrites.
 * When there is no room for all of it a stream keeps the beginning: a short write,
 * after which the caller comes with the rest again. Commands are not cut.
 */
static int iocb_keep_data(struct fuse_iocb *io)
{
	struct iov_iter *iter = &io->kiocb.ki_iter;
	void *mem = iocb_data_mem(io, iter->count);

	if (mem == NULL && !(io->kiocb.ki_filp->f_mode & FMODE_STREAM))
		return -ENOBUFS;
	if (mem == NULL) {
		iter->count = sizeof(io->arg);
		mem = io->arg;
	}
	/* A receive buffer was taken whole; the data stays where it is in it. */
	if (io->mem_kind == IOCB_MEM_RECEIVE)
		return 0;
	memcpy(mem, iter->buf, iter->count);
	iter->buf = mem;
	return 0;
}

static void iocb_park(struct fuse_iocb *io)
{
	struct kiocb *kiocb = &io->kiocb;
	int err = idtable_alloc(&io->session->sb->s_waiting, kiocb, &kiocb->ki_id);
	struct timespec now;

	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	kiocb->ki_since = now.tv_sec;
	inode_get_work(io->inode);
	kiocb->ki_filp->f_busy++;
	if (err == 0 && io->has_data)
		err = iocb_keep_data(io);
	if (err == 0)
		err = slot_take(io);

	if (err != 0)
		kiocb->ki_cancel(kiocb, err);
	else if (fuse_req_interrupted(io->req))
		kiocb->ki_cancel(kiocb, -EINTR);
	else
		fuse_req_interrupt_func(io->req, on_interrupt, io);
}

void iocb_started(struct fuse_iocb *io, ssize_t ret)
{
	if (ret != -EIOCBQUEUED)
		iocb_finish(io, ret);
	else
		iocb_park(io);
}

void iocb_cancel(struct sockfs_session *s, const struct file *file, int err)
{
	struct idtable *waiting = &s->sb->s_waiting;
	struct kiocb *iocb;
	uint64_t pos = 0;

	/* A completion may end others too; the table can be walked all the same. */
	while ((iocb = idtable_next(waiting, &pos)) != NULL) {
		uint64_t id = iocb->ki_id;

		if (file != NULL && iocb->ki_filp != file)
			continue;
		iocb->ki_cancel(iocb, err);
		if (idtable_find(waiting, id) != NULL)
			pr_err("BUG: a cancelled request did not end");
	}
}
