/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A TLS connection: the handshake that a dial waits for, and how it ends.
 *
 * Happy path: the dial has connected, or a listener was called; the helper gets the descriptor and the settings, and
 * answers; the dial goes on with the file's end of the stream pair, and what was agreed is kept
 * for the status.
 *
 * Failure modes: there is no helper or no room for it (at once); it says why not, or dies
 * (the dial fails, tls_error has the words); the dial is given up (tls_handshake_cancel).
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "journal/ledger.h"
#include "net/tls/tls_i.h"
#include "uapi/addr.h"

/* What is written down of what the helper has said: bits, and behind them an errno value. */
#define SAID_EOF 1u
#define SAID_END 2u
#define SAID_ERR 16

/* A caller that does not shake hands is given up; connect_timeout may be shorter. */
#define CALLER_MS 60000

void tls_conn_free(struct tls_conn *conn)
{
	tls_link_close(&conn->link);
	if (conn->net_fd >= 0)
		close(conn->net_fd);
	if (conn->file_fd >= 0)
		close(conn->file_fd);
	free(conn);
}

/* SHA-256 as 64 digits: they fit into an option's value, and colons would not. */
static void set_fingerprint(struct tls_sock *tls, const char *text)
{
	char digits[65];
	size_t n = 0;

	for (; *text != '\0' && n < sizeof(digits) - 1; text++)
		if (*text != ':')
			digits[n++] = *text;
	digits[n] = '\0';
	(void)tls_set(tls, TLS_TEXT_FINGERPRINT, digits);
}

/* What was agreed, for the status. A text that finds no memory is not told. */
static void tell_agreed(struct tls_sock *tls, const struct tls_msg *msg)
{
	const char *alpn = tls_msg_text(msg, TLS_OPENED_ALPN);
	time_t when = (time_t)msg->opened.expires;
	char text[128];
	struct tm tm;

	snprintf(text, sizeof(text), "%s %s%s%s", tls_msg_text(msg, TLS_OPENED_VERSION),
		 tls_msg_text(msg, TLS_OPENED_CIPHER), alpn[0] != '\0' ? " " : "", alpn);
	(void)tls_set(tls, TLS_TEXT_AGREED, text);
	(void)tls_set(tls, TLS_TEXT_PEER, tls_msg_text(msg, TLS_OPENED_PEER));
	set_fingerprint(tls, tls_msg_text(msg, TLS_OPENED_FINGERPRINT));
	text[0] = '\0';
	if (when != 0 && gmtime_r(&when, &tm) != NULL)
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	(void)tls_set(tls, TLS_TEXT_EXPIRES, text);
}

void tls_set_reason(struct tls_sock *tls, const struct tls_msg *msg)
{
	(void)tls_set(tls, TLS_TEXT_ERROR, msg == NULL ? "sockfs-tls has died" :
							 tls_msg_text(msg, TLS_OPENED_REASON));
}

static void on_said(struct tls_link *link)
{
	const struct tls_conn *conn = container_of(link, struct tls_conn, link);

	sk_note_said(conn->sk, (link->eof ? SAID_EOF : 0) | (link->ended ? SAID_END : 0) |
				       (uint64_t)link->err << SAID_ERR);
}

static void on_opened(struct tls_link *link, const struct tls_msg *msg)
{
	struct tls_conn *conn = container_of(link, struct tls_conn, link);
	struct sock *sk = conn->sk;
	struct tls_sock *tls = tls_sk(sk);
	void (*cb)(void *arg, int fd) = conn->cb;
	void *arg = conn->arg;
	int fd = conn->file_fd, err = msg == NULL ? ECONNRESET : msg->opened.err;

	if (err != 0) {
		tls_set_reason(tls, msg);
		tls->conn = NULL;
		sk->sk_net_fd = -1;
		tls_conn_free(conn);
		cb(arg, -err);
		return;
	}
	tell_agreed(tls, msg);
	conn->file_fd = -1;
	sk->sk_net_fd = conn->net_fd;
	sk_net_family(sk);
	cb(arg, fd);
}

/*
 * Whom the peer has to be, as a certificate names it: without brackets and interface. Who
 * called us is nobody in particular.
 */
static void peer_name(struct sock *sk, int fd, char *buf, size_t size)
{
	const char *host = tls_sk(sk)->text[TLS_TEXT_NAME];
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	struct sockfs_addr addr = {.host = ""};

	if (host == NULL)
		host = sk->sk_host;
	if (host == NULL && !sk->sk_called &&
	    getpeername(fd, (struct sockaddr *)&ss, &len) == 0)
		addr_from_sockaddr((struct sockaddr *)&ss, &addr);
	if (host == NULL)
		host = addr.host;
	snprintf(buf, size, "%s", host[0] == '[' ? host + 1 : host);
	buf[strcspn(buf, "]%")] = '\0';
}

