/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inodes: made, counted, let go.
 *
 * Twin of fs/inode.c. An inode has two ends. When no name, no open file and no
 * work holds it, it is evicted: what it stands for goes (a socket closes). Its
 * memory goes when the kernel does not know its number any more either, so
 * that a number which is still in use there never means something else here.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fs/internal.h"
#include "fs/user.h"
#include "fs/xattr.h"
#include "lib/log.h"
#include "mm/slab.h"
#include "mm/vmstat.h"

static struct kmem_cache *inode_cachep;

void inode_init_once(struct inode *inode)
{
	memset(inode, 0, sizeof(*inode));
	TAILQ_INIT(&inode->i_dentry);
}

/* As fs/inode.c: init_once. */
static void plain_init_once(void *foo)
{
	struct plain_inode *pi = foo;

	inode_init_once(&pi->vfs_inode);
	pi->children = NULL;
}

int inode_cache_init(void)
{
	inode_cachep = kmem_cache_create("inode_cache", sizeof(struct plain_inode), 0,
					 SLAB_HWCACHE_ALIGN, plain_init_once);
	return inode_cachep == NULL ? -ENOMEM : 0;
}

int inode_cache_exit(void)
{
	return kmem_cache_destroy(inode_cachep);
}

/* -------------------------------------------------------------------- making */

static struct inode *inode_alloc(struct super_block *sb, bool plain)
{
	struct plain_inode *pi;

	if (!plain)
		return sb->s_op->alloc_inode(sb);
	pi = kmem_cache_alloc(inode_cachep);
	if (pi == NULL)
		return NULL;
	/* The constructor has made the tree; it is empty again when an inode is freed. */
	pi->last_off = 0;
	pi->nr_children = 0;
	pi->link = NULL;
	pi->private = NULL;
	pi->number = 0;
	pi->destroy = NULL;
	return &pi->vfs_inode;
}

void inode_free(struct inode *inode)
{
	if (inode->i_state & I_PLAIN)
		kmem_cache_free(inode_cachep, PLAIN_I(inode));
	else
		inode->i_sb->s_op->free_inode(inode);
}

struct inode *inode_init_always(struct super_block *sb, bool plain)
{
	struct inode *inode = inode_alloc(sb, plain);

	if (inode == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	inode->i_sb = sb;
	inode->i_state = plain ? I_PLAIN : 0;
	inode->i_nlink = 0;
	inode->i_opens = 0;
	inode->i_work = 0;
	inode->i_nlookup = 0;
	inode->i_xattrs = NULL;
	inode->i_op = NULL;
	inode->i_fop = NULL;
	return inode;
}

/* One with a number. NULL with errno: ENOMEM, or ENOSPC: the table is full. */
static struct inode *new_inode(struct super_block *sb, bool plain)
{
	struct inode *inode = inode_init_always(sb, plain);
	int err;

	if (inode == NULL)
		return NULL;
	err = idtable_alloc(&sb->s_inodes, inode, &inode->i_nodeid);
	if (err != 0) {
		inode_free(inode);
		errno = -err;
		return NULL;
	}
	inode->i_ino = sb->s_next_ino++;
	inode->i_nlink = 1;
	__mark_inode_dirty(inode, I_DIRTY_TEXT);
	inode_touch(inode, ATTR_ATIME | ATTR_MTIME | ATTR_CTIME);
	return inode;
}

struct inode *new_inode_pseudo(struct super_block *sb)
{
	struct inode *inode;

	if (sb->s_nr_sockets >= sb->s_max_sockets) {
		errno = ENOSPC;
		return NULL;
	}
	inode = new_inode(sb, false);
	if (inode == NULL)
		return NULL;
	inode->i_mode = S_IFREG;
	inode->i_uid = 0;
	inode->i_gid = 0;
	insert_inode_hash(inode);
	sb->s_nr_sockets++;
	return inode;
}

struct inode *new_inode_plain(struct super_block *sb, mode_t mode, uid_t uid, gid_t gid)
{
	struct inode *inode = new_inode(sb, true);

