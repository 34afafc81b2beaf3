/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bytes of a connection, each way, without a loop. */
#include "config.h"

#include "tls/pump.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/util.h"

/* One thread: the bytes of the connection whose turn it is. */
static char incoming[PUMP_BATCH], outgoing[PUMP_BATCH];

void pump_init(struct pump *p, struct session *session, int net_fd, int file_fd,
	       void (*on_end)(struct pump *p))
{
	*p = (struct pump){
		.session = session,
		.net_fd = net_fd,
		.file_fd = file_fd,
		.net_in = true,
		.net_out = true,
		.file_in = true,
		.file_out = true,
		.on_end = on_end,
	};
}

/* Nothing can be written any more. */
static bool is_over(const struct pump *p)
{
	return p->failed.err != 0 || p->broken.err != 0;
}

static void drop_left(struct pump *p)
{
	free(p->left);
	p->left = NULL;
	p->left_at = p->left_len = 0;
}

void pump_fini(struct pump *p)
{
	drop_left(p);
}

void pump_set_deaf(struct pump *p)
{
	p->deaf = true;
	drop_left(p);
}

/* --------------------------------------------------------------- from the peer to the file */

/* What the file takes of @len bytes at @data. */
static size_t give(struct pump *p, const char *data, size_t len)
{
	size_t given = 0;

	while (given < len && p->file_out && !p->deaf) {
		ssize_t n = send(p->file_fd, data + given, len - given, MSG_NOSIGNAL);

		if (n >= 0)
			given += (size_t)n;
		else if (errno == EAGAIN)
			p->file_out = false;
		else if (errno != EINTR)
			p->deaf = true; /* closed, or shutdown(SHUT_RD) */
	}
	return p->deaf ? len : given;
}

static void give_left(struct pump *p)
{
	size_t n = give(p, p->left + p->left_at, p->left_len);

	p->left_at += n;
	p->left_len -= n;
	if (p->left_len == 0)
		drop_left(p);
}

static void keep(struct pump *p, const char *data, size_t len)
{
	p->left = malloc(len);
	if (p->left == NULL) {
		/* Bytes are lost, so it is over. */
		reason_set(&p->failed, ENOMEM, "%s", strerror(ENOMEM));
		return;
	}
	memcpy(p->left, data, len);
	p->left_at = 0;
	p->left_len = len;
}

/* SSL_read has returned @ret. */
static void read_stopped(struct pump *p, int ret)
{
	switch (SSL_get_error(p->session->ssl, ret)) {
	case SSL_ERROR_WANT_READ:
		p->net_in = false;
		break;
	case SSL_ERROR_WANT_WRITE:
		p->net_out = false;
		p->read_wants_out = true;
		break;
	case SSL_ERROR_ZERO_RETURN:
		p->peer_ended = true;
		break;
	default:
		session_failed(p->session, ret, &p->failed);
	}
	if (p->broken.err != 0 && p->failed.err == 0)
		p->failed = p->broken;
}

static bool may_read(const struct pump *p)
{
	return !p->peer_ended && p->failed.err == 0 && p->left == NULL &&
	       (p->read_wants_out ? p->net_out : p->net_in);
}

static bool net_to_file(struct pump *p)
{
	size_t len = 0, n;

	if (p->left != NULL && p->file_out)
		give_left(p);
	if (!may_read(p))
		return false;
	p->read_wants_out = false;
	while (len < sizeof(incoming)) {
		ERR_clear_error();
		errno = 0;
		if (SSL_read_ex(p->session->ssl, incoming + len, sizeof(incoming) - len, &n) != 1) {
			read_stopped(p, 0);
			break;
		}
		len += n;
	}
	n = give(p, incoming, len);
	if (n < len)
		keep(p, incoming + n, len - n);
	return may_read(p);
}

/* --------------------------------------------------------------- from the file to the peer */

/*
 * A peer that refuses us says why and closes. What was sent behind its back breaks the
 * connection, yet its last words can still be read, and they tell more than EPIPE.
 */
static void write_broke(struct pump *p, int ret)
{
	session_failed(p->session, ret, &p->broken);
	if (p->peer_ended)
		p->failed = p->broken;
	p->net_in = true;
	p->read_wants_out = false;
}

