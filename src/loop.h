/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's life on its loop: made, mounted, served, taken apart.
 */
#ifndef LOOP_H
#define LOOP_H

#include "options.h"

/*
 * Serve the mount of @session as @opt says until it is gone or a signal comes
 * (SIGTERM and SIGINT, in the foreground SIGHUP too; a second one ends the
 * process at once). @ready(@arg) is called once, when the mount answers.
 * Unmounts and destroys @session in any case.
 * Returns the exit status: 0, or 1 after a logged line (the
 * device failed, something was still alive in the end).
 */
int loop_serve(struct options *opt, struct sockfs_session *session, void (*ready)(void *arg),
	       void *arg);

/*
 * The same for a mount that another process has served, which died: everything that is in
 * the ledger goes on (journal/ledger.h). @ready is not called if it has been.
 */
int loop_resume(struct options *opt, struct sockfs_session *session, void (*ready)(void *arg),
		void *arg);

#endif /* LOOP_H */
