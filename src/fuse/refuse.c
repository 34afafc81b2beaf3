/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The last requests of a session that ends while it is in use.
 *
 * Who waits is told that the mount is going (ESHUTDOWN). Behind a writer who waits
 * stand others, with the inode's lock, whose requests come only now; the kernel
 * would end those that we leave unread with ECONNABORTED, which means something
 * else: that the connection was aborted.
 */
#include "config.h"

#include "fuse/fuse_i.h"

#include <errno.h>
#include <linux/fuse.h>
#include <poll.h>
#include <unistd.h>

#include "lib/log.h"

/* Nothing for so long: nobody comes any more. And the end does not wait longer than that. */
#define QUIET_MS 20
#define LAST_MS 250

static bool wants_answer(uint32_t opcode)
{
	return opcode != FUSE_FORGET && opcode != FUSE_BATCH_FORGET && opcode != FUSE_INTERRUPT;
}

/* One request; false: there is none. */
static bool refuse_one(struct sockfs_session *s)
{
	const struct fuse_in_header *in = (const void *)s->buf;
	struct fuse_out_header out = {.len = sizeof(out), .error = -ESHUTDOWN};
	ssize_t n = read(fuse_session_fd(s->se), s->buf, SESSION_BUF_SIZE);

	if (n < (ssize_t)sizeof(*in))
		return n < 0 && (errno == EINTR || errno == ENOENT);
	out.unique = in->unique;
	if (wants_answer(in->opcode) &&
	    write(fuse_session_fd(s->se), &out, sizeof(out)) < 0 && errno != ENOENT)
		pr_debug("a request could not be refused: errno %d", errno);
	return true;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void session_refuse(struct sockfs_session *s, bool wait)
{
	struct pollfd pfd = {.fd = fuse_session_fd(s->se), .events = POLLIN};
	int64_t end = now_ms() + LAST_MS;

	while (now_ms() < end && poll(&pfd, 1, wait ? QUIET_MS : 0) == 1 &&
	       pfd.revents & POLLIN && refuse_one(s))
		;
}
