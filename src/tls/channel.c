/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control channel, the helper's end. */
#include "config.h"

#include "tls/channel.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/util.h"

#define TURN_MAX 16 /* messages at once; connections wait meanwhile */

static uv_poll_t channel;
static int channel_fd = -1;
static channel_msg_t *handle_msg;
static channel_end_t *handle_end;
static struct tls_msg incoming;

/* The descriptors that came along. What does not belong to any message is closed. */
static int take_fds(struct msghdr *hdr, int *fds)
{
	int n = 0, all[CHANNEL_FDS * 2];

	for (size_t i = 0; i < CHANNEL_FDS; i++)
		fds[i] = -1;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(hdr); c != NULL; c = CMSG_NXTHDR(hdr, c)) {
		int have = (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		have = min(have, (int)ARRAY_SIZE(all));
		memcpy(all, CMSG_DATA(c), (size_t)have * sizeof(int));
		for (int i = 0; i < have; i++) {
			if (n < CHANNEL_FDS)
				fds[n++] = all[i];
			else
				close(all[i]);
		}
	}
	return n;
}

static void end(int err)
{
	channel_stop();
	handle_end(err);
}

/* One message: false when there is none now, or never again. */
static bool receive(void)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int) * CHANNEL_FDS)];
	} control;
	struct iovec iov = {&incoming, sizeof(incoming)};
	struct msghdr hdr = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
			     .msg_controllen = sizeof(control)};
	int fds[CHANNEL_FDS];
	ssize_t n = recvmsg(channel_fd, &hdr, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	int err;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		end(n == 0 ? 0 : -errno);
		return false;
	}
	(void)take_fds(&hdr, fds);
	err = hdr.msg_flags & MSG_TRUNC ? -EPROTO : tls_msg_check(&incoming, (size_t)n);
	if (err != 0) {
		for (size_t i = 0; i < CHANNEL_FDS; i++)
			if (fds[i] >= 0)
				close(fds[i]);
		end(err);
		return false;
	}
	handle_msg(&incoming, fds);
	return channel_fd >= 0;
}

static void on_channel(uv_poll_t *handle, int status, int events)
{
	(void)handle;
	(void)events;
	if (status < 0) {
		end(0);
		return;
	}
	for (int i = 0; i < TURN_MAX && uv_is_active((uv_handle_t *)&channel); i++)
		if (!receive())
			return;
}

int channel_init(uv_loop_t *loop, int fd, channel_msg_t *on_msg, channel_end_t *on_end)
{
	socklen_t len = sizeof(int);
	int err, type;

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) != 0)
		return -errno;
	if (type != SOCK_SEQPACKET)
		return -EPROTOTYPE;
	err = uv_poll_init(loop, &channel, fd);
	if (err != 0)
		return err;
	channel_fd = fd;
	handle_msg = on_msg;
	handle_end = on_end;
	return uv_poll_start(&channel, UV_READABLE, on_channel);
}

void channel_stop(void)
{
	if (!uv_is_closing((uv_handle_t *)&channel))
		uv_close((uv_handle_t *)&channel, NULL);
}

void channel_exit(void)
{
	close(channel_fd);
	channel_fd = -1;
}

void channel_send(const struct tls_msg *msg)
{
	struct pollfd pfd = {.fd = channel_fd, .events = POLLOUT};

	while (send(channel_fd, msg, msg->head.len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
		if (errno == EAGAIN)
			poll(&pfd, 1, -1);
		else if (errno != EINTR)
			return; /* the daemon is gone; the channel tells, too */
	}
}
