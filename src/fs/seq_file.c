/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text that is made at open and read at leisure. Twin of fs/seq_file.c.
 *
 * Several readers share one text where that cannot be noticed: those who come while
 * one is being made wait for the next, which is made for all of them; and what turns
 * out to say the same as one that is open already is that one.
 */
#include "config.h"

#include "fs/seq_file.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mm/slab.h"
#include "mm/vmstat.h"

#define SEQ_SIZE_MIN ((size_t)4096)

/* Room for @more bytes and a NUL. */
static bool seq_reserve(struct seq_file *m, size_t more)
{
	size_t size = max(m->size, SEQ_SIZE_MIN);
	char *buf;

	if (m->overflow)
		return false;
	if (m->size - m->count > more)
		return true;
	while (size - m->count <= more)
		size *= 2;
	buf = should_failslab() ? NULL : realloc(m->buf, size);
	if (buf == NULL) {
		m->overflow = true;
		return false;
	}
	m->buf = buf;
	m->size = size;
	return true;
}

void seq_printf(struct seq_file *m, const char *fmt, ...)
{
	size_t room = m->size - m->count;
	va_list ap;
	int n;

	if (m->overflow)
		return;
	va_start(ap, fmt);
	n = vsnprintf(m->buf + m->count, room, fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n >= room) {
		if (!seq_reserve(m, (size_t)n))
			return;
		va_start(ap, fmt);
		n = vsnprintf(m->buf + m->count, m->size - m->count, fmt, ap);
		va_end(ap);
	}
	if (n < 0)
		m->overflow = true;
	else
		m->count += (size_t)n;
}

void seq_puts(struct seq_file *m, const char *s)
{
	size_t len = strlen(s);

	if (!seq_reserve(m, len))
		return;
	memcpy(m->buf + m->count, s, len);
	m->count += len;
}

void seq_setwidth(struct seq_file *m, size_t width)
{
	m->pad_until = m->count + width;
}

void seq_pad(struct seq_file *m, char c)
{
	size_t n = m->pad_until > m->count ? m->pad_until - m->count : 0;

	if (!seq_reserve(m, n + 1))
		return;
	memset(m->buf + m->count, ' ', n);
	m->count += n;
	m->buf[m->count++] = c;
}

/* ----------------------------------------------------------------------- sharing */

LIST_HEAD(seq_list, seq_file);

/* Being made or about to be, and made and open; the newest first. */
static struct seq_list making = LIST_HEAD_INITIALIZER(making);
static struct seq_list made = LIST_HEAD_INITIALIZER(made);

/* A text is compared with the last one of its table, among so many, unless that takes too long. */
#define SAME_LOOKS 16
#define SAME_SIZE_MAX ((size_t)4 << 20)

static bool is_same_table(const struct seq_file *a, const struct seq_file *b)
{
	return a->show == b->show && a->data == b->data && a->sb == b->sb &&
	       a->viewer == b->viewer;
}

static void seq_free(struct seq_file *m)
{
	free(m->buf);
	free(m);
}

/* One open less; the last takes the text with it. */
static void seq_put(struct seq_file *m)
{
	if (--m->opens > 0)
		return;
	LIST_REMOVE(m, link);
	vm_unaccount(VM_TABLES, m->size);
	seq_free(m);
}

/* @m has been made: it, or one that is open and says the same. */
static struct seq_file *seq_share(struct seq_file *m)
{
	struct seq_file *other;
	char *buf;
	int looks = 0;

	LIST_FOREACH(other, &made, link)
		if (is_same_table(other, m) || ++looks == SAME_LOOKS)
			break;
	if (other != NULL && is_same_table(other, m) && m->count <= SAME_SIZE_MAX &&
	    other->count == m->count && memcmp(other->buf, m->buf, m->count) == 0) {
		seq_free(m);
		return other;
	}
	buf = realloc(m->buf, m->count + 1);
	if (buf != NULL) {
		m->buf = buf;
		m->size = m->count + 1;
	}
	vm_account(VM_TABLES, m->size);
	LIST_INSERT_HEAD(&made, m, link);
	return m;
}

/* ------------------------------------------------------------------------ making */

static void seq_cancel(struct kiocb *iocb, int err);

/*
 * One piece: 0, -EAGAIN: there is more, or -ENOMEM. What is one piece is short, and is
 * made whatever there is already.
 */
static int seq_piece(struct seq_file *m)
{
	bool more = seq_reserve(m, 0) && m->show(m, m->data);

	if (m->overflow || (more && !vm_fits(VM_TABLES, m->count)))
		return -ENOMEM;
	return more ? -EAGAIN : 0;
}

/* @iocb waits for @m. */
static int seq_wait(struct seq_file *m, struct kiocb *iocb)
{
	iocb->ki_park[0] = m;
	iocb->ki_cancel = seq_cancel;
	TAILQ_INSERT_TAIL(&m->waiters, iocb, ki_wait);
	return -EIOCBQUEUED;
}

