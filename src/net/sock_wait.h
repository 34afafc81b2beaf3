/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parking requests on a socket; for net/ only. See sock_wait.c.
 */
#ifndef NET_SOCK_WAIT_H
#define NET_SOCK_WAIT_H

#include "mm/vmstat.h"
#include "net/socket.h"

/*
 * What sockets ask of the loop. A socket that waits has a sk; -errno when the loop
 * cannot (out of descriptors, out of memory). core/loop.c fills it.
 */
struct sock_loop {
	/*
	 * Have sock_data_ready()/sock_write_space() called, at least once, when
	 * reading/writing may succeed (POLLIN, POLLOUT), or state changes. Asked
	 * again for each wait.
	 */
	int (*wait)(struct socket *sock, unsigned int events);
	/*
	 * The poll(2) events that hold, or -errno; and have sock_notify() called whenever
	 * one of @events comes anew, or an error, while somebody is on sock->wq.
	 */
	int (*watch)(struct socket *sock, unsigned int events);
	/* Call sock_timeout() at about @deadline, ms as now(). */
	int (*timer)(struct socket *sock, uint64_t deadline);
	uint64_t (*now)(void);
};
extern const struct sock_loop *sock_loop;

enum sock_queue { SOCK_READ, SOCK_WRITE, SOCK_SYNC };

/* What a parked kiocb remembers; lies in kiocb.ki_park. */
struct sock_park {
	struct socket *sock;
	enum sock_queue queue;
};

BUILD_BUG_ON(sizeof(struct sock_park) > sizeof(((struct kiocb *)0)->ki_park));

static inline struct sock_park *sock_park(struct kiocb *iocb)
{
	return (struct sock_park *)iocb->ki_park;
}

/*
 * Park @iocb until @retry answers something else than -EAGAIN. The socket must
 * have a sk. Returns -EIOCBQUEUED, or, when the protocol cannot tell (out of
 * descriptors), the bytes moved so far or -errno: then nothing is parked.
 */
ssize_t sock_park_on(struct socket *sock, struct kiocb *iocb, enum sock_queue queue,
		     ssize_t (*retry)(struct kiocb *iocb));

/* Take a parked kiocb off its queue; the caller completes it. */
void sock_unpark(struct kiocb *iocb);

/*
 * End what is over its deadline with -ETIMEDOUT and look whether a fsync is done. The
 * next deadline, 0: none. The caller holds the inode.
 */
uint64_t sock_expire_all(struct socket *sock, uint64_t now);

/* Have sock_timeout() called by @deadline (0: never mind). 0 or -ENOMEM. */
int sock_timer_before(struct socket *sock, uint64_t deadline);

/* sock_reap.c ------------------------------------------------------------- */

/*
 * If the connection is over and @opens, its open files, is 0: its time begins.
 * To be called when either may have changed. Frees nothing.
 */
void sock_reap_start(struct socket *sock, unsigned int opens);
/* The connection is over: SS_CLOSED, and its time begins. */
void sock_closed(struct socket *sock);
/* A new accepted socket is to be reaped @seconds after its end, 0: never. */
void sock_reap_watch(struct socket *sock, int seconds);
/* The time is over: takes the names away if all still holds. The caller holds the inode. */
void sock_reap(struct socket *sock);

/* sock_line.c ------------------------------------------------------------- */

/* What is left of a line that a process reads from a listener, or of a message. */
struct sock_line {
	struct sock_line *next, *prev; /* of the open file, whose private_data is one; a ring */
	LIST_ENTRY(sock_line) hash;
	struct file *file;
	uint64_t owner; /* who began it: kiocb.ki_owner */
	pid_t pid;	/* a thread of it; 0: of another pid namespace */
	enum vm_item item; /* whose bytes it is counted among */
	size_t size;	   /* of all of this */
	const char *at, *end; /* in text: what is left */
	char text[];
};

/* The line that the reader @iocb is to go on with; NULL: it begins a new one. O(1). */
struct sock_line *sock_line_find(const struct kiocb *iocb);
/* Memory for the longest line, for sock_line_begin or free(3). NULL: out of memory. */
struct sock_line *sock_line_alloc(void);
void sock_line_begin(const struct kiocb *iocb, struct sock_line *line, const char *name);
/* Keep @len bytes for @iocb's reader. 0, or -ENOMEM: there is no room for them. */
int sock_rest_keep(const struct kiocb *iocb, const void *bytes, size_t len);
/* The next bytes of it; frees it with the last. The bytes or -errno. */
ssize_t sock_line_read(struct sock_line *line, struct iov_iter *to);
void sock_lines_free(struct file *file);
/* Is there one that somebody has begun? */
static inline bool sock_has_lines(const struct file *file)
{
	return file->private_data != NULL;
}

/* sock_message.c ---------------------------------------------------------- */

/* The longest that a protocol has, with what a header adds to it. */
#define SOCK_MESSAGE_MAX (65536 + 256)

/* read(2) and write(2) of one, now: the bytes, -EAGAIN, -errno. */
ssize_t sock_read_message(struct kiocb *iocb);
ssize_t sock_write_message(struct kiocb *iocb);

/* Tell all pollers to look again. */
void sock_notify(struct socket *sock);

#endif /* NET_SOCK_WAIT_H */
