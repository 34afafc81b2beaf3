/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The status of a socket as text: what `cat .ctl/NAME' and `sockctl stat' show.
 */
#ifndef UAPI_INFO_H
#define UAPI_INFO_H

#include <stddef.h>

#include "sockfs/ioctl.h"

/* What errno value @err means to somebody who asked for a network operation. */
const char *info_strerror(int err);
/* The same of @info's error, which may be one of looking the host up. */
const char *info_error_text(const struct sockfs_info *info);

/* More than all lines together ever have. */
#define INFO_TEXT_MAX (16 * SOCKFS_TEXT_MAX)

/*
 * Asks for one option: level, name and len (the room) are set; value and len
 * are the answer. 0, or anything else if the socket cannot tell.
 */
typedef int info_getopt_t(void *arg, struct sockfs_sockopt *opt);
/* ... and for one that is text. */
typedef int info_gettext_t(void *arg, struct sockfs_text *text);

/*
 * Write the lines `key value' of @info and of the options of its protocol to @buf, of
 * INFO_TEXT_MAX bytes, with a NUL behind them. An unset address, and an option that
 * the socket cannot tell, is "-"; an error is its number and info_error_text()'s
 * words. SO_ERROR is not among them: to look at it would take it away. Returns the
 * length.
 */
size_t info_text(const struct sockfs_info *info, info_getopt_t *getopt, info_gettext_t *gettext,
		 void *arg, char *buf);

#endif /* UAPI_INFO_H */
