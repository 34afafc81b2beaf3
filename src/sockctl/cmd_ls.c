/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ls: the sockets of a directory as a table, or as JSON.
 */
#include "config.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "sockctl/rows.h"
#include "sockctl/sockctl.h"
#include "uapi/addr.h"
#include "uapi/state.h"

#define WATCH_MS 1000
#define NAME_WIDTH_MIN 12 /* less tells nobody which file it is */

enum { NAME, PROTO, STATE, RECVQ, SENDQ, LOCAL, PEER, NR_COLUMNS };

static const char *const titles[NR_COLUMNS] = {"NAME",	"PROTO", "STATE", "RECV-Q",
					       "SEND-Q", "LOCAL", "PEER"};

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

	for (i = PROTO; i < NR_COLUMNS; i++)
		strcpy(c->text[i], "-");
	if (!row->known)
		return;
	snprintf(c->text[PROTO], sizeof(c->text[PROTO]), "%.*s", (int)sizeof(row->info.proto),
		 row->info.proto);
	strcpy(c->text[STATE], state_name(row->info.state));
	snprintf(c->text[RECVQ], sizeof(c->text[RECVQ]), "%u", row->info.recvq);
	snprintf(c->text[SENDQ], sizeof(c->text[SENDQ]), "%u", row->info.sendq);
	addr_format(&row->info.local, c->text[LOCAL], sizeof(c->text[LOCAL]));
	addr_format(&row->info.remote, c->text[PEER], sizeof(c->text[PEER]));
}

static void print_line(const char *name, int name_width, const char *colour,
		       const char text[NR_COLUMNS][ADDR_TEXT_MAX], const int *width)
{
	printf("%s%*s  %-*s", name, width[NAME] - name_width, "", width[PROTO], text[PROTO]);
	if (colour)
		printf("  \033[%sm%s\033[0m%*s", colour, text[STATE],
		       width[STATE] - (int)strlen(text[STATE]), "");
	else
		printf("  %-*s", width[STATE], text[STATE]);
	printf("  %*s  %*s  %-*s  %s\n", width[RECVQ], text[RECVQ], width[SENDQ], text[SENDQ],
	       width[LOCAL], text[LOCAL], text[PEER]);
}

/* Of the terminal; 0: there is none, and nothing is cut for a program. */
static int terminal_columns(void)
{
	const char *text = getenv("COLUMNS");
	struct winsize size;
	int columns;

	if (!isatty(STDOUT_FILENO))
		return 0;
	columns = text ? atoi(text) : 0;
	if (columns <= 0 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
		columns = size.ws_col;
	return columns > 0 ? columns : 0;
}

/* Cut long names, so that a line is no longer than the terminal's. */
static void fit_names(struct table *t, int *width)
{
	int i, room = terminal_columns();
	size_t r;

	if (room == 0)
		return;
	for (i = PROTO; i < NR_COLUMNS; i++)
		room -= 2 + width[i];
	if (room < NAME_WIDTH_MIN)
		room = NAME_WIDTH_MIN;
	if (width[NAME] <= room)
		return;
	for (r = 0; r < t->n; r++) {
		struct row *row = &t->rows[r];

		if (row->text_width > room)
			row->text_width = shorten(row->text, row->text_width, room);
	}
	width[NAME] = room;
}

static void print_table(struct table *t, bool colour)
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
		for (i = PROTO; i < NR_COLUMNS; i++)
			if ((int)strlen(c.text[i]) > width[i])
				width[i] = (int)strlen(c.text[i]);
	}
	fit_names(t, width);
	for (i = PROTO; i < NR_COLUMNS; i++)
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
			json_name(stdout, row->name);
			fputs(",\"state\":null", stdout);
		}
		putchar('}');
	}
	puts("]");
}

/* One listing. What was found is printed even if it is not all. */
static int list(const char *dir, const struct args *args, bool colour, bool in_place)
{
	unsigned int what = (args->recursive ? ROWS_RECURSIVE : 0) | (args->all ? ROWS_NAMELESS : 0);
	struct table t = {0};
	int status = table_read(&t, dir, what, args->proto);

	if (!status || t.n) {
		if (in_place)
			fputs("\033[H\033[J", stdout);
		if (args->json)
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
		status = list(dir, args, colour, in_place);
		if (status || !args->watch || fflush(stdout))
			return status;
		poll(NULL, 0, WATCH_MS);
		if (!in_place && !args->json)
			putchar('\n');
	}
}
