/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * UDP: its row, and what only it does. Twin of net/ipv4/udp.c.
 *
 * No error ends a socket: what an ICMP message says is told once, to the next read or
 * write, and then it goes on. A datagram without a byte would be an end of file to its
 * reader, so it is skipped and counted, unless there is a header to tell of it.
 */
#include "config.h"

#include "net/inet/udp.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "net/core/core.h"
#include "net/inet/inet_addr.h"
#include "uapi/addr.h"

/* Datagrams that are not for the reader, or without a byte, that one read skips. */
#define SKIPPED_A_READ 64

static void udp_init(struct sock *sk)
{
	struct udp_sock *u = udp_sk(sk);

	u->headers = SOCKFS_HEADERS_OFF;
	u->empty = u->drops = 0;
	u->from.sa.sa_family = AF_UNSPEC;
	STAILQ_INIT(&u->queue);
	u->queued = 0;
	u->hashed = u->moving = false;
}

static void udp_take_over(struct sock *sk, struct sock *old)
{
	udp_sk(sk)->headers = udp_sk(old)->headers;
	udp_sk(sk)->empty = udp_sk(old)->empty;
	udp_sk(sk)->from = udp_sk(old)->from;
	udp_forget(udp_sk(old));
}

static void udp_destroy(struct sock *sk)
{
	udp_forget(udp_sk(sk));
}

/* ------------------------------------------------------------------ made again */

/* Datagrams that wait in our memory do not outlive it, as none is promised to arrive. */
struct udp_saved {
	int32_t headers, empty, drops, hashed;
	union udp_addr local, peer;
};

static size_t udp_save(const struct sock *sk, char *buf, size_t size)
{
	const struct udp_sock *u = (const struct udp_sock *)sk;
	const struct udp_saved saved = {
		.headers = u->headers,
		.empty = u->empty,
		.drops = u->drops,
		.hashed = u->hashed,
		.local = u->local,
		.peer = u->peer,
	};

	/* Most are as a new one. */
	if (size < sizeof(saved) ||
	    (u->headers == SOCKFS_HEADERS_OFF && u->empty == 0 && u->drops == 0 && !u->hashed &&
	     u->local.sa.sa_family == AF_UNSPEC))
		return 0;
	memcpy(buf, &saved, sizeof(saved));
	return sizeof(saved);
}

static int udp_resume(struct sock *sk, const char *buf, size_t len)
{
	struct udp_sock *u = udp_sk(sk);
	struct udp_saved saved;

	if (len != sizeof(saved))
		return -EINVAL;
	memcpy(&saved, buf, sizeof(saved));
	u->headers = saved.headers;
	u->empty = saved.empty;
	u->drops = saved.drops;
	u->local = saved.local;
	if (saved.hashed)
		udp_hash(u, &saved.local, &saved.peer);
	return 0;
}

/* ------------------------------------------------------------------ the handle */

static int udp_handle_init(struct sock *sk)
{
	return uv_udp_init(sk_loop, &udp_sk(sk)->udp);
}

/* libuv sets SO_REUSEADDR, with which another one could take the address over. */
static int udp_handle_open(struct sock *sk, int fd)
{
	int off = 0, err = uv_udp_open(&udp_sk(sk)->udp, fd);

	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &off, sizeof(off));
	return err;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	(void)handle;
	(void)suggested;
	*buf = uv_buf_init(NULL, 0);
}

static void on_readable(uv_udp_t *udp, ssize_t nread, const uv_buf_t *buf,
			const struct sockaddr *addr, unsigned int flags)
{
	(void)nread; /* UV_ENOBUFS, always */
	(void)buf, (void)addr, (void)flags;
	sk_readable(udp->data);
}

static int udp_read_start(struct sock *sk)
{
	return uv_udp_recv_start(&udp_sk(sk)->udp, on_alloc, on_readable);
}

static void udp_read_stop(struct sock *sk)
{
	uv_udp_recv_stop(&udp_sk(sk)->udp);
}

int udp_bind(struct socket *sock, int fd, const struct sockaddr *addr, socklen_t len)
{
	(void)sock;
	return inet_bind_fd(fd, addr, len);
}

/* A reader that waits gets the end of file as of TCP: the kernel tells it to blocking calls only. */
int udp_shutdown(struct socket *sock, int how)
{
	struct sock *sk = sock->sk;
	uint8_t before = sk != NULL ? sk->sk_shutdown : 0;
	int err;

	if (sk != NULL && how != SHUT_WR)
		sk->sk_shutdown |= RCV_SHUTDOWN;
	err = stream_shutdown(sock, how);
	if (err != 0 && sk != NULL)
		sk->sk_shutdown = before;
	return err;
}

