/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * names: is what one sees of the two sides the same?
 *
 * Inode numbers differ, but the one of an object always goes with the one of
 * its twin: that they are unique and that hard links are one file is checked by
 * a map in both directions, over the life of the mount.
 */
#include "config.h"

#include "tests/lib/names.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char names_why[512];

#define WHY(...) (snprintf(names_why, sizeof(names_why), __VA_ARGS__), false)

/* ----------------------------------------------------------------------- inodes */

#define MAP_SIZE (1u << 18)

struct pair {
	uint64_t from, to;
};

static struct pair maps[SIDES][MAP_SIZE];

/* Does @from go with @to, now and ever since it was first seen? */
static bool map_agrees(struct pair *map, uint64_t from, uint64_t to)
{
	size_t i = (from * 0x9e3779b97f4a7c15u) >> 46;

	while (map[i].from != 0 && map[i].from != from)
		i = (i + 1) % MAP_SIZE;
	if (map[i].from == 0)
		map[i] = (struct pair){from, to};
	return map[i].to == to;
}

static bool same_object(const char *path, const struct stat st[SIDES])
{
	if (map_agrees(maps[MOUNT], st[MOUNT].st_ino, st[MODEL].st_ino) &&
	    map_agrees(maps[MODEL], st[MODEL].st_ino, st[MOUNT].st_ino))
		return true;
	return WHY("%s: inode %ju was another file before", path, (uintmax_t)st[MOUNT].st_ino);
}

/* ------------------------------------------------------------------- attributes */

static bool same_stat(const char *path, const struct stat st[SIDES])
{
	const struct stat *a = &st[MOUNT], *b = &st[MODEL];

	if (a->st_mode != b->st_mode)
		return WHY("%s: mode %o, not %o", path, a->st_mode, b->st_mode);
	if (a->st_nlink != b->st_nlink)
		return WHY("%s: %ju links, not %ju", path, (uintmax_t)a->st_nlink,
			   (uintmax_t)b->st_nlink);
	if (a->st_uid != b->st_uid || a->st_gid != b->st_gid)
		return WHY("%s: owner %u:%u, not %u:%u", path, a->st_uid, a->st_gid, b->st_uid,
			   b->st_gid);
	if (S_ISLNK(a->st_mode) && a->st_size != b->st_size)
		return WHY("%s: size %jd, not %jd", path, (intmax_t)a->st_size,
			   (intmax_t)b->st_size);
	return same_object(path, st);
}

static bool differ(const struct timespec *x, const struct timespec *y)
{
	return x->tv_sec != y->tv_sec || x->tv_nsec != y->tv_nsec;
}

/* Bit 0: mtime is another than before, bit 1: ctime. */
static int changes(const struct stat *before, const struct stat *now)
{
	return differ(&before->st_mtim, &now->st_mtim) |
	       differ(&before->st_ctim, &now->st_ctim) << 1;
}

void names_watch(struct names *n, const char *path)
{
	char *slash;

	if (n->nr_watched + 2 > NAMES_WATCHED)
		return;
	strcpy(n->watched[n->nr_watched++], path);
	strcpy(n->watched[n->nr_watched], path);
	slash = strrchr(n->watched[n->nr_watched], '/');
	strcpy(slash != NULL ? slash : n->watched[n->nr_watched], slash != NULL ? "" : ".");
	n->nr_watched++;
}

void names_look(struct names *n)
{
	for (int side = 0; side < SIDES; side++)
		for (int i = 0; i < n->nr_watched; i++)
			n->there[side][i] = fstatat(n->root[side], n->watched[i],
						    &n->before[side][i], AT_SYMLINK_NOFOLLOW) == 0;
}

