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
#include "mm/slab.h"
#include "mm/vmstat.h"

#define UIDHASH_SZ 256
#define NSEC_PER_SEC 1000000000ull

LIST_HEAD(user_chain, user_struct);

static struct user_chain uidhash[UIDHASH_SZ];
static struct user_limits limits;

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
	vm_unaccount(VM_USERS, sizeof(*u));
	free(u);
}

/* Has he nothing any more, at @now (ns)? */
static bool user_is_idle(const struct user_struct *u, uint64_t now)
{
	return u->sockets == 0 && u->parked == 0 && u->dial_at <= now;
}

/* One thing less. */
static void user_put(struct user_struct *u)
{
	if (user_is_idle(u, now_ns()))
		user_free(u);
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
		if (user_is_idle(u, now))
			user_free(u);
	}
	u = should_failslab() ? NULL : calloc(1, sizeof(*u));
	if (u == NULL)
		return NULL;
	u->uid = uid;
	vm_account(VM_USERS, sizeof(*u));
	LIST_INSERT_HEAD(chain, u, hash);
	return u;
}

void user_set_limits(const struct user_limits *new)
{
	limits = *new;
}

const struct user_limits *user_limits(void)
{
	return &limits;
}

const struct user_struct *user_find(uid_t uid)
{
	return find_user(uid);
}

/* Is one more than @use too much? */
static bool is_full(uint64_t use, uint64_t max)
{
	return max != 0 && use >= max;
}

int inode_charge_anyway(struct inode *inode, uid_t uid)
{
	struct user_struct *u = alloc_uid(uid);

	if (u == NULL)
		return -ENOMEM;
	u->sockets++;
	inode->i_uid = uid;
	inode->i_state |= I_CHARGED;
	return 0;
}

int inode_charge(struct inode *inode, uid_t uid)
{
	const struct user_struct *u = find_user(uid);

	if (u != NULL && is_full(u->sockets, limits.sockets))
		return -EDQUOT;
	return inode_charge_anyway(inode, uid);
}

void inode_uncharge(struct inode *inode)
{
	struct user_struct *u = inode->i_state & I_CHARGED ? find_user(inode->i_uid) : NULL;

	inode_set_connected(inode, false);
	inode->i_state &= ~(uint32_t)I_CHARGED;
	if (u == NULL || u->sockets == 0)
		return;
	u->sockets--;
	user_put(u);
}

int inode_chown(struct inode *inode, uid_t uid)
{
	bool connected = inode->i_state & I_CONNECTED;
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
	inode_set_connected(inode, connected);
	return 0;
}

int user_may_connect(uid_t uid)
{
	const struct user_struct *u = find_user(uid);

	return u != NULL && is_full(u->connections, limits.connections) ? -EDQUOT : 0;
}

void inode_set_connected(struct inode *inode, bool connected)
{
	struct user_struct *u;

	if (!(inode->i_state & I_CHARGED) || !(inode->i_state & I_CONNECTED) == !connected)
		return;
	inode->i_state ^= I_CONNECTED;
	u = find_user(inode->i_uid);
	if (u != NULL)
		u->connections += connected ? 1 : (uint64_t)-1;
}

int user_park(uid_t uid, uint64_t bytes)
{
	struct user_struct *u = alloc_uid(uid);

	if (u == NULL)
		return -ENOMEM;
	if (limits.parked != 0 && (bytes > limits.parked || u->parked > limits.parked - bytes)) {
		user_put(u);
		return -EDQUOT;
	}
	u->parked += bytes;
	return 0;
}

void user_unpark(uid_t uid, uint64_t bytes)
{
	struct user_struct *u = find_user(uid);

	if (u == NULL)
		return;
	u->parked -= bytes;
	user_put(u);
}

/* The generic cell rate algorithm (ITU-T I.371): one word of state, a burst of a second's share. */
int user_dial(uid_t uid)
{
	struct user_struct *u;
	uint64_t now, each;

	if (limits.dials == 0)
		return 0;
	u = alloc_uid(uid);
	if (u == NULL)
		return -ENOMEM;
	now = now_ns();
	each = NSEC_PER_SEC / limits.dials;
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
