/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parking requests on a socket; for net/ only. See sock_wait.c.
 */
#ifndef NET_SOCK_WAIT_H
#define NET_SOCK_WAIT_H

#include "net/socket.h"

enum sock_queue { SOCK_READ, SOCK_WRITE, SOCK_SYNC };

/* What a parked kiocb remembers; lies in kiocb.ki_park. */
struct sock_park {
	struct socket *sock;
	enum sock_queue queue;
};

BUILD_BUG_ON(sizeof(struct sock_park) > sizeof(((struct kiocb *)0)->ki_park));

static inline struct sock_park *sock_park(struct kiocb *iocb)
{
	return (struct sock_park *)iocb->ki_park;
}

/*
 * Park @iocb until @retry answers something else than -EAGAIN. The socket must
 * have a sk. Returns -EIOCBQUEUED, or, when the protocol cannot tell (out of
 * descriptors), the bytes moved so far or -errno: then nothing is parked.
 */
ssize_t sock_park_on(struct socket *sock, struct kiocb *iocb, enum sock_queue queue,
		     ssize_t (*retry)(struct kiocb *iocb));

/* Take a parked kiocb off its queue; the caller completes it. */
void sock_unpark(struct kiocb *iocb);

/* Tell all pollers to look again. */
void sock_notify(struct socket *sock);

#endif /* NET_SOCK_WAIT_H */
