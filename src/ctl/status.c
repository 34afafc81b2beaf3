/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading a control file: the status of its socket, one `key value' a line.
 *
 * The text is made once and kept with the open file, so that one who reads byte
 * by byte does not see two states mixed; reading at offset 0 makes it anew, as
 * in /proc. Twin of fs/seq_file.c.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "mm/slab.h"
#include "net/socket.h"
#include "uapi/info.h"

struct snapshot {
	size_t len;
	char text[];
};

struct asked {
	struct socket *sock;
	int blank; /* as for sock_getsockopt_next */
};

static int get_option(void *arg, struct sockfs_sockopt *opt)
{
	struct asked *a = arg;

	return sock_getsockopt_next(a->sock, opt, &a->blank);
}

static int get_text(void *arg, struct sockfs_text *text)
{
	const struct asked *a = arg;

	return sock_get_text(a->sock, text);
}

static int snapshot_take(struct socket *sock, struct file *file)
{
	struct asked asked = {.sock = sock, .blank = -1};
	char text[INFO_TEXT_MAX];
	struct sockfs_info info;
	struct snapshot *snap;
	size_t len;

	sock_get_info(sock, &info);
	len = info_text(&info, get_option, get_text, &asked, text);
	if (asked.blank >= 0)
		close(asked.blank);
	snap = should_failslab() ? NULL : malloc(sizeof(*snap) + len);
	if (snap == NULL)
		return -ENOMEM;
	snap->len = len;
	memcpy(snap->text, text, len);
	free(file->private_data);
	file->private_data = snap;
	return 0;
}

/* The one that @file has, or a new one. */
static int snapshot_get(struct file *file, bool anew, const struct snapshot **ret_snap)
{
	if (file->private_data == NULL || anew) {
		struct socket *sock = ctl_socket(file->f_inode);
		int err = sock != NULL ? snapshot_take(sock, file) : -ESTALE;

		if (err != 0)
			return err;
	}
	*ret_snap = file->private_data;
	return 0;
}

off_t ctl_size(struct file *file)
{
	const struct snapshot *snap;
	int err = snapshot_get(file, false, &snap);

	return err != 0 ? err : (off_t)snap->len;
}

ssize_t ctl_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	const struct snapshot *snap;
	int err = snapshot_get(iocb->ki_filp, iocb->ki_pos == 0, &snap);

	if (err != 0)
		return err;
	if (iocb->ki_pos >= snap->len)
		return 0;
	return copy_to_iter(snap->text + iocb->ki_pos, snap->len - iocb->ki_pos, to);
}

void ctl_release(struct inode *inode, struct file *file)
{
	(void)inode;
	free(file->private_data);
	file->private_data = NULL;
}
