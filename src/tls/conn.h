/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections: from the daemon's request to the last byte.
 */
#ifndef TLS_CONN_H
#define TLS_CONN_H

#include <stdbool.h>
#include <uv.h>

#include "uapi/tls.h"

/* Before the first; 0 or -errno. */
int conns_init(uv_loop_t *loop);
/*
 * Begin what @open (a TLS_MSG_OPEN, checked) asks for, on @fds (enum in channel.h), which
 * are this one's from now on. The answer goes into the channel, now or later.
 */
void conn_open(const struct tls_msg *open, const int *fds);
/* The daemon is gone: what is open now ends as its files do; @idle is called once none is left. */
void conns_finish(void (*idle)(void));
void conns_exit(void);

#endif /* TLS_CONN_H */
