/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TCP: the life of a tcp_sock and its handle, and the table of operations.
 */
#include "config.h"

#include "net/core/core.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"
#include "mm/slab.h"
#include "uapi/addr.h"

uv_loop_t *tcp_loop;
static struct kmem_cache *tcp_cachep;

int tcp_init(uv_loop_t *loop)
{
	tcp_loop = loop;
	tcp_cachep = kmem_cache_create("TCP", sizeof(struct tcp_sock), 0, SLAB_HWCACHE_ALIGN, NULL);
	return tcp_cachep == NULL ? -ENOMEM : 0;
}

int tcp_exit(void)
{
	int err = tcp_cachep != NULL ? kmem_cache_destroy(tcp_cachep) : 0;

	if (err == 0)
		tcp_cachep = NULL;
	return err;
}

/* ------------------------------------------------------------------- the sock */

void sock_init_data(struct socket *sock, struct sock *sk)
{
	*sk = (struct sock){.sk_socket = sock};
	sock_set_defaults(sk);
	TAILQ_INIT(&sk->sk_read_queue);
	TAILQ_INIT(&sk->sk_write_queue);
	TAILQ_INIT(&sk->sk_sync_queue);
}

static struct tcp_sock *tcp_sk_alloc(struct socket *sock)
{
	struct tcp_sock *tsk = kmem_cache_alloc(tcp_cachep);

	if (tsk == NULL)
		return NULL;
	*tsk = (struct tcp_sock){.fd = -1, .refs = 1};
	sock_init_data(sock, &tsk->sk);
	return tsk;
}

struct tcp_sock *tcp_sk_get(struct socket *sock)
{
	if (sock->sk == NULL) {
		struct tcp_sock *tsk = tcp_sk_alloc(sock);

		if (tsk == NULL)
			return NULL;
		sock->sk = &tsk->sk;
		SOCK_INODE(sock)->i_sb->s_nr_inuse++;
	}
	return tcp_sk(sock->sk);
}

void tcp_put(struct tcp_sock *tsk)
{
	if (--tsk->refs > 0)
		return;
	free(tsk->opts);
	kmem_cache_free(tcp_cachep, tsk);
}

struct tcp_sock *tcp_replace(struct tcp_sock *old)
{
	struct socket *sock = old->sk.sk_socket;
	struct tcp_sock *tsk = tcp_sk_alloc(sock);
	uint64_t deadline = old->sk.sk_timer;

	if (tsk == NULL)
		return NULL;
	tsk->sk = old->sk;
	TAILQ_INIT(&tsk->sk.sk_read_queue);
	TAILQ_INIT(&tsk->sk.sk_write_queue);
	TAILQ_INIT(&tsk->sk.sk_sync_queue);
	TAILQ_CONCAT(&tsk->sk.sk_read_queue, &old->sk.sk_read_queue, ki_wait);
	TAILQ_CONCAT(&tsk->sk.sk_write_queue, &old->sk.sk_write_queue, ki_wait);
	TAILQ_CONCAT(&tsk->sk.sk_sync_queue, &old->sk.sk_sync_queue, ki_wait);
	tsk->dial = old->dial;
	tsk->opts = old->opts;
	tsk->opt_set = old->opt_set;
	old->dial = NULL;
	old->opts = NULL;
	old->sk.sk_socket = NULL;
	sock->sk = &tsk->sk;
	tcp_close_handle(old, false);
	tcp_wait_close(old);
	tcp_put(old);
	tcp_timer_keep(tsk, deadline);
	return tsk;
}

/* ----------------------------------------------------------------- the handle */

static void on_handle_closed(uv_handle_t *handle)
{
	struct tcp_sock *tsk = handle->data;

	tsk->open = false;
	tcp_put(tsk);
}

static void tcp_hold_handle(struct tcp_sock *tsk)
{
	tsk->tcp.data = tsk;
	tsk->open = true;
	tsk->refs++;
}

void tcp_set_owner(struct tcp_sock *tsk, const struct socket *sock)
{
	uid_t uid = SOCK_INODE(sock)->i_uid;

	tsk->alien = uid != geteuid() && fchown(tsk->fd, uid, (gid_t)-1) != 0;
}

int tcp_open(struct tcp_sock *tsk, int family)
{
	uv_os_fd_t fd;
	int err;

	if (tsk->open)
		return -EBUSY;
	err = uv_tcp_init_ex(tcp_loop, &tsk->tcp, (unsigned int)family);
	if (err != 0)
		return err;
	tcp_hold_handle(tsk);
	err = uv_fileno((uv_handle_t *)&tsk->tcp, &fd);
	if (err == 0) {
		tsk->fd = fd;
		tsk->family = family;
		tcp_set_owner(tsk, tsk->sk.sk_socket);
		err = tcp_apply_options(tsk);
	}
	if (err != 0)
		tcp_close_handle(tsk, false);
	return err;
}

int tcp_adopt(struct tcp_sock *tsk, int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	int err;

	if (getsockname(fd, (struct sockaddr *)&ss, &len) != 0)
		return -errno;
	err = uv_tcp_init(tcp_loop, &tsk->tcp);
	if (err != 0)
		return err;
	tcp_hold_handle(tsk);
	err = uv_tcp_open(&tsk->tcp, fd);
	if (err != 0) {
		uv_close((uv_handle_t *)&tsk->tcp, on_handle_closed);
		return err;
	}
	tsk->fd = fd;
	tsk->family = ss.ss_family;
	tcp_set_owner(tsk, tsk->sk.sk_socket);
	return 0;
}

