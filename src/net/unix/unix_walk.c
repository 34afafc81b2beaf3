/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way along a path, one part at a time: the twin of fs/namei.c: path_lookupat, for the one
 * thing that the kernel's cannot do, to stop before it enters what may not answer (unix_mounts.c).
 *
 * Nothing here asks a file system of what was entered but for the next name and where a symbolic
 * link leads; statx(2) with AT_STATX_DONT_SYNC says where one is without a request.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/unix/unix.h"

#define LINKS_MAX 40 /* include/linux/namei.h: MAXSYMLINKS */

struct walk {
	int fd; /* where it has come to */
	struct statx at;
	char rest[PATH_MAX];
	unsigned int nr_links;
	bool firm;
};

static int walk_to_root(struct walk *w)
{
	int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (w->fd >= 0)
		close(w->fd);
	w->fd = fd;
	return unix_mounts_stat(fd, &w->at);
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
	return w->rest[0] == '/' ? walk_to_root(w) : 0;
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

static bool is_trusted(const struct statx *at)
{
	return at->stx_uid == 0 || at->stx_uid == geteuid();
}

/*
 * In a directory where others may make and rename, or that is theirs, what a name leads to may
 * change. With the sticky bit it stays, if it is not theirs.
 */
static bool is_firm(const struct statx *dir)
{
	return is_trusted(dir) &&
	       (!(dir->stx_mode & (S_IWGRP | S_IWOTH)) || dir->stx_mode & S_ISVTX);
}

/* One step: a directory or what @path ends at. */
static int walk_step(struct walk *w, const char *name, bool last, enum unix_walk_end end)
{
	struct statx at;
	int fd = unix_mounts_open(w->fd, &w->at, name, !last, &at);
	int err = 0;

	if (fd < 0)
		return fd;
	w->firm = w->firm && is_firm(&w->at) && (!S_ISLNK(at.stx_mode) || is_trusted(&at));
	if (S_ISLNK(at.stx_mode) && !(last && end == UNIX_WALK_NOFOLLOW)) {
		if (may_follow(&w->at, &at, geteuid()))
			return walk_link(w, fd);
		err = -EACCES;
	} else if (!last && !S_ISDIR(at.stx_mode)) {
		err = -ENOTDIR;
	}
	if (err != 0) {
		close(fd);
		return err;
	}
	close(w->fd);
	w->fd = fd;
	w->at = at;
	return 0;
}

/*
 * Is something mounted on @name, which is to be made or removed, that may not be entered? It need
 * not be there.
 */
static int check_name(const struct walk *w, const char *name)
{
	struct statx at;
	int fd = unix_mounts_open(w->fd, &w->at, name, false, &at);

	if (fd >= 0)
		close(fd);
	return fd == -EDEADLK || fd == -EREMOTE ? fd : 0;
}

int unix_walk(const char *path, enum unix_walk_end end, char ret_name[NAME_MAX + 1],
	      bool *ret_firm)
{
	struct walk w = {.fd = -1, .firm = true};
	char name[NAME_MAX + 1];
	bool last = false;
	int err;

	if (strlen(path) >= sizeof(w.rest))
		return -ENAMETOOLONG;
	strcpy(w.rest, path);
	err = unix_mounts_begin();
	if (err == 0)
		err = walk_to_root(&w);
	while (err == 0) {
		err = walk_name(&w, name, &last);
		if (err != 0 || name[0] == '\0')
			break;
		if (last && end == UNIX_WALK_PARENT) {
			strcpy(ret_name, name);
			err = check_name(&w, name);
			if (err == 0 && ret_firm != NULL)
				*ret_firm = w.firm && is_firm(&w.at);
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