static void write_stopped(struct pump *p)
{
	switch (SSL_get_error(p->session->ssl, 0)) {
	case SSL_ERROR_WANT_WRITE:
		p->net_out = false;
		break;
	case SSL_ERROR_WANT_READ:
		p->net_in = false;
		p->write_wants_in = true;
		break;
	default:
		write_broke(p, 0);
	}
}

/* Records of @len bytes at @data, until the net takes no more: how many bytes it has. */
static size_t say(struct pump *p, const char *data, size_t len)
{
	size_t said = 0, n;

	while (said < len) {
		ERR_clear_error();
		errno = 0;
		/* A try that is repeated is repeated with as many bytes or more. */
		if (SSL_write_ex(p->session->ssl, data + said,
				 min(len - said, (size_t)SSL3_RT_MAX_PLAIN_LENGTH), &n) != 1) {
			write_stopped(p);
			break;
		}
		said += n;
	}
	return said;
}

/* Bytes that have been looked at are there to be taken. */
static void take(struct pump *p, size_t len)
{
	while (len > 0) {
		ssize_t n = recv(p->file_fd, outgoing, len, MSG_DONTWAIT);

		if (n <= 0 && errno != EINTR)
			break;
		if (n > 0)
			len -= (size_t)n;
	}
}

static bool may_write(const struct pump *p)
{
	return !p->file_ended && !is_over(p) && p->file_in &&
	       (p->write_wants_in ? p->net_in : p->net_out);
}

static bool file_to_net(struct pump *p)
{
	ssize_t len;
	size_t said;

	if (!may_write(p))
		return false;
	len = recv(p->file_fd, outgoing, sizeof(outgoing), MSG_PEEK | MSG_DONTWAIT);
	if (len < 0 && errno == EAGAIN) {
		p->file_in = false;
		return false;
	}
	if (len < 0 && errno == EINTR)
		return true;
	if (len <= 0) {
		/* ECONNRESET: it was closed with unread bytes. It said all that it had to say. */
		p->file_ended = true;
		return false;
	}
	p->write_wants_in = false;
	said = say(p, outgoing, (size_t)len);
	take(p, said);
	p->sent += said;
	return may_write(p);
}

/* ------------------------------------------------------------------------------ ends */

static void tell_file(struct pump *p)
{
	if (p->peer_ended && !p->file_told && p->left == NULL) {
		p->on_end(p);
		shutdown(p->file_fd, SHUT_WR);
		p->file_told = true;
	}
}

static void tell_peer(struct pump *p)
{
	int ret;

	if (!p->file_ended || p->peer_told || is_over(p) || !p->net_out)
		return;
	ERR_clear_error();
	errno = 0;
	ret = SSL_shutdown(p->session->ssl);
	if (ret >= 0) {
		p->peer_told = true;
		return;
	}
	switch (SSL_get_error(p->session->ssl, ret)) {
	case SSL_ERROR_WANT_WRITE:
		p->net_out = false;
		break;
	case SSL_ERROR_WANT_READ:
		p->peer_told = true; /* sent; the answer comes with the bytes */
		break;
	default:
		write_broke(p, ret);
	}
}

enum pump_state pump_run(struct pump *p)
{
	bool more = net_to_file(p);

	more |= file_to_net(p);
	tell_file(p);
	tell_peer(p);
	more |= may_read(p);
	if (p->failed.err != 0 && p->left == NULL)
		return PUMP_FAILED;
	if (p->file_told && p->peer_told)
		return PUMP_DONE;
	return more ? PUMP_MORE : PUMP_WAIT;
}

/* What is not wanted now is not asked for: a level that nobody lowers would wake us for ever. */
struct pump_wants pump_wants(const struct pump *p)
{
	bool reading = !p->peer_ended && p->failed.err == 0 && p->left == NULL;
	bool writing = !is_over(p) && !p->file_ended;
	bool telling = !is_over(p) && p->file_ended && !p->peer_told;

	return (struct pump_wants){
		.net_in = (reading && !p->read_wants_out) || (writing && p->write_wants_in),
		.net_out = !p->net_out && ((reading && p->read_wants_out) ||
					   (writing && !p->write_wants_in) || telling),
		.file_in = writing && !p->write_wants_in && p->net_out,
		.file_out = !p->file_out && p->left != NULL,
	};
}
