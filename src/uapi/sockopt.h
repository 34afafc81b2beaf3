/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one table of options: names, numbers, kinds. ioctl, text, xattr and
 * sockctl all read it; adding an option is one line in sockopt.c.
 */
#ifndef UAPI_SOCKOPT_H
#define UAPI_SOCKOPT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "sockfs/ioctl.h"

enum sockopt_kind {
	SOCKOPT_BOOL,	 /* an int, 0 or 1 */
	SOCKOPT_INT,	 /* an int; as text decimal or 0x hexadecimal */
	SOCKOPT_LINGER,	 /* struct linger; as text the seconds, -1 for off */
	SOCKOPT_SECONDS, /* an __s32 kept by sockfs itself (SOL_SOCKFS) */
	SOCKOPT_CHOICE,	 /* an __s32 kept by sockfs: one of so->words, which are its text */
	SOCKOPT_PROTO,	 /* text: the protocol of a file, not listed, since status has it anyhow */
	SOCKOPT_STRING,	 /* text kept by sockfs, without blanks; "-" takes it away */
	/* These can only be read: */
	SOCKOPT_ERROR,	 /* an int: SO_ERROR, reading clears it: keep it out of listings */
	SOCKOPT_COUNT,	 /* an __s32 of sockfs */
	SOCKOPT_TEXT,	 /* text of sockfs */
};

struct sockopt {
	const char *name;
	enum sockopt_kind kind;
	int level, optname;
	int level6, optname6; /* on an IPv6 socket, 0 0: the same */
	long min, max;	      /* what set allows */
	const char *protos;   /* those that take it (struct proto's word), NULL: each */
	const char *const *words; /* of a choice, by its values, and a NULL */
};

/* Sets of them are bits of a uint64_t. */
#define SOCKOPTS_MAX 64
extern const struct sockopt sockopts[];
extern const size_t nr_sockopts;

/* By the word users know; NULL if there is none. */
const struct sockopt *sockopt_by_name(const char *name);
/* By its IPv4 numbers. */
const struct sockopt *sockopt_by_number(int level, int optname);

static inline bool sockopt_is_readonly(const struct sockopt *so)
{
	return so->kind >= SOCKOPT_ERROR;
}

/* Is it a line of a status? */
static inline bool sockopt_is_listed(const struct sockopt *so)
{
	return so->kind != SOCKOPT_ERROR && so->kind != SOCKOPT_PROTO;
}

/* Is it told in full by SOCKFS_IOC_GETTEXT? */
static inline bool sockopt_is_text(const struct sockopt *so)
{
	return so->kind == SOCKOPT_STRING || so->kind == SOCKOPT_TEXT;
}

/* Does the protocol that users call @proto take it? */
bool sockopt_taken_by(const struct sockopt *so, const char *proto);

/*
 * Text to value and back, in host int layout as setsockopt(2) takes it.
 * sockopt_parse: 0; -EINVAL if not a number (bool also on/off, yes/no, linger
 * also off; a choice takes its words only), out of range, or read-only. Fills level,
 * name, len, value.
 * sockopt_format: the length of the text, -EINVAL if value does not fit the kind.
 */
int sockopt_parse(const struct sockopt *so, const char *text, struct sockfs_sockopt *ret_opt);
int sockopt_format(const struct sockopt *so, const struct sockfs_sockopt *opt, char *buf,
		   size_t size);
/*
 * The number in @opt (bool: 0 or 1, linger: seconds or -1); -EINVAL if len does
 * not fit the kind, or it is a text. The range is not checked: the kernel may report
 * what set refuses.
 */
int sockopt_value(const struct sockopt *so, const struct sockfs_sockopt *opt, long *ret_value);
/* The other way; fills level, name, len, value. -EINVAL out of range. */
int sockopt_make(const struct sockopt *so, long value, struct sockfs_sockopt *ret_opt);

#endif /* UAPI_SOCKOPT_H */
