/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The operations of a socket file as ioctls: one table, one line an ioctl.
 *
 * The argument comes as bytes of the size that the command encodes. Nothing in
 * it is trusted: text must end, numbers must be in range, each is checked
 * where it is used (addr_check, sockopt_value, the states in net/socket.c).
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "ctl/faces.h"
#include "fs/dcache.h"
#include "net/addr.h"
#include "net/socket.h"
#include "sockfs/ioctl.h"

enum need { NEED_NOTHING, NEED_WRITE, NEED_READ };

static struct socket *iocb_socket(const struct kiocb *iocb)
{
	return SOCKET_I(iocb->ki_filp->f_inode);
}

static ssize_t ioc_connect(struct kiocb *iocb, void *arg)
{
	int err = addr_check(arg, false);

	return err != 0 ? err : sock_connect(iocb_socket(iocb), arg, iocb);
}

static ssize_t ioc_bind(struct kiocb *iocb, void *arg)
{
	int err = addr_check(arg, true);

	return err != 0 ? err : sock_bind(iocb_socket(iocb), arg, iocb);
}

static ssize_t ioc_listen(struct kiocb *iocb, void *arg)
{
	__s32 backlog;

	memcpy(&backlog, arg, sizeof(backlog));
	if (backlog < 0)
		return -EINVAL;
	return sock_listen(iocb_socket(iocb), backlog);
}

static void fill_accept(struct sockfs_accept *ret, struct inode *inode)
{
	memset(ret, 0, sizeof(*ret));
	ret->ino = inode->i_ino;
	strcpy(ret->name, dentry_name(d_find_alias(inode)));
	/* A peer that has gone already has no address any more. */
	(void)sock_getname(SOCKET_I(inode), &ret->peer, true);
}

static void on_accepted(struct kiocb *iocb, ssize_t ret)
{
	if (ret == 0)
		fill_accept(iocb->ki_result, iocb->ki_private);
	iocb->ki_final(iocb, ret);
}

static ssize_t ioc_accept(struct kiocb *iocb, void *arg)
{
	struct inode *inode;
	ssize_t ret;

	iocb->ki_result = arg;
	iocb->ki_final = iocb->ki_complete;
	iocb->ki_complete = on_accepted;
	ret = sock_accept(iocb_socket(iocb), iocb, &inode);
	if (ret == -EIOCBQUEUED)
		return ret;
	iocb->ki_complete = iocb->ki_final;
	if (ret == 0)
		fill_accept(arg, inode);
	return ret;
}

static ssize_t ioc_shutdown(struct kiocb *iocb, void *arg)
{
	__s32 how;

	memcpy(&how, arg, sizeof(how));
	return sock_shutdown(iocb_socket(iocb), how);
}

static ssize_t ioc_abort(struct kiocb *iocb, void *arg)
{
	(void)arg;
	return sock_abort(iocb_socket(iocb));
}

static ssize_t ioc_getsockname(struct kiocb *iocb, void *arg)
{
	memset(arg, 0, sizeof(struct sockfs_addr));
	return sock_getname(iocb_socket(iocb), arg, false);
}

static ssize_t ioc_getpeername(struct kiocb *iocb, void *arg)
{
	memset(arg, 0, sizeof(struct sockfs_addr));
	return sock_getname(iocb_socket(iocb), arg, true);
}

static ssize_t ioc_setsockopt(struct kiocb *iocb, void *arg)
{
	return sock_setsockopt(iocb_socket(iocb), arg);
}

static ssize_t ioc_getsockopt(struct kiocb *iocb, void *arg)
{
	return sock_getsockopt(iocb_socket(iocb), arg);
}

static ssize_t ioc_queue(struct kiocb *iocb, void *arg, bool out)
{
	uint32_t inq, outq;
	int err = sock_queues(iocb_socket(iocb), &inq, &outq);

	if (err == 0)
		memcpy(arg, out ? &outq : &inq, sizeof(inq));
	return err;
}

static ssize_t ioc_inq(struct kiocb *iocb, void *arg)
{
	return ioc_queue(iocb, arg, false);
}

static ssize_t ioc_outq(struct kiocb *iocb, void *arg)
{
	return ioc_queue(iocb, arg, true);
}

static ssize_t ioc_info(struct kiocb *iocb, void *arg)
{
	sock_get_info(iocb_socket(iocb), arg);
	return 0;
}

static const struct {
	unsigned int cmd;
	enum need need;
	ssize_t (*fn)(struct kiocb *iocb, void *arg);
} ioctls[] = {
	{SOCKFS_IOC_CONNECT, NEED_WRITE, ioc_connect},
	{SOCKFS_IOC_BIND, NEED_WRITE, ioc_bind},
	{SOCKFS_IOC_LISTEN, NEED_WRITE, ioc_listen},
	{SOCKFS_IOC_ACCEPT, NEED_READ, ioc_accept},
	{SOCKFS_IOC_SHUTDOWN, NEED_WRITE, ioc_shutdown},
	{SOCKFS_IOC_ABORT, NEED_WRITE, ioc_abort},
	{SOCKFS_IOC_GETSOCKNAME, NEED_NOTHING, ioc_getsockname},
	{SOCKFS_IOC_GETPEERNAME, NEED_NOTHING, ioc_getpeername},
	{SOCKFS_IOC_SETSOCKOPT, NEED_WRITE, ioc_setsockopt},
	{SOCKFS_IOC_GETSOCKOPT, NEED_NOTHING, ioc_getsockopt},
	{SOCKFS_IOC_INQ, NEED_NOTHING, ioc_inq},
	{SOCKFS_IOC_OUTQ, NEED_NOTHING, ioc_outq},
	{SOCKFS_IOC_INFO, NEED_NOTHING, ioc_info},
};

ssize_t sock_ioctl(struct kiocb *iocb, unsigned int cmd, void *arg)
{
	for (size_t i = 0; i < ARRAY_SIZE(ioctls); i++) {
		if (ioctls[i].cmd != cmd)
			continue;
		if (ioctls[i].need == NEED_WRITE && !file_writable(iocb->ki_filp))
			return -EBADF;
		if (ioctls[i].need == NEED_READ && !file_readable(iocb->ki_filp))
			return -EBADF;
		return ioctls[i].fn(iocb, arg);
	}
	return -ENOTTY;
}
