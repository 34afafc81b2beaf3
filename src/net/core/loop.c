/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The loop as sockets see it (net/sock_wait.h): waiting, watching, time.
 */
#include "config.h"

#include "net/core/wait.h"
#include "net/sock_wait.h"

static const struct sock_loop loop_ops = {
	.wait = sk_wait_for,
	.watch = sk_watch_for,
	.timer = sk_timer_set,
	.now = sk_now,
};

void sk_loop_init(uv_loop_t *loop)
{
	sk_loop = loop;
	sock_loop = &loop_ops;
}
