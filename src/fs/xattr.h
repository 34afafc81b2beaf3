/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Extended attributes that are kept with an inode as they come: labels.
 * Twin of include/linux/xattr.h: simple_xattr.
 */
#ifndef FS_XATTR_H
#define FS_XATTR_H

#include "fs/fs.h"

/* At most this many, and this many bytes of names and values together. */
#define SIMPLE_XATTRS_MAX 128
#define SIMPLE_XATTRS_BYTES (128u << 10)

/*
 * As getxattr(2): @size 0 asks for the length. The length, -ENODATA, or
 * -ERANGE when @size is too small.
 */
ssize_t simple_xattr_get(const struct inode *inode, const char *name, void *value, size_t size);

/*
 * As setxattr(2), @flags 0, XATTR_CREATE or XATTR_REPLACE; @value NULL removes.
 * 0, -EEXIST, -ENODATA, -ENOMEM, -ENOSPC (over one of the limits above), -EINVAL
 * (flags). On failure nothing has changed.
 */
int simple_xattr_set(struct inode *inode, const char *name, const void *value, size_t size,
		     int flags);

/*
 * The names, each with its NUL, in the order they were first set; @size 0 asks
 * for the length. The length, or -ERANGE.
 */
ssize_t simple_xattr_list(const struct inode *inode, char *list, size_t size);

/* All of them go. */
void simple_xattrs_free(struct inode *inode);

#endif /* FS_XATTR_H */
