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
#include <sys/random.h>
#include <sys/socket.h>

#include "lib/fnv.h"
#include "mm/vmstat.h"
#include "net/inet/udp.h"

#define PEER_BUCKETS 8192u

static LIST_HEAD(, udp_sock) peers[PEER_BUCKETS];

/* --------------------------------------------------------------------- by address */

union udp_addr udp_plain(const struct sockaddr *sa)
{
	union udp_addr out;

	memset(&out, 0, sizeof(out));
	out.sa.sa_family = sa->sa_family;
	if (sa->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)sa;

		out.in.sin_port = in->sin_port;
		out.in.sin_addr = in->sin_addr;
	} else if (sa->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)sa;

		out.in6.sin6_port = in6->sin6_port;
		out.in6.sin6_addr = in6->sin6_addr;
		out.in6.sin6_scope_id = in6->sin6_scope_id;
	}
	return out;
}

static bool same_addr(const union udp_addr *a, const union udp_addr *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

bool udp_is_stray(const struct udp_sock *u, const union udp_addr *from)
{
	union udp_addr plain;

	if (!u->hashed)
		return false;
	plain = udp_plain(&from->sa);
	return !same_addr(&plain, &u->peer);
}

/* Peers choose their addresses: without the salt they could all choose one bucket. */
static unsigned int bucket_of(const union udp_addr *local, const union udp_addr *peer)
{
	static uint64_t salt;
	uint64_t hash;

	/* Without random bytes the hash is only easier to guess. */
	if (salt == 0 && getrandom(&salt, sizeof(salt), GRND_NONBLOCK) != (ssize_t)sizeof(salt))
		salt = FNV1A_BASIS;
	hash = fnv1a(salt, local, sizeof(*local));
	hash = fnv1a(hash, peer, sizeof(*peer));
	return (unsigned int)(hash >> 32) % PEER_BUCKETS;
}

struct udp_sock *udp_find_peer(const union udp_addr *local, const union udp_addr *from)
{
	struct udp_sock *u;

	LIST_FOREACH(u, &peers[bucket_of(local, from)], hash)
		if (same_addr(&u->peer, from) && same_addr(&u->local, local))
			return u;
	return NULL;
}

void udp_hash(struct udp_sock *u, const union udp_addr *local, const union udp_addr *from)
{
	u->local = *local;
	u->peer = *from;
	LIST_INSERT_HEAD(&peers[bucket_of(&u->local, &u->peer)], u, hash);
	u->hashed = true;
}

/* ---------------------------------------------------------------------- the queue */

ssize_t udp_queued_len(const struct udp_sock *u)
{
	const struct udp_message *m = STAILQ_FIRST(&u->queue);

	return m != NULL ? (ssize_t)m->len : -1;
}

/* For @len bytes more, in @u's queue and in the memory for all queues? */
static bool has_room(const struct udp_sock *u, size_t len)
{
	return u->queued + len <= UDP_QUEUE_MAX &&
	       vm_fits(VM_MESSAGES, sizeof(struct udp_message) + len);
}

static void queue_message(struct udp_sock *u, struct udp_message *m)
{
	STAILQ_INSERT_TAIL(&u->queue, m, next);
	u->queued += m->len;
	vm_account(VM_MESSAGES, sizeof(*m) + m->len);
}

static struct udp_message *unqueue_message(struct udp_sock *u)
{
	struct udp_message *m = STAILQ_FIRST(&u->queue);

	STAILQ_REMOVE_HEAD(&u->queue, next);
	u->queued -= m->len;
	vm_unaccount(VM_MESSAGES, sizeof(*m) + m->len);
	return m;
}

size_t udp_queue_take(struct udp_sock *u, char *buf, size_t size)
{
	struct udp_message *m = unqueue_message(u);
	size_t len = m->len < size ? m->len : size;

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

void udp_take_message(struct udp_sock *u, int fd, const union udp_addr *from, size_t len)
{
	struct udp_message *m = has_room(u, len) ? malloc(sizeof(*m) + len) : NULL;

	if (m == NULL) {
		(void)recv(fd, NULL, 0, MSG_DONTWAIT);
		u->sk.sk_drops++;
		return;
	}
	m->from = *from;
	m->len = len;
	(void)recv(fd, m->data, len, MSG_DONTWAIT);
	queue_message(u, m);
}

void udp_move_message(struct udp_sock *to, struct udp_sock *from, size_t len)
{
	struct udp_message *m;

	if (udp_queued_len(from) < 0) {
		udp_take_message(to, from->sk.sk_fd, &to->peer, len);
		return;
	}
	m = unqueue_message(from);
	if (has_room(to, len)) {
		queue_message(to, m);
		return;
	}
	free(m);
	to->sk.sk_drops++;
}

ssize_t udp_first_of_fd(int fd, union udp_addr *ret_from)
{
	union udp_addr from = {.sa.sa_family = AF_UNSPEC};
	socklen_t len = sizeof(from);
	ssize_t n = recvfrom(fd, NULL, 0, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT, &from.sa, &len);

	if (n < 0)
		return errno == EWOULDBLOCK || errno == EINTR ? -EAGAIN : -errno;
	*ret_from = udp_plain(&from.sa);
	return n;
}

ssize_t udp_first_message(const struct udp_sock *u, union udp_addr *ret_from)
{
	const struct udp_message *m = STAILQ_FIRST(&u->queue);

	if (m == NULL)
		return udp_first_of_fd(u->sk.sk_fd, ret_from);
	*ret_from = m->from;
	return (ssize_t)m->len;
}

int udp_backlog(int fd, uint32_t *ret_n)
{
	union udp_addr from;

	*ret_n = udp_first_of_fd(fd, &from) >= 0;
	return 0;
}
