/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sockets found and asked: in a directory, below it, and by number in .proc/sock.
 *
 * Nothing that is no regular file of this mount is opened, and nothing waits
 * (O_NONBLOCK). To ask needs no special mode, so what may be opened at all will do.
 */
#include "config.h"

#include "sockctl/rows.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "sockctl/sockctl.h"

#define ROOT_INO 1 /* of the root of a mount: the only directory where .proc is */
#define NUMBERS ".proc/sock"

/* What is being read. */
struct place {
	struct table *t;
	dev_t dev;	    /* of the mount */
	const char *prefix; /* of the names in the table */
	bool nameless;	    /* only those without a name */
	const char *proto;  /* only those of this one; NULL: of any */
};

/* 0 and the info, or -errno. */
static int ask(int dirfd, const char *name, struct sockfs_info *ret_info)
{
	const int flags = O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY;
	int err = 0, fd = openat(dirfd, name, O_RDONLY | flags);

	if (fd < 0 && errno == EACCES)
		fd = openat(dirfd, name, O_WRONLY | flags);
	if (fd < 0)
		return -errno;
	memset(ret_info, 0, sizeof(*ret_info));
	if (ioctl(fd, SOCKFS_IOC_INFO, ret_info) < 0)
		err = -errno;
	close(fd);
	return err;
}

static int push_row(struct table *t, const struct row *row)
{
	if (t->n == t->room) {
		size_t room = t->room ? 2 * t->room : 64;
		struct row *rows = reallocarray(t->rows, room, sizeof(*rows));

		if (!rows)
			return -ENOMEM;
		t->rows = rows;
		t->room = room;
	}
	t->rows[t->n++] = *row;
	return 0;
}

/* Is it to be in the table? What could not be asked is of no protocol that one knows. */
static bool is_wanted(const struct place *p, const struct row *row)
{
	return !p->proto || (row->known && strncmp(p->proto, row->info.proto,
						    sizeof(row->info.proto)) == 0);
}

/* Add @file below @dirfd as @name if it is a socket, known or not. 0 or -ENOMEM. */
static int add_row(const struct place *p, int dirfd, const char *file, const char *name)
{
	struct stat st;
	struct row row = {.known = true};
	int err;

	if (fstatat(dirfd, file, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode) ||
	    st.st_dev != p->dev || (p->nameless && st.st_nlink > 0))
		return 0;
	err = ask(dirfd, file, &row.info);
	/* Not ours, or gone since it was listed. */
	if (err == -ENOTTY || err == -ENOSYS || err == -ENOENT || err == -ESTALE)
		return 0;
	row.known = !err;
	if (!is_wanted(p, &row))
		return 0;
	if (asprintf(&row.name, "%s%s", p->prefix, name) < 0)
		return -ENOMEM;
	row.text = printable(row.name, &row.text_width);
	if (row.text && push_row(p->t, &row) == 0)
		return 0;
	free(row.name);
	free(row.text);
	return -ENOMEM;
}

void table_clear(struct table *t)
{
	size_t i;

	for (i = 0; i < t->n; i++) {
		free(t->rows[i].name);
		free(t->rows[i].text);
	}
	free(t->rows);
	*t = (struct table){0};
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct row *)a)->name, ((const struct row *)b)->name);
}

/* 0 or -errno. */
static int read_entries(const struct place *p, DIR *d)
{
	struct dirent *entry;

	for (;;) {
		errno = 0;
		entry = readdir(d);
		if (!entry)
			return -errno;
		if (add_row(p, dirfd(d), entry->d_name, entry->d_name))
			return -ENOMEM;
	}
}

/* ------------------------------------------------------------------ the whole tree */

/* The mirror and the tables, where each socket would be found again. */
static bool is_face(const FTSENT *e)
{
	return e->fts_level == 1 && e->fts_parent->fts_statp->st_ino == ROOT_INO &&
	       (strcmp(e->fts_name, ".ctl") == 0 || strcmp(e->fts_name, ".proc") == 0);
}