static bool compare_one(const struct names *n, int i)
{
	const char *path = n->watched[i];
	struct stat st[SIDES];
	int err[SIDES], changed[SIDES] = {0, 0};

	for (int side = 0; side < SIDES; side++) {
		err[side] = fstatat(n->root[side], path, &st[side], AT_SYMLINK_NOFOLLOW) == 0
				    ? 0
				    : errno;
		if (err[side] == 0 && n->there[side][i] &&
		    st[side].st_ino == n->before[side][i].st_ino)
			changed[side] = changes(&n->before[side][i], &st[side]);
	}
	if (err[MOUNT] != err[MODEL])
		return WHY("%s: %s, not %s", path, strerror(err[MOUNT]), strerror(err[MODEL]));
	if (err[MOUNT] != 0)
		return true;
	/* The clock of the model is coarse: what it does not show may have changed. */
	if ((changed[MOUNT] & changed[MODEL]) != changed[MODEL] || (n->failed && changed[MOUNT] != 0))
		return WHY("%s: times changed %d, not %d (1 mtime, 2 ctime)", path, changed[MOUNT],
			   changed[MODEL]);
	return same_stat(path, st);
}

bool names_compare(struct names *n)
{
	for (int i = 0; i < n->nr_watched; i++)
		if (!compare_one(n, i))
			return false;
	return true;
}

/* -------------------------------------------------------------------- whole trees */

static int by_name(const void *x, const void *y)
{
	return strcmp(*(char *const *)x, *(char *const *)y);
}

/* The names in a directory, sorted: their number; -1: cannot be read. */
static int list(int root, const char *path, char **names, int max)
{
	int fd = openat(root, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *d;
	int n = 0;

	if (dir == NULL)
		return -1;
	while (n < max && (d = readdir(dir)) != NULL)
		if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
			names[n++] = strdup(d->d_name);
	closedir(dir);
	qsort(names, (size_t)n, sizeof(*names), by_name);
	return n;
}

static bool compare_tree(const struct names *n, const char *path);

static bool compare_entry(const struct names *n, const char *path)
{
	struct stat st[SIDES];
	int missing = 0;

	for (int side = 0; side < SIDES; side++)
		missing += fstatat(n->root[side], path, &st[side], AT_SYMLINK_NOFOLLOW) != 0;
	/* Listed, but who is not root may not look at what is in there. */
	if (missing == SIDES)
		return true;
	if (missing > 0)
		return WHY("%s: only one of the two can be looked at", path);
	return same_stat(path, st) && (!S_ISDIR(st[MOUNT].st_mode) || compare_tree(n, path));
}

#define ENTRIES_MAX 64
#define BELOW_MAX 200

static bool compare_tree(const struct names *n, const char *path)
{
	char *names[SIDES][ENTRIES_MAX];
	char below[BELOW_MAX];
	int count[SIDES];
	bool same = true;

	for (int side = 0; side < SIDES; side++)
		count[side] = list(n->root[side], path, names[side], ENTRIES_MAX);
	if (count[MOUNT] != count[MODEL])
		same = WHY("%s: %d entries, not %d", path, count[MOUNT], count[MODEL]);
	for (int i = 0; same && i < count[MOUNT]; i++) {
		/* Renames have made it deeper than anybody looks. */
		if (snprintf(below, sizeof(below), "%s/%s", path, names[MOUNT][i]) >= BELOW_MAX)
			continue;
		if (strcmp(names[MOUNT][i], names[MODEL][i]) != 0)
			same = WHY("%s: is not in the other listing", below);
		else
			same = compare_entry(n, below);
	}
	for (int side = 0; side < SIDES; side++)
		while (count[side] > 0)
			free(names[side][--count[side]]);
	return same;
}

bool names_compare_all(struct names *n)
{
	struct stat st[SIDES];
	char path[32];

	for (int i = 0; i < NAMES_SLOTS; i++) {
		if (!n->slot_open[i])
			continue;
		snprintf(path, sizeof(path), "open file %d", i);
		if (fstat(n->slots[MOUNT][i], &st[MOUNT]) != 0 ||
		    fstat(n->slots[MODEL][i], &st[MODEL]) != 0)
			return WHY("%s: %s", path, strerror(errno));
		if (!same_stat(path, st))
			return false;
	}
	return compare_tree(n, ".");
}
