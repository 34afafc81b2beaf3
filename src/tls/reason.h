/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why a connection failed: OpenSSL's errors as an errno value and words.
 *
 *	EKEYEXPIRED	a certificate is over
 *	EKEYREVOKED	a certificate is on the revocation list
 *	EKEYREJECTED	unknown authority, self-signed, another name, not valid yet, too weak
 *	ENOKEY		the peer wants a certificate, and there is none
 *	EPROTO		what the peer says is not TLS, or not as TLS wants it; or
 *			nothing that both sides speak; or it ended without close_notify
 *	others		of the TCP connection: ECONNRESET, ETIMEDOUT, ...
 *
 * It does not matter which side found fault with the certificate: a peer that refuses ours
 * sends an alert (RFC 8446, 6.2) that says why.
 */
#ifndef TLS_REASON_H
#define TLS_REASON_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

#define REASON_MAX 256

struct reason {
	int err; /* errno value, 0: none */
	char text[REASON_MAX];
};

/* Note @err and the words @fmt for it. */
void reason_set(struct reason *r, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Note why the call for @ssl failed that has just returned @ret, neither WANT_READ nor
 * WANT_WRITE; errno is still that call's. @shaken: the handshake was done before. @cert_wanted: the
 * peer has asked for a certificate and got none. Takes OpenSSL's queue of errors.
 */
void reason_of_ssl(struct reason *r, const SSL *ssl, int ret, bool shaken, bool cert_wanted);

/* The oldest of OpenSSL's queued errors in words, which empties the queue. Static memory. */
const char *reason_library(void);

#endif /* TLS_REASON_H */
