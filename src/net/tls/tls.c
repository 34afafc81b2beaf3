/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TLS: its row. What a stream does the stream pair does; what is of the network the TCP
 * descriptor does. Twin of net/tls/tls_main.c, whose other half is a helper process here.
 */
#include "config.h"

#include "net/tls/tls.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "journal/ledger.h"
#include "mm/vmstat.h"
#include "net/inet/inet_addr.h"
#include "net/inet/tcp.h"
#include "net/sock_wait.h"
#include "net/tls/tls_i.h"

/* --------------------------------------------------------------------------- the object */

static void tls_init_sock(struct sock *sk)
{
	struct tls_sock *tls = tls_sk(sk);

	tls->conn = NULL;
	tls->link = 0;
	tls->verify = 1;
	tls->lax = 0;
	tls->uid = (uid_t)-1;
	tls->gid = (gid_t)-1;
	memset(tls->text, 0, sizeof(tls->text));
}

/* The settings go along, and a handshake; a connection ends with its descriptor. */
static void tls_take_over(struct sock *sk, struct sock *old)
{
	struct tls_sock *to = tls_sk(sk), *from = tls_sk(old);

	to->verify = from->verify;
	to->lax = from->lax;
	to->uid = from->uid;
	to->gid = from->gid;
	memcpy(to->text, from->text, sizeof(to->text));
	memset(from->text, 0, sizeof(from->text));
	if (from->conn == NULL || from->conn->file_fd < 0)
		return;
	to->conn = from->conn;
	to->conn->sk = sk;
	from->conn = NULL;
}

static void tls_closed(struct sock *sk)
{
	struct tls_sock *tls = tls_sk(sk);

	sk->sk_net_fd = -1;
	if (tls->conn != NULL)
		tls_conn_free(tls->conn);
	tls->conn = NULL;
}

static void tls_destroy(struct sock *sk)
{
	struct tls_sock *tls = tls_sk(sk);

	for (size_t i = 0; i < ARRAY_SIZE(tls->text); i++)
		vm_strfree(tls->text[i]);
}

static int tls_handle_init(struct sock *sk)
{
	return uv_pipe_init(sk_loop, &tls_sk(sk)->pipe, 0);
}

static int tls_handle_open(struct sock *sk, int fd)
{
	return uv_pipe_open(&tls_sk(sk)->pipe, fd);
}

/* A write is a record, and a record is to go at once. */
static int tls_init_fd(int fd)
{
	int on = 1;

	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0)
		return errno == EOPNOTSUPP ? 0 : -errno;
	return 0;
}

/* Has the helper let go of its end? Or both directions are shut down. */
static bool is_left(const struct sock *sk)
{
	struct pollfd p = {.fd = sk->sk_fd};

	return poll(&p, 1, 0) == 1 && (p.revents & POLLHUP);
}

/*
 * A byte lies in the stream until the kernel's TCP has its record. What lies there when the
 * helper dies is lost, and the stream empty then, too.
 */
static int tls_sync(struct sock *sk)
{
	struct tls_conn *conn = tls_sk(sk)->conn;
	int outq = 0, err = 0;

	if (ioctl(sk->sk_fd, SIOCOUTQ, &outq) != 0)
		return -errno;
	if (outq == 0 && sk->sk_net_fd >= 0 && ioctl(sk->sk_net_fd, SIOCOUTQ, &outq) != 0)
		return -errno;
	if (conn != NULL && (conn->link.ended || is_left(sk)))
		err = tls_link_over(&conn->link);
	if (err == 0 && outq != 0 && conn != NULL && conn->link.ended)
		err = EPIPE;
	if (err == 0)
		return outq != 0 ? -EAGAIN : 0;
	sk_over(sk, err);
	return -err;
}

/* -------------------------------------------------------------------------- operations */

static ssize_t tls_recvmsg(struct socket *sock, struct iov_iter *to)
{
	struct sock *sk = sock->sk;
	ssize_t n = stream_recvmsg(sock, to);
	int err;

	if (n > 0 || n == -EAGAIN)
		return n;
	err = tls_conn_over(sk);
	if (err == 0)
		return n;
	sk_over(sk, err);
	sk->sk_err_last = err;
	return -err;
}

static ssize_t tls_sendmsg(struct socket *sock, struct iov_iter *from)
{
	struct sock *sk = sock->sk;
	bool ended = sk->sk_shutdown & SEND_SHUTDOWN;
	ssize_t n = stream_sendmsg(sock, from);
	int err;

	if (n >= 0 || n == -EAGAIN || ended)
		return n;
	err = tls_conn_over(sk);
	if (err == 0)
		return n;
	sk->sk_err_last = err;
	return -err;
}

