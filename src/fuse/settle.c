/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Going on where another process has died.
 *
 * Happy path: the objects are there again (resume/restore.h); libfuse gets the INIT of the
 * beginning once more; what was answered is answered again, and what was being moved is
 * settled; who polls is told to look; those that were parked are worked on again, the oldest
 * first, and then the message that was in work.
 *
 * Failure modes: a request that two processes have died of is refused with EIO by the third;
 * so is one that was still coming in when the last one died, as the kernel has it.
 * An answer that the kernel has already is refused by it (ENOENT), and that is well.
 */
#include "config.h"

#include "fuse/session_i.h"
#include "fuse/whole.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib/log.h"

#define HEAD sizeof(struct fuse_out_header)
#define TRIES_MAX 2

static struct fuse_in_header *message_in_work(const struct sockfs_session *s)
{
	struct fuse_in_header *in = (struct fuse_in_header *)s->buf;

	return in->len != 0 ? in : NULL;
}

static void refuse(struct sockfs_session *s, uint64_t unique)
{
	const struct fuse_out_header out = {.len = HEAD, .error = -EIO, .unique = unique};

	if (write(fuse_session_fd(s->se), &out, sizeof(out)) < 0)
		pr_debug("request %llu is not wanted any more", (unsigned long long)unique);
}

/* The kernel's INIT and nothing else makes a session; its answer is not wanted any more. */
static bool init_again(struct sockfs_session *s)
{
	_Alignas(8) char init[LEDGER_INIT];
	char *buf = s->buf;
	struct fuse_buf msg = {.size = ledger->init_len, .mem = init};

	if (ledger->init_len > sizeof(init))
		return false;
	memcpy(init, ledger->init, ledger->init_len);
	s->buf = init;
	s->len = ledger->init_len;
	fuse_session_process_buf(s->se, &msg);
	s->buf = buf;
	return s->got_init;
}

/* The request @unique has had its answer. */
static void source_done(struct sockfs_session *s, uint64_t unique)
{
	struct fuse_in_header *in = message_in_work(s);
	uint32_t slot = slot_find(unique);

	if (in != NULL && in->unique == unique)
		in->len = 0;
	if (slot != 0) {
		slot_release(s, slot);
		session_flush(s);
	}
}

/* How far a write had come. */
static void settle_out(struct sockfs_session *s)
{
	struct ledger_transfer *t = &ledger->out;
	struct fuse_in_header *in = message_in_work(s);
	uint64_t done = t->base + t->msg.msg_len;
	uint32_t slot;

	if (t->unique == 0)
		return;
	slot = slot_find(t->unique);
	if (slot != 0)
		*slot_done(slot) = done;
	else if (in != NULL && in->unique == t->unique)
		ledger->message_done = done;
	journal_sent();
}

static void answer_read(struct sockfs_session *s, uint64_t unique, size_t n)
{
	struct fuse_out_header out = {.len = (uint32_t)(HEAD + n), .unique = unique};
	const struct iovec iov[] = {{.iov_base = &out, .iov_len = HEAD},
				    {.iov_base = s->scratch, .iov_len = n}};

	if (writev(fuse_session_fd(s->se), iov, 2) < 0)
		pr_debug("request %llu has its answer, or is given up", (unsigned long long)unique);
	source_done(s, unique);
}

/*
 * A copy of what is in the pipe, behind its header, to the scratch buffer; the pipe keeps it, for
 * this process may die as well before it is given out. The bytes, or -errno.
 */
