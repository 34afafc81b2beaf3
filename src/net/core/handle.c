/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The handle of a sock: it owns the descriptor of the kernel's socket, and libuv
 * knows it until its close callback has come.
 */
#include "config.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/core/core.h"

static void on_handle_closed(uv_handle_t *handle)
{
	struct sock *sk = handle->data;

	sk->sk_open = false;
	sk_put(sk);
}

int sk_open(struct sock *sk, int family)
{
	int fd, err;

	if (sk->sk_open)
		return -EBUSY;
	fd = sk_new_fd(sk, family);
	if (fd < 0)
		return fd;
	err = sk_adopt(sk, fd);
	if (err != 0)
		close(fd);
	return err;
}

int sk_adopt(struct sock *sk, int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	int err;

	if (getsockname(fd, (struct sockaddr *)&ss, &len) != 0)
		return -errno;
	err = sk->sk_prot->handle_init(sk);
	if (err != 0)
		return err;
	sk_handle(sk)->data = sk;
	sk->sk_open = true;
	sk->sk_refs++;
	err = sk->sk_prot->handle_open(sk, fd);
	if (err != 0) {
		uv_close(sk_handle(sk), on_handle_closed);
		return err;
	}
	sk->sk_fd = fd;
	sk->sk_family = ss.ss_family;
	sk_set_owner(sk, sk->sk_socket);
	sk_mark_dirty(sk);
	return 0;
}

void sk_net_family(struct sock *sk)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	sk->sk_net_family = getsockname(sk->sk_net_fd, (struct sockaddr *)&ss, &len) == 0 ?
				    ss.ss_family : 0;
}

/* How close(2) is to go: at once in any case, for a linger time would block the whole mount. */
static void set_linger(struct sock *sk, bool reset)
{
	const struct linger linger = {.l_onoff = reset, .l_linger = 0};

	(void)setsockopt(sk->sk_fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

/* Nobody looks at the descriptor any more. */
static void stop_waiting(struct sock *sk)
{
	uint64_t deadline = sk->sk_timer;

	sk_read_stop(sk);
	sk_unwatch(sk);
	/* The wait's descriptor keeps the connection open as well as ours. */
	sk_wait_close(sk);
	sk_timer_keep(sk, deadline);
}

static void close_handle(struct sock *sk)
{
	sk->sk_fd = -1;
	sk->sk_family = 0;
	sk->sk_held = 0;
	sk->sk_fin = false;
	sk->sk_bound = false;
	sk_mark_dirty(sk);
	uv_close(sk_handle(sk), on_handle_closed);
	if (sk->sk_prot->closed != NULL)
		sk->sk_prot->closed(sk);
}

void sk_let_go(struct sock *sk)
{
	if (sk->sk_fd < 0)
		return;
	stop_waiting(sk);
	close_handle(sk);
}

void sk_close(struct sock *sk, bool reset)
{
	struct linger linger = {0};
	socklen_t len = sizeof(linger);

	if (sk->sk_fd < 0)
		return;
	stop_waiting(sk);
	(void)getsockopt(sk->sk_fd, SOL_SOCKET, SO_LINGER, &linger, &len);
	if (linger.l_onoff && linger.l_linger == 0)
		reset = true;
	if (!reset && sk->sk_prot->before_close != NULL)
		sk->sk_prot->before_close(sk->sk_fd);
	if (!reset && sk->sk_bound)
		(void)sk_reuse_address(sk, true);
	set_linger(sk, reset);
	close_handle(sk);
}

struct sock *sk_replace(struct sock *old)
{
	struct socket *sock = old->sk_socket;
	struct sock *sk = sk_alloc(sock);
	uint64_t deadline = old->sk_timer;

	if (sk == NULL)
		return NULL;
	sk_take_over(sk, old);
	sock->sk = sk;
	mark_sock_dirty(sock);
	sk_close(old, false);
	sk_wait_close(old);
	sk_put(old);
	sk_timer_keep(sk, deadline);
	return sk;
}
