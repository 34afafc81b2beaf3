/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Listening on UDP: a file for each peer, as TCP has one for each connection.
 *
 * Happy path: a datagram of somebody new waits in the listener's socket; who accepts
 * gets a socket that is bound to the same address and connected to that peer, and the
 * datagram is the first that is read from it. From then on the kernel gives the peer's
 * datagrams to the peer's socket, whose address matches better than the listener's.
 *
 * In between more of them may have come to the listener: they are moved to a queue of
 * the peer's, which is bounded. Where the first in line is from somebody new the moving
 * stops: that one is for the next who accepts.
 *
 * All those sockets share their address by SO_REUSEPORT, which Linux allows to sockets
 * of one user only: so no other user can join them. They stay the listener's owner's,
 * whoever has accepted.
 *
 * Failure modes: memory and descriptors run out (the datagram stays where it is, and the
 * error is told), a peer cannot be connected to (its datagram is dropped), a queue is
 * full (dropped and counted).
 */
#include "config.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/core/core.h"
#include "net/inet/inet_addr.h"
#include "net/inet/udp.h"
#include "net/sock_wait.h"

/* Datagrams that one call moves to where they belong. */
#define MOVES_A_CALL 256

/*
 * Move what stands first and belongs to peers that have a socket. The length of what
 * stands there then, from somebody new, and *ret_from; or -EAGAIN, -errno.
 */
static ssize_t move_to_peers(struct udp_sock *listener, struct sockaddr_storage *ret_from)
{
	ssize_t n = -EAGAIN;

	for (int i = 0; i < MOVES_A_CALL; i++) {
		struct udp_sock *u;

		n = udp_first_message(listener->sk.sk_fd, ret_from);
		if (n < 0)
			return n;
		u = udp_find_peer(&listener->local, ret_from);
		if (u == NULL)
			return n;
		udp_move_message(u, listener->sk.sk_fd, (size_t)n);
		sock_notify(u->sk.sk_socket);
		sock_data_ready(u->sk.sk_socket);
		if (listener->sk.sk_fd < 0)
			break;
	}
	return -EAGAIN;
}

/* ---------------------------------------------------------------- listen and accept */

/* Any address, a port of the kernel's choice. */
static int autobind(struct sock *sk)
{
	const struct sockaddr_in6 any = {.sin6_family = AF_INET6};
	const struct sockaddr_in any4 = {.sin_family = AF_INET};
	int err = sk_open(sk, AF_INET6);

	if (err == 0)
		err = inet_bind_fd(sk->sk_fd, (const struct sockaddr *)&any, sizeof(any));
	if (err != -EAFNOSUPPORT && err != -EADDRNOTAVAIL)
		return err;
	sk = sk_replace(sk);
	err = sk == NULL ? -ENOMEM : sk_open(sk, AF_INET);
	return err != 0 ? err
			: inet_bind_fd(sk->sk_fd, (const struct sockaddr *)&any4, sizeof(any4));
}

static int share_address(int fd)
{
	int on = 1;

	return setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) != 0 ? -errno : 0;
}

/* The backlog is the kernel's receive buffer. */
int udp_listen(struct socket *sock, int backlog)
{
	struct sock *sk = sk_get(sock);
	struct sockaddr_storage local = {.ss_family = AF_UNSPEC};
	socklen_t len = sizeof(local);
	int err = 0;

	(void)backlog;
	if (sk == NULL)
		return -ENOMEM;
	if (sk->sk_fd < 0)
		err = autobind(sk);
	sk = sock->sk;
	if (err == 0)
		err = share_address(sk->sk_fd);
	if (err == 0 && getsockname(sk->sk_fd, (struct sockaddr *)&local, &len) != 0)
		err = -errno;
	if (err != 0)
		return err;
	udp_sk(sk)->local = udp_plain(&local);
	if (sock->state == SS_UNCONNECTED)
		sock_set_state(sock, SS_LISTENING);
	sock_state_change(sock);
	return 0;
}

/* A descriptor beside the listener's, that gets what @from sends. It or -errno. */
static int peer_fd(struct socket *sock, struct sock *newsk, const struct sockaddr_storage *from,
		   bool *ret_hopeless)
{
	const struct sockaddr_storage *local = &udp_sk(sock->sk)->local;
	int fd = sk_new_fd(newsk, sock->sk->sk_family), err;
	struct sock scratch = {.sk_fd = fd};

	*ret_hopeless = false;
	if (fd < 0)
		return fd;
	sk_set_owner(&scratch, sock);
	err = share_address(fd);
	if (err == 0)
		err = inet_bind_fd(fd, (const struct sockaddr *)local, sockaddr_len(local));
	if (err == 0 && connect(fd, (const struct sockaddr *)from, sockaddr_len(from)) != 0) {
		err = -errno;
		*ret_hopeless = true;
	}
	if (err == 0)
		return fd;
	close(fd);
	return err;
}

int udp_accept(struct socket *sock, struct socket *newsock)
{
	struct udp_sock *listener = udp_sk(sock->sk);
	struct sock *newsk = sk_get(newsock);
	struct sockaddr_storage from, next;
	bool hopeless;
	ssize_t len;
	int fd, err;

	if (newsk == NULL)
		return -ENOMEM;
	sk_watch_moved(sock->sk);
	len = move_to_peers(listener, &from);
	if (len < 0)
		return (int)len;
	err = sk_copy_options(newsk, sock->sk);
	if (err != 0)
		return err;
	fd = peer_fd(sock, newsk, &from, &hopeless);
	if (fd < 0) {
		if (!hopeless)
			return fd;
		(void)recv(sock->sk->sk_fd, NULL, 0, MSG_DONTWAIT);
		sock->sk->sk_drops++;
		return -EAGAIN;
	}
	err = sk_adopt(newsk, fd);
	if (err != 0) {
		close(fd);
		return err;
	}
	sk_set_owner(newsk, sock);
	udp_hash(udp_sk(newsk), &listener->local, &from);
	udp_move_message(udp_sk(newsk), sock->sk->sk_fd, (size_t)len);
	/* What came meanwhile, and what was behind it. */
	(void)move_to_peers(listener, &next);
	return 0;
}

int udp_abort(struct socket *sock)
{
	if (sock->sk != NULL)
		udp_unhash(udp_sk(sock->sk));
	return sock_common_abort(sock);
}

void udp_release(struct socket *sock)
{
	udp_unhash(udp_sk(sock->sk));
	sock_common_release(sock);
}
