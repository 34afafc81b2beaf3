/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Extended attributes: sizes and buffers; what they mean is the inode's affair.
 */
#include "config.h"

#include "fuse/fuse_i.h"

#include <errno.h>
#include <linux/fuse.h>
#include <linux/limits.h>
#include <string.h>

static int xattr_name_check(const char *name)
{
	size_t len = strlen(name);

	return len == 0 || len > XATTR_NAME_MAX ? -ERANGE : 0;
}

/* @ret: the length asked for (@size 0), the bytes in @buf, or -errno. */
static void reply_xattr(fuse_req_t req, ssize_t ret, const char *buf, size_t size)
{
	const struct fuse_getxattr_out out = {.size = (uint32_t)ret};

	if (ret < 0)
		reply_err(req, ret);
	else if (size == 0)
		reply_buf(req, &out, sizeof(out));
	else
		reply_buf(req, buf, (size_t)ret);
}

void ll_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	char *buf = req_session(req)->scratch;
	struct inode *inode = req_inode(req, ino);
	ssize_t ret;

	if (inode == NULL)
		return;
	if (size > XATTR_SIZE_MAX)
		size = XATTR_SIZE_MAX;
	ret = xattr_name_check(name);
	if (ret == 0)
		ret = inode->i_op->getxattr != NULL
			      ? inode->i_op->getxattr(inode, name, buf, size)
			      : -EOPNOTSUPP;
	reply_xattr(req, ret, buf, size);
}

void ll_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	char *buf = req_session(req)->scratch;
	struct inode *inode = req_inode(req, ino);
	ssize_t ret = 0;

	if (inode == NULL)
		return;
	if (size > XATTR_LIST_MAX)
		size = XATTR_LIST_MAX;
	if (inode->i_op->listxattr != NULL)
		ret = inode->i_op->listxattr(inode, buf, size);
	reply_xattr(req, ret, buf, size);
}

void ll_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value,
		 size_t size, int flags)
{
	struct inode *inode = req_inode(req, ino);
	int err;

	if (inode == NULL)
		return;
	err = xattr_name_check(name);
	if (err == 0 && size > XATTR_SIZE_MAX)
		err = -E2BIG;
	if (err == 0 && !session_in_message(req_session(req), value, size))
		err = -EINVAL;
	if (err == 0)
		err = inode->i_op->setxattr != NULL
			      ? inode->i_op->setxattr(inode, name, value, size, flags)
			      : -EOPNOTSUPP;
	reply_err(req, err);
}

void ll_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	struct inode *inode = req_inode(req, ino);
	int err;

	if (inode == NULL)
		return;
	err = xattr_name_check(name);
	if (err == 0)
		err = inode->i_op->removexattr != NULL ? inode->i_op->removexattr(inode, name)
						       : -EOPNOTSUPP;
	reply_err(req, err);
}
