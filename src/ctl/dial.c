/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Paths that dial: each open() of PROTOCOL/HOST/PORT is a connection of its own.
 *
 * Any name that can be a host is a directory here, and any that can be a port a
 * file in it: lookup only reads the text and asks nobody. What it makes has no
 * name on our side (i_nlink 0) and lives as long as the kernel remembers it, or
 * until there are too many (dial_names.h).
 * Nothing is listed, since everything would be.
 *
 * A name with a "=" is a directory too, in which there are hosts again: what is
 * dialled below it has the settings that it carries (dial_settings.h).
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
#include <stdio.h>
#include <string.h>

#include "ctl/ctl.h"
#include "ctl/dial_names.h"
#include "ctl/dial_settings.h"
#include "ctl/faces.h"
#include "fs/dcache.h"
#include "fs/user.h"
#include "lib/fnv.h"
#include "lib/util.h"
#include "mm/slab.h"
#include "net/core/dial.h"
#include "net/sock.h"
#include "sockfs/ioctl.h"
#include "uapi/addr.h"

#define HOST_MODE (S_IFDIR | 0555)
#define PORT_MODE (S_IFREG | 0666)

/* What a name stands for, and the protocol's directory; plain_inode.private. */
struct dial_name {
	uint64_t parent_ino, parent_nodeid;
	const struct proto *prot;
	struct dial_link link; /* of the directory itself: nothing */
	struct dial_settings *settings; /* its own copy; NULL: none */
	char *text; /* of settings: as they were written; else NULL */
	struct sockfs_addr addr; /* of a directory: the host, if it is one, and no port */
};

static const struct inode_operations settings_dir_iops;
static const struct inode_operations path_settings_iops;
static const struct inode_operations path_dir_iops;
static const struct inode_operations host_dir_iops;
static const struct inode_operations port_iops;
static const struct file_operations port_fops;

/* ------------------------------------------------------------------------ names */

/* A copy of @settings (NULL: none) for @name, to be added to if @add. 0 or -ENOMEM. */
static int name_set(struct dial_name *name, const struct dial_settings *settings, bool add)
{
	name->settings = NULL;
	if (settings == NULL && !add)
		return 0;
	name->settings = should_failslab() ? NULL : calloc(1, dial_settings_size());
	if (name->settings == NULL)
		return -ENOMEM;
	if (settings != NULL)
		memcpy(name->settings, settings, dial_settings_size());
	return 0;
}

static struct dial_name *name_alloc(const struct inode *dir, const struct sockfs_addr *addr,
				    bool add)
{
	const struct dial_name *above = PLAIN_I(dir)->private;
	struct dial_name *name = should_failslab() ? NULL : malloc(sizeof(*name));

	if (name == NULL)
		return NULL;
	name->parent_ino = dir->i_ino;
	name->parent_nodeid = dir->i_nodeid;
	name->prot = above->prot;
	name->text = NULL;
	name->addr = *addr;
	if (name_set(name, above->settings, add) == 0)
		return name;
	free(name);
	return NULL;
}

static void name_free(struct dial_name *name)
{
	free(name->text);
	free(name->settings);
	free(name);
}

static void dial_destroy(struct inode *inode)
{
	struct dial_name *name = PLAIN_I(inode)->private;

	dial_names_remove(&name->link);
	name_free(name);
}

/* An inode for @name, which is its own from now on, below @dir, that only lookups hold. */
static int dial_new_inode(const struct inode *dir, struct dial_name *name, mode_t mode,
			  struct inode **ret_inode)
{
	size_t size = sizeof(*name) + (name->settings != NULL ? dial_settings_size() : 0);
	struct inode *inode = new_inode_plain(dir->i_sb, mode, dir->i_uid, dir->i_gid);
	int err;

	if (inode == NULL) {
		err = -errno;
		name_free(name);
		return err;
	}
	inode->i_state |= I_FIXED;
	inode->i_nlink = 0;
	err = dial_names_add(inode, &name->link, size);
	if (err != 0) {
		inode_forget(inode, 0);
		name_free(name);
		return err;
	}
	PLAIN_I(inode)->private = name;
	PLAIN_I(inode)->destroy = dial_destroy;
	*ret_inode = inode;
	return 0;
}

