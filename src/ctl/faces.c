/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tables that join a socket file to its faces, and the directories of the
 * root where the other faces live.
 */
#include "config.h"

#include "ctl/faces.h"

#include <errno.h>
#include <string.h>

#include "ctl/ctl.h"
#include "fs/dcache.h"
#include "net/socket.h"

/* net/socket.c: socket_file_ops. */
const struct file_operations socket_file_ops = {
	.open = sock_open,
	.release = sock_close,
	.read_iter = sock_read_iter,
	.write_iter = sock_write_iter,
	.poll = sock_poll,
	.fsync = sock_fsync,
	.ioctl = sock_ioctl,
};

/* net/socket.c: sockfs_inode_ops. */
const struct inode_operations sockfs_inode_ops = {
	.link = simple_link,
	.getxattr = sockfs_getxattr,
	.listxattr = sockfs_listxattr,
	.setxattr = label_setxattr,
	.removexattr = label_removexattr,
};

/* Ordinary directories but for what is made in them; with labels, as on tmpfs. */
const struct inode_operations sockfs_dir_iops = {
	.lookup = simple_lookup,
	.create = sockfs_create,
	.mkdir = simple_mkdir,
	.symlink = simple_symlink,
	.link = simple_link,
	.unlink = simple_unlink,
	.rmdir = simple_rmdir,
	.rename = simple_rename,
	.getxattr = label_getxattr,
	.listxattr = label_listxattr,
	.setxattr = label_setxattr,
	.removexattr = label_removexattr,
};

static const struct {
	const char *name;
	mode_t mode;
	const struct inode_operations *i_op;
	const struct file_operations *i_fop;
	int (*init)(struct inode *root, struct inode *inode); /* may be NULL */
} faces[] = {
	{".ctl", 0755, &ctl_dir_iops, &ctl_dir_fops, ctl_root_init},
	{".proc", 0555, &proc_dir_iops, &simple_dir_operations, proc_root_init},
	{"tcp", 0555, &dial_dir_iops, &dial_dir_fops, NULL},
};

int faces_init(struct super_block *sb)
{
	struct inode *root = sb->s_root;
	int err = 0;

	for (size_t i = 0; err == 0 && i < ARRAY_SIZE(faces); i++) {
		const struct qstr name = {.name = faces[i].name, .len = strlen(faces[i].name)};
		struct inode *inode = new_inode_plain(sb, S_IFDIR | faces[i].mode, root->i_uid,
						      root->i_gid);

		if (inode == NULL)
			return -ENOMEM;
		inode->i_op = faces[i].i_op;
		inode->i_fop = faces[i].i_fop;
		inode->i_state |= I_FIXED;
		if (d_add(root, &name, inode) == NULL) {
			inode_drop_nlink(inode);
			return -ENOMEM;
		}
		inode->i_nlink = 2;
		root->i_nlink++;
		if (faces[i].init != NULL)
			err = faces[i].init(root, inode);
	}
	return err;
}