static ssize_t peek_pipe(const struct sockfs_session *s)
{
	struct iovec iov[2];
	char head[HEAD];
	int fds[2], size = fcntl(ledger->pipe_from, F_GETPIPE_SZ);
	ssize_t n = -1;

	if (size < 0 || pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0)
		return -errno;
	iov[0] = (struct iovec){.iov_base = head, .iov_len = HEAD};
	iov[1] = (struct iovec){.iov_base = s->scratch, .iov_len = SESSION_MAX_IO};
	if (fcntl(fds[1], F_SETPIPE_SZ, size) >= 0 &&
	    tee(ledger->pipe_from, fds[1], HEAD + SESSION_MAX_IO, SPLICE_F_NONBLOCK) > 0)
		n = readv(fds[0], iov, 2);
	n = n < 0 ? -errno : n - (ssize_t)HEAD;
	close(fds[0]);
	close(fds[1]);
	return n;
}

/* Bytes that had left the pipe, the header with them, were given out. */
static void settle_pipe(struct sockfs_session *s, uint64_t unique)
{
	ssize_t n;
	int left = 0;

	if (ledger->pipe_from < 0 || ioctl(ledger->pipe_from, FIONREAD, &left) != 0)
		return;
	if (left == 0)
		source_done(s, unique);
	if ((size_t)left <= HEAD)
		return;
	n = peek_pipe(s);
	if (n != left - (ssize_t)HEAD)
		pr_err("%d bytes that were read are lost: %zd came out of the pipe", left, n);
	if (n > 0)
		answer_read(s, unique, (size_t)n);
}

/* In this order: its number may be another's as soon as it is closed. */
static void close_once(int32_t *where)
{
	int fd = *where;

	*where = -1;
	if (fd >= 0)
		close(fd);
}

static void drop_pipe(struct sockfs_session *s)
{
	close_once(&ledger->pipe_from);
	close_once(&ledger->pipe_to);
	s->resuming = false;
}

void settle_drop(struct sockfs_session *s)
{
	if (ledger != NULL && s->resuming)
		drop_pipe(s);
}

static void settle_in(struct sockfs_session *s)
{
	struct ledger_transfer *t = &ledger->in;
	uint64_t unique = t->unique;

	if (unique != 0 && t->piped)
		settle_pipe(s, unique);
	else if (unique != 0 && t->msg.msg_len > 0 && t->msg.msg_len <= SESSION_MAX_IO)
		answer_read(s, unique, t->msg.msg_len);
	journal_received();
	drop_pipe(s);
	keep_pipe(s);
}

/* One wake-up too many does no harm. */
static void wake_pollers(struct sockfs_session *s)
{
	uint32_t nr = min(ledger->nr[LEDGER_FILES], ledger_max(LEDGER_FILES));

	for (uint32_t i = ledger_next(LEDGER_FILES, 0); i < nr; i = ledger_next(LEDGER_FILES, i + 1)) {
		struct ledger_file *f = ledger_at(LEDGER_FILES, i);

		if (f->generation == 0 || f->poll == 0)
			continue;
		notify_poll(s, f->poll);
		f->poll = 0;
	}
}

static void message_again(struct sockfs_session *s)
{
	struct fuse_in_header *in = message_in_work(s);

	if (in == NULL)
		return;
	if (in->len <= SESSION_BUF_SIZE && !whole_is(s->buf, in->len)) {
		pr_warn("request %llu (opcode %u) has come in part: it gets %s",
			(unsigned long long)in->unique, in->opcode, strerror(EIO));
		/* Those without a number want no answer. */
		if (in->unique != 0)
			refuse(s, in->unique);
		in->len = 0;
		return;
	}
	if (in->len <= SESSION_BUF_SIZE &&
	    (ledger->message_unique != in->unique || ledger->message_tries < TRIES_MAX)) {
		s->len = in->len;
		memset(s->buf + s->len, 0, SESSION_BUF_PAD);
		session_process(s);
		return;
	}
	pr_err("%u processes have died of request %llu (opcode %u): it gets %s", TRIES_MAX,
	       (unsigned long long)in->unique, in->opcode, strerror(EIO));
	refuse(s, in->unique);
	in->len = 0;
}

/* ------------------------------------------------------------------------ what was parked */

/*
 * What was in work when the last process died may be what it died of. Unless it was killed:
 * that is somebody else's doing.
 */
