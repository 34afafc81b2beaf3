/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a protocol does for a socket, and the one way to it: each operation has a
 * wrapper, which says in which states it may be called. A debug build
 * (configure --enable-debug) ends where somebody does it in another.
 */
#ifndef NET_PROTO_OPS_H
#define NET_PROTO_OPS_H

#include "net/sock.h"

/*
 * What a protocol does for a socket. Twin of include/linux/net.h: struct
 * proto_ops. All answer 0 or -errno, and none of them ever blocks. A protocol that
 * has not an operation answers as the kernel's (-EOPNOTSUPP).
 */
struct proto_ops {
	struct proto *prot; /* the row (net/sock.h) */
	/* Let go of sock->sk: FIN behind the queued data, then free, later. */
	void (*release)(struct socket *sock);
	/*
	 * bind(2) of @fd, a new descriptor of this protocol and of @addr's family, which
	 * need not be the socket's yet. -EADDRINUSE comes from here, not from listen.
	 */
	int (*bind)(struct socket *sock, int fd, const struct sockaddr *addr, socklen_t len);
	/*
	 * connect(2) of @fd, one of the descriptors that @sock dials with. 0: it has begun,
	 * and @fd becomes writable when it is connected or has failed.
	 */
	int (*connect)(struct socket *sock, int fd, const struct sockaddr *addr, socklen_t len);
	int (*listen)(struct socket *sock, int backlog);
	/*
	 * Take a waiting connection into @newsock (fresh, unconnected), or -EAGAIN. It is
	 * connected then, or SS_CONNECTING, or what has become of that already.
	 */
	int (*accept)(struct socket *sock, struct socket *newsock);
	int (*shutdown)(struct socket *sock, int how);
	/* RST now, whatever is queued; everything parked ends with ECONNABORTED. */
	int (*abort)(struct socket *sock);
	/* @peer: the peer's address. -ENOTCONN when there is none. */
	int (*getname)(struct socket *sock, struct sockfs_addr *ret_addr, bool peer);
	/* A multicast group, numeric, and an interface in place of the port. NULL: it has none. */
	int (*membership)(struct socket *sock, const struct sockfs_addr *group, bool join);
	int (*setsockopt)(struct socket *sock, const struct sockfs_sockopt *opt);
	/* level and name in, len and value out; @blank as for sock_getsockopt_next. */
	int (*getsockopt)(struct socket *sock, struct sockfs_sockopt *opt, int *blank);
	/* Move bytes now: their number, 0 at end of file, -EAGAIN, -errno. */
	ssize_t (*sendmsg)(struct socket *sock, struct iov_iter *from);
	ssize_t (*recvmsg)(struct socket *sock, struct iov_iter *to);
	/* The poll(2) events that hold. */
	unsigned int (*poll)(struct socket *sock);
	/* Bytes to read (connections to accept) and bytes not yet acknowledged. */
	int (*queues)(struct socket *sock, uint32_t *ret_inq, uint32_t *ret_outq);
	/* 0: the peer has acknowledged all; -EAGAIN: not yet; -errno: it never will. */
	int (*sync)(struct socket *sock);
	/* Fills error, counters, sk_ino; state, queues and names come from socket.c. */
	void (*info)(struct socket *sock, struct sockfs_info *info);
};

/* Does it move messages, of which each has an end, and not a stream? */
static inline bool sock_has_messages(const struct socket *sock)
{
	return sock->ops->prot->type == SOCK_DGRAM;
}

/* Can it be read and written without a connection, because it is bound? */
static inline bool sock_is_bound_for_all(const struct socket *sock)
{
	return sock->state == SS_UNCONNECTED && sock_has_messages(sock) && sock->sk != NULL &&
	       sock->sk->sk_bound;
}

#define IN(state) (1u << (state))
#define IN_ANY                                                                                     \
	(IN(SS_UNCONNECTED) | IN(SS_CONNECTING) | IN(SS_CONNECTED) | IN(SS_LISTENING) |            \
	 IN(SS_DISCONNECTING) | IN(SS_CLOSED))
#define IN_CONNECTION (IN(SS_CONNECTED) | IN(SS_DISCONNECTING) | IN(SS_CLOSED))
/* Where @sock's bytes move: for one that is bound for all it is no matter of states. */
#define IN_TALK(sock) (sock_is_bound_for_all(sock) ? IN_ANY : IN_CONNECTION)

