/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The process that unmounts: see unmounter.h. */
#include "config.h"

#include "priv/unmounter.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/mountinfo.h"
#include "super/title.h"

#define ANSWER_MS 10000

/* What it may be asked; the end of its socket is the first as well. */
enum { UNMOUNT = 'u', NOTHING = '-' };

static int ask_fd = -1;
static const char *where;
static unsigned int dev[2]; /* major and minor number of what is mounted; 0, 0: not known */

/* ------------------------------------------------------------------ which mount it is */

/*
 * What lies on top at @where: 0 and its device, or -ENOENT when that is no sockfs. It asks
 * nobody who serves a mount. (Numbers of devices are used again, by the next mount of any type.)
 */
static int find_mount(unsigned int ret_dev[2])
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	struct mountinfo m;
	char *line = NULL;
	size_t size = 0;
	int err = -ENOENT;

	while (f != NULL && mountinfo_next(f, &line, &size, &m)) {
		if (strcmp(m.place, where) != 0)
			continue;
		ret_dev[0] = m.major;
		ret_dev[1] = m.minor;
		err = strcmp(m.type, "fuse.sockfs") == 0 ? 0 : -ENOENT;
	}
	free(line);
	if (f != NULL)
		fclose(f);
	return err;
}

bool unmounter_sees_mount(void)
{
	unsigned int now[2];

	return where != NULL && find_mount(now) == 0 && memcmp(now, dev, sizeof(dev)) == 0;
}

/* --------------------------------------------------------------------- the process */

/* Nothing of the others is kept: not their folder, terminal or descriptors. */
static void let_go(int fd, bool quiet)
{
	int null;

	setsid();
	if (chdir("/") != 0)
		pr_warn("cannot leave the current directory: %s", strerror(errno));
	if (quiet) {
		null = open("/dev/null", O_RDWR | O_CLOEXEC);
		log_set_target(LOG_TARGET_SYSLOG);
		for (int std = STDIN_FILENO; null >= 0 && std <= STDERR_FILENO; std++)
			dup2(null, std);
	}
	/* They would keep the mount's device and whoever waits for their end. */
	if (fd > STDERR_FILENO + 1)
		close_range(STDERR_FILENO + 1, (unsigned int)fd - 1, 0);
	close_range((unsigned int)fd + 1, ~0u, 0);
}

static _Noreturn void unmounter_main(int fd, void (*unmount)(void *arg), void *arg, bool quiet)
{
	char text[PATH_MAX + 32], c = 0;
	ssize_t n;

	let_go(fd, quiet);
	snprintf(text, sizeof(text), "sockfs: unmounter of %s", where);
	title_set("sockfs-umount", text);
	do
		n = read(fd, &c, 1);
	while (n < 0 && errno == EINTR);
	if ((n != 1 || c == UNMOUNT) && unmounter_sees_mount())
		unmount(arg);
	(void)send(fd, &c, 1, MSG_NOSIGNAL);
	_exit(0);
}

/* A grandchild, so that nobody who waits for a child of his meets it. */
static int fork_away(int fd, void (*unmount)(void *arg), void *arg, bool quiet)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return -errno;
	if (pid == 0) {
		pid = fork();
		if (pid == 0)
			unmounter_main(fd, unmount, arg, quiet);
		_exit(pid < 0 ? errno : 0);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EIO;
}

int unmounter_start(const char *mountpoint, void (*unmount)(void *arg), void *arg, bool quiet)
{
	int pair[2], err;

	where = mountpoint;
	err = find_mount(dev);
	if (err != 0)
		return err;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return -errno;
	err = fork_away(pair[1], unmount, arg, quiet);
	close(pair[1]);
	if (err == 0)
		ask_fd = pair[0];
	else
		close(pair[0]);
	return err;
}

bool unmounter_ask(bool still_there)
{
	struct pollfd pfd = {.fd = ask_fd, .events = POLLIN};
	char c = still_there ? UNMOUNT : NOTHING;

	return ask_fd >= 0 && send(ask_fd, &c, 1, MSG_NOSIGNAL) == 1 &&
	       poll(&pfd, 1, ANSWER_MS) == 1 && recv(ask_fd, &c, 1, MSG_DONTWAIT) == 1;
}

int unmounter_adopt(int fd, const char *mountpoint)
{
	int err;

	where = mountpoint;
	err = find_mount(dev);
	if (err == 0)
		ask_fd = fd;
	return err;
}

int unmounter_fd(void)
{
	return ask_fd;
}