	if (inode == NULL)
		return NULL;
	inode->i_mode = mode;
	inode->i_uid = uid;
	inode->i_gid = gid;
	return inode;
}

void inode_init_owner(struct inode *inode, const struct inode *dir, mode_t mode,
		      const struct cred *cred)
{
	inode->i_uid = cred->uid;
	inode->i_gid = cred->gid;
	if (dir->i_mode & S_ISGID) {
		inode->i_gid = dir->i_gid;
		if (S_ISDIR(mode))
			mode |= S_ISGID;
	}
	inode->i_mode = mode;
}

/* ------------------------------------------------------------------ the counts */

int plain_set_link(struct inode *inode, const char *target)
{
	PLAIN_I(inode)->link = vm_strdup(target);
	if (PLAIN_I(inode)->link == NULL)
		return -errno;
	__mark_inode_dirty(inode, I_DIRTY_TEXT);
	return 0;
}

static void free_plain(struct inode *inode)
{
	struct plain_inode *pi = PLAIN_I(inode);

	if (pi->destroy != NULL)
		pi->destroy(inode);
	vm_strfree(pi->link);
	inode_free(inode);
}

/* fs/inode.c: destroy_inode. */
static void destroy_inode(struct inode *inode)
{
	struct super_block *sb = inode->i_sb;

	if (sb->s_journal != NULL)
		sb->s_journal->forget_inode(inode);
	simple_xattrs_free(inode);
	(void)idtable_remove(&sb->s_inodes, inode->i_nodeid);
	if (inode->i_state & I_PLAIN)
		free_plain(inode);
	else
		sb->s_op->free_inode(inode);
}

/*
 * fs/inode.c: evict. What it ends may come back here, so it is work in flight
 * itself. Plain inodes stand for nothing else: they stay as they are.
 */
static void evict(struct inode *inode)
{
	struct super_block *sb = inode->i_sb;

	inode->i_state |= I_CLEAR;
	__mark_inode_dirty(inode, I_DIRTY_SOCK);
	remove_inode_hash(inode);
	inode->i_work++;
	sb->s_op->evict_inode(inode);
	inode->i_work--;
	inode_uncharge(inode);
	sb->s_nr_sockets--;
}

/* One claim less: is it the end? fs/inode.c: iput_final. */
static void inode_put(struct inode *inode)
{
	if (inode->i_nlink > 0 || inode->i_opens > 0 || inode->i_work > 0)
		return;
	if (!(inode->i_state & (I_CLEAR | I_PLAIN)))
		evict(inode);
	if (inode->i_nlookup == 0)
		destroy_inode(inode);
}

void inode_put_work(struct inode *inode)
{
	inode->i_work--;
	inode_put(inode);
}

void inode_forget(struct inode *inode, uint64_t nlookup)
{
	inode->i_nlookup -= min(nlookup, inode->i_nlookup);
	mark_inode_dirty(inode);
	inode_put(inode);
}

void inode_put_open(struct inode *inode)
{
	inode->i_opens--;
	inode_put(inode);
}

void inode_drop_nlink(struct inode *inode)
{
	inode->i_nlink--;
	inode_put(inode);
}

void inode_forget_all(struct inode *inode)
{
	if (inode->i_opens > 0 || inode->i_work > 0)
		pr_err("BUG: inode %llu is still in use at unmount: %u opens, %u at work",
		       (unsigned long long)inode->i_ino, inode->i_opens, inode->i_work);
	inode->i_nlink = 0;
	inode->i_nlookup = 0;
	inode_put(inode);
}

struct inode *ilookup(struct super_block *sb, uint64_t nodeid)
{
	/* The root's number is the protocol's, and none that the table gives. */
	if (nodeid == sb->s_root->i_nodeid)
		return sb->s_root;
	return idtable_find(&sb->s_inodes, nodeid);
}
