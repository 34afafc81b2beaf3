/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tables of TCP and of UDP have in common: which sockets, and their addresses.
 */
#include "config.h"

#include "net/inet/inet_proc.h"

#include <netinet/in.h>
#include <string.h>

#include "net/proto_ops.h"
#include "uapi/addr.h"

#define SOCKETS_A_TURN 256

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

void inet_proc_addrs(struct seq_file *m, const struct sock_diag *d, bool six)
{
	if (six) {
		show_addr6(m, &d->local);
		show_addr6(m, &d->remote);
	} else {
		show_addr4(m, &d->local);
		show_addr4(m, &d->remote);
	}
}

/*
 * Each costs some system calls, so it is a few of them at a time, and one whatever the clock
 * says: a heading stands before the first, and would come again.
 */
bool inet_proc_sockets(struct seq_file *m, const struct super_block *sb, int protocol,
		       inet_proc_line *line, bool six)
{
	uint64_t begin = work_begin();

	for (int i = 0; i == 0 || (i < SOCKETS_A_TURN && !work_is_over(begin)); i++) {
		const struct inode *inode = idtable_next(&sb->s_inodes, &m->pos);

		if (inode == NULL)
			return false;
		if (inode->i_state & (I_PLAIN | I_CLEAR) ||
		    SOCKET_I(inode)->ops->prot->protocol != protocol || !seq_may_see(m, inode->i_uid))
			continue;
		if (line(m, inode, six))
			m->nr++;
	}
	return true;
}