/*
 * close(2) sends RST instead of FIN when received bytes were not read, and RST
 * throws away what is queued to send. A script that answers a request without
 * reading all of it wants its answer delivered: so what has arrived is read
 * away first. MSG_TRUNC discards without copying (tcp(7)): nothing is ever written
 * to the memory, but sanitizers and valgrind want it to be there. A receive
 * buffer has 64 MiB at most, unless the administrator likes it otherwise.
 */
static void tcp_discard_received(int fd)
{
	static char nowhere[1 << 20];

	for (int i = 0; i < 64; i++)
		if (recv(fd, nowhere, sizeof(nowhere), MSG_TRUNC | MSG_DONTWAIT) <= 0)
			return;
}

void tcp_close_handle(struct tcp_sock *tsk, bool reset)
{
	uint64_t deadline = tsk->sk.sk_timer;
	struct linger linger = {0};
	socklen_t len = sizeof(linger);

	if (tsk->fd < 0)
		return;
	tcp_read_stop(tsk);
	tcp_unwatch(tsk);
	/* The wait's descriptor keeps the connection open as well as ours. */
	tcp_wait_close(tsk);
	tcp_timer_keep(tsk, deadline);
	(void)getsockopt(tsk->fd, SOL_SOCKET, SO_LINGER, &linger, &len);
	if (linger.l_onoff && linger.l_linger == 0)
		reset = true;
	if (!reset) {
		tcp_discard_received(tsk->fd);
		if (tsk->bound)
			(void)tcp_reuse_address(tsk, true);
		/* With a linger time close(2) would block the whole mount. */
		linger.l_onoff = 0;
		(void)setsockopt(tsk->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	}
	tsk->fd = -1;
	tsk->family = 0;
	tsk->bound = false;
	if (!reset || uv_tcp_close_reset(&tsk->tcp, on_handle_closed) != 0)
		uv_close((uv_handle_t *)&tsk->tcp, on_handle_closed);
}

/* ----------------------------------------------------------------- operations */

/* net/ipv4/af_inet.c: inet_release. */
static void tcp_release(struct socket *sock)
{
	struct tcp_sock *tsk;

	tcp_dial_abort(tcp_sk(sock->sk), -ECONNABORTED);
	sock_cancel_all(sock, -ECONNABORTED);
	/* A dial that is given up leaves another sock. */
	tsk = tcp_sk(sock->sk);
	sock->sk = NULL;
	SOCK_INODE(sock)->i_sb->s_nr_inuse--;
	tsk->sk.sk_socket = NULL;
	tcp_close_handle(tsk, false);
	tcp_wait_close(tsk);
	tcp_put(tsk);
}

/* A dial is given up; anything else is reset. */
static int tcp_abort(struct socket *sock)
{
	struct tcp_sock *tsk = tcp_sk_get(sock);

	if (tsk == NULL)
		return -ENOMEM;
	if (tsk->dial != NULL) {
		tcp_dial_abort(tsk, -ECONNABORTED);
		return 0;
	}
	if (sock->state == SS_CLOSED && tsk->fd < 0)
		return 0;
	tsk->sk.sk_err_last = ECONNABORTED;
	tcp_close_handle(tsk, true);
	if (sock->state != SS_CLOSED)
		sock_set_state(sock, SS_CLOSED);
	if (!sock_cancel_all(sock, -ECONNABORTED))
		sk_set_err(sock->sk, ECONNABORTED);
	sock_state_change(sock);
	return 0;
}

static int tcp_getname(struct socket *sock, struct sockfs_addr *ret_addr, bool peer)
{
	struct sockaddr_storage ss = {.ss_family = AF_UNSPEC};
	socklen_t len = sizeof(ss);
	int family, fd = sock->sk != NULL ? tcp_any_fd(tcp_sk(sock->sk), &family) : -1;
	int err = 0;

	if (fd >= 0)
		err = peer ? getpeername(fd, (struct sockaddr *)&ss, &len)
			   : getsockname(fd, (struct sockaddr *)&ss, &len);
	if (peer && (fd < 0 || err != 0))
		return -ENOTCONN;
	if (err != 0)
		return -errno;
	/* Created for its options only: no address yet. */
	if (!peer && addr_port((struct sockaddr *)&ss) == 0)
		ss.ss_family = AF_UNSPEC;
	addr_from_sockaddr((struct sockaddr *)&ss, ret_addr);
	return 0;
}

static void tcp_info(struct socket *sock, struct sockfs_info *info)
{
	struct tcp_sock *tsk = tcp_sk(sock->sk);
	struct stat st;
	int family, fd = tcp_any_fd(tsk, &family);

	info->error = tsk->sk.sk_err_last;
	info->flags = tsk->sk.sk_lookup_failed ? SOCKFS_INFO_LOOKUP : 0;
	info->rx_bytes = tsk->sk.sk_rx_bytes;
	info->tx_bytes = tsk->sk.sk_tx_bytes;
	info->accepted = tsk->sk.sk_accepted;
	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0)
		info->sk_ino = st.st_ino;
}

const struct proto_ops tcp_prot_ops = {
	.name = "TCP",
	.release = tcp_release,
	.bind = tcp_bind,
	.connect = tcp_connect,
	.listen = tcp_listen,
	.accept = tcp_accept,
	.shutdown = tcp_shutdown,
	.abort = tcp_abort,
	.getname = tcp_getname,
	.setsockopt = tcp_setsockopt,
	.getsockopt = tcp_getsockopt,
	.sendmsg = tcp_sendmsg,
	.recvmsg = tcp_recvmsg,
	.poll = tcp_poll,
	.queues = tcp_queues,
	.sync = tcp_sync,
	.info = tcp_info,
	.watch = tcp_watch,
	.diag = tcp_diag,
	.wait = tcp_wait_for,
	.timer = tcp_timer,
	.now = tcp_now,
};
