/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fscall: the meaning of words: numbers, descriptors, flags, times.
 */
#include "config.h"

#include "tests/lib/fscall.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

static const struct {
	const char *name;
	int value;
} flag_table[] = {
	{"O_RDONLY", O_RDONLY},
	{"O_WRONLY", O_WRONLY},
	{"O_RDWR", O_RDWR},
	{"O_ACCMODE", O_ACCMODE},
	{"O_CREAT", O_CREAT},
	{"O_EXCL", O_EXCL},
	{"O_TRUNC", O_TRUNC},
	{"O_APPEND", O_APPEND},
	{"O_NONBLOCK", O_NONBLOCK},
	{"O_SYNC", O_SYNC},
	{"O_DIRECT", O_DIRECT},
	{"O_DIRECTORY", O_DIRECTORY},
	{"O_NOFOLLOW", O_NOFOLLOW},
	{"O_NOATIME", O_NOATIME},
	{"O_PATH", O_PATH},
	{"O_TMPFILE", O_TMPFILE},
	/* Without AT_, which Autotest would take for its own. */
	{"SYMLINK_FOLLOW", AT_SYMLINK_FOLLOW},
	{"EMPTY_PATH", AT_EMPTY_PATH},
	{"RENAME_NOREPLACE", RENAME_NOREPLACE},
	{"RENAME_EXCHANGE", RENAME_EXCHANGE},
	{"RENAME_WHITEOUT", RENAME_WHITEOUT},
	{"R_OK", R_OK},
	{"W_OK", W_OK},
	{"X_OK", X_OK},
	{"F_OK", F_OK},
	{"LOCK_SH", LOCK_SH},
	{"LOCK_EX", LOCK_EX},
	{"LOCK_UN", LOCK_UN},
	{"LOCK_NB", LOCK_NB},
	{"F_RDLCK", F_RDLCK},
	{"F_WRLCK", F_WRLCK},
	{"F_UNLCK", F_UNLCK},
	{"FALLOC_FL_KEEP_SIZE", FALLOC_FL_KEEP_SIZE},
	{"FALLOC_FL_PUNCH_HOLE", FALLOC_FL_PUNCH_HOLE},
	{"PROT_READ", PROT_READ},
	{"PROT_WRITE", PROT_WRITE},
	{"MAP_SHARED", MAP_SHARED},
	{"MAP_PRIVATE", MAP_PRIVATE},
	{"SEEK_SET", SEEK_SET},
	{"SEEK_CUR", SEEK_CUR},
	{"SEEK_END", SEEK_END},
};

long fscall_number(const char *word)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(word, &end, 0);
	if (end == word || *end != '\0' || errno != 0)
		fscall_bad("not a number", word);
	return value;
}

int fscall_fd(const char *word)
{
	if (word[0] >= 'a' && word[0] <= 'z' && word[1] == '\0')
		return fscall_fds[word[0] - 'a'];
	return (int)fscall_number(word);
}

static int flag_value(const char *name)
{
	for (size_t i = 0; i < sizeof(flag_table) / sizeof(flag_table[0]); i++)
		if (strcmp(flag_table[i].name, name) == 0)
			return flag_table[i].value;
	return (int)fscall_number(name);
}

int fscall_flags(const char *word)
{
	char copy[256], *save = NULL;
	int flags = 0;

	snprintf(copy, sizeof(copy), "%s", word);
	for (char *p = copy; (p = strtok_r(p, "|", &save)) != NULL; p = NULL)
		flags |= flag_value(p);
	return flags;
}

struct timespec fscall_time(const char *word)
{
	struct timespec ts = {.tv_nsec = UTIME_NOW};
	char *end;

	if (strcmp(word, "now") == 0)
		return ts;
	ts.tv_nsec = UTIME_OMIT;
	if (strcmp(word, "omit") == 0)
		return ts;
	ts.tv_sec = strtol(word, &end, 10);
	if (*end != '.')
		fscall_bad("not now, omit or SECONDS.NANOSECONDS", word);
	ts.tv_nsec = strtol(end + 1, &end, 10);
	if (*end != '\0')
		fscall_bad("not now, omit or SECONDS.NANOSECONDS", word);
	return ts;
}
