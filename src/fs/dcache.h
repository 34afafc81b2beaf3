/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names: dentries, their hash, directories and what can be done with them.
 *
 * Twin of Linux include/linux/dcache.h and fs/libfs.c: the tree is held in
 * memory like ramfs's. A dentry is one name of one inode in one directory.
 */
#ifndef FS_DCACHE_H
#define FS_DCACHE_H

#include "fs/fs.h"
#include "lib/util.h"

/*
 * Names that fit with their NUL lie in the dentry, longer ones in memory of
 * their own. A dentry is two cache lines.
 */
#define DNAME_INLINE_LEN 59

struct dentry {
	struct dentry *d_hash_next;
	struct inode *d_parent; /* the directory */
	struct inode *d_inode;
	struct dentry *d_child[2];   /* in the directory: smaller and larger d_off (offset.c) */
	TAILQ_ENTRY(dentry) d_alias; /* among the names of d_inode, by age */
	uint64_t d_off;		     /* where readdir continues behind it; grows, never reused */
	uint32_t d_hash;
	uint8_t d_len;
	char d_iname[DNAME_INLINE_LEN]; /* or, when d_len is too long, a char * to it */
};

BUILD_BUG_ON(sizeof(struct dentry) > 128);

/*
 * A directory or a symlink around its inode; from inode_cache as all inodes
 * that are no sockets. Twin of the kernel's ramfs inodes.
 */
struct plain_inode {
	struct dentry *children; /* directories: the tree of names by d_off (offset.c) */
	uint64_t last_off;	 /* the last d_off given out */
	size_t nr_children;
	char *link;	    /* symlinks: the target, malloc'ed */
	void *private;	    /* of the room that made it */
	uint64_t number;    /* the same */
	void (*destroy)(struct inode *inode); /* called as the inode goes; frees private */
	struct inode vfs_inode;
};

static inline struct plain_inode *PLAIN_I(const struct inode *inode)
{
	return container_of((struct inode *)inode, struct plain_inode, vfs_inode);
}

/* Make @inode, new, a symlink to @target. 0, -ENOMEM, or -ENOSPC: too much text (mm/vmstat.h). */
int plain_set_link(struct inode *inode, const char *target);

/* The name's bytes, NUL-terminated. */
const char *dentry_name(const struct dentry *dentry);

/* Find a name; NULL if there is none. O(1). fs/dcache.c: d_lookup. */
struct dentry *d_lookup(struct super_block *sb, const struct inode *dir, const struct qstr *name);

/*
 * Give @inode the name @name in @dir: enters it in the hash, the directory and
 * the inode's list, touches the directory's mtime and ctime. Does not change
 * i_nlink. Returns the dentry, NULL when out of memory. The name must not be
 * there yet. fs/dcache.c: d_add.
 */
struct dentry *d_add(struct inode *dir, const struct qstr *name, struct inode *inode);
/* Take a name away again and free the dentry; the mirror of d_add. */
void d_delete(struct dentry *dentry);

/*
 * The first name of @dir behind offset @off, NULL: there is none. O(log n).
 * fs/libfs.c: offset_find_next.
 */
struct dentry *d_next_child(const struct inode *dir, uint64_t off);

/* One of the inode's names, or NULL; the oldest if it has several. */
static inline struct dentry *d_find_alias(const struct inode *inode)
{
	return TAILQ_FIRST(&inode->i_dentry);
}

/*
 * The inode operations of ordinary directories, for every i_op table of the
 * project to pick from. They answer as tmpfs does, errno for errno.
 * fs/libfs.c: simple_lookup, simple_link, ...
 */
int simple_lookup(struct inode *dir, const struct qstr *name, struct inode **ret_inode);
int simple_mkdir(struct inode *dir, const struct qstr *name, mode_t mode, const struct cred *cred,
		 struct inode **ret_inode);
int simple_symlink(struct inode *dir, const struct qstr *name, const char *target,
		   const struct cred *cred, struct inode **ret_inode);
int simple_link(struct inode *inode, struct inode *dir, const struct qstr *name);
int simple_unlink(struct inode *dir, const struct qstr *name);
int simple_rmdir(struct inode *dir, const struct qstr *name);
int simple_rename(struct inode *dir, const struct qstr *name, struct inode *newdir,
		  const struct qstr *newname, unsigned int flags);
const char *simple_get_link(const struct inode *inode);

/*
 * Owner and mode of a new inode in @dir: the group and the setgid bit of a
 * setgid directory are inherited. fs/inode.c: inode_init_owner.
 */
void inode_init_owner(struct inode *inode, const struct inode *dir, mode_t mode,
		      const struct cred *cred);

/*
 * Reading a directory: ".", "..", then the names in the order of their making.
 * Each name that is there from beginning to end is seen exactly once, whatever
 * comes and goes meanwhile. Names that are made after the opening, or after the
 * last reading from position 0 (rewinddir), are not seen: so a reader that
 * renames what it meets comes to an end. Any position is found in O(log n).
 * fs/libfs.c: offset_readdir, which is tmpfs's.
 */
extern const struct file_operations simple_dir_operations;

/* The symlink's i_op, and the table every simple_mkdir'ed directory inherits. */
extern const struct inode_operations simple_symlink_inode_operations;

#endif /* FS_DCACHE_H */
