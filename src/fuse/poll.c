/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * poll on open files.
 *
 * The kernel asks for the events that hold and, with a handle, to be told of a
 * change. The handle of the last one who asked is kept with the open file.
 */
#include "config.h"

#include "fuse/fuse_i.h"

#include <linux/fuse.h>
#include <poll.h>

static struct ledger_file *record(const struct file *file)
{
	return file->f_mode & FMODE_RECORDED
		       ? ledger_at(LEDGER_FILES, (uint32_t)file->f_id & (IDTABLE_MAX - 1))
		       : NULL;
}

/* Should this process die, the next one wakes him. libfuse does not tell the number. */
static void keep_poller(const struct file *file, const struct sockfs_session *s)
{
	const struct fuse_poll_in *in = (const void *)(s->buf + sizeof(struct fuse_in_header));
	struct ledger_file *f = record(file);

	if (f != NULL)
		f->poll = in->kh;
}

/* The handle goes from the file, and is the caller's. NULL: nobody waits. */
static struct fuse_pollhandle *take_handle(struct file *file)
{
	struct sockfs_session *s = file->f_inode->i_sb->s_fs_info;
	struct fuse_pollhandle *ph = file->f_poll.private;
	struct ledger_file *f;

	file->f_poll.private = NULL;
	if (ph == NULL)
		return NULL;
	s->nr_pollers--;
	f = record(file);
	if (f != NULL)
		f->poll = 0;
	return ph;
}

void poll_reply(struct poll_waiter *waiter)
{
	struct fuse_pollhandle *ph = take_handle(container_of(waiter, struct file, f_poll));

	if (ph == NULL)
		return;
	fuse_lowlevel_notify_poll(ph);
	fuse_pollhandle_destroy(ph);
}

void poll_drop(struct file *file)
{
	struct fuse_pollhandle *ph = take_handle(file);

	if (ph != NULL)
		fuse_pollhandle_destroy(ph);
}

/* @ph: somebody waits. The kernel asks anew, with a new one, after each notice. */
void ll_poll(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi,
	     struct fuse_pollhandle *ph)
{
	struct file *file = req_file(req, ino, fi, false);
	unsigned int events = POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM;
	struct fuse_poll_out out = {0};

	if (file == NULL) {
		if (ph != NULL)
			fuse_pollhandle_destroy(ph);
		return;
	}
	if (ph != NULL) {
		poll_drop(file);
		file->f_poll.private = ph;
		req_session(req)->nr_pollers++;
		keep_poller(file, req_session(req));
		file->f_poll.events = fi->poll_events;
	}
	if (file->f_op->poll != NULL)
		events = file->f_op->poll(file, ph != NULL);
	out.revents = events;
	reply_buf(req, &out, sizeof(out));
}
