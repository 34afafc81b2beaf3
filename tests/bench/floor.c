/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * floor: a FUSE file system that answers at once: the limit of what any daemon
 * on this libfuse can do, for `make bench`.
 *
 *	floor --notify-fd=N -f MOUNTPOINT
 *
 * "data" gives as many zeros as are asked for and takes all that is written;
 * "lNUMBER" ends after NUMBER bytes. "fNUMBER" can be created and removed, a
 * bit each is all that is remembered. Files are opened as sockfs opens them:
 * direct I/O, no position. One thread, libfuse's own loop.
 */
#include "config.h"

#define FUSE_USE_VERSION 35
#include <fuse_lowlevel.h>

#include <errno.h>
#include <linux/fuse.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FLOOR_IO (1u << 20)
#define FLOOR_FILES (1u << 26)
#define FLOOR_DATA 2u
#define FLOOR_LIMITED (1u << 28) /* | MiB */
#define FLOOR_FIRST 16u		 /* fNUMBER is FLOOR_FIRST + NUMBER */
#define FLOOR_VALID 3600.0

#ifndef FOPEN_STREAM
#define FOPEN_STREAM (1 << 4)
#endif

static char zeros[FLOOR_IO];
static uint8_t exists[FLOOR_FILES / 8];

/* The number of the file @name, or 0; files come and go, the others are always there. */
static fuse_ino_t name_to_ino(const char *name)
{
	char *end;
	unsigned long n;

	if (strcmp(name, "data") == 0)
		return FLOOR_DATA;
	if (name[0] != 'f' && name[0] != 'l')
		return 0;
	n = strtoul(name + 1, &end, 10);
	if (*end != '\0' || end == name + 1)
		return 0;
	if (name[0] == 'l')
		return FLOOR_LIMITED | (n >> 20);
	return n < FLOOR_FILES ? FLOOR_FIRST + n : 0;
}

static bool is_file(fuse_ino_t ino)
{
	return ino >= FLOOR_FIRST && ino < FLOOR_LIMITED;
}

static void fill(fuse_ino_t ino, struct fuse_entry_param *e)
{
	*e = (struct fuse_entry_param){
		.ino = ino,
		.attr_timeout = FLOOR_VALID,
		.entry_timeout = FLOOR_VALID,
		.attr = { .st_ino = ino, .st_nlink = 1, .st_mode = S_IFREG | 0644 },
	};
	e->attr.st_uid = getuid();
	e->attr.st_gid = getgid();
	e->attr.st_blksize = FLOOR_IO;
	if (ino == FUSE_ROOT_ID)
		e->attr.st_mode = S_IFDIR | 0755;
}

static void floor_init(void *userdata, struct fuse_conn_info *conn)
{
	(void)userdata;
	conn->max_write = FLOOR_IO;
	conn->want &= ~(unsigned int)FUSE_CAP_SPLICE_READ;
}

static void floor_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	fuse_ino_t ino = name_to_ino(name), n = ino - FLOOR_FIRST;
	struct fuse_entry_param e;

	(void)parent;
	if (ino == 0 || (is_file(ino) && !(exists[n / 8] & 1u << n % 8))) {
		fuse_reply_err(req, ENOENT);
		return;
	}
	fill(ino, &e);
	fuse_reply_entry(req, &e);
}

static void floor_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct fuse_entry_param e;

	(void)fi;
	fill(ino, &e);
	fuse_reply_attr(req, &e.attr, FLOOR_VALID);
}

/* The file @name is there from now on; its number, or 0. */
static fuse_ino_t make_file(const char *name)
{
	fuse_ino_t ino = name_to_ino(name), n = ino - FLOOR_FIRST;

	if (!is_file(ino))
		return 0;
	exists[n / 8] |= (uint8_t)(1u << n % 8);
	return ino;
}

static void floor_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
			dev_t rdev)
{
	fuse_ino_t ino = make_file(name);
	struct fuse_entry_param e;

	(void)parent;
	(void)mode;
	(void)rdev;
	fill(ino, &e);
	if (ino == 0)
		fuse_reply_err(req, EPERM);
	else
		fuse_reply_entry(req, &e);
}

/* The body of the reply by hand: libfuse has no field for FOPEN_STREAM. */
static struct fuse_open_out opened(fuse_ino_t ino)
{
	struct fuse_open_out out = {
		.open_flags = FOPEN_DIRECT_IO | FOPEN_STREAM | FOPEN_NONSEEKABLE,
	};
	uint64_t *left;

