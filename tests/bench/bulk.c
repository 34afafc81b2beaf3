/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Throughput of one connection: read and write in blocks of one size, and cat.
 * Beside GB/s, the CPU seconds that a GB took in this process, the daemon or
 * relay, and the peer together.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/util.h"
#include "tests/bench/bench.h"

/* CPU time of everybody who has a part in a connection of this kind. */
static uint64_t cpu_of(const struct bench *b, enum kind kind, pid_t relay)
{
	uint64_t sum = cpu_ns(0);

	if (kind != FLOOR)
		sum += cpu_ns(b->peer.pid);
	if (b->daemon[kind] > 0)
		sum += cpu_ns(worker_of(b->daemon[kind]));
	if (relay > 0)
		sum += cpu_ns(relay);
	return sum;
}

/* Moves blocks for @ms; the number of bytes, or -errno. */
static int64_t move(const struct chan *c, char *buf, const struct row *row, int ms)
{
	uint64_t end = now_ns() + (uint64_t)ms * 1000000u;
	int64_t bytes = 0;
	ssize_t n;

	do {
		for (int i = 0; i < 8; i++) {
			n = row->write ? write(c->wfd, buf, row->size) :
					 read(c->rfd, buf, row->size);
			if (n <= 0)
				return n < 0 ? -errno : -EPIPE;
			bytes += n;
		}
	} while (now_ns() < end);
	return bytes;
}

static int measure(struct bench *b, enum kind kind, const struct row *row, const struct chan *c)
{
	char *buf = calloc(1, row->size);
	uint64_t start, cpu;
	int64_t bytes;
	double gb, seconds;

	if (buf == NULL)
		return -ENOMEM;
	/* Until buffers have grown and the scheduler knows who wakes whom. */
	bytes = move(c, buf, row, b->slice_ms / 4);
	cpu = cpu_of(b, kind, c->relay);
	start = now_ns();
	if (bytes >= 0)
		bytes = move(c, buf, row, b->slice_ms);
	free(buf);
	if (bytes < 0)
		return (int)bytes;
	seconds = (double)(now_ns() - start) / 1e9;
	gb = (double)bytes / 1e9;
	store_add(&b->store, b->round, kind, gb / seconds, "%s", row->name);
	store_add(&b->store, b->round, kind, (double)(cpu_of(b, kind, c->relay) - cpu) / 1e9 / gb,
		  "%s.cpu", row->name);
	return 0;
}

/* unix(7): the sender's buffer by default, in bytes. */
static size_t unix_buffer(void)
{
	FILE *f = fopen("/proc/sys/net/core/wmem_default", "re");
	size_t size = 212992;

	if (f == NULL)
		return size;
	if (fscanf(f, "%zu", &size) != 1)
		size = 212992;
	fclose(f);
	return size;
}

static int bulk_by(struct bench *b, enum kind kind, const struct row *row, enum way way)
{
	struct chan c;
	int err = chan_open_by(b, kind, way, row->write ? SERVE_SINK : SERVE_SOURCE, &c);

	if (err != 0)
		return err;
	err = measure(b, kind, row, &c);
	chan_close(&c);
	return err;
}

int bulk_run(struct bench *b, enum kind kind, const struct row *row)
{
	return bulk_by(b, kind, row, BY_TCP);
}

/* What a sender's buffer holds is all that a request of sockfs can get, so the floor gives no more. */
int bulk_unix_run(struct bench *b, enum kind kind, const struct row *row)
{
	struct row less = *row;

	less.size = min(row->size, unix_buffer());
	return bulk_by(b, kind, kind == FLOOR ? &less : row, BY_UNIX);
}

/* cat from the connection to /dev/null, or from a file to the connection. */
int cat_run(struct bench *b, enum kind kind, const struct row *row)
{
	char *argv[] = { (char *)"cat", NULL };
	int file = row->write ? open(b->file, O_RDONLY | O_CLOEXEC) : -1, err;
	uint64_t start;
	struct chan c;
	pid_t pid;

	if (row->write && file < 0)
		return -errno;
	err = chan_open(b, kind, row->write ? SERVE_SINK : SERVE_LIMITED, &c);
	if (err != 0)
		goto close_file;
	start = now_ns();
	pid = row->write ? spawn(argv, file, c.wfd) : spawn(argv, c.rfd, -1);
	err = pid < 0 ? pid : spawn_wait(pid);
	if (err == 0)
		store_add(&b->store, b->round, kind,
			  (double)b->peer.limit / (double)(now_ns() - start), "%s", row->name);
	chan_close(&c);
close_file:
	if (file >= 0)
		close(file);
	return err;
}
