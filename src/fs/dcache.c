/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dentries: names in memory, and the hash that finds them.
 *
 * Twin of fs/dcache.c. One hash for the whole super block, keyed by directory
 * and name, with about as many buckets as names. It grows and shrinks by
 * doubling and halving, and moves a few buckets with each change: no single
 * touch or rm pays for all the others (as redis does with its dict).
 *
 *   table[0]  the hash; while a move is on, its first `moved` buckets are empty
 *   table[1]  where those have gone, NULL when no move is on
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "fs/internal.h"
#include "lib/fnv.h"
#include "mm/slab.h"
#include "mm/vmstat.h"

#define HASH_MIN ((size_t)256)
/* A move of n buckets is over after n/8 changes, long before the next can begin. */
#define MOVE_BUCKETS 8

static struct kmem_cache *dentry_cachep;

/* ------------------------------------------------------------------------ names */

static bool name_is_inline(size_t len)
{
	return len < DNAME_INLINE_LEN;
}

const char *dentry_name(const struct dentry *dentry)
{
	char *external;

	if (name_is_inline(dentry->d_len))
		return dentry->d_iname;
	memcpy(&external, dentry->d_iname, sizeof(external));
	return external;
}

static int set_name(struct dentry *dentry, const struct qstr *name)
{
	char *to = dentry->d_iname;

	dentry->d_len = (uint8_t)name->len;
	if (!name_is_inline(name->len)) {
		to = should_failslab() ? NULL : malloc(name->len + 1);
		if (to == NULL)
			return -ENOMEM;
		vm_account(VM_TEXT, name->len + 1);
		memcpy(dentry->d_iname, &to, sizeof(to));
	}
	memcpy(to, name->name, name->len);
	to[name->len] = '\0';
	return 0;
}

static void free_dentry(struct dentry *dentry)
{
	if (!name_is_inline(dentry->d_len)) {
		vm_unaccount(VM_TEXT, dentry->d_len + 1u);
		free((char *)dentry_name(dentry));
	}
	kmem_cache_free(dentry_cachep, dentry);
}

/* ------------------------------------------------------------------------- hash */

/* FNV-1a over the name, then the finalizer of MurmurHash3: all bits count. */
static uint32_t name_hash(const struct super_block *sb, const struct inode *dir,
			  const struct qstr *name)
{
	uint64_t h = fnv1a(sb->s_dentries.salt ^ dir->i_ino, name->name, name->len);

	h = (h ^ h >> 33) * 0xff51afd7ed558ccdu;
	h = (h ^ h >> 33) * 0xc4ceb9fe1a85ec53u;
	return (uint32_t)(h ^ h >> 33);
}

static struct dentry **hash_bucket(struct dentry_hash *t, uint32_t hash)
{
	size_t i = hash & (t->size[0] - 1);

	if (t->table[1] != NULL && i < t->moved)
		return &t->table[1][hash & (t->size[1] - 1)];
	return &t->table[0][i];
}

/* Move some buckets on; the last one ends the move. */
static void hash_move(struct dentry_hash *t)
{
	for (int n = 0; n < MOVE_BUCKETS && t->table[1] != NULL; n++) {
		struct dentry *dentry, *next;

		for (dentry = t->table[0][t->moved]; dentry != NULL; dentry = next) {
			struct dentry **to = &t->table[1][dentry->d_hash & (t->size[1] - 1)];

			next = dentry->d_hash_next;
			dentry->d_hash_next = *to;
			*to = dentry;
		}
		t->table[0][t->moved] = NULL;
		if (++t->moved < t->size[0])
			continue;
		free(t->table[0]);
		t->table[0] = t->table[1];
		t->size[0] = t->size[1];
		t->table[1] = NULL;
	}
}

/* Too full or too empty: begin to move. Without memory it stays as it is, only slower. */
static void hash_resize(struct dentry_hash *t)
{
	size_t size = t->size[0];

	if (t->table[1] != NULL)
		return;
	if (t->count > size)
		size *= 2;
	else if (t->count < size / 4 && size > HASH_MIN)
		size /= 2;
	else
		return;
	t->table[1] = should_failslab() ? NULL : calloc(size, sizeof(*t->table[1]));
	t->size[1] = size;
	t->moved = 0;
}

