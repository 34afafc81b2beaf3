/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a mirror below .ctl to what it is the mirror of; the words are those of ctl_tree.c.
 */
#include "config.h"

#include "ctl/ctl.h"
#include "fs/dcache.h"
#include "net/socket.h"

struct inode *ctl_real(const struct inode *mirror)
{
	return ilookup(mirror->i_sb, PLAIN_I(mirror)->number);
}

struct socket *ctl_socket(const struct inode *inode)
{
	const struct inode *real = ctl_real(inode);

	return real == NULL || real->i_state & I_CLEAR ? NULL : SOCKET_I(real);
}

uint64_t ctl_ino(uint64_t ino)
{
	return ino | (uint64_t)1 << 48;
}
