/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * churn: reads a large directory while names in it come and go.
 *
 *	churn DIR COUNT
 *
 * Makes COUNT files in the empty DIR that stay. Then reads DIR; all the while files are made, removed,
 * renamed, and moved over some that stay. Each name that stays must be listed
 * once. Exit status 1 and a line for what is wrong.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define EVERY 64 /* entries between two changes */

static int dir;
static unsigned long count;
static unsigned long churned; /* files that came and go */
static unsigned char *seen;
static unsigned long wrong;

static void bad(const char *what, const char *name)
{
	if (wrong++ < 20)
		printf("%s: %s\n", name, what);
}

static void check(int ret, const char *what)
{
	if (ret != 0) {
		perror(what);
		exit(2);
	}
}

static const char *name_of(char kind, unsigned long i)
{
	static char names[2][32];
	static int turn;

	turn ^= 1;
	snprintf(names[turn], sizeof(names[turn]), "%c%lu", kind, i);
	return names[turn];
}

static void make(char kind, unsigned long i)
{
	check(mknodat(dir, name_of(kind, i), S_IFREG | 0644, 0), "mknod");
}

/* Another file takes the place of one that stays; a new one comes, an old one goes. */
static void change(unsigned long i)
{
	make('c', churned);
	check(renameat(dir, name_of('c', churned), dir, name_of('s', i * 7919 % count)), "rename");
	make('c', churned + 1);
	check(renameat(dir, name_of('c', churned + 1), dir, name_of('m', i)), "rename");
	make('c', churned + 2);
	check(unlinkat(dir, name_of('c', churned + 2), 0), "unlink");
	if (i > 0)
		check(unlinkat(dir, name_of('m', i - 1), 0), "unlink");
	churned += 3;
}

static void note(const struct dirent *d)
{
	unsigned long i = strtoul(d->d_name + 1, NULL, 10);

	if (d->d_name[0] != 's')
		return;
	if (i >= count)
		bad("never made", d->d_name);
	else if (seen[i]++ > 0)
		bad("listed twice", d->d_name);
}

static void scan(void)
{
	DIR *stream = fdopendir(dup(dir));
	const struct dirent *d;
	unsigned long read = 0, changes = 0;

	check(stream == NULL, "fdopendir");
	while (errno = 0, (d = readdir(stream)) != NULL) {
		note(d);
		if (++read % EVERY == 0)
			change(changes++);
		/* New names stand at the end; three come for each EVERY read, so it ends. */
		if (changes > count)
			break;
	}
	check(errno, "readdir");
	closedir(stream);
	for (unsigned long i = 0; i < count; i++)
		if (seen[i] == 0)
			bad("not listed", name_of('s', i));
}

int main(int argc, char **argv)
{
	dir = argc == 3 ? open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	count = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
	seen = calloc(count + 1, 1);
	if (dir < 0 || count == 0 || seen == NULL) {
		fprintf(stderr, "usage: churn DIR COUNT\n");
		return 2;
	}
	for (unsigned long i = 0; i < count; i++)
		make('s', i);
	scan();
	free(seen);
	return wrong > 0;
}