int tls_has_cert(struct tls_sock *tls)
{
	if (tls->text[TLS_TEXT_CERT] != NULL)
		return 0;
	(void)tls_set(tls, TLS_TEXT_ERROR, "a server needs a certificate");
	return -ENOKEY;
}

/* A server asks for certificates where it has been told whose to trust. */
static bool wants_proof(const struct tls_sock *tls, enum tls_kind kind)
{
	return tls->verify && (kind == TLS_CLIENT || tls->text[TLS_TEXT_CA] != NULL);
}

int tls_make_request(const struct tls_sock *tls, enum tls_kind kind, const struct cred *cred,
		     const char *name, struct tls_msg *msg)
{
	static const enum tls_text texts[] = {TLS_TEXT_CA, TLS_TEXT_CERT, TLS_TEXT_KEY,
					      TLS_TEXT_ALPN};
	int err;

	tls_msg_init(msg, TLS_MSG_OPEN, 0);
	msg->open.kind = kind;
	msg->open.flags = (wants_proof(tls, kind) ? TLS_OPEN_VERIFY : 0) |
			  (tls->lax ? TLS_OPEN_EOF_LAX : 0);
	msg->open.timeout_ms = kind == TLS_SERVER ? CALLER_MS : 0;
	msg->open.uid = cred->uid;
	msg->open.gid = cred->gid;
	err = tls_msg_add(msg, name);
	for (size_t i = 0; err == 0 && i < ARRAY_SIZE(texts); i++)
		err = tls_msg_add(msg, tls->text[texts[i]]);
	return err;
}

int tls_handshake(struct sock *sk, int fd, const struct cred *cred,
		  void (*cb)(void *arg, int fd), void *arg, void **ret_h)
{
	static struct tls_msg msg;
	struct tls_sock *tls = tls_sk(sk);
	struct tls_conn *conn;
	char name[SOCKFS_HOST_MAX];
	int err = sk->sk_called ? tls_has_cert(tls) : 0;

	if (err != 0)
		return err;
	conn = calloc(1, sizeof(*conn));
	if (conn == NULL)
		return -ENOMEM;
	for (int i = TLS_TEXT_AGREED; i < TLS_TEXTS; i++)
		(void)tls_set(tls, (enum tls_text)i, NULL);
	*conn = (struct tls_conn){.sk = sk, .net_fd = -1, .cb = cb, .arg = arg,
				  .link.on_opened = on_opened, .link.on_said = on_said};
	sk_note_said(sk, 0);
	peer_name(sk, fd, name, sizeof(name));
	err = tls_make_request(tls, sk->sk_called ? TLS_SERVER : TLS_CLIENT, cred, name, &msg);
	conn->file_fd = err != 0 ? err : tls_link_open(&conn->link, &msg, fd);
	if (conn->file_fd < 0) {
		err = conn->file_fd;
		tls_conn_free(conn);
		return err;
	}
	conn->net_fd = sk->sk_net_fd = fd;
	sk_net_family(sk);
	tls->conn = conn;
	*ret_h = conn;
	return 0;
}

int tls_rejoin(struct sock *sk, int fd)
{
	struct tls_sock *tls = tls_sk(sk);
	struct tls_conn *conn = calloc(1, sizeof(*conn));
	int err;

	if (conn == NULL)
		return -ENOMEM;
	*conn = (struct tls_conn){.sk = sk, .net_fd = fd, .file_fd = -1, .deaf = tls->deaf,
				  .told = tls->told, .link.on_said = on_said};
	conn->link.eof = sk->sk_said & SAID_EOF;
	conn->link.ended = sk->sk_said & SAID_END;
	conn->link.err = ledger_errno(sk->sk_said >> SAID_ERR);
	err = tls_link_resume(&conn->link, tls->link, tls->life);
	if (err != 0) {
		free(conn);
		return err;
	}
	if (conn->link.err != 0)
		snprintf(conn->link.reason, sizeof(conn->link.reason), "%s",
			 strerror(conn->link.err));
	tls->conn = conn;
	sk->sk_net_fd = fd;
	sk_net_family(sk);
	return 0;
}

void tls_handshake_cancel(void *h)
{
	struct tls_conn *conn = h;
	struct tls_sock *tls = tls_sk(conn->sk);

	(void)tls_set(tls, TLS_TEXT_ERROR, "the handshake was given up");
	tls->conn = NULL;
	conn->sk->sk_net_fd = -1;
	tls_conn_free(conn);
}

int tls_conn_over(struct sock *sk)
{
	struct tls_conn *conn = tls_sk(sk)->conn;
	int err;

	if (conn == NULL || conn->deaf || conn->told)
		return 0;
	conn->told = true;
	sk_mark_dirty(sk);
	err = tls_link_end(&conn->link);
	if (err != 0)
		(void)tls_set(tls_sk(sk), TLS_TEXT_ERROR, conn->link.reason);
	return err;
}
