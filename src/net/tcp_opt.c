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
#include "net/sockopt.h"
#include "net/tcp.h"

/* Options that sockfs keeps itself, by their SOCKFS_SO_ number. */
static int *own_option(struct tcp_sock *tsk, int optname)
{
	switch (optname) {
	case SOCKFS_SO_CONNECT_TIMEOUT:
		return &tsk->sk.sk_connect_timeout;
	case SOCKFS_SO_RCVTIMEO:
		return &tsk->sk.sk_rcvtimeo;
	case SOCKFS_SO_SNDTIMEO:
		return &tsk->sk.sk_sndtimeo;
	default:
		return &tsk->sk.sk_reap;
	}
}

static void option_numbers(const struct sockopt *so, int family, int *ret_level, int *ret_name)
{
	bool six = family == AF_INET6 && so->level6 != 0;

	*ret_level = six ? so->level6 : so->level;
	*ret_name = six ? so->optname6 : so->optname;
}

static int option_apply(const struct tcp_sock *tsk, const struct sockopt *so, long value)
{
	struct sockfs_sockopt opt;
	int level, name;
	int err = sockopt_make(so, value, &opt);

	if (err != 0)
		return err;
	/* To Linux it would be one more listener of the daemon's user. */
	if (so->optname == SO_REUSEPORT && so->level == SOL_SOCKET && value != 0 && tsk->alien)
		return -EACCES;
	option_numbers(so, tsk->family, &level, &name);
	return setsockopt(tsk->fd, level, name, opt.value, opt.len) != 0 ? -errno : 0;
}

int tcp_apply_options(struct tcp_sock *tsk)
{
	int on = 1;

	/* A write is a message: what a shell says must not wait for more. */
	if (setsockopt(tsk->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0)
		return -errno;
	for (size_t i = 0; i < nr_sockopts; i++) {
		if (tsk->opt_set & (1u << i)) {
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
	struct tcp_sock *tsk;
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
		*own_option(tsk, so->optname) = (int)value;
		sock_reap_start(sock, SOCK_INODE(sock)->i_opens);
		return 0;
	}
	if (tsk->opts == NULL) {
		tsk->opts = calloc(nr_sockopts, sizeof(*tsk->opts));
		if (tsk->opts == NULL)
			return -ENOMEM;
	}
	if (tsk->fd >= 0) {
		err = option_apply(tsk, so, value);
		if (err != 0)
			return err;
	}
	tsk->opts[so - sockopts] = value;
	tsk->opt_set |= 1u << (so - sockopts);
	return 0;
}

static int option_query(const struct tcp_sock *tsk, const struct sockopt *so,
			struct sockfs_sockopt *opt)
{
	socklen_t len = sizeof(opt->value);
	int level, name;

	option_numbers(so, tsk->family, &level, &name);
	memset(opt->value, 0, sizeof(opt->value));
	if (getsockopt(tsk->fd, level, name, opt->value, &len) != 0)
		return -errno;
	opt->len = len;
	return 0;
}

/*
 * The effective value while there is no kernel socket: what a new one would
 * have. A blank sock with the same settings is asked and thrown away.
 */
static int option_query_scratch(const struct tcp_sock *tsk, const struct sockopt *so,
				struct sockfs_sockopt *opt)
{
	struct tcp_sock scratch = {
		.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
		.family = AF_INET,
	};
	int err;

	if (scratch.fd < 0)
		return -errno;
	if (tsk != NULL) {
		scratch.opts = tsk->opts;
		scratch.opt_set = tsk->opt_set;
	}
	err = tcp_apply_options(&scratch);
	if (err == 0)
		err = option_query(&scratch, so, opt);
	close(scratch.fd);
	return err;
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

int tcp_getsockopt(struct socket *sock, struct sockfs_sockopt *opt)
{
	const struct sockopt *so = sockopt_by_number(opt->level, opt->name);
	struct tcp_sock *tsk = sock->sk != NULL ? tcp_sk(sock->sk) : NULL;

	if (so == NULL)
		return -ENOPROTOOPT;
	switch (so->kind) {
	case SOCKOPT_ERROR:
		return option_error(tsk, so, opt);
	case SOCKOPT_SECONDS: {
		int fresh = so->optname == SOCKFS_SO_CONNECT_TIMEOUT ? sock_default_connect_timeout
								     : 0;

		return sockopt_make(so, tsk != NULL ? *own_option(tsk, so->optname) : fresh, opt);
	}
	default:
		if (tsk != NULL && tsk->fd >= 0)
			return option_query(tsk, so, opt);
		return option_query_scratch(tsk, so, opt);
	}
}
