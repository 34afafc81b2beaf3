/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Objects made again with the numbers that they had in another process. The kernel goes on
 * using those, so they are given and not drawn; everything else is as when they were new.
 */
#include "config.h"

#include <errno.h>

#include "fs/internal.h"

struct inode *inode_resume(struct super_block *sb, bool plain, uint64_t nodeid, uint64_t ino)
{
	struct inode *inode = inode_init_always(sb, plain);
	int err;

	if (inode == NULL)
		return NULL;
	err = idtable_insert_at(&sb->s_inodes, nodeid, inode);
	if (err != 0) {
		inode_free(inode);
		errno = -err;
		return NULL;
	}
	inode->i_nodeid = nodeid;
	inode->i_ino = ino;
	return inode;
}

int inode_renumber(struct inode *inode, uint64_t nodeid)
{
	struct idtable *t = &inode->i_sb->s_inodes;
	int err = idtable_insert_at(t, nodeid, inode);

	if (err == 0)
		inode->i_nodeid = nodeid;
	return err;
}

int d_resume(struct inode *dir, const struct qstr *name, uint64_t off, struct inode *inode)
{
	struct plain_inode *pi = PLAIN_I(dir);
	const struct dentry *next = d_next_child(dir, off - 1);
	struct dentry *dentry;

	if (d_lookup(dir->i_sb, dir, name) != NULL || (next != NULL && next->d_off == off))
		return -EEXIST;
	dentry = d_alloc(dir, name, inode);
	if (dentry == NULL)
		return -ENOMEM;
	dentry->d_off = off;
	d_enter(dentry);
	offset_insert(&pi->children, dentry);
	if (pi->last_off < off)
		pi->last_off = off;
	return 0;
}

struct file *file_resume(struct inode *inode, uint64_t id, unsigned int flags)
{
	struct file *file = file_alloc(inode, flags);
	int err;

	if (file == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	err = idtable_insert_at(&inode->i_sb->s_files, id, file);
	if (err != 0) {
		file_free(file);
		errno = -err;
		return NULL;
	}
	file->f_id = id;
	inode_get_open(inode);
	return file;
}

void inode_resumed(struct inode *inode)
{
	inode_get_work(inode);
	inode_put_work(inode);
}
