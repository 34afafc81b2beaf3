/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Accepting: a connection becomes a file beside its listener.
 *
 * Nothing is taken from the backlog before there is a place to put it: the
 * object and its name are made first, then the protocol accepts into it. What
 * fails on the way (memory, descriptors, the limit of sockets) leaves the
 * connection where it was.
 */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "fs/dcache.h"
#include "fs/user.h"
#include "net/proto_ops.h"
#include "net/sock_wait.h"
#include "policy/policy.h"
#include "sockfs/ioctl.h"

/* The first NAME.n that is free; numbers grow and are not used again. */
static int sock_next_name(struct socket *sock, const struct dentry *listener, char *ret_name)
{
	struct inode *dir = listener->d_parent;
	struct qstr name;

	do {
		int n = snprintf(ret_name, NAME_MAX_BYTES + 1, "%s.%u", dentry_name(listener),
				 sock->nr_accepted + 1);

		if (n > NAME_MAX_BYTES)
			return -ENAMETOOLONG;
		sock->nr_accepted++;
		name = (struct qstr){.name = ret_name, .len = (size_t)n};
	} while (d_lookup(dir->i_sb, dir, &name) != NULL);
	return 0;
}

/*
 * A socket as @sock is: of its family and protocol, with a file that does what its
 * file does. NULL as sock_alloc.
 */
static struct socket *sock_alloc_like(const struct socket *sock)
{
	const struct inode *listener = SOCK_INODE(sock);
	struct inode *inode = new_inode_pseudo(listener->i_sb);

	if (inode == NULL)
		return NULL;
	inode->i_op = listener->i_op;
	inode->i_fop = listener->i_fop;
	SOCKET_I(inode)->ops = sock->ops;
	return SOCKET_I(inode);
}

/*
 * Who accepts owns the file: it must not run as its owner because the listener did. And a
 * listener that others may accept from must not give them each other's connections.
 */
static mode_t accepted_mode(const struct inode *listener, const struct cred *cred)
{
	mode_t drop = S_ISUID | S_ISGID | S_ISVTX;

	if (cred->uid != listener->i_uid)
		drop |= S_IRWXG | S_IRWXO;
	return listener->i_mode & ~drop;
}

static int may_accept(const struct sock *sk, const struct cred *cred)
{
	if (sk->sk_prot->may_accept != NULL)
		return sk->sk_prot->may_accept(sk, cred);
	return policy_accept(cred, sk->sk_prot->word, sk->sk_fd);
}

int sock_do_accept(struct socket *sock, const struct cred *cred, struct inode **ret_inode)
{
	struct inode *listener = SOCK_INODE(sock);
	struct dentry *alias = d_find_alias(listener);
	char name[NAME_MAX_BYTES + 1];
	struct socket *newsock;
	struct inode *inode;
	struct dentry *dentry;
	uint32_t nr = sock->nr_accepted;
	int err;

	if (sock->state != SS_LISTENING)
		return -EINVAL;
	if (!(proto_poll(sock) & POLLIN))
		return -EAGAIN;
	err = may_accept(sock->sk, cred);
	if (err == 0)
		err = user_may_connect(cred->uid);
	if (err != 0)
		return err;
	if (alias == NULL)
		return -ENOENT; /* a listener without a name has no "beside" */
	err = sock_next_name(sock, alias, name);
	if (err != 0)
		return err;
	newsock = sock_alloc_like(sock);
	if (newsock == NULL)
		return -errno;
	inode = SOCK_INODE(newsock);
	err = inode_charge(inode, cred->uid);
	if (err != 0)
		goto drop_inode;
	inode_init_owner(inode, alias->d_parent, accepted_mode(listener, cred), cred);
	if (sock->sk->sk_reap > 0)
		inode->i_state |= I_UNSTABLE;
	dentry = d_add(alias->d_parent, &(struct qstr){.name = name, .len = strlen(name)}, inode);
	if (dentry == NULL) {
		err = -ENOMEM;
		goto drop_inode;
	}
	err = proto_accept(sock, newsock);
	if (err != 0)
		goto delete_name;
	/* A row that has more to say to its peer is connecting. */
	if (newsock->state == SS_UNCONNECTED)
		sock_set_state(newsock, SS_CONNECTED);
	sock->sk->sk_accepted++;
	mark_sock_dirty(sock);
	sock_reap_watch(newsock, sock->sk->sk_reap);
	if (listener->i_sb->s_inval_attr != NULL)
		listener->i_sb->s_inval_attr(listener->i_sb, alias->d_parent);
	*ret_inode = inode;
	return 0;

delete_name:
	d_delete(dentry);
drop_inode:
	inode_drop_nlink(inode);
	sock->nr_accepted = nr;
	return err;
}

static void fill_accept(struct sockfs_accept *ret, struct inode *inode)
{
	memset(ret, 0, sizeof(*ret));
	ret->ino = inode->i_ino;
	strcpy(ret->name, dentry_name(d_find_alias(inode)));
	/* A peer that has gone already has no address any more. */
	(void)proto_getname(SOCKET_I(inode), &ret->peer, true);
}

static ssize_t sock_try_accept(struct kiocb *iocb)
{
	struct socket *sock = SOCKET_I(iocb->ki_filp->f_inode);
	struct inode *inode = NULL;
	int err = sock->sk != NULL ? sock_error(sock->sk) : 0;

	if (err == 0)
		err = sock_do_accept(sock, &iocb->ki_cred, &inode);
	if (err == 0)
		fill_accept(iocb->ki_private, inode);
	return err;
}

static void on_accepted(struct kiocb *iocb, ssize_t ret)
{
	(void)kiocb_pop(iocb);
	iocb->ki_complete(iocb, ret);
}

ssize_t sock_accept(struct socket *sock, struct kiocb *iocb, struct sockfs_accept *ret_accept)
{
	ssize_t ret = -EAGAIN;
	bool nowait = iocb->ki_flags & IOCB_NOWAIT;

	if (sock->state != SS_LISTENING)
		return -EINVAL;
	kiocb_push(iocb, on_accepted, ret_accept);
	/* First come, first served. */
	if (nowait || TAILQ_EMPTY(&sock->sk->sk_read_queue))
		ret = sock_try_accept(iocb);
	if (ret == -EAGAIN && !nowait)
		ret = sock_park_on(sock, iocb, SOCK_READ, sock_try_accept);
	if (ret != -EIOCBQUEUED)
		(void)kiocb_pop(iocb);
	return ret;
}
