/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ls: the sockets of a directory as a table, or as JSON.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "net/addr.h"
#include "sockctl/sockctl.h"

#define WATCH_MS 1000

enum { NAME, STATE, RECVQ, SENDQ, LOCAL, PEER, NR_COLUMNS };

static const char *const titles[NR_COLUMNS] = {"NAME",	 "STATE", "RECV-Q",
					       "SEND-Q", "LOCAL", "PEER"};

struct row {
	char *name;	/* as it is */
	char *text;	/* for eyes */
	int text_width;
	bool known;	/* info is filled */
	struct sockfs_info info;
};

struct table {
	struct row *rows;
	size_t n, room;
};

/*
 * 0 and the info, or -errno. O_NONBLOCK so that nothing in a directory can stop
 * the listing; asking needs no special mode, so what may be opened at all will do.
 */
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

/* Add @name if it is a socket, known or not. 0 or -ENOMEM. */
static int add_row(struct table *t, int dirfd, const char *name, dev_t dev)
{
	struct stat st;
	struct row row = {.known = true};
	int err;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode) ||
	    st.st_dev != dev)
		return 0;
	err = ask(dirfd, name, &row.info);
	/* Not ours, or gone since it was listed. */
	if (err == -ENOTTY || err == -ENOSYS || err == -ENOENT)
		return 0;
	row.known = !err;
	if (t->n == t->room) {
		size_t room = t->room ? 2 * t->room : 64;
		struct row *rows = reallocarray(t->rows, room, sizeof(*rows));

		if (!rows)
			return -ENOMEM;
		t->rows = rows;
		t->room = room;
	}
	row.name = strdup(name);
	row.text = printable(name, &row.text_width);
	if (!row.name || !row.text) {
		free(row.name);
		free(row.text);
		return -ENOMEM;
	}
	t->rows[t->n++] = row;
	return 0;
}

static void table_clear(struct table *t)
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

/* 0, or EXIT_FAILED after a message. */
static int read_dir(const char *dir, DIR *d, struct table *t)
{
	struct stat st;
	struct statfs sfs;
	struct dirent *entry;

	if (fstat(dirfd(d), &st) != 0 || fstatfs(dirfd(d), &sfs) != 0) {
		complain("%s: %s", dir, strerror(errno));
		return EXIT_FAILED;
	}
	if (sfs.f_type != FUSE_SUPER_MAGIC) {
		complain("%s: not in a sockfs mount", dir);
		return EXIT_FAILED;
	}
	for (;;) {
		errno = 0;
		entry = readdir(d);
		if (!entry)
			break;
		if (add_row(t, dirfd(d), entry->d_name, st.st_dev)) {
			errno = ENOMEM;
			break;
		}
	}
	if (errno) {
		complain("%s: %s", dir, strerror(errno));
		return EXIT_FAILED;
	}
	if (t->n)
		qsort(t->rows, t->n, sizeof(t->rows[0]), by_name);
	return EXIT_DONE;
}

static const char *state_colour(const struct row *row)
{
	static const char *const colours[] = {
		[SOCKFS_UNCONNECTED] = "2",    [SOCKFS_CONNECTING] = "33",
		[SOCKFS_CONNECTED] = "32",     [SOCKFS_LISTENING] = "36",
		[SOCKFS_DISCONNECTING] = "33", [SOCKFS_CLOSED] = "31",
	};
	unsigned int state = row->info.state;

	if (!row->known || state >= sizeof(colours) / sizeof(colours[0]) || !colours[state])
		return "0";
	return colours[state];
}

struct cells {
	char text[NR_COLUMNS][ADDR_TEXT_MAX]; /* but for NAME */
};

