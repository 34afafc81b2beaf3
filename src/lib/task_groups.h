/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The supplementary groups of a process, which no FUSE request tells.
 */
#ifndef LIB_TASK_GROUPS_H
#define LIB_TASK_GROUPS_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Those of the process or thread @pid, if it is @uid's: one that has ended by now has left
 * its number to nobody, or to somebody else. 0, and *@ret_nr groups in *@ret_groups, which
 * the caller frees (NULL: none); or -ENOMEM, -EMFILE, -ENFILE. A pid that cannot be seen from here (0, as of
 * another process namespace) has none.
 */
int task_groups(pid_t pid, uid_t uid, gid_t **ret_groups, size_t *ret_nr);

#endif /* LIB_TASK_GROUPS_H */
