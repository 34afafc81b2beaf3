/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the commands of sockctl share.
 */
#ifndef SOCKCTL_SOCKCTL_H
#define SOCKCTL_SOCKCTL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "sockfs/ioctl.h"

/* Exit statuses. */
enum {
	EXIT_DONE = 0,
	EXIT_FAILED = 1, /* the operation */
	EXIT_USAGE = 2,	 /* bad usage */
};

/* The command line behind the command's name, options taken out. */
struct args {
	const char *command;
	const char *file; /* FILE; of --fd N the path /dev/fd/N; NULL: the command takes none */
	int argc;	  /* of argv */
	char **argv;	  /* what follows FILE; NULL behind the last */
	char fd_path[32]; /* of --fd N */
	bool json;   /* --json */
	bool watch;  /* -w */
	bool all;    /* -a */
	bool recursive; /* -R */
	const char *proto; /* --proto P; NULL: not given */
	int backlog; /* -b N; 0: not given */
	int64_t timeout_ms; /* -t SEC; -1: not given */
};

/* ------------------------------------------------------------------- messages */

/* "sockctl: ..." on stderr. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* complain(), and the usage line of the command. Returns EXIT_USAGE. */
int bad_usage(const struct args *args, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The words up to a NULL in one text with @between them, cut at the end of @buf, which is returned. */
const char *join(const char *const *words, const char *between, char *buf, size_t size);

/* ---------------------------------------------------------- files of the mount */

/* Not a negative errno, nor -1. */
#define FD_NO_NAME (-2)

/*
 * A duplicate of the descriptor that the path @file stands for: /dev/fd/N,
 * /proc/self/fd/N, /dev/stdin and its kin, /proc/PID/fd/N (which takes ptrace(2)'s
 * rights). The caller closes it. FD_NO_NAME: an ordinary path; -1 with errno.
 */
int fd_by_name(const char *file);
bool is_fd_name(const char *file);

/* A number of a descriptor, or -1: @text is none. */
int parse_fd(const char *text);

/*
 * Open a socket file with access mode @mode (O_RDONLY, O_WRONLY), without
 * O_NONBLOCK, so that its ioctls wait. O_RDONLY falls back to O_WRONLY on
 * EACCES if @either. What fd_by_name() gives is taken as it is, in its own mode.
 * The descriptor, or -1 after a message. Nothing but a regular file on a FUSE
 * mount is ever opened: another may block or react.
 */
int socket_open(const char *file, int mode, bool either);

/*
 * ioctl(2), again after a stop signal (EINTR with nobody to handle it). 0, or
 * EXIT_FAILED after "sockctl: FILE: WHAT DETAIL: MESSAGE" (@detail may be NULL), and behind it
 * what tls_error says, if it was TLS that failed.
 */
int socket_ioctl(int fd, const char *file, unsigned long request, void *arg, const char *what,
		 const char *detail);

/* -------------------------------------------------------------------- printing */

/* A JSON string with its quotes; bytes that are not UTF-8 become U+FFFD and two hex digits. */
void json_string(FILE *out, const char *s);
/*
 * "name":... and, for a name that is not UTF-8, "name_hex" with all its bytes: so no
 * two names give the same.
 */
void json_name(FILE *out, const char *name);
/* "HOST:PORT" as a JSON string, null when unset. */
void json_addr(FILE *out, const struct sockfs_addr *addr);
/* The keys that stat and ls have in common, without braces. */
void json_info(FILE *out, const char *name, const struct sockfs_info *info);

/*
 * @s for a terminal: control characters and what is not UTF-8 as \xNN, a
 * backslash as \\. Returns a malloc'ed string (NULL: no memory) and its columns.
 */
char *printable(const char *s, int *ret_width);

/*
 * Cut printable()'s @text of @width columns in its middle, so that it takes at most
 * @room (5 or more, and less than @width). Returns the columns that it has then.
 */
int shorten(char *text, int width, int room);

/* -------------------------------------------------------------------- commands */

/* Each returns one of the exit statuses. */

/* One operation of the table (uapi/operation.h), by its word in args->command. */
int cmd_operation(const struct args *args);

int cmd_stat(const struct args *args);
int cmd_ls(const struct args *args);
int cmd_wait(const struct args *args);
int cmd_waiting(const struct args *args);
int cmd_help(const struct args *args);

#endif /* SOCKCTL_SOCKCTL_H */
