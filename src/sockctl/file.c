/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opening socket files, and their ioctls.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "net/info.h"
#include "sockctl/sockctl.h"

static const char *const state_names[] = {
	[SOCKFS_UNCONNECTED] = "unconnected",	  [SOCKFS_CONNECTING] = "connecting",
	[SOCKFS_CONNECTED] = "connected",	  [SOCKFS_LISTENING] = "listening",
	[SOCKFS_DISCONNECTING] = "disconnecting", [SOCKFS_CLOSED] = "closed",
};

#define NR_STATES (sizeof(state_names) / sizeof(state_names[0]))

const char *state_name(unsigned int state)
{
	return state < NR_STATES && state_names[state] ? state_names[state] : "unknown";
}

unsigned int state_by_name(const char *name)
{
	unsigned int i;

	for (i = 1; i < NR_STATES; i++)
		if (strcmp(state_names[i], name) == 0)
			return i;
	return 0;
}

static void not_a_socket(const char *file)
{
	complain("%s: not a sockfs socket", file);
}

/* O_PATH touches nothing: 1 yes, 0 no, -1 with errno. */
static int may_be_socket(const char *file)
{
	struct stat st;
	struct statfs sfs;
	int fd = open(file, O_PATH | O_CLOEXEC);
	int ret = -1, err;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && fstatfs(fd, &sfs) == 0)
		ret = S_ISREG(st.st_mode) && sfs.f_type == FUSE_SUPER_MAGIC;
	err = errno;
	close(fd);
	errno = err;
	return ret;
}

int socket_open(const char *file, int mode, bool either)
{
	int is_socket = may_be_socket(file);
	int fd = -1;

	if (is_socket == 0) {
		not_a_socket(file);
		return -1;
	}
	if (is_socket > 0) {
		fd = open(file, mode | O_CLOEXEC | O_NOCTTY);
		if (fd < 0 && errno == EACCES && either)
			fd = open(file, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	}
	if (fd < 0)
		complain("%s: %s", file, strerror(errno));
	return fd;
}

int socket_ioctl(int fd, const char *file, unsigned long request, void *arg, const char *what,
		 const char *detail)
{
	int ret;

	do
		ret = ioctl(fd, request, arg);
	while (ret < 0 && errno == EINTR);
	if (ret >= 0)
		return EXIT_DONE;
	/* Another FUSE file system, or a control file. */
	if (errno == ENOTTY || errno == ENOSYS)
		not_a_socket(file);
	else
		complain("%s: %s%s%s: %s", file, what, detail ? " " : "", detail ? detail : "",
			 info_strerror(errno));
	return EXIT_FAILED;
}
