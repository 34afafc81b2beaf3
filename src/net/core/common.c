/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is the same for every protocol: the end of a socket, names, status.
 */
#include "config.h"

#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "net/core/core.h"
#include "net/sock_wait.h"
#include "uapi/addr.h"

void sock_common_release(struct socket *sock)
{
	struct sock *sk;

	sk_dial_abort(sock->sk, -ECONNABORTED);
	sock_cancel_all(sock, -ECONNABORTED);
	/* A dial that is given up leaves another sock. */
	sk = sock->sk;
	sock->sk = NULL;
	sk->sk_prot->inuse--;
	sk->sk_socket = NULL;
	sk_close(sk, false);
	sk_wait_close(sk);
	sk_put(sk);
}

/* A dial is given up; anything else is reset. */
int sock_common_abort(struct socket *sock)
{
	struct sock *sk = sk_get(sock);

	if (sk == NULL)
		return -ENOMEM;
	if (sk->sk_dial != NULL) {
		sk_dial_abort(sk, -ECONNABORTED);
		return 0;
	}
	if (sock->state == SS_CLOSED && sk->sk_fd < 0)
		return 0;
	sk->sk_err_last = ECONNABORTED;
	sk_close(sk, true);
	if (sock->state != SS_CLOSED)
		sock_closed(sock);
	if (!sock_cancel_all(sock, -ECONNABORTED))
		sk_set_err(sock->sk, ECONNABORTED);
	sock_state_change(sock);
	return 0;
}

int sock_common_getname(struct socket *sock, struct sockfs_addr *ret_addr, bool peer)
{
	struct sockaddr_storage ss = {.ss_family = AF_UNSPEC};
	socklen_t len = sizeof(ss);
	sa_family_t family;
	int fd = sock->sk != NULL ? sk_any_fd(sock->sk, &family) : -1;
	int err = 0;

	if (fd >= 0)
		err = peer ? getpeername(fd, (struct sockaddr *)&ss, &len)
			   : getsockname(fd, (struct sockaddr *)&ss, &len);
	if (peer && (fd < 0 || err != 0))
		return -ENOTCONN;
	if (err != 0)
		return -errno;
	if (fd >= 0 && sock->sk->sk_prot->name_text != NULL) {
		sock->sk->sk_prot->name_text(sock->sk, &ss, len, peer, ret_addr);
		return 0;
	}
	/* Created for its options only: no address yet. */
	if (!peer && addr_port((struct sockaddr *)&ss) == 0)
		ss.ss_family = AF_UNSPEC;
	addr_from_sockaddr((struct sockaddr *)&ss, ret_addr);
	return 0;
}

unsigned int sock_common_poll(struct socket *sock)
{
	struct sock *sk = sock->sk;
	struct pollfd p = {
		.fd = sk->sk_fd,
		.events = POLLIN | POLLPRI | POLLOUT | POLLRDHUP | POLLRDNORM | POLLWRNORM,
	};
	unsigned int events;

	if (sock->state == SS_CONNECTING)
		return 0;
	if ((sock->state == SS_UNCONNECTED && !sock_is_bound_for_all(sock)) || sk->sk_fd < 0) {
		events = POLLOUT | POLLWRNORM | POLLHUP;
		if (sock->state == SS_CLOSED)
			events |= POLLIN | POLLRDNORM | POLLRDHUP;
	} else {
		events = poll(&p, 1, 0) == 1 ? (unsigned short)p.revents : 0;
		if ((events & (POLLRDHUP | POLLERR)) == POLLRDHUP)
			sk_note_fin(sk);
	}
	if (sk->sk_err != 0 || sk->sk_held != 0)
		events |= POLLERR;
	if (sk->sk_regained >= 0)
		events |= POLLIN | POLLRDNORM;
	return events;
}

int sock_common_queues(struct socket *sock, uint32_t *ret_inq, uint32_t *ret_outq)
{
	int fd = sock->sk != NULL ? sock->sk->sk_fd : -1;
	int inq = 0, outq = 0;

	if (fd >= 0 && sock->state == SS_LISTENING) {
		*ret_outq = 0;
		return sock->sk->sk_prot->backlog(fd, ret_inq);
	}
	if (fd >= 0 && sock->state != SS_CONNECTING &&
	    (sock->state != SS_UNCONNECTED || sock_is_bound_for_all(sock))) {
		if (ioctl(fd, SIOCINQ, &inq) != 0 || ioctl(fd, SIOCOUTQ, &outq) != 0)
			return -errno;
	}
	*ret_inq = (uint32_t)inq;
	*ret_outq = (uint32_t)outq;
	return 0;
}

int sock_common_sync(struct socket *sock)
{
	return sock->sk->sk_fd < 0 ? 0 : sock->sk->sk_prot->sync(sock->sk);
}

void sock_common_info(struct socket *sock, struct sockfs_info *info)
{
	const struct sock *sk = sock->sk;
	struct stat st;
	sa_family_t family;
	int fd = sk_any_fd(sk, &family);

	info->error = sk->sk_err_last;
	info->flags = sk->sk_lookup_failed ? SOCKFS_INFO_LOOKUP : 0;
	info->rx_bytes = sk->sk_rx_bytes;
	info->tx_bytes = sk->sk_tx_bytes;
	info->accepted = sk->sk_accepted;
	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0)
		info->sk_ino = st.st_ino;
}

int sock_common_connect(struct socket *sock, int fd, const struct sockaddr *addr, socklen_t len)
{
	(void)sock;
	return connect(fd, addr, len) != 0 && errno != EINPROGRESS ? -errno : 0;
}

/* Each of these calls can fail when the connection has just gone: then it is unset. */
int sk_diag(const struct sock *sk, struct sock_diag *ret_diag)
{
	socklen_t len = sizeof(ret_diag->local);
	sa_family_t family;
	int fd = sk != NULL ? sk_any_fd(sk, &family) : -1;

	*ret_diag = (struct sock_diag){0};
	if (fd < 0)
		return -1;
	ret_diag->family = family;
	(void)getsockname(fd, (struct sockaddr *)&ret_diag->local, &len);
	len = sizeof(ret_diag->remote);
	if (getpeername(fd, (struct sockaddr *)&ret_diag->remote, &len) != 0)
		ret_diag->remote = sk_dial_peer(sk);
	return fd;
}
