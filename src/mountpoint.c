/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is looked at before mounting, so that each fault has one clear line.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/mountinfo.h"
#include "options.h"

/* A line for -errno @err of a call on @path; @what begins it. Returns @err. */
static int complain_path(int err, const char *what, const char *path)
{
	/* The kernel answers so for a daemon that is gone, from either call: it caches the root. */
	if (err == -ENOTCONN || err == -ECONNABORTED)
		pr_err("a dead mount is on %s: umount it first", path);
	else
		pr_err("%s %s: %s", what, path, strerror(-err));
	return err;
}

/* Is @path itself, and not only something above it, where a sockfs is mounted? */
static bool is_sockfs(const char *path)
{
	char *real = realpath(path, NULL);
	FILE *f = fopen("/proc/self/mountinfo", "re");
	struct mountinfo m;
	char *line = NULL;
	size_t size = 0;
	bool found = false;

	/* What was mounted last lies on top. */
	while (real != NULL && f != NULL && mountinfo_next(f, &line, &size, &m))
		if (strcmp(m.place, real) == 0)
			found = strcmp(m.type, "fuse.sockfs") == 0;
	if (f != NULL)
		fclose(f);
	free(line);
	free(real);
	return found;
}

/* 0, or -errno and a line. */
static int check_empty(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *d;
	int err = 0;

	if (dir == NULL)
		return complain_path(-errno, "cannot read the mount point", path);
	while (err == 0 && (d = readdir(dir)) != NULL)
		if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
			err = -ENOTEMPTY;
	closedir(dir);
	if (err != 0 && is_sockfs(path))
		pr_err("a sockfs is mounted on %s already", path);
	else if (err != 0)
		pr_err("the mount point %s is not empty (-o nonempty mounts all the same)", path);
	return err;
}

static int check_directory(const char *path)
{
	struct stat st;
	int err;

	if (stat(path, &st) != 0)
		return complain_path(-errno, "no mount point", path);
	if (!S_ISDIR(st.st_mode)) {
		pr_err("the mount point %s is not a directory", path);
		return -ENOTDIR;
	}
	/* fusermount3 wants the same of an ordinary user, in more words. */
	if (geteuid() != 0 && access(path, W_OK) != 0) {
		err = -errno;
		pr_err("no write permission on the mount point %s", path);
		return err;
	}
	return 0;
}

static int check_device(void)
{
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	int err;

	if (fd < 0) {
		err = -errno;
		pr_err("cannot open /dev/fuse: %s%s", strerror(-err),
		       err == -EACCES || err == -EPERM ? "" : " (is the fuse module there?)");
		return err;
	}
	close(fd);
	return 0;
}

/* See libfuse's fuse_session_mount. */
bool options_mounted_already(const struct options *opt)
{
	static const char prefix[] = "/dev/fd/";
	const char *path = opt->mountpoint, *number = path + strlen(prefix);

	return strncmp(path, prefix, strlen(prefix)) == 0 && *number != '\0' &&
	       number[strspn(number, "0123456789")] == '\0';
}

int options_check_mountpoint(struct options *opt)
{
	char *path;
	int err;

	if (options_mounted_already(opt))
		return 0;
	err = check_directory(opt->mountpoint);
	if (err == 0 && !opt->nonempty)
		err = check_empty(opt->mountpoint);
	if (err == 0)
		err = check_device();
	if (err != 0)
		return err;
	path = realpath(opt->mountpoint, NULL);
	if (path == NULL) {
		err = -errno;
		pr_err("no mount point %s: %s", opt->mountpoint, strerror(-err));
		return err;
	}
	free(opt->mountpoint);
	opt->mountpoint = path;
	return 0;
}

int options_set_mountpoint(struct options *opt, const char *path)
{
	char *copy = strdup(path);

	if (copy == NULL) {
		pr_err("%s", strerror(ENOMEM));
		return -ENOMEM;
	}
	free(opt->mountpoint);
	opt->mountpoint = copy;
	return 0;
}
