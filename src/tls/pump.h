/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bytes of a connection: between its TLS and the file's end of a stream pair.
 *
 * A pump knows of no event loop. It is told that a descriptor may move (net_in, net_out,
 * file_in, file_out), runs for a bounded time, and says which events it waits for.
 * Bytes that lie decrypted or undecrypted inside OpenSSL raise no event: PUMP_MORE
 * asks to be run again without one.
 *
 * To the peer: bytes are looked at in the stream (MSG_PEEK) and taken out of it
 * when the kernel has the record that carries them, so none is ever in two
 * places or in none, and there is no buffer per connection. To the file: what
 * the stream does not take is kept, at most PUMP_BATCH bytes, and no more is
 * read until it is gone.
 */
#ifndef TLS_PUMP_H
#define TLS_PUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tls/session.h"

#define PUMP_BATCH (128u << 10) /* bytes moved at once in one direction */

struct pump {
	struct session *session;
	int net_fd, file_fd; /* the owner's, non-blocking */
	/* May move, as far as we know: set by events, cleared by EAGAIN. */
	bool net_in, net_out, file_in, file_out;
	bool read_wants_out; /* SSL_read waits until the net takes bytes */
	bool write_wants_in; /* SSL_write waits for bytes of the net */
	bool peer_ended;     /* close_notify has come */
	bool file_told;	     /* ... and has become the file's end of file */
	bool file_ended;     /* no more bytes come from the file */
	bool peer_told;	     /* ... and close_notify has been sent */
	bool deaf;	     /* nobody reads the file: what comes is dropped */
	char *left;	     /* bytes that the file has not taken, or NULL */
	size_t left_at, left_len;
	uint64_t sent;	     /* bytes to the peer */
	/* Called before the file gets its end of file because the peer has ended. */
	void (*on_end)(struct pump *p);
	struct reason failed; /* it is over; told when left is empty */
	struct reason broken; /* what SSL_write has said: over when all is read that has come */
};

enum pump_state {
	PUMP_WAIT,   /* for the events of pump_wants() */
	PUMP_MORE,   /* run it again, after others had their turn */
	PUMP_DONE,   /* both directions have ended in order */
	PUMP_FAILED, /* all bytes that came before are in the stream; why is in @failed */
};

/* All may move, nothing has ended. The handshake is done. */
void pump_init(struct pump *p, struct session *session, int net_fd, int file_fd,
	       void (*on_end)(struct pump *p));
void pump_fini(struct pump *p);
/* Move some bytes each way. After DONE and FAILED it must not be run again. */
enum pump_state pump_run(struct pump *p);
/* Nobody reads the file any more; what it has written still goes out. */
void pump_set_deaf(struct pump *p);

/* What the next run waits for. */
struct pump_wants {
	bool net_in, net_out, file_in, file_out;
};
struct pump_wants pump_wants(const struct pump *p);

#endif /* TLS_PUMP_H */
