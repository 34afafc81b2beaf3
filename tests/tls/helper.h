/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's part, played by a test: it starts sockfs-tls, asks for connections,
 * and holds the files' ends. And the peer's part: a process with OpenSSL, or with bare bytes.
 *
 * Everything fails the test where it fails. Nothing waits longer than WAIT_MS.
 */
#ifndef TESTS_TLS_HELPER_H
#define TESTS_TLS_HELPER_H

#include <check.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "uapi/tls.h"

#define WAIT_MS 20000

/* The helper of this test, its folder of certificates, made once a program. */
extern pid_t helper_pid;
extern int helper_control;
extern char certs_dir[];

/* For main: make the certificates; take them away. */
void certs_setup(void);
void certs_teardown(void);
/* "good.pem" in the folder; the text lasts for eight calls. */
const char *cert(const char *name);

/* Fixtures: start it and hear its HELLO; let it end, which it must with status 0. */
void helper_setup(void);
void helper_teardown(void);
/* It has ended by itself: its exit status. */
int helper_wait(void);
/* Its resident memory, bytes. */
size_t helper_rss(void);

/* What to ask for; zero is: verify, localhost, ca.pem, as root, no time limit. */
struct ask {
	enum tls_kind kind; /* 0: client */
	bool trust;	    /* do not verify */
	bool lax;
	unsigned int min_version, timeout_ms;
	uid_t uid;
	const char *name, *ca, *cert, *key, *alpn; /* "" is none, NULL the default */
};

/* Ask for TLS on @net, which goes along and is closed here. The file's end. */
int ask_tls(uint64_t id, int net, struct ask ask);
/* Send it as it is, with two descriptors, which stay the caller's. */
void send_msg(const struct tls_msg *msg, const int *fds);
#define ANY_ID UINT64_MAX
/* The next message, which has to be of @type and for @id. Static memory. */
const struct tls_msg *expect_msg(enum tls_type type, uint64_t id);
/* The next message tells this errno; @reason, if not NULL, is part of its words. */
void expect_opened(uint64_t id, int err, const char *reason);
/* ... and a peer that is told of the end may have ended before. */
void expect_end(uint64_t id, int err, const char *reason);
/* The peer ends in order: it is said, and then it is the end of file. */
void expect_eof(uint64_t id, int fd);
/* There is no message now. */
void expect_silence(void);

/* A peer, in a process of its own. */
struct peer {
	const char *cert;	   /* NULL: good.pem for a server, none for a client */
	const char *ca;		   /* verify the other side, NULL: no */
	int max_version;	   /* 0: any */
	int min_version;
	const char *ciphers;	   /* of TLS 1.2, NULL: the default ones */
	const char *alpn;	   /* wire format, NULL: none */
	bool may_fail;		   /* the handshake */
	bool resets;		   /* it thinks half a second about our certificate, says that
				      it is revoked, and half a second later sends RST */
	void (*talk)(SSL *ssl, int fd); /* then; NULL: end in order */
	void (*raw)(int fd);	   /* instead of TLS */
	bool byte_by_byte;	   /* the net between carries single bytes */
};

/* Start it and connect to it: our descriptor. Wait for its end: it must find all in order. */
int peer_start(struct peer peer);
/* The same, but the peer is the TLS client. */
int peer_start_client(struct peer peer);
void peer_wait(void);
/* In a peer: everything but @n bytes done is a failure of the test. */
void peer_read(SSL *ssl, void *buf, size_t n);
void peer_write(SSL *ssl, const void *buf, size_t n);
/* In a peer: the next is close_notify. */
void peer_expect_end(SSL *ssl);
#define peer_assert(cond) \
	do { \
		if (!(cond)) \
			peer_die(__FILE__, __LINE__, #cond); \
	} while (0)
void peer_die(const char *file, int line, const char *what);

/* Byte @at of a stream that never repeats within 64 KiB. */
static inline unsigned char pattern(size_t at)
{
	return (unsigned char)(at * 31 + (at >> 8) * 7 + (at >> 16));
}
void fill(unsigned char *buf, size_t at, size_t n);
bool is_pattern(const unsigned char *buf, size_t at, size_t n);

/* In the test, with the file's end @fd: whole, in WAIT_MS. */
void file_write(int fd, const void *buf, size_t n);
void file_read(int fd, void *buf, size_t n);
void file_expect_eof(int fd);

#endif /* TESTS_TLS_HELPER_H */
