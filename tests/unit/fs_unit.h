/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small file system for the tests of fs/: its regular files are bare inodes
 * in a cache of their own, and it counts what happens to them.
 */
#ifndef TESTS_UNIT_FS_UNIT_H
#define TESTS_UNIT_FS_UNIT_H

#include <errno.h>
#include <stdio.h>

#include "fs/dcache.h"
#include "mm/slab.h"
#include "mm/vmstat.h"
#include "unit.h"

static const struct cred me = {.uid = 1000, .gid = 100, .pid = 1};

static struct super_block sb;
static struct kmem_cache *bare_cachep;
static unsigned int nr_evicted;
/* What evicting does besides counting; a test's own. */
static void (*on_evict)(struct inode *inode);

static void bare_init_once(void *foo)
{
	inode_init_once(foo);
}

static struct inode *bare_alloc_inode(struct super_block *s)
{
	(void)s;
	return kmem_cache_alloc(bare_cachep);
}

static void bare_free_inode(struct inode *inode)
{
	kmem_cache_free(bare_cachep, inode);
}

static void bare_evict_inode(struct inode *inode)
{
	nr_evicted++;
	if (on_evict != NULL)
		on_evict(inode);
}

static const struct super_operations bare_ops = {
	.alloc_inode = bare_alloc_inode,
	.free_inode = bare_free_inode,
	.evict_inode = bare_evict_inode,
};

static const struct inode_operations bare_file_iops = {.link = simple_link};

static int bare_create(struct inode *dir, const struct qstr *name, mode_t mode,
		       const struct cred *cred, struct inode **ret_inode)
{
	struct inode *inode;

	if (d_lookup(dir->i_sb, dir, name) != NULL)
		return -EEXIST;
	inode = new_inode_pseudo(dir->i_sb);
	if (inode == NULL)
		return -errno;
	inode->i_op = &bare_file_iops;
	inode_init_owner(inode, dir, S_IFREG | mode, cred);
	if (d_add(dir, name, inode) == NULL) {
		inode_drop_nlink(inode);
		return -ENOMEM;
	}
	*ret_inode = inode;
	return 0;
}

static const struct inode_operations bare_dir_iops = {
	.lookup = simple_lookup,
	.create = bare_create,
	.mkdir = simple_mkdir,
	.symlink = simple_symlink,
	.link = simple_link,
	.unlink = simple_unlink,
	.rmdir = simple_rmdir,
	.rename = simple_rename,
};

static inline void fs_up(void)
{
	bare_cachep = kmem_cache_create("bare", sizeof(struct inode), 0, 0, bare_init_once);
	ck_assert_ptr_nonnull(bare_cachep);
	ck_assert_int_eq(super_init(&sb, &bare_ops, &bare_dir_iops, 0755, 0, 0), 0);
}

/* Nothing may be left of anything. */
static inline void fs_down(void)
{
	kmem_fault_after(-1);
	super_fini(&sb);
	ck_assert_int_eq(kmem_cache_destroy(bare_cachep), 0);
	ck_assert_ptr_null(kmem_cache_next(NULL));
	for (enum vm_item i = 0; i < NR_VM_ITEMS; i++) {
		ck_assert_uint_eq(vm_stat(i)->objects, 0);
		ck_assert_uint_eq(vm_stat(i)->bytes, 0);
	}
}

static inline unsigned long in_use(const char *cache)
{
	struct slabinfo si;

	for (struct kmem_cache *s = kmem_cache_next(NULL); s != NULL; s = kmem_cache_next(s)) {
		if (strcmp(kmem_cache_name(s), cache) != 0)
			continue;
		get_slabinfo(s, &si);
		return si.active_objs;
	}
	ck_abort_msg("there is no cache %s", cache);
}

static inline struct qstr q(const char *name)
{
	return (struct qstr){.name = name, .len = strlen(name)};
}

/* The inode of that name, NULL if there is none. */
static inline struct inode *find(const struct inode *dir, const char *name)
{
	const struct qstr n = q(name);
	const struct dentry *dentry = d_lookup(&sb, dir, &n);

	return dentry != NULL ? dentry->d_inode : NULL;
}

/* The same where there must be one. */
static inline struct inode *get(const struct inode *dir, const char *name)
{
	struct inode *inode = find(dir, name);

	if (inode == NULL)
		ck_abort_msg("%s is not there", name);
	return inode;
}

static inline struct inode *make_file(struct inode *dir, const char *name)
{
	const struct qstr n = q(name);
	struct inode *inode = NULL;

	ck_assert_int_eq(bare_create(dir, &n, 0644, &me, &inode), 0);
	return inode;
}

static inline struct inode *make_dir(struct inode *dir, const char *name)
{
	const struct qstr n = q(name);
	struct inode *inode = NULL;

	ck_assert_int_eq(simple_mkdir(dir, &n, 0755, &me, &inode), 0);
	return inode;
}

static inline int link_to(struct inode *inode, struct inode *dir, const char *name)
{
	const struct qstr n = q(name);

	return simple_link(inode, dir, &n);
}

static inline int unlink_name(struct inode *dir, const char *name)
{
	const struct qstr n = q(name);

	return simple_unlink(dir, &n);
}

static inline int rmdir_name(struct inode *dir, const char *name)
{
	const struct qstr n = q(name);

	return simple_rmdir(dir, &n);
}

static inline int rename_name(struct inode *dir, const char *name, struct inode *newdir,
			      const char *newname, unsigned int flags)
{
	const struct qstr from = q(name), to = q(newname);

	return simple_rename(dir, &from, newdir, &to, flags);
}

/* The name by which a listener would call its connections. */
static inline const char *alias(const struct inode *inode)
{
	const struct dentry *dentry = d_find_alias(inode);

	return dentry != NULL ? dentry_name(dentry) : "";
}

#endif
