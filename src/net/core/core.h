/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TCP on libuv: the one protocol of today. Private to src/net/core and inet, but for
 * tcp_init and tcp_exit, which main calls.
 *
 * Words: the *handle* is the uv_tcp_t that owns the kernel socket's
 * descriptor; the *wait* is a second descriptor (dup) in a uv_poll_t, made
 * only when somebody waits for room to write or for a connection, because a
 * uv_tcp_t tells neither without moving bytes or connections itself; the *dial*
 * is a connect in progress.
 *
 * Lives: a struct tcp_sock is counted by its socket, its handle and its wait.
 * A handle that libuv still knows is a reference, so closing is asynchronous
 * and the sock lives on as an orphan until the close callbacks have come. A dial
 * has descriptors of its own; the one that connects becomes the handle's.
 */
#ifndef NET_CORE_CORE_H
#define NET_CORE_CORE_H

#include <netinet/in.h>
#include <uv.h>

#include "net/sock.h"

struct tcp_dial;
struct tcp_wait;

struct tcp_sock {
	struct sock sk;
	int fd;	     /* the handle's descriptor, -1 while there is none */
	int family;  /* AF_INET, AF_INET6; 0 while fd is -1 */
	uint32_t refs;
	uint32_t opt_set;	   /* which of opts the user has set: bits by sockopts[] index */
	bool bound;		   /* by bind() */
	bool reading;		   /* uv_read_start is on */
	bool open;		   /* libuv knows the handle; it may be closing */
	bool alien;		   /* fd is the daemon's user's, the file is not */
	bool watching;		   /* fd lies in the pollers' epoll instance */
	bool watch_fresh;	   /* ... which will report once what holds already */
	uint32_t watch;		   /* the events it is watched for */
	uint32_t watch_told;	   /* what the poller knew when the watch began */
	struct tcp_dial *dial;	   /* connecting */
	struct tcp_wait *wait;
	long *opts;		   /* nr_sockopts values, malloc'ed with the first set */
	uv_tcp_t tcp;
};

static inline struct tcp_sock *tcp_sk(const struct sock *sk)
{
	return container_of((struct sock *)sk, struct tcp_sock, sk);
}

/* The loop everything runs on, and the cache TCP. 0 or -ENOMEM. */
int tcp_init(uv_loop_t *loop);
/* After the loop has run empty. 0, or -EBUSY when a sock is still out (logged). */
int tcp_exit(void);
extern uv_loop_t *tcp_loop;

/* sock.c ------------------------------------------------------------------- */

/* sock->sk, made now if there is none; NULL: out of memory. */
struct tcp_sock *tcp_sk_get(struct socket *sock);
/* A kernel socket of @family with the options set so far. 0 or -errno. */
int tcp_open(struct tcp_sock *tsk, int family);
/* Adopt @fd, an accepted connection. On failure fd is the caller's still. */
int tcp_adopt(struct tcp_sock *tsk, int fd);
/* Close the handle (and the wait); @reset: by RST. The sock stays. */
void tcp_close_handle(struct tcp_sock *tsk, bool reset);
/* The socket gets a fresh sock without a descriptor; returns it or NULL (ENOMEM). */
struct tcp_sock *tcp_replace(struct tcp_sock *tsk);
void tcp_put(struct tcp_sock *tsk);
/*
 * The owner of @sock's file owns @tsk's descriptor as well, as if they had called
 * socket(2): Linux lets it join (SO_REUSEPORT) that user's listeners only. A daemon
 * without the right to give away keeps it; tsk->alien says so.
 */
void tcp_set_owner(struct tcp_sock *tsk, const struct socket *sock);

/* options.c --------------------------------------------------------------- */

int tcp_setsockopt(struct socket *sock, const struct sockfs_sockopt *opt);
int tcp_getsockopt(struct socket *sock, struct sockfs_sockopt *opt, int *blank);
/* Apply defaults and what was set before there was a descriptor. 0 or -errno. */
int tcp_apply_options(struct tcp_sock *tsk);
/* A copy of @from's settings; 0 or -ENOMEM. */
int tcp_copy_options(struct tcp_sock *to, const struct tcp_sock *from);

/* bind.c -------------------------------------------------------------- */

