/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Options of a socket.
 *
 * They may be set before there is a kernel socket (its family is not known
 * until bind or connect), and a dial may go through several: so what the user
 * has set is kept, and applied to each new descriptor.
 */
#include "config.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/core/core.h"
#include "net/sock_wait.h"
#include "uapi/sockopt.h"

/* Options that sockfs keeps itself, by their SOCKFS_SO_ number; NULL: there is none such. */
static int *own_option(struct sock *sk, int optname)
{
	switch (optname) {
	case SOCKFS_SO_CONNECT_TIMEOUT:
		return &sk->sk_connect_timeout;
	case SOCKFS_SO_RCVTIMEO:
		return &sk->sk_rcvtimeo;
	case SOCKFS_SO_SNDTIMEO:
		return &sk->sk_sndtimeo;
	case SOCKFS_SO_REAP:
		return &sk->sk_reap;
	case SOCKFS_SO_MESSAGE:
		return &sk->sk_discard;
	default:
		if (sk->sk_prot == NULL || sk->sk_prot->own_option == NULL)
			return NULL;
		return sk->sk_prot->own_option(sk, optname);
	}
}

/* An IPv6 socket with an IPv4 peer (::ffff:a.b.c.d) sends IPv4 packets. */
static bool sends_ipv6(const struct sock *sk)
{
	struct sockaddr_in6 sin6;
	socklen_t len = sizeof(sin6);

	if (sk->sk_family != AF_INET6)
		return false;
	return getsockname(sk->sk_fd, (struct sockaddr *)&sin6, &len) != 0 ||
	       !IN6_IS_ADDR_V4MAPPED(&sin6.sin6_addr);
}

static int option_apply(const struct sock *sk, const struct sockopt *so, long value)
{
	struct sockfs_sockopt opt;
	int err = sockopt_make(so, value, &opt);

	if (err != 0)
		return err;
	/* To Linux it would be one more listener of the daemon's user. */
	if (so->optname == SO_REUSEPORT && so->level == SOL_SOCKET && value != 0 && sk->sk_alien)
		return -EACCES;
	/* Both of them: a listener on any address accepts IPv4 and IPv6, and what it has they inherit. */
	if (sk->sk_family == AF_INET6 && so->level6 != 0 &&
	    setsockopt(sk->sk_fd, so->level6, so->optname6, opt.value, opt.len) != 0)
		return -errno;
	return setsockopt(sk->sk_fd, so->level, so->optname, opt.value, opt.len) != 0 ? -errno : 0;
}

int sk_apply_options(const struct sock *sk)
{
	int err = sk->sk_prot->init_fd != NULL ? sk->sk_prot->init_fd(sk->sk_fd) : 0;

	if (err != 0)
		return err;
	for (size_t i = 0; i < nr_sockopts; i++) {
		if (sk->sk_opt_set & (UINT64_C(1) << i)) {
			err = option_apply(sk, &sockopts[i], sk->sk_opts[i]);
			if (err != 0)
				return err;
		}
	}
	return 0;
}

int sk_new_fd(const struct sock *sk, int family)
{
	const struct proto *prot = sk->sk_prot;
	struct sock scratch = {
		.sk_prot = sk->sk_prot,
		.sk_fd = socket(family, prot->type | SOCK_CLOEXEC | SOCK_NONBLOCK, prot->protocol),
		.sk_family = (sa_family_t)family,
		.sk_opts = sk->sk_opts,
		.sk_opt_set = sk->sk_opt_set,
	};
	int err;

	if (scratch.sk_fd < 0)
		return -errno;
	sk_set_owner(&scratch, sk->sk_socket);
	err = sk_apply_options(&scratch);
	if (err != 0) {
		close(scratch.sk_fd);
		return err;
	}
	return scratch.sk_fd;
}

int sk_reuse_address(const struct sock *sk, bool on)
{
	int value = on;

	return setsockopt(sk->sk_fd, SOL_SOCKET, SO_REUSEADDR, &value, sizeof(value)) != 0 ? -errno
											    : 0;
}

