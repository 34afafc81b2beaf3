/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A talker of one-byte round trips beside many bulk connections, half of
 * them reading and half writing, each a thread: what they move together, and
 * how long the talker waits.
 */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/util.h"
#include "tests/bench/bench.h"

#define MANY_BLOCK (128u << 10)

struct crowd {
	size_t size;
	atomic_bool stop;
	atomic_ullong bytes;
	atomic_int err;
};

struct member {
	struct crowd *crowd;
	struct chan chan;
	bool writes;
	bool started;
	pthread_t thread;
};

static void *member_main(void *arg)
{
	struct member *m = arg;
	char *buf = calloc(1, MANY_BLOCK);
	ssize_t n = buf != NULL ? 1 : -1;

	while (n > 0 && !m->crowd->stop) {
		n = m->writes ? write(m->chan.wfd, buf, MANY_BLOCK) :
				read(m->chan.rfd, buf, MANY_BLOCK);
		if (n > 0)
			m->crowd->bytes += (unsigned long long)n;
	}
	if (n <= 0)
		m->crowd->err = n < 0 ? -errno : -EPIPE;
	free(buf);
	return NULL;
}

static int member_start(struct member *m)
{
	pthread_attr_t attr;
	int err;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64u << 10);
	err = -pthread_create(&m->thread, &attr, member_main, m);
	pthread_attr_destroy(&attr);
	m->started = err == 0;
	return err;
}

static void member_end(struct member *m)
{
	if (m->started)
		pthread_join(m->thread, NULL);
	if (m->chan.rfd >= 0)
		chan_close(&m->chan);
}

/*
 * Talks for the given time, and until the crowd, if there is one, has moved something, which
 * on a busy machine may be later; the latencies are in @l.
 */
static int talk_beside(const struct chan *c, struct crowd *crowd, int ms, struct latencies *l)
{
	unsigned long long before = crowd->bytes;
	uint64_t now = now_ns(), end = now + (uint64_t)ms * 1000000u, last;
	char byte = 'x';
	int err = 0;

	while (err == 0 && crowd->err == 0 &&
	       (now < end || (crowd->size > 0 && crowd->bytes == before))) {
		err = round_trip(c, &byte, 1);
		last = now;
		now = now_ns();
		latencies_add(l, now - last);
	}
	return err != 0 ? err : crowd->err;
}

static int measure(struct bench *b, enum kind kind, const struct row *row, const struct chan *c,
		   struct crowd *crowd)
{
	struct latencies l = { .nr = 0 };
	unsigned long long bytes;
	uint64_t start;
	int err = talk_beside(c, crowd, b->slice_ms / 2, &l);

	l.nr = 0;
	bytes = crowd->bytes;
	start = now_ns();
	if (err == 0)
		err = talk_beside(c, crowd, 2 * b->slice_ms, &l);
	bytes = crowd->bytes - bytes;
	if (err == 0) {
		store_add(&b->store, b->round, kind, (double)bytes / (double)(now_ns() - start),
			  "%s.total", row->name);
		store_add(&b->store, b->round, kind, latencies_quantile(&l, 0.5), "%s.p50",
			  row->name);
		store_add(&b->store, b->round, kind, latencies_quantile(&l, 0.99), "%s.p99",
			  row->name);
	}
	latencies_free(&l);
	return err;
}

int many_run(struct bench *b, enum kind kind, const struct row *row)
{
	size_t n = 0, size = min(row->size, b->crowd);
	struct member *member = calloc(size + 1, sizeof(*member));
	struct crowd crowd = { .size = size };
	struct chan c;
	int err = member == NULL ? -ENOMEM : chan_open(b, kind, SERVE_ECHO, &c);

	if (err != 0)
		goto free;
	/* First all connections, then all the load. */
	for (; err == 0 && n < size; n++) {
		member[n] = (struct member){ .crowd = &crowd, .writes = n % 2 != 0 };
		err = chan_open(b, kind, n % 2 != 0 ? SERVE_SINK : SERVE_SOURCE, &member[n].chan);
	}
	for (size_t i = 0; err == 0 && i < n; i++)
		err = member_start(&member[i]);
	if (err == 0)
		err = measure(b, kind, row, &c, &crowd);
	crowd.stop = true;
	while (n > 0)
		member_end(&member[--n]);
	chan_close(&c);
free:
	free(member);
	return err;
}
