/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Answers on their way to the kernel.
 *
 * With a ledger an answer is part of a transaction with all that its request has changed
 * (journal/journal.h), and is written when that holds: behind each message, behind each
 * answer to a parked request, before the loop sleeps. Without one it is written at once.
 *
 * An answer can fail: -ENOENT when the kernel has given the request up. What
 * was handed out with it (a lookup, an open file) is then taken back, for
 * nobody else ever will.
 */
#include "config.h"

#include "fuse/fuse_i.h"

#include <errno.h>
#include <linux/fuse.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib/log.h"

/* The kernel refuses an answer with a number out of 1..511, and then waits for ever. */
#define ERRNO_LAST 511

static uint64_t current_unique(const struct sockfs_session *s)
{
	if (s->answering != NULL)
		return s->answering->unique;
	return ((const struct fuse_in_header *)s->buf)->unique;
}

/* The place in the ledger of the request that is being answered, 0: the message in work. */
static uint32_t current_slot(const struct sockfs_session *s)
{
	return s->answering != NULL ? s->answering->kiocb.ki_slot : s->slot;
}

/* Take back the lookups in @size bytes of READDIRPLUS answer. */
static void forget_direntplus(struct super_block *sb, const char *buf, size_t size)
{
	size_t pos = 0;

	while (pos + FUSE_NAME_OFFSET_DIRENTPLUS <= size) {
		const struct fuse_direntplus *d = (const void *)(buf + pos);
		struct inode *inode = NULL;

		if (d->entry_out.nodeid != 0)
			inode = ilookup(sb, d->entry_out.nodeid);
		if (inode != NULL)
			inode_forget(inode, 1);
		pos += FUSE_DIRENTPLUS_SIZE(d);
	}
}

static void take_back(struct super_block *sb, enum journal_gift gift, uint64_t given,
		      const char *data, size_t len)
{
	struct inode *inode = NULL;
	struct file *file = NULL;

	switch (gift) {
	case GIFT_LOOKUP:
		inode = ilookup(sb, given);
		break;
	case GIFT_FILE:
	case GIFT_BOTH:
		file = fget(sb, given);
		if (file != NULL && gift == GIFT_BOTH)
			inode = ilookup(sb, file->f_nodeid);
		/* The file first: its inode stays while there is a lookup. */
		if (file != NULL)
			file_release(file);
		break;
	case GIFT_LIST:
		forget_direntplus(sb, data, len);
		break;
	default:
		break;
	}
	if (inode != NULL)
		inode_forget(inode, 1);
}

static int send_message(const struct sockfs_session *s, const struct iovec *iov, int n)
{
	if (writev(fuse_session_fd(s->se), iov, n) >= 0)
		return 0;
	/* Of a mount that is gone the session hears by itself. */
	if (errno != ENOENT && errno != ENODEV)
		pr_debug("an answer was refused: errno %d", errno);
	return -errno;
}

/* An answer that nobody wanted, with what it would have given. */
struct refused {
	struct refused *next;
	enum journal_gift gift;
	uint64_t given;
	size_t len;
	char data[];
};

static void keep_refused(struct sockfs_session *s, const struct journal_answer *a)
{
	size_t head = sizeof(struct fuse_out_header), len = a->len - head;
	struct refused *r = malloc(sizeof(*r) + len);

	if (r == NULL) {
		pr_err("something that the kernel did not want stays: %s", strerror(ENOMEM));
		return;
	}
	*r = (struct refused){
		.next = s->refused, .gift = (enum journal_gift)a->gift, .given = a->given, .len = len};
	memcpy(r->data, a->bytes + head, len);
	s->refused = r;
}

/*
 * The transaction is over. What was refused is taken back now: that changes objects, and
 * what would be noted before is thrown away with this one.
 */
static void transaction_end(struct sockfs_session *s)
{
	struct refused *r;

	journal_end();
	while ((r = s->refused) != NULL) {
		s->refused = r->next;
		take_back(s->sb, r->gift, r->given, r->data, r->len);
		free(r);
	}
}

/* Give out what the sealed transaction answers. */
static void send_answers(struct sockfs_session *s, bool again)
{
	struct journal_answer *a = NULL;

	while ((a = journal_next_answer(a)) != NULL) {
		struct iovec iov = {.iov_base = a->bytes, .iov_len = a->len};
		bool tried = a->tried;

		/* Another process's, and broken. */
		if (a->len < sizeof(struct fuse_out_header))
			continue;
		a->tried = 1;
		if (send_message(s, &iov, 1) == 0 || a->gift == GIFT_NONE)
			continue;
		/* One that may have been written before was, if it is not wanted now. */
		if (again && tried)
			continue;
		keep_refused(s, a);
	}
}

/* What has changed is written down, and holds. */
static void seal(struct sockfs_session *s)
{
	const struct super_journal *journal = s->sb->s_journal;

	if (journal != NULL)
		journal->save(s->sb);
	journal_seal();
	if (journal != NULL)
		journal->saved(s->sb);
	slots_released(s);
}

