/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What many files cost: memory of the daemon by file and by idle connection,
 * what it does while nobody asks, and the time of an operation beside 10, 10,000
 * and 1,000,000 files. All that have a number of files have a daemon of their own.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sockfs/ioctl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/util.h"
#include "tests/bench/bench.h"

#define SCALE_OPS 500u
#define SCALE_CONNECTS 200u
#define SCALE_WARM 1000u

/* Of the daemon, in bytes; -1 when the kernel does not tell. */
static double rss(const struct bench *b)
{
	char path[64], line[128];
	long kib = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup",
		 (int)worker_of(b->daemon[SOCKFS]));
	file = fopen(path, "re");
	if (file == NULL)
		return -1;
	while (kib < 0 && fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, "Rss:", 4) == 0)
			kib = strtol(line + 4, NULL, 10);
	fclose(file);
	return kib < 0 ? -1 : (double)kib * 1024;
}

void site_swap(struct bench *b, struct site *site)
{
	struct site old = { .pid = b->daemon[SOCKFS] };

	memcpy(old.mnt, b->mnt[SOCKFS], sizeof(old.mnt));
	b->daemon[SOCKFS] = site->pid;
	memcpy(b->mnt[SOCKFS], site->mnt, sizeof(old.mnt));
	site->pid = old.pid;
	memcpy(site->mnt, old.mnt, sizeof(old.mnt));
	bench_watch(worker_of(b->daemon[SOCKFS]));
}

int site_start(struct bench *b, struct site *site, const char *option)
{
	return daemon_start(b, b->sockfs, option, site->mnt, sizeof(site->mnt), &site->pid);
}

int site_stop(const struct site *site, int err)
{
	int stopped = site->pid > 0 ? daemon_stop(site->mnt, site->pid) : 0;

	return err != 0 ? err : stopped;
}

/* ------------------------------------------------------- files in one directory */

/* touch: makes, or removes, the files @from to @to - 1. */
static int files_do(const struct bench *b, bool make, unsigned int from, unsigned int to,
		    struct latencies *l)
{
	uint64_t start;
	char path[320];
	int err = 0;

	for (unsigned int i = from; i < to && err == 0; i++) {
		snprintf(path, sizeof(path), "%s/f%u", b->mnt[SOCKFS], i);
		start = now_ns();
		if ((make ? mknod(path, S_IFREG | 0644, 0) : unlink(path)) != 0)
			err = -errno;
		if (l != NULL)
			latencies_add(l, now_ns() - start);
	}
	return err;
}

static int lookups(const struct bench *b, struct latencies *l)
{
	struct stat st;
	uint64_t start;
	char path[320];

	/* A name that is not there is asked for each time; one that is, the kernel remembers. */
	for (unsigned int i = 0; i < SCALE_OPS; i++) {
		snprintf(path, sizeof(path), "%s/missing%u", b->mnt[SOCKFS], i);
		start = now_ns();
		if (stat(path, &st) == 0 || errno != ENOENT)
			return -EIO;
		latencies_add(l, now_ns() - start);
	}
	return 0;
}

static int connects(const struct bench *b, struct latencies *l)
{
	struct sockfs_addr addr = { .host = "127.0.0.1" };
	char path[320];
	uint64_t start;
	int err = 0, fd;

	snprintf(path, sizeof(path), "%s/c", b->mnt[SOCKFS]);
	snprintf(addr.port, sizeof(addr.port), "%u", b->peer.port[SERVE_HOLD]);
	for (unsigned int i = 0; i < SCALE_CONNECTS && err == 0; i++) {
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		start = now_ns();
		if (fd < 0 || ioctl(fd, SOCKFS_IOC_CONNECT, &addr) != 0)
			err = -errno;
		latencies_add(l, now_ns() - start);
		if (fd >= 0)
			close(fd);
		if (unlink(path) != 0 && err == 0)
			err = -errno;
	}
	return err;
}

/* From a write to the peer, by the readiness of its echo. */
static int wakeups(struct bench *b, struct latencies *l)
{
	struct pollfd pfd = { .events = POLLIN };
	struct chan c;
	uint64_t start;
	char byte = 'x';
	int err = chan_open(b, SOCKFS, SERVE_ECHO, &c);

	if (err != 0)
		return err;
	pfd.fd = c.rfd;
	for (unsigned int i = 0; i < SCALE_OPS && err == 0; i++) {
		start = now_ns();
		if (write(c.wfd, &byte, 1) != 1 || poll(&pfd, 1, 5000) != 1)
			err = -EIO;
		latencies_add(l, now_ns() - start);
		if (err == 0 && read(c.rfd, &byte, 1) != 1)
			err = -EIO;
	}
	chan_close(&c);
	return err;
}

static void keep(struct bench *b, struct latencies *l, const char *what, unsigned int files)
{
	store_add(&b->store, b->round, SOCKFS, latencies_quantile(l, 0.5), "scale-%s.%u", what,
		  files);
	l->nr = 0;
}

/* Beside @files files. */
static int time_ops(struct bench *b, unsigned int files)
{
	struct latencies l = { .nr = 0 };
	int err = files_do(b, true, files, files + SCALE_OPS, &l);

	keep(b, &l, "create", files);
	if (err == 0)
		err = files_do(b, false, files, files + SCALE_OPS, &l);
	keep(b, &l, "unlink", files);
	if (err == 0)
		err = lookups(b, &l);
	keep(b, &l, "lookup", files);
	if (err == 0)
		err = connects(b, &l);
	keep(b, &l, "connect", files);
	if (err == 0)
		err = wakeups(b, &l);
	keep(b, &l, "poll", files);
	latencies_free(&l);
	return err;
}

