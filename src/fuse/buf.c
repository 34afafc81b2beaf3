/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Buffers of messages: the one that is being worked on, and those that parked
 * writes have kept.
 */
#include "config.h"

#include "fuse/fuse_i.h"

#include <errno.h>
#include <sys/mman.h>

bool session_in_message(const struct sockfs_session *s, const void *p, size_t len)
{
	const char *b = p;

	return len == 0 || (b >= s->buf && b <= s->buf + s->len && len <= s->len - (size_t)(b - s->buf));
}

static char *alloc_buf(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

char *session_take_buf(struct sockfs_session *s)
{
	char *fresh, *taken = s->buf;

	fresh = s->nr_free_bufs > 0 ? s->free_bufs[--s->nr_free_bufs]
				     : alloc_buf(SESSION_BUF_SIZE + SESSION_BUF_PAD);
	if (fresh == NULL)
		return NULL;
	s->buf = fresh;
	s->len = 0;
	return taken;
}

void session_put_buf(struct sockfs_session *s, char *buf)
{
	if (s->nr_free_bufs < SESSION_FREE_BUFS)
		s->free_bufs[s->nr_free_bufs++] = buf;
	else
		munmap(buf, SESSION_BUF_SIZE + SESSION_BUF_PAD);
}

int session_alloc_bufs(struct sockfs_session *s)
{
	s->buf = alloc_buf(SESSION_BUF_SIZE + SESSION_BUF_PAD);
	s->scratch = alloc_buf(SESSION_BUF_SIZE);
	return s->buf == NULL || s->scratch == NULL ? -ENOMEM : 0;
}

void session_free_bufs(struct sockfs_session *s)
{
	if (s->buf != NULL)
		session_put_buf(s, s->buf);
	while (s->nr_free_bufs > 0)
		munmap(s->free_bufs[--s->nr_free_bufs], SESSION_BUF_SIZE + SESSION_BUF_PAD);
	if (s->scratch != NULL)
		munmap(s->scratch, SESSION_BUF_SIZE);
}
