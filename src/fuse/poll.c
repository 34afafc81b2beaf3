/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * poll on open files.
 *
 * The kernel asks for the events that hold and, with a handle, to be told of a
 * change. The handle of the last one who asked is kept with the open file.
 */
#include "config.h"

#include "fuse/fuse_i.h"

#include <poll.h>

/* The handle goes from the file, and is the caller's. NULL: nobody waits. */
static struct fuse_pollhandle *take_handle(struct file *file)
{
	struct sockfs_session *s = file->f_inode->i_sb->s_fs_info;
	struct fuse_pollhandle *ph = file->f_poll.private;

	file->f_poll.private = NULL;
	if (ph != NULL)
		s->nr_pollers--;
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

	if (file == NULL) {
		if (ph != NULL)
			fuse_pollhandle_destroy(ph);
		return;
	}
	if (ph != NULL) {
		poll_drop(file);
		file->f_poll.private = ph;
		req_session(req)->nr_pollers++;
		file->f_poll.events = fi->poll_events;
	}
	if (file->f_op->poll != NULL)
		events = file->f_op->poll(file, ph != NULL);
	fuse_reply_poll(req, events);
}
