/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way along a path, one part at a time: the twin of fs/namei.c: path_lookupat, for the one
 * thing that the kernel's cannot do, to stop before it enters our own mount. There each
 * step is a request that this very thread would have to answer; and another mount of our kind may
 * be on its way into this one. So wherever it comes into a mount that it does not know it asks
 * proc(5) what that is: it may have come since the last walk.
 *
 * Nothing here asks a file system of what was entered but for the next name; statx(2) with
 * AT_STATX_DONT_SYNC says where one is without a request.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/nofile.h"
#include "lib/util.h"
#include "net/unix/unix.h"

#ifndef STATX_MNT_ID_UNIQUE
#define STATX_MNT_ID_UNIQUE 0x00004000U
#endif

#define LINKS_MAX 40 /* include/linux/namei.h: MAXSYMLINKS */

struct walk {
	int fd; /* where it has come to */
	struct statx at;
	char rest[PATH_MAX];
	unsigned int nr_links;
};

/* proc(5): the third field of mountinfo is the device, the first behind the dash the type. */
static bool is_ours(const char *line, const struct statx *st)
{
	unsigned int major, minor;
	const char *type = strstr(line, " - ");

	return type != NULL && strncmp(type + 3, "fuse.sockfs ", 12) == 0 &&
	       sscanf(line, "%*d %*d %u:%u", &major, &minor) == 2 && major == st->stx_dev_major &&
	       minor == st->stx_dev_minor;
}

/* Mounts that are of other kinds. Since Linux 6.8 each has a number that none has had before. */
static struct {
	uint64_t id[16];
	unsigned int next;
} others;

static uint64_t mount_id(const struct statx *st)
{
#ifdef STATX_MNT_ID
	return st->stx_mask & STATX_MNT_ID_UNIQUE ? st->stx_mnt_id : 0;
#else
	(void)st;
	return 0;
#endif
}

static bool is_other(uint64_t id)
{
	for (size_t i = 0; i < ARRAY_SIZE(others.id); i++)
		if (id != 0 && others.id[i] == id)
			return true;
	return false;
}

/* 0, -EDEADLK: @st is in a mount of our kind; or -errno. Where there is no /proc, no mount is known. */
static int check_mount(const struct statx *st)
{
	char *line = NULL;
	size_t size = 0;
	bool ours = false, all;
	FILE *f;

	/* What has a disk has a number of it. */
	if (st->stx_dev_major != 0 || is_other(mount_id(st)))
		return 0;
	nofile_reserve_begin();
	f = fopen("/proc/self/mountinfo", "re");
	nofile_reserve_end();
	if (f == NULL)
		return errno == ENOENT ? 0 : -errno;
	while (!ours && getline(&line, &size, f) >= 0)
		ours = is_ours(line, st);
	all = feof(f);
	free(line);
	fclose(f);
	if (ours)
		return -EDEADLK;
	if (!all)
		return -ENOMEM;
	others.id[others.next++ % ARRAY_SIZE(others.id)] = mount_id(st);
	return 0;
}

/* Be at @fd, which is taken and was opened from a place in the device of @from; NULL: from nowhere. */
static int walk_to(struct walk *w, int fd, const struct statx *from)
{
	if (fd < 0)
		return -errno;
	if (w->fd >= 0)
		close(w->fd);
	w->fd = fd;
	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC,
		  STATX_TYPE | STATX_MODE | STATX_UID | STATX_MNT_ID_UNIQUE, &w->at) != 0)
		return -errno;
	if (from != NULL && from->stx_dev_major == w->at.stx_dev_major &&
	    from->stx_dev_minor == w->at.stx_dev_minor)
		return 0;
	return check_mount(&w->at);
}

/* fs/namei.c: may_follow_link, as with fs.protected_symlinks. */
static bool may_follow(const struct statx *dir, const struct statx *link, uid_t uid)
{
	const mode_t shared = S_ISVTX | S_IWOTH;

	return (dir->stx_mode & shared) != shared || link->stx_uid == uid ||
	       link->stx_uid == dir->stx_uid;
}

