/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Large reads without a copy of ours: socket -> pipe -> /dev/fuse, by splice.
 *
 * Happy path: between requests the pipe holds the header of an answer and
 * nothing else. The socket's bytes are spliced in behind it (an ITER_PIPE
 * iterator), the header gets its length and number (its page is only lent to
 * the pipe, by vmsplice), and all of it is spliced to the device as one
 * message. Then the next header is put in. A read that finds no bytes leaves
 * the pipe as it is, so it may park with its iterator and go on any time later.
 *
 * Failure modes: the device takes no splice (another kind of file, no memory
 * for it): the message is read out of the pipe and sent by write(2). The
 * request is over (ENOENT: the connection was aborted; the kernel waits for
 * the answer of every other request that has been received, an interrupted one
 * too): the bytes went with it, as with a reader that is killed. Whatever
 * leaves the pipe in doubt replaces it; without a new one it goes out of use
 * for good, and iterators copy (struct iter_pipe).
 *
 * A pipe holds pages, not bytes: each piece of a packet takes one of its slots.
 * When they are all taken a read is short, which a read may be.
 */
#ifndef FUSE_REPLY_PIPE_H
#define FUSE_REPLY_PIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fs/fs.h"

struct fuse_out_header;

/* Fewer slots are not worth it; and with one or two nothing would ever fit behind the header. */
#define REPLY_PIPE_MIN ((size_t)64 << 10)

struct reply_pipe {
	struct iter_pipe to;	      /* for iterators: the write end; -1: out of use */
	int from;		      /* the read end */
	size_t size;		      /* bytes of the pipe, as asked for */
	struct fuse_out_header *head; /* a page of its own */
	bool spoilt;		      /* of what is left in it nobody knows whose it is */
};

/*
 * Make the pipe, of @size bytes if the system allows (fs.pipe-max-size), else
 * of what it allows. 0, or -errno with the pipe out of use: no descriptors, no
 * memory, less than REPLY_PIPE_MIN allowed, or @size less than that.
 */
int reply_pipe_open(struct reply_pipe *p, size_t size);
void reply_pipe_close(struct reply_pipe *p);

static inline bool reply_pipe_usable(const struct reply_pipe *p)
{
	return p->to.fd >= 0;
}

/*
 * Answer request @unique with the @n bytes that are in the pipe behind the
 * header. @buf has room for sizeof(struct fuse_out_header) + @n bytes, in case
 * they have to be copied. 0, or -errno: the device @dev has refused the answer. Either way
 * the pipe is empty, and reply_pipe_ready() has to come before the next read.
 */
int reply_pipe_send(struct reply_pipe *p, int dev, uint64_t unique, size_t n, char *buf);
void reply_pipe_ready(struct reply_pipe *p);

#endif /* FUSE_REPLY_PIPE_H */