	if (ino >= FLOOR_LIMITED) {
		left = malloc(sizeof(*left));
		if (left != NULL)
			*left = (uint64_t)(ino & (FLOOR_LIMITED - 1)) << 20;
		out.fh = (uintptr_t)left;
	}
	return out;
}

static void floor_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
			 struct fuse_file_info *fi)
{
	struct {
		struct fuse_entry_out entry;
		struct fuse_open_out open;
	} out = { .entry = { .entry_valid = 3600, .attr_valid = 3600 } };
	fuse_ino_t ino = make_file(name);

	(void)parent;
	(void)mode;
	(void)fi;
	if (ino == 0) {
		fuse_reply_err(req, EPERM);
		return;
	}
	out.entry.nodeid = ino;
	out.entry.attr.ino = ino;
	out.entry.attr.nlink = 1;
	out.entry.attr.mode = S_IFREG | 0644;
	out.entry.attr.uid = getuid();
	out.entry.attr.gid = getgid();
	out.entry.attr.blksize = FLOOR_IO;
	out.open = opened(ino);
	fuse_reply_buf(req, (const char *)&out, sizeof(out));
}

static void floor_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	fuse_ino_t ino = name_to_ino(name), n = ino - FLOOR_FIRST;

	(void)parent;
	if (is_file(ino))
		exists[n / 8] &= (uint8_t) ~(1u << n % 8);
	fuse_reply_err(req, is_file(ino) ? 0 : EPERM);
}

static void floor_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct fuse_open_out out = opened(ino);

	(void)fi;
	fuse_reply_buf(req, (const char *)&out, sizeof(out));
}

static void floor_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		       struct fuse_file_info *fi)
{
	uint64_t *left = (uint64_t *)(uintptr_t)fi->fh;

	(void)ino;
	(void)off;
	if (size > FLOOR_IO)
		size = FLOOR_IO;
	if (left != NULL) {
		if (size > *left)
			size = (size_t)*left;
		*left -= size;
	}
	fuse_reply_buf(req, zeros, size);
}

static void floor_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size, off_t off,
			struct fuse_file_info *fi)
{
	(void)ino;
	(void)buf;
	(void)off;
	(void)fi;
	fuse_reply_write(req, size);
}

static void floor_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	free((void *)(uintptr_t)fi->fh);
	fuse_reply_err(req, 0);
}

static const struct fuse_lowlevel_ops floor_ops = {
	.init = floor_init,
	.lookup = floor_lookup,
	.getattr = floor_getattr,
	.mknod = floor_mknod,
	.create = floor_create,
	.unlink = floor_unlink,
	.open = floor_open,
	.read = floor_read,
	.write = floor_write,
	.release = floor_release,
};

static int serve(struct fuse_session *se, const char *mountpoint, int notify_fd)
{
	int err = 1;

	if (fuse_set_signal_handlers(se) != 0)
		return 1;
	if (fuse_session_mount(se, mountpoint) == 0) {
		/* Requests wait in the kernel from here on. */
		err = write(notify_fd, "\n", 1) == 1 ? 0 : 1;
		close(notify_fd);
		if (err == 0)
			err = fuse_session_loop(se) >= 0 ? 0 : 1; /* above: the signal */
		fuse_session_unmount(se);
	}
	fuse_remove_signal_handlers(se);
	return err;
}

int main(int argc, char **argv)
{
	char *fuse_argv[] = { argv[0],
			      (char *)"-osubtype=sockfs-floor,fsname=floor,default_permissions",
			      NULL };
	struct fuse_args args = FUSE_ARGS_INIT(2, fuse_argv);
	struct fuse_session *se;
	int status;

	if (argc != 4 || strncmp(argv[1], "--notify-fd=", 12) != 0 || strcmp(argv[2], "-f") != 0) {
		fputs("usage: floor --notify-fd=N -f MOUNTPOINT\n", stderr);
		return 2;
	}
	se = fuse_session_new(&args, &floor_ops, sizeof(floor_ops), NULL);
	if (se == NULL)
		return 1;
	status = serve(se, argv[3], atoi(argv[1] + 12));
	fuse_session_destroy(se);
	fuse_opt_free_args(&args);
	return status;
}
