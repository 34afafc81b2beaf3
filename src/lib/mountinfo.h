/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines of /proc/self/mountinfo (proc(5)): what is mounted where, without a question to who serves
 * it. fs/proc_namespace.c: show_mountinfo writes them.
 */
#ifndef LIB_MOUNTINFO_H
#define LIB_MOUNTINFO_H

#include <stdbool.h>
#include <stdio.h>

struct mountinfo {
	unsigned int id, parent, major, minor;
	const char *place; /* the mount point, an absolute path */
	const char *type;  /* "fuse.sockfs" */
};

/*
 * Take @line apart, which is written to and holds the texts of *ret. False: it is no line of a
 * mount that can be reached from here.
 */
bool mountinfo_parse(char *line, struct mountinfo *ret);

/*
 * The next line of @f that mountinfo_parse() takes, into *line of *size bytes as getline(3).
 * False: there is none, or no memory for it; then feof(@f) is false.
 */
bool mountinfo_next(FILE *f, char **line, size_t *size, struct mountinfo *ret);

#endif /* LIB_MOUNTINFO_H */
