/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What ordinary directories do with names: found, made, linked, removed, moved.
 *
 * Twin of fs/libfs.c and mm/shmem.c, whose answers these are. The kernel has
 * checked most of it before it asks (fs/namei.c: may_create, may_delete,
 * vfs_rename); it is checked again because what asks may not be that kernel.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/dcache.h"
#include "mm/slab.h"

int simple_lookup(struct inode *dir, const struct qstr *name, struct inode **ret_inode)
{
	const struct dentry *dentry = d_lookup(dir->i_sb, dir, name);

	if (dentry == NULL)
		return -ENOENT;
	*ret_inode = dentry->d_inode;
	return 0;
}

int simple_mkdir(struct inode *dir, const struct qstr *name, mode_t mode, const struct cred *cred,
		 struct inode **ret_inode)
{
	struct inode *inode;

	if (d_lookup(dir->i_sb, dir, name) != NULL)
		return -EEXIST;
	inode = new_inode_plain(dir->i_sb, 0, 0, 0);
	if (inode == NULL)
		return -errno;
	inode_init_owner(inode, dir, S_IFDIR | (mode & 07777), cred);
	inode->i_op = dir->i_op;
	inode->i_fop = &simple_dir_operations;
	if (d_add(dir, name, inode) == NULL) {
		inode_drop_nlink(inode);
		return -ENOMEM;
	}
	inode->i_nlink = 2; /* its name and its "." */
	dir->i_nlink++;	    /* its ".." */
	*ret_inode = inode;
	return 0;
}

int simple_symlink(struct inode *dir, const struct qstr *name, const char *target,
		   const struct cred *cred, struct inode **ret_inode)
{
	struct inode *inode;
	int err;

	if (d_lookup(dir->i_sb, dir, name) != NULL)
		return -EEXIST;
	inode = new_inode_plain(dir->i_sb, 0, 0, 0);
	if (inode == NULL)
		return -errno;
	inode_init_owner(inode, dir, S_IFLNK | 0777, cred);
	inode->i_op = &simple_symlink_inode_operations;
	err = plain_set_link(inode, target);
	if (err == 0 && d_add(dir, name, inode) == NULL)
		err = -ENOMEM;
	if (err != 0) {
		inode_drop_nlink(inode);
		return err;
	}
	*ret_inode = inode;
	return 0;
}

const char *simple_get_link(const struct inode *inode)
{
	return PLAIN_I(inode)->link;
}

int simple_link(struct inode *inode, struct inode *dir, const struct qstr *name)
{
	/* Not of those that have a place of their own: control files, tables. */
	if (S_ISDIR(inode->i_mode) || inode->i_op->link == NULL)
		return -EPERM;
	if (d_lookup(dir->i_sb, dir, name) != NULL)
		return -EEXIST;
	if (d_add(dir, name, inode) == NULL)
		return -ENOMEM;
	inode->i_nlink++;
	inode_touch(inode, ATTR_CTIME);
	return 0;
}

/* ---------------------------------------------------------------------- removing */

/* @inode has lost a name in @dir; a directory loses its name and its "." together. */
static void lost_name(struct inode *inode, struct inode *dir)
{
	inode_touch(inode, ATTR_CTIME);
	if (S_ISDIR(inode->i_mode)) {
		dir->i_nlink--;
		inode->i_nlink--;
	}
	inode_drop_nlink(inode);
}

static void drop_name(struct dentry *dentry)
{
	struct inode *inode = dentry->d_inode;
	struct inode *dir = dentry->d_parent;

	d_delete(dentry);
	lost_name(inode, dir);
}

int simple_unlink(struct inode *dir, const struct qstr *name)
{
	struct dentry *dentry = d_lookup(dir->i_sb, dir, name);

	if (dentry == NULL)
		return -ENOENT;
	if (S_ISDIR(dentry->d_inode->i_mode))
		return -EISDIR;
	if (dentry->d_inode->i_state & I_FIXED)
		return -EPERM;
	drop_name(dentry);
	return 0;
}

static bool dir_is_empty(const struct inode *dir)
{
	return PLAIN_I(dir)->nr_children == 0;
}

int simple_rmdir(struct inode *dir, const struct qstr *name)
{
	struct dentry *dentry = d_lookup(dir->i_sb, dir, name);

	if (dentry == NULL)
		return -ENOENT;
	if (!S_ISDIR(dentry->d_inode->i_mode))
		return -ENOTDIR;
	if (dentry->d_inode->i_state & I_FIXED)
		return -EPERM;
	if (!dir_is_empty(dentry->d_inode))
		return -ENOTEMPTY;
	drop_name(dentry);
	return 0;
}

/* ---------------------------------------------------------------------- renaming */

/* Is @inode the directory @dir or one above it? */
static bool is_ancestor(const struct inode *inode, const struct inode *dir)
{
	const struct dentry *dentry;

	while (inode != dir) {
		dentry = d_find_alias(dir);
		if (dentry == NULL)
			return false;
		dir = dentry->d_parent;
	}
	return true;
}

/* May what @dentry names be moved into @newdir? */
static int may_move(const struct dentry *dentry, const struct inode *newdir)
{
	if (dentry->d_inode->i_state & I_FIXED)
		return -EPERM;
	if (S_ISDIR(dentry->d_inode->i_mode) && is_ancestor(dentry->d_inode, newdir))
		return -EINVAL;
	return 0;
}

