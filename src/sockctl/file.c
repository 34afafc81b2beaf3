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

#include "sockctl/sockctl.h"
#include "uapi/info.h"

static void not_a_socket(const char *file)
{
	complain("%s: not a sockfs socket", file);
}

/* 1 yes, 0 no, -1 with errno. */
static int may_be_socket(int fd)
{
	struct stat st;
	struct statfs sfs;

	if (fstat(fd, &st) != 0 || fstatfs(fd, &sfs) != 0)
		return -1;
	return S_ISREG(st.st_mode) && sfs.f_type == FUSE_SUPER_MAGIC;
}

/* The descriptor, or -1 with errno. */
static int open_path(const char *file, int mode, bool either)
{
	int fd = open(file, mode | O_CLOEXEC | O_NOCTTY);

	if (fd < 0 && errno == EACCES && either)
		fd = open(file, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	return fd;
}

int socket_open(const char *file, int mode, bool either)
{
	int fd = fd_by_name(file), is_socket = -1;
	bool by_path = fd == FD_NO_NAME;

	/* O_PATH touches nothing. */
	if (by_path)
		fd = open(file, O_PATH | O_CLOEXEC);
	if (fd >= 0)
		is_socket = may_be_socket(fd);
	if (is_socket > 0 && by_path) {
		close(fd);
		fd = open_path(file, mode, either);
	}
	if (is_socket > 0 && fd >= 0)
		return fd;
	if (is_socket == 0)
		not_a_socket(file);
	else
		complain("%s: %s", file, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

static const char *ioctl_error(int fd, unsigned long request)
{
	int err = errno;
	struct sockfs_info info = {.error = err};

	/* Only of a descriptor that was given to us: else we open for what it takes. */
	if (err == EBADF)
		return request == SOCKFS_IOC_ACCEPT ? "not open for reading" :
						      "not open for writing";
	/* A bind asks nobody but name servers; of a connect the socket can tell. */
	if (err == EHOSTUNREACH && request == SOCKFS_IOC_BIND)
		info.flags = SOCKFS_INFO_LOOKUP;
	else if (err == EHOSTUNREACH && ioctl(fd, SOCKFS_IOC_INFO, &info) != 0)
		info.flags = 0;
	info.error = err;
	return info_error_text(&info);
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
	/* Another FUSE file system, a table, or what a control file does not do. */
	if (errno == ENOTTY || errno == ENOSYS)
		not_a_socket(file);
	else
		complain("%s: %s%s%s: %s", file, what, detail ? " " : "", detail ? detail : "",
			 ioctl_error(fd, request));
	return EXIT_FAILED;
}