/* Why an earlier one has failed says nothing of this one. */
static int tls_connect(struct socket *sock, int fd, const struct sockaddr *addr, socklen_t len)
{
	(void)tls_set(tls_sk(sock->sk), TLS_TEXT_ERROR, NULL);
	return sock_common_connect(sock, fd, addr, len);
}

static int tls_shutdown(struct socket *sock, int how)
{
	struct sock *sk = sock->sk;

	if (how != SHUT_WR && sk != NULL && tls_sk(sk)->conn != NULL) {
		tls_sk(sk)->conn->deaf = true;
		sk_mark_dirty(sk);
	}
	return stream_shutdown(sock, how);
}

/* RST goes out now; the helper finds the connection gone. */
static int tls_abort(struct socket *sock)
{
	const struct sockaddr nobody = {.sa_family = AF_UNSPEC};

	if (sock->sk != NULL && sock->sk->sk_net_fd >= 0)
		(void)connect(sock->sk->sk_net_fd, &nobody, sizeof(nobody));
	return sock_common_abort(sock);
}

static int tls_queues(struct socket *sock, uint32_t *ret_inq, uint32_t *ret_outq)
{
	int err = sock_common_queues(sock, ret_inq, ret_outq);
	int outq = 0;

	if (err == 0 && sock->sk != NULL && sock->sk->sk_net_fd >= 0 &&
	    ioctl(sock->sk->sk_net_fd, SIOCOUTQ, &outq) == 0)
		*ret_outq += (uint32_t)outq;
	return err;
}

static const struct proto_ops tls_ops = {
	.prot = &tls_prot,
	.release = sock_common_release,
	.bind = inet_bind,
	.connect = tls_connect,
	.listen = inet_listen,
	.accept = tls_accept,
	.shutdown = tls_shutdown,
	.abort = tls_abort,
	.getname = sock_common_getname,
	.setsockopt = sock_common_setsockopt,
	.getsockopt = sock_common_getsockopt,
	.sendmsg = tls_sendmsg,
	.recvmsg = tls_recvmsg,
	.poll = sock_common_poll,
	.queues = tls_queues,
	.sync = sock_common_sync,
	.info = sock_common_info,
};

struct proto tls_prot = {
	.name = "TLS",
	.word = "tls",
	.dir = "tls",
	.family = AF_INET,
	.type = SOCK_STREAM,
	.protocol = IPPROTO_TCP,
	.ulp = &tls_ops,
	.obj_size = sizeof(struct tls_sock),
	.handle = offsetof(struct tls_sock, pipe),
	.init = tls_init_sock,
	.take_over = tls_take_over,
	.destroy = tls_destroy,
	.resolve = inet_resolve,
	.handshake = tls_handshake,
	.handshake_cancel = tls_handshake_cancel,
	.may_listen = tls_may_listen,
	.may_listen_cancel = tls_may_listen_cancel,
	.handle_init = tls_handle_init,
	.handle_open = tls_handle_open,
	.read_start = stream_read_start,
	.read_stop = stream_read_stop,
	.init_fd = tls_init_fd,
	.closed = tls_closed,
	.backlog = tcp_backlog,
	.sync = tls_sync,
	.own_option = tls_own_option,
	.text_option = tls_text_option,
	.set_text = tls_set_text,
	.copy_texts = tls_copy_texts,
	.save = tls_save,
	.resume = tls_resume,
	.rejoin = tls_rejoin,
	.lasting = true,
};

#ifdef CONFIG_TLS

int tls_init(uv_loop_t *loop)
{
	int err = tls_helper_init(loop, NULL);

	if (err != 0)
		return err;
	err = proto_register(&tls_prot);
	if (err != 0) {
		tls_helper_stop();
		tls_helper_exit();
	}
	return err;
}

void tls_stop(void)
{
	tls_helper_stop();
}

int tls_exit(void)
{
	int err = proto_unregister(&tls_prot);

	tls_helper_exit();
	return err;
}

#else

/* Those of an earlier program end with what they have. */
int tls_init(uv_loop_t *loop)
{
	(void)loop;
	for (size_t i = 0; ledger != NULL && i < LEDGER_HELPERS; i++) {
		if (ledger->helpers[i].fd > 0)
			close(ledger->helpers[i].fd);
		ledger->helpers[i].fd = 0;
	}
	return 0;
}

void tls_stop(void)
{
}

int tls_exit(void)
{
	return 0;
}

#endif