static void count_death(const struct sockfs_session *s)
{
	uint32_t slot = ledger->slot_in_work;
	const struct fuse_in_header *in = message_in_work(s);

	ledger->slot_in_work = 0;
	/* Nor was anything in work before all was there again. */
	if (ledger->died_of == 0 || ledger->died_of == SIGKILL || ledger->restoring != 0)
		return;
	if (slot != 0) {
		if (slot <= ledger_max(LEDGER_SLOTS))
			slot_at(slot)->tries++;
		return;
	}
	if (in == NULL)
		return;
	if (ledger->message_unique != in->unique)
		ledger->message_tries = 0;
	ledger->message_unique = in->unique;
	ledger->message_tries++;
}

static void slot_lost(struct sockfs_session *s, uint64_t unique)
{
	pr_err("a request that waited is lost: its record is broken");
	refuse(s, unique);
}

int sockfs_session_claim(struct sockfs_session *s)
{
	int err = slots_claim(s, slot_lost);

	s->resuming = true;
	if (err == 0)
		count_death(s);
	return err;
}

/* The message of @slot, in a buffer of its own or in @room. */
static char *slot_message(struct ledger_slot *ls, char *room)
{
	if (ls->buf != 0)
		room = ledger_at(LEDGER_BUFS, ls->buf - 1);
	else if (ls->text != 0)
		(void)text_read(ls->text, room, ls->len);
	else
		memcpy(room, ls->message, ls->len);
	memset(room + ls->len, 0, SESSION_BUF_PAD);
	return room;
}

/* As if the message had just come. */
static void slot_resume(struct sockfs_session *s, uint32_t slot, char *room)
{
	struct ledger_slot *ls = slot_at(slot);
	char *buf = s->buf, *own = slot_message(ls, room);
	struct fuse_buf msg = {.size = ls->len, .mem = own};
	uint32_t before;

	s->buf = own;
	s->len = ls->len;
	s->slot = slot;
	before = journal_work_on(slot);
	session_message_begin(s);
	fuse_session_process_buf(s->se, &msg);
	/* What was taken in place of it is not needed: the slot has it. */
	if (s->buf != own)
		session_put_buf(s, s->buf);
	s->buf = buf;
	session_message_end(s);
	(void)journal_work_on(before);
	s->slot = 0;
}

static void slots_resume(struct sockfs_session *s)
{
	uint32_t *order = slots_by_age();
	char *room = malloc(SESSION_BUF_SIZE + SESSION_BUF_PAD);

	if (order == NULL || room == NULL)
		pr_err("requests that wait are lost: %s", strerror(ENOMEM));
	for (uint32_t *p = order; room != NULL && p != NULL && *p != 0; p++) {
		struct ledger_slot *ls = slot_at(*p);

		/* One before it may have ended it. */
		if (ls->unique == 0)
			continue;
		if (ls->tries < TRIES_MAX) {
			slot_resume(s, *p, room);
			continue;
		}
		pr_err("%u processes have died of a request that waited: it gets %s", ls->tries,
		       strerror(EIO));
		refuse(s, ls->unique);
		slot_release(s, *p);
		session_flush(s);
	}
	free(room);
	free(order);
}

int sockfs_session_settle(struct sockfs_session *s)
{
	struct session_impl *si = impl(s);
	struct file *file;
	uint64_t pos = 0;

	while ((file = idtable_next(&s->sb->s_files, &pos)) != NULL)
		file->f_poll.wake = poll_reply;
	si->told_ready = ledger->init_len > 0;
	if (ledger->init_len > 0 && !init_again(s))
		return -EPROTO;
	if (ledger->sealed)
		session_answer_again(s);
	settle_out(s);
	settle_in(s);
	wake_pollers(s);
	return 0;
}

/* Those that were parked came before the one in work, and have to stay before it. */
void sockfs_session_resume(struct sockfs_session *s)
{
	slots_resume(s);
	message_again(s);
}
