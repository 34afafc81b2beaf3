/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Large reads without a copy of ours. See reply_pipe.h.
 */
#include "config.h"

#include "fuse/reply_pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib/log.h"

#define HEAD sizeof(struct fuse_out_header)

/* Lend the header to the empty pipe. */
static int pipe_arm(const struct reply_pipe *p)
{
	struct iovec iov = {.iov_base = p->head, .iov_len = HEAD};
	ssize_t n = vmsplice(p->to.fd, &iov, 1, SPLICE_F_NONBLOCK);

	if (n < 0)
		return -errno;
	return n == (ssize_t)HEAD ? 0 : -EIO;
}

/* As large as allowed, up to @size; 0 or -errno. */
static int pipe_resize(int fd, size_t size)
{
	while (fcntl(fd, F_SETPIPE_SZ, (int)size) < 0) {
		if (errno != EPERM && errno != ENOMEM)
			return -errno;
		size /= 2;
		if (size < REPLY_PIPE_MIN)
			return -EPERM;
	}
	return 0;
}

static int pipe_make(struct reply_pipe *p)
{
	int fds[2];
	int err;

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0)
		return -errno;
	p->from = fds[0];
	p->to.fd = fds[1];
	err = pipe_resize(p->to.fd, p->size);
	if (err == 0)
		err = pipe_arm(p);
	return err;
}

static void pipe_drop(struct reply_pipe *p)
{
	if (p->to.fd >= 0)
		close(p->to.fd);
	if (p->from >= 0)
		close(p->from);
	p->to.fd = -1;
	p->from = -1;
}

int reply_pipe_open(struct reply_pipe *p, size_t size)
{
	int err;

	*p = (struct reply_pipe){.to.fd = -1, .from = -1, .size = size};
	if (size < REPLY_PIPE_MIN)
		return -EINVAL;
	/* Shared, so that no copy-on-write ever parts the pipe's page from ours. */
	p->head = mmap(NULL, HEAD, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p->head == MAP_FAILED) {
		p->head = NULL;
		return -errno;
	}
	*p->head = (struct fuse_out_header){0};
	err = pipe_make(p);
	if (err != 0)
		reply_pipe_close(p);
	return err;
}

void reply_pipe_close(struct reply_pipe *p)
{
	pipe_drop(p);
	if (p->head != NULL)
		munmap(p->head, HEAD);
	p->head = NULL;
}

/* What is in it belongs to an answer that is over; the next one needs it clean. */
static void pipe_replace(struct reply_pipe *p)
{
	int err;

	pipe_drop(p);
	err = pipe_make(p);
	if (err == 0)
		return;
	pipe_drop(p);
	pr_warn("no new pipe, large reads are copied from now on: errno %d", -err);
}

/* The device has not taken the message out of the pipe: send it by write(2). */
static int send_copy(const struct reply_pipe *p, int dev, size_t len, char *buf)
{
	size_t got = 0;
	ssize_t n;

	while (got < len) {
		n = read(p->from, buf + got, len - got);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		got += (size_t)n;
	}
	n = write(dev, buf, len);
	return n < 0 ? -errno : 0;
}

int reply_pipe_send(struct reply_pipe *p, int dev, uint64_t unique, size_t n, char *buf)
{
	size_t len = HEAD + n;
	ssize_t sent;
	int left = 0, err = 0;

	*p->head = (struct fuse_out_header){.len = (uint32_t)len, .unique = unique};
	do
		sent = splice(p->from, NULL, dev, NULL, len, SPLICE_F_MOVE);
	while (sent < 0 && errno == EINTR);
	if (sent < 0) {
		err = -errno;
		/* All or nothing: a refused message is gone as well as a taken one. */
		if (ioctl(p->from, FIONREAD, &left) == 0 && (size_t)left == len)
			err = send_copy(p, dev, len, buf);
	}
	p->spoilt = sent >= 0 && (size_t)sent != len;
	return p->spoilt ? -EIO : err;
}

void reply_pipe_ready(struct reply_pipe *p)
{
	if (p->spoilt || pipe_arm(p) != 0)
		pipe_replace(p);
	p->spoilt = false;
}