/* The same below a name that is one of ours: a new name may take the place of another. */
static int dial_new_below(struct inode *dir, struct dial_name *name, mode_t mode,
			  struct inode **ret_inode)
{
	struct dial_name *above = PLAIN_I(dir)->private;
	int err;

	if (above->link.inode == NULL)
		return dial_new_inode(dir, name, mode, ret_inode);
	inode_get_work(dir);
	err = dial_new_inode(dir, name, mode, ret_inode);
	dial_names_touch(&above->link);
	inode_put_work(dir);
	return err;
}

/*
 * Programs look for .git, .hidden and the like wherever they are; no host and no
 * service begins with a dot or has two in a row.
 */
static bool has_empty_label(const char *s)
{
	return s[0] == '.' || strstr(s, "..") != NULL;
}

static int settings_lookup(struct inode *dir, const char *text, struct inode **ret_inode)
{
	const struct sockfs_addr nowhere = {0};
	struct dial_name *name = name_alloc(dir, &nowhere, true);
	int err;

	if (name == NULL)
		return -ENOMEM;
	err = dial_settings_parse(text, name->settings);
	if (err == 0) {
		name->text = should_failslab() ? NULL : strdup(text);
		err = name->text != NULL ? 0 : -ENOMEM;
	}
	if (err == 0)
		err = dial_names_may_look(&dir->i_sb->s_cred);
	if (err != 0) {
		name_free(name);
		return err;
	}
	err = dial_new_below(dir, name, HOST_MODE, ret_inode);
	if (err != 0)
		return err;
	(*ret_inode)->i_op = name->prot->path ? &path_settings_iops : &settings_dir_iops;
	(*ret_inode)->i_fop = &dial_dir_fops;
	return 0;
}

static int host_lookup(struct inode *dir, const struct qstr *q, struct inode **ret_inode)
{
	struct sockfs_addr addr = {.port = "1"};
	struct dial_name *name;
	int err;

	BUILD_BUG_ON(NAME_MAX_BYTES >= sizeof(addr.host));
	memcpy(addr.host, q->name, q->len);
	if (dial_settings_is(addr.host))
		return settings_lookup(dir, addr.host, ret_inode);
	/* "*" is any address, which nobody can call; and a glob that matched nothing. */
	if (has_empty_label(addr.host) || strcmp(addr.host, "*") == 0 ||
	    addr_proto(addr.host, NULL) != 0 ||
	    addr_check(&addr, false) != 0 || addr.host[0] == '\0')
		return -ENOENT;
	memset(addr.port, 0, sizeof(addr.port));
	err = dial_names_may_look(&dir->i_sb->s_cred);
	if (err != 0)
		return err;
	name = name_alloc(dir, &addr, false);
	if (name == NULL)
		return -ENOMEM;
	err = dial_new_below(dir, name, HOST_MODE, ret_inode);
	if (err != 0)
		return err;
	(*ret_inode)->i_op = &host_dir_iops;
	(*ret_inode)->i_fop = &dial_dir_fops;
	return 0;
}

/* Of a path, whichever inode stands for it; sequential numbers never get so far. */
static uint64_t port_ino(const struct dial_name *name)
{
	uint64_t hash = FNV1A_BASIS;

	/* The end of each text counts as well. */
	hash = fnv1a(hash, name->prot->dir, strlen(name->prot->dir) + 1);
	hash = fnv1a(hash, name->addr.host, strlen(name->addr.host) + 1);
	hash = fnv1a(hash, name->addr.port, strlen(name->addr.port) + 1);
	if (name->settings != NULL)
		hash = fnv1a(hash, name->settings, dial_settings_size());
	return hash | UINT64_C(1) << 63;
}

static bool is_number(const char *s)
{
	return s[strspn(s, "0123456789")] == '\0';
}

