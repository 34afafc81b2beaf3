/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * struct proto: a protocol, as a row. struct sock: what it keeps for a socket.
 *
 * Twin of include/net/sock.h. A struct sock is made when a socket first needs
 * one and may outlive it: sk_socket is NULL from then on (an orphan), and the
 * memory goes when the last callback of libuv has come.
 *
 * Words: the *handle* is libuv's, of the protocol's kind, and owns the
 * descriptor of the kernel's socket; the *wait* is a second descriptor, made only
 * when somebody waits for what a handle cannot tell without moving bytes or
 * connections itself; the *dial* is a connect in progress.
 *
 * Lives: a sock is counted by its socket, its handle and its wait. A handle that
 * libuv still knows is a reference, so closing is asynchronous and the sock lives
 * on as an orphan until the close callbacks have come. A dial has descriptors of
 * its own; the one that connects becomes the handle's.
 */
#ifndef NET_SOCK_H
#define NET_SOCK_H

#include "net/socket.h"
#include "sockfs/ioctl.h"

struct addr_list;
struct cred;
struct kmem_cache;
struct proto_ops;
struct proto_table;
struct resolve;
struct seq_file;
struct stat;
struct sk_dial;
struct sk_wait;

/*
 * A protocol: one row, one file that fills it. Those with a struct sock are called
 * while it has a descriptor (sk_fd). All answer 0 or -errno.
 */
struct proto {
	const char *name; /* "TCP": of its cache, and system.sockprotoname */
	const char *word; /* what users write: "tcp" */
	/*
	 * Of a protocol upon another one (include/net/tcp.h: struct tcp_ulp_ops), whose family,
	 * type and protocol these are; so socket(2) does not find it. NULL: it is not one.
	 */
	const struct proto_ops *ulp;
	const char *dir;  /* the directory of the root whose paths dial, NULL: none */
	/* As socket(2) takes them; the family is that of a descriptor without an address. */
	int family, type, protocol;
	size_t obj_size; /* of an object of the cache, which begins with a struct sock */
	size_t handle;	 /* where in the object libuv's handle is */
	/*
	 * What an object has behind its struct sock: as a new one has it; what goes along when
	 * @sk takes the place of @old; what has to be freed with it. NULL: nothing.
	 */
	void (*init)(struct sock *sk);
	void (*take_over)(struct sock *sk, struct sock *old);
	void (*destroy)(struct sock *sk);
	/*
	 * Its addresses are paths (uapi/addr.h), not HOST:PORT. Then: may @cred use @path (0 or
	 * -EACCES); does it lead to one that he may; and stat(2) or lstat(2) of it, as @cred.
	 */
	bool path;
	int (*may_use)(const struct cred *cred, const char *path);
	bool (*leads)(const struct cred *cred, const char *path);
	int (*stat_path)(const char *path, bool follow, const struct cred *cred,
			 struct stat *ret_st);
	/* May @cred accept from the listener @sk? 0 or -errno. NULL: as policy_accept says. */
	int (*may_accept)(const struct sock *sk, const struct cred *cred);
	/* An address of the kernel's as users read it; NULL: addr_from_sockaddr. @peer: not its own. */
	void (*name_text)(const struct sock *sk, const struct sockaddr_storage *ss, socklen_t len,
			  bool peer, struct sockfs_addr *ret_addr);
	/*
	 * Text to socket addresses: as resolve_start (net/core/resolve.h), on the loop.
	 * @passive: to bind to. @cred: who asks.
	 */
	int (*resolve)(struct sock *sk, const struct sockfs_addr *addr, const struct cred *cred,
		       bool passive, void (*cb)(void *arg, int err, struct addr_list *list),
		       void *arg, struct resolve **ret_r);
	/*
	 * Between connected and adopted, for a row that has more to say to its peer first;
	 * NULL: nothing. Takes @fd and answers later, never within the call, by @cb, once:
	 * with a descriptor, the same or another, or with -errno. What it wants to tell of
	 * that in words it keeps in @sk. @cred: with whose rights. 0 and *ret_h, or -errno, and
	 * @fd is the caller's still.
	 */
	int (*handshake)(struct sock *sk, int fd, const struct cred *cred,
			 void (*cb)(void *arg, int fd), void *arg, void **ret_h);
	/* Give it up: @cb does not come any more, and the descriptor is closed. */
	void (*handshake_cancel)(void *h);
	/*
	 * Before it listens, for a row that has to ask somebody whether it can; NULL: nothing.
	 * Answers as handshake, by 0 or -errno. With the rights of @cred it will serve, too.
	 */
	int (*may_listen)(struct sock *sk, const struct cred *cred, void (*cb)(void *arg, int err),
			  void *arg, void **ret_h);
	void (*may_listen_cancel)(void *h);
	/* The handle: make it known to the loop; let it own @fd. */
	int (*handle_init)(struct sock *sk);
	int (*handle_open)(struct sock *sk, int fd);
	/* Have sk_readable() called while there is something to read, without reading it. */
	int (*read_start)(struct sock *sk);
	void (*read_stop)(struct sock *sk);
	/* A new descriptor: the options that are other than the kernel has them. NULL: none. */
	int (*init_fd)(int fd);
	/* Before an orderly close of @fd; NULL: nothing. */
	void (*before_close)(int fd);
	/* sk_fd has gone: so has what belongs to it. NULL: nothing. */
	void (*closed)(struct sock *sk);
	/* How many connections wait in the listener @fd; NULL: it has none. */
	int (*backlog)(int fd, uint32_t *ret_n);
	/* Has the peer's FIN come? Asked before any error: afterwards nobody knows. NULL: nor before. */
	bool (*fin_came)(int fd);
	/* 0: the peer has acknowledged all; -EAGAIN: not yet; -errno: it never will. */
	int (*sync)(struct sock *sk);
	/* Options of SOL_SOCKFS that only this one has; NULL: there are none, or no such. */
	int *(*own_option)(struct sock *sk, int optname);
	/* One that is text: 0, -ENODATA (none now) or -ENOPROTOOPT. */
	int (*text_option)(struct sock *sk, int optname, char text[SOCKFS_TEXT_MAX]);
	/* Set it: 0, -EINVAL, -ENOMEM, -ENOPROTOOPT. NULL: there is none to be set. */
	int (*set_text)(struct sock *sk, int optname, const char *text);
	/* Texts that were set on @from, which is of the row too, are @to's as well. 0 or -ENOMEM. */
	int (*copy_texts)(struct sock *to, const struct sock *from);
	/*
	 * What of it has to outlive the process beside what every sock has: to @buf, at most
	 * @size bytes; their number. And back, in another process, before it has its
	 * descriptor again: 0 or -errno, and the connection is lost. NULL: nothing.
	 */
	size_t (*save)(const struct sock *sk, char *buf, size_t size);
	int (*resume)(struct sock *sk, const char *buf, size_t len);
	/*
	 * In another process, for a connection whose sk_fd leads to a helper, which it has again:
	 * @fd is the network's, the row's from then on if it returns 0. -errno: the connection
	 * is lost. NULL: there are no helpers.
	 */
	int (*rejoin)(struct sock *sk, int fd);
	bool lasting; /* its connections outlive the process */
	const struct proto_table *tables; /* of .proc, up to one without a name; NULL: none */
	/* The rest is the registry's. */
	struct kmem_cache *slab;
	uint64_t inuse; /* sockets with a sock; the others of the cache are orphans */
	STAILQ_ENTRY(proto) node;
};