/* ------------------------------------------------------------------- datagrams */

static bool retry_later(int err)
{
	return err == EAGAIN || err == EWOULDBLOCK || err == EINTR;
}

static ssize_t udp_failed(struct sock *sk)
{
	if (retry_later(errno))
		return -EAGAIN;
	sk->sk_err_last = errno;
	return -errno;
}

/* The next datagram of either queue to @buf; its length, and u->from. */
static ssize_t receive(struct udp_sock *u, char *buf, size_t size)
{
	socklen_t len = sizeof(u->from);

	if (udp_queued_len(u) >= 0) {
		u->from = u->peer;
		return (ssize_t)udp_queue_take(u, buf, size);
	}
	return recvfrom(u->sk.sk_fd, buf, size, MSG_DONTWAIT, &u->from.sa, &len);
}

/* One with its header, and the two may be as long as @to has room. */
static ssize_t receive_with_header(struct udp_sock *u, struct iov_iter *to)
{
	char header[UDP_HEADER_MAX];
	union udp_addr local = {.sa.sa_family = AF_UNSPEC};
	socklen_t len = sizeof(local);
	size_t room = to->count > sizeof(header) ? to->count - sizeof(header) : 0, head;
	ssize_t n = receive(u, to->buf + (to->count - room), room);

	if (n < 0)
		return n;
	(void)getsockname(u->sk.sk_fd, &local.sa, &len);
	head = udp_header_format(u->headers, &u->from.sa, &local.sa, (size_t)n, header);
	memmove(to->buf + head, to->buf + (to->count - room), (size_t)n);
	memcpy(to->buf, header, head);
	return (ssize_t)head + n;
}

ssize_t udp_recvmsg(struct socket *sock, struct iov_iter *to)
{
	struct udp_sock *u = udp_sk(sock->sk);
	ssize_t n;

	if (u->sk.sk_fd < 0)
		return 0;
	sk_watch_moved(&u->sk);
	for (int i = 0; i < SKIPPED_A_READ; i++) {
		n = u->headers != SOCKFS_HEADERS_OFF ? receive_with_header(u, to)
						     : receive(u, to->buf, to->count);
		if (n < 0) {
			n = udp_failed(&u->sk);
			return n == -EAGAIN && u->sk.sk_shutdown & RCV_SHUTDOWN ? 0 : n;
		}
		if (udp_is_stray(u, &u->from)) {
			u->sk.sk_drops++;
			continue;
		}
		if (n > 0) {
			iov_iter_advance(to, (size_t)n);
			sk_count_rx(&u->sk, (size_t)n);
			return n;
		}
		if (u->sk.sk_shutdown & RCV_SHUTDOWN)
			return 0;
		u->empty++;
	}
	return -EAGAIN;
}

/* To whom the header says, if the policy lets the owner of the file send there. */
static ssize_t send_by_header(struct udp_sock *u, struct iov_iter *from)
{
	const struct inode *inode = SOCK_INODE(u->sk.sk_socket);
	const struct cred cred = {.uid = inode->i_uid, .gid = inode->i_gid};
	struct sockaddr_storage to, bound = {.ss_family = AF_UNSPEC};
	socklen_t len = sizeof(bound);
	struct policy_ask ask;
	int err = udp_header_parse(u->headers, u->sk.sk_family, from, &to);

	if (err == 0) {
		/* Where the any-address leads follows from what the file is bound to. */
		(void)getsockname(u->sk.sk_fd, (struct sockaddr *)&bound, &len);
		err = policy_ask_init(&ask, &cred, udp_prot.word, NULL);
		if (err == 0)
			err = policy_connect(&ask, (struct sockaddr *)&to,
					     (struct sockaddr *)&bound);
		policy_ask_fini(&ask);
	}
	if (err != 0) {
		errno = -err;
		return -1;
	}
	return sendto(u->sk.sk_fd, from->buf, from->count, MSG_DONTWAIT | MSG_NOSIGNAL,
		      (struct sockaddr *)&to, sockaddr_len(&to));
}

ssize_t udp_sendmsg(struct socket *sock, struct iov_iter *from)
{
	struct udp_sock *u = udp_sk(sock->sk);
	struct iov_iter data = *from;
	ssize_t n;

	if (u->sk.sk_fd < 0)
		return -EPIPE;
	sk_watch_moved(&u->sk);
	if (u->headers != SOCKFS_HEADERS_OFF)
		n = send_by_header(u, &data);
	else
		n = send(u->sk.sk_fd, data.buf, data.count, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0)
		return udp_failed(&u->sk);
	sk_count_tx(&u->sk, (size_t)n);
	n = (ssize_t)from->count;
	iov_iter_advance(from, from->count);
	return n;
}

