/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines to /dev/log without waiting: see syslog.h. */
#include "config.h"

#include "lib/syslog.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "lib/util.h"

#define LINE_MAX_HEAD 96 /* what stands before the text */

static int log_fd = -1;
static int log_type = SOCK_DGRAM; /* some take a stream, of lines that end in a NUL */

void syslog_close(void)
{
	if (log_fd >= 0)
		close(log_fd);
	log_fd = -1;
}

/* 0 or an errno. */
static int open_as(int type)
{
	const struct sockaddr_un log = {.sun_family = AF_UNIX, .sun_path = _PATH_LOG};
	int err;

	log_fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (log_fd < 0)
		return errno;
	log_type = type;
	if (connect(log_fd, (const struct sockaddr *)&log, sizeof(log)) == 0)
		return 0;
	err = errno;
	syslog_close();
	return err;
}

static int open_log(void)
{
	int err = open_as(log_type);

	if (err == EPROTOTYPE)
		err = open_as(log_type == SOCK_DGRAM ? SOCK_STREAM : SOCK_DGRAM);
	return err;
}

/* 0 or an errno. What went in part is lost: the rest of it would begin another line. */
static int send_line(const char *line, size_t len)
{
	size_t size = log_type == SOCK_STREAM ? len + 1 : len;
	ssize_t n;

	do
		n = send(log_fd, line, size, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n == (ssize_t)size)
		return 0;
	return n < 0 ? errno : EPIPE;
}

/* As syslog(3) writes it. */
static size_t make_line(char *line, size_t size, const char *prog, int level, const char *text)
{
	char when[32] = "";
	time_t now = time(NULL);
	struct tm tm;
	int n;

	if (localtime_r(&now, &tm) != NULL)
		strftime(when, sizeof(when), "%b %e %T ", &tm);
	n = snprintf(line, size, "<%d>%s%s[%d]: %s", LOG_DAEMON | level, when, prog, (int)getpid(),
		     text);
	return min((size_t)max(n, 0), size - 1);
}

bool syslog_line(const char *prog, int level, const char *text)
{
	char line[LINE_MAX_HEAD + 1024];
	size_t len = make_line(line, sizeof(line), prog, level, text);
	int err = EPIPE;

	if (log_fd >= 0)
		err = send_line(line, len);
	/* The one who took lines has begun anew, since or for the first time. */
	if (err != 0 && err != EAGAIN) {
		syslog_close();
		err = open_log();
		if (err == 0)
			err = send_line(line, len);
	}
	return err == 0 || err == ENOENT || err == ECONNREFUSED || err == EACCES;
}