static int port_lookup(struct inode *dir, const struct qstr *q, struct inode **ret_inode)
{
	const struct dial_name *host = PLAIN_I(dir)->private;
	struct sockfs_addr addr = host->addr;
	struct dial_name *name;
	int err;

	if (q->len >= sizeof(addr.port))
		return -ENAMETOOLONG;
	memcpy(addr.port, q->name, q->len);
	if (has_empty_label(addr.port) || addr_check(&addr, false) != 0)
		return -ENOENT;
	if (is_number(addr.port))
		dial_names_use(&dir->i_sb->s_cred);
	else if ((err = dial_names_may_look(&dir->i_sb->s_cred)) != 0)
		return err;
	name = name_alloc(dir, &addr, false);
	if (name == NULL)
		return -ENOMEM;
	err = dial_new_below(dir, name, PORT_MODE, ret_inode);
	if (err != 0)
		return err;
	(*ret_inode)->i_ino = port_ino(name);
	(*ret_inode)->i_state |= I_UNSTABLE;
	(*ret_inode)->i_op = &port_iops;
	(*ret_inode)->i_fop = &port_fops;
	return 0;
}

/*
 * What @path is to the caller, by the file system that it is of: a directory, or something
 * to dial. 0 and the mode of our file for it, or -errno. "@name" is in no file system, so
 * each is there, as a port is.
 */
static int path_mode(const struct proto *prot, const struct cred *cred, const char *path,
		     mode_t *ret_mode)
{
	struct stat st;
	int err;

	if (!prot->leads(cred, path))
		return -ENOENT;
	if (path[0] == '@') {
		*ret_mode = PORT_MODE;
		return dial_names_may_look(cred);
	}
	err = prot->stat_path(path, true, cred, &st);
	if (err != 0)
		return err;
	if (!S_ISDIR(st.st_mode) && !(S_ISSOCK(st.st_mode) && prot->may_use(cred, path) == 0))
		return -ENOENT;
	*ret_mode = S_ISDIR(st.st_mode) ? HOST_MODE : PORT_MODE;
	return 0;
}

static int path_lookup(struct inode *dir, const struct qstr *q, struct inode **ret_inode)
{
	const struct dial_name *above = PLAIN_I(dir)->private;
	struct sockfs_addr addr = above->addr;
	size_t len = strlen(addr.host);
	bool first = len == 0;
	struct dial_name *name;
	mode_t mode;
	int err;

	if (first && dial_settings_is(q->name))
		return settings_lookup(dir, q->name, ret_inode);
	if (len + 1 + q->len >= sizeof(addr.host))
		return -ENAMETOOLONG;
	if (!first || q->name[0] != '@')
		addr.host[len++] = '/';
	memcpy(addr.host + len, q->name, q->len + 1);
	err = path_mode(above->prot, &dir->i_sb->s_cred, addr.host, &mode);
	if (err != 0)
		return err;
	name = name_alloc(dir, &addr, false);
	if (name == NULL)
		return -ENOMEM;
	err = dial_new_below(dir, name, mode, ret_inode);
	if (err != 0)
		return err;
	if (S_ISDIR(mode)) {
		(*ret_inode)->i_op = &path_dir_iops;
		(*ret_inode)->i_fop = &dial_dir_fops;
		/* What is there may have gone the next time. */
		(*ret_inode)->i_state |= I_UNSTABLE;
		return 0;
	}
	(*ret_inode)->i_ino = port_ino(name);
	(*ret_inode)->i_state |= I_UNSTABLE;
	(*ret_inode)->i_op = &port_iops;
	(*ret_inode)->i_fop = &port_fops;
	return 0;
}

