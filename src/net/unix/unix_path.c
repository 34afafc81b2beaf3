/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bind(2) and connect(2) of UNIX sockets, with the caller's rights.
 *
 * A struct sockaddr_un has room for 107 bytes. What is longer goes by a descriptor of its
 * directory: /proc/self/fd/N/name.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "net/unix/unix.h"

struct target {
	struct sockaddr_un sun;
	socklen_t len;
	int dirfd; /* -1: none was needed */
};

/* The directory of @path is opened. */
static int target_by_directory(const char *path, struct target *ret)
{
	const char *name = strrchr(path, '/') + 1;
	char dir[PATH_MAX];
	int n;

	if (strlen(path) >= sizeof(dir))
		return -ENAMETOOLONG;
	memcpy(dir, path, (size_t)(name - path));
	dir[name - path] = '\0';
	ret->dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (ret->dirfd < 0)
		return -errno;
	n = snprintf(ret->sun.sun_path, sizeof(ret->sun.sun_path), "/proc/self/fd/%d/%s",
		     ret->dirfd, name);
	if (n < (int)sizeof(ret->sun.sun_path))
		return 0;
	close(ret->dirfd);
	ret->dirfd = -1;
	return -ENAMETOOLONG;
}

/* As the caller already. 0 or -errno. */
static int target_open(const char *path, struct target *ret)
{
	size_t len = strlen(path);
	int err = 0;

	memset(ret, 0, sizeof(*ret));
	ret->sun.sun_family = AF_UNIX;
	ret->len = sizeof(ret->sun);
	ret->dirfd = -1;
	if (path[0] == '@') {
		if (len > sizeof(ret->sun.sun_path))
			return -ENAMETOOLONG;
		/* A NUL stands for the "@", and the name has no other end than the length. */
		memcpy(ret->sun.sun_path + 1, path + 1, len - 1);
		ret->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	} else if (len < sizeof(ret->sun.sun_path)) {
		memcpy(ret->sun.sun_path, path, len);
	} else {
		err = target_by_directory(path, ret);
	}
	return err;
}

static void target_close(struct target *t)
{
	if (t->dirfd >= 0)
		close(t->dirfd);
}

/* A socket that nobody listens on any more. */
static bool is_dead(const struct target *t)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool dead;

	if (fd < 0)
		return false;
	dead = connect(fd, (const struct sockaddr *)&t->sun, t->len) != 0 &&
	       errno == ECONNREFUSED;
	close(fd);
	return dead;
}

static int bind_target(int fd, const struct target *t)
{
	struct stat st;

	if (bind(fd, (const struct sockaddr *)&t->sun, t->len) == 0)
		return 0;
	if (errno != EADDRINUSE || t->sun.sun_path[0] == '\0')
		return -errno;
	if (lstat(t->sun.sun_path, &st) != 0 || !S_ISSOCK(st.st_mode) || !is_dead(t))
		return -EADDRINUSE;
	if (unlink(t->sun.sun_path) != 0 ||
	    bind(fd, (const struct sockaddr *)&t->sun, t->len) != 0)
		return errno == ENOENT ? -EADDRINUSE : -errno;
	return 0;
}

int unix_bind_path(int fd, const char *path, mode_t mode, const struct cred *cred)
{
	struct unix_caller was;
	struct target t;
	mode_t umask_was;
	int err = unix_caller_begin(cred, &was);

	if (err != 0)
		return err;
	err = target_open(path, &t);
	if (err == 0) {
		/* Who may connect is a matter of its mode, from its first moment on. */
		umask_was = umask(~mode & 0777);
		err = bind_target(fd, &t);
		umask(umask_was);
		target_close(&t);
	}
	unix_caller_end(&was);
	return err;
}

int unix_connect_path(int fd, const char *path, const struct cred *cred)
{
	struct unix_caller was;
	struct target t;
	int err = unix_caller_begin(cred, &was);

	if (err != 0)
		return err;
	err = target_open(path, &t);
	if (err == 0) {
		if (connect(fd, (struct sockaddr *)&t.sun, t.len) != 0)
			err = -errno;
		target_close(&t);
	}
	unix_caller_end(&was);
	return err;
}

int unix_stat_path(const char *path, bool follow, const struct cred *cred, struct stat *ret_st)
{
	struct unix_caller was;
	int err = unix_caller_begin(cred, &was);

	if (err != 0)
		return err;
	if (fstatat(AT_FDCWD, path, ret_st, follow ? 0 : AT_SYMLINK_NOFOLLOW) != 0)
		err = -errno;
	unix_caller_end(&was);
	return err;
}

void unix_unlink_path(const char *path, dev_t dev, ino_t ino, const struct cred *cred)
{
	struct unix_caller was;
	struct stat st;

	if (unix_caller_begin(cred, &was) != 0)
		return;
	/* Somebody may have put another one there meanwhile. */
	if (lstat(path, &st) == 0 && st.st_dev == dev && st.st_ino == ino)
		(void)unlink(path);
	unix_caller_end(&was);
}
