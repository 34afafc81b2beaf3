/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tables of .proc; each is written by one function.
 */
#ifndef CTL_PROC_H
#define CTL_PROC_H

#include "fs/seq_file.h"
#include "mm/slab.h"

/* Of the super block @sb; in pieces (fs/seq_file.h). */
bool proc_show_sockstat(struct seq_file *m, void *sb);
bool proc_show_waiting(struct seq_file *m, void *sb);

/* .proc/sock: the control files by inode number (proc_sock.c). */
extern const struct inode_operations proc_sock_iops;
extern const struct file_operations proc_sock_fops;

#endif /* CTL_PROC_H */
