/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Socket objects, their states, and the checks before a protocol is asked.
 *
 * The way from an inode to a socket, as in Linux net/socket.c:
 *
 *   sock_alloc()
 *     -> new_inode_pseudo(sb)
 *          -> sb->s_op->alloc_inode  ==  sock_alloc_inode()
 *               -> kmem_cache_alloc(sock_inode_cachep)   one object for both
 *               <- &ei->vfs_inode                        the body
 *     <- SOCKET_I(inode)                                 the head, by subtraction
 */
#include "config.h"

#include "net/socket.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fs/dcache.h"
#include "fs/user.h"
#include "mm/slab.h"
#include "net/proto_ops.h"
#include "net/sock_wait.h"
#include "sockfs/ioctl.h"

int sock_default_connect_timeout, sock_default_rcvtimeo, sock_default_sndtimeo;

static struct kmem_cache *sock_inode_cachep;

/*
 * Runs once per object when its slab is made: what is valid again whenever the
 * object is freed. net/socket.c: init_once.
 */
static void init_once(void *foo)
{
	struct socket_alloc *ei = foo;

	inode_init_once(&ei->vfs_inode);
	LIST_INIT(&ei->socket.wq);
}

/* net/socket.c: sock_alloc_inode. */
static struct inode *sock_alloc_inode(struct super_block *sb)
{
	struct socket_alloc *ei = kmem_cache_alloc(sock_inode_cachep);

	(void)sb;
	if (ei == NULL)
		return NULL;
	ei->socket.state = SS_UNCONNECTED;
	ei->socket.nr_accepted = 0;
	ei->socket.sk = NULL;
	ei->socket.ops = NULL;
	return &ei->vfs_inode;
}

/* net/socket.c: sock_free_inode. */
static void sock_free_inode(struct inode *inode)
{
	kmem_cache_free(sock_inode_cachep, container_of(inode, struct socket_alloc, vfs_inode));
}

/* The last name and the last close: the socket goes. net/socket.c: sock_close. */
static void sock_evict_inode(struct inode *inode)
{
	sock_release(SOCKET_I(inode));
}

const struct super_operations sockfs_ops = {
	.alloc_inode = sock_alloc_inode,
	.free_inode = sock_free_inode,
	.evict_inode = sock_evict_inode,
};

int sock_init(void)
{
	sock_inode_cachep = kmem_cache_create("sock_inode_cache", sizeof(struct socket_alloc), 0,
					      SLAB_HWCACHE_ALIGN, init_once);
	return sock_inode_cachep == NULL ? -ENOMEM : 0;
}

int sock_exit(void)
{
	int err = 0;

	if (sock_inode_cachep != NULL)
		err = kmem_cache_destroy(sock_inode_cachep);
	if (err == 0)
		sock_inode_cachep = NULL;
	return err;
}

/* --------------------------------------------------------- the file's operations */

static const struct sock_face *sock_face;

void sock_register_face(const struct sock_face *face)
{
	sock_face = face;
}

static ssize_t sock_ioctl(struct kiocb *iocb, unsigned int cmd, void *arg)
{
	return sock_face != NULL ? sock_face->ioctl(iocb, cmd, arg) : -ENOTTY;
}

static ssize_t sockfs_getxattr(struct inode *inode, const char *name, void *value, size_t size)
{
	return sock_face != NULL ? sock_face->getxattr(inode, name, value, size) : -EOPNOTSUPP;
}

static ssize_t sockfs_listxattr(struct inode *inode, char *list, size_t size)
{
	return sock_face != NULL ? sock_face->listxattr(inode, list, size) : 0;
}

static int sockfs_setxattr(struct inode *inode, const char *name, const void *value, size_t size,
			   int flags)
{
	return sock_face != NULL ? sock_face->setxattr(inode, name, value, size, flags)
				 : -EOPNOTSUPP;
}

static int sockfs_removexattr(struct inode *inode, const char *name)
{
	return sock_face != NULL ? sock_face->removexattr(inode, name) : -EOPNOTSUPP;
}

/* net/socket.c: socket_file_ops. */
static const struct file_operations socket_file_ops = {
	.open = sock_open,
	.release = sock_close,
	.read_iter = sock_read_iter,
	.write_iter = sock_write_iter,
	.poll = sock_poll,
	.fsync = sock_fsync,
	.ioctl = sock_ioctl,
};

