/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A protocol upon a connection that is there (STARTTLS is one). Twin of net/ipv4/tcp_ulp.c.
 *
 * What is set for it before is kept in a sock of its own, which waits beside the present one
 * (sk_upper) and takes its place in the end.
 *
 * Happy path: the row of the upper protocol shakes hands on a second descriptor of the
 * connection; the file is connecting meanwhile, and whoever reads waits on. What lies
 * unread in the kernel is the handshake's: so nothing that came in the clear is ever read
 * as if it had come under protection.
 *
 * Failure modes: it is no such connection, or somebody is in the midst of a write (nothing
 * has happened); the handshake fails or is given up (the connection is over, as after a dial
 * that fails).
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mm/vmstat.h"
#include "net/core/core.h"
#include "net/sock_wait.h"

static int may_change(struct socket *sock, const struct proto *prot)
{
	if (SOCK_INODE(sock)->i_state & I_CLEAR)
		return -ESTALE;
	if (prot == NULL)
		return -EPROTONOSUPPORT;
	if (sock->ops->prot != prot && proto_upon(sock->ops->prot) != prot)
		return -EOPNOTSUPP;
	if (sock_current_state(sock) != SS_CONNECTED || sock->sk == NULL || sock->sk->sk_fd < 0)
		return -ENOTCONN;
	if (sock->ops->prot == prot)
		return -EEXIST;
	/* The rest of its bytes would come behind the handshake. */
	return sk_has_writers(sock->sk) ? -EBUSY : 0;
}

/* @upper is as @sk is, for a peer called @name (NULL: as it was called). 0 or -errno. */
static int prepare(struct sock *upper, const struct sock *sk, const char *name)
{
	if (name == NULL)
		name = sk->sk_host;
	vm_strfree(upper->sk_host);
	upper->sk_host = name != NULL ? vm_strdup(name) : NULL;
	if (name != NULL && upper->sk_host == NULL)
		return -errno;
	free(upper->sk_opts);
	upper->sk_opts = NULL;
	upper->sk_called = sk->sk_called;
	upper->sk_rx_bytes = sk->sk_rx_bytes;
	upper->sk_tx_bytes = sk->sk_tx_bytes;
	return sk_copy_options(upper, sk);
}

/* Who waits to read, or for what was written, waits on. */
static void move_waiters(struct sock *to, struct sock *from)
{
	TAILQ_CONCAT(&to->sk_read_queue, &from->sk_read_queue, ki_wait);
	TAILQ_CONCAT(&to->sk_sync_queue, &from->sk_sync_queue, ki_wait);
}

ssize_t sock_set_ulp(struct socket *sock, const char *word, const char *name, struct kiocb *iocb)
{
	struct kiocb *waiter = iocb->ki_flags & IOCB_NOWAIT ? NULL : iocb;
	struct proto *prot = proto_by_word(word);
	struct sock *sk = sock->sk, *upper;
	int fd, err = may_change(sock, prot);

	if (err != 0)
		return err;
	fd = fcntl(sk->sk_fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	upper = sk_upper_get(sock, prot);
	err = upper != NULL ? prepare(upper, sk, name) : -ENOMEM;
	if (err == 0)
		err = sk_dial_handshake(sock, upper, fd, &iocb->ki_cred, waiter);
	if (err != 0) {
		close(fd);
		return err;
	}
	sock_set_state(sock, SS_CONNECTING);
	sock->ops = prot->ulp;
	sock->sk = sk_upper_take(sk, prot);
	move_waiters(upper, sk);
	sk_put_in_place(sock, sk, true);
	sock_state_change(sock);
	return waiter != NULL ? -EIOCBQUEUED : -EINPROGRESS;
}
