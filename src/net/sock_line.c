/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines that are being read from a listener, and messages that are read in part.
 *
 * A read of a listener accepts and gives out a name and a newline. A shell's
 * `read' takes them byte by byte, so the rest is kept with the open file. An open
 * file may be shared: `exec 3<srv' and several workers that read from 3. So a line
 * belongs to the process that began it, and another one that reads meanwhile gets
 * a line of its own. Only when the first one is gone may another finish its line:
 * `head -c 1 <&3; cat <&3' reads on as it would from any file.
 *
 * A process is known by the kernel's word for its table of descriptors (ki_owner):
 * threads have it in common, and it tells processes apart that all have the number
 * 0 here because they are in another pid namespace. Whether one of those is gone
 * nobody can say; its line waits for the last close.
 */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/dcache.h"
#include "mm/slab.h"
#include "mm/vmstat.h"
#include "net/sock_wait.h"

#define LINE_SIZE (sizeof(struct sock_line) + NAME_MAX_BYTES + 2)

#define LINE_BUCKETS 4096u

/* A reader who begins asks after the readers of so many lines, in turn. */
#define GONE_LOOKS 4

static LIST_HEAD(, sock_line) buckets[LINE_BUCKETS];

static unsigned int line_bucket(const struct file *file, uint64_t owner)
{
	uint64_t h = (file->f_id ^ owner) * 0x9e3779b97f4a7c15u;

	return (unsigned int)(h >> 32) % LINE_BUCKETS;
}

static void line_hash(struct sock_line *line, const struct kiocb *iocb)
{
	line->owner = iocb->ki_owner;
	line->pid = iocb->ki_cred.pid;
	LIST_INSERT_HEAD(&buckets[line_bucket(line->file, line->owner)], line, hash);
}

/* As the last of the open file's: before the one that is asked after next. */
static void ring_add(struct sock_line *line)
{
	struct sock_line *first = line->file->private_data;

	if (first == NULL) {
		line->file->private_data = line->next = line->prev = line;
		return;
	}
	line->next = first;
	line->prev = first->prev;
	line->next->prev = line->prev->next = line;
}

static void ring_remove(struct sock_line *line)
{
	line->next->prev = line->prev;
	line->prev->next = line->next;
	if (line->file->private_data == line)
		line->file->private_data = line->next != line ? line->next : NULL;
}

static bool is_gone(pid_t pid)
{
	return pid > 0 && kill(pid, 0) != 0 && errno == ESRCH;
}

/* One whose reader is gone becomes @iocb's. Not all are asked for each time, the next ones next. */
static struct sock_line *line_inherit(const struct kiocb *iocb)
{
	struct file *file = iocb->ki_filp;

	for (int i = 0; i < GONE_LOOKS; i++) {
		struct sock_line *line = file->private_data;

		if (line == NULL)
			break;
		file->private_data = line->next;
		if (!is_gone(line->pid))
			continue;
		LIST_REMOVE(line, hash);
		line_hash(line, iocb);
		mark_file_dirty(file);
		return line;
	}
	return NULL;
}

struct sock_line *sock_line_find(const struct kiocb *iocb)
{
	const struct file *file = iocb->ki_filp;
	struct sock_line *line;

	if (!sock_has_lines(file))
		return NULL;
	LIST_FOREACH(line, &buckets[line_bucket(file, iocb->ki_owner)], hash)
		if (line->file == file && line->owner == iocb->ki_owner)
			return line;
	return line_inherit(iocb);
}

struct sock_line *sock_line_alloc(void)
{
	return should_failslab() ? NULL : malloc(LINE_SIZE);
}

/* @line is the reader's, with @len bytes of text in it. */
static void line_begin(const struct kiocb *iocb, struct sock_line *line, size_t len)
{
	line->at = line->text;
	line->end = line->text + len;
	line->file = iocb->ki_filp;
	line_hash(line, iocb);
	ring_add(line);
	mark_file_dirty(line->file);
	vm_account(line->item, line->size);
}

void sock_line_begin(const struct kiocb *iocb, struct sock_line *line, const char *name)
{
	line->item = VM_LINES;
	line->size = LINE_SIZE;
	line_begin(iocb, line, (size_t)sprintf(line->text, "%s\n", name));
}

int sock_rest_keep(const struct kiocb *iocb, const void *bytes, size_t len)
{
	size_t size = sizeof(struct sock_line) + len;
	struct sock_line *line;

	if (!vm_fits(VM_MESSAGES, size) || should_failslab())
		return -ENOMEM;
	line = malloc(size);
	if (line == NULL)
		return -ENOMEM;
	line->item = VM_MESSAGES;
	line->size = size;
	memcpy(line->text, bytes, len);
	line_begin(iocb, line, len);
	return 0;
}

static void line_free(struct sock_line *line)
{
	ring_remove(line);
	mark_file_dirty(line->file);
	LIST_REMOVE(line, hash);
	vm_unaccount(line->item, line->size);
	free(line);
}

ssize_t sock_line_read(struct sock_line *line, struct iov_iter *to)
{
	ssize_t n = copy_to_iter(line->at, (size_t)(line->end - line->at), to);

	if (n < 0)
		return n;
	line->at += n;
	mark_file_dirty(line->file);
	if (line->at == line->end)
		line_free(line);
	return n;
}

void sock_lines_free(struct file *file)
{
	while (sock_has_lines(file))
		line_free(file->private_data);
}
