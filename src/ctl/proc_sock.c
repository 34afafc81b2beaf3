/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * .proc/sock: the control file of each socket by its inode number, as .proc/tcp
 * tells it. So also a socket without a name, one that was dialled or removed, can
 * be looked at and aborted without being opened.
 *
 * It is the same file as below .ctl, with the owner and the mode of its socket: who
 * may not open that may not open this.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctl/ctl.h"
#include "ctl/faces.h"
#include "ctl/proc.h"
#include "fs/dcache.h"

/* Positions: 0 stands before ".", 1 before "..", then those of the table of inodes. */
#define POS_SOCKETS 2

/* A directory's inodes are in that table too, and are passed over. */
#define INODES_A_TURN 2048

/* A number as we print it: none is there under two names. */
static bool parse_ino(const struct qstr *name, uint64_t *ret_ino)
{
	uint64_t ino = 0;

	if (name->len > 19 || name->name[0] == '0')
		return false;
	for (size_t i = 0; i < name->len; i++) {
		if (name->name[i] < '0' || name->name[i] > '9')
			return false;
		ino = 10 * ino + (uint64_t)(name->name[i] - '0');
	}
	*ret_ino = ino;
	return true;
}

static int sock_lookup(struct inode *dir, const struct qstr *name, struct inode **ret_inode)
{
	struct inode *inode = NULL;
	uint64_t ino;

	if (parse_ino(name, &ino))
		inode = find_inode_by_ino(dir->i_sb, ino);
	/* The control files themselves are found by their numbers, too. */
	if (inode == NULL || inode->i_state & I_PLAIN)
		return -ENOENT;
	return ctl_mirror(inode, ret_inode);
}

static bool emit_dot(struct dir_context *ctx, const char *name, uint64_t ino)
{
	const struct qstr q = {.name = name, .len = strlen(name)};

	if (!ctx->actor(ctx, &q, ctx->pos + 1, NULL, ino, S_IFDIR))
		return false;
	ctx->pos++;
	return true;
}

static bool emit_socket(struct dir_context *ctx, const struct inode *inode, uint64_t next)
{
	char text[24];
	struct qstr q = {.name = text};

	q.len = (size_t)snprintf(text, sizeof(text), "%llu", (unsigned long long)inode->i_ino);
	return ctx->actor(ctx, &q, next, NULL, ctl_ino(inode->i_ino), S_IFREG);
}

/* As the tables have it: each his own, and root and the daemon's user all. */
static bool may_list(const struct cred *cred, const struct inode *inode)
{
	return cred_sees_all(cred) || cred->uid == inode->i_uid;
}

static int sock_iterate(struct file *file, struct dir_context *ctx)
{
	struct inode *dir = file->f_inode;
	struct super_block *sb = dir->i_sb;

	if (ctx->pos == 0 && !emit_dot(ctx, ".", dir->i_ino))
		return 0;
	if (ctx->pos == 1 && !emit_dot(ctx, "..", d_find_alias(dir)->d_parent->i_ino))
		return 0;
	for (int i = 0; i < INODES_A_TURN; i++) {
		uint64_t pos = ctx->pos - POS_SOCKETS;
		struct inode *inode = idtable_next(&sb->s_inodes, &pos);

		if (inode == NULL)
			return 0;
		if (!(inode->i_state & (I_PLAIN | I_CLEAR)) && may_list(&sb->s_cred, inode) &&
		    !emit_socket(ctx, inode, pos + POS_SOCKETS))
			return 0;
		ctx->pos = pos + POS_SOCKETS;
	}
	return -EAGAIN;
}

const struct inode_operations proc_sock_iops = {
	.lookup = sock_lookup,
};

const struct file_operations proc_sock_fops = {
	.iterate = sock_iterate,
};
