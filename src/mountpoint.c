/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is looked at before mounting, so that each fault has one clear line.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"
#include "options.h"

/* 0, or -errno and a line. */
static int check_empty(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *d;
	int err = 0;

	if (dir == NULL) {
		err = -errno;
		pr_err("cannot read the mount point %s: %s", path, strerror(-err));
		return err;
	}
	while (err == 0 && (d = readdir(dir)) != NULL)
		if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
			err = -ENOTEMPTY;
	closedir(dir);
	if (err != 0)
		pr_err("the mount point %s is not empty (-o nonempty mounts all the same)", path);
	return err;
}

static int check_directory(const char *path)
{
	struct stat st;
	int err;

	if (stat(path, &st) != 0) {
		err = -errno;
		if (err == -ENOTCONN || err == -ECONNABORTED)
			pr_err("a dead mount is on %s: umount it first", path);
		else
			pr_err("no mount point %s: %s", path, strerror(-err));
		return err;
	}
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

int options_check_mountpoint(struct options *opt)
{
	char *path;
	int err = check_directory(opt->mountpoint);

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
