/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of net/core share, and what they offer to the protocols
 * (net/inet). Functions that begin with sock_ or stream_ are for a struct
 * proto_ops.
 */
#ifndef NET_CORE_CORE_H
#define NET_CORE_CORE_H

#include <uv.h>

#include "net/core/dial.h"
#include "net/core/resolve.h"
#include "net/core/wait.h"
#include "net/proto_ops.h"
#include "policy/policy.h"

static inline uv_handle_t *sk_handle(struct sock *sk)
{
	return (uv_handle_t *)((char *)sk + sk->sk_prot->handle);
}

/* sock.c ------------------------------------------------------------------ */

/* A sock of @sock's protocol with one reference, not sock->sk. NULL: out of memory. */
struct sock *sk_alloc(struct socket *sock);
/* ... of @prot, which may be another one. */
struct sock *sk_alloc_of(struct socket *sock, struct proto *prot);
/* sock->sk, made now if there is none; NULL: out of memory. */
struct sock *sk_get(struct socket *sock);
void sk_put(struct sock *sk);
/*
 * What @old has but for its descriptor becomes @sk's, which is new: what is parked, the
 * dial, options, counters. @old is an orphan then.
 */
void sk_take_over(struct sock *sk, struct sock *old);
/*
 * The owner of @sock's file owns @sk's descriptor as well, as if they had called
 * socket(2): Linux lets it join (SO_REUSEPORT) that user's listeners only. A daemon
 * without the right to give away keeps it; sk->sk_alien says so.
 */
void sk_set_owner(struct sock *sk, const struct socket *sock);

/*
 * The sock that keeps what is set for @prot, which may come upon @sock's protocol; made now
 * if there is none, and let go of with sock->sk. NULL: out of memory.
 */
struct sock *sk_upper_get(struct socket *sock, struct proto *prot);
/* Take it from @sk: it is the caller's. NULL: there is none of @prot. */
struct sock *sk_upper_take(struct sock *sk, const struct proto *prot);

/* handle.c ---------------------------------------------------------------- */

/* A kernel socket of @family with the options set so far. 0 or -errno. */
int sk_open(struct sock *sk, int family);
/* Adopt @fd. On failure it is the caller's still. */
int sk_adopt(struct sock *sk, int fd);
/* Close the handle (and the wait); @reset: by RST. The sock stays. */
void sk_close(struct sock *sk, bool reset);
/* The same, but the connection is another descriptor's, too, and stays as it is. */
void sk_let_go(struct sock *sk);
/* The socket gets a fresh sock without a descriptor; returns it or NULL (ENOMEM). */
struct sock *sk_replace(struct sock *sk);

/* choose.c ---------------------------------------------------------------- */

/*
 * Take the protocol off @addr, which addr_check has seen, and be of that one: sock_set_proto.
 * Also -EINVAL: not such an address as the protocol has.
 */
int sock_take_addr(struct socket *sock, const struct sockfs_addr *addr,
		   struct sockfs_addr *ret_addr);

/*
 * sock->sk is in place of @old, which is an orphan then; what stays is what is of the file.
 * @let_go: the new one has @old's connection.
 */
void sk_put_in_place(struct socket *sock, struct sock *old, bool let_go);

/* options.c --------------------------------------------------------------- */

int sock_common_setsockopt(struct socket *sock, const struct sockfs_sockopt *opt);
int sock_common_getsockopt(struct socket *sock, struct sockfs_sockopt *opt, int *blank);
/* A descriptor of @family as @sk would have it: owner and options. It, or -errno. */
int sk_new_fd(const struct sock *sk, int family);
/* To sk_fd the defaults, and what was set before there was a descriptor. 0 or -errno. */
int sk_apply_options(const struct sock *sk);
/* A copy of @from's settings; 0 or -ENOMEM. */
int sk_copy_options(struct sock *to, const struct sock *from);
/*
 * SO_REUSEADDR. On: what is left of this socket's connections (TIME_WAIT) keeps nobody
 * from its address. Off: while it is only bound, no other may bind the same. 0 or -errno.
 */
int sk_reuse_address(const struct sock *sk, bool on);

/* try.c ------------------------------------------------------------------- */

struct sk_try;
/* @err: 0, the descriptor is connected, or -errno. Take or close @try in there. */
typedef void sk_try_cb(void *arg, struct sk_try *try, int err);

struct sk_try {
	TAILQ_ENTRY(sk_try) link; /* its starter's */
	int fd;
	sa_family_t family;
	sk_try_cb *cb;
	void *arg;
	uv_poll_t poll;
};

TAILQ_HEAD(sk_tries, sk_try);

/*
 * Start connecting to @sa, with @fd if that is not -1 (it is @try's from then on, and
 * closed on failure), else with a new descriptor that has @sk's options and is bound to
 * @bound (family AF_UNSPEC: to nothing). 0 and @cb comes later, once; or -errno.
 */
int sk_try_start(const struct sock *sk, const struct sockaddr_storage *bound, int fd,
		 const struct sockaddr_storage *sa, sk_try_cb *cb, void *arg,
		 struct sk_try **ret_try);
