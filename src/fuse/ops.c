/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of operations.
 *
 * Not there, on purpose: flush and access (the kernel stops asking after one
 * ENOSYS; default_permissions checks access), lseek (sockets have no position,
 * other files use the kernel's own), locks (the kernel keeps them), write_buf
 * (libfuse would splice each request through a pipe), fallocate, bmap.
 */
#include "config.h"

#include "fuse/fuse_i.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"
#include "mm/slab.h"

static void ll_init(void *userdata, struct fuse_conn_info *conn)
{
	struct sockfs_session *s = userdata;

	s->got_init = true;
	notify_init(s->sb, conn->proto_minor);
	conn->max_write = SESSION_MAX_IO;
	conn->time_gran = 1;
	/* A number finds its inode as long as that has a name: file handles last. */
	conn->want |= conn->capable & FUSE_CAP_EXPORT_SUPPORT;
	/*
	 * Asynchronous requests (io_uring, AIO, and every RELEASE) share this
	 * many places; a parked read keeps its place. The default, 12, would let
	 * twelve silent peers stop the mount.
	 */
	conn->max_background = 65535;
	conn->congestion_threshold = 65535;
	/*
	 * The kernel removes setuid bits itself; nothing of ours is cached pages.
	 * `> file` with a SETATTR of its own, whose answer has the size: else the
	 * kernel believes 0, and splices nothing.
	 */
	conn->want &= ~((unsigned int)FUSE_CAP_HANDLE_KILLPRIV | FUSE_CAP_WRITEBACK_CACHE |
			FUSE_CAP_POSIX_ACL | FUSE_CAP_DONT_MASK | FUSE_CAP_SPLICE_READ |
			FUSE_CAP_ATOMIC_O_TRUNC);
}

/* The root is not counted: the mount itself holds it. */
static void forget_one(struct sockfs_session *s, fuse_ino_t ino, uint64_t nlookup)
{
	struct inode *inode = ino == FUSE_ROOT_ID ? NULL : ilookup(s->sb, ino);

	if (inode != NULL)
		inode_forget(inode, nlookup);
}

static void ll_forget(fuse_req_t req, fuse_ino_t ino, uint64_t nlookup)
{
	forget_one(req_session(req), ino, nlookup);
	fuse_reply_none(req);
}

/* A long list of numbers to forget, in the buffer that it came in. */
struct forget_work {
	struct work_struct work;
	struct sockfs_session *session;
	char *buf;
	uint32_t slot; /* with a ledger: its place there, with how many are done */
	size_t next, count;
	const struct fuse_forget_data *list;
};

/* More than that do not fit into one transaction for sure. */
#define FORGET_MAX 4096u

/* As many of the @count numbers as one turn allows; returns how many. */
static size_t forget_some(struct sockfs_session *s, size_t count,
			  const struct fuse_forget_data *list)
{
	uint64_t begin = work_begin();
	size_t i = 0;

	count = min(count, (size_t)FORGET_MAX);
	while (i < count && (i == 0 || !work_is_over(begin))) {
		forget_one(s, list[i].ino, list[i].nlookup);
		i++;
	}
	return i;
}

static void forget_end(struct forget_work *fw)
{
	if (fw->slot != 0)
		slot_release(fw->session, fw->slot);
	else
		session_put_buf(fw->session, fw->buf);
	free(fw);
}

static void forget_on(struct work_struct *work)
{
	struct forget_work *fw = container_of(work, struct forget_work, work);
	struct sockfs_session *s = fw->session;

	do
		fw->next += forget_some(s, fw->count - fw->next, fw->list + fw->next);
	while (fw->next < fw->count && !schedule_work(s->sb, work));
	if (fw->next == fw->count)
		forget_end(fw);
	else
		slot_progress(fw->slot, fw->next);
}

/* Have those from @next on forgotten in the next turns. False: it has to be done at once. */
static bool forget_later(struct sockfs_session *s, size_t next, size_t count,
			 const struct fuse_forget_data *list)
{
	struct forget_work *fw = should_failslab() ? NULL : malloc(sizeof(*fw));
	char *buf;

	if (fw == NULL)
		return false;
	*fw = (struct forget_work){
		.work.func = forget_on, .session = s, .next = next, .count = count, .list = list};
	if (!schedule_work(s->sb, &fw->work)) {
		free(fw);
		return false;
	}
	buf = session_take_buf(s);
	if (buf == NULL) {
		cancel_work(s->sb, &fw->work);
		free(fw);
		return false;
	}
	fw->buf = buf;
	fw->slot = s->slot != 0 ? s->slot : slot_take_message(buf);
	slot_progress(fw->slot, next);
	return true;
}

/*
 * The kernel sends tens of thousands at once when it is short of memory. Some of them may be
 * done, by a process that has died.
 */
static void ll_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
	struct sockfs_session *s = req_session(req);
	size_t next = s->slot != 0 ? *slot_done(s->slot) : 0;
	bool later = false;

	if (count > s->len || !session_in_message(s, forgets, count * sizeof(*forgets)))
		count = 0;
	while (next < count && !later) {
		next += forget_some(s, count - next, forgets + next);
		later = next < count && forget_later(s, next, count, forgets);
	}
	if (!later)
		slot_release(s, s->slot);
	fuse_reply_none(req);
}

const struct fuse_lowlevel_ops sockfs_ll_ops = {
	.init = ll_init,
	.lookup = ll_lookup,
	.forget = ll_forget,
	.forget_multi = ll_forget_multi,
	.getattr = ll_getattr,
	.setattr = ll_setattr,
	.readlink = ll_readlink,
	.mknod = ll_mknod,
	.mkdir = ll_mkdir,
	.unlink = ll_unlink,
	.rmdir = ll_rmdir,
	.symlink = ll_symlink,
	.rename = ll_rename,
	.link = ll_link,
	.create = ll_create,
	.open = ll_open,
	.read = ll_read,
	.write = ll_write,
	.release = ll_release,
	.fsync = ll_fsync,
	.ioctl = ll_ioctl,
	.poll = ll_poll,
	.opendir = ll_opendir,
	.readdir = ll_readdir,
	.readdirplus = ll_readdirplus,
	.releasedir = ll_release,
	.statfs = ll_statfs,
	.setxattr = ll_setxattr,
	.getxattr = ll_getxattr,
	.listxattr = ll_listxattr,
	.removexattr = ll_removexattr,
};
