/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The family of UNIX sockets. Twin of net/unix/af_unix.c: unix_family_ops.
 */
#include "config.h"

#include <errno.h>
#include <sys/socket.h>

#include "net/core/core.h"
#include "net/unix/unix.h"

/* net/unix/af_unix.c: unix_stream_ops. */
static const struct proto_ops unix_stream_ops = {
	.prot = &unix_prot,
	.release = unix_release,
	.bind = unix_bind,
	.connect = unix_connect,
	.listen = unix_listen,
	.accept = stream_accept,
	.shutdown = unix_shutdown,
	.abort = unix_abort,
	.getname = sock_common_getname,
	.setsockopt = sock_common_setsockopt,
	.getsockopt = sock_common_getsockopt,
	.sendmsg = stream_sendmsg,
	.recvmsg = stream_recvmsg,
	.poll = sock_common_poll,
	.queues = sock_common_queues,
	.sync = sock_common_sync,
	.info = sock_common_info,
};

static int unix_create(struct socket *sock, int type, int protocol)
{
	if (type != SOCK_STREAM)
		return -ESOCKTNOSUPPORT;
	if (protocol != 0)
		return -EPROTONOSUPPORT;
	sock->ops = &unix_stream_ops;
	return 0;
}

static const struct net_proto_family unix_family = {
	.family = AF_UNIX,
	.create = unix_create,
};

int unix_init(void)
{
	int err = proto_register(&unix_prot);

	if (err != 0)
		return err;
	err = sock_register(&unix_family);
	if (err != 0)
		(void)proto_unregister(&unix_prot);
	return err;
}

int unix_exit(void)
{
	sock_unregister(unix_family.family);
	unix_policy_clear();
	unix_mounts_exit();
	return proto_unregister(&unix_prot);
}
