/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's side of sockfs-tls: the process, and the connections that it has.
 *
 * The helper is started with the first connection, and anew with the next one after it
 * has died. A *link* is a connection that it has, or is about to have. What it says is in
 * uapi/tls.h; here its messages become the fields of a link.
 *
 * A link's owner reads the file's end of a stream pair. At an end of file it asks
 * tls_link_end(), which knows whether that was in order.
 *
 * The helper outlives the process that serves: the ledger has the channel, and a successor goes
 * on with it. What was said is taken from the channel when it has been noted (on_said). Another
 * program that takes over (super/again.h) starts another helper for what begins from then on.
 */
#ifndef NET_TLS_TLS_HELPER_H
#define NET_TLS_TLS_HELPER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <uv.h>

#include "uapi/tls.h"

struct tls_link {
	uint64_t id;   /* 0: none */
	bool opening;  /* on_opened has not been called yet */
	bool answered; /* ... but will be as soon as nobody is in the way */
	bool eof;      /* the peer has ended in order */
	bool ended;    /* it is over, with @err */
	int err;       /* errno value */
	uint32_t life; /* which of the helpers has it; they are counted */
	char reason[256];
	struct tls_msg *request;    /* not sent yet, with its descriptors; else NULL */
	int net_fd, far_fd;	    /* ... the first is the owner's */
	struct tls_msg *answer;	    /* of that length only */
	TAILQ_ENTRY(tls_link) wait; /* opening: to be sent, for the answer, or for on_opened */
	/*
	 * Comes once for each tls_link_open() or _check() that succeeded, from the loop, unless the link
	 * is closed before. @msg: a TLS_MSG_OPENED, or NULL: the helper has died, which is
	 * ECONNRESET. The link may be closed in there, and others opened.
	 */
	void (*on_opened)(struct tls_link *link, const struct tls_msg *msg);
	/* NULL, or: eof, or ended and err, have just been set; should this process die now, it is said again. */
	void (*on_said)(struct tls_link *link);
};

/*
 * Before the first link. @loop has to run for the links to go on. @path: the program, which
 * must last; NULL: beside our own, else where it is installed. The helpers that the ledger
 * has are this process's again. 0 or -ENOMEM.
 */
int tls_helper_init(uv_loop_t *loop, const char *path);
/*
 * Let go of the loop: no link is opened any more, and nothing is told to those that are. The process
 * ends when it has sent what there is to be sent.
 */
void tls_helper_stop(void);
/* When all links are closed, and after tls_helper_stop(). */
void tls_helper_exit(void);

/*
 * Have the helper speak TLS on @net_fd, which stays the caller's and stays open until the
 * answer has come, as @open says, a TLS_MSG_OPEN of any id. The file's end of the stream
 * pair, non-blocking, the caller's. Or -errno: ENOSYS: there is no such program; EMFILE and
 * so on. What the channel has no room for is sent later. @link is the caller's, with
 * on_opened set, and must not move before it is closed.
 */
int tls_link_open(struct tls_link *link, struct tls_msg *open, int net_fd);
/* Ask whether there could be such a connection: the answer is all. 0 or -errno as above. */
int tls_link_check(struct tls_link *link, struct tls_msg *open);
/*
 * The link that a dead process had under the number @id, to its @life'th helper, which had answered;
 * eof, ended and err are the caller's to set before. 0 or -errno.
 */
int tls_link_resume(struct tls_link *link, uint64_t id, uint32_t life);
/* Let go of it, open or not. The end of the stream pair has to be closed by its owner. */
void tls_link_close(struct tls_link *link);
/*
 * There is an end of file, or the stream is broken: was that in order? 0, or the errno value;
 * reason says why.
 */
int tls_link_end(struct tls_link *link);

/*
 * Has the helper let go of the connection, and why? 0: not, or in order. As tls_link_end(), but
 * it asks also behind an end of file, where bytes can still go out.
 */
int tls_link_over(struct tls_link *link);

/* The process, for tests and tables; 0: there is none. */
pid_t tls_helper_pid(void);

#endif /* NET_TLS_TLS_HELPER_H */
