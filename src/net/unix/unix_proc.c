/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * .proc/unix: one line a UNIX socket, in the columns of the kernel's net/unix.
 *
 * Twin of net/unix/af_unix.c: unix_seq_show. The inode is that of the file in the mount.
 */
#include "config.h"

#include <sys/socket.h>

#include "net/proto_ops.h"
#include "net/unix/unix.h"
#include "sockfs/ioctl.h"

#define SOCKETS_A_TURN 256

#define SO_ACCEPTCON_FLAG (1 << 16) /* include/uapi/linux/net.h: __SO_ACCEPTCON */

/* As enum socket_state of include/uapi/linux/net.h has it: nothing listens there. */
static unsigned int state_of(const struct socket *sock)
{
	switch (sock->state) {
	case SS_CONNECTING:
	case SS_CONNECTED:
	case SS_DISCONNECTING:
		return sock->state;
	default:
		return SS_UNCONNECTED;
	}
}

static void show_line(struct seq_file *m, struct inode *inode)
{
	struct socket *sock = SOCKET_I(inode);
	struct sockfs_addr addr = {.host = ""};

	(void)sock_getname(sock, &addr, false);
	if (addr.host[0] == '\0')
		(void)sock_getname(sock, &addr, true);
	seq_printf(m, "%016x: %08X %08X %08X %04X %02X %5lu", 0u, inode->i_opens + 1, 0u,
		   sock->state == SS_LISTENING ? SO_ACCEPTCON_FLAG : 0u, (unsigned)SOCK_STREAM,
		   state_of(sock), (unsigned long)inode->i_ino);
	if (addr.host[0] != '\0')
		seq_printf(m, " %s", addr.host + sizeof("unix:") - 1);
	seq_puts(m, "\n");
}

bool unix_show(struct seq_file *m, void *data)
{
	const struct super_block *sb = data;
	uint64_t begin = work_begin();

	if (m->pos == 0)
		seq_puts(m, "Num       RefCount Protocol Flags    Type St Inode Path\n");
	for (int i = 0; i == 0 || (i < SOCKETS_A_TURN && !work_is_over(begin)); i++) {
		struct inode *inode = idtable_next(&sb->s_inodes, &m->pos);

		if (inode == NULL)
			return false;
		if (inode->i_state & (I_PLAIN | I_CLEAR) ||
		    SOCKET_I(inode)->ops->prot->family != AF_UNIX || !seq_may_see(m, inode->i_uid))
			continue;
		show_line(m, inode);
	}
	return true;
}
