/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fairness: how long one waits beside many others, or beside one who asks for
 * much: a large reader beside many small requests, a talker beside large
 * readers, pollers beside pollers, any call beside a long list of commands.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <pthread.h>
#include <sockfs/ioctl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "lib/util.h"
#include "tests/bench/bench.h"

#define FAIR_BLOCK ((size_t)1 << 20)
#define FAIR_ASKERS 128
#define FAIR_READERS 16
#define FAIR_POLLERS 16
#define FAIR_POLL_MS 5000

/* What all threads of one measurement share. */
struct fair {
	atomic_bool stop, timing;
	atomic_ullong bytes, timed; /* moved; requests whose time was taken */
	atomic_int err;
	enum kind kind;
};

struct worker {
	struct fair *fair;
	const struct group *group;
	struct chan chan;
	char *buf;
	struct latencies latencies;
	pthread_t thread;
	bool started;
};

/* Threads that do the same, each on a connection of its own. */
struct group {
	size_t nr;
	enum service service;
	/* One request: bytes to be counted, or -errno. */
	ssize_t (*step)(struct worker *w);
	size_t size; /* of its buffer */
	bool timed;
};

/* ----------------------------------------------------------------------- steps */

static ssize_t step_read(struct worker *w)
{
	ssize_t n = read(w->chan.rfd, w->buf, w->group->size);

	if (n == 0)
		return -EPIPE;
	return n < 0 ? -errno : n;
}

static ssize_t step_inq(struct worker *w)
{
	bool plain = w->fair->kind == PLAIN;
	int n = 0, err;

	err = plain ? ioctl(w->chan.rfd, SIOCINQ, &n) : ioctl(w->chan.rfd, SOCKFS_IOC_INQ, &n);
	return err == 0 ? 0 : -errno;
}

static ssize_t step_talk(struct worker *w)
{
	return round_trip(&w->chan, w->buf, w->group->size);
}

/* A round trip of one who asks poll(2) before each read. */
static ssize_t step_poll(struct worker *w)
{
	struct pollfd pfd = { .fd = w->chan.rfd, .events = POLLIN };

	if (write(w->chan.wfd, w->buf, 1) != 1)
		return -EIO;
	if (poll(&pfd, 1, FAIR_POLL_MS) != 1)
		return -ETIMEDOUT;
	return read(w->chan.rfd, w->buf, 1) == 1 ? 0 : -EIO;
}

/* --------------------------------------------------------------------- threads */

static void *worker_main(void *arg)
{
	struct worker *w = arg;

	while (!w->fair->stop) {
		uint64_t start = now_ns();
		ssize_t n = w->group->step(w);

		if (n < 0) {
			w->fair->err = (int)n;
			break;
		}
		if (n > 0)
			w->fair->bytes += (unsigned long long)n;
		if (w->group->timed && w->fair->timing) {
			latencies_add(&w->latencies, now_ns() - start);
			w->fair->timed++;
		}
	}
	return NULL;
}

static int worker_start(struct worker *w)
{
	pthread_attr_t attr;
	int err;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64u << 10);
	err = -pthread_create(&w->thread, &attr, worker_main, w);
	pthread_attr_destroy(&attr);
	w->started = err == 0;
	return err;
}

/* Its latencies go to @all. */
static void worker_end(struct worker *w, struct latencies *all)
{
	if (w->started)
		pthread_join(w->thread, NULL);
	for (size_t i = 0; i < w->latencies.nr; i++)
		latencies_add(all, w->latencies.ns[i]);
	latencies_free(&w->latencies);
	chan_close(&w->chan);
	free(w->buf);
}

/*
 * With all at work: GB/s of those who move bytes. Somebody @timed is waited for
 * beyond the slice: beside so many one request may take longer than that.
 */
static double measure(const struct bench *b, struct fair *fair, bool timed)
{
	unsigned long long bytes;
	uint64_t start;

	usleep((unsigned int)b->slice_ms * 500);
	bytes = fair->bytes;
	start = now_ns();
	fair->timing = true;
	do
		usleep((unsigned int)b->slice_ms * 2000);
	while (timed && fair->timed == 0 && fair->err == 0);
	return (double)(fair->bytes - bytes) / (double)(now_ns() - start);
}

/* All workers of @groups together; @ret_l has what the timed ones waited. */
static int fair_run(struct bench *b, enum kind kind, const struct group *groups, size_t nr_groups,
		    double *ret_gbs, struct latencies *ret_l)
{
	struct worker *worker = calloc(FAIR_ASKERS + FAIR_READERS, sizeof(*worker));
	struct fair fair = { .kind = kind };
	size_t nr = 0;
	int err = worker != NULL ? 0 : -ENOMEM;

	/* First all connections, then all the load. */
	for (size_t g = 0; g < nr_groups; g++)
		for (size_t i = 0; err == 0 && i < min(groups[g].nr, b->crowd); i++, nr++) {
			worker[nr].fair = &fair;
			worker[nr].group = &groups[g];
			worker[nr].buf = calloc(1, groups[g].size);
			err = chan_open(b, kind, groups[g].service, &worker[nr].chan);
			if (worker[nr].buf == NULL)
				err = -ENOMEM;
		}
	for (size_t i = 0; err == 0 && i < nr; i++)
		err = worker_start(&worker[i]);
	if (err == 0)
		*ret_gbs = measure(b, &fair, groups[nr_groups - 1].timed);
	fair.stop = true;
	while (nr > 0)
		worker_end(&worker[--nr], ret_l);
	free(worker);
	return err != 0 ? err : fair.err;
}

