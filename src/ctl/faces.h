/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The faces of a socket: other ways to the same operations.
 */
#ifndef CTL_FACES_H
#define CTL_FACES_H

#include "fs/fs.h"

/*
 * Make the directories of the root that are no directories of sockets: .ctl,
 * .proc, and the one by which each protocol dials, owned as the root is. They can be
 * neither removed nor renamed. Sockets have their ioctls and attributes from here on.
 * To be called once behind super_init, when the protocols are registered. 0 or
 * -ENOMEM; super_fini frees what is there.
 */
int faces_init(struct super_block *sb);

/* Directories in which sockets are made, the root first: for super_init. */
extern const struct inode_operations sockfs_dir_iops;

/* The mirror of the tree with a control file for each socket: .ctl (ctl_tree.c). */
extern const struct inode_operations ctl_dir_iops;
extern const struct file_operations ctl_dir_fops;

/* The tables, and control files by number: .proc (proc.c, proc_sock.c). */
extern const struct inode_operations proc_dir_iops;

/* Paths that dial (dial.c). */
extern const struct inode_operations dial_dir_iops;
extern const struct inode_operations dial_path_iops; /* by protocols whose addresses are paths */
extern const struct file_operations dial_dir_fops;

#endif /* CTL_FACES_H */