void session_flush(struct sockfs_session *s)
{
	if (!journal_is_on() ||
	    (!journal_has_begun() && (s->sb->s_journal == NULL || !s->sb->s_journal->is_dirty())))
		return;
	seal(s);
	send_answers(s, false);
	transaction_end(s);
}

void session_answer_again(struct sockfs_session *s)
{
	send_answers(s, true);
	transaction_end(s);
}

void session_message_begin(struct sockfs_session *s)
{
	s->message = s->buf;
	s->in_message = true;
}

/* It is dealt with: a header without a length, as it is before the next is read. */
static void message_over(struct sockfs_session *s)
{
	struct fuse_in_header *in = (struct fuse_in_header *)s->message;
	const uint32_t none = 0;

	/* One that is parked with its buffer has taken that along. */
	if (s->slot != 0 || s->buf != s->message)
		return;
	journal_write(&in->len, &none, sizeof(none));
}

void session_message_end(struct sockfs_session *s)
{
	s->in_message = false;
	if (!journal_is_on())
		return;
	message_over(s);
	session_flush(s);
	ledger->worked++;
}

/* -------------------------------------------------------------------------- answers */

static void answer_now(struct sockfs_session *s, const struct fuse_out_header *out,
		       const void *data, size_t len, enum journal_gift gift, uint64_t given)
{
	const struct iovec iov[] = {{.iov_base = (void *)out, .iov_len = sizeof(*out)},
				    {.iov_base = (void *)data, .iov_len = len}};

	if (send_message(s, iov, len > 0 ? 2 : 1) != 0)
		take_back(s->sb, gift, given, data, len);
}

void answer(fuse_req_t req, int err, const void *data, size_t len, enum journal_gift gift,
	    uint64_t given)
{
	struct sockfs_session *s = req_session(req);
	const struct fuse_out_header out = {
		.len = (uint32_t)(sizeof(out) + len),
		.error = err,
		.unique = current_unique(s),
	};
	struct journal_answer *a;

	pr_debug("   unique: %llu, error: %d (%s), outsize: %u", (unsigned long long)out.unique,
		 err, strerror(-err), out.len);
	fuse_reply_none(req);
	if (!journal_is_on()) {
		answer_now(s, &out, data, len, gift, given);
		return;
	}
	if (journal_is_full())
		session_flush(s);
	a = journal_answer(sizeof(out) + len);
	if (a == NULL) {
		/* Longer than any that cannot be asked for again; so it is done when that is out. */
		session_flush(s);
		answer_now(s, &out, data, len, gift, given);
		slot_release(s, current_slot(s));
		return;
	}
	slot_release(s, current_slot(s));
	a->gift = gift;
	a->given = given;
	memcpy(a->bytes, &out, sizeof(out));
	if (len > 0)
		memcpy(a->bytes + sizeof(out), data, len);
}

void keep_pipe(const struct sockfs_session *s)
{
	if (ledger == NULL || s->resuming)
		return;
	ledger->pipe_from = s->pipe.from;
	ledger->pipe_to = s->pipe.to.fd;
}

void answer_received(struct fuse_iocb *io, size_t n)
{
	struct sockfs_session *s = io->session;
	bool piped = io->kiocb.ki_iter.iter_type == ITER_PIPE;
	const struct fuse_out_header out = {
		.len = (uint32_t)(sizeof(out) + n), .unique = io->unique};
	/* It may be given up on the way. */
	bool noted = journal_is_on();
	int err;

	fuse_reply_none(io->req);
	if (noted) {
		slot_release(s, io->kiocb.ki_slot);
		if (io->kiocb.ki_slot == 0)
			message_over(s);
		seal(s);
		send_answers(s, false);
	}
	if (piped)
		err = reply_pipe_send(&s->pipe, fuse_session_fd(s->se), io->unique, n, s->scratch);
	else
		err = send_message(s, (const struct iovec[]){
			{.iov_base = (void *)&out, .iov_len = sizeof(out)},
			{.iov_base = s->scratch, .iov_len = n}}, 2);
	if (err != 0)
		pr_debug("an answer of %zu bytes was refused: errno %d", n, -err);
	/* In this order: what is in the pipe says whether it has been given out. */
	journal_received();
	if (piped) {
		reply_pipe_ready(&s->pipe);
		keep_pipe(s);
	}
	if (noted)
		transaction_end(s);
}

void reply_err(fuse_req_t req, ssize_t err)
{
	if (err > 0 || err < -ERRNO_LAST) {
		pr_err("BUG: %zd is not an errno", err);
		err = -EIO;
	}
	answer(req, (int)err, NULL, 0, GIFT_NONE, 0);
}

void reply_buf(fuse_req_t req, const void *data, size_t len)
{
	answer(req, 0, data, len, GIFT_NONE, 0);
}
