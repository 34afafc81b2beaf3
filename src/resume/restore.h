/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records to objects: the mount as another process has left it.
 *
 * Nothing in a record is believed that would lead astray: a number out of range, a name
 * without a directory, a descriptor that is another one by now. What fails is left out, with
 * a line in the log; the kernel gets ESTALE or EBADF for it. So is a record that the last
 * process crashed of here.
 */
#ifndef RESUME_RESTORE_H
#define RESUME_RESTORE_H

#include "fs/fs.h"

/*
 * First of all, before this process opens anything: a transaction that holds is put into its
 * place, and of the descriptors that the dead one has left those stay that the ledger knows,
 * and @keep[@nr]. Connections that were taken from a listener's backlog and are in no record
 * wait for restore(). 0 or -ENOMEM.
 */
int restore_begin(const int *keep, size_t nr);

/* How many there were. */
struct restored {
	unsigned long inodes, sockets, connections, files, lost;
};

/*
 * All inodes, names, sockets and open files of @sb, which is as it was made, with its faces.
 * Runs no callbacks; handles are made on the loop. 0 or -errno: the mount cannot go on.
 */
int restore(struct super_block *sb, struct restored *ret);
/* In place of it, when the mount cannot go on: what the dead one had open is closed. */
void restore_cancel(void);
/*
 * Inodes that nothing holds go. Behind sockfs_session_settle(): until then the dead one's last
 * transaction is there, and what is noted would go with it.
 */
void restore_end(struct super_block *sb);

/* Dials that nobody waits for begin anew: when the session receives. */
void restore_dials(struct super_block *sb);

#endif /* RESUME_RESTORE_H */
