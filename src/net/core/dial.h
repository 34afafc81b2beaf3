/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of a socket may have to wait before it begins: addresses as users write them, whose
 * names are looked up here and once for all protocols; listening; another protocol.
 */
#ifndef NET_CORE_DIAL_H
#define NET_CORE_DIAL_H

#include "net/socket.h"

/*
 * connect(2) to @addr, which addr_check (uapi/addr.h) has seen. The addresses of the
 * host are tried until one answers. 0, -EIOCBQUEUED, or -errno; IOCB_NOWAIT:
 * -EINPROGRESS, the outcome by poll and SO_ERROR. Cancelled: the dial is given up.
 */
int sock_connect(struct socket *sock, const struct sockfs_addr *addr, struct kiocb *iocb);
/* bind(2), to the first of the host's addresses that can be had. As above. */
int sock_bind(struct socket *sock, const struct sockfs_addr *addr, struct kiocb *iocb);

/*
 * sock_listen (net/socket.h), for a protocol that has to ask somebody first, too: 0,
 * -EIOCBQUEUED, or -errno. With IOCB_NOWAIT as well: listen(2) waits for nobody.
 */
ssize_t sock_ask_listen(struct socket *sock, int backlog, struct kiocb *iocb);

/*
 * Be a socket of the protocol that users call @word; what has been set and that one takes
 * stays. 0; -EPROTONOSUPPORT: there is none such; -EPROTOTYPE: it is another's already,
 * being bound, listening, or connected; -ENOMEM.
 */
int sock_set_proto(struct socket *sock, const char *word);
/*
 * Speak the protocol called @word from now on, upon the connection that is there, with a peer
 * called @name (NULL: as it was called when it was dialled). Who was called, is the server.
 * 0, -EIOCBQUEUED, -EINPROGRESS (IOCB_NOWAIT), or -errno: -ENOTCONN: it is not connected, or
 * has been shut down; -EEXIST: it does already; -EOPNOTSUPP: not upon such a socket;
 * -EPROTONOSUPPORT: there is none such; -EBUSY: a write waits. Behind any other error, and
 * when it is given up, the connection is over.
 */
ssize_t sock_set_ulp(struct socket *sock, const char *word, const char *name, struct kiocb *iocb);
/* sock_set_proto by its option, SOCKFS_SO_PROTO. Also -EINVAL, -ESTALE. */
int sock_setsockopt_proto(struct socket *sock, const struct sockfs_sockopt *opt);

#endif /* NET_CORE_DIAL_H */
