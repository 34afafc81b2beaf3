/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the daemon says: one line a call, to stderr or to syslog(3).
 *
 * A line is `PROG: text`, at most LOG_LINE_MAX bytes with its newline; a longer
 * one is cut and ends in "...". File names and peers' answers are somebody
 * else's text, so whatever could drive a terminal or forge a second line is
 * written as \ooo (three octal digits): control characters, bytes that are
 * not UTF-8, the C1 controls, and the backslash itself, which keeps the
 * escape unambiguous. One newline at the end of the text is dropped.
 *
 * Nothing here allocates, and errno is left alone, so all of it may be called
 * on any path of failure; %m in a format is strerror(errno). Not for signal
 * handlers. One thread.
 */
#ifndef LIB_LOG_H
#define LIB_LOG_H

#include <stdbool.h>

#include "lib/util.h"

#define LOG_LINE_MAX 1024

/* The kernel's names (include/linux/kern_levels.h) and syslog(3)'s numbers. */
enum log_level {
	LOGLEVEL_ERR = 3,     /* something failed that somebody asked for */
	LOGLEVEL_WARNING = 4, /* it goes on, but not as asked */
	LOGLEVEL_NOTICE = 5,  /* what somebody has asked to be told */
	LOGLEVEL_INFO = 6,    /* start, end, and what an administrator would ask for */
	LOGLEVEL_DEBUG = 7,   /* every move; sockfs -d */
};

enum log_target {
	LOG_TARGET_STDERR,
	LOG_TARGET_SYSLOG, /* facility daemon, with the process id */
};

/* The highest level that is written. Read it to spare work for a line that nobody sees; only
 * log_open and log_set_level write it. */
extern enum log_level console_loglevel;

/*
 * Begin: lines start with @prog (copied, at most 31 bytes of it), go to
 * syslog or stderr, and those above @max are dropped. Before the first call
 * they go to stderr as `sockfs: text` up to LOGLEVEL_INFO. May be called
 * again. Cannot fail.
 */
void log_open(const char *prog, bool to_syslog, enum log_level max);

/* Send the following lines to @target: the daemon says its errors on stderr
 * until the mount answers, then goes to the background and to syslog. */
void log_set_target(enum log_target target);

/*
 * With @nowait no line waits for a reader of stderr: a terminal that was stopped, or a pipe that
 * nobody empties, would stop all who wait for this process. Lines that find no room are left
 * out; the next one that does is preceded by their number. To syslog nothing ever waits.
 */
void log_set_nowait(bool nowait);

/* Give back the descriptor of syslog, if there is one; the next line opens another. */
void log_close(void);

/* Drop the lines above @max from now on. */
void log_set_level(enum log_level max);

/*
 * Write one line when @level is at most console_loglevel. Use the pr_ words
 * below. An error of writing is ignored: there is nobody left to tell.
 */
void log_printk(enum log_level level, const char *fmt, ...) __printf(2, 3);

/* As the kernel's: a file that defines pr_fmt before it includes this gives its lines a prefix. */
#ifndef pr_fmt
#define pr_fmt(fmt) fmt
#endif

#define pr_err(fmt, ...) log_printk(LOGLEVEL_ERR, pr_fmt(fmt), ##__VA_ARGS__)
#define pr_warn(fmt, ...) log_printk(LOGLEVEL_WARNING, pr_fmt(fmt), ##__VA_ARGS__)
#define pr_notice(fmt, ...) log_printk(LOGLEVEL_NOTICE, pr_fmt(fmt), ##__VA_ARGS__)
#define pr_info(fmt, ...) log_printk(LOGLEVEL_INFO, pr_fmt(fmt), ##__VA_ARGS__)

/* The arguments are evaluated only when the line will be written. */
#define pr_debug(fmt, ...)                                                      \
	do {                                                                    \
		if (unlikely(console_loglevel >= LOGLEVEL_DEBUG))               \
			log_printk(LOGLEVEL_DEBUG, pr_fmt(fmt), ##__VA_ARGS__); \
	} while (0)

#endif
