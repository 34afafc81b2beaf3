/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A request in work: who asks, where its bytes come from or go to, and what is to be done
 * when it is over. Twin of include/linux/uio.h, workqueue.h and struct kiocb of fs.h.
 */
#ifndef FS_KIOCB_H
#define FS_KIOCB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

struct file;
struct kiocb;

/*
 * -EIOCBQUEUED: "not done yet, ki_complete will be called". The kernel's
 * number; it never leaves the daemon.
 */
#define EIOCBQUEUED 529

/* Who asks: the caller of the system call, as the kernel reports it. */
struct cred {
	uid_t uid;
	gid_t gid;
	pid_t pid;
};

/* ------------------------------------------------------------------ iov_iter */

/*
 * Where the bytes of one request come from or go to. For a read the bytes go
 * to the iterator, for a write they come from it. Every transfer advances it.
 */
enum iter_type {
	ITER_UBUF, /* memory at buf */
	ITER_PIPE, /* a pipe: bytes are spliced, not copied */
};

/* Shared by all iterators that lead to it; may go out of use while they wait. */
struct iter_pipe {
	int fd; /* the write end, -1: out of use */
};

struct iov_iter {
	enum iter_type iter_type;
	struct iter_pipe *pipe; /* ITER_PIPE */
	char *buf;		/* the next byte; ITER_PIPE: where to copy if splice cannot */
	size_t count;		/* bytes (or room) left */
	uint64_t unique;	/* of the request, for the journal; 0: of none */
	uint64_t moved;		/* bytes of it that have moved */
};

static inline void iov_iter_ubuf(struct iov_iter *i, void *buf, size_t count)
{
	*i = (struct iov_iter){.iter_type = ITER_UBUF, .buf = buf, .count = count};
}

/*
 * To the pipe, with a way out: whoever finds that it cannot be spliced to
 * calls iov_iter_unpipe() before anything has moved, and copies.
 */
static inline void iov_iter_pipe(struct iov_iter *i, struct iter_pipe *pipe, void *buf,
				 size_t count)
{
	*i = (struct iov_iter){.iter_type = ITER_PIPE, .pipe = pipe, .buf = buf, .count = count};
}

static inline void iov_iter_unpipe(struct iov_iter *i)
{
	i->iter_type = ITER_UBUF;
}

/* Move past @bytes, at most i->count. lib/iov_iter.c: iov_iter_advance. */
static inline void iov_iter_advance(struct iov_iter *i, size_t bytes)
{
	i->count -= bytes;
	i->moved += bytes;
	if (i->iter_type == ITER_UBUF)
		i->buf += bytes;
}

/*
 * Copy up to @bytes from memory at @addr into the iterator and advance it;
 * for what the daemon makes itself (names, tables); it never goes by a pipe.
 * Returns the bytes copied. lib/iov_iter.c: copy_to_iter.
 */
ssize_t copy_to_iter(const void *addr, size_t bytes, struct iov_iter *i);

/* ---------------------------------------------------------------- work_struct */

/*
 * Work of one turn of the loop, for what would hold up everybody if it were
 * done at once. Twin of include/linux/workqueue.h.
 */
struct work_struct {
	void (*func)(struct work_struct *work);
	TAILQ_ENTRY(work_struct) entry;
};

TAILQ_HEAD(work_queue, work_struct);

/* --------------------------------------------------------------------- kiocb */

#define IOCB_NOWAIT (1 << 0) /* the descriptor is O_NONBLOCK: -EAGAIN instead of waiting */
#define IOCB_APPEND (1 << 1) /* a write of an O_APPEND descriptor: ki_pos means nothing */
#define IOCB_AGAIN (1 << 2)  /* one who has died had begun it: what is counted, was */

/* What is to be done when a kiocb is over, and for whom. */
struct kiocb_step {
	void (*complete)(struct kiocb *iocb, ssize_t ret);
	void *private;
};

/* A room pushes one step, and between who asks and who waits there are few rooms. */
#define KIOCB_STEPS 4

