/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The peers of listeners by their addresses, and what is kept for each until it has been
 * read (udp_listen.c).
 */
#include "config.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/fnv.h"
#include "mm/vmstat.h"
#include "net/inet/udp.h"

#define PEER_BUCKETS 8192u

static LIST_HEAD(, udp_sock) peers[PEER_BUCKETS];

/* --------------------------------------------------------------------- by address */

/* Only what tells addresses apart. */
struct sockaddr_storage udp_plain(const struct sockaddr_storage *ss)
{
	struct sockaddr_storage out;

	memset(&out, 0, sizeof(out));
	out.ss_family = ss->ss_family;
	if (ss->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)ss;

		((struct sockaddr_in *)&out)->sin_port = in->sin_port;
		((struct sockaddr_in *)&out)->sin_addr = in->sin_addr;
	} else if (ss->ss_family == AF_INET6) {
		const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)ss;

		((struct sockaddr_in6 *)&out)->sin6_port = in->sin6_port;
		((struct sockaddr_in6 *)&out)->sin6_addr = in->sin6_addr;
		((struct sockaddr_in6 *)&out)->sin6_scope_id = in->sin6_scope_id;
	}
	return out;
}

static unsigned int bucket_of(const struct sockaddr_storage *local,
			      const struct sockaddr_storage *peer)
{
	uint64_t hash = fnv1a(FNV1A_BASIS, local, sizeof(struct sockaddr_in6));

	hash = fnv1a(hash, peer, sizeof(struct sockaddr_in6));
	return (unsigned int)(hash >> 32) % PEER_BUCKETS;
}

struct udp_sock *udp_find_peer(const struct sockaddr_storage *local,
				  const struct sockaddr_storage *from)
{
	struct sockaddr_storage peer = udp_plain(from);
	struct udp_sock *u;

	LIST_FOREACH(u, &peers[bucket_of(local, &peer)], hash)
		if (memcmp(&u->peer, &peer, sizeof(peer)) == 0 &&
		    memcmp(&u->local, local, sizeof(*local)) == 0)
			return u;
	return NULL;
}

void udp_hash(struct udp_sock *u, const struct sockaddr_storage *local,
		     const struct sockaddr_storage *from)
{
	u->local = *local;
	u->peer = udp_plain(from);
	LIST_INSERT_HEAD(&peers[bucket_of(&u->local, &u->peer)], u, hash);
	u->hashed = true;
}

/* ---------------------------------------------------------------------- the queue */

ssize_t udp_queued_len(const struct udp_sock *u)
{
	const struct udp_message *m = STAILQ_FIRST(&u->queue);

	return m != NULL ? (ssize_t)m->len : -1;
}

size_t udp_queue_take(struct udp_sock *u, char *buf, size_t size)
{
	struct udp_message *m = STAILQ_FIRST(&u->queue);
	size_t len = m->len < size ? m->len : size;

	STAILQ_REMOVE_HEAD(&u->queue, next);
	u->queued -= m->len;
	vm_unaccount(VM_MESSAGES, sizeof(*m) + m->len);
	if (len > 0)
		memcpy(buf, m->data, len);
	free(m);
	return len;
}

void udp_unhash(struct udp_sock *u)
{
	while (udp_queued_len(u) >= 0)
		(void)udp_queue_take(u, NULL, 0);
	if (u->hashed)
		LIST_REMOVE(u, hash);
	u->hashed = false;
}

/* Take the first datagram of the descriptor @fd, of @len bytes, for @u. */
void udp_move_message(struct udp_sock *u, int fd, size_t len)
{
	struct udp_message *m = NULL;

	if (u->queued + len <= UDP_QUEUE_MAX && vm_fits(VM_MESSAGES, sizeof(*m) + len))
		m = malloc(sizeof(*m) + len);
	if (m == NULL) {
		(void)recv(fd, NULL, 0, MSG_DONTWAIT);
		u->sk.sk_drops++;
		return;
	}
	m->len = len;
	(void)recv(fd, m->data, len, MSG_DONTWAIT);
	STAILQ_INSERT_TAIL(&u->queue, m, next);
	u->queued += len;
	vm_account(VM_MESSAGES, sizeof(*m) + len);
}

/* Whose is the first datagram, and how long? Its length, or -errno. */
ssize_t udp_first_message(int fd, struct sockaddr_storage *ret_from)
{
	struct sockaddr_storage from = {.ss_family = AF_UNSPEC};
	socklen_t len = sizeof(from);
	ssize_t n = recvfrom(fd, NULL, 0, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT,
			     (struct sockaddr *)&from, &len);

	if (n < 0)
		return errno == EWOULDBLOCK || errno == EINTR ? -EAGAIN : -errno;
	*ret_from = from;
	return n;
}

int udp_backlog(int fd, uint32_t *ret_n)
{
	struct sockaddr_storage from;

	*ret_n = udp_first_message(fd, &from) >= 0;
	return 0;
}
