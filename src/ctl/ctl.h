/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of this room share: the operations, the control files of .ctl,
 * and the extended attributes.
 */
#ifndef CTL_CTL_H
#define CTL_CTL_H

#include "fs/fs.h"

struct operation;
struct proto;
struct sockfs_addr;
struct socket;

/* ioctl.c ----------------------------------------------------------------- */

/*
 * One operation on @sock, whoever asks: @arg as the ioctl takes it, and only as
 * long as this call. May park @iocb (connect, bind; accept only for the socket's
 * own files). What the descriptor is open for has been checked before.
 */
ssize_t sock_operation(struct socket *sock, struct kiocb *iocb, const struct operation *op,
		       void *arg);

/*
 * ioctl(2) on a control file: the same on its socket, but for what may have to wait
 * (connect, bind, accept: -ENOTTY). -ESTALE: the socket is gone.
 */
ssize_t ctl_ioctl(struct kiocb *iocb, unsigned int cmd, void *arg);

/*
 * ioctl(2) on a socket file: include/sockfs/ioctl.h. -EBADF if the descriptor
 * is not open for what the command needs, -ENOTTY for a command that is not
 * ours. May park (connect, bind, accept). net/socket.c: sock_ioctl.
 */
ssize_t face_ioctl(struct kiocb *iocb, unsigned int cmd, void *arg);

/* mirror.c ---------------------------------------------------------------- */

/*
 * The st_ino of the mirror of the inode with the st_ino @ino, known before there is
 * one; readdir tells it. Real ones stay below.
 */
uint64_t ctl_ino(uint64_t ino);

/* The real inode of the mirror @mirror; NULL: it is gone. */
struct inode *ctl_real(const struct inode *mirror);

/* The socket of the control file @inode; NULL: it is gone, or closed for good. */
struct socket *ctl_socket(const struct inode *inode);

/* ctl_tree.c -------------------------------------------------------------- */

/* Is @inode below .ctl, whatever has become of the real one? */
bool ctl_is_mirror(const struct inode *inode);

/* Make @inode, the directory .ctl, the mirror of @root. 0. */
int ctl_root_init(struct inode *root, struct inode *inode);

/* The mirror of @real, made if there is none. 0 or -errno. */
int ctl_mirror(struct inode *real, struct inode **ret_inode);

/* The real inode that @inode is the mirror of; NULL: it is none, or that one is gone. */
struct inode *ctl_mirrored(const struct inode *inode);

/* The files in the mirror: read (status.c) and write (text.c). */
extern const struct file_operations ctl_file_fops;

/* dial.c ------------------------------------------------------------------ */

/*
 * What the file @inode dials, and below which directory of the root it is; NULL: it is no
 * such file.
 */
const struct sockfs_addr *dial_target(const struct inode *inode, const char **ret_dir);
/*
 * Is @inode below such a directory? Then: what it was looked up by, in the directory with the
 * nodeid *@ret_parent, to @ret_text, NAME_MAX_BYTES and a NUL at most; and who has done so.
 */
bool dial_is_name(const struct inode *inode);
uid_t dial_name_of(const struct inode *inode, uint64_t *ret_parent, char *ret_text);
/* Make @inode, a directory of @root, the one where @prot dials. 0 or -ENOMEM. */
int dial_root_init(struct inode *root, struct inode *inode, const struct proto *prot);

/* proc.c ------------------------------------------------------------------ */

/* Make the files in @inode, the directory .proc. 0 or -errno. */
int proc_root_init(struct inode *root, struct inode *inode);

/* text.c ------------------------------------------------------------------ */

/*
 * Commands, one a line: the result is all bytes, or the error of the first line
 * that failed. -ESTALE: the socket is gone. Parks while a command waits.
 */
ssize_t ctl_write_iter(struct kiocb *iocb, struct iov_iter *from);

/* status.c ---------------------------------------------------------------- */

/* The status as it was when this open file was read at offset 0, or first. */
ssize_t ctl_read_iter(struct kiocb *iocb, struct iov_iter *to);
/* The length of that status, which is taken now if it was not read yet; or -errno. */
off_t ctl_size(struct file *file);
/* Free what the reading has left in @file. */
void ctl_release(struct inode *inode, struct file *file);

/* xattr.c ----------------------------------------------------------------- */

/*
 * As the i_op of the same names (fs/fs.h). A socket has system.sockprotoname and
 * user.sockfs.*, which nobody may change (-EPERM), and labels (user.*, limits in
 * fs/xattr.h); directories have labels. -EOPNOTSUPP: all other names.
 */
ssize_t face_getxattr(struct inode *inode, const char *name, void *value, size_t size);
ssize_t face_listxattr(struct inode *inode, char *list, size_t size);
ssize_t label_getxattr(struct inode *inode, const char *name, void *value, size_t size);
ssize_t label_listxattr(struct inode *inode, char *list, size_t size);
int label_setxattr(struct inode *inode, const char *name, const void *value, size_t size,
		   int flags);
int label_removexattr(struct inode *inode, const char *name);

#endif /* CTL_CTL_H */
