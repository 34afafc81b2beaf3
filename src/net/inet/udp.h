/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * UDP, on uv_udp_t.
 *
 * A socket of UDP is connected (to one peer), bound (to be read by all), or listens: then
 * each peer that sends something becomes a file, as a connection of TCP does. The kernel
 * knows nothing of the last; udp_listen.c makes it of sockets that are bound to the same
 * address and connected to one peer each.
 */
#ifndef NET_INET_UDP_H
#define NET_INET_UDP_H

#include <uv.h>

#include "fs/seq_file.h"
#include "net/sock.h"

struct udp_message;
STAILQ_HEAD(udp_queue, udp_message);

struct udp_sock {
	struct sock sk;
	uv_udp_t udp;
	int headers; /* SOCKFS_HEADERS_ */
	int empty;   /* datagrams without a byte that were skipped */
	int drops;   /* all that were lost, when somebody asked last */
	struct sockaddr_storage from; /* of the last datagram read; ss_family 0: none */
	/* Of a listener's peer: what came to the listener before there was the socket. */
	struct udp_queue queue;
	size_t queued; /* bytes in it, at most UDP_QUEUE_MAX */
	LIST_ENTRY(udp_sock) hash;
	bool hashed;
	struct sockaddr_storage local, peer; /* by which it is found; of a listener the first */
};

static inline struct udp_sock *udp_sk(struct sock *sk)
{
	return (struct udp_sock *)sk;
}

extern struct proto udp_prot;

/* udp.c: of struct proto_ops ------------------------------------------------ */

int udp_bind(struct socket *sock, int fd, const struct sockaddr *addr, socklen_t len);
int udp_shutdown(struct socket *sock, int how);
ssize_t udp_sendmsg(struct socket *sock, struct iov_iter *from);
ssize_t udp_recvmsg(struct socket *sock, struct iov_iter *to);
unsigned int udp_poll(struct socket *sock);
int udp_queues(struct socket *sock, uint32_t *ret_inq, uint32_t *ret_outq);

/* A file that has a descriptor: is bound, or connected. Else -EINVAL. */
int udp_membership(struct socket *sock, const struct sockfs_addr *group, bool join);

/* udp_header.c: an address before each datagram ------------------------------- */

/*
 * Take the header off @from, which stands at the data then: its address, for a descriptor
 * of @family. 0 or -EINVAL: it is none, or tells another length than there is.
 */
int udp_header_parse(int headers, sa_family_t family, struct iov_iter *from,
		     struct sockaddr_storage *ret_to);
/* The header of @len bytes from @from, which came to @local, to @buf; its length. */
#define UDP_HEADER_MAX 128
size_t udp_header_format(int headers, const struct sockaddr_storage *from,
			 const struct sockaddr_storage *local, size_t len, char *buf);

/* udp_listen.c ---------------------------------------------------------------- */

int udp_listen(struct socket *sock, int backlog);
int udp_accept(struct socket *sock, struct socket *newsock);
int udp_abort(struct socket *sock);
void udp_release(struct socket *sock);

/* udp_peers.c ----------------------------------------------------------------- */

/* Bytes that may wait for a peer's socket in our memory, for as long as it is made. */
#define UDP_QUEUE_MAX 65536u

struct udp_message {
	STAILQ_ENTRY(udp_message) next;
	size_t len;
	char data[];
};

/* Only what tells addresses apart, and zeros. */
struct sockaddr_storage udp_plain(const struct sockaddr_storage *ss);
/* Who talks to @from from the address @local, which is plain; NULL: nobody does. */
struct udp_sock *udp_find_peer(const struct sockaddr_storage *local,
			       const struct sockaddr_storage *from);
/* It is @u. */
void udp_hash(struct udp_sock *u, const struct sockaddr_storage *local,
	      const struct sockaddr_storage *from);
/* It is no listener's peer any more; what was kept for it goes. */
void udp_unhash(struct udp_sock *u);

/* Whose is the first datagram of @fd, and how long? Its length, or -EAGAIN, -errno. */
ssize_t udp_first_message(int fd, struct sockaddr_storage *ret_from);
/* Are there some: 1 or 0. As struct proto.backlog. */
int udp_backlog(int fd, uint32_t *ret_n);
/* Take the first datagram of @fd, of @len bytes, for @u; dropped if its queue is full. */
void udp_move_message(struct udp_sock *u, int fd, size_t len);

/* The length of the first of them, -1: there is none. */
ssize_t udp_queued_len(const struct udp_sock *u);
/* Move it to @buf, of @size bytes; what does not fit is lost. Its length. There is one. */
size_t udp_queue_take(struct udp_sock *u, char *buf, size_t size);

/* udp_proc.c: .proc/udp and udp6 ----------------------------------------------- */

bool udp_show4(struct seq_file *m, void *sb);
bool udp_show6(struct seq_file *m, void *sb);

#endif /* NET_INET_UDP_H */
