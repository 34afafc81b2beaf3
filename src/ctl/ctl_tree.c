/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * .ctl: a mirror of the tree, with a control file where the tree has a socket.
 *
 * Words: the *real* inode is the one in the tree, its *mirror* is the one below
 * .ctl. The mirror knows the number of the real one (nodeid), and is itself found
 * by its st_ino, which is the real one's with a bit set (ctl_ino). Another tree would
 * have another bit.
 *
 * The mirror holds no names. Looking up a name in a mirrored directory looks it
 * up in the real one and gives the mirror of what is found; reading it reads the
 * real one. So rename, link, rm and rmdir need not do anything here, and the
 * kernel must not keep what it learns (I_UNSTABLE). Nothing can be made, moved
 * or removed in it (EPERM).
 *
 * A mirror is made when it is looked up and lives while the kernel knows it or
 * has it open. It holds nothing of its real inode: when that goes, its number is
 * nobody's any more, and what is left answers ESTALE. The kernel may
 * remember names below .ctl for very long, and sockets must not stay in memory for
 * that. Everything that stat(2) shows is the real inode's; chmod, chown and touch
 * go to it.
 *
 * Symlinks are mirrored when their target stays in the tree: it leads from .ctl/a to
 * the mirror of what it leads to from a. An absolute target, or one with more ".."
 * than there are directories above it, would lead out of .ctl, to the data of a
 * socket where its control was meant: there is no mirror. Nor is there one when a
 * ".." stands behind a name: that may be a link itself, to somewhere less deep.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "ctl/ctl.h"
#include "ctl/faces.h"
#include "fs/dcache.h"
#include "mm/slab.h"

/* Of a control file, as the files of /sys have it; no status is so long, but with texts that are. */
#define CTL_SIZE 4096

static const struct inode_operations ctl_file_iops, ctl_link_iops;

/* .ctl itself has its own owner, mode and times. */
static bool is_top(const struct inode *inode)
{
	return PLAIN_I(inode)->number == inode->i_sb->s_root->i_nodeid;
}

static void mirror_set(struct inode *inode, const struct inode *real)
{
	inode->i_ino = ctl_ino(real->i_ino);
	PLAIN_I(inode)->number = real->i_nodeid;
	PLAIN_I(inode)->destroy = remove_inode_hash;
	insert_inode_hash(inode);
}

int ctl_root_init(struct inode *root, struct inode *inode)
{
	mirror_set(inode, root);
	return 0;
}

static int mirror_new(struct inode *real, struct inode **ret_inode)
{
	struct inode *inode = new_inode_plain(real->i_sb, real->i_mode, real->i_uid, real->i_gid);
	int err;

	if (inode == NULL)
		return -errno;
	inode->i_nlink = 0; /* it has no name: without lookups and opens it goes */
	if (S_ISLNK(real->i_mode)) {
		err = plain_set_link(inode, PLAIN_I(real)->link);
		if (err != 0) {
			inode_forget(inode, 0);
			return err;
		}
		inode->i_op = &ctl_link_iops;
	} else if (S_ISDIR(real->i_mode)) {
		inode->i_op = &ctl_dir_iops;
		inode->i_fop = &ctl_dir_fops;
	} else {
		inode->i_op = &ctl_file_iops;
		inode->i_fop = &ctl_file_fops;
	}
	inode->i_state |= I_UNSTABLE | I_FIXED;
	mirror_set(inode, real);
	*ret_inode = inode;
	return 0;
}

int ctl_mirror(struct inode *real, struct inode **ret_inode)
{
	struct inode *mirror = find_inode_by_ino(real->i_sb, ctl_ino(real->i_ino));

	if (mirror == NULL)
		return mirror_new(real, ret_inode);
	*ret_inode = mirror;
	return 0;
}

/* Are there @levels directories above @dir? */
static bool has_above(const struct inode *dir, unsigned int levels)
{
	for (; levels > 0; levels--) {
		const struct dentry *dentry = d_find_alias(dir);

		if (dentry == NULL)
			return false; /* the root, or removed */
		dir = dentry->d_parent;
	}
	return true;
}

/* Does it lead from @dir to somewhere below the root, whatever it leads through? */
static bool link_stays(const char *link, const struct inode *dir)
{
	unsigned int ups = 0;
	bool named = false;

	if (link[0] == '/')
		return false;
	while (*link != '\0') {
		size_t len = strcspn(link, "/");
		bool up = len == 2 && memcmp(link, "..", 2) == 0;

		if (up && named)
			return false;
		ups += up;
		named |= !up && len > 0 && !(len == 1 && link[0] == '.');
		link += len + strspn(link + len, "/");
	}
	return has_above(dir, ups);
}

/* Has what is in the real directory @dir a mirror? */
static bool is_mirrored(const struct inode *real, const struct inode *dir)
{
	if (real->i_state & I_FIXED)
		return false;
	return !S_ISLNK(real->i_mode) || link_stays(PLAIN_I(real)->link, dir);
}

