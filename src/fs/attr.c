/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Attributes of inodes: what stat(2) shows, what chmod, chown and utimes change, and
 * what time it is. Twin of fs/stat.c, fs/attr.c, and the times in fs/inode.c.
 */
#include "config.h"

#include <string.h>

#include "fs/dcache.h"
#include "fs/user.h"

#define DAY_SECONDS (24 * 60 * 60)
#define SOCKET_SIZE (1 << 20)
#define PLAIN_BLKSIZE 4096

/*
 * GNU cat, cp and the like read and write in pieces of st_blksize, and take a size
 * of one such piece for the guess that it is. Blocks for all of it: else cp(1) looks
 * for holes.
 */
void fill_notional_size(struct stat *ret_st, off_t size)
{
	ret_st->st_size = size;
	ret_st->st_blksize = (blksize_t)size;
	ret_st->st_blocks = size / 512;
}

void generic_fillattr(const struct inode *inode, struct stat *ret_st)
{
	*ret_st = (struct stat){
		.st_ino = inode->i_ino,
		.st_mode = inode->i_mode,
		.st_nlink = inode->i_nlink,
		.st_uid = inode->i_uid,
		.st_gid = inode->i_gid,
		.st_blksize = PLAIN_BLKSIZE,
		.st_atim = {.tv_sec = inode->i_atime_sec, .tv_nsec = inode->i_atime_nsec},
		.st_mtim = {.tv_sec = inode->i_mtime_sec, .tv_nsec = inode->i_mtime_nsec},
		.st_ctim = {.tv_sec = inode->i_ctime_sec, .tv_nsec = inode->i_ctime_nsec},
	};
	if (S_ISREG(inode->i_mode))
		fill_notional_size(ret_st, SOCKET_SIZE);
	if (S_ISLNK(inode->i_mode))
		ret_st->st_size = (off_t)strlen(PLAIN_I(inode)->link);
}

void vfs_getattr(const struct inode *inode, struct stat *ret_st)
{
	generic_fillattr(inode, ret_st);
	if (inode->i_op->getattr != NULL)
		inode->i_op->getattr(inode, ret_st);
}

int simple_setattr(struct inode *inode, const struct iattr *attr)
{
	int err = attr->ia_valid & ATTR_UID ? inode_chown(inode, attr->ia_uid) : 0;

	if (err != 0)
		return err;
	if (attr->ia_valid & ATTR_MODE)
		inode->i_mode = (inode->i_mode & S_IFMT) | (attr->ia_mode & 07777);
	if (attr->ia_valid & ATTR_GID)
		inode->i_gid = attr->ia_gid;
	if (attr->ia_valid & ATTR_ATIME) {
		inode->i_atime_sec = attr->ia_atime.tv_sec;
		inode->i_atime_nsec = (uint32_t)attr->ia_atime.tv_nsec;
	}
	if (attr->ia_valid & ATTR_MTIME) {
		inode->i_mtime_sec = attr->ia_mtime.tv_sec;
		inode->i_mtime_nsec = (uint32_t)attr->ia_mtime.tv_nsec;
	}
	/* The kernel sends a time of its own only when it keeps the times (writeback_cache). */
	inode_touch(inode, ATTR_CTIME);
	return 0;
}

int vfs_setattr(struct inode *inode, const struct iattr *attr)
{
	return inode->i_op->setattr != NULL ? inode->i_op->setattr(inode, attr)
					    : simple_setattr(inode, attr);
}

/* ----------------------------------------------------------------------- times */

void inode_touch(struct inode *inode, unsigned int which)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	mark_inode_dirty(inode);
	if (which & ATTR_ATIME) {
		inode->i_atime_sec = now.tv_sec;
		inode->i_atime_nsec = (uint32_t)now.tv_nsec;
	}
	if (which & ATTR_MTIME) {
		inode->i_mtime_sec = now.tv_sec;
		inode->i_mtime_nsec = (uint32_t)now.tv_nsec;
	}
	if (which & ATTR_CTIME) {
		inode->i_ctime_sec = now.tv_sec;
		inode->i_ctime_nsec = (uint32_t)now.tv_nsec;
	}
}

/* Is the time of the last reading at or before another? */
static bool atime_not_after(const struct inode *inode, int64_t sec, uint32_t nsec)
{
	return inode->i_atime_sec < sec ||
	       (inode->i_atime_sec == sec && inode->i_atime_nsec <= nsec);
}

/* fs/inode.c: relatime_need_update. */
static bool relatime_need_update(const struct inode *inode)
{
	struct timespec now;

	if (atime_not_after(inode, inode->i_mtime_sec, inode->i_mtime_nsec) ||
	    atime_not_after(inode, inode->i_ctime_sec, inode->i_ctime_nsec))
		return true;
	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	return now.tv_sec - inode->i_atime_sec >= DAY_SECONDS;
}

void touch_atime(struct inode *inode)
{
	if (relatime_need_update(inode))
		inode_touch(inode, ATTR_ATIME);
}
