/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * .proc/udp and udp6: one line a socket, in the columns of proc(5)'s net/udp.
 *
 * Twin of net/ipv4/udp.c: udp4_seq_show, and net/ipv6/udp.c. The state is the kernel's
 * way to say whether there is a peer: 01, or 07.
 */
#include "config.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include "net/core/core.h"
#include "net/inet/inet_proc.h"
#include "net/inet/udp.h"
#include "uapi/sockopt.h"

/* net/ipv4/udp.c: udp4_seq_show. */
#define UDP4_LINE 128

static int drops_of(struct sock *sk)
{
	return sk != NULL ? *sk->sk_prot->own_option(sk, SOCKFS_SO_DROPS) : 0;
}

static bool show_one(struct seq_file *m, const struct inode *inode, bool six)
{
	struct socket *sock = SOCKET_I(inode);
	uint32_t inq = 0, outq = 0;
	struct sock_diag d;

	(void)sk_diag(sock->sk, &d);
	if ((d.family == AF_INET6) != six)
		return false;
	(void)proto_queues(sock, &inq, &outq);
	if (!six)
		seq_setwidth(m, UDP4_LINE - 1);
	seq_printf(m, "%5u:", (unsigned int)m->nr);
	inet_proc_addrs(m, &d, six);
	seq_printf(m, " %02X %08X:%08X 00:00000000 00000000 %5u        0 %lu %u 0000000000000000 %d",
		   d.remote.ss_family != AF_UNSPEC ? TCP_ESTABLISHED : TCP_CLOSE, outq, inq,
		   inode->i_uid, (unsigned long)inode->i_ino, inode->i_opens + 1,
		   drops_of(sock->sk));
	if (six)
		seq_puts(m, "\n");
	else
		seq_pad(m, '\n');
	return true;
}

bool udp_show4(struct seq_file *m, void *sb)
{
	if (m->pos == 0) {
		seq_setwidth(m, UDP4_LINE - 1);
		seq_puts(m, "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when"
			    " retrnsmt   uid  timeout inode ref pointer drops");
		seq_pad(m, '\n');
	}
	return inet_proc_sockets(m, sb, IPPROTO_UDP, show_one, false);
}

bool udp_show6(struct seq_file *m, void *sb)
{
	if (m->pos == 0)
		seq_puts(m, "  sl  local_address                         remote_address          "
			    "              st tx_queue rx_queue tr tm->when retrnsmt"
			    "   uid  timeout inode ref pointer drops\n");
	return inet_proc_sockets(m, sb, IPPROTO_UDP, show_one, true);
}
