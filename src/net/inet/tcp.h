/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TCP, on uv_tcp_t.
 */
#ifndef NET_INET_TCP_H
#define NET_INET_TCP_H

#include <uv.h>

#include "net/sock.h"

struct tcp_sock {
	struct sock sk;
	uv_tcp_t tcp;
};

extern struct proto tcp_prot;

/* As struct proto.backlog. */
int tcp_backlog(int fd, uint32_t *ret_n);

/* A line of .proc/tcp. Twin of include/uapi/linux/inet_diag.h and struct tcp_info. */
struct tcp_diag {
	struct sock_diag sk;
	uint8_t state; /* TCP_ESTABLISHED, ... as the kernel numbers them */
	uint8_t retransmits;
	uint8_t probes;
	uint32_t rqueue, wqueue; /* bytes to read and not acknowledged; a listener's backlog */
	uint32_t rto_us, ato_us;
	uint32_t cwnd, ssthresh;
};

/* Never fails: what is unknown is 0. @sock is one of TCP. */
void tcp_get_diag(const struct socket *sock, struct tcp_diag *ret_diag);

/* .proc/tcp and tcp6 (tcp_proc.c). */
bool tcp_show4(struct seq_file *m, void *sb);
bool tcp_show6(struct seq_file *m, void *sb);

#endif /* NET_INET_TCP_H */
