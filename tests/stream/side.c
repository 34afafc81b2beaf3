/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * side: a plain TCP socket and a file of the mount, side by side.
 *
 *	side MOUNT
 *
 * Runs random programs of reads, writes, shutdowns, polls, switches of
 * O_NONBLOCK and ends of the connection on both, and compares what each call
 * returned. The peers are in the same hand, so before each comparison it is
 * known that all that was sent has arrived.
 *
 * SOCKFS_TEST_SECONDS (3) says how long, SOCKFS_TEST_SEED repeats a run that
 * failed. Status 0: no difference.
 */
#include "config.h"

#include "tests/stream/side.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <linux/sockios.h>
#include <unistd.h>

#define STEPS 40

unsigned long spurious_edges;

static uint64_t seed, dice_state;
static unsigned long run, step;
static char history[STEPS + 1][120];

uint32_t dice(uint32_t n)
{
	/* xorshift64* */
	dice_state ^= dice_state >> 12;
	dice_state ^= dice_state << 25;
	dice_state ^= dice_state >> 27;
	return (uint32_t)((dice_state * UINT64_C(0x2545f4914f6cdd1d)) >> 33) % n;
}

void note(const char *fmt, ...)
{
	size_t len = strlen(history[step]);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(history[step] + len, sizeof(history[step]) - len, fmt, ap);
	va_end(ap);
}

static void tell_history(void)
{
	printf("seed %llu, program %lu:\n", (unsigned long long)seed, run);
	for (unsigned long i = 0; i <= step; i++)
		printf("%3lu %s\n", i, history[i]);
}

void same(const char *what, long plain, long file)
{
	if (plain == file) {
		note(" = %ld", plain);
		return;
	}
	die("%s: %ld (0x%lx) on the socket, %ld (0x%lx) on the file", what, plain,
	    (unsigned long)plain, file, (unsigned long)file);
}

/* ------------------------------------------------------------ what is under way */

static bool arrived(const struct pair *p, struct side *s)
{
	struct end *e = &s->end;
	unsigned int events = end_poll(e, POLLRDHUP, 0);
	int n = 0;

	if (p->reset)
		return events & (POLLERR | POLLHUP);
	if (p->fin && !(events & POLLRDHUP))
		return false;
	if (e->peer >= 0 && (ioctl(e->peer, SIOCOUTQ, &n) != 0 || n != 0))
		return false;
	return p->full || end_outq(e) == 0;
}

void pair_settle(struct pair *p)
{
	for (int i = 0; i < 2; i++)
		wait_for(arrived(p, &p->side[i]));
}

/* ------------------------------------------------------------------------ epoll */

static const unsigned int watch_flags[NR_WATCHES] = {
	[WATCH_LEVEL] = 0,
	[WATCH_EDGE] = EPOLLET,
	[WATCH_ONESHOT] = EPOLLONESHOT,
};

static void watch_ctl(struct pair *p, enum watch watch, int op)
{
	for (int i = 0; i < 2; i++) {
		struct epoll_event e = {.events = p->want | watch_flags[watch]};

		if (epoll_ctl(p->epoll[i][watch], op, p->side[i].end.fd, &e) != 0)
			die("epoll_ctl: %s", strerror(errno));
	}
}

static void watch_open(struct pair *p)
{
	static const unsigned int wants[] = {
		EPOLLIN, EPOLLOUT, EPOLLIN | EPOLLOUT | EPOLLRDHUP, EPOLLRDHUP, EPOLLIN | EPOLLRDHUP,
	};

	p->want = wants[dice(sizeof(wants) / sizeof(wants[0]))];
	note(" epoll 0x%x", p->want);
	for (enum watch w = 0; w < NR_WATCHES; w++) {
		for (int i = 0; i < 2; i++)
			if ((p->epoll[i][w] = epoll_create1(EPOLL_CLOEXEC)) < 0)
				die("epoll_create1: %s", strerror(errno));
		watch_ctl(p, w, EPOLL_CTL_ADD);
	}
}