bool seq_waits_for(const struct seq_file *m, const struct kiocb *iocb)
{
	return iocb->ki_cancel == seq_cancel && iocb->ki_park[0] == m;
}

static void seq_work(struct work_struct *work);

/* The one of its kind that is being made is over: the turn of the next. */
static void seq_begin_next(const struct seq_file *over)
{
	struct seq_file *m;

	LIST_FOREACH(m, &making, link)
		if (is_same_table(m, over))
			break;
	if (m == NULL)
		return;
	m->behind = false;
	if (!schedule_work(m->sb, &m->work))
		seq_work(&m->work);
}

/* The end of the opens that have waited. A file that was not opened is not released. */
static void seq_finish(struct seq_file *m, int err)
{
	const struct seq_file over = *m;
	struct kiocb_queue waiters = TAILQ_HEAD_INITIALIZER(waiters);
	struct kiocb *iocb;

	LIST_REMOVE(m, link);
	TAILQ_CONCAT(&waiters, &m->waiters, ki_wait);
	if (err != 0)
		seq_free(m);
	else
		m = seq_share(m);
	if (err == 0)
		TAILQ_FOREACH(iocb, &waiters, ki_wait) {
			iocb->ki_filp->private_data = m;
			m->opens++;
		}
	/* Each is out of the queue before it is told, which may do anything. */
	while ((iocb = TAILQ_FIRST(&waiters)) != NULL) {
		TAILQ_REMOVE(&waiters, iocb, ki_wait);
		iocb->ki_complete(iocb, err);
	}
	seq_begin_next(&over);
}

static void seq_work(struct work_struct *work)
{
	struct seq_file *m = container_of(work, struct seq_file, work);
	int err = seq_piece(m);

	while (err == -EAGAIN && !schedule_work(m->sb, work))
		err = seq_piece(m);
	if (err != -EAGAIN)
		seq_finish(m, err);
}

/* What nobody waits for any more is not made. */
static void seq_cancel(struct kiocb *iocb, int err)
{
	struct seq_file *m = iocb->ki_park[0];

	TAILQ_REMOVE(&m->waiters, iocb, ki_wait);
	if (TAILQ_EMPTY(&m->waiters)) {
		const struct seq_file over = *m;

		LIST_REMOVE(m, link);
		if (!m->behind)
			cancel_work(m->sb, &m->work);
		seq_free(m);
		if (!over.behind)
			seq_begin_next(&over);
	}
	iocb->ki_complete(iocb, err);
}

static struct seq_file *seq_alloc(const struct seq_file *template)
{
	struct seq_file *m = should_failslab() ? NULL : malloc(sizeof(*m));

	if (m == NULL)
		return NULL;
	*m = *template;
	m->work.func = seq_work;
	TAILQ_INIT(&m->waiters);
	LIST_INSERT_HEAD(&making, m, link);
	return m;
}

/*
 * One is being made: it may be older than this open in part. The next one is not, and
 * is for all who come before it begins. NULL: none is being made.
 */
static struct seq_file *seq_find(const struct seq_file *template)
{
	struct seq_file *m;

	LIST_FOREACH(m, &making, link)
		if (is_same_table(m, template))
			return m;
	return NULL;
}

int single_open(struct file *file, struct kiocb *iocb, bool (*show)(struct seq_file *m, void *data),
		void *data)
{
	const struct seq_file template = {
		.show = show,
		.data = data,
		.sb = file->f_inode->i_sb,
		.viewer = cred_sees_all(&iocb->ki_cred) ? SEQ_ALL : iocb->ki_cred.uid,
	};
	struct seq_file *m = seq_find(&template);
	bool behind = m != NULL;
	int err;

	if (file_writable(file))
		return -EPERM;
	if (behind && m->behind)
		return seq_wait(m, iocb);
	m = seq_alloc(&template);
	if (m == NULL)
		return -ENOMEM;
	m->behind = behind;
	if (behind)
		return seq_wait(m, iocb);
	do {
		err = seq_piece(m);
		if (err == -EAGAIN && schedule_work(m->sb, &m->work))
			return seq_wait(m, iocb);
	} while (err == -EAGAIN);
	LIST_REMOVE(m, link);
	if (err != 0) {
		seq_free(m);
		return err;
	}
	m = seq_share(m);
	m->opens++;
	file->private_data = m;
	return 0;
}

void single_release(struct inode *inode, struct file *file)
{
	(void)inode;
	seq_put(file->private_data);
	file->private_data = NULL;
}

ssize_t seq_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	const struct seq_file *m = iocb->ki_filp->private_data;

	if (iocb->ki_pos >= m->count)
		return 0;
	return copy_to_iter(m->buf + iocb->ki_pos, m->count - (size_t)iocb->ki_pos, to);
}

off_t seq_size(struct file *file)
{
	const struct seq_file *m = file->private_data;

	return (off_t)m->count;
}
