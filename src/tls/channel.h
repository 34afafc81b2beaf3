/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control channel, the helper's end: messages with descriptors come, messages go.
 *
 * Sending waits until the daemon has room. That is a short time, or there is nobody
 * whom anything else here could serve; and the daemon never waits for the
 * helper, so the two cannot wait for each other.
 */
#ifndef TLS_CHANNEL_H
#define TLS_CHANNEL_H

#include <uv.h>

#include "uapi/tls.h"

/* A connection takes these from a TLS_MSG_OPEN. */
enum {
	CHANNEL_NET,  /* TCP */
	CHANNEL_FILE, /* one end of a pair of stream sockets */
	CHANNEL_FDS,
};

/* A message has come, and is checked. @fds are the callee's, -1 where there is none. */
typedef void channel_msg_t(const struct tls_msg *msg, const int *fds);
/* The daemon has closed its end, or it is another version's (@err: -errno). Comes once. */
typedef void channel_end_t(int err);

/* Begin on @fd. 0, or -errno: not such a socket. */
int channel_init(uv_loop_t *loop, int fd, channel_msg_t *on_msg, channel_end_t *on_end);
/* Listen no more. Sending is in order until channel_exit(), and goes nowhere. */
void channel_stop(void);
void channel_exit(void);

void channel_send(const struct tls_msg *msg);

#endif /* TLS_CHANNEL_H */
