/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading a directory. Twin of fs/libfs.c: dcache_dir_open, dcache_readdir.
 *
 * Positions: 0 stands before ".", 1 before "..", POS_NAMES + d_off behind the
 * name with that d_off. New names get larger ones and stand at the end, so a
 * reader never meets a name twice. Where the last call stopped, a cursor
 * stands among the names; only after lseek(2) is its place searched.
 */
#include "config.h"

#include <errno.h>

#include "fs/fs_i.h"

#define POS_NAMES 2

static int dir_open(struct inode *inode, struct file *file, struct kiocb *iocb)
{
	(void)iocb;
	file->private_data = d_alloc_cursor(inode);
	return file->private_data != NULL ? 0 : -ENOMEM;
}

static void dir_release(struct inode *inode, struct file *file)
{
	(void)inode;
	d_free_cursor(file->private_data);
}

static struct inode *parent_of(struct inode *dir)
{
	const struct dentry *dentry = d_find_alias(dir);

	return dentry != NULL ? dentry->d_parent : dir;
}

static bool emit_dot(struct dir_context *ctx, const char *name, struct inode *inode)
{
	const struct qstr q = {.name = name, .len = (size_t)ctx->pos + 1};

	if (!ctx->actor(ctx, &q, ctx->pos + 1, inode, inode->i_ino, inode->i_mode))
		return false;
	ctx->pos++;
	return true;
}

/* The first name behind position @off. */
static struct dentry *dir_seek(struct plain_inode *pi, const struct dentry *cursor, uint64_t off)
{
	struct dentry *dentry = cursor->d_off == off ? TAILQ_NEXT(cursor, d_child)
						     : TAILQ_FIRST(&pi->children);

	while (dentry != NULL && (dentry->d_flags & DCACHE_CURSOR || dentry->d_off <= off))
		dentry = TAILQ_NEXT(dentry, d_child);
	return dentry;
}

/* Put the cursor where the next call goes on: before @dentry, NULL: at the end. */
static void dir_park(struct plain_inode *pi, struct dentry *cursor, struct dentry *dentry,
		     uint64_t off)
{
	TAILQ_REMOVE(&pi->children, cursor, d_child);
	if (dentry != NULL)
		TAILQ_INSERT_BEFORE(dentry, cursor, d_child);
	else
		TAILQ_INSERT_TAIL(&pi->children, cursor, d_child);
	cursor->d_off = off;
}

static int dir_iterate(struct file *file, struct dir_context *ctx)
{
	struct inode *dir = file->f_inode;
	struct plain_inode *pi = PLAIN_I(dir);
	struct dentry *cursor = file->private_data;
	struct dentry *dentry;

	file_accessed(file);
	if (ctx->pos == 0 && !emit_dot(ctx, ".", dir))
		return 0;
	if (ctx->pos == 1 && !emit_dot(ctx, "..", parent_of(dir)))
		return 0;
	dentry = dir_seek(pi, cursor, ctx->pos - POS_NAMES);
	for (; dentry != NULL; dentry = TAILQ_NEXT(dentry, d_child)) {
		const struct qstr name = {.name = dentry_name(dentry), .len = dentry->d_len};
		struct inode *inode = dentry->d_inode;

		if (dentry->d_flags & DCACHE_CURSOR)
			continue;
		if (!ctx->actor(ctx, &name, dentry->d_off + POS_NAMES, inode, inode->i_ino,
				inode->i_mode))
			break;
		ctx->pos = dentry->d_off + POS_NAMES;
	}
	dir_park(pi, cursor, dentry, ctx->pos - POS_NAMES);
	return 0;
}

const struct file_operations simple_dir_operations = {
	.open = dir_open,
	.release = dir_release,
	.iterate = dir_iterate,
};
