/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading directories, plainly and with attributes (READDIRPLUS).
 */
#include "config.h"

#include "fuse/fuse_i.h"

#include <errno.h>
#include <string.h>

#include "lib/util.h"

void ll_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct inode *inode = req_dir(req, ino);

	if (inode != NULL)
		open_inode(req, inode, (unsigned int)fi->flags, false);
}

/*
 * The answer to one request. The kernel takes what it gets and asks again, so a
 * caller's larger buffer is filled by several requests, each of them short.
 */
#define READDIR_MAX (32u << 10)

struct readdir {
	struct dir_context ctx;
	fuse_req_t req;
	char *buf;
	size_t size, used;
};

BUILD_BUG_ON(sizeof(struct readdir) > IOCB_INLINE);

static bool readdir_actor(struct dir_context *ctx, const struct qstr *name, uint64_t next,
			  struct inode *inode, uint64_t ino, mode_t mode)
{
	struct readdir *rd = container_of(ctx, struct readdir, ctx);
	struct stat st = {.st_ino = ino, .st_mode = mode};
	size_t room = rd->size - rd->used;
	size_t n;

	(void)inode;
	n = fuse_add_direntry(rd->req, rd->buf + rd->used, room, name->name, &st, (off_t)next);
	if (n > room)
		return false;
	rd->used += n;
	return true;
}

static bool is_dot(const struct qstr *name)
{
	return name->name[0] == '.' && (name->len == 1 || (name->len == 2 && name->name[1] == '.'));
}

/*
 * The kernel counts a lookup for each entry with a nodeid, but for "." and
 * "..". An entry without an object is sent without a nodeid.
 */
static bool readdirplus_actor(struct dir_context *ctx, const struct qstr *name, uint64_t next,
			      struct inode *inode, uint64_t ino, mode_t mode)
{
	struct readdir *rd = container_of(ctx, struct readdir, ctx);
	struct fuse_entry_param e;
	size_t room = rd->size - rd->used;
	size_t n;

	if (is_dot(name))
		inode = NULL;
	if (inode != NULL)
		fill_entry(inode, &e);
	else
		memset(&e, 0, sizeof(e));
	e.attr.st_ino = ino;
	e.attr.st_mode = inode != NULL ? inode->i_mode : mode;
	n = fuse_add_direntry_plus(rd->req, rd->buf + rd->used, room, name->name, &e, (off_t)next);
	if (n > room)
		return false;
	rd->used += n;
	if (inode != NULL)
		inode_get_lookup(inode);
	return true;
}

static void readdir_finish(struct fuse_iocb *io, ssize_t ret)
{
	if (ret < 0)
		reply_err(io->req, ret);
	else
		reply_buf(io->req, io->session->scratch, (size_t)ret);
}

static void readdirplus_finish(struct fuse_iocb *io, ssize_t ret)
{
	struct sockfs_session *s = io->session;

	if (ret < 0)
		reply_err(io->req, ret);
	else
		answer(io->req, 0, s->scratch, (size_t)ret, GIFT_LIST, 0);
}

/*
 * As much as one turn allows: the bytes of the answer, 0 at the end, -EAGAIN if
 * nothing was found yet, or an errno. What has been read counts; an error behind
 * it comes with the next request.
 */
static ssize_t readdir_piece(struct fuse_iocb *io)
{
	struct readdir *rd = (struct readdir *)io->arg;
	struct file *file = io->kiocb.ki_filp;
	int err;

	io->session->sb->s_cred = io->kiocb.ki_cred;
	err = file->f_op->iterate(file, &rd->ctx);
	return rd->used > 0 ? (ssize_t)rd->used : err;
}

static void readdir_cancel(struct kiocb *iocb, int err)
{
	struct fuse_iocb *io = container_of(iocb, struct fuse_iocb, kiocb);

	cancel_work(io->session->sb, &iocb->ki_work);
	iocb->ki_complete(iocb, err);
}

/* Until there is an answer; between the turns the request is parked. */
static ssize_t readdir_run(struct fuse_iocb *io)
{
	ssize_t ret;

	do {
		ret = readdir_piece(io);
		if (ret == -EAGAIN && schedule_work(io->session->sb, &io->kiocb.ki_work))
			return -EIOCBQUEUED;
	} while (ret == -EAGAIN);
	return ret;
}

static void readdir_work(struct work_struct *work)
{
	struct kiocb *iocb = container_of(work, struct kiocb, ki_work);
	uint32_t before = journal_work_on(iocb->ki_slot);
	ssize_t ret = readdir_run(container_of(iocb, struct fuse_iocb, kiocb));

	if (ret != -EIOCBQUEUED)
		iocb->ki_complete(iocb, ret);
	(void)journal_work_on(before);
}

static void do_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		       struct fuse_file_info *fi, bool plus)
{
	struct file *file = req_file(req, ino, fi, true);
	struct fuse_iocb *io;
	ssize_t ret = -ENOTDIR;

	if (file == NULL)
		return;
	io = iocb_new(req, file->f_inode, file, 0, plus ? readdirplus_finish : readdir_finish);
	if (io == NULL)
		return;
	*(struct readdir *)io->arg = (struct readdir){
		.ctx = {.actor = plus ? readdirplus_actor : readdir_actor, .pos = (uint64_t)off},
		.req = req,
		.buf = io->session->scratch,
		.size = min(size, (size_t)READDIR_MAX),
	};
	io->kiocb.ki_call = "readdir";
	io->kiocb.ki_work.func = readdir_work;
	io->kiocb.ki_cancel = readdir_cancel;
	if (off < 0)
		ret = -EINVAL;
	else if (file->f_op->iterate != NULL)
		ret = readdir_run(io);
	iocb_started(io, ret);
}

void ll_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	do_readdir(req, ino, size, off, fi, false);
}

void ll_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		    struct fuse_file_info *fi)
{
	do_readdir(req, ino, size, off, fi, true);
}
