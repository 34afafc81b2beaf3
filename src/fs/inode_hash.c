/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inodes by their st_ino. Twin of the inode_hashtable of fs/inode.c.
 *
 * Numbers are given out one after the other, so the low bits spread them evenly; a
 * mirror of an inode (ctl/) has the same low bits, and so the same chain.
 * As the kernel's, the table has one size for ever: with as many sockets as a
 * process can have descriptors (2^20) a chain has 4 of them. Pages of it that nobody
 * has used yet take no memory.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "fs/internal.h"
#include "mm/slab.h"

#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
#define HASH_BITS 8 /* libFuzzer makes a mount for each input: 2 MiB were most of what that costs */
#else
#define HASH_BITS 18
#endif

static struct inode **chain_of(const struct super_block *sb, uint64_t ino)
{
	return &sb->s_inode_hash[ino & ((1u << HASH_BITS) - 1)];
}

int inode_hash_init(struct super_block *sb)
{
	sb->s_inode_hash = should_failslab() ? NULL : calloc(1u << HASH_BITS, sizeof(struct inode *));
	return sb->s_inode_hash == NULL ? -ENOMEM : 0;
}

void inode_hash_fini(struct super_block *sb)
{
	free(sb->s_inode_hash);
}

void insert_inode_hash(struct inode *inode)
{
	struct inode **chain = chain_of(inode->i_sb, inode->i_ino);

	inode->i_hash = *chain;
	*chain = inode;
}

void remove_inode_hash(struct inode *inode)
{
	struct inode **p = chain_of(inode->i_sb, inode->i_ino);

	while (*p != inode)
		p = &(*p)->i_hash;
	*p = inode->i_hash;
}

struct inode *find_inode_by_ino(const struct super_block *sb, uint64_t ino)
{
	struct inode *inode = *chain_of(sb, ino);

	while (inode != NULL && inode->i_ino != ino)
		inode = inode->i_hash;
	return inode;
}
