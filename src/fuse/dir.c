/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading directories, plainly and with attributes (READDIRPLUS).
 */
#include "config.h"

#include "fuse/fuse_i.h"

#include <errno.h>
#include <string.h>

void ll_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct inode *inode = req_dir(req, ino);

	if (inode != NULL)
		open_inode(req, inode, (unsigned int)fi->flags, false);
}

struct readdir {
	struct dir_context ctx;
	fuse_req_t req;
	char *buf;
	size_t size, used;
};

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

static void do_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		       struct fuse_file_info *fi, filldir_t *actor, bool plus)
{
	struct sockfs_session *s = req_session(req);
	struct file *file = req_file(req, ino, fi, true);
	struct readdir rd = {
		.ctx = {.actor = actor, .pos = (uint64_t)off},
		.req = req,
		.buf = s->scratch,
		.size = size < SESSION_MAX_IO ? size : SESSION_MAX_IO,
	};
	int err = -ENOTDIR;

	if (file == NULL)
		return;
	if (off < 0)
		err = -EINVAL;
	else if (file->f_op->iterate != NULL)
		err = file->f_op->iterate(file, &rd.ctx);
	/* What has been read counts; the error comes with the next call. */
	if (err != 0 && rd.used == 0) {
		reply_err(req, err);
		return;
	}
	if (fuse_reply_buf(req, rd.buf, rd.used) != 0 && plus)
		forget_direntplus(s->sb, rd.buf, rd.used);
}

void ll_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	do_readdir(req, ino, size, off, fi, readdir_actor, false);
}

void ll_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		    struct fuse_file_info *fi)
{
	do_readdir(req, ino, size, off, fi, readdirplus_actor, true);
}
