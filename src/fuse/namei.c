/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Operations on names: found, made, linked, moved, removed.
 */
#include "config.h"

#include "fuse/fuse_i.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "fs/dcache.h"

/* Bytes to a name; the kernel has done this before, a fuzzer has not. */
static int name_check(const char *name, struct qstr *ret_name)
{
	size_t len = strlen(name);

	if (len == 0)
		return -ENOENT;
	if (len > NAME_MAX_BYTES)
		return -ENAMETOOLONG;
	if (strchr(name, '/') != NULL || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return -EINVAL;
	*ret_name = (struct qstr){.name = name, .len = len};
	return 0;
}

/* A directory and a name in it; false: the request has been answered. */
static bool req_name(fuse_req_t req, fuse_ino_t parent, const char *name, struct inode **ret_dir,
		     struct qstr *ret_name)
{
	struct inode *dir = req_dir(req, parent);
	int err;

	if (dir == NULL)
		return false;
	err = name_check(name, ret_name);
	if (err != 0) {
		reply_err(req, err);
		return false;
	}
	*ret_dir = dir;
	return true;
}

/* What is fixed is there without a name, too: below what dials nothing has one. */
static bool is_removed(const struct inode *inode)
{
	return inode->i_nlink == 0 && !(inode->i_state & I_FIXED);
}

/* The same for a new name: nothing can be made in a directory that is removed. */
static bool req_new_name(fuse_req_t req, fuse_ino_t parent, const char *name,
			 struct inode **ret_dir, struct qstr *ret_name)
{
	if (!req_name(req, parent, name, ret_dir, ret_name))
		return false;
	if (is_removed(*ret_dir)) {
		reply_err(req, -ENOENT);
		return false;
	}
	return true;
}

static void reply_entry_or(fuse_req_t req, int err, struct inode *inode)
{
	if (err != 0)
		reply_err(req, err);
	else
		reply_entry(req, inode);
}

/*
 * A file handle (open_by_handle_at(2)) whose inode the kernel has forgotten: "." is the
 * inode of that number itself, ".." the directory above it. Only the real tree
 * outlives being forgotten.
 */
static void lookup_handle(fuse_req_t req, fuse_ino_t ino, bool above)
{
	struct inode *inode = req_inode(req, ino);
	const struct dentry *dentry;

	if (inode == NULL)
		return;
	dentry = d_find_alias(inode);
	if (above && dentry != NULL)
		reply_entry(req, dentry->d_parent);
	else if (is_removed(inode) || (above && inode->i_nodeid != FUSE_ROOT_ID))
		reply_err(req, -ESTALE);
	else
		reply_entry(req, inode);
}

void ll_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct inode *dir, *inode = NULL;
	struct qstr q;
	int err = -ENOTDIR;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
		lookup_handle(req, parent, name[1] != '\0');
		return;
	}
	if (!req_name(req, parent, name, &dir, &q))
		return;
	dir->i_sb->s_cred = req_cred(req);
	if (dir->i_op->lookup != NULL)
		err = dir->i_op->lookup(dir, &q, &inode);
	reply_entry_or(req, err, inode);
}

static int do_create(fuse_req_t req, struct inode *dir, const struct qstr *name, mode_t mode,
		     struct inode **ret_inode)
{
	struct cred cred = req_cred(req);

	/* As in /proc: whoever writes to a name that nothing stands for has mistyped it. */
	if (dir->i_op->create == NULL)
		return -ENOENT;
	return dir->i_op->create(dir, name, mode & 07777, &cred, ret_inode);
}

void ll_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev)
{
	struct inode *dir, *inode = NULL;
	struct qstr q;
	int err;

	(void)rdev;
	if (!req_new_name(req, parent, name, &dir, &q))
		return;
	/* In this file system a file is a TCP socket; the kernel never asks us about others. */
	if (S_ISREG(mode))
		err = do_create(req, dir, &q, mode, &inode);
	else
		err = S_ISSOCK(mode) ? -EOPNOTSUPP : -EPERM;
	reply_entry_or(req, err, inode);
}

