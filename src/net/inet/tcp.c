/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TCP: its row, and what only it does. Twin of net/ipv4/tcp.c.
 */
#include "config.h"

#include "net/inet/tcp.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "net/core/core.h"
#include "net/inet/inet_addr.h"

static struct tcp_sock *tcp_sk(struct sock *sk)
{
	return container_of(sk, struct tcp_sock, sk);
}

static int tcp_handle_init(struct sock *sk)
{
	return uv_tcp_init(sk_loop, &tcp_sk(sk)->tcp);
}

static int tcp_handle_open(struct sock *sk, int fd)
{
	return uv_tcp_open(&tcp_sk(sk)->tcp, fd);
}

/* A write is a message: what a shell says must not wait for more. */
static int tcp_init_fd(int fd)
{
	int on = 1;

	return setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0 ? -errno : 0;
}

/*
 * close(2) sends RST instead of FIN when received bytes were not read, and RST
 * throws away what is queued to send. A script that answers a request without
 * reading all of it wants its answer delivered: so what has arrived is read
 * away first. MSG_TRUNC discards without copying (tcp(7)): nothing is ever written
 * to the memory, but sanitizers and valgrind want it to be there. A receive
 * buffer has 64 MiB at most, unless the administrator likes it otherwise.
 */
static void tcp_discard_received(int fd)
{
	static char nowhere[1 << 20];

	for (int i = 0; i < 64; i++)
		if (recv(fd, nowhere, sizeof(nowhere), MSG_TRUNC | MSG_DONTWAIT) <= 0)
			return;
}

/* Of a listener this counts the connections that wait, as ss(8) shows. */
int tcp_backlog(int fd, uint32_t *ret_n)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
		return -errno;
	*ret_n = info.tcpi_unacked;
	return 0;
}

static bool tcp_fin_came(int fd)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
		return false;
	return info.tcpi_state == TCP_CLOSE_WAIT || info.tcpi_state == TCP_LAST_ACK ||
	       info.tcpi_state == TCP_CLOSING || info.tcpi_state == TCP_TIME_WAIT;
}

/* A connection that was reset never gets its acknowledgements, and SIOCOUTQ keeps counting. */
static int tcp_sync(struct sock *sk)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);
	int outq = 0, err = 0;

	if (ioctl(sk->sk_fd, SIOCOUTQ, &outq) != 0)
		return -errno;
	if (outq == 0)
		return 0;
	if (getsockopt(sk->sk_fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
		return -errno;
	if (info.tcpi_state != TCP_CLOSE)
		return -EAGAIN;
	len = sizeof(err);
	if (getsockopt(sk->sk_fd, SOL_SOCKET, SO_ERROR, &err, &len) != 0)
		return -errno;
	if (err == 0)
		err = sk->sk_err_last != 0 ? sk->sk_err_last : EPIPE;
	sk_over(sk, err);
	return -err;
}

static const struct proto_table tcp_tables[] = {
	{"tcp", tcp_show4}, {"tcp6", tcp_show6}, {NULL, NULL}};

struct proto tcp_prot = {
	.name = "TCP",
	.word = "tcp",
	.dir = "tcp",
	.family = AF_INET,
	.type = SOCK_STREAM,
	.protocol = IPPROTO_TCP,
	.obj_size = sizeof(struct tcp_sock),
	.handle = offsetof(struct tcp_sock, tcp),
	.resolve = inet_resolve,
	.handle_init = tcp_handle_init,
	.handle_open = tcp_handle_open,
	.read_start = stream_read_start,
	.read_stop = stream_read_stop,
	.init_fd = tcp_init_fd,
	.before_close = tcp_discard_received,
	.backlog = tcp_backlog,
	.fin_came = tcp_fin_came,
	.sync = tcp_sync,
	.lasting = true,
	.tables = tcp_tables,
};
