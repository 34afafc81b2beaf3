/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The numbers in a request become objects: whatever they are, nothing else is reached.
 */
#include "config.h"

#include "fuse/fuse_i.h"

#include <errno.h>

struct inode *req_inode(fuse_req_t req, fuse_ino_t ino)
{
	struct inode *inode = ilookup(req_session(req)->sb, ino);

	if (inode == NULL)
		reply_err(req, -ESTALE);
	return inode;
}

struct inode *req_dir(fuse_req_t req, fuse_ino_t ino)
{
	struct inode *inode = req_inode(req, ino);

	if (inode != NULL && !S_ISDIR(inode->i_mode)) {
		reply_err(req, -ENOTDIR);
		return NULL;
	}
	return inode;
}

struct file *req_file(fuse_req_t req, fuse_ino_t ino, const struct fuse_file_info *fi, bool dir)
{
	struct file *file = fget(req_session(req)->sb, fi->fh);

	/* A dialled file has another inode than the one that was opened. */
	if (file == NULL || !(file->f_mode & FMODE_OPENED) || file->f_nodeid != ino ||
	    dir != S_ISDIR(file->f_inode->i_mode)) {
		reply_err(req, -EBADF);
		return NULL;
	}
	return file;
}

struct cred req_cred(fuse_req_t req)
{
	const struct fuse_ctx *ctx = fuse_req_ctx(req);

	return (struct cred){.uid = ctx->uid, .gid = ctx->gid, .pid = ctx->pid};
}
