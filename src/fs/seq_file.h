/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tables as text: written once, when the file is opened, and then read at any
 * place in pieces of any size.
 *
 * Twin of include/linux/seq_file.h, but for one thing: the whole text is made at
 * open. So it does not move under its reader, and reading it byte by byte costs
 * no more than reading it whole. A long table is made in pieces, one in each
 * turn of the loop, so that others need not wait for it; open waits.
 */
#ifndef FS_SEQ_FILE_H
#define FS_SEQ_FILE_H

#include "fs/fs.h"
#include "lib/util.h"

#define SEQ_ALL ((uid_t)-1) /* nobody's number */

struct seq_file {
	char *buf; /* malloc'ed */
	size_t count; /* bytes in use */
	size_t size;
	size_t pad_until; /* where the line ends that seq_setwidth began */
	bool overflow; /* memory has run out: what follows is dropped */
	/* Writes the next piece of @data, all from where it stands; false: that was the last. */
	bool (*show)(struct seq_file *m, void *data);
	void *data;
	uint64_t pos; /* of show: where it stands, 0 at first */
	uint64_t nr;  /* of show: lines */
	struct super_block *sb;
	uid_t viewer; /* for whom it is made; SEQ_ALL: for who may see all */
	struct kiocb_queue waiters; /* opens, while it is made */
	bool behind; /* another one of this table is being made first */
	unsigned int opens; /* made: files that read it */
	LIST_ENTRY(seq_file) link;
	struct work_struct work;
};

/* Append text. Failures are noted in m->overflow and come out of single_open. */
void seq_printf(struct seq_file *m, const char *fmt, ...) __printf(2, 3);
void seq_puts(struct seq_file *m, const char *s);

/*
 * May the one for whom @m is made see what is @uid's? Root and the daemon's user see all. No text
 * is shared between users.
 */
static inline bool seq_may_see(const struct seq_file *m, uid_t uid)
{
	return m->viewer == SEQ_ALL || m->viewer == uid;
}

/* What follows is to be @width bytes wide; seq_pad fills it up and ends it with @c. */
void seq_setwidth(struct seq_file *m, size_t width);
void seq_pad(struct seq_file *m, char c);

/*
 * For f_op->open: make the text by calling @show(m, @data) until it is whole, for the user of @iocb.
 * 0; -EIOCBQUEUED when there is more than one piece, or it is being made for another
 * reader now; -EPERM if the file is open for writing; -ENOMEM, also when it is more than
 * one piece and open tables are too long altogether (VM_TABLES). fs/seq_file.c.
 */
int single_open(struct file *file, struct kiocb *iocb, bool (*show)(struct seq_file *m, void *data),
		void *data);
/* Is @iocb an open that waits for this very text? */
bool seq_waits_for(const struct seq_file *m, const struct kiocb *iocb);
/* The rest of a table's operations; for f_op. */
void single_release(struct inode *inode, struct file *file);
ssize_t seq_read_iter(struct kiocb *iocb, struct iov_iter *to);
off_t seq_size(struct file *file);

#endif /* FS_SEQ_FILE_H */
