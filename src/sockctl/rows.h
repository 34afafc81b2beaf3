/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `ls' found: the sockets of a directory, sorted by name.
 */
#ifndef SOCKCTL_ROWS_H
#define SOCKCTL_ROWS_H

#include <stdbool.h>
#include <stddef.h>

#include "sockfs/ioctl.h"

struct row {
	char *name; /* as it is: a path from the directory that was asked for */
	char *text; /* for eyes */
	int text_width;
	bool known; /* info is filled: it could be opened */
	struct sockfs_info info;
};

struct table {
	struct row *rows;
	size_t n, room;
};

#define ROWS_RECURSIVE 1 /* of all directories below it, too */
#define ROWS_NAMELESS 2	 /* and those of the whole mount that have no name */

/*
 * Fill the empty @t; with those of the protocol @proto, if that is not NULL. EXIT_DONE, or EXIT_FAILED after messages; then what was found
 * is in @t all the same. table_clear() frees it in any case.
 */
int table_read(struct table *t, const char *dir, unsigned int what, const char *proto);
void table_clear(struct table *t);

#endif /* SOCKCTL_ROWS_H */
