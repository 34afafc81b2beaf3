/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TLS as a server.
 *
 * Happy path: before it listens, the helper looks at certificate and key, as whoever wants to
 * listen; a caller's file is there with its TCP connection, is connecting while they shake
 * hands, and then connected. So a caller that is slow or says nothing is in nobody's way but
 * its own file's.
 *
 * Failure modes: no certificate (ENOKEY at once), or not a good one (the helper's errno and
 * words); a handshake that fails: the first read or write of the file has the errno, and its
 * status has the words.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "net/tls/tls_i.h"

/* A question of one who wants to listen. */
struct tls_check {
	struct tls_link link;
	struct sock *sk; /* one reference */
	void (*cb)(void *arg, int err);
	void *arg;
};

static void check_free(struct tls_check *check)
{
	tls_link_close(&check->link);
	sk_put(check->sk);
	free(check);
}

static void on_answer(struct tls_link *link, const struct tls_msg *msg)
{
	struct tls_check *check = container_of(link, struct tls_check, link);
	void (*cb)(void *arg, int err) = check->cb;
	void *arg = check->arg;
	int err = msg == NULL ? ECONNRESET : msg->opened.err;

	tls_set_reason(tls_sk(check->sk), msg);
	check_free(check);
	cb(arg, -err);
}

int tls_may_listen(struct sock *sk, const struct cred *cred, void (*cb)(void *arg, int err),
		   void *arg, void **ret_h)
{
	static struct tls_msg msg;
	struct tls_sock *tls = tls_sk(sk);
	struct tls_check *check;
	int err = tls_has_cert(tls);

	if (err == 0)
		err = tls_make_request(tls, TLS_SERVER, cred, tls->text[TLS_TEXT_NAME], &msg);
	if (err != 0)
		return err;
	check = malloc(sizeof(*check));
	if (check == NULL)
		return -ENOMEM;
	*check = (struct tls_check){.link.on_opened = on_answer, .sk = sk, .cb = cb, .arg = arg};
	err = tls_link_check(&check->link, &msg);
	if (err != 0) {
		free(check);
		return err;
	}
	sk->sk_refs++;
	tls->uid = cred->uid;
	tls->gid = cred->gid;
	*ret_h = check;
	return 0;
}

void tls_may_listen_cancel(void *h)
{
	check_free(h);
}

/*
 * A connection that has been taken from the backlog and then finds no descriptor for its
 * stream pair would be lost: so both are had before. There is one thread, nobody takes them.
 */
static int accept_fd(struct socket *sock, struct socket *newsock)
{
	int fd = sock->sk->sk_fd, first = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	int second = first < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);

	fd = second < 0 ? -errno : stream_accept_fd(sock, newsock);
	if (first >= 0)
		close(first);
	if (second >= 0)
		close(second);
	return fd;
}

int tls_accept(struct socket *sock, struct socket *newsock)
{
	const struct tls_sock *tls = tls_sk(sock->sk);
	const struct cred cred = {.uid = tls->uid, .gid = tls->gid};
	int fd = accept_fd(sock, newsock), err;

	if (fd < 0)
		return fd;
	err = sk_dial_handshake(newsock, newsock->sk, fd, &cred, NULL);
	if (err == 0) {
		sock_set_state(newsock, SS_CONNECTING);
		return 0;
	}
	close(fd);
	return err;
}
