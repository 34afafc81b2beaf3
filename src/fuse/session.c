/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A session of libfuse on the loop: its beginning and its end. Mounting is in mount.c,
 * receiving in turn.c.
 */
#include "config.h"

#include "fuse/session_i.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "mm/slab.h"

static void inval_attr(struct super_block *sb, struct inode *inode)
{
	struct sockfs_session *s = sb->s_fs_info;

	/* Takes no lock of the inode, unlike the notices about names: cannot deadlock. */
	if (s->got_init && (inode->i_nlookup > 0 || inode->i_nodeid == FUSE_ROOT_ID))
		fuse_lowlevel_notify_inval_inode(s->se, inode->i_nodeid, -1, 0);
}

static void commit(struct super_block *sb)
{
	struct sockfs_session *s = sb->s_fs_info;

	if (!s->in_message)
		session_flush(s);
}

static void session_free(struct session_impl *si)
{
	struct sockfs_session *s = &si->s;

	if (s->se != NULL)
		fuse_session_destroy(s->se);
	reply_pipe_close(&s->pipe);
	settle_drop(s);
	session_free_bufs(s);
	slots_forget();
	free(si);
}

struct sockfs_session *sockfs_session_new(struct fuse_args *args)
{
	struct session_impl *si = calloc(1, sizeof(*si));
	struct sockfs_session *s;

	if (si == NULL) {
		pr_err("%s", strerror(ENOMEM));
		return NULL;
	}
	s = &si->s;
	s->pipe = (struct reply_pipe){.to.fd = -1, .from = -1};
	TAILQ_INIT(&s->bulk);
	s->se = session_new_fuse(args, &sockfs_ll_ops, s);
	if (s->se == NULL) {
		session_free(si);
		return NULL;
	}
	return s;
}

int sockfs_session_attach(struct sockfs_session *s, uv_loop_t *loop, struct super_block *sb,
			  const struct sockfs_session_events *events)
{
	struct session_impl *si = impl(s);

	s->iocb_cache = kmem_cache_create("fuse_iocb", sizeof(struct fuse_iocb), 0,
					  SLAB_HWCACHE_ALIGN, NULL);
	if (s->iocb_cache == NULL || (s->buf == NULL && session_alloc_bufs(s) != 0)) {
		pr_err("%s", strerror(ENOMEM));
		return -ENOMEM;
	}
	si->loop = loop;
	si->events = *events;
	s->sb = sb;
	sb->s_inval_attr = inval_attr;
	sb->s_commit = commit;
	sb->s_fs_info = s;
	if (ledger != NULL)
		ledger->dev_fd = fuse_session_fd(s->se);
	return 0;
}

size_t sockfs_session_buf_size(void)
{
	return SESSION_BUF_SIZE + SESSION_BUF_PAD;
}

void sockfs_session_tune(struct sockfs_session *s, const struct sockfs_tuning *tuning)
{
	int err = 0;

	impl(s)->spin_us = spin_may_pay() ? tuning->spin_us : 0;
	if (tuning->pipe_size > 0)
		err = reply_pipe_open(&s->pipe, tuning->pipe_size);
	keep_pipe(s);
	if (err != 0)
		pr_info("large reads are copied: no pipe of %zu bytes: %s", tuning->pipe_size,
			strerror(-err));
}

int sockfs_session_start(struct sockfs_session *s)
{
	struct session_impl *si = impl(s);
	int fd = fuse_session_fd(s->se);
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	return turn_start(si, fd);
}

/* Everybody who waits here is told. */
static void stop_serving(struct session_impl *si)
{
	struct sockfs_session *s = &si->s;
	struct file *file;
	uint64_t pos = 0;
	bool wait;

	turn_stop(si);
	wait = s->sb->s_waiting.count > 0;
	iocb_cancel(s, NULL, -ESHUTDOWN);
	/* What no request waits for: numbers to forget. */
	while (run_work(s->sb))
		;
	while ((file = idtable_next(&s->sb->s_files, &pos)) != NULL)
		poll_reply(&file->f_poll);
	if (s->got_init && !si->ended)
		session_refuse(s, wait);
}

int sockfs_session_fd(const struct sockfs_session *s)
{
	return fuse_session_fd(s->se);
}

void sockfs_session_set_unmount(struct sockfs_session *s, bool (*unmount)(bool still_there))
{
	impl(s)->unmount = unmount;
}

/*
 * The device becomes a pipe that nobody reads: so its connection ends before the unmount, as
 * in libfuse's own, and libfuse takes it for one that is unmounted, with nothing left to do.
 */
static int sever(int fd)
{
	int fds[2], err = 0;

	if (pipe2(fds, O_CLOEXEC) != 0)
		return -errno;
	close(fds[0]);
	if (dup3(fds[1], fd, O_CLOEXEC) < 0)
		err = -errno;
	close(fds[1]);
	return err;
}

/* @may: this process has the right to do it by itself, should nobody else be there. */
static void session_unmount(struct session_impl *si, bool may)
{
	struct fuse_session *se = si->s.se;
	int null;

	if (si->unmount != NULL && session_is_severed(fuse_session_fd(se))) {
		(void)si->unmount(false);
	} else if (si->unmount != NULL && sever(fuse_session_fd(se)) == 0 && !si->unmount(true) && may) {
		/* libfuse goes by what the descriptor says. */
		null = open("/dev/null", O_RDONLY | O_CLOEXEC);
		dup3(null, fuse_session_fd(se), O_CLOEXEC);
		close(null);
	}
	mount_take_down(&si->s);
}

void sockfs_session_stop(struct sockfs_session *s)
{
	struct session_impl *si = impl(s);

	if (si->stopped)
		return;
	si->stopped = true;
	/* From here on there is nothing that somebody else could go on with. */
	if (ledger != NULL)
		ledger->ending = 1;
	if (s->sb != NULL)
		stop_serving(si);
	fuse_session_exit(s->se);
	s->got_init = false;
	session_unmount(si, si->unmount == NULL);
}

int sockfs_session_destroy(struct sockfs_session *s)
{
	int err;

	if (s == NULL)
		return 0;
	err = kmem_cache_destroy(s->iocb_cache);
	if (s->sb != NULL && s->sb->s_fs_info == s) {
		s->sb->s_fs_info = NULL;
		s->sb->s_inval_attr = NULL;
		s->sb->s_commit = NULL;
		s->sb->s_prune = NULL;
	}
	session_free(impl(s));
	return err;
}

void sockfs_session_abandon(struct sockfs_session *s)
{
	session_unmount(impl(s), true);
}

size_t sockfs_session_parked(const struct sockfs_session *s)
{
	return s->sb->s_waiting.count;
}
