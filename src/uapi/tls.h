/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the daemon and its helper sockfs-tls tell each other.
 *
 * They share a pair of sockets (AF_UNIX, SOCK_SEQPACKET), the *control channel*; a
 * packet is one message. For a connection the daemon makes a second pair
 * (SOCK_STREAM), keeps one end for the file, and sends the other end along with the
 * TCP descriptor:
 *
 *	daemon                             helper
 *	TLS_MSG_OPEN id, 2 descriptors ->
 *	                                <- TLS_MSG_OPENED id, 0 or errno, what was agreed
 *	bytes <----- the stream pair -----> TLS <------ TCP ------> peer
 *	                                <- TLS_MSG_EOF id
 *	                                <- TLS_MSG_END id, 0 or errno
 *
 * A TLS_MSG_OPEN with TLS_OPEN_CHECK asks whether the files of a connection are good, before
 * there is one; TLS_MSG_OPENED is all that is said of it.
 *
 * TLS_MSG_HELLO is the helper's first message. TLS_MSG_OPENED comes once for each
 * TLS_MSG_OPEN; TLS_MSG_END once for each OPENED without an error, when the connection
 * is over, whoever ended it. TLS_MSG_EOF says that the peer has ended in order. The
 * helper sends EOF and END *before* its end of the stream pair says the same, and after the last
 * byte has gone into it: who reads an end of file there and then empties the control
 * channel knows whether it was an orderly one (EOF, or END with 0), or which errno
 * it was (END), or that the helper has died (neither).
 *
 * Half-close: shutdown(SHUT_WR) of the file's end sends close_notify, the peer's
 * close_notify is the end of file there. Closing the file's end sends what is queued,
 * then close_notify. To reset, close the TCP descriptor's connection (connect(2)
 * with AF_UNSPEC): the helper then finds nothing to say goodbye to.
 *
 * What the stream pair holds has not been sent: a byte stays there until the kernel
 * has the TLS record that carries it. So SIOCOUTQ of the file's end and then of the TCP
 * descriptor, both 0, say that the peer's kernel has everything.
 *
 * A message is a head, the fields of its type, and strings, each with its NUL, in
 * a fixed number and order. Numbers are in the machine's own order: both programs run on it.
 */
#ifndef UAPI_TLS_H
#define UAPI_TLS_H

#include <stddef.h>
#include <stdint.h>

/* Counts up with every change of what is below; each side refuses another's. */
#define TLS_VERSION 2

#define TLS_MSG_MAX 16384 /* bytes of a message */
#define TLS_GROUPS_MAX 64 /* of a caller; of more than these no use is made */

enum tls_type {
	TLS_MSG_HELLO = 1,
	TLS_MSG_OPEN,
	TLS_MSG_OPENED,
	TLS_MSG_EOF,
	TLS_MSG_END,
};

enum tls_kind {
	TLS_CLIENT = 1, /* our side begins; STARTTLS too, whose TCP descriptor is in use already */
	TLS_SERVER,
};

/* What tls_open.flags may hold. */
#define TLS_OPEN_VERIFY 0x1  /* the peer has to prove who it is; a client with a certificate */
#define TLS_OPEN_EOF_LAX 0x2 /* an end without close_notify is an end of file, not EPROTO */
#define TLS_OPEN_CHECK 0x4   /* no descriptor comes along: only say whether it could be */
#define TLS_OPEN_FLAGS 0x7

struct tls_open {
	uint32_t kind;
	uint32_t flags;
	uint32_t min_version; /* as TLS writes it: 0x0303 is 1.2; 0: 1.2 */
	uint32_t timeout_ms;  /* of the handshake; 0: none */
	uint32_t uid, gid;    /* whose rights open the files */
	uint32_t nr_groups;
	uint32_t groups[TLS_GROUPS_MAX];
};

/* Strings of a TLS_MSG_OPEN; an empty one is none. */
enum {
	TLS_OPEN_NAME, /* whom the peer has to be: a host's name, or an address */
	TLS_OPEN_CA,   /* whole path of the PEM file of those we trust; none: the system's */
	TLS_OPEN_CERT, /* our certificate, and those between it and its authority */
	TLS_OPEN_KEY,  /* the key; none: it is in the file of the certificate */
	TLS_OPEN_ALPN, /* protocols we speak, the dearest first: "h2,http/1.1" */
	TLS_OPEN_TEXTS,
};

struct tls_opened {
	int32_t err;	 /* 0, or an errno value */
	uint32_t unused; /* 0 */
	int64_t expires; /* the peer's certificate: seconds since 1970; 0: there is none */
};

enum {
	TLS_OPENED_REASON,	/* of err, for people */
	TLS_OPENED_VERSION,	/* "TLSv1.3" */
	TLS_OPENED_CIPHER,	/* "TLS_AES_256_GCM_SHA384" */
	TLS_OPENED_PEER,	/* the subject of its certificate as RFC 2253 writes it */
	TLS_OPENED_FINGERPRINT, /* SHA-256 of the certificate: "AB:CD:..." */
	TLS_OPENED_ALPN,	/* what both speak */
	TLS_OPENED_TEXTS,
};

struct tls_end {
	int32_t err;	 /* 0, or an errno value */
	uint32_t unused; /* 0 */
};

enum {
	TLS_END_REASON,
	TLS_END_TEXTS,
};

/* TLS_MSG_HELLO and TLS_MSG_EOF have no fields. */
enum {
	TLS_HELLO_LIBRARY, /* "OpenSSL 3.0.19 ..." */
	TLS_HELLO_TEXTS,
};

enum {
	TLS_EOF_UNUSED, /* "" */
	TLS_EOF_TEXTS,
};

struct tls_head {
	uint16_t version; /* TLS_VERSION */
	uint16_t type;	  /* enum tls_type */
	uint32_t len;	  /* of the message, this included */
	uint64_t id;	  /* of the connection, the daemon's choice; 0 in a HELLO */
};

struct tls_msg {
	struct tls_head head;
	union {
		struct tls_open open;
		struct tls_opened opened;
		struct tls_end end;
		char room[TLS_MSG_MAX - sizeof(struct tls_head)];
	};
};

/* Begin a message of @type for connection @id: fields zero, no string yet. */
void tls_msg_init(struct tls_msg *msg, enum tls_type type, uint64_t id);
/* Put the next string behind it; NULL is an empty one. 0, or -EMSGSIZE and it is not there. */
int tls_msg_add(struct tls_msg *msg, const char *text);
/* Put as much of @text behind it as leaves room for the strings after it. Never fails. */
void tls_msg_add_cut(struct tls_msg *msg, const char *text);

/*
 * Is what came, @len bytes, a whole message with all its strings and nothing
 * else, with a sensible value in every field? 0; -EPROTO: no; -EPROTONOSUPPORT: it is of another
 * TLS_VERSION. Whatever else is asked of a message that came is asked after this.
 */
int tls_msg_check(const struct tls_msg *msg, size_t len);
/* String @n of a message that has been checked. */
const char *tls_msg_text(const struct tls_msg *msg, unsigned int n);

#endif /* UAPI_TLS_H */