/* net/socket.c: sockfs_inode_ops. */
static const struct inode_operations sockfs_inode_ops = {
	.link = simple_link,
	.getxattr = sockfs_getxattr,
	.listxattr = sockfs_listxattr,
	.setxattr = sockfs_setxattr,
	.removexattr = sockfs_removexattr,
};

/* ------------------------------------------------------------------ families */

static const struct net_proto_family *net_families[NR_FAMILIES];

int sock_register(const struct net_proto_family *fam)
{
	for (size_t i = 0; i < NR_FAMILIES; i++) {
		if (net_families[i] == NULL) {
			net_families[i] = fam;
			return 0;
		}
		if (net_families[i]->family == fam->family)
			return -EEXIST;
	}
	return -ENOBUFS;
}

void sock_unregister(int family)
{
	size_t n = 0;

	/* The others keep their order. */
	for (size_t i = 0; i < NR_FAMILIES && net_families[i] != NULL; i++)
		if (net_families[i]->family != family)
			net_families[n++] = net_families[i];
	while (n < NR_FAMILIES)
		net_families[n++] = NULL;
}

int sock_create(struct socket *sock, int family, int type, int protocol)
{
	for (size_t i = 0; i < NR_FAMILIES && net_families[i] != NULL; i++)
		if (net_families[i]->family == family)
			return net_families[i]->create(sock, type, protocol);
	return -EAFNOSUPPORT;
}

struct socket *sock_alloc(struct super_block *sb)
{
	const struct net_proto_family *pf = net_families[0];
	struct inode *inode = new_inode_pseudo(sb);
	struct socket *sock;
	int err;

	if (inode == NULL)
		return NULL;
	sock = SOCKET_I(inode);
	inode->i_op = &sockfs_inode_ops;
	inode->i_fop = &socket_file_ops;
	err = pf != NULL ? pf->create(sock, SOCK_STREAM, 0) : -EAFNOSUPPORT;
	if (err == 0)
		return sock;
	inode_drop_nlink(inode);
	errno = -err;
	return NULL;
}

struct socket *sock_resume(struct super_block *sb, uint64_t nodeid, uint64_t ino)
{
	struct inode *inode = inode_resume(sb, false, nodeid, ino);

	if (inode == NULL)
		return NULL;
	inode->i_mode = S_IFREG;
	inode->i_op = &sockfs_inode_ops;
	inode->i_fop = &socket_file_ops;
	return SOCKET_I(inode);
}

void sock_resumed(struct socket *sock)
{
	struct inode *inode = SOCK_INODE(sock);

	if (inode->i_state & I_CLEAR)
		return;
	insert_inode_hash(inode);
	inode->i_sb->s_nr_sockets++;
}

void sock_release(struct socket *sock)
{
	if (sock->sk != NULL)
		proto_release(sock);
	if (sock->state != SS_CLOSED)
		sock_set_state(sock, SS_CLOSED);
}

int sockfs_create(struct inode *dir, const struct qstr *name, mode_t mode, const struct cred *cred,
		  struct inode **ret_inode)
{
	struct socket *sock;
	struct inode *inode;
	int err;

	if (d_lookup(dir->i_sb, dir, name) != NULL)
		return -EEXIST;
	sock = sock_alloc(dir->i_sb);
	if (sock == NULL)
		return -errno;
	inode = SOCK_INODE(sock);
	err = inode_charge(inode, cred->uid);
	if (err != 0) {
		inode_drop_nlink(inode);
		return err;
	}
	inode_init_owner(inode, dir, S_IFREG | (mode & 07777 & ~dir->i_sb->s_umask), cred);
	if (d_add(dir, name, inode) == NULL) {
		inode_drop_nlink(inode);
		return -ENOMEM;
	}
	*ret_inode = inode;
	return 0;
}

/* --------------------------------------------------------------- operations */

/*
 * A socket whose last name has gone and that nobody has open has been let go
 * of; its control file may still be open.
 */
static bool sock_gone(const struct socket *sock)
{
	return SOCK_INODE(sock)->i_state & I_CLEAR;
}

int sock_may_bind(const struct socket *sock)
{
	if (sock_gone(sock))
		return -ESTALE;
	return sock->state != SS_UNCONNECTED ? -EINVAL : 0;
}

