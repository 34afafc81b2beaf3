/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Descriptors beside bytes, over a socket of UNIX: SCM_RIGHTS of unix(7), as
 * net/core/scm.c takes them.
 */
#ifndef LIB_SCM_H
#define LIB_SCM_H

#include <stddef.h>

/* Descriptors in one message, at the most. */
#define SCM_SEND_MAX 2

/*
 * Send @len bytes at @data (at least one), and with them the @nr descriptors at @fds, which stay
 * the caller's; all or nothing. @flags of sendmsg(2), beside MSG_NOSIGNAL. 0 or -errno; -EINVAL:
 * more than SCM_SEND_MAX.
 */
int scm_send(int sock, const void *data, size_t len, const int *fds, size_t nr, int flags);

#endif /* LIB_SCM_H */
