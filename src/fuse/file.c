/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Open files: open, read, write, fsync, release.
 *
 * O_NONBLOCK is taken from each request, for fcntl(2) may switch it on an open
 * description.
 */
#include "config.h"

#include "fuse/fuse_i.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>

#include "lib/log.h"

/* ----------------------------------------------------------- open and release */

static void open_finish(struct fuse_iocb *io, ssize_t ret)
{
	struct file *file = io->kiocb.ki_filp;

	if (ret == 0) {
		reply_open(io->req, file, NULL);
		return;
	}
	file_discard(file);
	reply_err(io->req, ret);
}

static void create_finish(struct fuse_iocb *io, ssize_t ret)
{
	struct file *file = io->kiocb.ki_filp;

	if (ret == 0) {
		reply_open(io->req, file, io->inode);
		return;
	}
	file_discard(file);
	reply_err(io->req, ret);
}

void open_inode(fuse_req_t req, struct inode *inode, unsigned int flags, bool created)
{
	struct file *file = alloc_file(inode, flags);
	struct fuse_iocb *io;
	ssize_t ret = 0;

	if (file == NULL) {
		reply_err(req, -ENOMEM);
		return;
	}
	file->f_poll.wake = poll_reply;
	io = iocb_new(req, inode, file, flags, created ? create_finish : open_finish);
	if (io == NULL) {
		file_discard(file);
		return;
	}
	io->kiocb.ki_call = "open";
	if (file->f_op != NULL && file->f_op->open != NULL)
		ret = file->f_op->open(inode, file, &io->kiocb);
	iocb_started(io, ret);
}

void ll_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct inode *inode = req_inode(req, ino);

	if (inode == NULL)
		return;
	if (!S_ISREG(inode->i_mode))
		reply_err(req, S_ISDIR(inode->i_mode) ? -EISDIR : -ELOOP);
	else if (inode->i_state & I_CLEAR)
		reply_err(req, -ESTALE);
	else
		open_inode(req, inode, (unsigned int)fi->flags, false);
}

/* RELEASE and RELEASEDIR. */
void ll_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct sockfs_session *s = req_session(req);
	struct file *file = fget(s->sb, fi->fh);

	if (file == NULL || !(file->f_mode & FMODE_OPENED) || file->f_nodeid != ino) {
		reply_err(req, -EBADF);
		return;
	}
	if (file->f_busy > 0)
		iocb_cancel(s, file, -EINTR);
	if (file->f_busy == 0) {
		poll_drop(file);
		file_release(file);
	}
	reply_err(req, 0);
}

/* ------------------------------------------------------------- read and write */

static void read_finish(struct fuse_iocb *io, ssize_t ret)
{
	bool piped = io->kiocb.ki_iter.iter_type == ITER_PIPE;

	if (ret > 0)
		file_accessed(io->kiocb.ki_filp);
	if (ret < 0)
		reply_err(io->req, ret);
	else if (ret > 0 && (piped || journal_has_received(io->unique)))
		answer_received(io, (size_t)ret);
	else
		reply_buf(io->req, io->session->scratch, (size_t)ret);
}

/*
 * A read(2), or does the kernel fill its page cache, for a sendfile(2), a
 * readahead(2), an mmap(2)? Such a read is of a place in a file, and of whole pages:
 * it would eat bytes of a stream, and show one open's text to another. Only a
 * read(2) names an owner of locks. libfuse does not tell.
 */
static bool read_is_direct(const struct sockfs_session *s)
{
	const struct fuse_read_in *in = (const void *)(s->buf + sizeof(struct fuse_in_header));

	return in->read_flags & FUSE_READ_LOCKOWNER;
}

/*
 * All reads share one buffer: a read that parks has put nothing there yet, and
 * one that is tried again is answered before anything else runs.
 */
void ll_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	struct file *file = req_file(req, ino, fi, false);
	struct fuse_iocb *io;
	ssize_t ret = -EINVAL;

	if (file == NULL)
		return;
	if (!file_readable(file) || !read_is_direct(req_session(req))) {
		reply_err(req, file_readable(file) ? -EINVAL : -EBADF);
		return;
	}
	io = iocb_new(req, file->f_inode, file, (unsigned int)fi->flags, read_finish);
	if (io == NULL)
		return;
	io->kiocb.ki_call = "read";
	if (size > SESSION_MAX_IO)
		size = SESSION_MAX_IO;
	if (size >= SESSION_SPLICE_MIN && reply_pipe_usable(&io->session->pipe))
		iov_iter_pipe(&io->kiocb.ki_iter, &io->session->pipe.to, io->session->scratch, size);
	else
		iov_iter_ubuf(&io->kiocb.ki_iter, io->session->scratch, size);
	io->kiocb.ki_iter.unique = io->unique;
	io->kiocb.ki_pos = (uint64_t)off;
	io->kiocb.ki_owner = fi->lock_owner;
	if (off >= 0 && file->f_op->read_iter != NULL)
		ret = bulk_read(io);
	iocb_started(io, ret);
}

