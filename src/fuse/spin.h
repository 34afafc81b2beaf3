/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looking for the next request for a while before the daemon sleeps.
 *
 * Why: a sleeping processor takes tens of microseconds to wake up (more in a
 * virtual machine), a request a few. A caller that asks for one thing after
 * the other pays for two wake-ups each time, its own and the daemon's; while
 * the daemon spins it pays for one. Sockets are watched meanwhile as ever.
 *
 * When: only while it pays. The pauses between answer and next request decide:
 * a short one makes the daemon try, and as long as what it waits for comes in
 * time it goes on. A spin in vain asks for twice as many short pauses before
 * the next try, up to SPIN_DOUBT_MAX. So traffic of the wrong rhythm, or none,
 * costs nothing worth naming; nor does a caller that the kernel has put on the
 * daemon's own processor, where it cannot run before the daemon sleeps.
 */
#ifndef FUSE_SPIN_H
#define FUSE_SPIN_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#define SPIN_DOUBT_MAX 256u

struct spin {
	uv_idle_t idle;	      /* active while it spins: the loop does not sleep then */
	uint64_t budget;      /* ns, 0: never spins */
	uint64_t last;	      /* ns: when the daemon was last busy */
	unsigned int doubt;   /* short pauses that are asked for before a try */
	unsigned int promise; /* short pauses seen since the last try in vain */
	bool open;	      /* the handle is the loop's */
	/* Work on what the device has; true: there was something. */
	bool (*look)(void *arg);
	/* Nobody waits for a socket: the loop's own turn may come a little later. */
	bool (*alone)(void *arg);
	void *arg;
};

/* Is there more than one processor to run on? */
bool spin_may_pay(void);

/* Ready on @loop, for at most @usec microseconds at a time; 0: never, and sp->open stays false. */
void spin_init(struct spin *sp, uv_loop_t *loop, unsigned int usec, bool (*look)(void *arg),
	       bool (*alone)(void *arg), void *arg);
/* Stop for good. spin_close, if sp->open, must follow; @on_closed as for uv_close. */
void spin_stop(struct spin *sp);
void spin_close(struct spin *sp, uv_close_cb on_closed);

/* A request has come, or one that was parked can be answered: call it before... */
void spin_wake(struct spin *sp);
/* ...and after the work. */
void spin_busy(struct spin *sp);

#endif /* FUSE_SPIN_H */
