/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The operations on a socket (uapi/operation.h), a function each, and the ioctls that
 * reach them. The text face (text.c) calls the same functions.
 *
 * The argument comes as bytes of the size that the command encodes. Nothing in
 * it is trusted: text must end, numbers must be in range, each is checked
 * where it is used (addr_check, sockopt_value, the states in net/socket.c).
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "ctl/ctl.h"
#include "ctl/faces.h"
#include "net/core/dial.h"
#include "net/socket.h"
#include "uapi/addr.h"
#include "uapi/operation.h"

static ssize_t ioc_connect(struct socket *sock, struct kiocb *iocb, void *arg)
{
	int err = addr_check(arg, false);

	return err != 0 ? err : sock_connect(sock, arg, iocb);
}

static ssize_t ioc_bind(struct socket *sock, struct kiocb *iocb, void *arg)
{
	int err = addr_check(arg, true);

	return err != 0 ? err : sock_bind(sock, arg, iocb);
}

static ssize_t ioc_listen(struct socket *sock, struct kiocb *iocb, void *arg)
{
	__s32 backlog;

	memcpy(&backlog, arg, sizeof(backlog));
	if (backlog < 0)
		return -EINVAL;
	return sock_ask_listen(sock, backlog, iocb);
}

static ssize_t ioc_accept(struct socket *sock, struct kiocb *iocb, void *arg)
{
	return sock_accept(sock, iocb, arg);
}

static ssize_t ioc_tls(struct socket *sock, struct kiocb *iocb, void *arg)
{
	struct sockfs_addr *name = arg;
	int err = addr_check_name(name);

	if (err != 0)
		return err;
	return sock_set_ulp(sock, "tls", name->host[0] != '\0' ? name->host : NULL, iocb);
}

static ssize_t ioc_shutdown(struct socket *sock, struct kiocb *iocb, void *arg)
{
	__s32 how;

	(void)iocb;
	memcpy(&how, arg, sizeof(how));
	return sock_shutdown(sock, how);
}

static ssize_t ioc_abort(struct socket *sock, struct kiocb *iocb, void *arg)
{
	(void)iocb;
	(void)arg;
	return sock_abort(sock);
}

static ssize_t ioc_getsockname(struct socket *sock, struct kiocb *iocb, void *arg)
{
	(void)iocb;
	memset(arg, 0, sizeof(struct sockfs_addr));
	return sock_getname(sock, arg, false);
}

static ssize_t ioc_getpeername(struct socket *sock, struct kiocb *iocb, void *arg)
{
	(void)iocb;
	memset(arg, 0, sizeof(struct sockfs_addr));
	return sock_getname(sock, arg, true);
}

static ssize_t ioc_setsockopt(struct socket *sock, struct kiocb *iocb, void *arg)
{
	const struct sockfs_sockopt *opt = arg;

	(void)iocb;
	if (opt->level == SOL_SOCKFS && opt->name == SOCKFS_SO_PROTO)
		return sock_setsockopt_proto(sock, opt);
	return sock_setsockopt(sock, arg);
}

static ssize_t ioc_getsockopt(struct socket *sock, struct kiocb *iocb, void *arg)
{
	(void)iocb;
	return sock_getsockopt(sock, arg);
}

static ssize_t ioc_settext(struct socket *sock, struct kiocb *iocb, void *arg)
{
	(void)iocb;
	return sock_set_text(sock, arg);
}

static ssize_t ioc_gettext(struct socket *sock, struct kiocb *iocb, void *arg)
{
	(void)iocb;
	return sock_get_text(sock, arg);
}

static ssize_t ioc_join(struct socket *sock, struct kiocb *iocb, void *arg)
{
	(void)iocb;
	return sock_membership(sock, arg, true);
}

static ssize_t ioc_leave(struct socket *sock, struct kiocb *iocb, void *arg)
{
	(void)iocb;
	return sock_membership(sock, arg, false);
}

static ssize_t ioc_sendempty(struct socket *sock, struct kiocb *iocb, void *arg)
{
	(void)iocb;
	(void)arg;
	return sock_send_empty(sock);
}

static ssize_t ioc_queue(struct socket *sock, void *arg, bool out)
{
	uint32_t inq, outq;
	int err = sock_queues(sock, &inq, &outq);

	if (err == 0)
		memcpy(arg, out ? &outq : &inq, sizeof(inq));
	return err;
}

static ssize_t ioc_inq(struct socket *sock, struct kiocb *iocb, void *arg)
{
	(void)iocb;
	return ioc_queue(sock, arg, false);
}

static ssize_t ioc_outq(struct socket *sock, struct kiocb *iocb, void *arg)
{
	(void)iocb;
	return ioc_queue(sock, arg, true);
}

static ssize_t ioc_info(struct socket *sock, struct kiocb *iocb, void *arg)
{
	(void)iocb;
	sock_get_info(sock, arg);
	return 0;
}

#define FUNCTION(name, ...) ioc_##name,

/* In the order of operations[]. */
static ssize_t (*const functions[])(struct socket *sock, struct kiocb *iocb, void *arg) = {
	OPERATIONS(FUNCTION)};

ssize_t sock_operation(struct socket *sock, struct kiocb *iocb, const struct operation *op,
		       void *arg)
{
	return functions[op - operations](sock, iocb, arg);
}

static int may_operate(const struct operation *op, const struct file *file)
{
	if (op->need == OP_NEED_WRITE && !file_writable(file))
		return -EBADF;
	if (op->need == OP_NEED_READ && !file_readable(file))
		return -EBADF;
	return 0;
}

ssize_t ctl_ioctl(struct kiocb *iocb, unsigned int cmd, void *arg)
{
	const struct operation *op = operation_by_cmd(cmd);
	struct socket *sock = ctl_socket(iocb->ki_filp->f_inode);
	int err;

	/* What waits is parked with the open file of a socket, which this is not. */
	if (op == NULL || op->flags & OP_WAITS)
		return -ENOTTY;
	if (sock == NULL)
		return -ESTALE;
	err = may_operate(op, iocb->ki_filp);
	return err != 0 ? err : sock_operation(sock, iocb, op, arg);
}

ssize_t face_ioctl(struct kiocb *iocb, unsigned int cmd, void *arg)
{
	const struct operation *op = operation_by_cmd(cmd);
	int err;

	if (op == NULL)
		return -ENOTTY;
	iocb->ki_call = op->name;
	err = may_operate(op, iocb->ki_filp);
	return err != 0 ? err : sock_operation(SOCKET_I(iocb->ki_filp->f_inode), iocb, op, arg);
}