/* A table of .proc; show as of single_open (fs/seq_file.h), for a super block. */
struct proto_table {
	const char *name;
	bool (*show)(struct seq_file *m, void *sb);
};

/*
 * Make @prot's cache and put it into the list of protocols. 0 or -ENOMEM.
 * net/core/sock.c: proto_register.
 */
int proto_register(struct proto *prot);
/* 0, or -EBUSY when a sock of it is still out (logged): then it stays. */
int proto_unregister(struct proto *prot);
/* The protocols in the order in which they came; NULL begins and ends. */
struct proto *proto_next(const struct proto *prot);
/* What users call @word; NULL: there is none such. */
struct proto *proto_by_word(const char *word);
/* The protocol that may come upon connections of @prot; NULL: there is none. */
struct proto *proto_upon(const struct proto *prot);

/* sk_shutdown, as in include/net/sock.h */
#define RCV_SHUTDOWN 1 /* reads end: shutdown(SHUT_RD), or end of file was read */
#define SEND_SHUTDOWN 2

struct sock {
	struct socket *sk_socket;
	struct proto *sk_prot;
	struct kiocb_queue sk_read_queue;  /* parked reads and accepts, oldest first */
	struct kiocb_queue sk_write_queue; /* parked writes */
	struct kiocb_queue sk_sync_queue;  /* parked fsyncs */
	uint64_t sk_rx_bytes;
	uint64_t sk_tx_bytes;
	uint64_t sk_accepted;
	uint64_t sk_said;	   /* by the helper that sk_fd leads to: the row's bits */
	uint64_t *sk_counters;	   /* where both, and sk_said behind them, are written down, or NULL */
	uint64_t sk_timer;	   /* deadline asked of the loop, 0: none */
	uint64_t sk_reap_at;	   /* deadline, 0: it is not over, or somebody has it open */
	struct sk_dial *sk_dial;   /* connecting */
	struct sock *sk_upper;	   /* what is set for a protocol that may come upon this one, or NULL */
	struct sk_wait *sk_wait;
	char *sk_host;		   /* who was dialled, by name; NULL: by number, or nobody */
	long *sk_opts;		   /* nr_sockopts values, malloc'ed with the first set */
	int sk_fd;		   /* the handle's descriptor, -1 while there is none */
	int sk_regained;	   /* a listener's: taken from its backlog by a process that died; -1 */
	int sk_net_fd;		   /* of the network, where sk_fd leads to a helper; else -1 */
	int sk_err;		   /* an errno that the next read or write gets, once */
	int sk_held;		   /* the kernel has told it too early: stream.c, sk_receive */
	bool sk_fin;		   /* the peer's FIN has come, before any error (sk_note_fin) */
	int sk_err_last;	   /* for status: the last errno there was */
	int sk_connect_timeout;	   /* seconds, 0: none */
	int sk_rcvtimeo, sk_sndtimeo; /* seconds, 0: none */
	int sk_discard;		   /* the rest of a message that is read in part goes */
	int sk_drops;		   /* messages that were lost here */
	int sk_reap;		   /* seconds, 0: never; a listener's is for what it accepts */
	uint32_t sk_refs;
	uint64_t sk_opt_set;	   /* which of sk_opts the user has set: bits by sockopts[] index */
	uint32_t sk_watch;	   /* the events that sk_fd is watched for */
	uint32_t sk_watch_told;	   /* what all who poll know to hold, unless bytes have moved since */
	sa_family_t sk_family;	   /* of sk_fd; 0 while that is -1 */
	sa_family_t sk_net_family; /* of sk_net_fd */
	uint16_t sk_sync_wait;	   /* ms until fsync looks again */
	uint8_t sk_shutdown;
	bool sk_lookup_failed;	   /* sk_err_last is of looking the host up */
	bool sk_bound;		   /* by bind() */
	bool sk_called;		   /* its peer connected, to a listener */
	bool sk_reading;	   /* the row's read_start is on */
	bool sk_open;		   /* libuv knows the handle; it may be closing */
	bool sk_alien;		   /* sk_fd is the daemon's user's, the file is not */
	bool sk_watching;	   /* sk_fd lies in the pollers' epoll instance */
};