void ll_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
	       struct fuse_file_info *fi)
{
	struct inode *dir, *inode = NULL;
	struct qstr q;
	int err;

	if (!req_new_name(req, parent, name, &dir, &q))
		return;
	err = do_create(req, dir, &q, mode, &inode);
	/*
	 * The kernel looked, found nothing, and meanwhile an accept made that
	 * name. It takes a created file as the caller's own, unchecked: let it
	 * look again instead.
	 */
	if (err == -EEXIST && !(fi->flags & O_EXCL))
		err = -ESTALE;
	if (err != 0)
		reply_err(req, err);
	else
		open_inode(req, inode, (unsigned int)fi->flags, true);
}

void ll_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	struct inode *dir, *inode = NULL;
	struct cred cred = req_cred(req);
	struct qstr q;
	int err = -EPERM;

	if (!req_new_name(req, parent, name, &dir, &q))
		return;
	if (dir->i_op->mkdir != NULL)
		err = dir->i_op->mkdir(dir, &q, mode & 07777, &cred, &inode);
	reply_entry_or(req, err, inode);
}

void ll_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name)
{
	struct inode *dir, *inode = NULL;
	struct cred cred = req_cred(req);
	struct qstr q;
	int err = -EPERM;

	if (!req_new_name(req, parent, name, &dir, &q))
		return;
	if (target[0] == '\0')
		err = -ENOENT;
	else if (strlen(target) >= PATH_MAX)
		err = -ENAMETOOLONG;
	else if (dir->i_op->symlink != NULL)
		err = dir->i_op->symlink(dir, &q, target, &cred, &inode);
	reply_entry_or(req, err, inode);
}

void ll_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name)
{
	struct inode *inode = req_inode(req, ino);
	struct inode *dir;
	struct qstr q;
	int err = -EPERM;

	if (inode == NULL || !req_new_name(req, parent, name, &dir, &q))
		return;
	/* Its last name is gone; it cannot come back. */
	if (is_removed(inode))
		err = -ENOENT;
	else if (!S_ISDIR(inode->i_mode) && dir->i_op->link != NULL)
		err = dir->i_op->link(inode, dir, &q);
	reply_entry_or(req, err, inode);
}

void ll_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct inode *dir;
	struct qstr q;

	if (!req_name(req, parent, name, &dir, &q))
		return;
	reply_err(req, dir->i_op->unlink != NULL ? dir->i_op->unlink(dir, &q) : -EPERM);
}

void ll_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct inode *dir;
	struct qstr q;

	if (!req_name(req, parent, name, &dir, &q))
		return;
	reply_err(req, dir->i_op->rmdir != NULL ? dir->i_op->rmdir(dir, &q) : -EPERM);
}

void ll_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t newparent,
	       const char *newname, unsigned int flags)
{
	struct inode *dir, *newdir;
	struct qstr q, newq;
	int err = -EPERM;

	if (!req_name(req, parent, name, &dir, &q) ||
	    !req_new_name(req, newparent, newname, &newdir, &newq))
		return;
	if (flags & ~(unsigned int)(RENAME_NOREPLACE | RENAME_EXCHANGE) ||
	    flags == (RENAME_NOREPLACE | RENAME_EXCHANGE))
		err = -EINVAL;
	else if (dir->i_op->rename != NULL)
		err = dir->i_op->rename(dir, &q, newdir, &newq, flags);
	reply_err(req, err);
}

void ll_readlink(fuse_req_t req, fuse_ino_t ino)
{
	struct inode *inode = req_inode(req, ino);
	const char *link;

	if (inode == NULL)
		return;
	if (inode->i_op->get_link == NULL) {
		reply_err(req, -EINVAL);
		return;
	}
	touch_atime(inode);
	link = inode->i_op->get_link(inode);
	reply_buf(req, link, strlen(link));
}