/* May what @target names be replaced by @inode? */
static int may_replace(const struct dentry *target, const struct inode *inode)
{
	if (target->d_inode->i_state & I_FIXED)
		return -EPERM;
	if (S_ISDIR(inode->i_mode) && !S_ISDIR(target->d_inode->i_mode))
		return -ENOTDIR;
	if (!S_ISDIR(inode->i_mode) && S_ISDIR(target->d_inode->i_mode))
		return -EISDIR;
	if (S_ISDIR(inode->i_mode) && !dir_is_empty(target->d_inode))
		return -ENOTEMPTY;
	return 0;
}

/* ".." of a directory that moves is another one's from now on. */
static void move_dotdot(const struct inode *inode, struct inode *from, struct inode *to)
{
	if (!S_ISDIR(inode->i_mode))
		return;
	from->i_nlink--;
	to->i_nlink++;
}

/* Put @dentry among the names of @inode, before the younger name @next; NULL: it is the youngest. */
static void alias_insert(struct inode *inode, struct dentry *dentry, struct dentry *next)
{
	dentry->d_inode = inode;
	__mark_inode_dirty(inode, I_DIRTY_TEXT);
	if (next != NULL)
		TAILQ_INSERT_BEFORE(next, dentry, d_alias);
	else
		TAILQ_INSERT_TAIL(&inode->i_dentry, dentry, d_alias);
}

/* Each name gets the other's inode and age. fs/libfs.c: simple_rename_exchange. */
static int rename_exchange(struct dentry *a, struct dentry *b)
{
	struct inode *of_a = a->d_inode, *of_b = b->d_inode;
	struct dentry *next_a = TAILQ_NEXT(a, d_alias), *next_b = TAILQ_NEXT(b, d_alias);
	int err = may_move(b, a->d_parent);

	if (err != 0)
		return err;
	move_dotdot(a->d_inode, a->d_parent, b->d_parent);
	move_dotdot(b->d_inode, b->d_parent, a->d_parent);
	TAILQ_REMOVE(&of_a->i_dentry, a, d_alias);
	TAILQ_REMOVE(&of_b->i_dentry, b, d_alias);
	alias_insert(of_a, b, next_a);
	alias_insert(of_b, a, next_b);
	inode_touch(a->d_inode, ATTR_CTIME);
	inode_touch(b->d_inode, ATTR_CTIME);
	inode_touch(a->d_parent, ATTR_MTIME | ATTR_CTIME);
	inode_touch(b->d_parent, ATTR_MTIME | ATTR_CTIME);
	return 0;
}

/* What both kinds of renames do in the end. @from goes. */
static void rename_from(struct dentry *from, struct dentry *to)
{
	struct inode *inode = from->d_inode;
	struct inode *dir = from->d_parent;

	/* As old as the one that goes. */
	alias_insert(inode, to, from);
	d_delete(from);
	move_dotdot(inode, dir, to->d_parent);
	inode_touch(inode, ATTR_CTIME);
}

/* To a new name, which is made before the old one goes, as memory may be short. */
static int rename_to(struct dentry *from, struct inode *newdir, const struct qstr *newname)
{
	struct inode *inode = from->d_inode;
	struct dentry *to = d_add(newdir, newname, inode);

	if (to == NULL)
		return -ENOMEM;
	TAILQ_REMOVE(&inode->i_dentry, to, d_alias);
	rename_from(from, to);
	return 0;
}

/*
 * To a name that is there. It stays where it stands in its directory, so that
 * who is reading that meets it once. fs/libfs.c: simple_offset_rename.
 */
static void rename_over(struct dentry *from, struct dentry *to)
{
	struct inode *old = to->d_inode;

	TAILQ_REMOVE(&old->i_dentry, to, d_alias);
	__mark_inode_dirty(old, I_DIRTY_TEXT);
	rename_from(from, to);
	inode_touch(to->d_parent, ATTR_MTIME | ATTR_CTIME);
	lost_name(old, to->d_parent);
}

int simple_rename(struct inode *dir, const struct qstr *name, struct inode *newdir,
		  const struct qstr *newname, unsigned int flags)
{
	struct dentry *from = d_lookup(dir->i_sb, dir, name);
	struct dentry *target = d_lookup(newdir->i_sb, newdir, newname);
	int err;

	/* Another kind of directory: .ctl, .proc, tcp. */
	if (newdir->i_op->rename != dir->i_op->rename)
		return -EPERM;
	if (from == NULL)
		return -ENOENT;
	err = may_move(from, newdir);
	if (err != 0)
		return err;
	if (flags & RENAME_EXCHANGE && target == NULL)
		return -ENOENT;
	if (flags & RENAME_NOREPLACE && target != NULL)
		return -EEXIST;
	if (target != NULL && target->d_inode == from->d_inode)
		return 0;
	if (flags & RENAME_EXCHANGE)
		return rename_exchange(from, target);
	if (target == NULL)
		return rename_to(from, newdir, newname);
	err = may_replace(target, from->d_inode);
	if (err == 0)
		rename_over(from, target);
	return err;
}

const struct inode_operations simple_symlink_inode_operations = {
	.link = simple_link,
	.get_link = simple_get_link,
};
