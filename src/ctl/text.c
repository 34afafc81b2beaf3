/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing a control file: commands, one a line.
 *
 * Happy path: each line is taken apart and becomes one of the operations of the
 * ioctl face (ioctl.c), with the same argument; one that waits (connect, a bind
 * by name) parks the write, and the next line runs when it is done.
 *
 * Failure modes: the first line that fails ends the write with its error; the
 * lines before it stay done, those behind it are not run. A signal ends the wait
 * and the write (EINTR). With O_NONBLOCK a connect ends it with EINPROGRESS while
 * the dial goes on.
 *
 * One write is whole commands, as in /proc and /sys: nothing of it is kept for
 * the next, and the last line may lack its newline. Blank lines do nothing.
 *
 * While a write is at work it is work on the socket too (i_work): rm closes
 * the socket behind it.
 *
 * Many lines are cut into pieces, one in each turn of the loop, so that others
 * need not wait for them; the write is parked between the turns.
 *
 * The iterator stands behind the line in work, also while that is parked. So all
 * that a parked write keeps is the lines that are still to come, which fuse/ keeps.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "ctl/ctl.h"
#include "journal/journal.h"
#include "net/core/dial.h"
#include "net/socket.h"
#include "uapi/operation.h"

/* No command is longer: a word, an option and its text, and room for blanks. */
#define COMMAND_MAX (SOCKFS_TEXT_MAX + 128)

#define MAX_WORDS 3 /* behind the first */

/* Words of @line to @words; their number, or -EINVAL if there are more than @max. */
static int split(char *line, char **words, int max)
{
	char *rest = NULL, *word;
	int n = 0;

	for (word = strtok_r(line, " \t", &rest); word != NULL; word = strtok_r(NULL, " \t", &rest)) {
		if (n == max)
			return -EINVAL;
		words[n++] = word;
	}
	return n;
}

/* 1 and a call, 0 for a blank line, or -errno. @line is changed. */
static int parse_line(char *line, struct op_call *ret_call)
{
	char *words[1 + MAX_WORDS];
	int n = split(line, words, 1 + MAX_WORDS);
	const struct operation *op;
	int err;

	if (n <= 0)
		return n;
	op = operation_by_word(words[0]);
	if (op == NULL || !(op->flags & OP_TEXT))
		return -EINVAL;
	err = operation_parse(op, n - 1, words + 1, ret_call);
	return err != 0 ? err : 1;
}

/* ---------------------------------------------------------------- line by line */

/* Bytes of the first line in @from, with its newline. */
static size_t line_size(const struct iov_iter *from)
{
	const char *newline = memchr(from->buf, '\n', from->count);

	return newline != NULL ? (size_t)(newline - from->buf) + 1 : from->count;
}

/* The address of a listen is bound; the socket is the step's before. */
static void on_bound(struct kiocb *iocb, ssize_t ret)
{
	__s32 backlog = (__s32)(intptr_t)kiocb_pop(iocb);
	struct inode *inode = iocb->ki_private;

	if (ret == 0)
		ret = sock_ask_listen(SOCKET_I(inode), backlog, iocb);
	if (ret != -EIOCBQUEUED)
		iocb->ki_complete(iocb, ret);
}

/* If the second half fails the socket stays bound, as with bind(2) and listen(2). */
static ssize_t bind_and_listen(struct kiocb *iocb, struct socket *sock, struct op_call *call)
{
	ssize_t ret;

	kiocb_push(iocb, on_bound, (void *)(intptr_t)call->number);
	ret = sock_bind(sock, &call->addr, iocb);
	if (ret == -EIOCBQUEUED)
		return ret;
	(void)kiocb_pop(iocb);
	return ret != 0 ? ret : sock_ask_listen(sock, call->number, iocb);
}

/* Run the line of @size bytes at @text; 0, -EIOCBQUEUED, or -errno. */
static ssize_t run_line(struct kiocb *iocb, struct socket *sock, const char *text, size_t size)
{
	char line[COMMAND_MAX];
	struct op_call call;
	int err;

	if (text[size - 1] == '\n')
		size--;
	if (size >= sizeof(line) || memchr(text, '\0', size) != NULL)
		return -EINVAL;
	memcpy(line, text, size);
	line[size] = '\0';
	err = parse_line(line, &call);
	if (err <= 0)
		return err;
	if (call.bind)
		return bind_and_listen(iocb, sock, &call);
	return sock_operation(sock, iocb, call.op, call.arg);
}

/* A signal while the write waits for its next turn. */
static void cancel_turn(struct kiocb *iocb, int err)
{
	struct inode *inode = iocb->ki_private;

	cancel_work(inode->i_sb, &iocb->ki_work);
	iocb->ki_complete(iocb, err);
}

/* As many lines as one turn allows; the others in the next ones (-EIOCBQUEUED). */
static ssize_t run_lines(struct kiocb *iocb, struct socket *sock)
{
	struct super_block *sb = SOCK_INODE(sock)->i_sb;
	uint64_t begin = work_begin();

	while (iocb->ki_iter.count > 0) {
		const char *text = iocb->ki_iter.buf;
		size_t size = line_size(&iocb->ki_iter);
		ssize_t ret;

		/* What the lines before it have changed holds together with this. */
		iocb->ki_progress = iocb->ki_done;
		if (iocb->ki_kept != NULL)
			journal_write(iocb->ki_kept, &iocb->ki_progress, sizeof(*iocb->ki_kept));

		iov_iter_advance(&iocb->ki_iter, size);
		iocb->ki_done += size;
		ret = run_line(iocb, sock, text, size);
		if (ret < 0)
			return ret;
		if (iocb->ki_iter.count == 0 || !work_is_over(begin))
			continue;
		iocb->ki_cancel = cancel_turn;
		if (schedule_work(sb, &iocb->ki_work))
			return -EIOCBQUEUED;
		begin = work_begin();
	}
	return (ssize_t)iocb->ki_done;
}

/* The line in work is done, or has failed. */
static void on_line_done(struct kiocb *iocb, ssize_t ret)
{
	struct inode *inode = iocb->ki_private;

	if (ret == 0)
		ret = run_lines(iocb, SOCKET_I(inode));
	if (ret == -EIOCBQUEUED)
		return;
	(void)kiocb_pop(iocb);
	iocb->ki_complete(iocb, ret);
	inode_put_work(inode);
}

static void on_turn(struct work_struct *work)
{
	struct kiocb *iocb = container_of(work, struct kiocb, ki_work);
	uint32_t before = journal_work_on(iocb->ki_slot);

	on_line_done(iocb, 0);
	(void)journal_work_on(before);
}

ssize_t ctl_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct socket *sock = ctl_socket(iocb->ki_filp->f_inode);
	struct inode *inode;
	ssize_t ret;

	if (sock == NULL)
		return -ESTALE;
	(void)from; /* it is ki_iter */
	inode = SOCK_INODE(sock);
	inode_get_work(inode);
	kiocb_push(iocb, on_line_done, inode);
	iocb->ki_work.func = on_turn;
	ret = run_lines(iocb, sock);
	if (ret == -EIOCBQUEUED)
		return ret;
	(void)kiocb_pop(iocb);
	inode_put_work(inode);
	return ret;
}
