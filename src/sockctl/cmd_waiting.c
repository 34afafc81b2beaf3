/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * waiting: the calls that wait in a mount, as a table. What .proc/waiting says, with the
 * program's name, for how long instead of since when, and paths for eyes.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "sockctl/sockctl.h"

/* The root of the mount that the directory @fd is in: a descriptor, or -1 with errno. Takes @fd. */
static int mount_root(int fd)
{
	struct stat here, above;
	int up;

	for (; fd >= 0; fd = up) {
		up = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (up < 0 || fstat(fd, &here) != 0 || fstat(up, &above) != 0)
			break;
		if (here.st_dev != above.st_dev || here.st_ino == above.st_ino) {
			close(up);
			return fd;
		}
		close(fd);
	}
	if (fd >= 0)
		close(fd);
	return -1;
}

/* The table of the mount that @dir is in, or NULL after a message. */
static FILE *open_table(const char *dir)
{
	int root, fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct statfs sfs;
	FILE *f;

	if (fd >= 0 && fstatfs(fd, &sfs) == 0 && sfs.f_type != FUSE_SUPER_MAGIC) {
		complain("%s: not in a sockfs mount", dir);
		close(fd);
		return NULL;
	}
	root = fd >= 0 ? mount_root(fd) : -1;
	fd = root >= 0 ? openat(root, ".proc/waiting", O_RDONLY | O_CLOEXEC) : -1;
	f = fd >= 0 ? fdopen(fd, "r") : NULL;
	if (!f)
		complain("%s: %s%s", dir, root >= 0 ? ".proc/waiting: " : "", strerror(errno));
	if (!f && fd >= 0)
		close(fd);
	if (root >= 0)
		close(root);
	return f;
}

/* \ooo back to bytes, in place. */
static void unescape(char *s)
{
	char *to = s;

	while (*s) {
		unsigned int byte;

		if (*s == '\\' && sscanf(s + 1, "%3o", &byte) == 1) {
			*to++ = (char)byte;
			s += 4;
		} else {
			*to++ = *s++;
		}
	}
	*to = '\0';
}

/* What /proc says @pid is, "-" if it does not. */
static void program_name(int pid, char *ret_name, size_t size)
{
	char path[32];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	f = fopen(path, "re");
	if (!f || !fgets(ret_name, (int)size, f))
		snprintf(ret_name, size, "-");
	ret_name[strcspn(ret_name, "\n")] = '\0';
	if (f)
		fclose(f);
}

/* 0, or -EINVAL: the line is not one of this table's, or -ENOMEM. */
static int print_row(char *line, time_t now)
{
	char call[16], comm[32], *path, *text, *program;
	long long since;
	unsigned long long ino;
	int pid, at = 0, width;
	unsigned int uid;

	line[strcspn(line, "\n")] = '\0';
	if (sscanf(line, "%d %u %15s %lld %llu %n", &pid, &uid, call, &since, &ino, &at) != 5 || !at)
		return -EINVAL;
	path = line + at;
	unescape(path);
	program_name(pid, comm, sizeof(comm));
	program = printable(comm, &width);
	text = printable(path, &width);
	if (program && text)
		printf("%7d  %-15s  %5u  %-11s  %6lld  %8llu  %s\n", pid, program, uid, call,
		       (long long)now > since ? now - since : 0LL, ino, text);
	free(program);
	free(text);
	return program && text ? 0 : -ENOMEM;
}

int cmd_waiting(const struct args *args)
{
	const char *dir = args->argc ? args->argv[0] : ".";
	FILE *f = open_table(dir);
	time_t now = time(NULL);
	char *line = NULL;
	size_t room = 0;
	int err = 0;

	if (!f)
		return EXIT_FAILED;
	printf("%7s  %-15s  %5s  %-11s  %6s  %8s  %s\n", "PID", "COMMAND", "UID", "CALL", "SECS",
	       "INO", "FILE");
	/* The first line is the header. */
	errno = 0;
	for (int n = 0; !err && getline(&line, &room, f) > 0; n++)
		if (n > 0)
			err = print_row(line, now);
	if (!err && ferror(f))
		err = errno ? -errno : -EIO;
	if (err)
		complain("%s: .proc/waiting: %s", dir, strerror(-err));
	free(line);
	fclose(f);
	return err ? EXIT_FAILED : EXIT_DONE;
}
