/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The names below the directories that dial: how many there may be in memory.
 *
 * Any name can be a host, and the kernel remembers each that was ever looked
 * up, until it is short of memory. So the number is bounded here, and nobody
 * can use it up for others:
 *
 *   - beyond half of the bound the kernel is told to forget the oldest that
 *     are not in use (Linux 6.18 and newer; FUSE_NOTIFY_PRUNE);
 *   - at the bound the oldest goes without asking: of whoever looks, if he holds
 *     his share of all, otherwise of all. Should the kernel still use that name
 *     it gets ESTALE, and looks the path up again by itself. Only a process whose
 *     working directory it was has to enter it anew.
 */
#ifndef CTL_DIAL_NAMES_H
#define CTL_DIAL_NAMES_H

#include "fs/fs.h"

/* How many names there may be; a variable for tests. */
extern size_t dial_names_max;

struct dial_user;

/* A place in the lists; part of what belongs to such an inode. */
struct dial_link {
	TAILQ_ENTRY(dial_link) all, mine;
	struct dial_user *user;
	struct inode *inode;
	size_t size; /* bytes that the name costs */
};

/*
 * May @cred look up one more name that a program could have made up? -EAGAIN: that
 * process has just looked up hundreds and used none, as mkstemp(3) does when each
 * name it tries is taken. Using one, by a port number or by open, begins anew.
 */
int dial_names_may_look(const struct cred *cred);
void dial_names_use(const struct cred *cred);

/*
 * @inode is new and has @size bytes of name behind it; it is sb->s_cred's. May
 * free others, and have the kernel forget some. 0, -ENOMEM or -ENFILE: all there
 * may be are in use. The mirror is dial_names_remove.
 */
int dial_names_add(struct inode *inode, struct dial_link *link, size_t size);
void dial_names_remove(struct dial_link *link);

/* Whose name it is. */
uid_t dial_link_uid(const struct dial_link *link);

/* A port of the host @link was looked up: it is the youngest again. */
void dial_names_touch(struct dial_link *link);

#endif /* CTL_DIAL_NAMES_H */
