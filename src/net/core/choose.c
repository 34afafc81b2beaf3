/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The protocol of a file. A file is made before anybody says what it is to be: it begins
 * as a socket of the first family, and the first address that it gets may make it another.
 * As if socket(2) were called only then.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "net/core/core.h"
#include "net/sock_wait.h"
#include "uapi/addr.h"

void sk_put_in_place(struct socket *sock, struct sock *old, bool let_go)
{
	uint64_t deadline = old->sk_timer;

	sock->sk->sk_reap = old->sk_reap;
	sock->sk->sk_err_last = old->sk_err_last;
	old->sk_prot->inuse--;
	old->sk_socket = NULL;
	if (let_go)
		sk_let_go(old);
	else
		sk_close(old, false);
	sk_wait_close(old);
	sk_put(old);
	sk_timer_keep(sock->sk, deadline);
}

static int change_proto(struct socket *sock, const struct proto *prot)
{
	const struct proto_ops *ops = sock->ops;
	struct sock *old = sock->sk;
	int err = 0;

	if (prot->ulp != NULL)
		sock->ops = prot->ulp;
	else
		err = sock_create(sock, prot->family, prot->type, prot->protocol);
	if (err == 0)
		mark_sock_dirty(sock);
	if (err != 0 || old == NULL)
		return err;
	sock->sk = sk_upper_take(old, prot);
	err = sk_get(sock) != NULL ? sk_copy_options(sock->sk, old) : -ENOMEM;
	if (err == 0) {
		sk_put_in_place(sock, old, false);
		return 0;
	}
	if (sock->sk != NULL) {
		sock->sk->sk_prot->inuse--;
		sk_put(sock->sk);
	}
	sock->sk = old;
	sock->ops = ops;
	return err;
}

int sock_set_proto(struct socket *sock, const char *word)
{
	const struct proto *prot = proto_by_word(word);

	if (prot == NULL)
		return -EPROTONOSUPPORT;
	if (prot == sock->ops->prot)
		return 0;
	if (sock->state != SS_UNCONNECTED && sock->state != SS_CLOSED)
		return -EPROTOTYPE;
	if (sock->sk != NULL && sock->sk->sk_bound)
		return -EPROTOTYPE;
	/* Of a connection that is over an fsync may still wait. */
	if (sock->sk != NULL)
		(void)sock_cancel_all(sock, -ECONNABORTED);
	return change_proto(sock, prot);
}

int sock_setsockopt_proto(struct socket *sock, const struct sockfs_sockopt *opt)
{
	char word[sizeof(opt->value) + 1];

	if (SOCK_INODE(sock)->i_state & I_CLEAR)
		return -ESTALE;
	if (opt->len > sizeof(opt->value))
		return -EINVAL;
	memcpy(word, opt->value, opt->len);
	word[opt->len] = '\0';
	return sock_set_proto(sock, word);
}

int sock_take_addr(struct socket *sock, const struct sockfs_addr *addr, struct sockfs_addr *ret_addr)
{
	const struct proto *prot = sock->ops->prot;
	char word[ADDR_PROTO_MAX];

	addr_split(addr, word, ret_addr);
	if (word[0] != '\0')
		prot = proto_by_word(word);
	if (prot == NULL)
		return -EPROTONOSUPPORT;
	if (prot->path != addr_is_path(ret_addr->host))
		return -EINVAL;
	return word[0] != '\0' ? sock_set_proto(sock, word) : 0;
}