/* What @from has set for a protocol upon it, @to has, too. 0 or -ENOMEM. */
static int copy_upper(struct sock *to, const struct sock *from)
{
	struct sock *upper;

	if (from->sk_upper == NULL)
		return 0;
	upper = sk_upper_get(to->sk_socket, from->sk_upper->sk_prot);
	return upper == NULL ? -ENOMEM : sk_copy_options(upper, from->sk_upper);
}

int sk_copy_options(struct sock *to, const struct sock *from)
{
	if (from->sk_opts != NULL) {
		to->sk_opts = malloc(nr_sockopts * sizeof(*to->sk_opts));
		if (to->sk_opts == NULL)
			return -ENOMEM;
		memcpy(to->sk_opts, from->sk_opts, nr_sockopts * sizeof(*to->sk_opts));
		to->sk_opt_set = from->sk_opt_set;
	}
	for (size_t i = 0; i < nr_sockopts; i++) {
		const struct sockopt *so = &sockopts[i];

		if (!sockopt_taken_by(so, to->sk_prot->word))
			to->sk_opt_set &= ~(UINT64_C(1) << i);
		else if (so->kind == SOCKOPT_CHOICE && sockopt_taken_by(so, from->sk_prot->word))
			*own_option(to, so->optname) = *own_option((struct sock *)from, so->optname);
	}
	if (to->sk_prot == from->sk_prot) {
		int err = copy_upper(to, from);

		if (err == 0 && to->sk_prot->copy_texts != NULL)
			err = to->sk_prot->copy_texts(to, from);
		if (err != 0)
			return err;
	}
	to->sk_connect_timeout = from->sk_connect_timeout;
	to->sk_rcvtimeo = from->sk_rcvtimeo;
	to->sk_sndtimeo = from->sk_sndtimeo;
	return 0;
}

/*
 * Whose option is it: of @sock's protocol, or of the one that may come upon it? NULL:
 * nobody's.
 */
static struct proto *option_owner(const struct socket *sock, const struct sockopt *so)
{
	struct proto *prot = sock->ops->prot, *upon;

	if (so == NULL)
		return NULL;
	if (sockopt_taken_by(so, prot->word))
		return prot;
	upon = proto_upon(prot);
	return upon != NULL && sockopt_taken_by(so, upon->word) ? upon : NULL;
}

/* The sock that keeps the options of @prot; NULL: out of memory. */
static struct sock *option_sock(struct socket *sock, struct proto *prot)
{
	return prot == sock->ops->prot ? sk_get(sock) : sk_upper_get(sock, prot);
}

static int option_set_text(struct socket *sock, struct proto *prot, const struct sockopt *so,
			   const char *text)
{
	struct sock *sk = option_sock(sock, prot);

	if (sk == NULL)
		return -ENOMEM;
	mark_sock_dirty(sock);
	return prot->set_text(sk, so->optname, text);
}

int sock_set_text(struct socket *sock, const struct sockfs_text *text)
{
	const struct sockopt *so = sockopt_by_number(text->level, text->name);
	struct proto *prot = option_owner(sock, so);

	if (SOCK_INODE(sock)->i_state & I_CLEAR)
		return -ESTALE;
	if (prot == NULL || so->kind != SOCKOPT_STRING)
		return -ENOPROTOOPT;
	if (text->text[0] == '\0' || memchr(text->text, '\0', sizeof(text->text)) == NULL)
		return -EINVAL;
	return option_set_text(sock, prot, so, text->text);
}

/* The first bytes of a text, without a NUL. */
static int option_cut_text(struct socket *sock, struct proto *prot, const struct sockopt *so,
			   const struct sockfs_sockopt *opt)
{
	char text[sizeof(opt->value) + 1];

	if (opt->len == 0 || opt->len > sizeof(opt->value) ||
	    memchr(opt->value, '\0', opt->len) != NULL)
		return -EINVAL;
	memcpy(text, opt->value, opt->len);
	text[opt->len] = '\0';
	return option_set_text(sock, prot, so, text);
}