/* The link @fd stands before what is left. @fd is taken. */
static int walk_link(struct walk *w, int fd)
{
	char text[PATH_MAX];
	ssize_t n = readlinkat(fd, "", text, sizeof(text));
	size_t left = strlen(w->rest);

	if (n < 0)
		n = -errno;
	close(fd);
	if (n <= 0)
		return n < 0 ? (int)n : -ENOENT;
	if (++w->nr_links > LINKS_MAX)
		return -ELOOP;
	if ((size_t)n + 1 + left >= sizeof(text))
		return -ENAMETOOLONG;
	if (left > 0)
		text[n++] = '/';
	memcpy(text + n, w->rest, left + 1);
	memcpy(w->rest, text, (size_t)n + left + 1);
	return w->rest[0] == '/' ? walk_to(w, open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), NULL) : 0;
}

/* The next part of what is left; "": there is none. *ret_last: nothing comes behind it. */
static int walk_name(struct walk *w, char name[NAME_MAX + 1], bool *ret_last)
{
	const char *s = w->rest + strspn(w->rest, "/");
	size_t len = strcspn(s, "/");

	if (len > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(name, s, len);
	name[len] = '\0';
	*ret_last = s[len] == '\0';
	s += len + strspn(s + len, "/");
	memmove(w->rest, s, strlen(s) + 1);
	return 0;
}

/* One step: a directory or what @path ends at. */
static int walk_step(struct walk *w, const char *name, bool last, enum unix_walk_end end)
{
	const struct statx dir = w->at;
	int err, fd = -1;
	struct walk next = {.fd = -1};

	/* Only who asks for a directory has it mounted by autofs. */
	if (!last)
		fd = openat(w->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC | O_DIRECTORY);
	if (fd < 0 && (last || errno == ENOTDIR))
		fd = openat(w->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	err = walk_to(&next, fd, &dir);
	if (err != 0)
		goto close_next;
	if (S_ISLNK(next.at.stx_mode) && !(last && end == UNIX_WALK_NOFOLLOW)) {
		if (!may_follow(&dir, &next.at, geteuid())) {
			err = -EACCES;
			goto close_next;
		}
		return walk_link(w, next.fd);
	}
	if (!last && !S_ISDIR(next.at.stx_mode)) {
		err = -ENOTDIR;
		goto close_next;
	}
	close(w->fd);
	w->fd = next.fd;
	w->at = next.at;
	return 0;

close_next:
	if (next.fd >= 0)
		close(next.fd);
	return err;
}

/* Is @name, which is to be made or removed, where our mount is? It need not be there. */
static int check_name(const struct walk *w, const char *name)
{
	struct walk there = {.fd = -1};
	int err = walk_to(&there, openat(w->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC), &w->at);

	if (there.fd >= 0)
		close(there.fd);
	return err == -EDEADLK ? err : 0;
}

int unix_walk(const char *path, enum unix_walk_end end, char ret_name[NAME_MAX + 1])
{
	struct walk w = {.fd = -1};
	char name[NAME_MAX + 1];
	bool last = false;
	int err;

	if (strlen(path) >= sizeof(w.rest))
		return -ENAMETOOLONG;
	strcpy(w.rest, path);
	err = walk_to(&w, open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), NULL);
	while (err == 0) {
		err = walk_name(&w, name, &last);
		if (err != 0 || name[0] == '\0')
			break;
		if (last && end == UNIX_WALK_PARENT) {
			strcpy(ret_name, name);
			err = check_name(&w, name);
			if (err == 0)
				return w.fd;
			break;
		}
		err = walk_step(&w, name, last, end);
	}
	/* Only the root has no name. */
	if (err == 0 && end == UNIX_WALK_PARENT)
		err = -EISDIR;
	if (err == 0)
		return w.fd;
	if (w.fd >= 0)
		close(w.fd);
	return err;
}
