/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reaping: an accepted file that is over removes itself.
 *
 * Who serves connections as files has to remove each, and forgets some. With
 * `set reap SECONDS' on the listener each file it makes goes by itself that long
 * after both sides have sent their FIN (or one has reset, or given up) and
 * nobody has it open any more.
 *
 * Happy path: the kernel tells the watch of the hang-up, or a read or write or
 * the last close finds it; the time begins; when it is over and nothing has
 * changed, the names are taken away and the inode goes as by rm.
 *
 * Failure modes: it is open again when the time is over: then the next last
 * close begins anew. No memory for the timer, or no descriptor for the watch:
 * it is reaped later, at the next occasion, or by rm as ever.
 *
 * The kernel does not cache such names (I_UNSTABLE), so nothing has to be taken
 * back from it: that would need the lock of a directory whose holder may be
 * waiting for us.
 */
#include "config.h"

#include "fs/dcache.h"
#include "lib/log.h"
#include "net/proto_ops.h"
#include "net/sock_wait.h"

static bool sock_is_reapable(const struct socket *sock)
{
	return sock->sk != NULL && sock->sk->sk_reap > 0 &&
	       SOCK_INODE(sock)->i_state & I_UNSTABLE;
}

/* Of messages nobody says that they were the last: those that nobody has open are over. */
static bool sock_is_over(struct socket *sock)
{
	return sock_has_messages(sock) || sock_current_state(sock) == SS_CLOSED;
}

void sock_reap_start(struct socket *sock, unsigned int opens)
{
	struct sock *sk = sock->sk;

	if (!sock_is_reapable(sock) || opens > 0 || !sock_is_over(sock))
		return;
	sk->sk_reap_at = sock_loop->now() + (uint64_t)sk->sk_reap * 1000;
	if (sock_timer_before(sock, sk->sk_reap_at) != 0)
		pr_debug("socket %llu: no timer to reap it by",
			 (unsigned long long)SOCK_INODE(sock)->i_ino);
}

void sock_closed(struct socket *sock)
{
	sock_set_state(sock, SS_CLOSED);
	sock_reap_start(sock, SOCK_INODE(sock)->i_opens);
}

void sock_reap_watch(struct socket *sock, int seconds)
{
	sock->sk->sk_reap = seconds;
	mark_sock_dirty(sock);
	if (!sock_is_reapable(sock))
		return;
	/* For nothing but the hang-up. One that came before is not told. */
	if (sock_loop->watch(sock, 0) < 0)
		pr_debug("socket %llu: its end will be seen late",
			 (unsigned long long)SOCK_INODE(sock)->i_ino);
	sock_reap_start(sock, SOCK_INODE(sock)->i_opens);
}

void sock_reap(struct socket *sock)
{
	struct inode *inode = SOCK_INODE(sock);
	struct super_block *sb = inode->i_sb;
	struct dentry *dentry;

	sock->sk->sk_reap_at = 0;
	if (!sock_is_reapable(sock) || inode->i_opens > 0 || !sock_is_over(sock))
		return;
	while ((dentry = d_find_alias(inode)) != NULL) {
		struct inode *dir = dentry->d_parent;

		pr_debug("reaped: %s", dentry_name(dentry));
		d_delete(dentry);
		inode_touch(inode, ATTR_CTIME);
		inode_drop_nlink(inode);
		if (sb->s_inval_attr != NULL)
			sb->s_inval_attr(sb, dir);
	}
}
