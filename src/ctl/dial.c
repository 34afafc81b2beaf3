/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Paths that dial: each open() of tcp/HOST/PORT is a connection of its own.
 *
 * Any name that can be a host is a directory here, and any that can be a port a
 * file in it: lookup only reads the text and asks nobody. What it makes has no
 * name on our side (i_nlink 0) and lives as long as the kernel remembers it, or
 * until there are too many (dial_names.h).
 * Nothing is listed, since everything would be.
 *
 * Happy path: open makes a socket without a name, which has this open file for
 * its only claim, and connects it; the file is a socket's from then on, only
 * the kernel goes on calling it by the number of the path.
 *
 * The kernel locks an inode while some writes to it wait, so no two connections may
 * share one, though they were dialled by one path: each lookup of a port makes an
 * inode, which the kernel may not keep (I_UNSTABLE). Their st_ino is the same all
 * the same, for cp(1) and others look before and after they open.
 *
 * Failure modes: those of connect(2). The caller gets them from open(2), and the
 * socket goes with the file that never was. With O_NONBLOCK open returns at once
 * and poll and SO_ERROR tell, as after EINPROGRESS.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/dial_names.h"
#include "ctl/faces.h"
#include "fs/dcache.h"
#include "lib/util.h"
#include "mm/slab.h"
#include "net/addr.h"
#include "net/socket.h"
#include "sockfs/ioctl.h"

#define HOST_MODE (S_IFDIR | 0555)
#define PORT_MODE (S_IFREG | 0666)

/* What a name below tcp stands for; plain_inode.private. */
struct dial_name {
	uint64_t parent_ino;
	struct dial_link link;
	struct sockfs_addr addr; /* of a directory: the host, and no port */
};

static const struct inode_operations host_dir_iops;
static const struct inode_operations port_iops;
static const struct file_operations port_fops;

/* ------------------------------------------------------------------------ names */

static void dial_destroy(struct inode *inode)
{
	struct dial_name *name = PLAIN_I(inode)->private;

	dial_names_remove(&name->link);
	free(name);
}

/* An inode for @addr, below @dir, that only the kernel's lookups hold. */
static int dial_new_inode(const struct inode *dir, const struct sockfs_addr *addr, mode_t mode,
			  struct inode **ret_inode)
{
	struct dial_name *name = should_failslab() ? NULL : malloc(sizeof(*name));
	struct inode *inode;
	int err;

	if (name == NULL)
		return -ENOMEM;
	inode = new_inode_plain(dir->i_sb, mode, dir->i_uid, dir->i_gid);
	if (inode == NULL) {
		err = -errno;
		free(name);
		return err;
	}
	name->parent_ino = dir->i_ino;
	name->addr = *addr;
	inode->i_state |= I_FIXED;
	inode->i_nlink = 0;
	err = dial_names_add(inode, &name->link, sizeof(*name));
	if (err != 0) {
		inode_forget(inode, 0);
		free(name);
		return err;
	}
	PLAIN_I(inode)->private = name;
	PLAIN_I(inode)->destroy = dial_destroy;
	*ret_inode = inode;
	return 0;
}

/*
 * Programs look for .git, .hidden and the like wherever they are; no host and no
 * service begins with a dot or has two in a row.
 */
static bool has_empty_label(const char *s)
{
	return s[0] == '.' || strstr(s, "..") != NULL;
}

static int host_lookup(struct inode *dir, const struct qstr *name, struct inode **ret_inode)
{
	struct sockfs_addr addr = {.port = "1"};
	struct inode *inode;
	int err;

	BUILD_BUG_ON(NAME_MAX_BYTES >= sizeof(addr.host));
	memcpy(addr.host, name->name, name->len);
	/* "*" is any address, which nobody can call; and a glob that matched nothing. */
	if (has_empty_label(addr.host) || strcmp(addr.host, "*") == 0 ||
	    addr_check(&addr, false) != 0 || addr.host[0] == '\0')
		return -ENOENT;
	memset(addr.port, 0, sizeof(addr.port));
	err = dial_names_may_look(&dir->i_sb->s_cred);
	if (err == 0)
		err = dial_new_inode(dir, &addr, HOST_MODE, &inode);
	if (err != 0)
		return err;
	inode->i_op = &host_dir_iops;
	inode->i_fop = &dial_dir_fops;
	*ret_inode = inode;
	return 0;
}

/* Of a path, whichever inode stands for it; sequential numbers never get so far (FNV-1a). */
static uint64_t port_ino(const struct sockfs_addr *addr)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (const char *s = addr->host; *s != '\0'; s++)
		hash = (hash ^ (unsigned char)*s) * UINT64_C(0x100000001b3);
	hash = (hash ^ '/') * UINT64_C(0x100000001b3);
	for (const char *s = addr->port; *s != '\0'; s++)
		hash = (hash ^ (unsigned char)*s) * UINT64_C(0x100000001b3);
	return hash | UINT64_C(1) << 63;
}

static bool is_number(const char *s)
{
	return s[strspn(s, "0123456789")] == '\0';
}

