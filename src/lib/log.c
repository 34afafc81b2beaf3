/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One line of log a call, made harmless, without allocating. */
#include "config.h"

#include "lib/log.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "lib/syslog.h"

enum log_level console_loglevel = LOGLEVEL_INFO;

static enum log_target log_target = LOG_TARGET_STDERR;
static bool log_nowait;
static unsigned long nr_left_out;
static char log_prog[32] = "sockfs";

BUILD_BUG_ON((int)LOGLEVEL_ERR != LOG_ERR || (int)LOGLEVEL_WARNING != LOG_WARNING);
BUILD_BUG_ON((int)LOGLEVEL_NOTICE != LOG_NOTICE);
BUILD_BUG_ON((int)LOGLEVEL_INFO != LOG_INFO || (int)LOGLEVEL_DEBUG != LOG_DEBUG);

void log_open(const char *prog, bool to_syslog, enum log_level max)
{
	snprintf(log_prog, sizeof(log_prog), "%s", prog);
	log_set_level(max);
	log_set_target(to_syslog ? LOG_TARGET_SYSLOG : LOG_TARGET_STDERR);
}

void log_set_target(enum log_target target)
{
	log_target = target;
	/* The file of the time zone is read now, and not by some line. */
	if (target == LOG_TARGET_SYSLOG)
		tzset();
}

void log_close(void)
{
	syslog_close();
}

void log_set_level(enum log_level max)
{
	console_loglevel = max;
}

/* Is @s the beginning of a printable UTF-8 character? Its length, or 0. The text ends in a NUL. */
static size_t printable_char(const unsigned char *s)
{
	static const unsigned int least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned int code;
	size_t len;

	if (s[0] < 0x80)
		return s[0] >= 0x20 && s[0] != 0x7f && s[0] != '\\';
	if ((s[0] & 0xe0) == 0xc0)
		len = 2;
	else if ((s[0] & 0xf0) == 0xe0)
		len = 3;
	else if ((s[0] & 0xf8) == 0xf0)
		len = 4;
	else
		return 0;
	code = s[0] & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3f);
	}
	/* longer than need be; C1 controls; surrogates; beyond the last plane */
	if (code < least[len] || code < 0xa0 || (code >= 0xd800 && code < 0xe000) ||
	    code > 0x10ffff)
		return 0;
	return len;
}

/* Write @text into @out of @size bytes, made harmless. What does not fit is cut between characters
 * (or escapes) and ends in "...". */
static void escape(char *out, size_t size, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t used = 0, cut = 0;

	while (*s != '\0') {
		size_t len = printable_char(s);
		size_t room = len != 0 ? len : 4;

		if (used + room >= size) {
			memcpy(out + cut, "...", 4);
			return;
		}
		if (len != 0) {
			memcpy(out + used, s, len);
			s += len;
		} else {
			out[used] = '\\';
			out[used + 1] = (char)('0' + (*s >> 6));
			out[used + 2] = (char)('0' + (*s >> 3 & 7));
			out[used + 3] = (char)('0' + (*s & 7));
			s++;
		}
		used += room;
		if (used + 4 <= size)
			cut = used; /* the dots still fit behind this */
	}
	out[used] = '\0';
}

void log_set_nowait(bool nowait)
{
	log_nowait = nowait;
}

/* One write: lines of several processes on one terminal do not mix. */
static void write_line(const char *line, size_t len)
{
	ssize_t written;

	do
		written = write(STDERR_FILENO, line, len);
	while (written < 0 && errno == EINTR);
}

/* Would a line be written at once? A pipe that says so takes PIPE_BUF bytes, poll(2) of Linux. */
static bool has_room(void)
{
	struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};

	BUILD_BUG_ON(LOG_LINE_MAX > PIPE_BUF);
	return poll(&out, 1, 0) == 1 && out.revents & POLLOUT;
}

/* The line that tells of those that were left out: "PROG: N lines ...". */
static size_t left_out_line(char *text, size_t size)
{
	return (size_t)snprintf(text, size, "%s: %lu lines found no room", log_prog, nr_left_out);
}

static void write_without_waiting(const char *line, size_t len)
{
	char text[LOG_LINE_MAX];
	size_t n;

	if (!has_room()) {
		nr_left_out++;
		return;
	}
	if (nr_left_out != 0) {
		n = left_out_line(text, sizeof(text));
		text[n++] = '\n';
		write_line(text, n);
		nr_left_out = 0;
		if (!has_room()) {
			nr_left_out++;
			return;
		}
	}
	write_line(line, len);
}

/* It writes the program's name and the newline itself, so @line's are left out. */
static void line_to_syslog(enum log_level level, const char *line)
{
	const size_t head = strlen(log_prog) + 2;
	char text[LOG_LINE_MAX];

	if (nr_left_out != 0) {
		left_out_line(text, sizeof(text));
		if (!syslog_line(log_prog, LOGLEVEL_WARNING, text + head)) {
			nr_left_out++;
			return;
		}
		nr_left_out = 0;
	}
	if (!syslog_line(log_prog, (int)level, line + head))
		nr_left_out++;
}

static void emit(enum log_level level, char *line, size_t len)
{
	if (log_target == LOG_TARGET_SYSLOG) {
		line_to_syslog(level, line);
		return;
	}
	line[len++] = '\n';
	if (log_nowait)
		write_without_waiting(line, len);
	else
		write_line(line, len);
}

void log_printk(enum log_level level, const char *fmt, ...)
{
	/* Twice a line's length, so that a text which vsnprintf cuts is cut again by escape and
	 * gets its dots. */
	char text[2 * LOG_LINE_MAX], line[LOG_LINE_MAX];
	int saved = errno;
	size_t head, len;
	va_list ap;

	if (level > console_loglevel)
		return;
	va_start(ap, fmt);
	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		snprintf(text, sizeof(text), "(a message that cannot be formatted)");
	va_end(ap);

	len = strlen(text);
	if (len > 0 && text[len - 1] == '\n')
		text[len - 1] = '\0';

	head = (size_t)snprintf(line, sizeof(line), "%s: ", log_prog);
	/* one byte less: the newline */
	escape(line + head, sizeof(line) - head - 1, text);
	emit(level, line, strlen(line));
	errno = saved;
}
