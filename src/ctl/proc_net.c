/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * .proc/tcp and tcp6: one line a socket, in the columns of proc(5)'s net/tcp.
 *
 * Twin of net/ipv4/tcp_ipv4.c: get_tcp4_sock, and net/ipv6/tcp_ipv6.c. The
 * inode is that of the file in the mount, so find -inum finds it; the uid is
 * its owner's. Sockets that are no IPv6 sockets (yet) are in tcp. What a kernel
 * tells nobody (when a timer runs out, addresses in its memory) is 0.
 */
#include "config.h"

#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "ctl/proc.h"
#include "net/inet/tcp.h"
#include "net/proto_ops.h"
#include "uapi/addr.h"

/* net/ipv4/tcp_ipv4.c: TMPSZ. Some readers count on lines of one length. */
#define TCP4_LINE 150

#define SOCKETS_A_TURN 256

#define TCP_INFINITE_SSTHRESH 0x7fffffffu

static bool is_tcp(const struct inode *inode)
{
	return !(inode->i_state & (I_PLAIN | I_CLEAR)) && SOCKET_I(inode)->ops->prot == &tcp_prot;
}

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

/* %08X of addresses as they lie in memory, ports in host order: the kernel's way. */
static void show_addr4(struct seq_file *m, const struct sockaddr_storage *ss)
{
	const struct sockaddr_in *sin = (const struct sockaddr_in *)ss;
	bool set = ss->ss_family == AF_INET;

	seq_printf(m, " %08X:%04X", set ? sin->sin_addr.s_addr : 0,
		   addr_port((const struct sockaddr *)ss));
}

static void show_addr6(struct seq_file *m, const struct sockaddr_storage *ss)
{
	const struct sockaddr_in6 *sin6 = (const struct sockaddr_in6 *)ss;
	uint32_t word[4] = {0};

	if (ss->ss_family == AF_INET6)
		memcpy(word, &sin6->sin6_addr, sizeof(word));
	seq_printf(m, " %08X%08X%08X%08X:%04X", word[0], word[1], word[2], word[3],
		   addr_port((const struct sockaddr *)ss));
}

static void show_line(struct seq_file *m, unsigned int nr, const struct inode *inode,
		      const struct tcp_diag *d)
{
	bool six = d->sk.family == AF_INET6;

	if (!six)
		seq_setwidth(m, TCP4_LINE - 1);
	seq_printf(m, "%4u:", nr);
	if (six) {
		show_addr6(m, &d->sk.local);
		show_addr6(m, &d->sk.remote);
	} else {
		show_addr4(m, &d->sk.local);
		show_addr4(m, &d->sk.remote);
	}
	show_tail(m, inode, d);
	if (six)
		seq_puts(m, "\n");
	else
		seq_pad(m, '\n');
}

/*
 * Of the next sockets, those whose family is IPv6, or the others. Each costs
 * some system calls, so it is a few of them at a time.
 */
static bool show_sockets(struct seq_file *m, const struct super_block *sb, bool six)
{
	uint64_t begin = work_begin();

	for (int i = 0; i < SOCKETS_A_TURN && !work_is_over(begin); i++) {
		struct inode *inode = idtable_next(&sb->s_inodes, &m->pos);
		struct tcp_diag d;

		if (inode == NULL)
			return false;
		if (!is_tcp(inode))
			continue;
		tcp_get_diag(SOCKET_I(inode), &d);
		if ((d.sk.family == AF_INET6) == six)
			show_line(m, (unsigned int)m->nr++, inode, &d);
	}
	return true;
}

bool proc_show_tcp(struct seq_file *m, void *sb)
{
	if (m->pos == 0) {
		seq_setwidth(m, TCP4_LINE - 1);
		seq_puts(m, "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when"
			    " retrnsmt   uid  timeout inode");
		seq_pad(m, '\n');
	}
	return show_sockets(m, sb, false);
}

bool proc_show_tcp6(struct seq_file *m, void *sb)
{
	if (m->pos == 0)
		seq_puts(m, "  sl  local_address                         remote_address          "
			    "              st tx_queue rx_queue tr tm->when retrnsmt"
			    "   uid  timeout inode\n");
	return show_sockets(m, sb, true);
}

/* net/ipv4/proc.c: sockstat_seq_show. */
bool proc_show_sockstat(struct seq_file *m, void *data)
{
	const struct super_block *sb = data;

	seq_printf(m, "sockets: used %llu\n", (unsigned long long)sb->s_nr_sockets);
	for (const struct proto *prot = proto_next(NULL); prot != NULL; prot = proto_next(prot)) {
		unsigned long inuse = prot->inuse;
		struct slabinfo s;

		get_slabinfo(prot->slab, &s);
		/* Orphans outlive their file until libuv lets go. None of ours is in TIME-WAIT. */
		seq_printf(m, "%s: inuse %lu orphan %lu tw 0 alloc %lu mem %lu\n", prot->name,
			   inuse, s.active_objs - inuse, s.active_objs,
			   s.num_slabs << s.cache_order);
	}
	return false;
}
