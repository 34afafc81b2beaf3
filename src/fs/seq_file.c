/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text that is made at open and read at leisure. Twin of fs/seq_file.c.
 */
#include "config.h"

#include "fs/seq_file.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mm/slab.h"

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

static void seq_free(struct seq_file *m)
{
	free(m->buf);
	free(m);
}

/* One piece: 0, -EAGAIN: there is more, or -ENOMEM. */
static int seq_piece(struct seq_file *m)
{
	bool more = seq_reserve(m, 0) && m->show(m, m->data);

	if (m->overflow)
		return -ENOMEM;
	return more ? -EAGAIN : 0;
}

/* The end of an open that has waited. A file that was not opened is not released. */
static void seq_finish(struct seq_file *m, int err)
{
	struct kiocb *iocb = m->iocb;

	if (err == 0)
		iocb->ki_filp->private_data = m;
	else
		seq_free(m);
	iocb->ki_complete(iocb, err);
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

static void seq_cancel(struct kiocb *iocb, int err)
{
	struct seq_file *m = iocb->ki_park[0];

	cancel_work(m->sb, &m->work);
	seq_finish(m, err);
}

int single_open(struct file *file, struct kiocb *iocb, bool (*show)(struct seq_file *m, void *data),
		void *data)
{
	struct seq_file *m;
	int err;

	if (file_writable(file))
		return -EPERM;
	m = should_failslab() ? NULL : calloc(1, sizeof(*m));
	if (m == NULL)
		return -ENOMEM;
	m->show = show;
	m->data = data;
	m->sb = file->f_inode->i_sb;
	m->iocb = iocb;
	m->work.func = seq_work;
	iocb->ki_park[0] = m;
	iocb->ki_cancel = seq_cancel;
	do {
		err = seq_piece(m);
		if (err == -EAGAIN && schedule_work(m->sb, &m->work))
			return -EIOCBQUEUED;
	} while (err == -EAGAIN);
	if (err == 0)
		file->private_data = m;
	else
		seq_free(m);
	return err;
}

void single_release(struct inode *inode, struct file *file)
{
	(void)inode;
	seq_free(file->private_data);
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