/* libfuse does not tell: the writer is one whose writing takes setuid bits away. */
static bool write_kills_suid(const struct sockfs_session *s)
{
	const struct fuse_write_in *in = (const void *)(s->buf + sizeof(struct fuse_in_header));

	return in->write_flags & FUSE_WRITE_KILL_SUIDGID;
}

/* fs/inode.c: file_modified. */
static void file_modified(struct inode *inode, bool kill_suid)
{
	mode_t kill = inode->i_mode & S_IXGRP ? S_ISUID | S_ISGID : S_ISUID;

	inode_touch(inode, ATTR_MTIME | ATTR_CTIME);
	if (!kill_suid || !(inode->i_mode & kill))
		return;
	inode->i_mode &= ~kill;
	/* After a write the kernel asks for the times again, but not for the mode. */
	if (inode->i_sb->s_inval_attr != NULL)
		inode->i_sb->s_inval_attr(inode->i_sb, inode);
}

static void write_finish(struct fuse_iocb *io, ssize_t ret)
{
	const struct fuse_write_out out = {.size = (uint32_t)ret};

	if (ret > 0)
		file_modified(io->inode, io->kill_suid);
	if (ret < 0)
		reply_err(io->req, ret);
	else
		reply_buf(io->req, &out, sizeof(out));
}

/* One who has died may have done a part of it; the number may be broken. */
static void go_on(struct kiocb *iocb)
{
	if (iocb->ki_kept == NULL)
		return;
	iocb->ki_done = (size_t)min(*iocb->ki_kept, (uint64_t)iocb->ki_iter.count);
	iocb->ki_progress = iocb->ki_done;
	iov_iter_advance(&iocb->ki_iter, iocb->ki_done);
}

void ll_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size, off_t off,
	      struct fuse_file_info *fi)
{
	struct sockfs_session *s = req_session(req);
	struct file *file = req_file(req, ino, fi, false);
	struct fuse_iocb *io;
	ssize_t ret = -EINVAL;

	if (file == NULL)
		return;
	if (!file_writable(file) || !session_in_message(s, buf, size)) {
		reply_err(req, file_writable(file) ? -EINVAL : -EBADF);
		return;
	}
	io = iocb_new(req, file->f_inode, file, (unsigned int)fi->flags, write_finish);
	if (io == NULL)
		return;
	iov_iter_ubuf(&io->kiocb.ki_iter, s->buf + (buf - s->buf), size);
	io->kiocb.ki_iter.unique = io->unique;
	go_on(&io->kiocb);
	io->kiocb.ki_call = "write";
	io->has_data = true;
	io->kill_suid = write_kills_suid(s);
	if (fi->flags & O_APPEND)
		io->kiocb.ki_flags |= IOCB_APPEND;
	io->kiocb.ki_pos = (uint64_t)off;
	/* All of it was done by one who has died before he could say so. */
	if (io->kiocb.ki_done > 0 && io->kiocb.ki_iter.count == 0)
		ret = (ssize_t)io->kiocb.ki_done;
	else if (off >= 0 && file->f_op->write_iter != NULL)
		ret = file->f_op->write_iter(&io->kiocb, &io->kiocb.ki_iter);
	iocb_started(io, ret);
}

static void fsync_finish(struct fuse_iocb *io, ssize_t ret)
{
	reply_err(io->req, ret);
}

void ll_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
	struct file *file = req_file(req, ino, fi, false);
	struct fuse_iocb *io;
	ssize_t ret = 0;

	(void)datasync;
	if (file == NULL)
		return;
	io = iocb_new(req, file->f_inode, file, 0, fsync_finish);
	if (io == NULL)
		return;
	io->kiocb.ki_call = "fsync";
	if (file->f_op->fsync != NULL)
		ret = file->f_op->fsync(&io->kiocb);
	iocb_started(io, ret);
}