/* End it, @cb does not come any more: the descriptor is the caller's, or closed. */
int sk_try_take(struct sk_try *try);
void sk_try_close(struct sk_try *try);

/* dial.c ------------------------------------------------------------------ */

struct sk_dial {
	struct socket *sock;
	struct kiocb *iocb; /* who waits, or NULL */
	struct policy_ask ask;
	struct sockfs_addr addr; /* as it was said, for who has to begin anew */
	struct cred cred;	 /* by whom */
	struct resolve *resolve;
	struct addr_list *list;
	void *handshake;       /* of the row, with the descriptor that has connected */
	size_t next;	       /* in list */
	struct sk_tries tries; /* the oldest first */
	unsigned int nr_tries;
	unsigned int refs; /* the sock's, the caller's, the timer's */
	int err;	   /* of the last attempt */
	int result;	   /* valid when the dial ended before it was parked */
	bool started;	   /* sock_connect has returned */
	bool has_timer;
	struct sockaddr_storage bound; /* keep this local address; ss_family 0: none */
	int bound_fd;		       /* has it, until the first attempt takes it; else -1 */
	uint64_t deadline;	       /* uv_now(), 0: none */
	uint64_t next_at;	       /* try the next address then, 0: when one fails */
	uv_timer_t timer;
};

/* sk_net_fd is set: note its family. */
void sk_net_family(struct sock *sk);

/* @sk's descriptor of the network, or the one that it dials with since last; -1: none. */
static inline int sk_any_fd(const struct sock *sk, sa_family_t *ret_family)
{
	const struct sk_dial *dial = sk->sk_dial;
	const struct sk_try *try;

	if (sk->sk_net_fd >= 0) {
		*ret_family = sk->sk_net_family;
		return sk->sk_net_fd;
	}
	*ret_family = sk->sk_family;
	if (sk->sk_fd >= 0 || dial == NULL || TAILQ_EMPTY(&dial->tries))
		return sk->sk_fd;
	try = TAILQ_LAST(&dial->tries, sk_tries);
	*ret_family = try->family;
	return try->fd;
}

/* Where to, the address that is being tried since last; ss_family 0: none yet. */
struct sockaddr_storage sk_dial_peer(const struct sock *sk);
/* Give the dial up; its waiter, if any, is completed with @err. */
void sk_dial_abort(struct sock *sk, int err);
/*
 * A dial of which only the handshake is left: @fd is connected. The caller makes @sk
 * @sock's, if it is not yet, and its state SS_CONNECTING. What is to be: @iocb is parked; or,
 * if it is NULL, the outcome is for whoever reads or writes. @cred: as for the row. 0, or
 * -errno and nothing has begun; @fd is the caller's still.
 */
int sk_dial_handshake(struct socket *sock, struct sock *sk, int fd, const struct cred *cred,
		      struct kiocb *iocb);

/* common.c: what is the same for every protocol -------------------------------- */

/* net/ipv4/af_inet.c: inet_release. */
void sock_common_release(struct socket *sock);
int sock_common_abort(struct socket *sock);
int sock_common_getname(struct socket *sock, struct sockfs_addr *ret_addr, bool peer);
unsigned int sock_common_poll(struct socket *sock);
int sock_common_queues(struct socket *sock, uint32_t *ret_inq, uint32_t *ret_outq);
int sock_common_sync(struct socket *sock);
void sock_common_info(struct socket *sock, struct sockfs_info *info);
/* connect(2). */
int sock_common_connect(struct socket *sock, int fd, const struct sockaddr *addr, socklen_t len);
/* The family and the addresses, for a table. Never fails: what is unknown is 0. The descriptor. */
int sk_diag(const struct sock *sk, struct sock_diag *ret_diag);

/* listen.c ---------------------------------------------------------------- */

/* The socket has a descriptor with an address. */
int stream_listen(struct socket *sock, int backlog);
int stream_accept(struct socket *sock, struct socket *newsock);
/* Take a connection for @newsock, which has a sock as @sock's then: its descriptor, or -errno. */
int stream_accept_fd(struct socket *sock, struct socket *newsock);

/* stream.c: note whether the peer's FIN has come to @sk, which has a descriptor and no error yet. */
void sk_note_fin(struct sock *sk);
/* stream.c ---------------------------------------------------------------- */

ssize_t stream_sendmsg(struct socket *sock, struct iov_iter *from);
ssize_t stream_recvmsg(struct socket *sock, struct iov_iter *to);
int stream_shutdown(struct socket *sock, int how);
/* The connection is over (@err: errno, 0 for an orderly end). Wakes nobody. */
void sk_over(struct sock *sk, int err);

/* watch.c ----------------------------------------------------------------- */

/* Bytes or connections move: what pollers were told may be over and come anew. */
static inline void sk_watch_moved(struct sock *sk)
{
	sk->sk_watch_told = 0;
}
/* The descriptor is about to go. */
void sk_unwatch(struct sock *sk);

#endif /* NET_CORE_CORE_H */