static int port_lookup(struct inode *dir, const struct qstr *name, struct inode **ret_inode)
{
	struct dial_name *host = PLAIN_I(dir)->private;
	struct sockfs_addr addr = host->addr;
	struct inode *inode;
	int err;

	if (name->len >= sizeof(addr.port))
		return -ENAMETOOLONG;
	memcpy(addr.port, name->name, name->len);
	if (has_empty_label(addr.port) || addr_check(&addr, false) != 0)
		return -ENOENT;
	if (is_number(addr.port))
		dial_names_use(&dir->i_sb->s_cred);
	else if ((err = dial_names_may_look(&dir->i_sb->s_cred)) != 0)
		return err;
	ihold(dir); /* a new name may take the place of another */
	err = dial_new_inode(dir, &addr, PORT_MODE, &inode);
	dial_names_touch(&host->link);
	iput(dir);
	if (err != 0)
		return err;
	inode->i_ino = port_ino(&addr);
	inode->i_state |= I_UNSTABLE;
	inode->i_op = &port_iops;
	inode->i_fop = &port_fops;
	*ret_inode = inode;
	return 0;
}

/*
 * Asked when lookup found nothing: the same answer again, for `> tcp/h/none` is
 * as wrong as `< tcp/h/none`.
 */
static int port_create(struct inode *dir, const struct qstr *name, mode_t mode,
		       const struct cred *cred, struct inode **ret_inode)
{
	(void)dir;
	(void)mode;
	(void)cred;
	(void)ret_inode;
	return name->len >= SOCKFS_PORT_MAX ? -ENAMETOOLONG : -ENOENT;
}

/* stat(2): as if each had the names that an ordinary one has. */
static void dial_getattr(const struct inode *inode, struct stat *ret_st)
{
	ret_st->st_nlink = S_ISDIR(inode->i_mode) ? 2 : 1;
}

/*
 * Who may dial is a matter of tcp itself: what was kept here would be gone as
 * soon as the kernel forgets the name. Times are taken and forgotten.
 */
static int dial_setattr(struct inode *inode, const struct iattr *attr)
{
	(void)inode;
	return attr->ia_valid & (ATTR_MODE | ATTR_UID | ATTR_GID) ? -EPERM : 0;
}

const struct inode_operations dial_dir_iops = {
	.lookup = host_lookup,
};

static const struct inode_operations host_dir_iops = {
	.lookup = port_lookup,
	.create = port_create,
	.getattr = dial_getattr,
	.setattr = dial_setattr,
};

static const struct inode_operations port_iops = {
	.getattr = dial_getattr,
	.setattr = dial_setattr,
};

/* ------------------------------------------------------------------ directories */

static bool emit_dot(struct dir_context *ctx, const char *name, uint64_t ino)
{
	const struct qstr q = {.name = name, .len = strlen(name)};

	if (!ctx->actor(ctx, &q, ctx->pos + 1, NULL, ino, S_IFDIR))
		return false;
	ctx->pos++;
	return true;
}

static int dial_iterate(struct file *file, struct dir_context *ctx)
{
	const struct inode *dir = file->f_inode;
	const struct dial_name *name = PLAIN_I(dir)->private;

	if (ctx->pos == 0 && !emit_dot(ctx, ".", dir->i_ino))
		return 0;
	if (ctx->pos == 1)
		(void)emit_dot(ctx, "..", name != NULL ? name->parent_ino : dir->i_sb->s_root->i_ino);
	return 0;
}

const struct file_operations dial_dir_fops = {
	.iterate = dial_iterate,
};

/* ---------------------------------------------------------------------- dialling */

/* A socket of @cred that lives as long as @file, in place of the path's inode. */
static struct socket *dial_socket(struct file *file, const struct cred *cred)
{
	struct inode *path = file->f_inode;
	struct socket *sock = sock_alloc(path->i_sb);
	struct inode *inode;

	if (sock == NULL)
		return NULL;
	inode = SOCK_INODE(sock);
	inode->i_uid = cred->uid;
	inode->i_gid = cred->gid;
	inode->i_mode = S_IFREG | 0600;
	inode_get_open(inode);
	inode_drop_nlink(inode);
	file->f_inode = inode;
	file->f_op = &socket_file_ops;
	inode_put_open(path);
	return sock;
}

static int dial_open(struct inode *inode, struct file *file, struct kiocb *iocb)
{
	const struct dial_name *name = PLAIN_I(inode)->private;
	struct sockfs_addr addr = name->addr;
	struct socket *sock = dial_socket(file, &iocb->ki_cred);
	int err;

	if (sock == NULL)
		return -errno;
	dial_names_use(&iocb->ki_cred);
	err = sock_open(SOCK_INODE(sock), file, iocb);
	if (err == 0)
		err = sock_connect(sock, &addr, iocb);
	/* O_NONBLOCK: it goes on; poll and SO_ERROR will tell. */
	return err == -EINPROGRESS ? 0 : err;
}

static const struct file_operations port_fops = {
	.open = dial_open,
};