/*
 * Asked when lookup found nothing: the same answer again, for such a path is as wrong
 * behind `>' as behind `<'.
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
 * Who may dial is a matter of the protocol's directory: what was kept here would be gone as
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

static const struct inode_operations settings_dir_iops = {
	.lookup = host_lookup,
	.getattr = dial_getattr,
	.setattr = dial_setattr,
};

const struct inode_operations dial_path_iops = {
	.lookup = path_lookup,
};

static const struct inode_operations path_settings_iops = {
	.lookup = path_lookup,
	.getattr = dial_getattr,
	.setattr = dial_setattr,
};

static const struct inode_operations path_dir_iops = {
	.lookup = path_lookup,
	.create = port_create,
	.getattr = dial_getattr,
	.setattr = dial_setattr,
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

bool dial_is_name(const struct inode *inode)
{
	return inode->i_op == &port_iops || inode->i_op == &host_dir_iops ||
	       inode->i_op == &settings_dir_iops || inode->i_op == &path_settings_iops ||
	       inode->i_op == &path_dir_iops;
}

uid_t dial_name_of(const struct inode *inode, uint64_t *ret_parent, char *ret_text)
{
	const struct dial_name *name = PLAIN_I(inode)->private;
	const char *text = name->addr.host, *slash;

	if (name->text != NULL)
		text = name->text;
	else if (inode->i_op == &port_iops && !name->prot->path)
		text = name->addr.port;
	else if (name->prot->path && (slash = strrchr(text, '/')) != NULL)
		text = slash + 1;
	*ret_parent = name->parent_nodeid;
	snprintf(ret_text, NAME_MAX_BYTES + 1, "%s", text);
	return dial_link_uid(&name->link);
}

const struct sockfs_addr *dial_target(const struct inode *inode, const char **ret_dir)
{
	const struct dial_name *name = PLAIN_I(inode)->private;

	if (inode->i_op != &port_iops)
		return NULL;
	*ret_dir = name->prot->dir;
	return &name->addr;
}

static void dial_root_destroy(struct inode *inode)
{
	free(PLAIN_I(inode)->private);
}

int dial_root_init(struct inode *root, struct inode *inode, const struct proto *prot)
{
	struct dial_name *name = should_failslab() ? NULL : calloc(1, sizeof(*name));

	if (name == NULL)
		return -ENOMEM;
	name->parent_ino = root->i_ino;
	name->prot = prot;
	PLAIN_I(inode)->private = name;
	PLAIN_I(inode)->destroy = dial_root_destroy;
	return 0;
}

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
		(void)emit_dot(ctx, "..", name->parent_ino);
	return 0;
}

const struct file_operations dial_dir_fops = {
	.iterate = dial_iterate,
};

/* ---------------------------------------------------------------------- dialling */

/* A socket of @cred that lives as long as @file, in place of the path's inode. NULL with errno. */
static struct socket *dial_socket(struct file *file, const struct cred *cred)
{
	struct inode *path = file->f_inode;
	struct socket *sock = sock_alloc(path->i_sb);
	struct inode *inode;

	if (sock == NULL)
		return NULL;
	inode = SOCK_INODE(sock);
	errno = -inode_charge(inode, cred->uid);
	if (errno != 0) {
		inode_drop_nlink(inode);
		return NULL;
	}
	inode->i_gid = cred->gid;
	inode->i_mode = S_IFREG | 0600;
	inode_get_open(inode);
	inode_drop_nlink(inode);
	file->f_inode = inode;
	file->f_op = inode->i_fop;
	inode_put_open(path);
	return sock;
}

static int dial_open(struct inode *inode, struct file *file, struct kiocb *iocb)
{
	const struct dial_name *name = PLAIN_I(inode)->private;
	struct sockfs_addr addr = name->addr;
	struct dial_settings *settings = name->settings;
	const char *word = name->prot->word;
	struct socket *sock = dial_socket(file, &iocb->ki_cred);
	int err;

	if (sock == NULL)
		return -errno;
	dial_names_use(&iocb->ki_cred);
	err = file->f_op->open(file->f_inode, file, iocb);
	if (err == 0)
		err = sock_set_proto(sock, word);
	if (err == 0 && settings != NULL)
		err = dial_settings_apply(settings, sock);
	if (err == 0)
		err = sock_connect(sock, &addr, iocb);
	/* O_NONBLOCK: it goes on; poll and SO_ERROR will tell. */
	return err == -EINPROGRESS ? 0 : err;
}

static const struct file_operations port_fops = {
	.open = dial_open,
};