unsigned int udp_poll(struct socket *sock)
{
	unsigned int events = sock_common_poll(sock);

	if (udp_queued_len(udp_sk(sock->sk)) >= 0)
		events |= POLLIN | POLLRDNORM;
	return events;
}

/* Of both queues: what the next read may get. */
int udp_queues(struct socket *sock, uint32_t *ret_inq, uint32_t *ret_outq)
{
	int err = sock_common_queues(sock, ret_inq, ret_outq);
	ssize_t len = sock->sk != NULL ? udp_queued_len(udp_sk(sock->sk)) : -1;

	if (err == 0 && len >= 0)
		*ret_inq = (uint32_t)len;
	return err;
}

/* fsync(2) of a socket of Linux. */
static int udp_sync(struct sock *sk)
{
	(void)sk;
	return -EINVAL;
}

int udp_membership(struct socket *sock, const struct sockfs_addr *group, bool join)
{
	int fd = sock->sk != NULL ? sock->sk->sk_fd : -1;
	struct sockfs_addr addr = {.port = "0"};
	struct group_req req = {.gr_interface = 0};
	size_t len = strnlen(group->host, sizeof(group->host));
	socklen_t sa_len;

	if (len == sizeof(group->host) ||
	    strnlen(group->port, sizeof(group->port)) == sizeof(group->port))
		return -EINVAL;
	memcpy(addr.host, group->host, len);
	if (fd < 0 || addr_to_sockaddr(&addr, AF_UNSPEC, &req.gr_group, &sa_len) != 0)
		return -EINVAL;
	if (group->port[0] != '\0') {
		req.gr_interface = if_nametoindex(group->port);
		if (req.gr_interface == 0)
			return -ENODEV;
	}
	if (setsockopt(fd, req.gr_group.ss_family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6,
		       join ? MCAST_JOIN_GROUP : MCAST_LEAVE_GROUP, &req, sizeof(req)) != 0)
		return -errno;
	return 0;
}

/* --------------------------------------------------------------------- options */

/* What the kernel has dropped since the descriptor was made. socket(7): SO_MEMINFO. */
static uint32_t kernel_drops(int fd)
{
	uint32_t info[SK_MEMINFO_VARS] = {0};
	socklen_t len = sizeof(info);

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &len) != 0)
		return 0;
	return info[SK_MEMINFO_DROPS];
}

static int *udp_own_option(struct sock *sk, int optname)
{
	struct udp_sock *u = udp_sk(sk);

	switch (optname) {
	case SOCKFS_SO_HEADERS:
		return &u->headers;
	case SOCKFS_SO_EMPTY:
		return &u->empty;
	case SOCKFS_SO_DROPS:
		u->drops = sk->sk_drops + (int)kernel_drops(sk->sk_fd);
		return &u->drops;
	default:
		return NULL;
	}
}

/* "from", the only one. */
static int udp_text_option(struct sock *sk, int optname, char text[SOCKFS_TEXT_MAX])
{
	struct sockfs_addr addr;

	(void)optname;
	addr_from_sockaddr(&udp_sk(sk)->from.sa, &addr);
	(void)addr_format(&addr, text, SOCKFS_TEXT_MAX);
	return 0;
}

static const struct proto_table udp_tables[] = {
	{"udp", udp_show4}, {"udp6", udp_show6}, {NULL, NULL}};

struct proto udp_prot = {
	.name = "UDP",
	.word = "udp",
	.dir = "udp",
	.family = AF_INET,
	.type = SOCK_DGRAM,
	.protocol = IPPROTO_UDP,
	.obj_size = sizeof(struct udp_sock),
	.handle = offsetof(struct udp_sock, udp),
	.init = udp_init,
	.take_over = udp_take_over,
	.destroy = udp_destroy,
	.resolve = inet_resolve,
	.handle_init = udp_handle_init,
	.handle_open = udp_handle_open,
	.read_start = udp_read_start,
	.read_stop = udp_read_stop,
	.backlog = udp_backlog,
	.sync = udp_sync,
	.own_option = udp_own_option,
	.text_option = udp_text_option,
	.save = udp_save,
	.resume = udp_resume,
	.lasting = true,
	.tables = udp_tables,
};
