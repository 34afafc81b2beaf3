/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Options of a TCP socket.
 *
 * They may be set before there is a kernel socket (its family is not known
 * until bind or connect), and a dial may go through several: so what the user
 * has set is kept, and applied to each new descriptor.
 */
#include "config.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/sock_wait.h"
#include "net/core/core.h"
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
	default:
		return NULL;
	}
}

/* An IPv6 socket with an IPv4 peer (::ffff:a.b.c.d) sends IPv4 packets. */
static bool sends_ipv6(const struct tcp_sock *tsk)
{
	struct sockaddr_in6 sin6;
	socklen_t len = sizeof(sin6);

	if (tsk->family != AF_INET6)
		return false;
	return getsockname(tsk->fd, (struct sockaddr *)&sin6, &len) != 0 ||
	       !IN6_IS_ADDR_V4MAPPED(&sin6.sin6_addr);
}

static int option_apply(const struct tcp_sock *tsk, const struct sockopt *so, long value)
{
	struct sockfs_sockopt opt;
	int err = sockopt_make(so, value, &opt);

	if (err != 0)
		return err;
	/* To Linux it would be one more listener of the daemon's user. */
	if (so->optname == SO_REUSEPORT && so->level == SOL_SOCKET && value != 0 && tsk->alien)
		return -EACCES;
	/* Both of them: a listener on any address accepts IPv4 and IPv6, and what it has they inherit. */
	if (tsk->family == AF_INET6 && so->level6 != 0 &&
	    setsockopt(tsk->fd, so->level6, so->optname6, opt.value, opt.len) != 0)
		return -errno;
	return setsockopt(tsk->fd, so->level, so->optname, opt.value, opt.len) != 0 ? -errno : 0;
}

int tcp_apply_options(struct tcp_sock *tsk)
{
	int on = 1;

	/* A write is a message: what a shell says must not wait for more. */
	if (setsockopt(tsk->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0)
		return -errno;
	for (size_t i = 0; i < nr_sockopts; i++) {
		if (tsk->opt_set & (UINT32_C(1) << i)) {
			int err = option_apply(tsk, &sockopts[i], tsk->opts[i]);

			if (err != 0)
				return err;
		}
	}
	return 0;
}

int tcp_copy_options(struct tcp_sock *to, const struct tcp_sock *from)
{
	if (from->opts != NULL) {
		to->opts = malloc(nr_sockopts * sizeof(*to->opts));
		if (to->opts == NULL)
			return -ENOMEM;
		memcpy(to->opts, from->opts, nr_sockopts * sizeof(*to->opts));
		to->opt_set = from->opt_set;
	}
	to->sk.sk_connect_timeout = from->sk.sk_connect_timeout;
	to->sk.sk_rcvtimeo = from->sk.sk_rcvtimeo;
	to->sk.sk_sndtimeo = from->sk.sk_sndtimeo;
	return 0;
}

int tcp_setsockopt(struct socket *sock, const struct sockfs_sockopt *opt)
{
	const struct sockopt *so = sockopt_by_number(opt->level, opt->name);
	struct tcp_sock *tsk, now = {0};
	long value;
	int err;

	if (so == NULL || so->kind == SOCKOPT_ERROR)
		return -ENOPROTOOPT;
	err = sockopt_value(so, opt, &value);
	if (err != 0)
		return err;
	if (value < so->min || value > so->max)
		return -EINVAL;
	tsk = tcp_sk_get(sock);
	if (tsk == NULL)
		return -ENOMEM;
	if (so->kind == SOCKOPT_SECONDS) {
		int *own = own_option(&tsk->sk, so->optname);

		if (own == NULL)
			return -ENOPROTOOPT;
		*own = (int)value;
		sock_reap_start(sock, SOCK_INODE(sock)->i_opens);
		return 0;
	}
	if (tsk->opts == NULL) {
		tsk->opts = calloc(nr_sockopts, sizeof(*tsk->opts));
		if (tsk->opts == NULL)
			return -ENOMEM;
	}
	now.fd = tcp_any_fd(tsk, &now.family);
	if (now.fd >= 0) {
		tcp_set_owner(&now, sock);
		err = option_apply(&now, so, value);
		if (err != 0)
			return err;
	}
	tsk->opts[so - sockopts] = value;
	tsk->opt_set |= UINT32_C(1) << (so - sockopts);
	return 0;
}

static int option_query(const struct tcp_sock *tsk, const struct sockopt *so,
			struct sockfs_sockopt *opt)
{
	socklen_t len = sizeof(opt->value);
	bool six = so->level6 != 0 && sends_ipv6(tsk);
	int level = six ? so->level6 : so->level, name = six ? so->optname6 : so->optname;

	memset(opt->value, 0, sizeof(opt->value));
	if (getsockopt(tsk->fd, level, name, opt->value, &len) != 0)
		return -errno;
	opt->len = len;
	return 0;
}

/*
 * The effective value while there is no kernel socket: what a new one would
 * have. A blank one with the same settings is asked; it stays for the next question.
 */
static int option_query_blank(const struct tcp_sock *tsk, const struct sockopt *so,
			      struct sockfs_sockopt *opt, int *blank)
{
	struct tcp_sock scratch = {.fd = *blank, .family = AF_INET};
	int err = 0;

	if (scratch.fd < 0) {
		scratch.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (scratch.fd < 0)
			return -errno;
		*blank = scratch.fd;
		if (tsk != NULL) {
			scratch.opts = tsk->opts;
			scratch.opt_set = tsk->opt_set;
		}
		err = tcp_apply_options(&scratch);
	}
	return err != 0 ? err : option_query(&scratch, so, opt);
}

/* SO_ERROR: what the next read or write would get, taken away by asking. */
static int option_error(struct tcp_sock *tsk, const struct sockopt *so, struct sockfs_sockopt *opt)
{
	int err = tsk != NULL ? -sock_error(&tsk->sk) : 0;

	if (err == 0 && tsk != NULL && tsk->fd >= 0)
		return option_query(tsk, so, opt);
	memset(opt->value, 0, sizeof(opt->value));
	memcpy(opt->value, &err, sizeof(err));
	opt->len = sizeof(err);
	return 0;
}

/* One that sockfs keeps: without a sock it is what a new one would have. */
static int option_own(struct tcp_sock *tsk, const struct sockopt *so, struct sockfs_sockopt *opt)
{
	struct sock fresh = {0};
	const int *own;

	sock_set_defaults(&fresh);
	own = own_option(tsk != NULL ? &tsk->sk : &fresh, so->optname);
	return own != NULL ? sockopt_make(so, *own, opt) : -ENOPROTOOPT;
}

int tcp_getsockopt(struct socket *sock, struct sockfs_sockopt *opt, int *blank)
{
	const struct sockopt *so = sockopt_by_number(opt->level, opt->name);
	struct tcp_sock *tsk = sock->sk != NULL ? tcp_sk(sock->sk) : NULL, now = {0};

	if (so == NULL)
		return -ENOPROTOOPT;
	switch (so->kind) {
	case SOCKOPT_ERROR:
		return option_error(tsk, so, opt);
	case SOCKOPT_SECONDS:
		return option_own(tsk, so, opt);
	default:
		now.fd = tsk != NULL ? tcp_any_fd(tsk, &now.family) : -1;
		if (now.fd >= 0)
			return option_query(&now, so, opt);
		return option_query_blank(tsk, so, opt, blank);
	}
}
