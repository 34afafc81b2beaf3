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
 * stops: that one is for the next who accepts. What takes too long for one turn of the
 * loop goes on in the next.
 *
 * While a peer's socket is bound and not yet connected, the kernel gives it what anybody
 * sends to the address who has no socket yet (seen on Linux 6.18: all of it, not a share).
 * So once it is connected, others' datagrams are taken out of it again and put into the
 * listener's queue, which stands before the kernel's.
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

/* Datagrams that are taken out of a new peer's socket; what is behind them is dropped when read. */
#define STRAYS_MAX 256

static void got_message(struct udp_sock *u)
{
	sock_notify(u->sk.sk_socket);
	sock_data_ready(u->sk.sk_socket);
}

static void move_more(struct work_struct *work);

static void move_later(struct udp_sock *listener)
{
	if (listener->moving)
		return;
	listener->move.func = move_more;
	listener->moving = schedule_work(SOCK_INODE(listener->sk.sk_socket)->i_sb, &listener->move);
}

static void stop_moving(struct udp_sock *listener)
{
	if (listener->moving)
		cancel_work(SOCK_INODE(listener->sk.sk_socket)->i_sb, &listener->move);
	listener->moving = false;
}

/*
 * Move what stands first and belongs to peers that have a socket. The length of what
 * stands there then, from somebody new, and *ret_from; or -errno, or -EAGAIN: there is
 * nobody new, or the turn that began at @begin is over, and the next goes on.
 */
static ssize_t move_to_peers(struct udp_sock *listener, uint64_t begin, union udp_addr *ret_from)
{
	while (listener->sk.sk_fd >= 0) {
		ssize_t n = udp_first_message(listener, ret_from);
		struct udp_sock *u;

		if (n < 0)
			return n;
		u = udp_find_peer(&listener->local, ret_from);
		if (u == NULL)
			return n;
		udp_move_message(u, listener, (size_t)n);
		got_message(u);
		if (work_is_over(begin)) {
			if (listener->sk.sk_fd >= 0)
				move_later(listener);
			break;
		}
	}
	return -EAGAIN;
}

/* Whoever waits for somebody new is told here: the kernel does not know of our queue. */
static void move_more(struct work_struct *work)
{
	struct udp_sock *listener = container_of(work, struct udp_sock, move);
	struct inode *inode = SOCK_INODE(listener->sk.sk_socket);
	union udp_addr from;

	listener->moving = false;
	inode_get_work(inode);
	sk_watch_moved(&listener->sk);
	if (move_to_peers(listener, work_begin(), &from) >= 0)
		got_message(listener);
	inode_put_work(inode);
}

/* Take out of @u, which was connected just now, what others have sent. */
static void sort_out(struct udp_sock *listener, struct udp_sock *u)
{
	int fd = u->sk.sk_fd;
	union udp_addr from;
	ssize_t len;

	for (int i = 0; i < STRAYS_MAX && (len = udp_first_of_fd(fd, &from)) >= 0; i++)
		udp_take_message(udp_is_stray(u, &from) ? listener : u, fd, &from, (size_t)len);
}

/* ---------------------------------------------------------------- listen and accept */

static int share_address(int fd)
{
	int on = 1;

	return setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) != 0 ? -errno : 0;
}

/* The backlog is the kernel's receive buffer. */
int udp_listen(struct socket *sock, int backlog)
{
	struct sock *sk = sk_get(sock);
	union udp_addr local = {.sa.sa_family = AF_UNSPEC};
	socklen_t len = sizeof(local);
	int err = 0;

	(void)backlog;
	if (sk == NULL)
		return -ENOMEM;
	if (sk->sk_fd < 0)
		err = inet_autobind(sk);
	sk = sock->sk;
	if (err == 0)
		err = share_address(sk->sk_fd);
	if (err == 0 && getsockname(sk->sk_fd, &local.sa, &len) != 0)
		err = -errno;
	if (err != 0)
		return err;
	udp_sk(sk)->local = udp_plain(&local.sa);
	if (sock->state == SS_UNCONNECTED)
		sock_set_state(sock, SS_LISTENING);
	sock_state_change(sock);
	return 0;
}

/* A descriptor beside the listener's, that gets what @from sends. It or -errno. */
static int peer_fd(struct socket *sock, struct sock *newsk, const union udp_addr *from,
		   bool *ret_hopeless)
{
	const union udp_addr *local = &udp_sk(sock->sk)->local;
	int fd = sk_new_fd(newsk, sock->sk->sk_family), err;
	struct sock scratch = {.sk_fd = fd};

	*ret_hopeless = false;
	if (fd < 0)
		return fd;
	sk_set_owner(&scratch, sock);
	err = share_address(fd);
	if (err == 0)
		err = inet_bind_fd(fd, &local->sa, udp_addr_len(local));
	if (err == 0 && connect(fd, &from->sa, udp_addr_len(from)) != 0) {
		err = -errno;
		*ret_hopeless = true;
	}
	if (err == 0)
		return fd;
	close(fd);
	return err;
}

/* Nobody can ever answer who has sent it. */
static void drop_first(struct udp_sock *listener)
{
	if (udp_queued_len(listener) >= 0)
		(void)udp_queue_take(listener, NULL, 0);
	else
		(void)recv(listener->sk.sk_fd, NULL, 0, MSG_DONTWAIT);
	listener->sk.sk_drops++;
}

int udp_accept(struct socket *sock, struct socket *newsock)
{
	struct udp_sock *listener = udp_sk(sock->sk);
	struct sock *newsk = sk_get(newsock);
	uint64_t begin = work_begin();
	union udp_addr from, next;
	bool hopeless;
	ssize_t len;
	int fd, err;

	if (newsk == NULL)
		return -ENOMEM;
	sk_watch_moved(sock->sk);
	len = move_to_peers(listener, begin, &from);
	if (len < 0)
		return (int)len;
	err = sk_copy_options(newsk, sock->sk);
	if (err != 0)
		return err;
	fd = peer_fd(sock, newsk, &from, &hopeless);
	if (fd < 0) {
		if (!hopeless)
			return fd;
		drop_first(listener);
		return -EAGAIN;
	}
	err = sk_adopt(newsk, fd);
	if (err != 0) {
		close(fd);
		return err;
	}
	sk_set_owner(newsk, sock);
	udp_hash(udp_sk(newsk), &listener->local, &from);
	udp_move_message(udp_sk(newsk), listener, (size_t)len);
	sort_out(listener, udp_sk(newsk));
	/* What came meanwhile, and what was behind it. */
	if (move_to_peers(listener, begin, &next) >= 0 && udp_queued_len(listener) >= 0)
		move_later(listener);
	return 0;
}

void udp_forget(struct udp_sock *u)
{
	stop_moving(u);
	udp_unhash(u);
}

int udp_abort(struct socket *sock)
{
	if (sock->sk != NULL)
		udp_forget(udp_sk(sock->sk));
	return sock_common_abort(sock);
}

void udp_release(struct socket *sock)
{
	udp_forget(udp_sk(sock->sk));
	sock_common_release(sock);
}
