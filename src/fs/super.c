/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The super block: everything that one mount holds, made and taken apart.
 * Twin of fs/super.c.
 */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "fs/internal.h"
#include "fs/user.h"
#include "lib/log.h"

#define ROOT_NODEID 1 /* FUSE_ROOT_ID: the protocol's number for the root */

static int make_root(struct super_block *sb, const struct inode_operations *dir_iop, mode_t mode,
		     uid_t uid, gid_t gid)
{
	struct inode *root = new_inode_plain(sb, S_IFDIR | (mode & 07777), uid, gid);

	if (root == NULL)
		return -ENOMEM;
	/* Found as s_root from now on; the number it was made with is nobody's. */
	(void)idtable_remove(&sb->s_inodes, root->i_nodeid);
	root->i_nodeid = ROOT_NODEID;
	root->i_nlink = 2;
	root->i_op = dir_iop;
	root->i_fop = &simple_dir_operations;
	root->i_state |= I_FIXED;
	sb->s_root = root;
	return 0;
}

int super_init(struct super_block *sb, const struct super_operations *s_op,
	       const struct inode_operations *dir_iop, mode_t mode, uid_t uid, gid_t gid)
{
	memset(sb, 0, sizeof(*sb));
	sb->s_op = s_op;
	sb->s_next_ino = ROOT_NODEID;
	sb->s_max_sockets = UINT64_MAX;
	TAILQ_INIT(&sb->s_work);
	if (inode_cache_init() != 0)
		return -ENOMEM;
	if (file_cache_init() != 0)
		goto exit_inodes;
	if (dcache_init(sb) != 0)
		goto exit_files;
	if (idtable_init(&sb->s_inodes, 0) != 0)
		goto exit_dcache;
	if (idtable_init(&sb->s_files, 0) != 0)
		goto fini_inodes;
	if (inode_hash_init(sb) != 0)
		goto fini_files;
	if (idtable_init(&sb->s_waiting, 0) != 0)
		goto fini_hash;
	if (make_root(sb, dir_iop, mode, uid, gid) != 0)
		goto fini_waiting;
	return 0;

fini_waiting:
	idtable_fini(&sb->s_waiting);
fini_hash:
	inode_hash_fini(sb);
fini_files:
	idtable_fini(&sb->s_files);
fini_inodes:
	idtable_fini(&sb->s_inodes);
exit_dcache:
	(void)dcache_exit(sb);
exit_files:
	(void)file_cache_exit();
exit_inodes:
	(void)inode_cache_exit();
	return -ENOMEM;
}

/* Names point to directories, so all of them go before the first inode does. */
static void drop_names(struct super_block *sb)
{
	struct inode *inode;
	struct dentry *dentry;
	uint64_t pos = 0;

	while ((inode = idtable_next(&sb->s_inodes, &pos)) != NULL)
		while ((dentry = d_find_alias(inode)) != NULL)
			d_delete(dentry);
}

void super_fini(struct super_block *sb)
{
	struct inode *inode;
	struct file *file;
	uint64_t pos = 0;

	while ((file = idtable_next(&sb->s_files, &pos)) != NULL)
		file_release(file);
	drop_names(sb);
	pos = 0;
	while ((inode = idtable_next(&sb->s_inodes, &pos)) != NULL)
		inode_forget_all(inode);
	inode_forget_all(sb->s_root);
	idtable_fini(&sb->s_waiting);
	idtable_fini(&sb->s_files);
	idtable_fini(&sb->s_inodes);
	inode_hash_fini(sb);
	/* Each says itself what is still out. */
	(void)dcache_exit(sb);
	(void)file_cache_exit();
	(void)inode_cache_exit();
	users_clear();
}

/*
 * As a file system with project quotas has it (fs/xfs/xfs_qm_bhv.c: xfs_fill_statvfs_from_dquot):
 * whoever may have less than there is sees his own share.
 */
void super_statfs(const struct super_block *sb, uid_t uid, struct statvfs *ret_st)
{
	uint64_t max = user_limits()->sockets, used = sb->s_nr_sockets;
	uint64_t left = sb->s_max_sockets > used ? sb->s_max_sockets - used : 0;
	const struct user_struct *u = user_find(uid);
	uint64_t own = u != NULL ? u->sockets : 0;

	if (max != 0 && (max > own ? max - own : 0) < left) {
		left = max > own ? max - own : 0;
		used = own;
	}
	*ret_st = (struct statvfs){
		.f_bsize = 4096,
		.f_frsize = 4096,
		.f_files = used + left,
		.f_ffree = left,
		.f_favail = left,
		.f_namemax = NAME_MAX_BYTES,
	};
}

bool cred_sees_all(const struct cred *cred)
{
	return cred->uid == 0 || cred->uid == geteuid();
}