static void fill_cells(const struct row *row, struct cells *c)
{
	int i;

	for (i = STATE; i < NR_COLUMNS; i++)
		strcpy(c->text[i], "-");
	if (!row->known)
		return;
	strcpy(c->text[STATE], state_name(row->info.state));
	snprintf(c->text[RECVQ], sizeof(c->text[RECVQ]), "%u", row->info.recvq);
	snprintf(c->text[SENDQ], sizeof(c->text[SENDQ]), "%u", row->info.sendq);
	addr_format(&row->info.local, c->text[LOCAL], sizeof(c->text[LOCAL]));
	addr_format(&row->info.remote, c->text[PEER], sizeof(c->text[PEER]));
}

static void print_line(const char *name, int name_width, const char *colour,
		       const char text[NR_COLUMNS][ADDR_TEXT_MAX], const int *width)
{
	printf("%s%*s", name, width[NAME] - name_width, "");
	if (colour)
		printf("  \033[%sm%s\033[0m%*s", colour, text[STATE],
		       width[STATE] - (int)strlen(text[STATE]), "");
	else
		printf("  %-*s", width[STATE], text[STATE]);
	printf("  %*s  %*s  %-*s  %s\n", width[RECVQ], text[RECVQ], width[SENDQ], text[SENDQ],
	       width[LOCAL], text[LOCAL], text[PEER]);
}

static void print_table(const struct table *t, bool colour)
{
	struct cells c;
	int width[NR_COLUMNS];
	size_t r;
	int i;

	for (i = 0; i < NR_COLUMNS; i++)
		width[i] = (int)strlen(titles[i]);
	for (r = 0; r < t->n; r++) {
		fill_cells(&t->rows[r], &c);
		if (t->rows[r].text_width > width[NAME])
			width[NAME] = t->rows[r].text_width;
		for (i = STATE; i < NR_COLUMNS; i++)
			if ((int)strlen(c.text[i]) > width[i])
				width[i] = (int)strlen(c.text[i]);
	}
	for (i = STATE; i < NR_COLUMNS; i++)
		strcpy(c.text[i], titles[i]);
	print_line(titles[NAME], (int)strlen(titles[NAME]), NULL, c.text, width);
	for (r = 0; r < t->n; r++) {
		const struct row *row = &t->rows[r];

		fill_cells(row, &c);
		print_line(row->text, row->text_width, colour ? state_colour(row) : NULL, c.text,
			   width);
	}
}

/* One line, so that -w gives one document a line. */
static void print_json(const struct table *t)
{
	size_t r;

	putchar('[');
	for (r = 0; r < t->n; r++) {
		const struct row *row = &t->rows[r];

		fputs(r ? ",{" : "{", stdout);
		if (row->known) {
			json_info(stdout, row->name, &row->info);
		} else {
			fputs("\"name\":", stdout);
			json_string(stdout, row->name);
			fputs(",\"state\":null", stdout);
		}
		putchar('}');
	}
	puts("]");
}

/* One listing. */
static int list(const char *dir, bool json, bool colour, bool in_place)
{
	struct table t = {0};
	DIR *d = opendir(dir);
	int status;

	if (!d) {
		complain("%s: %s", dir, strerror(errno));
		return EXIT_FAILED;
	}
	status = read_dir(dir, d, &t);
	closedir(d);
	if (!status) {
		if (in_place)
			fputs("\033[H\033[J", stdout);
		if (json)
			print_json(&t);
		else
			print_table(&t, colour);
	}
	table_clear(&t);
	return status;
}

/* no-color.org: set and not empty. */
static bool want_colour(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no && *no) && term && strcmp(term, "dumb") != 0;
}

int cmd_ls(const struct args *args)
{
	const char *dir = args->argc ? args->argv[0] : ".";
	bool colour = want_colour();
	bool in_place = args->watch && !args->json && isatty(STDOUT_FILENO);
	int status;

	for (;;) {
		status = list(dir, args->json, colour, in_place);
		if (status || !args->watch || fflush(stdout))
			return status;
		poll(NULL, 0, WATCH_MS);
		if (!in_place && !args->json)
			putchar('\n');
	}
}
