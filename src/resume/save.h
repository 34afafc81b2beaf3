/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Objects to records: what changed in a request goes to the ledger with its answer. Twin of
 * the write_inode of a file system with a disk.
 */
#ifndef RESUME_SAVE_H
#define RESUME_SAVE_H

#include "fs/fs.h"

/*
 * From here on @sb's inodes and open files are written down; those that are there now are all
 * written with the next transaction if @all, for there is nothing of them yet.
 * Without a ledger it does nothing.
 */
void save_begin(struct super_block *sb, bool all);
/* Nothing is written down any more. */
void save_end(struct super_block *sb);

/* The number of @inode's record; the root's is 0. */
uint32_t inode_record(const struct inode *inode);

/* What a text of an inode's, a socket's or a file's consists of: items one behind the other. */
enum item_type {
	ITEM_NAME = 1, /* parent's record (4 bytes), offset (8), the name */
	ITEM_LINK,     /* a symlink's target */
	ITEM_XATTR,    /* the name with its NUL, the value */
	ITEM_OPTION,   /* level, name (4 bytes each), value (8) */
	ITEM_PROTO,    /* whatever the row says */
	ITEM_DIAL,     /* of a dial nobody waits for: uid, gid, pid (4 bytes each), struct sockfs_addr */
	ITEM_BOUND,    /* the local address of a socket that dials */
	ITEM_HOST,     /* the name that was dialled */
	ITEM_UPPER,    /* set for a protocol upon this one: its word (UPPER_WORD), and as ITEM_PROTO */
	ITEM_LINE,     /* who reads it (8 bytes), a process (4), and what is left of it */
};

#define UPPER_WORD 8 /* bytes; the last is a NUL */

struct item {
	uint32_t type;
	uint32_t len; /* of the bytes that follow, which are padded to 8 */
};

#endif /* RESUME_SAVE_H */
