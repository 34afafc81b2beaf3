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

#include <netinet/in.h>
#include <uv.h>

#include "fs/fs.h"
#include "fs/seq_file.h"
#include "net/sock.h"

/* An address of either family; from udp_plain() it is comparable by memcmp(3). */
union udp_addr {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static inline socklen_t udp_addr_len(const union udp_addr *addr)
{
	return addr->sa.sa_family == AF_INET6 ? sizeof(addr->in6) : sizeof(addr->in);
}

struct udp_message;
STAILQ_HEAD(udp_queue, udp_message);

struct udp_sock {
	struct sock sk;
	uv_udp_t udp;
	int headers; /* SOCKFS_HEADERS_ */
	int empty;   /* datagrams without a byte that were skipped */
	int drops;   /* all that were lost, when somebody asked last */
	union udp_addr from; /* of the last datagram read; sa_family 0: none */
	/*
	 * What came before its socket was there. Of a listener's peer: its own datagrams; of
	 * a listener: those of somebody new that went to another peer's socket.
	 */
	struct udp_queue queue;
	size_t queued; /* bytes in it, at most UDP_QUEUE_MAX */
	union {
		LIST_ENTRY(udp_sock) hash; /* of a peer */
		struct work_struct move;   /* of a listener: udp_listen.c */
	};
	union udp_addr local, peer; /* by which it is found; of a listener the first */
	bool hashed;
	bool moving; /* @move is waiting for its turn */
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
size_t udp_header_format(int headers, const struct sockaddr *from, const struct sockaddr *local,
			 size_t len, char *buf);

/* udp_listen.c ---------------------------------------------------------------- */

int udp_listen(struct socket *sock, int backlog);
int udp_accept(struct socket *sock, struct socket *newsock);
int udp_abort(struct socket *sock);
void udp_release(struct socket *sock);
/* @u listens no more, and is no listener's peer. */
void udp_forget(struct udp_sock *u);

/* udp_peers.c ----------------------------------------------------------------- */

/* Bytes that may wait for a peer's socket in our memory, for as long as it is made. */
#define UDP_QUEUE_MAX 65536u

struct udp_message {
	STAILQ_ENTRY(udp_message) next;
	union udp_addr from;
	size_t len;
	char data[];
};

/* Only what tells addresses apart, and zeros. */
union udp_addr udp_plain(const struct sockaddr *sa);
/* Who talks to @from from the address @local; NULL: nobody does. */
struct udp_sock *udp_find_peer(const union udp_addr *local, const union udp_addr *from);
/* It is @u. */
void udp_hash(struct udp_sock *u, const union udp_addr *local, const union udp_addr *from);
/* Was it sent by another one than @u's peer? It came before @u was connected. */
bool udp_is_stray(const struct udp_sock *u, const union udp_addr *from);
/* It is no listener's peer any more; its queue goes. */
void udp_unhash(struct udp_sock *u);

/*
 * Whose is the first datagram, and how long? Its length, or -EAGAIN, -errno. Of a socket it
 * is the first of its queue, and if that is empty, of the kernel's.
 */
ssize_t udp_first_message(const struct udp_sock *u, union udp_addr *ret_from);
ssize_t udp_first_of_fd(int fd, union udp_addr *ret_from);
/* Are there some: 1 or 0. As struct proto.backlog. */
int udp_backlog(int fd, uint32_t *ret_n);
/* Take the first datagram of @fd, of @len bytes by @from, for @u; dropped if its queue is full. */
void udp_take_message(struct udp_sock *u, int fd, const union udp_addr *from, size_t len);
/* The same with the first of @from, which is by the peer @to has. */
void udp_move_message(struct udp_sock *to, struct udp_sock *from, size_t len);

/* The length of the first of them, -1: there is none. */
ssize_t udp_queued_len(const struct udp_sock *u);
/* Move it to @buf, of @size bytes; what does not fit is lost. Its length. There is one. */
size_t udp_queue_take(struct udp_sock *u, char *buf, size_t size);

/* udp_proc.c: .proc/udp and udp6 ----------------------------------------------- */

bool udp_show4(struct seq_file *m, void *sb);
bool udp_show6(struct seq_file *m, void *sb);

#endif /* NET_INET_UDP_H */
