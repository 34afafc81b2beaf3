/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The faces of a socket: other ways to the same operations.
 */
#ifndef CTL_FACES_H
#define CTL_FACES_H

#include "fs/fs.h"

/*
 * ioctl(2) on a socket file: include/sockfs/ioctl.h. -EBADF if the descriptor
 * is not open for what the command needs, -ENOTTY for a command that is not
 * ours. May park (connect, bind, accept). net/socket.c: sock_ioctl.
 */
ssize_t sock_ioctl(struct kiocb *iocb, unsigned int cmd, void *arg);

#endif /* CTL_FACES_H */