int sock_common_setsockopt(struct socket *sock, const struct sockfs_sockopt *opt)
{
	const struct sockopt *so = sockopt_by_number(opt->level, opt->name);
	struct proto *prot = option_owner(sock, so);
	struct sock *sk, now = {0};
	long value;
	int err;

	/* The protocol itself is chosen before one is asked (choose.c). */
	if (prot == NULL || sockopt_is_readonly(so) || so->kind == SOCKOPT_PROTO)
		return -ENOPROTOOPT;
	if (so->kind == SOCKOPT_STRING)
		return option_cut_text(sock, prot, so, opt);
	err = sockopt_value(so, opt, &value);
	if (err != 0)
		return err;
	if (value < so->min || value > so->max)
		return -EINVAL;
	sk = option_sock(sock, prot);
	if (sk == NULL)
		return -ENOMEM;
	mark_sock_dirty(sock);
	if (so->kind == SOCKOPT_SECONDS || so->kind == SOCKOPT_CHOICE) {
		int *own = own_option(sk, so->optname);

		if (own == NULL)
			return -ENOPROTOOPT;
		*own = (int)value;
		sock_reap_start(sock, SOCK_INODE(sock)->i_opens);
		return 0;
	}
	if (sk->sk_opts == NULL) {
		sk->sk_opts = calloc(nr_sockopts, sizeof(*sk->sk_opts));
		if (sk->sk_opts == NULL)
			return -ENOMEM;
	}
	now.sk_fd = sk_any_fd(sk, &now.sk_family);
	if (now.sk_fd >= 0) {
		sk_set_owner(&now, sock);
		err = option_apply(&now, so, value);
		if (err != 0)
			return err;
	}
	sk->sk_opts[so - sockopts] = value;
	sk->sk_opt_set |= UINT64_C(1) << (so - sockopts);
	return 0;
}

static int option_query(const struct sock *sk, const struct sockopt *so,
			struct sockfs_sockopt *opt)
{
	socklen_t len = sizeof(opt->value);
	bool six = so->level6 != 0 && sends_ipv6(sk);
	int level = six ? so->level6 : so->level, name = six ? so->optname6 : so->optname;

	memset(opt->value, 0, sizeof(opt->value));
	if (getsockopt(sk->sk_fd, level, name, opt->value, &len) != 0)
		return -errno;
	opt->len = len;
	return 0;
}

/*
 * The effective value while there is no kernel socket: what a new one would
 * have. A blank one with the same settings is asked; it stays for the next question.
 */
static int option_query_blank(const struct socket *sock, const struct sockopt *so,
			      struct sockfs_sockopt *opt, int *blank)
{
	struct proto *prot = sock->ops->prot;
	struct sock scratch = {
		.sk_prot = prot, .sk_fd = *blank, .sk_family = (sa_family_t)prot->family};
	int err = 0;

	if (scratch.sk_fd < 0) {
		scratch.sk_fd = socket(prot->family, prot->type | SOCK_CLOEXEC, prot->protocol);
		if (scratch.sk_fd < 0)
			return -errno;
		*blank = scratch.sk_fd;
		if (sock->sk != NULL) {
			scratch.sk_opts = sock->sk->sk_opts;
			scratch.sk_opt_set = sock->sk->sk_opt_set;
		}
		err = sk_apply_options(&scratch);
	}
	return err != 0 ? err : option_query(&scratch, so, opt);
}

/* SO_ERROR: what the next read or write would get, taken away by asking. */
static int option_error(struct sock *sk, const struct sockopt *so, struct sockfs_sockopt *opt)
{
	int err = sk != NULL ? -sock_error(sk) : 0;

	if (err == 0 && sk != NULL) {
		err = sk->sk_held;
		sk_hold(sk, 0);
	}
	if (err == 0 && sk != NULL && sk->sk_fd >= 0)
		return option_query(sk, so, opt);
	memset(opt->value, 0, sizeof(opt->value));
	memcpy(opt->value, &err, sizeof(err));
	opt->len = sizeof(err);
	return 0;
}