/* A socket in a table of .proc. Twin of include/uapi/linux/inet_diag.h: inet_diag_msg. */
struct sock_diag {
	sa_family_t family; /* of the kernel's socket, 0 while there is none */
	struct sockaddr_storage local, remote; /* ss_family 0: unset */
};

/* mark_sock_dirty of its socket, if it has one. */
static inline void sk_mark_dirty(const struct sock *sk)
{
	if (sk->sk_socket != NULL)
		mark_sock_dirty(sk->sk_socket);
}

/* Take the pending error, 0 if there is none. include/net/sock.h: sock_error. */
static inline int sock_error(struct sock *sk)
{
	int err = sk->sk_err;

	sk->sk_err = 0;
	if (err != 0)
		sk_mark_dirty(sk);
	return -err;
}

/* Note an errno value for the next caller and for status. */
static inline void sk_set_err(struct sock *sk, int err)
{
	sk->sk_err = err;
	sk->sk_err_last = err;
	sk_mark_dirty(sk);
}

/* Keep what the kernel has told too early, an errno value; 0: it is told. */
static inline void sk_hold(struct sock *sk, int err)
{
	if (sk->sk_held == err)
		return;
	sk->sk_held = err;
	sk_mark_dirty(sk);
}

/* So many bytes have come, have gone. */
static inline void sk_count_rx(struct sock *sk, size_t n)
{
	sk->sk_rx_bytes += n;
	if (sk->sk_counters != NULL)
		sk->sk_counters[0] = sk->sk_rx_bytes;
}
static inline void sk_count_tx(struct sock *sk, size_t n)
{
	sk->sk_tx_bytes += n;
	if (sk->sk_counters != NULL)
		sk->sk_counters[1] = sk->sk_tx_bytes;
}

static inline void sk_note_said(struct sock *sk, uint64_t said)
{
	sk->sk_said = said;
	if (sk->sk_counters != NULL)
		sk->sk_counters[2] = said;
}

/* Somebody waits to read (or accept). Pollers are told in another way. */
static inline bool sk_has_readers(const struct sock *sk)
{
	return !TAILQ_EMPTY(&sk->sk_read_queue);
}

static inline bool sk_has_writers(const struct sock *sk)
{
	return !TAILQ_EMPTY(&sk->sk_write_queue);
}

/* The options that sockfs itself keeps, as a new socket has them. */
static inline void sock_set_defaults(struct sock *sk)
{
	sk->sk_connect_timeout = sock_default_connect_timeout;
	sk->sk_rcvtimeo = sock_default_rcvtimeo;
	sk->sk_sndtimeo = sock_default_sndtimeo;
}

/* Queues empty, counters zero, defaults set, no descriptor. net/core/sock.c: sock_init_data. */
void sock_init_data(struct socket *sock, struct sock *sk);

#endif /* NET_SOCK_H */
