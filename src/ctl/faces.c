/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The faces of a socket file, and the directories of the root where its other
 * faces live.
 */
#include "config.h"

#include "ctl/faces.h"

#include <errno.h>
#include <string.h>

#include "ctl/ctl.h"
#include "fs/dcache.h"
#include "net/sock.h"

static const struct sock_face socket_face = {
	.ioctl = face_ioctl,
	.getxattr = face_getxattr,
	.listxattr = face_listxattr,
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

struct face {
	const char *name;
	mode_t mode;
	const struct inode_operations *i_op;
	const struct file_operations *i_fop;
	int (*init)(struct inode *root, struct inode *inode); /* may be NULL */
};

static const struct face faces[] = {
	{".ctl", 0755, &ctl_dir_iops, &ctl_dir_fops, ctl_root_init},
	{".proc", 0555, &proc_dir_iops, &simple_dir_operations, proc_root_init},
};

/* @prot: whose directory it is, for those that dial. */
static int make_face(struct super_block *sb, const struct face *face, const struct proto *prot)
{
	const struct qstr name = {.name = face->name, .len = strlen(face->name)};
	struct inode *root = sb->s_root;
	struct inode *inode = new_inode_plain(sb, S_IFDIR | face->mode, root->i_uid, root->i_gid);

	if (inode == NULL)
		return -ENOMEM;
	inode->i_op = face->i_op;
	inode->i_fop = face->i_fop;
	inode->i_state |= I_FIXED;
	if (d_add(root, &name, inode) == NULL) {
		inode_drop_nlink(inode);
		return -ENOMEM;
	}
	inode->i_nlink = 2;
	root->i_nlink++;
	if (prot != NULL)
		return dial_root_init(root, inode, prot);
	return face->init != NULL ? face->init(root, inode) : 0;
}

int faces_init(struct super_block *sb)
{
	int err = 0;

	sock_register_face(&socket_face);
	for (size_t i = 0; err == 0 && i < ARRAY_SIZE(faces); i++)
		err = make_face(sb, &faces[i], NULL);
	for (const struct proto *prot = proto_next(NULL); err == 0 && prot != NULL;
	     prot = proto_next(prot)) {
		const struct face dial = {
			prot->dir, 0555, prot->path ? &dial_path_iops : &dial_dir_iops,
			&dial_dir_fops, NULL};

		if (prot->dir != NULL)
			err = make_face(sb, &dial, prot);
	}
	return err;
}
