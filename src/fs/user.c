/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Users that have something, in a hash by number. One who has nothing any more is
 * forgotten: at once, or, if his dials still count, when somebody else comes into his
 * chain.
 */
#include "config.h"

#include "fs/user.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "lib/util.h"

#define UIDHASH_SZ 256
#define NSEC_PER_SEC 1000000000ull

LIST_HEAD(user_chain, user_struct);

static struct user_chain uidhash[UIDHASH_SZ];
static uint64_t max_sockets, max_dials;

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NSEC_PER_SEC + (uint64_t)now.tv_nsec;
}

/* include/linux/hash.h: hash_32. */
static unsigned int uid_hash(uid_t uid)
{
	return (uint32_t)(uid * 0x61C88647u) >> 24;
}

static void user_free(struct user_struct *u)
{
	LIST_REMOVE(u, hash);
	free(u);
}

static struct user_struct *find_user(uid_t uid)
{
	struct user_struct *u;

	LIST_FOREACH(u, &uidhash[uid_hash(uid)], hash)
		if (u->uid == uid)
			return u;
	return NULL;
}

/* NULL: no memory. */
static struct user_struct *alloc_uid(uid_t uid)
{
	struct user_chain *chain = &uidhash[uid_hash(uid)];
	struct user_struct *u = find_user(uid), *next;
	uint64_t now;

	if (u != NULL)
		return u;
	now = now_ns();
	for (u = LIST_FIRST(chain); u != NULL; u = next) {
		next = LIST_NEXT(u, hash);
		if (u->sockets == 0 && u->dial_at <= now)
			user_free(u);
	}
	u = calloc(1, sizeof(*u));
	if (u == NULL)
		return NULL;
	u->uid = uid;
	LIST_INSERT_HEAD(chain, u, hash);
	return u;
}

void user_set_limits(uint64_t sockets, uint64_t dials)
{
	max_sockets = sockets;
	max_dials = dials;
}

uint64_t user_max_sockets(void)
{
	return max_sockets;
}

uint64_t user_max_dials(void)
{
	return max_dials;
}

int inode_charge(struct inode *inode, uid_t uid)
{
	struct user_struct *u = alloc_uid(uid);

	if (u == NULL)
		return -ENOMEM;
	if (max_sockets != 0 && u->sockets >= max_sockets)
		return -EDQUOT;
	u->sockets++;
	inode->i_uid = uid;
	inode->i_state |= I_CHARGED;
	return 0;
}

void inode_uncharge(struct inode *inode)
{
	struct user_struct *u = inode->i_state & I_CHARGED ? find_user(inode->i_uid) : NULL;

	inode->i_state &= ~(uint32_t)I_CHARGED;
	if (u == NULL || u->sockets == 0)
		return;
	u->sockets--;
	if (u->sockets == 0 && u->dial_at <= now_ns())
		user_free(u);
}

int inode_chown(struct inode *inode, uid_t uid)
{
	struct user_struct *u;

	if (!(inode->i_state & I_CHARGED) || inode->i_uid == uid) {
		inode->i_uid = uid;
		return 0;
	}
	u = alloc_uid(uid);
	if (u == NULL)
		return -ENOMEM;
	u->sockets++;
	inode_uncharge(inode);
	inode->i_uid = uid;
	inode->i_state |= I_CHARGED;
	return 0;
}

/* The generic cell rate algorithm (ITU-T I.371): one word of state, a burst of a second's share. */
int user_dial(uid_t uid)
{
	struct user_struct *u;
	uint64_t now, each;

	if (max_dials == 0)
		return 0;
	u = alloc_uid(uid);
	if (u == NULL)
		return -ENOMEM;
	now = now_ns();
	each = NSEC_PER_SEC / max_dials;
	if (u->dial_at < now)
		u->dial_at = now;
	if (u->dial_at + each > now + NSEC_PER_SEC)
		return -EAGAIN;
	u->dial_at += each;
	return 0;
}

const struct user_struct *user_next(const struct user_struct *u)
{
	unsigned int i = u != NULL ? uid_hash(u->uid) + 1 : 0;

	if (u != NULL && LIST_NEXT(u, hash) != NULL)
		return LIST_NEXT(u, hash);
	for (; i < UIDHASH_SZ; i++)
		if (!LIST_EMPTY(&uidhash[i]))
			return LIST_FIRST(&uidhash[i]);
	return NULL;
}

void users_clear(void)
{
	for (unsigned int i = 0; i < UIDHASH_SZ; i++)
		while (!LIST_EMPTY(&uidhash[i]))
			user_free(LIST_FIRST(&uidhash[i]));
}