static void keep_latencies(struct bench *b, enum kind kind, const char *name, struct latencies *l)
{
	store_add(&b->store, b->round, kind, latencies_quantile(l, 0.5), "%s.p50", name);
	store_add(&b->store, b->round, kind, latencies_quantile(l, 0.99), "%s.p99", name);
}

/* ------------------------------------------------------------------------ rows */

/* One who reads much beside many who ask for the number of queued bytes. */
int fair_inq_run(struct bench *b, enum kind kind, const struct row *row)
{
	static const struct group groups[] = {
		{ 1, SERVE_SOURCE, step_read, FAIR_BLOCK, false },
		{ FAIR_ASKERS, SERVE_HOLD, step_inq, 1, false },
	};
	struct latencies l = { .nr = 0 };
	double gbs = 0;
	int err = fair_run(b, kind, groups, ARRAY_SIZE(groups), &gbs, &l);

	if (err == 0)
		store_add(&b->store, b->round, kind, gbs, "%s", row->name);
	latencies_free(&l);
	return err;
}

/* One who says little beside many who read much. */
int fair_talk_run(struct bench *b, enum kind kind, const struct row *row)
{
	static const struct group groups[] = {
		{ FAIR_READERS, SERVE_SOURCE, step_read, FAIR_BLOCK, false },
		{ 1, SERVE_ECHO, step_talk, 1, true },
	};
	struct latencies l = { .nr = 0 };
	double gbs = 0;
	int err = fair_run(b, kind, groups, ARRAY_SIZE(groups), &gbs, &l);

	if (err == 0)
		keep_latencies(b, kind, row->name, &l);
	latencies_free(&l);
	return err;
}

int fair_poll_run(struct bench *b, enum kind kind, const struct row *row)
{
	static const struct group groups[] = {
		{ FAIR_POLLERS, SERVE_ECHO, step_poll, 1, true },
	};
	struct latencies l = { .nr = 0 };
	double gbs = 0;
	int err = fair_run(b, kind, groups, ARRAY_SIZE(groups), &gbs, &l);

	if (err == 0)
		keep_latencies(b, kind, row->name, &l);
	latencies_free(&l);
	return err;
}

/* The same on a daemon that sleeps at once when nobody asks. */
int fair_nospin_run(struct bench *b, enum kind kind, const struct row *row)
{
	struct site site = { .files = 0 };
	int err = site_start(b, &site, "-ospin=0");

	if (err != 0)
		return err;
	site_swap(b, &site);
	err = fair_poll_run(b, kind, row);
	site_swap(b, &site);
	return site_stop(&site, err);
}

/* ----------------------------------------------------- beside a list of commands */

struct asker {
	atomic_bool stop;
	char path[320];
	uint64_t worst; /* ns */
	int err;
};

/* Any call that reaches the daemon and does little there. */
static void *asker_main(void *arg)
{
	struct asker *a = arg;
	char value[16];

	do {
		uint64_t start = now_ns(), took;

		if (getxattr(a->path, "system.sockprotoname", value, sizeof(value)) < 0)
			a->err = -errno;
		took = now_ns() - start;
		a->worst = took > a->worst ? took : a->worst;
	} while (!a->stop && a->err == 0);
	return NULL;
}

/* One write of a MiB of commands to the control file @path. */
static int write_commands(const char *path)
{
	static const char line[] = "set nodelay 1\n";
	/* One request has 256 pages, and the text does not begin where a page does. */
	size_t len = sizeof(line) - 1, size = (FAIR_BLOCK - 4096) / len * len;
	char *text = malloc(size);
	int fd = open(path, O_WRONLY | O_CLOEXEC), err = 0;

	if (text == NULL || fd < 0) {
		err = text == NULL ? -ENOMEM : -errno;
		goto free;
	}
	for (size_t i = 0; i < size; i += len)
		memcpy(text + i, line, len);
	if (write(fd, text, size) != (ssize_t)size)
		err = -EIO;
free:
	if (fd >= 0)
		close(fd);
	free(text);
	return err;
}

/* The slowest call of one who asks while another's commands run. */
int fair_ctl_run(struct bench *b, enum kind kind, const struct row *row)
{
	struct asker asker = { .stop = false };
	char file[320], ctl[360];
	unsigned int name = b->next_name++;
	pthread_t thread;
	int fd, err;

	snprintf(file, sizeof(file), "%s/ctl%u", b->mnt[kind], name);
	snprintf(ctl, sizeof(ctl), "%s/.ctl/ctl%u", b->mnt[kind], name);
	snprintf(asker.path, sizeof(asker.path), "%s", file);
	fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	close(fd);
	err = -pthread_create(&thread, NULL, asker_main, &asker);
	if (err == 0) {
		err = write_commands(ctl);
		asker.stop = true;
		pthread_join(thread, NULL);
		err = err != 0 ? err : asker.err;
	}
	if (err == 0)
		store_add(&b->store, b->round, kind, (double)asker.worst / 1000, "%s", row->name);
	return unlink(file) == 0 || err != 0 ? err : -errno;
}
