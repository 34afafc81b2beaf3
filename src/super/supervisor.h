/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two processes for one mount: a worker that does all the work, and a supervisor
 * that started it, waits for its end, and has nothing to crash on.
 *
 * They share one table of descriptors (clone(2), CLONE_FILES) and nothing else but
 * a page of words: what one closes is closed for both, and what one leaves open
 * when it is killed stays open in the other, the device of the mount among it. So a
 * killed worker leaves no dead mount: the supervisor unmounts. The supervisor owns
 * no descriptor: it waits by sigwaitinfo(2), and learns of a parent's death by
 * PR_SET_PDEATHSIG, so whatever a worker does to descriptors cannot harm it.
 *
 * Signals: SIGTERM, SIGINT and SIGHUP to the supervisor go on to the worker, which ends
 * the mount, or for a SIGHUP may do something else. A terminal or systemd may send them to both; so
 * what is counted as "a second signal" is what the supervisor was sent.
 *
 * The supervisor has one thread. Nothing here calls back but what says so.
 */
#ifndef SUPER_SUPERVISOR_H
#define SUPER_SUPERVISOR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct supervision {
	/* The worker's whole life, in the worker: its exit status. */
	int (*serve)(void *arg);
	/* The same after another one has died; NULL: nobody can go on where one has died. */
	int (*resume)(void *arg);
	/*
	 * Is there something to go on with? Asked when a worker has died, of @signum; 0: nobody
	 * knows of what.
	 */
	bool (*can_resume)(void *arg, int signum);
	/*
	 * Become a new program in this process, which goes on with all (super/again.h):
	 * returns -errno if it cannot. Is there one that can? For SIGUSR2. NULL: never.
	 */
	int (*again)(void *arg);
	bool (*can_again)(void *arg);
	/*
	 * How much has been served so far: anything that grows. @again: what one process had
	 * begun and another did counts, too.
	 */
	uint64_t (*progress)(void *arg, bool again);
	/* In the supervisor: nobody serves the mount any more; take it down, if it is there still. */
	void (*abandon)(void *arg);
	void *arg;
	const char *mountpoint; /* for the title and the log; lives as long as the process */
	bool foreground;
	/* SIGHUP is about to go to the worker, and does not ask for the end; NULL: it does. */
	void (*hangup)(void *arg);
};

/*
 * Keep SIGTERM, SIGINT, SIGHUP and SIGCHLD waiting until somebody is there to take
 * them: call it before the mount is made.
 */
void supervisor_block_signals(void);
/* The worker is there to take them. Also right without supervisor_block_signals(). */
void supervisor_unblock_signals(void);

/*
 * Make the worker, call @sv->serve in it and return what that returned: so the call
 * returns in the worker. The supervisor does not return: it exits with the worker's
 * status, or, when a signal has ended the worker, with 1 after a logged line and
 * @sv->abandon. Where no second process can be made, serves in this one, after a line
 * in the log. @sv stays the caller's and must live as long as the process.
 */
int supervisor_run(const struct supervision *sv);

/* The words of the worker; each does nothing, or says false, without a supervisor. */

/* The mount answers: in the background the log goes to syslog(3) from here on. */
void supervisor_set_ready(void);
/* This process ends, and could not unmount: the supervisor is to do it then. */
void supervisor_set_still_mounted(void);
/* End this process at once with @status: by itself, not by an accident. */
_Noreturn void supervisor_exit(int status);
/* Has there been a second signal that asks for the end? @nr is how many came here. */
bool supervisor_stop_is_urgent(unsigned int nr);
/* Who supervises this worker; 0: nobody. */
pid_t supervisor_pid(void);
/*
 * The supervisor is gone: make another, a child of this worker, which does for it what
 * the first one did; there is nobody left to give its status to. Descriptors are shared
 * as before. No other thread of this process may be at work. 0 or -errno of clone(2).
 */
int supervisor_replace(void);

#endif /* SUPER_SUPERVISOR_H */
