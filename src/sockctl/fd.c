/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Paths that stand for a descriptor.
 *
 * To open /dev/fd/3 is to open anew what 3 is open on, and for a dialled path
 * that is another connection. So these paths are never opened: the descriptor
 * itself is taken, from whoever it was inherited or from the process named.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sockctl/sockctl.h"

int parse_fd(const char *text)
{
	unsigned long n;

	if (!*text || text[strspn(text, "0123456789")])
		return -1;
	errno = 0;
	n = strtoul(text, NULL, 10);
	return errno || n > INT_MAX ? -1 : (int)n;
}

/* "1234/fd/3", behind /proc. */
static bool parse_process(const char *text, pid_t *ret_pid, int *ret_fd)
{
	const char *slash = strchr(text, '/');
	char pid[16] = "";

	if (!slash || slash - text >= (ptrdiff_t)sizeof(pid) || strncmp(slash, "/fd/", 4) != 0)
		return false;
	memcpy(pid, text, (size_t)(slash - text));
	*ret_pid = parse_fd(pid);
	*ret_fd = parse_fd(slash + 4);
	return *ret_pid > 0 && *ret_fd >= 0;
}

static int own_fd(const char *file)
{
	static const char *const dirs[] = {"/dev/fd/", "/proc/self/fd/", "/proc/thread-self/fd/"};
	static const char *const names[] = {"/dev/stdin", "/dev/stdout", "/dev/stderr"};
	size_t i;

	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		if (strncmp(file, dirs[i], strlen(dirs[i])) == 0)
			return parse_fd(file + strlen(dirs[i]));
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(file, names[i]) == 0)
			return (int)i;
	return -1;
}

/* Whose descriptor, and which, @file stands for. */
static bool parse_name(const char *file, pid_t *ret_pid, int *ret_fd)
{
	*ret_pid = getpid();
	*ret_fd = own_fd(file);
	if (*ret_fd >= 0)
		return true;
	return strncmp(file, "/proc/", 6) == 0 && parse_process(file + 6, ret_pid, ret_fd);
}

bool is_fd_name(const char *file)
{
	pid_t pid;
	int fd;

	return parse_name(file, &pid, &fd);
}

int fd_by_name(const char *file)
{
	int fd, pidfd, err;
	pid_t pid;

	if (!parse_name(file, &pid, &fd))
		return FD_NO_NAME;
	if (pid == getpid())
		return fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0)
		return -1;
	/* Close-on-exec, both. */
	fd = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	err = errno;
	close(pidfd);
	errno = err;
	return fd;
}
