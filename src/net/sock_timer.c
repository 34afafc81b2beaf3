/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one timer of a socket: time limits, fsync, reaping.
 */
#include "config.h"

#include "net/sock.h"
#include "net/sock_wait.h"

/* TCP tells nobody of an acknowledgement: fsync looks again, less and less often. */
#define SYNC_WAIT_MAX 32

void sock_timeout(struct socket *sock, uint64_t now)
{
	struct inode *inode = SOCK_INODE(sock);
	uint64_t next;

	inode_get_work(inode);
	sock->sk->sk_timer = 0;
	next = sock_expire_all(sock, now);
	if (sock->sk != NULL && sock->sk->sk_reap_at != 0 && sock->sk->sk_reap_at <= now)
		sock_reap(sock);
	if (sock->sk != NULL) {
		struct sock *sk = sock->sk;

		/* A timer that was made once can be set again: these cannot fail. */
		(void)sock_timer_before(sock, next);
		(void)sock_timer_before(sock, sk->sk_reap_at);
		if (!TAILQ_EMPTY(&sk->sk_sync_queue)) {
			if (sk->sk_sync_wait < SYNC_WAIT_MAX)
				sk->sk_sync_wait *= 2;
			(void)sock_timer_before(sock, now + sk->sk_sync_wait);
		}
	}
	inode_put_work(inode);
}
