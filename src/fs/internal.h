/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of fs/ share and nobody else needs. Twin of fs/internal.h.
 */
#ifndef FS_INTERNAL_H
#define FS_INTERNAL_H

#include "fs/dcache.h"

/* inode.c: the cache inode_cache. 0 or -ENOMEM; -EBUSY when one is still out (logged). */
int inode_cache_init(void);
int inode_cache_exit(void);
/*
 * fs/inode.c: what every inode of either kind has from the start; without a number, a name or
 * anything to write down. The caller's, by inode_free() until it has a number; NULL with ENOMEM.
 */
struct inode *inode_init_always(struct super_block *sb, bool plain);
void inode_free(struct inode *inode);
/*
 * Unmount: @inode loses its names' and the kernel's claims, and goes unless
 * somebody still works on it. The dentries must be gone.
 */
void inode_forget_all(struct inode *inode);

/* inode_hash.c: the table. 0 or -ENOMEM; nothing may be in it when it goes. */
int inode_hash_init(struct super_block *sb);
void inode_hash_fini(struct super_block *sb);

/* dcache.c: the cache dentry, and the hash of one super block. */
int dcache_init(struct super_block *sb);
int dcache_exit(struct super_block *sb);

/* dcache.c: a dentry of that name in no list, and what d_add does without a touch. */
struct dentry *d_alloc(struct inode *dir, const struct qstr *name, struct inode *inode);
void d_enter(struct dentry *dentry);

/* offset.c: the tree of a directory. @dentry has the largest d_off of all; it is in the tree. */
void offset_add(struct dentry **root, struct dentry *dentry);
void offset_remove(struct dentry **root, struct dentry *dentry);
/* The same as offset_add for a d_off that may lie anywhere; none is there twice. */
void offset_insert(struct dentry **root, struct dentry *dentry);

/* file.c: the cache filp. */
int file_cache_init(void);
int file_cache_exit(void);
/* A zeroed struct file with its inode and flags, and without a number. */
struct file *file_alloc(struct inode *inode, unsigned int flags);
void file_free(struct file *file);

#endif /* FS_INTERNAL_H */