int sock_may_connect(struct socket *sock)
{
	if (sock_gone(sock))
		return -ESTALE;
	switch (sock_current_state(sock)) {
	case SS_CONNECTED:
	case SS_DISCONNECTING:
		return -EISCONN;
	case SS_CONNECTING:
		return -EALREADY;
	case SS_LISTENING:
		return -EINVAL;
	default:
		break;
	}
	/* It is over and will be another: whoever waits on the old one has to hear of it. */
	if (sock->state == SS_CONNECTED || sock->state == SS_DISCONNECTING) {
		sock_closed(sock);
		sock_state_change(sock);
	}
	return 0;
}

int sock_listen(struct socket *sock, int backlog)
{
	if (sock_gone(sock))
		return -ESTALE;
	if (sock->state != SS_UNCONNECTED && sock->state != SS_LISTENING)
		return -EINVAL;
	return proto_listen(sock, backlog);
}

int sock_shutdown(struct socket *sock, int how)
{
	if (sock_gone(sock))
		return -ESTALE;
	if (how < 0 || how > 2)
		return -EINVAL;
	if (sock->state == SS_UNCONNECTED || sock->state == SS_CONNECTING)
		return -ENOTCONN;
	return proto_shutdown(sock, how);
}

int sock_abort(struct socket *sock)
{
	if (sock_gone(sock))
		return -ESTALE;
	if (sock->state == SS_UNCONNECTED && !sock_is_bound_for_all(sock))
		return -ENOTCONN;
	return proto_abort(sock);
}

int sock_getname(struct socket *sock, struct sockfs_addr *ret_addr, bool peer)
{
	return proto_getname(sock, ret_addr, peer);
}

int sock_membership(struct socket *sock, const struct sockfs_addr *group, bool join)
{
	if (sock_gone(sock))
		return -ESTALE;
	if (sock->ops->membership == NULL)
		return -EOPNOTSUPP;
	return proto_membership(sock, group, join);
}

int sock_send_empty(struct socket *sock)
{
	struct iov_iter nothing;
	char no_byte = 0;
	ssize_t n;

	if (sock_gone(sock))
		return -ESTALE;
	if (!sock_has_messages(sock))
		return -EOPNOTSUPP;
	if (sock->state == SS_LISTENING)
		return -EINVAL;
	if (sock->state == SS_CONNECTING)
		return -ENOTCONN;
	if (sock->state == SS_UNCONNECTED && !sock_is_bound_for_all(sock))
		return -EDESTADDRREQ;
	if (sock->sk == NULL)
		return -EPIPE;
	iov_iter_ubuf(&nothing, &no_byte, 0);
	n = proto_sendmsg(sock, &nothing);
	return n < 0 ? (int)n : 0;
}

int sock_setsockopt(struct socket *sock, const struct sockfs_sockopt *opt)
{
	if (sock_gone(sock))
		return -ESTALE;
	return proto_setsockopt(sock, opt);
}

int sock_getsockopt_next(struct socket *sock, struct sockfs_sockopt *opt, int *blank)
{
	return proto_getsockopt(sock, opt, blank);
}

int sock_getsockopt(struct socket *sock, struct sockfs_sockopt *opt)
{
	int blank = -1;
	int err = sock_getsockopt_next(sock, opt, &blank);

	if (blank >= 0)
		close(blank);
	return err;
}

int sock_queues(struct socket *sock, uint32_t *ret_inq, uint32_t *ret_outq)
{
	return proto_queues(sock, ret_inq, ret_outq);
}

void sock_get_info(struct socket *sock, struct sockfs_info *ret_info)
{
	memset(ret_info, 0, sizeof(*ret_info));
	ret_info->ino = SOCK_INODE(sock)->i_ino;
	snprintf(ret_info->proto, sizeof(ret_info->proto), "%s", sock->ops->prot->word);
	if (sock->sk != NULL) {
		proto_info(sock, ret_info);
		/* Neither can fail in a way that matters: unknown is 0 and "". */
		(void)proto_queues(sock, &ret_info->recvq, &ret_info->sendq);
		(void)proto_getname(sock, &ret_info->local, false);
		(void)proto_getname(sock, &ret_info->remote, true);
	}
	ret_info->state = sock_current_state(sock);
}
