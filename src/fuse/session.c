/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A session of libfuse on the loop: its beginning and its end. Mounting is in mount.c,
 * receiving in turn.c.
 */
#include "config.h"

#include "fuse/session_i.h"

#include <errno.h>
#include <fcntl.h>
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

static void session_free(struct session_impl *si)
{
	struct sockfs_session *s = &si->s;

	if (s->se != NULL)
		fuse_session_destroy(s->se);
	reply_pipe_close(&s->pipe);
	session_free_bufs(s);
	free(si);
}

struct sockfs_session *sockfs_session_new(uv_loop_t *loop, struct super_block *sb,
					  struct fuse_args *args,
					  const struct sockfs_session_events *events)
{
	struct session_impl *si = calloc(1, sizeof(*si));
	struct sockfs_session *s;

	if (si == NULL)
		goto no_memory;
	s = &si->s;
	si->loop = loop;
	si->events = *events;
	s->sb = sb;
	s->pipe = (struct reply_pipe){.to.fd = -1, .from = -1};
	TAILQ_INIT(&s->bulk);
	s->iocb_cache = kmem_cache_create("fuse_iocb", sizeof(struct fuse_iocb), 0,
					  SLAB_HWCACHE_ALIGN, NULL);
	if (s->iocb_cache == NULL || session_alloc_bufs(s) != 0)
		goto free_session;

	s->se = session_new_fuse(args, &sockfs_ll_ops, s);
	if (s->se == NULL)
		goto destroy_cache;
	sb->s_inval_attr = inval_attr;
	sb->s_fs_info = s;
	return s;

destroy_cache:
	kmem_cache_destroy(s->iocb_cache);
	session_free(si);
	return NULL;
free_session:
	kmem_cache_destroy(s->iocb_cache);
	session_free(si);
no_memory:
	pr_err("%s", strerror(ENOMEM));
	return NULL;
}

void sockfs_session_tune(struct sockfs_session *s, const struct sockfs_tuning *tuning)
{
	int err = 0;

	impl(s)->spin_us = spin_may_pay() ? tuning->spin_us : 0;
	if (tuning->pipe_size > 0)
		err = reply_pipe_open(&s->pipe, tuning->pipe_size);
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

void sockfs_session_stop(struct sockfs_session *s)
{
	struct session_impl *si = impl(s);
	struct file *file;
	uint64_t pos = 0;
	bool wait;

	if (si->stopped)
		return;
	si->stopped = true;
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
	fuse_session_exit(s->se);
	s->got_init = false;
	fuse_session_unmount(s->se);
}

int sockfs_session_destroy(struct sockfs_session *s)
{
	int err;

	if (s == NULL)
		return 0;
	err = kmem_cache_destroy(s->iocb_cache);
	if (s->sb->s_fs_info == s) {
		s->sb->s_fs_info = NULL;
		s->sb->s_inval_attr = NULL;
		s->sb->s_prune = NULL;
	}
	session_free(impl(s));
	return err;
}

size_t sockfs_session_parked(const struct sockfs_session *s)
{
	return s->sb->s_waiting.count;
}