/* Memory by file, while they are made; @ret_start is the RSS before. */
static int fill(struct bench *b, unsigned int files, double *ret_start)
{
	int err = files_do(b, true, 0, SCALE_WARM, NULL);

	if (err == 0)
		err = files_do(b, false, 0, SCALE_WARM, NULL);
	*ret_start = rss(b);
	if (err == 0)
		err = files_do(b, true, 0, files, NULL);
	if (err == 0 && *ret_start >= 0)
		store_add(&b->store, 0, SOCKFS, (rss(b) - *ret_start) / files, "memory-file");
	return err;
}

static int empty(struct bench *b, unsigned int files, double start)
{
	int err = files_do(b, false, 0, files, NULL);

	if (err == 0 && start >= 0)
		store_add(&b->store, 0, SOCKFS, (rss(b) - start) / 1048576, "memory-after");
	return err;
}

/* All sites in each round, so that neighbours in time are compared. */
static int time_rounds(struct bench *b, struct site *site, size_t nr)
{
	int err = 0;

	for (b->round = 0; err == 0 && b->round < b->store.rounds; b->round++)
		for (size_t i = 0; err == 0 && i < nr; i++) {
			struct site *s = &site[(i + (size_t)b->round) % nr];

			site_swap(b, s);
			err = time_ops(b, s->files);
			site_swap(b, s);
		}
	b->round = 0;
	return err;
}

int files_run(struct bench *b, enum kind kind, const struct row *row)
{
	static const unsigned int levels[] = { 10, 1000, 10000, 100000, 1000000 };
	struct site site[ARRAY_SIZE(levels)] = { { .pid = 0 } };
	double start = -1;
	size_t nr = 0;
	int err = 0;

	(void)kind;
	(void)row;
	/* The last one has the most, and its memory is what is told. */
	while (err == 0 && nr < ARRAY_SIZE(levels) && levels[nr] <= b->files) {
		site[nr].files = levels[nr];
		err = site_start(b, &site[nr], NULL);
		site_swap(b, &site[nr]);
		if (err == 0)
			err = fill(b, levels[nr], &start);
		site_swap(b, &site[nr]);
		nr++;
	}
	if (err == 0)
		err = time_rounds(b, site, nr);
	if (err == 0) {
		site_swap(b, &site[nr - 1]);
		err = empty(b, levels[nr - 1], start);
		site_swap(b, &site[nr - 1]);
	}
	while (nr > 0)
		err = site_stop(&site[--nr], err);
	return err;
}

/* ------------------------------------------------------------- idle connections */

/* Connects, or removes, the files @from to @to - 1. They live by their names. */
static int idle_do(const struct bench *b, enum way way, bool make, unsigned int from,
		   unsigned int to)
{
	char path[320];
	int fd;

	for (unsigned int i = from; i < to; i++) {
		snprintf(path, sizeof(path), "%s/f%u", b->mnt[SOCKFS], i);
		if (!make) {
			if (unlink(path) != 0)
				return -errno;
			continue;
		}
		fd = sockfs_connect(&b->peer, path, way, SERVE_HOLD, 1);
		if (fd < 0)
			return fd;
		close(fd);
	}
	return 0;
}

/* What connections that nobody uses cost, in memory, and in time if they are of TCP. */
static int idle_part(struct bench *b, enum way way, const char *memory)
{
	unsigned int warm = b->connections / 100 + 1, end = warm + b->connections;
	double start, full;
	uint64_t cpu, time;
	int err = idle_do(b, way, true, 0, warm);

	start = rss(b);
	if (err == 0)
		err = idle_do(b, way, true, warm, end);
	full = rss(b);
	if (err != 0)
		return err;
	if (start >= 0)
		store_add(&b->store, b->round, SOCKFS, (full - start) / b->connections, "%s", memory);
	if (way == BY_TCP) {
		/* What the last requests left to do is not idleness. */
		usleep(200000);
		cpu = cpu_ns(worker_of(b->daemon[SOCKFS]));
		time = now_ns();
		usleep(b->idle_ms * 1000);
		cpu = cpu_ns(worker_of(b->daemon[SOCKFS])) - cpu;
		store_add(&b->store, b->round, SOCKFS,
			  100.0 * (double)cpu / (double)(now_ns() - time), "idle-cpu");
	}
	return idle_do(b, way, false, 0, end);
}

static int idle_by(struct bench *b, enum way way, const char *memory)
{
	struct site site = { .files = 0 };
	int err = site_start(b, &site, NULL);

	if (err != 0)
		return err;
	site_swap(b, &site);
	err = idle_part(b, way, memory);
	site_swap(b, &site);
	return site_stop(&site, err);
}

int idle_run(struct bench *b, enum kind kind, const struct row *row)
{
	(void)kind, (void)row;
	return idle_by(b, BY_TCP, "memory-connection");
}

int idle_udp_run(struct bench *b, enum kind kind, const struct row *row)
{
	(void)kind, (void)row;
	return idle_by(b, BY_UDP, "memory-udp");
}

int idle_unix_run(struct bench *b, enum kind kind, const struct row *row)
{
	(void)kind, (void)row;
	return idle_by(b, BY_UNIX, "memory-unix");
}
