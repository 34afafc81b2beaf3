/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * .proc/tcp and tcp6: one line a socket, in the columns of proc(5)'s net/tcp.
 *
 * Twin of net/ipv4/tcp_ipv4.c: get_tcp4_sock, and net/ipv6/tcp_ipv6.c. What a kernel
 * tells nobody (when a timer runs out, addresses in its memory) is 0.
 */
#include "config.h"

#include <netinet/in.h>
#include <unistd.h>

#include "net/inet/inet_proc.h"
#include "net/inet/tcp.h"

/* net/ipv4/tcp_ipv4.c: TMPSZ. Some readers count on lines of one length. */
#define TCP4_LINE 150

#define TCP_INFINITE_SSTHRESH 0x7fffffffu

/* The microseconds of TCP_INFO to the clock ticks of proc(5). */
static unsigned long ticks(uint32_t us)
{
	static long hz;

	if (hz == 0)
		hz = sysconf(_SC_CLK_TCK);
	return (unsigned long)((uint64_t)us * (uint64_t)hz / 1000000);
}

static void show_tail(struct seq_file *m, const struct inode *inode, const struct tcp_diag *d)
{
	seq_printf(m, " %02X %08X:%08X 00:00000000 %08X %5u %8d %lu %u 0000000000000000", d->state,
		   d->wqueue, d->rqueue, d->retransmits, inode->i_uid, d->probes,
		   (unsigned long)inode->i_ino, inode->i_opens + 1);
	/* As the kernel: nothing more to tell of what is over. */
	seq_printf(m, " %lu %lu 0 %u %d", ticks(d->rto_us), ticks(d->ato_us), d->cwnd,
		   d->ssthresh >= TCP_INFINITE_SSTHRESH ? -1 : (int)d->ssthresh);
}

/* A line of @inode's, if it is of the table. */
static bool show_one(struct seq_file *m, const struct inode *inode, bool six)
{
	struct tcp_diag d;

	tcp_get_diag(SOCKET_I(inode), &d);
	if ((d.sk.family == AF_INET6) != six)
		return false;
	if (!six)
		seq_setwidth(m, TCP4_LINE - 1);
	seq_printf(m, "%4u:", (unsigned int)m->nr);
	inet_proc_addrs(m, &d.sk, six);
	show_tail(m, inode, &d);
	if (six)
		seq_puts(m, "\n");
	else
		seq_pad(m, '\n');
	return true;
}

bool tcp_show4(struct seq_file *m, void *sb)
{
	if (m->pos == 0) {
		seq_setwidth(m, TCP4_LINE - 1);
		seq_puts(m, "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when"
			    " retrnsmt   uid  timeout inode");
		seq_pad(m, '\n');
	}
	return inet_proc_sockets(m, sb, IPPROTO_TCP, show_one, false);
}

bool tcp_show6(struct seq_file *m, void *sb)
{
	if (m->pos == 0)
		seq_puts(m, "  sl  local_address                         remote_address          "
			    "              st tx_queue rx_queue tr tm->when retrnsmt"
			    "   uid  timeout inode\n");
	return inet_proc_sockets(m, sb, IPPROTO_TCP, show_one, true);
}