/* One that sockfs keeps: without a sock it is what a new one would have. */
static int option_own(struct socket *sock, struct proto *prot, struct sock *sk,
		      const struct sockopt *so, struct sockfs_sockopt *opt)
{
	struct sock fresh = {0}, *scratch = NULL;
	const int *own;

	sock_set_defaults(&fresh);
	own = own_option(sk != NULL ? sk : &fresh, so->optname);
	/* What the row keeps, the row alone knows the default of. */
	if (own == NULL && sk == NULL) {
		scratch = sk_alloc_of(sock, prot);
		own = scratch != NULL ? own_option(scratch, so->optname) : NULL;
	}
	memset(opt->value, 0, sizeof(opt->value));
	if (own != NULL)
		memcpy(opt->value, own, sizeof(*own));
	opt->len = sizeof(*own);
	if (scratch != NULL)
		sk_put(scratch);
	return own != NULL ? 0 : -ENOPROTOOPT;
}

/* The sock that @prot has its options in; NULL: it has none, they are as those of a new one. */
static struct sock *option_present_sock(const struct socket *sock, const struct proto *prot)
{
	if (prot == sock->ops->prot)
		return sock->sk;
	return sock->sk != NULL ? sock->sk->sk_upper : NULL;
}

int sock_get_text(struct socket *sock, struct sockfs_text *text)
{
	const struct sockopt *so = sockopt_by_number(text->level, text->name);
	struct proto *prot = option_owner(sock, so);
	struct sock *sk;

	if (prot == NULL || !sockopt_is_text(so))
		return -ENOPROTOOPT;
	memset(text->text, 0, sizeof(text->text));
	sk = option_present_sock(sock, prot);
	return sk != NULL ? prot->text_option(sk, so->optname, text->text) : -ENODATA;
}

/* What has no room is cut, and has no NUL. */
static int option_text(struct proto *prot, struct sock *sk, const struct sockopt *so,
		       struct sockfs_sockopt *opt)
{
	char text[SOCKFS_TEXT_MAX] = "";
	int err = sk != NULL ? prot->text_option(sk, so->optname, text) : -ENODATA;

	memset(opt->value, 0, sizeof(opt->value));
	opt->len = (__u32)strnlen(text, sizeof(opt->value));
	memcpy(opt->value, text, opt->len);
	return err;
}

int sock_common_getsockopt(struct socket *sock, struct sockfs_sockopt *opt, int *blank)
{
	const struct sockopt *so = sockopt_by_number(opt->level, opt->name);
	struct proto *prot = option_owner(sock, so);
	struct sock *sk, now = {0};

	if (prot == NULL)
		return -ENOPROTOOPT;
	sk = option_present_sock(sock, prot);
	switch (so->kind) {
	case SOCKOPT_ERROR:
		return option_error(sk, so, opt);
	case SOCKOPT_SECONDS:
	case SOCKOPT_CHOICE:
	case SOCKOPT_COUNT:
		return option_own(sock, prot, sk, so, opt);
	case SOCKOPT_PROTO:
		opt->len = (__u32)strlen(sock->ops->prot->word);
		memset(opt->value, 0, sizeof(opt->value));
		memcpy(opt->value, sock->ops->prot->word, opt->len);
		return 0;
	case SOCKOPT_STRING:
	case SOCKOPT_TEXT:
		return option_text(prot, sk, so, opt);
	default:
		now.sk_fd = sk != NULL ? sk_any_fd(sk, &now.sk_family) : -1;
		if (now.sk_fd >= 0)
			return option_query(&now, so, opt);
		return option_query_blank(sock, so, opt, blank);
	}
}
