/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines that are being read from a listener.
 *
 * A read of a listener accepts and gives out a name and a newline. A shell's
 * `read' takes them byte by byte, so the rest is kept with the open file. An open
 * file may be shared: `exec 3<srv' and several workers that read from 3. So a line
 * belongs to the process that began it, and another one that reads meanwhile gets
 * a line of its own. Only when the first one is gone may another finish its line:
 * `head -c 1 <&3; cat <&3' reads on as it would from any file.
 */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/dcache.h"
#include "mm/slab.h"
#include "net/sock_wait.h"

/* The kernel names threads. Are these two of one process? */
static bool same_process(pid_t a, pid_t b)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%d", (int)a, (int)b);
	return access(path, F_OK) == 0;
}

static bool is_gone(pid_t pid)
{
	return pid > 0 && kill(pid, 0) != 0 && errno == ESRCH;
}

struct sock_line *sock_line_find(struct file *file, pid_t pid)
{
	struct sock_line *line;

	SLIST_FOREACH(line, &file->f_lines, next)
		if (line->pid == pid)
			return line;
	SLIST_FOREACH(line, &file->f_lines, next)
		if (same_process(line->pid, pid))
			return line;
	SLIST_FOREACH(line, &file->f_lines, next)
		if (is_gone(line->pid)) {
			line->pid = pid;
			return line;
		}
	return NULL;
}

struct sock_line *sock_line_alloc(void)
{
	return should_failslab() ? NULL : malloc(sizeof(struct sock_line) + NAME_MAX_BYTES + 2);
}

void sock_line_begin(struct file *file, struct sock_line *line, const char *name, pid_t pid)
{
	strcpy(line->text, name);
	strcat(line->text, "\n");
	line->at = line->text;
	line->pid = pid;
	SLIST_INSERT_HEAD(&file->f_lines, line, next);
}

ssize_t sock_line_read(struct file *file, struct sock_line *line, struct iov_iter *to)
{
	ssize_t n = copy_to_iter(line->at, strlen(line->at), to);

	if (n < 0)
		return n;
	line->at += n;
	if (*line->at == '\0') {
		SLIST_REMOVE(&file->f_lines, line, sock_line, next);
		free(line);
	}
	return n;
}

void sock_lines_free(struct file *file)
{
	struct sock_line *line;

	while ((line = SLIST_FIRST(&file->f_lines)) != NULL) {
		SLIST_REMOVE_HEAD(&file->f_lines, next);
		free(line);
	}
}
