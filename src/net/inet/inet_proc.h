/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tables of .proc with a line a socket, in the formats of the kernel's net/tcp and net/udp.
 *
 * The inode is that of the file in the mount, so find -inum finds it; the uid is its
 * owner's. Sockets that are no IPv6 sockets (yet) are in the table without a 6.
 */
#ifndef NET_INET_INET_PROC_H
#define NET_INET_INET_PROC_H

#include "fs/seq_file.h"
#include "net/sock.h"

/* Write the line of @inode, numbered m->nr, if it is of the table (@six). Is it? */
typedef bool inet_proc_line(struct seq_file *m, const struct inode *inode, bool six);

/* The next sockets of @protocol (IPPROTO_) in @sb. False: that was the last. As single_open's show. */
bool inet_proc_sockets(struct seq_file *m, const struct super_block *sb, int protocol,
		       inet_proc_line *line, bool six);

/* The two columns of addresses: hexadecimal as they lie in memory, ports in host order. */
void inet_proc_addrs(struct seq_file *m, const struct sock_diag *d, bool six);

#endif /* NET_INET_INET_PROC_H */
