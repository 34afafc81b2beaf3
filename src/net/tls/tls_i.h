/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of net/tls share. */
#ifndef NET_TLS_TLS_I_H
#define NET_TLS_TLS_I_H

#include <uv.h>

#include "net/core/core.h"
#include "net/tls/tls_helper.h"

/* Texts that users set, and those that tell of a connection. */
enum tls_text {
	TLS_TEXT_CA,
	TLS_TEXT_CERT,
	TLS_TEXT_KEY,
	TLS_TEXT_NAME,
	TLS_TEXT_ALPN,
	TLS_TEXT_SETTINGS, /* how many of those */
	TLS_TEXT_AGREED = TLS_TEXT_SETTINGS,
	TLS_TEXT_PEER,
	TLS_TEXT_FINGERPRINT,
	TLS_TEXT_EXPIRES,
	TLS_TEXT_ERROR,
	TLS_TEXTS,
};

struct tls_sock {
	struct sock sk;
	uv_pipe_t pipe;
	struct tls_conn *conn;	/* NULL: there is none */
	int verify, lax;
	uid_t uid;		/* a listener's: with whose rights it serves */
	gid_t gid;
	char *text[TLS_TEXTS];	/* NULL: not set */
	uint64_t link;		/* resumed: the connection's number, until it has it again; 0: none */
	uint32_t life;		/* ... in which of the helpers */
	bool deaf, told;	/* ... and what is kept of struct tls_conn */
};

/* A connection that the helper has, or is about to have. */
struct tls_conn {
	struct tls_link link;
	struct sock *sk;	/* shaking hands: whose */
	int net_fd, file_fd;	/* shaking hands: ours still */
	bool deaf;		/* shutdown(SHUT_RD): an end of file is no news */
	bool told;		/* how it ended */
	void (*cb)(void *arg, int fd);
	void *arg;
};

static inline struct tls_sock *tls_sk(struct sock *sk)
{
	return container_of(sk, struct tls_sock, sk);
}

/* tls_text.c -------------------------------------------------------------- */

/* Note @text, a copy of it; NULL or "": none. 0, or -ENOMEM and it is as it was. */
int tls_set(struct tls_sock *tls, enum tls_text which, const char *text);
/* As struct proto has them. */
int *tls_own_option(struct sock *sk, int optname);
int tls_text_option(struct sock *sk, int optname, char text[SOCKFS_TEXT_MAX]);
int tls_set_text(struct sock *sk, int optname, const char *text);
int tls_copy_texts(struct sock *to, const struct sock *from);
size_t tls_save(const struct sock *sk, char *buf, size_t size);
int tls_resume(struct sock *sk, const char *buf, size_t len);

/* tls_conn.c -------------------------------------------------------------- */

int tls_handshake(struct sock *sk, int fd, const struct cred *cred,
		  void (*cb)(void *arg, int fd), void *arg, void **ret_h);
void tls_handshake_cancel(void *h);
/* Tell why it is not, in words. @msg: a TLS_MSG_OPENED, or NULL: the helper has died. */
void tls_set_reason(struct tls_sock *tls, const struct tls_msg *msg);
/* A TLS_MSG_OPEN of @kind with @tls's settings, for a peer called @name. 0 or -EMSGSIZE. */
int tls_make_request(const struct tls_sock *tls, enum tls_kind kind, const struct cred *cred,
		     const char *name, struct tls_msg *msg);
/* For a server: 0, or -ENOKEY and words: it has none. */
int tls_has_cert(struct tls_sock *tls);
/* As struct proto has it. */
int tls_rejoin(struct sock *sk, int fd);
/* Let go of the link. */
void tls_conn_free(struct tls_conn *conn);
/* The stream has ended or is broken: the errno value that says why, once; then 0. */
int tls_conn_over(struct sock *sk);

/* tls_listen.c ------------------------------------------------------------ */

/* As struct proto and struct proto_ops have them. */
int tls_may_listen(struct sock *sk, const struct cred *cred, void (*cb)(void *arg, int err),
		   void *arg, void **ret_h);
void tls_may_listen_cancel(void *h);
int tls_accept(struct socket *sock, struct socket *newsock);

extern struct proto tls_prot;

#endif /* NET_TLS_TLS_I_H */
