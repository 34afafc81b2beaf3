/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The edge to the kernel: one FUSE session on one loop, as the rest of the
 * daemon sees it. libfuse does not show through this header.
 */
#ifndef FUSE_SESSION_H
#define FUSE_SESSION_H

#include <stdbool.h>
#include <stddef.h>

#include "fs/fs.h"

struct fuse_args;
struct sockfs_session;
struct uv_loop_s;

/* What the session tells its owner; both may be NULL, both get @arg. */
struct sockfs_session_events {
	/* The mount answers: INIT has been replied to. Called once. */
	void (*ready)(void *arg);
	/*
	 * No request will come any more: unmounted (@err 0), or the device
	 * failed (@err -errno). Called once, never from within
	 * sockfs_session_stop(). The session may be stopped, not destroyed, here.
	 */
	void (*end)(void *arg, int err);
	void *arg;
};

/*
 * A session that nothing is served by yet. @args are libfuse's mount options with a
 * program name in front, and are used up; they stay the caller's to free.
 * NULL, with one line logged: a bad option or out of memory.
 * The owner then calls mount, attach, start, stop, runs the loop until
 * its handles are closed, and calls destroy. Between mount and attach it may become
 * several processes that share their descriptors; one of them attaches.
 */
struct sockfs_session *sockfs_session_new(struct fuse_args *args);

/*
 * Mount on @mountpoint, an absolute path. 0, or -EIO with one line logged.
 * /dev/fd/N is a mount that somebody else has made: descriptor N, which the
 * session then owns, is its device.
 */
int sockfs_session_mount(struct sockfs_session *s, const char *mountpoint);

/* The device of what has been mounted, which stays the session's. */
int sockfs_session_fd(const struct sockfs_session *s);

/*
 * Who serves has not the right to unmount: @unmount has somebody else do it and waits for that;
 * or tells him that it has been done. False: nobody is there for it; then it is left to
 * sockfs_session_abandon(). Without this the session unmounts by itself.
 */
void sockfs_session_set_unmount(struct sockfs_session *s, bool (*unmount)(bool still_there));

/*
 * In place of mount: @fd is the device of what another program has mounted on @mountpoint
 * (lives as long as the process; NULL: it is to stay mounted). 0, or -EIO, logged.
 */
int sockfs_session_adopt(struct sockfs_session *s, int fd, const char *mountpoint);

/*
 * Serve @sb, whose s_fs_info is the session's from now on, on @loop. Both stay the
 * caller's. 0, or -ENOMEM with one line logged.
 */
int sockfs_session_attach(struct sockfs_session *s, struct uv_loop_s *loop, struct super_block *sb,
			  const struct sockfs_session_events *events);

/*
 * How the session serves; without it, the plain way. Call it before start.
 */
struct sockfs_tuning {
	size_t pipe_size; /* bytes of the pipe for large reads (fuse/reply_pipe.h), 0: none */
	unsigned int spin_us; /* how long to look for the next request (fuse/spin.h), 0: not */
};
void sockfs_session_tune(struct sockfs_session *s, const struct sockfs_tuning *tuning);

/*
 * In place of a new beginning, for a mount that another process has served (super/). claim:
 * what of the ledger's buffers is taken, before anything else uses them; 0 or -errno.
 * settle: between start and the first turn of the loop, when all objects are there again: who
 * was answered, and which bytes have moved. 0, or -EPROTO. resume: when dials are in the air
 * again, too: what was parked and what was in work goes on.
 */
int sockfs_session_claim(struct sockfs_session *s);
int sockfs_session_settle(struct sockfs_session *s);
void sockfs_session_resume(struct sockfs_session *s);
/* Bytes of a buffer of the ledger (journal/ledger.h). */
size_t sockfs_session_buf_size(void);

/* Begin to receive. 0 or -errno. */
int sockfs_session_start(struct sockfs_session *s);

/*
 * Stop receiving, end every parked request with ESHUTDOWN, wake every poller,
 * unmount. Idempotent, and right in every state after new. The handles close when the loop runs on.
 */
void sockfs_session_stop(struct sockfs_session *s);

/*
 * Free a stopped session whose loop has closed its handle, or one that was
 * never started. 0, or -EBUSY when a request was still out (logged). NULL is
 * allowed.
 */
int sockfs_session_destroy(struct sockfs_session *s);

/*
 * Unmount, in another process than the one that serves or served. The caller has seen to it that
 * what is mounted there is this session's still.
 */
void sockfs_session_abandon(struct sockfs_session *s);

/* Requests that are parked now; for tests. */
size_t sockfs_session_parked(const struct sockfs_session *s);

#endif /* FUSE_SESSION_H */