static void hash_add(struct dentry_hash *t, struct dentry *dentry)
{
	struct dentry **bucket;

	hash_move(t);
	bucket = hash_bucket(t, dentry->d_hash);
	dentry->d_hash_next = *bucket;
	*bucket = dentry;
	t->count++;
	hash_resize(t);
}

static void hash_remove(struct dentry_hash *t, struct dentry *dentry)
{
	struct dentry **p;

	hash_move(t);
	for (p = hash_bucket(t, dentry->d_hash); *p != dentry; p = &(*p)->d_hash_next)
		;
	*p = dentry->d_hash_next;
	t->count--;
	hash_resize(t);
}

int dcache_init(struct super_block *sb)
{
	struct dentry_hash *t = &sb->s_dentries;

	*t = (struct dentry_hash){.size = {HASH_MIN, 0}};
	/* Without random bytes the hash is only easier to guess. */
	if (getrandom(&t->salt, sizeof(t->salt), GRND_NONBLOCK) != (ssize_t)sizeof(t->salt))
		t->salt = (uintptr_t)sb;
	t->table[0] = should_failslab() ? NULL : calloc(HASH_MIN, sizeof(*t->table[0]));
	if (t->table[0] == NULL)
		return -ENOMEM;
	dentry_cachep = kmem_cache_create("dentry", sizeof(struct dentry), 0, SLAB_HWCACHE_ALIGN,
					  NULL);
	if (dentry_cachep != NULL)
		return 0;
	free(t->table[0]);
	return -ENOMEM;
}

int dcache_exit(struct super_block *sb)
{
	free(sb->s_dentries.table[0]);
	free(sb->s_dentries.table[1]);
	sb->s_dentries.table[0] = NULL;
	sb->s_dentries.table[1] = NULL;
	return kmem_cache_destroy(dentry_cachep);
}

/* ------------------------------------------------------- names in their directory */

struct dentry *d_lookup(struct super_block *sb, const struct inode *dir, const struct qstr *name)
{
	uint32_t hash = name_hash(sb, dir, name);
	struct dentry *dentry;

	for (dentry = *hash_bucket(&sb->s_dentries, hash); dentry != NULL;
	     dentry = dentry->d_hash_next)
		if (dentry->d_hash == hash && dentry->d_parent == dir &&
		    dentry->d_len == name->len &&
		    memcmp(dentry_name(dentry), name->name, name->len) == 0)
			return dentry;
	return NULL;
}

struct dentry *d_alloc(struct inode *dir, const struct qstr *name, struct inode *inode)
{
	struct dentry *dentry = kmem_cache_alloc(dentry_cachep);

	if (dentry == NULL)
		return NULL;
	if (set_name(dentry, name) != 0) {
		kmem_cache_free(dentry_cachep, dentry);
		return NULL;
	}
	dentry->d_parent = dir;
	dentry->d_inode = inode;
	dentry->d_hash = name_hash(dir->i_sb, dir, name);
	return dentry;
}

void d_enter(struct dentry *dentry)
{
	struct inode *inode = dentry->d_inode;
	struct plain_inode *pi = PLAIN_I(dentry->d_parent);

	hash_add(&inode->i_sb->s_dentries, dentry);
	/* The oldest name stays the first: it says where a listener's connections appear. */
	TAILQ_INSERT_TAIL(&inode->i_dentry, dentry, d_alias);
	pi->nr_children++;
}

struct dentry *d_add(struct inode *dir, const struct qstr *name, struct inode *inode)
{
	struct dentry *dentry = d_alloc(dir, name, inode);
	struct plain_inode *pi = PLAIN_I(dir);

	if (dentry == NULL)
		return NULL;
	dentry->d_off = ++pi->last_off;
	d_enter(dentry);
	offset_add(&pi->children, dentry);
	__mark_inode_dirty(inode, I_DIRTY_TEXT);
	inode_touch(dir, ATTR_MTIME | ATTR_CTIME);
	return dentry;
}

void d_delete(struct dentry *dentry)
{
	struct inode *dir = dentry->d_parent;
	struct plain_inode *pi = PLAIN_I(dir);

	hash_remove(&dir->i_sb->s_dentries, dentry);
	offset_remove(&pi->children, dentry);
	TAILQ_REMOVE(&dentry->d_inode->i_dentry, dentry, d_alias);
	__mark_inode_dirty(dentry->d_inode, I_DIRTY_TEXT);
	pi->nr_children--;
	inode_touch(dir, ATTR_MTIME | ATTR_CTIME);
	free_dentry(dentry);
}