static unsigned int watch_next(const struct pair *p, int side, enum watch watch, int timeout)
{
	struct epoll_event e = {0};
	int n = epoll_wait(p->epoll[side][watch], &e, 1, timeout);

	if (n < 0)
		die("epoll_wait: %s", strerror(errno));
	return n == 1 ? e.events : 0;
}

/* What a poller of the socket hears, a poller of the file hears too, if a moment later. */
static void watch_compare(struct pair *p)
{
	for (enum watch w = 0; w < NR_WATCHES; w++) {
		unsigned int plain = watch_next(p, PLAIN, w, 0);
		unsigned int file = watch_next(p, FILE_, w, plain != 0 ? 10000 : 0);

		if (w == WATCH_EDGE && plain == 0 && file != 0) {
			spurious_edges++;
			continue;
		}
		if (plain != file)
			note(" epoll %s:", w == WATCH_LEVEL ? "level" :
					   w == WATCH_EDGE  ? "edge" : "oneshot");
		if (plain != file)
			same("epoll_wait", plain, file);
		if (w == WATCH_ONESHOT && plain != 0) {
			same("oneshot again", watch_next(p, PLAIN, w, 0), watch_next(p, FILE_, w, 0));
			watch_ctl(p, w, EPOLL_CTL_MOD);
		}
	}
	/* Two changes may be two edges. */
	while (watch_next(p, FILE_, WATCH_EDGE, 0) != 0)
		spurious_edges++;
}

/* --------------------------------------------------------------------- programs */

static void pair_open(struct pair *p)
{
	bool dials = dice(2);

	memset(p, 0, sizeof(*p));
	end_open_plain(&p->side[PLAIN].end, dials);
	end_open_file(&p->side[FILE_].end, dials);
	note("%s", dials ? "dial" : "listen");
	watch_open(p);
}

static void pair_close(struct pair *p)
{
	for (int i = 0; i < 2; i++) {
		for (enum watch w = 0; w < NR_WATCHES; w++)
			close(p->epoll[i][w]);
		end_close(&p->side[i].end);
	}
}

static void compare_all(struct pair *p)
{
	unsigned int mask = (1u << 14) - 1;
	unsigned int plain, file;

	pair_settle(p);
	/* A queue does not stay full when a probe finds a little room in the peer's window. */
	for (int i = 0; i < 100; i++) {
		plain = end_poll(&p->side[PLAIN].end, mask, 0);
		file = end_poll(&p->side[FILE_].end, mask, 0);
		if (plain == file || !p->full)
			break;
		side_refill(p);
	}
	note("; poll");
	same("poll", plain, file);
	if (!p->full || !(p->want & EPOLLOUT))
		watch_compare(p);
}

static const struct op *dice_op(void)
{
	unsigned int sum = 0, n;
	size_t i;

	for (i = 0; i < nr_side_ops; i++)
		sum += side_ops[i].weight;
	n = dice(sum);
	for (i = 0; n >= side_ops[i].weight; i++)
		n -= side_ops[i].weight;
	return &side_ops[i];
}

static void run_program(void)
{
	unsigned long steps = 1 + dice(STEPS);
	struct pair p;

	memset(history, 0, sizeof(history));
	step = 0;
	pair_open(&p);
	compare_all(&p);
	for (step = 1; step <= steps; step++) {
		const struct op *op = dice_op();

		note("%s", op->name);
		op->run(&p);
		compare_all(&p);
	}
	pair_close(&p);
}

static uint64_t number(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text != NULL && *text != '\0' ? strtoull(text, NULL, 0) : otherwise;
}

int main(int argc, char **argv)
{
	uint64_t end = now_ms() + number("SOCKFS_TEST_SECONDS", 3) * 1000;

	if (argc != 2)
		die("usage: side MOUNT");
	signal(SIGPIPE, SIG_IGN);
	seed = number("SOCKFS_TEST_SEED", now_ms() ^ (uint64_t)getpid() << 20);
	on_death = tell_history;
	ends_init(argv[1]);
	for (run = 0; now_ms() < end; run++) {
		dice_state = (seed + run) * UINT64_C(0x9e3779b97f4a7c15) | 1;
		run_program();
	}
	printf("seed %llu: %lu programs, %lu spurious edges\n", (unsigned long long)seed, run,
	       spurious_edges);
	return 0;
}
