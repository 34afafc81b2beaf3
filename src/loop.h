/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's life on its loop: made, mounted, served, taken apart.
 */
#ifndef LOOP_H
#define LOOP_H

#include "options.h"

/*
 * Mount as @opt says and serve until the mount is gone or a signal comes
 * (SIGTERM and SIGINT, in the foreground SIGHUP too; a second one ends the
 * process at once). @ready(@arg) is called once, when the mount answers.
 * Returns the exit status: 0, or 1 after a logged line (not mounted, the
 * device failed, something was still alive in the end).
 */
int loop_serve(struct options *opt, void (*ready)(void *arg), void *arg);

#endif /* LOOP_H */
