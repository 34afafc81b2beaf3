/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The protocols, and the life of a struct sock. Twin of net/core/sock.c.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mm/slab.h"
#include "mm/vmstat.h"
#include "net/core/core.h"

static STAILQ_HEAD(, proto) protos = STAILQ_HEAD_INITIALIZER(protos);

int proto_register(struct proto *prot)
{
	prot->slab = kmem_cache_create(prot->name, prot->obj_size, 0, SLAB_HWCACHE_ALIGN, NULL);
	if (prot->slab == NULL)
		return -ENOMEM;
	prot->inuse = 0;
	STAILQ_INSERT_TAIL(&protos, prot, node);
	return 0;
}

int proto_unregister(struct proto *prot)
{
	int err = prot->slab != NULL ? kmem_cache_destroy(prot->slab) : 0;

	if (err != 0 || prot->slab == NULL)
		return err;
	prot->slab = NULL;
	STAILQ_REMOVE(&protos, prot, proto, node);
	return 0;
}

struct proto *proto_next(const struct proto *prot)
{
	return prot == NULL ? STAILQ_FIRST(&protos) : STAILQ_NEXT(prot, node);
}

struct proto *proto_by_word(const char *word)
{
	struct proto *prot;

	STAILQ_FOREACH(prot, &protos, node)
		if (strcmp(prot->word, word) == 0)
			return prot;
	return NULL;
}

struct proto *proto_upon(const struct proto *prot)
{
	struct proto *upon;

	STAILQ_FOREACH(upon, &protos, node)
		if (upon->ulp != NULL && upon != prot && upon->family == prot->family &&
		    upon->type == prot->type && upon->protocol == prot->protocol)
			return upon;
	return NULL;
}

/* ------------------------------------------------------------------- the sock */

void sock_init_data(struct socket *sock, struct sock *sk)
{
	*sk = (struct sock){
		.sk_socket = sock, .sk_prot = sock->ops->prot, .sk_fd = -1, .sk_net_fd = -1,
		.sk_regained = -1, .sk_refs = 1};
	sock_set_defaults(sk);
	TAILQ_INIT(&sk->sk_read_queue);
	TAILQ_INIT(&sk->sk_write_queue);
	TAILQ_INIT(&sk->sk_sync_queue);
}

struct sock *sk_alloc_of(struct socket *sock, struct proto *prot)
{
	struct sock *sk = kmem_cache_alloc(prot->slab);

	if (sk == NULL)
		return NULL;
	sock_init_data(sock, sk);
	sk->sk_prot = prot;
	if (prot->init != NULL)
		prot->init(sk);
	return sk;
}

struct sock *sk_alloc(struct socket *sock)
{
	return sk_alloc_of(sock, sock->ops->prot);
}

struct sock *sk_get(struct socket *sock)
{
	if (sock->sk == NULL) {
		sock->sk = sk_alloc(sock);
		if (sock->sk != NULL)
			sock->sk->sk_prot->inuse++;
	}
	return sock->sk;
}

/* ------------------------------------------- what is set for a protocol upon this one */

struct sock *sk_upper_get(struct socket *sock, struct proto *prot)
{
	struct sock *sk = sk_get(sock);

	if (sk == NULL)
		return NULL;
	if (sk->sk_upper == NULL) {
		sk->sk_upper = sk_alloc_of(sock, prot);
		if (sk->sk_upper != NULL)
			prot->inuse++;
	}
	return sk->sk_upper;
}

struct sock *sk_upper_take(struct sock *sk, const struct proto *prot)
{
	struct sock *upper = sk->sk_upper;

	if (upper == NULL || upper->sk_prot != prot)
		return NULL;
	sk->sk_upper = NULL;
	return upper;
}

static void upper_drop(struct sock *sk)
{
	struct sock *upper = sk->sk_upper;

	if (upper == NULL)
		return;
	sk->sk_upper = NULL;
	upper->sk_prot->inuse--;
	sk_put(upper);
}

/* ---------------------------------------------------------------------------- its life */

void sk_put(struct sock *sk)
{
	if (--sk->sk_refs > 0)
		return;
	upper_drop(sk);
	if (sk->sk_prot->destroy != NULL)
		sk->sk_prot->destroy(sk);
	vm_strfree(sk->sk_host);
	if (sk->sk_regained >= 0)
		close(sk->sk_regained);
	free(sk->sk_opts);
	kmem_cache_free(sk->sk_prot->slab, sk);
}

void sk_take_over(struct sock *sk, struct sock *old)
{
	*sk = *old;
	TAILQ_INIT(&sk->sk_read_queue);
	TAILQ_INIT(&sk->sk_write_queue);
	TAILQ_INIT(&sk->sk_sync_queue);
	TAILQ_CONCAT(&sk->sk_read_queue, &old->sk_read_queue, ki_wait);
	TAILQ_CONCAT(&sk->sk_write_queue, &old->sk_write_queue, ki_wait);
	TAILQ_CONCAT(&sk->sk_sync_queue, &old->sk_sync_queue, ki_wait);
	old->sk_dial = NULL;
	old->sk_opts = NULL;
	old->sk_host = NULL;
	old->sk_upper = NULL;
	old->sk_socket = NULL;
	if (sk->sk_prot->take_over != NULL)
		sk->sk_prot->take_over(sk, old);
	/* The handle, the wait, the watch and what its kernel has told are the old one's still. */
	sk->sk_refs = 1;
	sk->sk_wait = NULL;
	sk->sk_regained = -1;
	sk->sk_fd = sk->sk_net_fd = -1;
	sk->sk_family = sk->sk_net_family = 0;
	sk->sk_held = 0;
	sk->sk_fin = false;
	sk->sk_watch = sk->sk_watch_told = 0;
	sk->sk_bound = sk->sk_reading = sk->sk_open = sk->sk_alien = sk->sk_watching = false;
}

void sk_set_owner(struct sock *sk, const struct socket *sock)
{
	uid_t uid = SOCK_INODE(sock)->i_uid;

	sk->sk_alien = uid != geteuid() && fchown(sk->sk_fd, uid, (gid_t)-1) != 0;
}
