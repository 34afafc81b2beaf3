/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Buffers of messages: the one that is being worked on, and those that parked
 * writes have kept.
 */
#include "config.h"

#include "fuse/fuse_i.h"

#include <errno.h>
#include <linux/fuse.h>
#include <string.h>
#include <sys/mman.h>

bool session_in_message(const struct sockfs_session *s, const void *p, size_t len)
{
	const char *b = p;

	return len == 0 || (b >= s->buf && b <= s->buf + s->len && len <= s->len - (size_t)(b - s->buf));
}

/* Buffers of the ledger that nobody has; those from ledger->nr on were never used. */
static uint32_t free_nrs[1024];
static size_t nr_free_nrs;

static size_t buf_bytes(void)
{
	return SESSION_BUF_SIZE + SESSION_BUF_PAD;
}

static char *map_buf(void)
{
	void *p = mmap(NULL, buf_bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* One that outlives the process. */
static char *ledger_buf(void)
{
	uint32_t nr = nr_free_nrs > 0 ? free_nrs[nr_free_nrs - 1] : ledger->nr[LEDGER_BUFS];
	char *buf;

	if (ledger_use(LEDGER_BUFS, nr) != 0)
		return NULL;
	if (nr_free_nrs > 0)
		nr_free_nrs--;
	buf = ledger_at(LEDGER_BUFS, nr);
	ledger_populate(buf, ALIGN_UP(buf_bytes(), (size_t)4096));
	/* A message without a length is none. */
	memset(buf, 0, sizeof(struct fuse_in_header));
	return buf;
}

static bool is_of_ledger(const char *buf)
{
	return ledger != NULL && buf >= (char *)ledger && buf < (char *)ledger + ledger_size();
}

static char *alloc_buf(void)
{
	return ledger != NULL ? ledger_buf() : map_buf();
}

static void free_buf(char *buf)
{
	if (!is_of_ledger(buf)) {
		munmap(buf, buf_bytes());
		return;
	}
	(void)munlock(buf, ALIGN_UP(buf_bytes(), (size_t)4096));
	ledger_unuse(LEDGER_BUFS, ledger_number(LEDGER_BUFS, buf));
	if (nr_free_nrs < ARRAY_SIZE(free_nrs))
		free_nrs[nr_free_nrs++] = ledger_number(LEDGER_BUFS, buf);
}

char *session_take_buf(struct sockfs_session *s)
{
	char *fresh, *taken = s->buf;

	fresh = s->nr_free_bufs > 0 ? s->free_bufs[--s->nr_free_bufs] : alloc_buf();
	if (fresh == NULL)
		return NULL;
	s->buf = fresh;
	s->len = 0;
	/* Marking it also has its pages there, should it be one that a dead process has parked. */
	s->unmarked = SESSION_BUF_SIZE;
	/* A parked one that is taken up again is not the one in work. */
	if (is_of_ledger(fresh) && s->slot == 0) {
		uint32_t nr = ledger_number(LEDGER_BUFS, fresh);

		memset(fresh, 0, sizeof(struct fuse_in_header));
		journal_write(&ledger->buf, &nr, sizeof(nr));
	}
	return taken;
}

void session_put_buf(struct sockfs_session *s, char *buf)
{
	if (s->nr_free_bufs < SESSION_FREE_BUFS)
		s->free_bufs[s->nr_free_bufs++] = buf;
	else
		free_buf(buf);
}

int session_alloc_bufs(struct sockfs_session *s)
{
	s->buf = alloc_buf();
	s->scratch = alloc_buf();
	if (s->buf == NULL || s->scratch == NULL)
		return -ENOMEM;
	s->unmarked = SESSION_BUF_SIZE;
	if (ledger != NULL)
		ledger->buf = ledger_number(LEDGER_BUFS, s->buf);
	return 0;
}

/* Those of a session that another process has begun: the scratch buffer is the second. */
int session_claim_bufs(struct sockfs_session *s, const bool *taken)
{
	uint32_t last = min(ledger->nr[LEDGER_BUFS], ledger_max(LEDGER_BUFS));

	/* It died before it had read anything. */
	if (last < 2) {
		ledger->nr[LEDGER_BUFS] = 0;
		return session_alloc_bufs(s);
	}
	if (ledger->buf >= last || ledger->buf == 1)
		return -EPROTO;
	for (uint32_t nr = 0; nr < last; nr++) {
		if (ledger_use(LEDGER_BUFS, nr) != 0)
			return -ENOMEM;
		if (nr != ledger->buf && nr != 1 && !taken[nr])
			free_buf(ledger_at(LEDGER_BUFS, nr));
	}
	s->buf = ledger_at(LEDGER_BUFS, ledger->buf);
	s->scratch = ledger_at(LEDGER_BUFS, 1);
	ledger_populate(s->buf, ALIGN_UP(buf_bytes(), (size_t)4096));
	ledger_populate(s->scratch, ALIGN_UP(buf_bytes(), (size_t)4096));
	s->unmarked = SESSION_BUF_SIZE;
	return 0;
}

void session_free_bufs(struct sockfs_session *s)
{
	if (s->buf != NULL)
		session_put_buf(s, s->buf);
	while (s->nr_free_bufs > 0)
		free_buf(s->free_bufs[--s->nr_free_bufs]);
	if (s->scratch != NULL)
		free_buf(s->scratch);
	nr_free_nrs = 0;
}
