/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Descriptors over a socket of UNIX: see scm.h. */
#include "config.h"

#include "lib/scm.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

int scm_send(int sock, const void *data, size_t len, const int *fds, size_t nr, int flags)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(SCM_SEND_MAX * sizeof(int))];
	} control = {.room = {0}};
	struct iovec iov = {.iov_base = (void *)data, .iov_len = len};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	if (nr > SCM_SEND_MAX)
		return -EINVAL;
	if (nr > 0) {
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(nr * sizeof(*fds));
		control.head = (struct cmsghdr){.cmsg_len = CMSG_LEN(nr * sizeof(*fds)),
						.cmsg_level = SOL_SOCKET,
						.cmsg_type = SCM_RIGHTS};
		memcpy(CMSG_DATA(&control.head), fds, nr * sizeof(*fds));
	}
	return sendmsg(sock, &msg, flags | MSG_NOSIGNAL) < 0 ? -errno : 0;
}