static int ctl_lookup(struct inode *dir, const struct qstr *name, struct inode **ret_inode)
{
	const struct inode *real = ctl_real(dir);
	const struct dentry *dentry;

	if (real == NULL)
		return -ESTALE;
	dentry = d_lookup(dir->i_sb, real, name);
	if (dentry == NULL || !is_mirrored(dentry->d_inode, real))
		return -ENOENT;
	return ctl_mirror(dentry->d_inode, ret_inode);
}

/* ------------------------------------------------------------------ attributes */

static void ctl_getattr(const struct inode *inode, struct stat *ret_st)
{
	const struct inode *real = ctl_real(inode);

	/* How many directories are in it nobody counts. */
	if (is_top(inode)) {
		ret_st->st_nlink = 1;
		return;
	}
	if (real == NULL)
		return;
	vfs_getattr(real, ret_st);
	ret_st->st_ino = inode->i_ino;
	if (S_ISREG(inode->i_mode))
		fill_notional_size(ret_st, CTL_SIZE);
}

static int ctl_setattr(struct inode *inode, const struct iattr *attr)
{
	struct inode *real = ctl_real(inode);
	int err;

	if (is_top(inode))
		return simple_setattr(inode, attr);
	if (real == NULL)
		return -ESTALE;
	err = vfs_setattr(real, attr);
	if (err == 0 && real->i_sb->s_inval_attr != NULL)
		real->i_sb->s_inval_attr(real->i_sb, real);
	inode->i_mode = real->i_mode;
	return err;
}

/* --------------------------------------------------------------------- reading */

/*
 * The open file is turned to the real directory, whose names it gives. It
 * counts as one open of it.
 */
static int ctl_dir_open(struct inode *inode, struct file *file, struct kiocb *iocb)
{
	struct inode *real = ctl_real(inode);
	int err;

	if (real == NULL)
		return -ESTALE;
	err = simple_dir_operations.open(real, file, iocb);
	if (err != 0)
		return err;
	inode_get_open(real);
	file->f_inode = real;
	inode_put_open(inode);
	return 0;
}

struct ctl_filldir {
	struct dir_context ctx;
	struct dir_context *outer;
	const struct inode *dir; /* the real one */
};

static bool ctl_filldir(struct dir_context *ctx, const struct qstr *name, uint64_t next,
			struct inode *inode, uint64_t ino, mode_t mode)
{
	const struct ctl_filldir *f = container_of(ctx, struct ctl_filldir, ctx);
	bool dot = name->len == 1 && name->name[0] == '.';
	bool dotdot = name->len == 2 && memcmp(name->name, "..", 2) == 0;

	/* Skipped, not refused: the walk goes on. The root itself is I_FIXED too. */
	if (!dot && !dotdot && !is_mirrored(inode, f->dir))
		return true;
	/* Above .ctl stands the root, not its mirror. */
	if (!dotdot || f->dir != f->dir->i_sb->s_root)
		ino = ctl_ino(ino);
	return f->outer->actor(f->outer, name, next, NULL, ino, mode);
}

static int ctl_dir_iterate(struct file *file, struct dir_context *ctx)
{
	struct ctl_filldir f = {
		.ctx = {.actor = ctl_filldir, .pos = ctx->pos},
		.outer = ctx,
		.dir = file->f_inode,
	};
	int err = simple_dir_operations.iterate(file, &f.ctx);

	ctx->pos = f.ctx.pos;
	return err;
}

/* A socket that is closed for good has no control any more. */
static int ctl_open(struct inode *inode, struct file *file, struct kiocb *iocb)
{
	(void)file;
	(void)iocb;
	return ctl_socket(inode) == NULL ? -ESTALE : 0;
}

const struct inode_operations ctl_dir_iops = {
	.lookup = ctl_lookup,
	.getattr = ctl_getattr,
	.setattr = ctl_setattr,
};

static const struct inode_operations ctl_file_iops = {
	.getattr = ctl_getattr,
	.setattr = ctl_setattr,
};

static const struct inode_operations ctl_link_iops = {
	.getattr = ctl_getattr,
	.setattr = ctl_setattr,
	.get_link = simple_get_link,
};

const struct file_operations ctl_dir_fops = {
	.open = ctl_dir_open,
	.iterate = ctl_dir_iterate,
};

/* Always ready for poll. */
const struct file_operations ctl_file_fops = {
	.open = ctl_open,
	.release = ctl_release,
	.read_iter = ctl_read_iter,
	.write_iter = ctl_write_iter,
	.ioctl = ctl_ioctl,
	.size = ctl_size,
};

bool ctl_is_mirror(const struct inode *inode)
{
	return inode->i_op == &ctl_dir_iops || inode->i_op == &ctl_file_iops ||
	       inode->i_op == &ctl_link_iops;
}

struct inode *ctl_mirrored(const struct inode *inode)
{
	return ctl_is_mirror(inode) ? ctl_real(inode) : NULL;
}
