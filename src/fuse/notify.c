/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Notices to the kernel that libfuse has no function for.
 *
 * Each is written by the one thread while the kernel may wait for us with a
 * directory's lock, so only those are here that take no such lock. One that
 * asks to drop a *name* (FUSE_NOTIFY_INVAL_ENTRY) does, and is not.
 */
#include "config.h"

#include "fuse/fuse_i.h"

#include <errno.h>
#include <linux/fuse.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib/log.h"

/* Linux 6.18, protocol 7.45; linux/fuse.h may be older than the kernel. */
#define NOTIFY_PRUNE 9
#define NOTIFY_PRUNE_MINOR 45

struct notify_prune_out {
	uint32_t count;
	uint32_t padding;
	uint64_t spare;
};

/*
 * fs/fuse/dev.c: fuse_notify_prune. Drops the names of these inodes that nobody
 * uses, as it would under memory pressure, and sends a FORGET for each.
 */
static void notify_prune(struct super_block *sb, const uint64_t *nodeids, unsigned int n)
{
	struct sockfs_session *s = sb->s_fs_info;
	struct notify_prune_out arg = {.count = n};
	struct fuse_out_header out = {
		.len = (uint32_t)(sizeof(out) + sizeof(arg) + n * sizeof(*nodeids)),
		.error = NOTIFY_PRUNE,
	};
	struct iovec iov[] = {
		{.iov_base = &out, .iov_len = sizeof(out)},
		{.iov_base = &arg, .iov_len = sizeof(arg)},
		{.iov_base = (void *)nodeids, .iov_len = n * sizeof(*nodeids)},
	};

	if (writev(fuse_session_fd(s->se), iov, 3) >= 0)
		return;
	pr_debug("the kernel does not prune: errno %d", errno);
	if (errno == EINVAL)
		sb->s_prune = NULL;
}

void notify_poll(const struct sockfs_session *s, uint64_t kh)
{
	struct {
		struct fuse_out_header head;
		struct fuse_notify_poll_wakeup_out out;
	} msg = {
		.head = {.len = sizeof(msg), .error = FUSE_NOTIFY_POLL},
		.out = {.kh = kh},
	};

	if (write(fuse_session_fd(s->se), &msg, sizeof(msg)) < 0)
		pr_debug("nobody polls any more: errno %d", errno);
}

void notify_init(struct super_block *sb, unsigned int proto_minor)
{
	sb->s_prune = proto_minor >= NOTIFY_PRUNE_MINOR ? notify_prune : NULL;
}
