/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What each user has and may have: sockets and connections at a time, dials a second, memory of
 * writes that wait. Twin of include/linux/sched/user.h and kernel/user.c; as there, a user
 * is a number.
 *
 * A socket, and its connection, count for the owner of its file: chown moves them. A write
 * counts for who writes.
 */
#ifndef FS_USER_H
#define FS_USER_H

#include "fs/fs.h"

struct user_struct {
	LIST_ENTRY(user_struct) hash;
	uid_t uid;
	uint64_t sockets, connections;
	uint64_t parked;  /* bytes */
	uint64_t dial_at; /* ns, monotonic: when dials have used up what they may, GCRA's TAT */
};

/* What each user may have at most; 0: no limit. */
struct user_limits {
	uint64_t sockets, connections;
	uint64_t parked; /* bytes */
	uint64_t dials;	 /* in a second */
};

/* These hold from now on. What there is stays. */
void user_set_limits(const struct user_limits *limits);
const struct user_limits *user_limits(void);

/*
 * A new socket's @inode is @uid's: sets i_uid. 0, -EDQUOT (he has as many as he may), -ENOMEM;
 * then nothing has changed. kernel/ucount.c: inc_ucount.
 */
int inode_charge(struct inode *inode, uid_t uid);
/* The same of one that he has had already, whatever the limit. 0 or -ENOMEM. */
int inode_charge_anyway(struct inode *inode, uid_t uid);
/* It is @uid's from now on, whatever the limit: who may chown may that. 0 or -ENOMEM. */
int inode_chown(struct inode *inode, uid_t uid);
/* It is nobody's any more; does nothing for inodes that were never charged. */
void inode_uncharge(struct inode *inode);

/* May @uid have one more connection? 0 or -EDQUOT. */
int user_may_connect(uid_t uid);
/* @inode has a connection, or tries to, or it has none any more. Does nothing if it was never charged. */
void inode_set_connected(struct inode *inode, bool connected);

/*
 * @uid is about to dial. 0, or -EAGAIN: not now, he has had his share of this second; -ENOMEM.
 * A share that was not used is kept for a second.
 */
int user_dial(uid_t uid);

/* @bytes of a write of @uid's are kept, until user_unpark(). 0, -EDQUOT or -ENOMEM. */
int user_park(uid_t uid, uint64_t bytes);
void user_unpark(uid_t uid, uint64_t bytes);

/* What @uid has; NULL: nothing. */
const struct user_struct *user_find(uid_t uid);
/* The users that have something, in no order; NULL begins and ends. */
const struct user_struct *user_next(const struct user_struct *u);
/* Forget them all. */
void users_clear(void);

#endif /* FS_USER_H */
