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

#include "lib/util.h"
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

/* Are the words of tls_error of this failure? What was refused at once leaves them as they were. */
static bool is_of_tls(unsigned long request, int err)
{
	static const int at_once[] = {
		EALREADY, EBUSY, EEXIST, EHOSTUNREACH, EINPROGRESS, EINVAL,
		EISCONN, ENOTCONN, ENXIO, EOPNOTSUPP, EPROTOTYPE,
	};

	if (request != SOCKFS_IOC_CONNECT && request != SOCKFS_IOC_LISTEN &&
	    request != SOCKFS_IOC_TLS)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(at_once); i++)
		if (at_once[i] == err)
			return false;
	return true;
}

/* Why TLS has failed, in words; "" where it has not. */
static void tls_words(int fd, unsigned long request, int err, char *buf, size_t size)
{
	struct sockfs_sockopt opt = {.level = SOL_SOCKFS, .name = SOCKFS_SO_TLS_ERROR,
				     .len = sizeof(opt.value)};

	buf[0] = '\0';
	if (is_of_tls(request, err) && ioctl(fd, SOCKFS_IOC_GETSOCKOPT, &opt) == 0)
		snprintf(buf, size, "%.*s", opt.len < size ? (int)opt.len : (int)size - 1,
			 (const char *)opt.value);
}

int socket_ioctl(int fd, const char *file, unsigned long request, void *arg, const char *what,
		 const char *detail)
{
	char words[sizeof(((struct sockfs_sockopt *)0)->value) + 1];
	const char *error;
	int ret, err;

	do
		ret = ioctl(fd, request, arg);
	while (ret < 0 && errno == EINTR);
	if (ret >= 0)
		return EXIT_DONE;
	/* Another FUSE file system, a table, or what a control file does not do. */
	err = errno;
	if (err == ENOTTY || err == ENOSYS) {
		not_a_socket(file);
		return EXIT_FAILED;
	}
	error = ioctl_error(fd, request);
	tls_words(fd, request, err, words, sizeof(words));
	complain("%s: %s%s%s: %s%s%s", file, what, detail ? " " : "", detail ? detail : "", error,
		 words[0] ? ": " : "", words);
	return EXIT_FAILED;
}
