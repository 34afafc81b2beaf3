/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SIGHUP: read the policy file again, without anybody waiting for it.
 */
#ifndef POLICY_RELOAD_H
#define POLICY_RELOAD_H

#include <stdbool.h>
#include <uv.h>

/*
 * From now on SIGHUP reads @path (which must stay) in a thread and puts the rules in force
 * between two requests; a bad file is one line of log and changes nothing. Connections
 * that there are stay. The loop does not stay alive for it. 0 or -errno.
 */
int policy_reload_start(uv_loop_t *loop, const char *path);
/*
 * If another process has died that was asked to, and had not done it, do it. When this one has
 * been confined: its threads are to be what it is.
 */
void policy_reload_resume(void);
/* Write down that somebody has asked for it, or that it is done. */
void policy_reload_asked(bool asked);
/* No more. The handle goes with the next turns of the loop. Idempotent. */
void policy_reload_stop(void);

/* Is a thread at work now? A copy of this process would not have it, but the locks it holds. */
bool policy_reload_is_reading(void);

#endif /* POLICY_RELOAD_H */
