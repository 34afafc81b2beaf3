/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * unix(7): bytes, and a descriptor in SCM_RIGHTS.
 */
#include "config.h"

#include "run/sync.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/scm.h"

int sync_tell(int fd)
{
	return send(fd, "", 1, MSG_NOSIGNAL) != 1 ? -errno : 0;
}

int sync_wait(int fd)
{
	ssize_t n;
	char c;

	do
		n = recv(fd, &c, 1, 0);
	while (n < 0 && errno == EINTR);
	return n == 1 ? 0 : -EPIPE;
}

int sync_send(int fd, pid_t pid, int passed)
{
	return scm_send(fd, &pid, sizeof(pid), &passed, 1, 0);
}

int sync_receive(int fd, pid_t *ret_pid, int *ret_passed)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = {ret_pid, sizeof(*ret_pid)};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf),
	};
	struct cmsghdr *cmsg;
	ssize_t n;

	do
		n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	cmsg = n == (ssize_t)sizeof(*ret_pid) ? CMSG_FIRSTHDR(&msg) : NULL;
	if (cmsg == NULL || cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
		return -EPIPE;
	memcpy(ret_passed, CMSG_DATA(cmsg), sizeof(*ret_passed));
	return 0;
}
