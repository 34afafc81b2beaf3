/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The names of a directory in the order of their offsets, so that a reader can
 * go on from any of them. Twin of fs/libfs.c: simple_offset_add and its kin,
 * which keep a maple tree for the same job.
 *
 * This is a treap: a search tree by d_off that is a heap by d_hash. The hash is
 * salted, so nobody can choose names that make the tree deep: it is as deep as
 * one that was filled in random order, some 2 ln(n) steps on average. It costs a
 * name two pointers and no memory of its own, so that it cannot fail.
 */
#include "config.h"

#include "fs/internal.h"

enum { SMALLER, LARGER };

void offset_add(struct dentry **root, struct dentry *dentry)
{
	struct dentry **p = root;

	while (*p != NULL && (*p)->d_hash >= dentry->d_hash)
		p = &(*p)->d_child[LARGER];
	dentry->d_child[SMALLER] = *p;
	dentry->d_child[LARGER] = NULL;
	*p = dentry;
}

/* Part the tree @t at @off: what is smaller to *@smaller, what is larger to *@larger. */
static void split(struct dentry *t, uint64_t off, struct dentry **smaller, struct dentry **larger)
{
	while (t != NULL) {
		if (t->d_off < off) {
			*smaller = t;
			smaller = &t->d_child[LARGER];
			t = *smaller;
		} else {
			*larger = t;
			larger = &t->d_child[SMALLER];
			t = *larger;
		}
	}
	*smaller = *larger = NULL;
}

void offset_insert(struct dentry **root, struct dentry *dentry)
{
	struct dentry **p = root;

	while (*p != NULL && (*p)->d_hash >= dentry->d_hash)
		p = &(*p)->d_child[dentry->d_off < (*p)->d_off ? SMALLER : LARGER];
	split(*p, dentry->d_off, &dentry->d_child[SMALLER], &dentry->d_child[LARGER]);
	*p = dentry;
}

void offset_remove(struct dentry **root, struct dentry *dentry)
{
	struct dentry *smaller = dentry->d_child[SMALLER], *larger = dentry->d_child[LARGER];
	struct dentry **p = root;

	while (*p != dentry)
		p = &(*p)->d_child[dentry->d_off < (*p)->d_off ? SMALLER : LARGER];
	/* Its two trees become one in its place. */
	while (smaller != NULL && larger != NULL) {
		if (smaller->d_hash >= larger->d_hash) {
			*p = smaller;
			p = &smaller->d_child[LARGER];
			smaller = *p;
		} else {
			*p = larger;
			p = &larger->d_child[SMALLER];
			larger = *p;
		}
	}
	*p = smaller != NULL ? smaller : larger;
}

struct dentry *d_next_child(const struct inode *dir, uint64_t off)
{
	struct dentry *dentry = PLAIN_I(dir)->children, *next = NULL;

	while (dentry != NULL) {
		if (dentry->d_off > off) {
			next = dentry;
			dentry = dentry->d_child[SMALLER];
		} else {
			dentry = dentry->d_child[LARGER];
		}
	}
	return next;
}
