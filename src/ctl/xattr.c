/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Extended attributes of a socket: what it is and does, read-only, and the
 * labels of its users.
 *
 * Twin of net/socket.c: sockfs_xattr_handlers, and fs/xattr.c for the rest. The
 * kernel has checked who may (user.* needs the file's read or write permission)
 * before it asks.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "ctl/ctl.h"
#include "fs/xattr.h"
#include "lib/util.h"
#include "net/proto_ops.h"
#include "net/socket.h"
#include "uapi/addr.h"

#define USER "user."
#define USER_SOCKFS "user.sockfs." /* ours, also those that are not there yet */

/* Room for the longest of the values below. */
#define VALUE_MAX ADDR_TEXT_MAX

/* As net/socket.c: sockfs_xattr_get, which counts the NUL. */
static size_t get_protoname(struct socket *sock, char *buf)
{
	return (size_t)(stpcpy(buf, sock->ops->prot->name) - buf) + 1;
}

static size_t get_state(struct socket *sock, char *buf)
{
	return (size_t)(stpcpy(buf, sock_state_name(sock_current_state(sock))) - buf);
}

/* "-" when unset, as in the status. */
static size_t get_name(struct socket *sock, char *buf, bool peer)
{
	struct sockfs_addr addr = {.host = ""};

	(void)sock_getname(sock, &addr, peer);
	return strlen(addr_format(&addr, buf, VALUE_MAX));
}

static size_t get_local(struct socket *sock, char *buf)
{
	return get_name(sock, buf, false);
}

static size_t get_remote(struct socket *sock, char *buf)
{
	return get_name(sock, buf, true);
}

static const struct attribute {
	const char *name;
	size_t (*get)(struct socket *sock, char *buf); /* the length */
} attributes[] = {
	{"system.sockprotoname", get_protoname},
	{USER_SOCKFS "state", get_state},
	{USER_SOCKFS "local", get_local},
	{USER_SOCKFS "remote", get_remote},
};

static const struct attribute *find_attribute(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++)
		if (strcmp(attributes[i].name, name) == 0)
			return &attributes[i];
	return NULL;
}

static bool begins(const char *name, const char *prefix)
{
	return strncmp(name, prefix, strlen(prefix)) == 0;
}

/* May @name be a label? 0, -EINVAL (nothing behind the dot), -EOPNOTSUPP. */
static int check_label(const char *name)
{
	if (!begins(name, USER))
		return -EOPNOTSUPP;
	return name[strlen(USER)] == '\0' ? -EINVAL : 0;
}

/* ... and may it be changed? Also -EPERM. */
static int check_change(const char *name)
{
	if (find_attribute(name) != NULL || begins(name, USER_SOCKFS))
		return -EPERM;
	return check_label(name);
}

ssize_t label_getxattr(struct inode *inode, const char *name, void *value, size_t size)
{
	int err = check_label(name);

	return err != 0 ? err : simple_xattr_get(inode, name, value, size);
}

int label_setxattr(struct inode *inode, const char *name, const void *value, size_t size, int flags)
{
	int err = check_change(name);

	/* NULL would remove it. */
	return err != 0 ? err : simple_xattr_set(inode, name, size > 0 ? value : "", size, flags);
}

int label_removexattr(struct inode *inode, const char *name)
{
	int err = check_change(name);

	return err != 0 ? err : simple_xattr_set(inode, name, NULL, 0, 0);
}

ssize_t face_getxattr(struct inode *inode, const char *name, void *value, size_t size)
{
	const struct attribute *attr = find_attribute(name);
	char buf[VALUE_MAX];
	size_t len;

	if (attr == NULL)
		return label_getxattr(inode, name, value, size);
	len = attr->get(SOCKET_I(inode), buf);
	if (size > 0 && size < len)
		return -ERANGE;
	if (size > 0)
		memcpy(value, buf, len);
	return (ssize_t)len;
}

/* Ours first, then the labels. net/socket.c: sockfs_listxattr. */
ssize_t face_listxattr(struct inode *inode, char *list, size_t size)
{
	size_t used = 0;
	ssize_t labels;

	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++) {
		size_t len = strlen(attributes[i].name) + 1;

		if (size > 0 && size - used < len)
			return -ERANGE;
		if (size > 0)
			memcpy(list + used, attributes[i].name, len);
		used += len;
	}
	labels = simple_xattr_list(inode, NULL, 0);
	if (labels == 0 || size == 0)
		return labels + (ssize_t)used;
	/* A size of 0 would ask again. */
	if (size - used < (size_t)labels)
		return -ERANGE;
	return simple_xattr_list(inode, list + used, size - used) + (ssize_t)used;
}

ssize_t label_listxattr(struct inode *inode, char *list, size_t size)
{
	return simple_xattr_list(inode, list, size);
}