static int walk(const struct place *p, const char *dir, FTS *fts)
{
	size_t len = strlen(dir); /* of what is before each path, with one slash */
	int status = EXIT_DONE;
	FTSENT *e;

	while (len > 0 && dir[len - 1] == '/')
		len--;
	while ((errno = 0, e = fts_read(fts)) != NULL) {
		if (e->fts_info == FTS_DNR || e->fts_info == FTS_ERR) {
			complain("%s: %s", e->fts_path, strerror(e->fts_errno));
			status = EXIT_FAILED;
		} else if (e->fts_info == FTS_D && is_face(e)) {
			fts_set(fts, e, FTS_SKIP);
		} else if (e->fts_info == FTS_F &&
			   add_row(p, AT_FDCWD, e->fts_accpath, e->fts_path + len + 1)) {
			errno = ENOMEM;
			break;
		}
	}
	if (errno) {
		complain("%s: %s", dir, strerror(errno));
		status = EXIT_FAILED;
	}
	return status;
}

static int read_tree(const struct place *p, const char *dir)
{
	char *const dirs[] = {(char *)dir, NULL};
	FTS *fts = fts_open(dirs, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_XDEV, NULL);
	int status;

	if (!fts) {
		complain("%s: %s", dir, strerror(errno));
		return EXIT_FAILED;
	}
	status = walk(p, dir, fts);
	fts_close(fts);
	return status;
}

/* -------------------------------------------------------------- those without a name */

/*
 * The root of the mount above @dirfd: how many levels, and a descriptor in *@ret_fd.
 * -1: it is not to be seen, as when only a directory of it is mounted here.
 */
static int climb(int dirfd, dev_t dev, int *ret_fd)
{
	int levels, up, fd = openat(dirfd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	for (levels = 0; fd >= 0 && fstat(fd, &st) == 0 && st.st_dev == dev; levels++) {
		if (st.st_ino == ROOT_INO) {
			*ret_fd = fd;
			return levels;
		}
		up = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		close(fd);
		fd = up;
	}
	if (fd >= 0)
		close(fd);
	return -1;
}

/* "../../.proc/sock/", malloc'ed; NULL: no memory. */
static char *number_prefix(int levels)
{
	char *prefix = malloc(3 * (size_t)levels + sizeof(NUMBERS "/")), *end = prefix;

	while (prefix && levels-- > 0)
		end = stpcpy(end, "../");
	if (prefix)
		strcpy(end, NUMBERS "/");
	return prefix;
}

static int read_nameless(const struct place *p, const char *dir, int dirfd)
{
	struct place numbers = *p;
	char *prefix = NULL;
	int fd, root, err, levels = climb(dirfd, p->dev, &root);
	DIR *d = NULL;

	if (levels < 0) {
		complain("%s: the root of the mount is not above it", dir);
		return EXIT_FAILED;
	}
	fd = openat(root, NUMBERS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		d = fdopendir(fd);
	err = d ? 0 : -errno;
	if (d)
		prefix = number_prefix(levels);
	if (prefix) {
		numbers.prefix = prefix;
		numbers.nameless = true;
		err = read_entries(&numbers, d);
	} else if (!err) {
		err = -ENOMEM;
	}
	if (err)
		complain("%s/%s: %s", dir, NUMBERS, strerror(-err));
	free(prefix);
	if (d)
		closedir(d);
	else if (fd >= 0)
		close(fd);
	close(root);
	return err ? EXIT_FAILED : EXIT_DONE;
}

/* ---------------------------------------------------------------------------- both */

static int read_open_dir(struct table *t, const char *dir, DIR *d, unsigned int what,
			 const char *proto)
{
	struct place p = {.t = t, .prefix = "", .proto = proto};
	struct stat st;
	struct statfs sfs;
	int status = EXIT_DONE, err = 0;

	if (fstat(dirfd(d), &st) != 0 || fstatfs(dirfd(d), &sfs) != 0)
		err = -errno;
	else if (sfs.f_type != FUSE_SUPER_MAGIC) {
		complain("%s: not in a sockfs mount", dir);
		return EXIT_FAILED;
	}
	p.dev = st.st_dev;
	if (!err && what & ROWS_RECURSIVE)
		status = read_tree(&p, dir);
	else if (!err)
		err = read_entries(&p, d);
	if (err) {
		complain("%s: %s", dir, strerror(-err));
		return EXIT_FAILED;
	}
	if (what & ROWS_NAMELESS)
		status |= read_nameless(&p, dir, dirfd(d));
	return status;
}

int table_read(struct table *t, const char *dir, unsigned int what, const char *proto)
{
	DIR *d = opendir(dir);
	int status;

	if (!d) {
		complain("%s: %s", dir, strerror(errno));
		return EXIT_FAILED;
	}
	status = read_open_dir(t, dir, d, what, proto);
	closedir(d);
	if (t->n)
		qsort(t->rows, t->n, sizeof(t->rows[0]), by_name);
	return status;
}
