/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looking for the next request for a while before the daemon sleeps. See spin.h.
 *
 * An active uv_idle_t makes libuv poll without waiting, so sockets, timers and
 * signals get their turn in each round of a spin.
 */
#include "config.h"

#include "fuse/spin.h"

#include <sched.h>

#include "lib/util.h"

/*
 * A pause that ended a sleep holds the time of our own waking up, so it may be
 * somewhat longer than the spin that would have met it.
 */
#define PAUSE_FACTOR 3

/*
 * While nobody waits for a socket, the loop's turn comes only after so many looks, or so
 * much time: each may have worked for a whole turn, and there are timers too.
 */
#define SPIN_ROUNDS 16
#define SPIN_ROUNDS_NS 50000u

static void on_idle(uv_idle_t *handle);

static void spin_give_up(struct spin *sp)
{
	uv_idle_stop(&sp->idle);
	sp->promise = 0;
	sp->doubt = min(sp->doubt * 2, SPIN_DOUBT_MAX);
}

static void on_idle(uv_idle_t *handle)
{
	struct spin *sp = container_of(handle, struct spin, idle);
	int rounds = sp->alone(sp->arg) ? SPIN_ROUNDS : 1;
	uint64_t begin = uv_hrtime();

	for (int i = 0; i < rounds; i++) {
		if (sp->look(sp->arg)) {
			if (sp->budget == 0 || !sp->alone(sp->arg) ||
			    uv_hrtime() - begin > SPIN_ROUNDS_NS)
				return;
		} else if (uv_hrtime() - sp->last > sp->budget) {
			spin_give_up(sp);
			return;
		}
	}
}

/* On a lone processor nobody can ask while we look. */
bool spin_may_pay(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) != 0 || CPU_COUNT(&set) > 1;
}

void spin_init(struct spin *sp, uv_loop_t *loop, unsigned int usec, bool (*look)(void *arg),
	       bool (*alone)(void *arg), void *arg)
{
	*sp = (struct spin){.budget = (uint64_t)usec * 1000, .doubt = 1, .look = look, .alone = alone, .arg = arg};
	if (usec == 0)
		return;
	uv_idle_init(loop, &sp->idle);
	sp->open = true;
	sp->last = uv_hrtime();
}

void spin_stop(struct spin *sp)
{
	sp->budget = 0;
	uv_idle_stop(&sp->idle);
}

void spin_close(struct spin *sp, uv_close_cb on_closed)
{
	spin_stop(sp);
	sp->open = false;
	uv_close((uv_handle_t *)&sp->idle, on_closed);
}

void spin_wake(struct spin *sp)
{
	if (sp->budget == 0)
		return;
	if (uv_is_active((uv_handle_t *)&sp->idle)) {
		sp->doubt = 1;
		return;
	}
	if (uv_hrtime() - sp->last < PAUSE_FACTOR * sp->budget)
		sp->promise++;
	else
		sp->promise = 0;
}

void spin_busy(struct spin *sp)
{
	if (sp->budget == 0)
		return;
	sp->last = uv_hrtime();
	if (sp->promise >= sp->doubt && !uv_is_active((uv_handle_t *)&sp->idle))
		uv_idle_start(&sp->idle, on_idle);
}
