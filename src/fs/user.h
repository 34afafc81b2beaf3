/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What each user has and may have: sockets at a time, dials a second. Twin of
 * include/linux/sched/user.h and kernel/user.c; as there, a user is a number.
 *
 * A socket counts for the owner of its file: chown moves it.
 */
#ifndef FS_USER_H
#define FS_USER_H

#include "fs/fs.h"

struct user_struct {
	LIST_ENTRY(user_struct) hash;
	uid_t uid;
	uint64_t sockets;
	uint64_t dial_at; /* ns, monotonic: when dials have used up what they may, GCRA's TAT */
};

/* From now on at most so many for each user; 0: no limit. What there is stays. */
void user_set_limits(uint64_t max_sockets, uint64_t max_dials);
uint64_t user_max_sockets(void);
uint64_t user_max_dials(void);

/*
 * A new socket's @inode is @uid's: sets i_uid. 0, -EDQUOT (he has as many as he may), -ENOMEM;
 * then nothing has changed. kernel/ucount.c: inc_ucount.
 */
int inode_charge(struct inode *inode, uid_t uid);
/* It is @uid's from now on, whatever the limit: who may chown may that. 0 or -ENOMEM. */
int inode_chown(struct inode *inode, uid_t uid);
/* It is nobody's any more; does nothing for inodes that were never charged. */
void inode_uncharge(struct inode *inode);

/*
 * @uid is about to dial. 0, or -EAGAIN: not now, he has had his share of this second; -ENOMEM.
 * A share that was not used is kept for a second.
 */
int user_dial(uid_t uid);

/* The users that have something, in no order; NULL begins and ends. */
const struct user_struct *user_next(const struct user_struct *u);
/* Forget them all. */
void users_clear(void);

#endif /* FS_USER_H */
