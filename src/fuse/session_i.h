/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The session as session.c and turn.c see it, with its handles of the loop.
 */
#ifndef FUSE_SESSION_I_H
#define FUSE_SESSION_I_H

#include <uv.h>

#include "fuse/fuse_i.h"
#include "fuse/spin.h"

struct session_impl {
	struct sockfs_session s; /* what the room sees */
	struct sockfs_session_events events;
	uv_loop_t *loop;
	bool (*unmount)(bool still_there); /* somebody else's work; NULL: libfuse's */
	uv_poll_t poll;
	uv_idle_t idle; /* while there is work */
	uv_idle_t again; /* while large reads stand back */
	uv_prepare_t prepare; /* with a ledger: before each sleep */
	bool cut; /* the last turn ended before the device had no more */
	bool polling; /* the handle is the loop's */
	bool stopped;
	bool ended;
	bool told_ready;
	unsigned int spin_us;
	struct spin spin;
};

static inline struct session_impl *impl(const struct sockfs_session *s)
{
	return container_of((struct sockfs_session *)s, struct session_impl, s);
}

/* turn.c ------------------------------------------------------------------ */

/* Work on the message in s->buf. */
void session_process(struct sockfs_session *s);
/* Begin to receive from @fd. 0 or -errno; turn_stop() is needed in both cases. */
int turn_start(struct session_impl *si, int fd);
/* Receive no more, and forget @si: its handles close. */
void turn_stop(struct session_impl *si);

#endif /* FUSE_SESSION_I_H */
