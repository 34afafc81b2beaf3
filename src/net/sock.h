/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * struct sock: what a protocol keeps for a socket, for the rooms of net/ only.
 *
 * Twin of include/net/sock.h. A struct sock is made when a socket first needs
 * one and may outlive it: sk_socket is NULL from then on (an orphan), and the
 * memory goes when the last callback of libuv has come.
 */
#ifndef NET_SOCK_H
#define NET_SOCK_H

#include "net/socket.h"

/* sk_shutdown, as in include/net/sock.h */
#define RCV_SHUTDOWN 1 /* reads end: shutdown(SHUT_RD), or end of file was read */
#define SEND_SHUTDOWN 2

struct sock {
	struct socket *sk_socket;
	struct kiocb_queue sk_read_queue;  /* parked reads and accepts, oldest first */
	struct kiocb_queue sk_write_queue; /* parked writes */
	struct kiocb_queue sk_sync_queue;  /* parked fsyncs */
	uint64_t sk_rx_bytes;
	uint64_t sk_tx_bytes;
	uint64_t sk_accepted;
	uint64_t sk_timer;	   /* deadline asked of ops->timer, 0: none */
	int sk_err;		   /* an errno that the next read or write gets, once */
	int sk_err_last;	   /* for status: the last errno there was */
	int sk_connect_timeout;	   /* seconds, 0: none */
	int sk_rcvtimeo, sk_sndtimeo; /* seconds, 0: none */
	int sk_reap;		   /* seconds, 0: never; a listener's is for what it accepts */
	uint64_t sk_reap_at;	   /* deadline, 0: it is not over, or somebody has it open */
	uint16_t sk_sync_wait;	   /* ms until fsync looks again */
	uint8_t sk_shutdown;
	bool sk_lookup_failed;	   /* sk_err_last is of looking the host up */
};

/* Take the pending error, 0 if there is none. include/net/sock.h: sock_error. */
static inline int sock_error(struct sock *sk)
{
	int err = sk->sk_err;

	sk->sk_err = 0;
	return -err;
}

/* Note an errno value for the next caller and for status. */
static inline void sk_set_err(struct sock *sk, int err)
{
	sk->sk_err = err;
	sk->sk_err_last = err;
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

/* Queues empty, counters zero, defaults set. */
void sock_init_data(struct socket *sock, struct sock *sk);

extern const struct proto_ops tcp_prot_ops;

#endif /* NET_SOCK_H */