int tcp_bind(struct socket *sock, const struct sockfs_addr *addr, struct kiocb *iocb);
/* bind(2) now, to one address. */
int tcp_bind_sockaddr(struct tcp_sock *tsk, const struct sockaddr_storage *sa);
/*
 * SO_REUSEADDR. On: what is left of this socket's connections (TIME_WAIT) keeps nobody
 * from its address. Off: while it is only bound, no other may bind the same. 0 or -errno.
 */
int tcp_reuse_address(const struct tcp_sock *tsk, bool on);

/* try.c --------------------------------------------------------------- */

struct tcp_try;
/* @err: 0, the descriptor is connected, or -errno. Take or close @try in there. */
typedef void tcp_try_cb(void *arg, struct tcp_try *try, int err);

struct tcp_try {
	TAILQ_ENTRY(tcp_try) link; /* its starter's */
	int fd, family;
	tcp_try_cb *cb;
	void *arg;
	uv_poll_t poll;
};

/*
 * Start connecting to @sa, with @fd if that is not -1 (it is @try's from then on, and
 * closed on failure), else with a new descriptor that has @tsk's options and is bound to
 * @bound (family AF_UNSPEC: to nothing). 0 and @cb comes later, once; or -errno.
 */
int tcp_try_start(const struct tcp_sock *tsk, const struct sockaddr_storage *bound, int fd,
		  const struct sockaddr_storage *sa, tcp_try_cb *cb, void *arg,
		  struct tcp_try **ret_try);
/* End it, @cb does not come any more: the descriptor is the caller's, or closed. */
int tcp_try_take(struct tcp_try *try);
void tcp_try_close(struct tcp_try *try);

/* dial.c ----------------------------------------------------------- */

int tcp_connect(struct socket *sock, const struct sockfs_addr *addr, struct kiocb *iocb);
/* @tsk's descriptor, or the one that it dials with since last; -1: none. */
int tcp_any_fd(const struct tcp_sock *tsk, int *ret_family);
/* Where to, the address that is being tried since last; ss_family 0: none yet. */
struct sockaddr_storage tcp_dial_peer(const struct tcp_sock *tsk);
/* Give the dial up; its waiter, if any, is completed with @err. */
void tcp_dial_abort(struct tcp_sock *tsk, int err);

/* tcp_diag.c -------------------------------------------------------------- */

void tcp_diag(struct socket *sock, struct sock_diag *ret_diag);

/* listen.c ------------------------------------------------------------ */

int tcp_listen(struct socket *sock, int backlog);
int tcp_accept(struct socket *sock, struct socket *newsock);

/* stream.c ---------------------------------------------------------------- */

ssize_t tcp_sendmsg(struct socket *sock, struct iov_iter *from);
ssize_t tcp_recvmsg(struct socket *sock, struct iov_iter *to);
unsigned int tcp_poll(struct socket *sock);
int tcp_queues(struct socket *sock, uint32_t *ret_inq, uint32_t *ret_outq);
int tcp_sync(struct socket *sock);
int tcp_shutdown(struct socket *sock, int how);
/* The connection is over (@err: errno, 0 for an orderly end). Wakes nobody. */
void tcp_over(struct tcp_sock *tsk, int err);

/* wait.c -------------------------------------------------------------- */

int tcp_wait_for(struct socket *sock, unsigned int events);
int tcp_timer(struct socket *sock, uint64_t deadline);
uint64_t tcp_now(struct socket *sock);
/*
 * Set the timer to @deadline again (0: none) when the wait that had it has gone,
 * unless the socket has, too. Without memory for it a time limit comes late.
 */
void tcp_timer_keep(struct tcp_sock *tsk, uint64_t deadline);
/* Stop and free the wait, close its descriptor now. */
void tcp_wait_close(struct tcp_sock *tsk);
void tcp_read_stop(struct tcp_sock *tsk);

/* watch.c ------------------------------------------------------------- */

int tcp_watch(struct socket *sock, unsigned int events);
/* Bytes or connections move: what pollers were told may be over and come anew. */
static inline void tcp_watch_moved(struct tcp_sock *tsk)
{
	tsk->watch_fresh = false;
}
/* The descriptor is about to go. */
void tcp_unwatch(struct tcp_sock *tsk);

#endif /* NET_CORE_CORE_H */
