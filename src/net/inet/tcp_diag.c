/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel knows of a TCP socket, for tables. Twin of net/ipv4/tcp_diag.c.
 */
#include "config.h"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "net/core/core.h"
#include "net/inet/tcp.h"

/* Without a kernel socket: where sockfs is. */
static uint8_t state_alone(const struct socket *sock)
{
	return sock->state == SS_CONNECTING ? TCP_SYN_SENT : TCP_CLOSE;
}

static void queue_of(int fd, unsigned long what, uint32_t *ret_bytes)
{
	int n;

	if (ioctl(fd, what, &n) == 0)
		*ret_bytes = (uint32_t)n;
}

static void diag_info(const struct socket *sock, int fd, struct tcp_diag *ret)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	memset(&info, 0, sizeof(info));
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
		return;
	ret->state = info.tcpi_state;
	ret->retransmits = info.tcpi_retransmits;
	ret->probes = info.tcpi_probes;
	ret->rto_us = info.tcpi_rto;
	ret->ato_us = info.tcpi_ato;
	ret->cwnd = info.tcpi_snd_cwnd;
	ret->ssthresh = info.tcpi_snd_ssthresh;
	/* Of a listener these are the connections that wait, and how many may. */
	if (sock->state == SS_LISTENING) {
		ret->rqueue = info.tcpi_unacked;
		return;
	}
	if (sock->state == SS_UNCONNECTED || sock->state == SS_CONNECTING)
		return;
	queue_of(fd, SIOCINQ, &ret->rqueue);
	queue_of(fd, SIOCOUTQ, &ret->wqueue);
}

void tcp_get_diag(const struct socket *sock, struct tcp_diag *ret_diag)
{
	int fd;

	memset(ret_diag, 0, sizeof(*ret_diag));
	ret_diag->state = state_alone(sock);
	fd = sk_diag(sock->sk, &ret_diag->sk);
	if (fd >= 0)
		diag_info(sock, fd, ret_diag);
}
