/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The states of a socket: one table of the moves that are allowed.
 */
#include "config.h"

#include <poll.h>
#include <stdlib.h>

#include "fs/user.h"
#include "lib/log.h"
#include "net/proto_ops.h"
#include "sockfs/ioctl.h"
#include "uapi/state.h"

#define TO(state) (1u << (state))

/* States of a connection, that there is or will be. */
#define CONNECTIONS (TO(SS_CONNECTING) | TO(SS_CONNECTED) | TO(SS_DISCONNECTING))

/* Allowed moves. */
static const unsigned int moves[] = {
	[SS_UNCONNECTED] = TO(SS_CONNECTING) | TO(SS_CONNECTED) | TO(SS_LISTENING) | TO(SS_CLOSED),
	[SS_CONNECTING] = TO(SS_UNCONNECTED) | TO(SS_CONNECTED) | TO(SS_CLOSED),
	/* Another protocol upon it shakes hands (net/core/ulp.c). */
	[SS_CONNECTED] = TO(SS_DISCONNECTING) | TO(SS_CLOSED) | TO(SS_CONNECTING),
	[SS_LISTENING] = TO(SS_CLOSED),
	[SS_DISCONNECTING] = TO(SS_CLOSED),
	/* A failed dial may be tried again. */
	[SS_CLOSED] = TO(SS_CONNECTING),
};

BUILD_BUG_ON((int)SS_UNCONNECTED != (int)SOCKFS_UNCONNECTED);
BUILD_BUG_ON((int)SS_CLOSED != (int)SOCKFS_CLOSED);

const char *sock_state_name(socket_state state)
{
	return state == SS_FREE ? "free" : state_name(state);
}

void sock_set_state(struct socket *sock, socket_state state)
{
	if (!(moves[sock->state] & TO(state))) {
		pr_err("BUG: socket %llu: %s cannot become %s",
		       (unsigned long long)SOCK_INODE(sock)->i_ino, sock_state_name(sock->state),
		       sock_state_name(state));
		return;
	}
	pr_debug("socket %llu: %s -> %s", (unsigned long long)SOCK_INODE(sock)->i_ino,
		 sock_state_name(sock->state), sock_state_name(state));
	sock->state = state;
	inode_set_connected(SOCK_INODE(sock), TO(state) & CONNECTIONS);
	mark_sock_dirty(sock);
}

void sock_resume_state(struct socket *sock, socket_state state)
{
	sock->state = state;
	inode_set_connected(SOCK_INODE(sock), TO(state) & CONNECTIONS);
}

#ifdef CONFIG_DEBUG_NET
void sock_check(const struct socket *sock, unsigned int states, bool has_sk, const char *op)
{
	bool allowed = states & TO(sock->state);

	if (allowed && (!has_sk || sock->sk != NULL))
		return;
	pr_err("BUG: socket %llu: %s while %s, %s", (unsigned long long)SOCK_INODE(sock)->i_ino, op,
	       sock_state_name(sock->state), sock->sk != NULL ? "with a sk" : "without a sk");
	abort();
}
#endif

socket_state sock_current_state(struct socket *sock)
{
	switch (sock->state) {
	case SS_CONNECTED:
	case SS_DISCONNECTING:
		/* Both directions have ended, or it was reset: the kernel's word for it. */
		return proto_poll(sock) & POLLHUP ? SS_CLOSED : sock->state;
	default:
		return sock->state;
	}
}
