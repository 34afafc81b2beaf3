/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The device of a mount for the service manager: see store.h.
 *
 * systemd knows the service by the process that sends, so it has to live until the message has been
 * read: hence the barrier, a pipe whose other end systemd closes when it comes to it.
 */
#include "config.h"

#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/scm.h"

#define BARRIER_MS 10000

/* A socket that is connected to the manager, or -errno. */
static int manager_connect(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	size_t len = path != NULL ? strlen(path) : 0;
	int fd, err;

	if (len < 2 || (path[0] != '/' && path[0] != '@'))
		return -EDESTADDRREQ;
	if (len >= sizeof(sun.sun_path))
		return -ENAMETOOLONG;
	memcpy(sun.sun_path, path, len);
	if (path[0] == '@')
		sun.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&sun, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) != 0) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

/* @text and the descriptor @passed. 0 or -errno. */
static int say(int manager, const char *text, int passed)
{
	return scm_send(manager, text, strlen(text), &passed, 1, 0);
}

/* Until all that has been said is read. */
static int wait_until_read(int manager)
{
	struct pollfd pfd;
	int fds[2], err;

	if (pipe2(fds, O_CLOEXEC) != 0)
		return -errno;
	err = say(manager, "BARRIER=1", fds[1]);
	close(fds[1]);
	pfd = (struct pollfd){.fd = fds[0]};
	if (err == 0 && poll(&pfd, 1, BARRIER_MS) != 1)
		err = -ETIMEDOUT;
	close(fds[0]);
	return err;
}

int store_descriptor(int fd)
{
	int manager = manager_connect();
	int err = manager < 0 ? manager : 0;

	if (err == 0)
		err = say(manager, "FDSTORE=1\nFDNAME=fuse", fd);
	if (err == 0)
		err = wait_until_read(manager);
	if (manager >= 0)
		close(manager);
	if (err == -EDESTADDRREQ)
		pr_err("--store: there is no service manager (NOTIFY_SOCKET)");
	else if (err != 0)
		pr_err("--store: the service manager: %s", strerror(-err));
	return err;
}
