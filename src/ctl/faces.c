/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tables that join a socket file to its faces.
 */
#include "config.h"

#include "ctl/faces.h"

#include "fs/dcache.h"
#include "net/socket.h"

/* net/socket.c: socket_file_ops. */
const struct file_operations socket_file_ops = {
	.open = sock_open,
	.release = sock_close,
	.read_iter = sock_read_iter,
	.write_iter = sock_write_iter,
	.poll = sock_poll,
	.fsync = sock_fsync,
	.ioctl = sock_ioctl,
};

/* net/socket.c: sockfs_inode_ops. */
const struct inode_operations sockfs_inode_ops = {
	.link = simple_link,
};
