/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The worker's eye on its supervisor: when that is killed, the worker serves on, says
 * so in the log, and makes itself another one, at most one a second.
 */
#ifndef SUPER_GUARD_H
#define SUPER_GUARD_H

struct uv_loop_s;
struct guard;

/*
 * Begin to watch on @loop, without keeping it alive. NULL when there is no supervisor
 * (super/supervisor.h), or nothing to watch it with (said in the log). guard_stop() ends it.
 */
struct guard *guard_start(struct uv_loop_s *loop);
/* Forget it; it is freed when @loop has run on. NULL is allowed. */
void guard_stop(struct guard *g);

#endif /* SUPER_GUARD_H */
