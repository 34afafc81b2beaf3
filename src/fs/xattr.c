/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Labels of an inode, kept in memory. Twin of fs/xattr.c: simple_xattr_set.
 * There are few of them on an inode, so they stand in a list.
 */
#include "config.h"

#include "fs/xattr.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "mm/slab.h"
#include "mm/vmstat.h"

struct simple_xattr {
	TAILQ_ENTRY(simple_xattr) link;
	size_t name_size; /* with the NUL */
	size_t size;
	char data[]; /* the name, then the value */
};

struct simple_xattrs {
	TAILQ_HEAD(, simple_xattr) list;
	unsigned int nr;
	size_t bytes; /* names and values */
};

static struct simple_xattr *find(const struct inode *inode, const char *name)
{
	struct simple_xattr *x;

	if (inode->i_xattrs == NULL)
		return NULL;
	TAILQ_FOREACH(x, &inode->i_xattrs->list, link)
		if (strcmp(x->data, name) == 0)
			return x;
	return NULL;
}

ssize_t simple_xattr_get(const struct inode *inode, const char *name, void *value, size_t size)
{
	const struct simple_xattr *x = find(inode, name);

	if (x == NULL)
		return -ENODATA;
	if (size > 0 && size < x->size)
		return -ERANGE;
	if (size > 0)
		memcpy(value, x->data + x->name_size, x->size);
	return (ssize_t)x->size;
}

ssize_t simple_xattr_list(const struct inode *inode, char *list, size_t size)
{
	const struct simple_xattr *x;
	size_t used = 0;

	if (inode->i_xattrs == NULL)
		return 0;
	TAILQ_FOREACH(x, &inode->i_xattrs->list, link) {
		if (size > 0 && size - used < x->name_size)
			return -ERANGE;
		if (size > 0)
			memcpy(list + used, x->data, x->name_size);
		used += x->name_size;
	}
	return (ssize_t)used;
}

static struct simple_xattr *simple_xattr_alloc(const char *name, const void *value, size_t size)
{
	size_t name_size = strlen(name) + 1;
	struct simple_xattr *x;

	x = should_failslab() ? NULL : malloc(sizeof(*x) + name_size + size);
	if (x == NULL)
		return NULL;
	x->name_size = name_size;
	x->size = size;
	memcpy(x->data, name, name_size);
	if (size > 0)
		memcpy(x->data + name_size, value, size);
	return x;
}

static struct simple_xattrs *xattrs_get(struct inode *inode)
{
	if (inode->i_xattrs == NULL) {
		inode->i_xattrs = should_failslab() ? NULL : calloc(1, sizeof(*inode->i_xattrs));
		if (inode->i_xattrs != NULL)
			TAILQ_INIT(&inode->i_xattrs->list);
	}
	return inode->i_xattrs;
}

static void xattr_remove(struct simple_xattrs *xs, struct simple_xattr *x)
{
	TAILQ_REMOVE(&xs->list, x, link);
	xs->nr--;
	xs->bytes -= x->name_size + x->size;
	vm_unaccount(VM_TEXT, sizeof(*x) + x->name_size + x->size);
	free(x);
}

/* Put @x where @old stands, or at the end. */
static int xattr_insert(struct simple_xattrs *xs, struct simple_xattr *x, struct simple_xattr *old)
{
	size_t freed = old != NULL ? old->name_size + old->size : 0;

	if (old == NULL && xs->nr >= SIMPLE_XATTRS_MAX)
		return -ENOSPC;
	if (xs->bytes - freed + x->name_size + x->size > SIMPLE_XATTRS_BYTES)
		return -ENOSPC;
	if (!vm_fits(VM_TEXT, sizeof(*x) + x->name_size + x->size))
		return -ENOSPC;
	vm_account(VM_TEXT, sizeof(*x) + x->name_size + x->size);
	xs->nr++;
	xs->bytes += x->name_size + x->size;
	if (old == NULL) {
		TAILQ_INSERT_TAIL(&xs->list, x, link);
		return 0;
	}
	TAILQ_INSERT_BEFORE(old, x, link);
	xattr_remove(xs, old);
	return 0;
}

int simple_xattr_set(struct inode *inode, const char *name, const void *value, size_t size,
		     int flags)
{
	struct simple_xattr *old = find(inode, name);
	struct simple_xattrs *xs;
	struct simple_xattr *x;
	int err;

	if (flags & ~(XATTR_CREATE | XATTR_REPLACE))
		return -EINVAL;
	if (old != NULL && flags & XATTR_CREATE)
		return -EEXIST;
	if (old == NULL && (value == NULL || flags & XATTR_REPLACE))
		return -ENODATA;
	if (value == NULL) {
		xattr_remove(inode->i_xattrs, old);
		__mark_inode_dirty(inode, I_DIRTY_TEXT);
		inode_touch(inode, ATTR_CTIME);
		return 0;
	}
	xs = xattrs_get(inode);
	x = xs != NULL ? simple_xattr_alloc(name, value, size) : NULL;
	if (x == NULL)
		return -ENOMEM;
	err = xattr_insert(xs, x, old);
	if (err != 0) {
		free(x);
		return err;
	}
	__mark_inode_dirty(inode, I_DIRTY_TEXT);
	inode_touch(inode, ATTR_CTIME);
	return 0;
}

void simple_xattrs_free(struct inode *inode)
{
	struct simple_xattrs *xs = inode->i_xattrs;
	struct simple_xattr *x;

	if (xs == NULL)
		return;
	inode->i_xattrs = NULL;
	while ((x = TAILQ_FIRST(&xs->list)) != NULL)
		xattr_remove(xs, x);
	free(xs);
}
