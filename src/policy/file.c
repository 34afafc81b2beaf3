/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A policy file, whole into memory and then into rules.
 */
#include "config.h"

#include "policy/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/parse.h"

/* Fill @buf from @fd: how many bytes, or -errno. */
static ssize_t read_all(int fd, char *buf, size_t size)
{
	size_t got = 0;

	while (got < size) {
		ssize_t n = read(fd, buf + got, size - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

/* The text of @path, malloc'ed; its size or -errno (-EFBIG: too large; -EINVAL: no regular file). */
static ssize_t slurp(const char *path, char **ret_text)
{
	/* Whoever opens a FIFO waits for its other end. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	ssize_t n;
	char *text;

	if (fd < 0)
		return -errno;
	text = malloc(POLICY_SIZE_MAX + 1);
	if (text == NULL)
		n = -ENOMEM;
	else if (fstat(fd, &st) != 0)
		n = -errno;
	else if (!S_ISREG(st.st_mode))
		n = S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	else
		n = read_all(fd, text, POLICY_SIZE_MAX + 1);
	close(fd);
	if (n > (ssize_t)POLICY_SIZE_MAX)
		n = -EFBIG;
	if (n < 0)
		free(text);
	else
		*ret_text = text;
	return n;
}

int policy_read(const char *path, struct policy **ret_policy, char *ret_message, size_t size)
{
	struct policy_error error;
	struct policy *policy;
	char *text = NULL;
	ssize_t n = slurp(path, &text);
	int err;

	if (n < 0) {
		snprintf(ret_message, size, "%s: %s", path,
			 n == -EINVAL ? "Not a regular file" : strerror((int)-n));
		return (int)n;
	}
	err = policy_parse(text, (size_t)n, &policy, &error);
	free(text);
	if (err == 0) {
		policy->path = strdup(path);
		if (policy->path != NULL) {
			*ret_policy = policy;
			return 0;
		}
		policy_free(policy);
		err = -ENOMEM;
		snprintf(ret_message, size, "%s: %s", path, strerror(ENOMEM));
		return err;
	}
	snprintf(ret_message, size, "%s:%u:%u: %s", path, error.line, error.column, error.reason);
	return err;
}
