/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Answers that tell of inodes and open files, in the protocol's structures.
 */
#include "config.h"

#include "fuse/fuse_i.h"

#include <errno.h>
#include <linux/fuse.h>
#include <string.h>

#include "lib/log.h"

/* linux/fuse.h of before 6.0 has not all of them; the kernel has. */
#ifndef FOPEN_STREAM
#define FOPEN_STREAM (1 << 4)
#endif
#ifndef FOPEN_PARALLEL_DIRECT_WRITES
#define FOPEN_PARALLEL_DIRECT_WRITES (1 << 6)
#endif

/* Only we change what is stable, and we say so (s_inval_attr). */
#define STABLE_SECONDS 3600.0

/*
 * What is there without a name (below a directory that dials) is made anew by each lookup, and a
 * directory that becomes another one is lost to who stands in it.
 */
#define NAMELESS_SECONDS 1e9

double inode_timeout(const struct inode *inode)
{
	if (inode->i_state & I_UNSTABLE)
		return 0.0;
	return inode->i_state & I_FIXED && inode->i_nlink == 0 ? NAMELESS_SECONDS : STABLE_SECONDS;
}

void fill_entry(struct inode *inode, struct fuse_entry_param *ret_e)
{
	memset(ret_e, 0, sizeof(*ret_e));
	ret_e->ino = inode->i_nodeid;
	ret_e->attr_timeout = inode_timeout(inode);
	ret_e->entry_timeout = ret_e->attr_timeout;
	vfs_getattr(inode, &ret_e->attr);
}

static void fill_attr(const struct stat *st, struct fuse_attr *ret_attr)
{
	*ret_attr = (struct fuse_attr){
		.ino = st->st_ino,
		.size = (uint64_t)st->st_size,
		.blocks = (uint64_t)st->st_blocks,
		.atime = (uint64_t)st->st_atim.tv_sec,
		.mtime = (uint64_t)st->st_mtim.tv_sec,
		.ctime = (uint64_t)st->st_ctim.tv_sec,
		.atimensec = (uint32_t)st->st_atim.tv_nsec,
		.mtimensec = (uint32_t)st->st_mtim.tv_nsec,
		.ctimensec = (uint32_t)st->st_ctim.tv_nsec,
		.mode = st->st_mode,
		.nlink = (uint32_t)st->st_nlink,
		.uid = st->st_uid,
		.gid = st->st_gid,
		.rdev = (uint32_t)st->st_rdev,
		.blksize = (uint32_t)st->st_blksize,
	};
}

static void fill_entry_out(const struct fuse_entry_param *e, struct fuse_entry_out *ret_out)
{
	*ret_out = (struct fuse_entry_out){
		.nodeid = e->ino,
		.generation = e->generation,
		.entry_valid = (uint64_t)e->entry_timeout,
		.attr_valid = (uint64_t)e->attr_timeout,
	};
	fill_attr(&e->attr, &ret_out->attr);
}

void reply_entry(fuse_req_t req, struct inode *inode)
{
	struct fuse_entry_param e;
	struct fuse_entry_out out;

	fill_entry(inode, &e);
	fill_entry_out(&e, &out);
	inode_get_lookup(inode);
	answer(req, 0, &out, sizeof(out), GIFT_LOOKUP, inode->i_nodeid);
}

void reply_stat(fuse_req_t req, const struct stat *st, double timeout)
{
	struct fuse_attr_out out = {.attr_valid = (uint64_t)timeout};

	fill_attr(st, &out.attr);
	answer(req, 0, &out, sizeof(out), GIFT_NONE, 0);
}

void reply_attr(fuse_req_t req, struct inode *inode)
{
	struct stat st;

	vfs_getattr(inode, &st);
	reply_stat(req, &st, inode_timeout(inode));
}

/*
 * By hand, because libfuse has no field for FOPEN_STREAM. Without it a reader
 * that waits would hold the description's position, and every writer on the
 * same description with it. FOPEN_PARALLEL_DIRECT_WRITES lets writers of one file
 * share its lock (Linux 6.2, for writes below the size).
 */
static void fill_open_out(const struct file *file, struct fuse_open_out *ret_out)
{
	*ret_out = (struct fuse_open_out){.fh = file->f_id};
	if (S_ISDIR(file->f_inode->i_mode))
		return;
	ret_out->open_flags = FOPEN_DIRECT_IO;
	if (file->f_mode & FMODE_STREAM)
		ret_out->open_flags |=
			FOPEN_STREAM | FOPEN_NONSEEKABLE | FOPEN_PARALLEL_DIRECT_WRITES;
}

void reply_open(fuse_req_t req, struct file *file, struct inode *inode)
{
	struct {
		struct fuse_entry_out entry;
		struct fuse_open_out open;
	} out;
	struct fuse_entry_param e;

	file->f_mode |= FMODE_OPENED;
	mark_file_dirty(file);
	fill_open_out(file, &out.open);
	if (inode == NULL) {
		answer(req, 0, &out.open, sizeof(out.open), GIFT_FILE, file->f_id);
		return;
	}
	fill_entry(inode, &e);
	fill_entry_out(&e, &out.entry);
	inode_get_lookup(inode);
	answer(req, 0, &out, sizeof(out), GIFT_BOTH, file->f_id);
}