/* @sock must be in one of @states, and if @has_sk have a sk; else the process ends. */
#ifdef CONFIG_DEBUG_NET
void sock_check(const struct socket *sock, unsigned int states, bool has_sk, const char *op);
#else
static inline void sock_check(const struct socket *sock, unsigned int states, bool has_sk,
			      const char *op)
{
	(void)sock, (void)states, (void)has_sk, (void)op;
}
#endif

static inline void proto_release(struct socket *sock)
{
	sock_check(sock, IN_ANY, true, "release");
	sock->ops->release(sock);
}

/* While it is unconnected, or dials and keeps its address. */
static inline int proto_bind(struct socket *sock, int fd, const struct sockaddr *addr,
			     socklen_t len)
{
	sock_check(sock, IN(SS_UNCONNECTED) | IN(SS_CONNECTING), true, "bind");
	return sock->ops->bind(sock, fd, addr, len);
}

static inline int proto_connect(struct socket *sock, int fd, const struct sockaddr *addr,
				socklen_t len)
{
	sock_check(sock, IN(SS_CONNECTING), true, "connect");
	return sock->ops->connect(sock, fd, addr, len);
}

static inline int proto_listen(struct socket *sock, int backlog)
{
	sock_check(sock, IN(SS_UNCONNECTED) | IN(SS_LISTENING), false, "listen");
	return sock->ops->listen(sock, backlog);
}

static inline int proto_accept(struct socket *sock, struct socket *newsock)
{
	sock_check(sock, IN(SS_LISTENING), true, "accept");
	sock_check(newsock, IN(SS_UNCONNECTED), false, "accept into");
	return sock->ops->accept(sock, newsock);
}

static inline int proto_shutdown(struct socket *sock, int how)
{
	sock_check(sock, IN_CONNECTION | IN(SS_LISTENING), false, "shutdown");
	return sock->ops->shutdown(sock, how);
}

static inline int proto_abort(struct socket *sock)
{
	sock_check(sock, sock_is_bound_for_all(sock) ? IN_ANY : IN_ANY & ~IN(SS_UNCONNECTED), false,
		   "abort");
	return sock->ops->abort(sock);
}

static inline int proto_getname(struct socket *sock, struct sockfs_addr *ret_addr, bool peer)
{
	sock_check(sock, IN_ANY, false, "getname");
	return sock->ops->getname(sock, ret_addr, peer);
}

static inline int proto_membership(struct socket *sock, const struct sockfs_addr *group, bool join)
{
	sock_check(sock, IN_ANY, false, "membership");
	return sock->ops->membership(sock, group, join);
}

static inline int proto_setsockopt(struct socket *sock, const struct sockfs_sockopt *opt)
{
	sock_check(sock, IN_ANY, false, "setsockopt");
	return sock->ops->setsockopt(sock, opt);
}

static inline int proto_getsockopt(struct socket *sock, struct sockfs_sockopt *opt, int *blank)
{
	sock_check(sock, IN_ANY, false, "getsockopt");
	return sock->ops->getsockopt(sock, opt, blank);
}

static inline ssize_t proto_sendmsg(struct socket *sock, struct iov_iter *from)
{
	sock_check(sock, IN_TALK(sock), true, "sendmsg");
	return sock->ops->sendmsg(sock, from);
}

static inline ssize_t proto_recvmsg(struct socket *sock, struct iov_iter *to)
{
	sock_check(sock, IN_TALK(sock), true, "recvmsg");
	return sock->ops->recvmsg(sock, to);
}

static inline unsigned int proto_poll(struct socket *sock)
{
	sock_check(sock, IN_ANY, true, "poll");
	return sock->ops->poll(sock);
}

static inline int proto_queues(struct socket *sock, uint32_t *ret_inq, uint32_t *ret_outq)
{
	sock_check(sock, IN_ANY, false, "queues");
	return sock->ops->queues(sock, ret_inq, ret_outq);
}

static inline int proto_sync(struct socket *sock)
{
	sock_check(sock, IN_CONNECTION, true, "sync");
	return sock->ops->sync(sock);
}

static inline void proto_info(struct socket *sock, struct sockfs_info *info)
{
	sock_check(sock, IN_ANY, true, "info");
	sock->ops->info(sock, info);
}

#endif /* NET_PROTO_OPS_H */