/*
 * One request that may have to wait: an open, read, write, fsync or ioctl.
 *
 * An operation that takes a kiocb either finishes and returns its result (then
 * ki_complete is never called and the kiocb stays the caller's), or returns
 * -EIOCBQUEUED. From then on the kiocb is parked: whoever parked it owns it
 * until it calls ki_complete exactly once, and never before it has returned that. A
 * parked kiocb is found from two sides, so each side unlinks it first and completes
 * it then:
 *
 *   - what it waits for happened: ki_retry() is tried, its result delivered;
 *   - the caller was signalled, or the daemon ends: ki_cancel() is called.
 *
 * ki_complete may destroy the kiocb and, with it, the last reference to its
 * file and inode: touch neither afterwards.
 */
struct kiocb {
	struct file *ki_filp;
	int ki_flags;		 /* IOCB_ */
	uint64_t ki_pos;	 /* the offset asked for; sockets have none */
	struct cred ki_cred;	 /* who asked */
	uint64_t ki_owner;	 /* of a read: one number for all threads of a process, as of locks */
	struct iov_iter ki_iter; /* bytes still to move; outlives the parking */
	size_t ki_done;		 /* bytes moved so far */
	uint64_t ki_progress;	 /* of them those that need not be done again, should the process die */
	uint64_t *ki_kept;	 /* where that is written down (journal/ledger.h), or NULL */
	uint32_t ki_slot;	 /* its place there while it waits, and one more; 0: none */

	/*
	 * Deliver the result: bytes, 0, or -errno. Set by who asks; a room in between
	 * that has something to do first pushes a step of its own (kiocb_push), and
	 * calls the one before it when that is done.
	 */
	void (*ki_complete)(struct kiocb *iocb, ssize_t ret);
	void *ki_private; /* of ki_complete */
	struct kiocb_step ki_steps[KIOCB_STEPS]; /* those before it, the first is who asked */
	unsigned int ki_nr_steps;

	/*
	 * Of who parks it, until it is unlinked. ki_retry: try again; -EAGAIN leaves
	 * it parked. ki_cancel: unlink and complete with @err (-EINTR, -ESHUTDOWN, ...)
	 * or, when bytes have moved already, with their number.
	 */
	ssize_t (*ki_retry)(struct kiocb *iocb);
	void (*ki_cancel)(struct kiocb *iocb, int err);
	TAILQ_ENTRY(kiocb) ki_wait; /* the queue it is parked on */
	void *ki_park[2];	    /* what it waits for; nobody else looks at it */
	struct work_struct ki_work; /* the queue is that of work, one piece a turn */
	/* For .proc/waiting: what the caller has called, and since when it waits. */
	const char *ki_call;
	int64_t ki_since;	    /* seconds, CLOCK_REALTIME */
	uint64_t ki_id;		    /* its number in sb->s_waiting while it is parked */
	uint64_t ki_deadline;	    /* ms of the loop's clock, 0: none */
};

TAILQ_HEAD(kiocb_queue, kiocb);

/*
 * Have @complete called before what is called now when @iocb is over. It pops its
 * step, and then ends with iocb->ki_complete(), or parks the kiocb anew. Who pushes
 * and does not get -EIOCBQUEUED from below pops it by itself.
 */
static inline void kiocb_push(struct kiocb *iocb,
			      void (*complete)(struct kiocb *iocb, ssize_t ret), void *private)
{
	iocb->ki_steps[iocb->ki_nr_steps++] =
		(struct kiocb_step){.complete = iocb->ki_complete, .private = iocb->ki_private};
	iocb->ki_complete = complete;
	iocb->ki_private = private;
}

/* The step that was pushed last goes. Returns its @private. */
static inline void *kiocb_pop(struct kiocb *iocb)
{
	const struct kiocb_step *before = &iocb->ki_steps[--iocb->ki_nr_steps];
	void *private = iocb->ki_private;

	iocb->ki_complete = before->complete;
	iocb->ki_private = before->private;
	return private;
}

#endif /* FS_KIOCB_H */
