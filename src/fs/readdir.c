/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading a directory. Twin of fs/libfs.c: offset_dir_open, offset_readdir.
 *
 * Positions: 0 stands before ".", 1 before "..", POS_NAMES + d_off behind the
 * name with that d_off. New names get larger ones and stand at the end, so a
 * reader never meets a name twice. Where the end is was fixed at opendir(3) and
 * moves with rewinddir(3) only.
 *
 * The reader keeps nothing but its position: the next name is searched for each
 * time, since the kernel asks again from where its caller's buffer was full, and
 * seekdir(3) from anywhere.
 */
#include "config.h"

#include <errno.h>

#include "fs/internal.h"

#define POS_NAMES 2

/* More than a reader's buffer holds: only one that passes over names sees so many. */
#define NAMES_A_TURN 2048

static int dir_open(struct inode *inode, struct file *file, struct kiocb *iocb)
{
	(void)iocb;
	file->f_dir_end = PLAIN_I(inode)->last_off;
	return 0;
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

static bool emit_name(struct dir_context *ctx, const struct dentry *dentry)
{
	const struct qstr name = {.name = dentry_name(dentry), .len = dentry->d_len};
	struct inode *inode = dentry->d_inode;

	if (!ctx->actor(ctx, &name, dentry->d_off + POS_NAMES, inode, inode->i_ino, inode->i_mode))
		return false;
	ctx->pos = dentry->d_off + POS_NAMES;
	return true;
}

static int dir_iterate(struct file *file, struct dir_context *ctx)
{
	struct inode *dir = file->f_inode;

	file_accessed(file);
	if (ctx->pos == 0) {
		file->f_dir_end = PLAIN_I(dir)->last_off;
		mark_file_dirty(file);
		if (!emit_dot(ctx, ".", dir))
			return 0;
	}
	if (ctx->pos == 1 && !emit_dot(ctx, "..", parent_of(dir)))
		return 0;
	for (int i = 0; i < NAMES_A_TURN; i++) {
		const struct dentry *dentry = d_next_child(dir, ctx->pos - POS_NAMES);

		if (dentry == NULL || dentry->d_off > file->f_dir_end || !emit_name(ctx, dentry))
			return 0;
	}
	return -EAGAIN;
}

const struct file_operations simple_dir_operations = {
	.open = dir_open,
	.iterate = dir_iterate,
};
