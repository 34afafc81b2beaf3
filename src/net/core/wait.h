/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The loop, and waiting for the descriptor of a sock on it, of whatever protocol.
 */
#ifndef NET_CORE_WAIT_H
#define NET_CORE_WAIT_H

#include <uv.h>

#include "net/sock.h"

/* The loop that everything runs on. */
extern uv_loop_t *sk_loop;
/*
 * From here on sockets wait on @loop: sock_loop (net/sock_wait.h) is this file and
 * watch.c. To be called before the first socket is made.
 */
void sk_loop_init(uv_loop_t *loop);

/* What struct sock_loop asks for; see there. */
int sk_wait_for(struct socket *sock, unsigned int events);
int sk_watch_for(struct socket *sock, unsigned int events);
int sk_timer_set(struct socket *sock, uint64_t deadline);
uint64_t sk_now(void);

/*
 * Set the timer to @deadline again (0: none) when the wait that had it has gone,
 * unless the socket has, too. Without memory for it a time limit comes late.
 */
void sk_timer_keep(struct sock *sk, uint64_t deadline);
/* Stop and free the wait, close its descriptor now. */
void sk_wait_close(struct sock *sk);
void sk_read_stop(struct sock *sk);

/* For a row: what its read_start has promised. Stops reading when nobody waits. */
void sk_readable(struct sock *sk);
/* For a row whose handle is a uv_stream_t: its read_start and read_stop. */
int stream_read_start(struct sock *sk);
void stream_read_stop(struct sock *sk);

#endif /* NET_CORE_WAIT_H */
