/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The TLS of a connection: how it is to be, the handshake, what was agreed.
 *
 * Always: TLS 1.2 or later, keys and ciphers of OpenSSL's security level 2, no
 * renegotiation, no compression, no resumption.
 */
#ifndef TLS_SESSION_H
#define TLS_SESSION_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

#include "tls/reason.h"
#include "uapi/tls.h"

struct session {
	SSL *ssl;	    /* NULL: none */
	bool shaken;	    /* the handshake is done */
	bool cert_wanted;   /* the peer has asked for a certificate of ours, in vain */
	bool server;	    /* we are */
	unsigned char *alpn; /* as on the wire: each with its length in front; NULL: none */
	unsigned int alpn_len;
};

/* What all sessions have in common. 0, or -ENOMEM. */
int sessions_init(void);
void sessions_exit(void);

/*
 * As @open (a TLS_MSG_OPEN, checked) says, on @fd, which is non-blocking and stays the
 * caller's; -1: on none, to see whether it could be. @s must not move afterwards. False, and why: EINVAL, or as files_apply().
 */
bool session_init(struct session *s, const struct tls_msg *open, int fd, struct reason *r);
/* Good for one that is not initialized, too, if it is all zero. Says nothing to the peer. */
void session_fini(struct session *s);

enum session_step {
	SESSION_DONE,
	SESSION_WANT_READ, /* go on when the descriptor is readable */
	SESSION_WANT_WRITE,
	SESSION_FAILED, /* and why */
};
/* Go on with the handshake. */
enum session_step session_handshake(struct session *s, struct reason *r);

/* Note why the call failed that has just returned @ret, as reason_of_ssl() does. */
void session_failed(const struct session *s, int ret, struct reason *r);

/* The handshake is done: make @msg the TLS_MSG_OPENED of @id that tells what was agreed. */
void session_report(const struct session *s, struct tls_msg *msg, uint64_t id);

#endif /* TLS_SESSION_H */
