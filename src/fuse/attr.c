/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Attributes of inodes and of the file system.
 */
#include "config.h"

#include "fuse/fuse_i.h"

#include <errno.h>
#include <linux/fuse.h>
#include <string.h>
#include <sys/statvfs.h>

/* The kernel names an open file, by @fi, when it wants to seek from its end. */
void ll_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct inode *inode = req_inode(req, ino);
	struct file *file = NULL;
	struct stat st;

	if (inode == NULL)
		return;
	if (fi != NULL && (file = req_file(req, ino, fi, false)) == NULL)
		return;
	vfs_getattr(inode, &st);
	if (file != NULL && file->f_op->size != NULL)
		st.st_size = file->f_op->size(file);
	if (st.st_size < 0)
		reply_err(req, st.st_size);
	else
		reply_stat(req, &st, inode_timeout(inode));
}

/* A size says nothing about a stream: taken and forgotten, as a device does. */
static int check_size(const struct inode *inode, off_t size)
{
	if (size < 0)
		return -EINVAL;
	if (S_ISDIR(inode->i_mode))
		return -EISDIR;
	return S_ISREG(inode->i_mode) ? 0 : -EINVAL;
}

static bool nsec_ok(const struct timespec *ts)
{
	return ts->tv_nsec >= 0 && ts->tv_nsec < 1000000000;
}

/* Mode, and what is to go from it when somebody else writes or owns the file. */
static void set_mode(const struct inode *inode, const struct stat *st, int valid, struct iattr *ia)
{
	mode_t mode = valid & FUSE_SET_ATTR_MODE ? st->st_mode & 07777 : inode->i_mode & 07777;

	if (valid & FUSE_SET_ATTR_KILL_SUID)
		mode &= ~(mode_t)S_ISUID;
	if (valid & FUSE_SET_ATTR_KILL_SGID && mode & S_IXGRP)
		mode &= ~(mode_t)S_ISGID;
	if (!(valid & FUSE_SET_ATTR_MODE) && mode == (inode->i_mode & 07777))
		return;
	ia->ia_valid |= ATTR_MODE;
	ia->ia_mode = mode;
}

static int set_times(const struct stat *st, int valid, struct iattr *ia)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	ia->ia_atime = valid & FUSE_SET_ATTR_ATIME_NOW ? now : st->st_atim;
	ia->ia_mtime = valid & FUSE_SET_ATTR_MTIME_NOW ? now : st->st_mtim;
	if (valid & (FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_ATIME_NOW))
		ia->ia_valid |= ATTR_ATIME;
	if (valid & (FUSE_SET_ATTR_MTIME | FUSE_SET_ATTR_MTIME_NOW))
		ia->ia_valid |= ATTR_MTIME;
	if (valid & FUSE_SET_ATTR_CTIME)
		ia->ia_valid |= ATTR_CTIME;
	if ((ia->ia_valid & ATTR_ATIME && !nsec_ok(&ia->ia_atime)) ||
	    (ia->ia_valid & ATTR_MTIME && !nsec_ok(&ia->ia_mtime)))
		return -EINVAL;
	return 0;
}

void ll_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *st, int valid,
		struct fuse_file_info *fi)
{
	struct inode *inode = req_inode(req, ino);
	struct iattr ia = {0};
	int err = 0;

	(void)fi;
	if (inode == NULL)
		return;
	if (valid & FUSE_SET_ATTR_SIZE)
		err = check_size(inode, st->st_size);
	if (err == 0)
		err = set_times(st, valid, &ia);
	set_mode(inode, st, valid, &ia);
	/* -1 means "as it is", as chown(2) has it. */
	if (valid & FUSE_SET_ATTR_UID && st->st_uid != (uid_t)-1) {
		ia.ia_valid |= ATTR_UID;
		ia.ia_uid = st->st_uid;
	}
	if (valid & FUSE_SET_ATTR_GID && st->st_gid != (gid_t)-1) {
		ia.ia_valid |= ATTR_GID;
		ia.ia_gid = st->st_gid;
	}
	/* Nothing at all is chown(-1, -1): a change of status as any. */
	if (err == 0 && (ia.ia_valid != 0 || valid == 0))
		err = vfs_setattr(inode, &ia);
	if (err != 0)
		reply_err(req, err);
	else
		reply_attr(req, inode);
}

void ll_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct fuse_statfs_out out = {.st = {0}};
	struct statvfs st;

	(void)ino;
	memset(&st, 0, sizeof(st));
	super_statfs(req_session(req)->sb, req_cred(req).uid, &st);
	out.st = (struct fuse_kstatfs){
		.blocks = st.f_blocks,
		.bfree = st.f_bfree,
		.bavail = st.f_bavail,
		.files = st.f_files,
		.ffree = st.f_ffree,
		.bsize = (uint32_t)st.f_bsize,
		.namelen = (uint32_t)st.f_namemax,
		.frsize = (uint32_t)st.f_frsize,
	};
	reply_buf(req, &out, sizeof(out));
}
