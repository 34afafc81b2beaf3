/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Small things, many times: round trips, connections made and taken, names
 * made and removed.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sockfs/ioctl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/bench.h"

#define TALK_BATCH 8

int round_trip(const struct chan *c, char *buf, size_t size)
{
	size_t got = 0;
	ssize_t n = write(c->wfd, buf, size);

	if (n != (ssize_t)size)
		return n < 0 ? -errno : -EIO;
	while (got < size) {
		n = read(c->rfd, buf + got, size - got);
		if (n <= 0)
			return n < 0 ? -errno : -EPIPE;
		got += (size_t)n;
	}
	return 0;
}

static int talk(const struct chan *c, size_t size, int ms, struct latencies *l)
{
	uint64_t now = now_ns(), end = now + (uint64_t)ms * 1000000u, last;
	char *buf = calloc(1, size);
	int err = buf != NULL ? 0 : -ENOMEM;

	while (err == 0 && now < end) {
		err = round_trip(c, buf, size);
		last = now;
		now = now_ns();
		latencies_add(l, now - last);
	}
	free(buf);
	return err;
}

static int talk_by(struct bench *b, enum kind kind, const struct row *row, enum way way)
{
	struct latencies l = { .nr = 0 };
	struct chan c;
	int err = chan_open_by(b, kind, way, SERVE_ECHO, &c);

	if (err != 0)
		return err;
	err = talk(&c, row->size, b->slice_ms / 4, &l);
	l.nr = 0;
	if (err == 0)
		err = talk(&c, row->size, b->slice_ms, &l);
	if (err == 0) {
		store_add(&b->store, b->round, kind, latencies_quantile(&l, 0.5), "%s.p50",
			  row->name);
		store_add(&b->store, b->round, kind, latencies_quantile(&l, 0.99), "%s.p99",
			  row->name);
		store_add(&b->store, b->round, kind, latencies_quantile(&l, 0.999), "%s.p999",
			  row->name);
	}
	latencies_free(&l);
	chan_close(&c);
	return err;
}

int talk_run(struct bench *b, enum kind kind, const struct row *row)
{
	return talk_by(b, kind, row, BY_TCP);
}

int talk_udp_run(struct bench *b, enum kind kind, const struct row *row)
{
	return talk_by(b, kind, row, BY_UDP);
}

/* ------------------------------------------------------------- as often as it goes */

typedef int step_fn(struct bench *b, enum kind kind, void *arg);

/* Calls @step for one slice; the sample is calls a second. */
static int per_second(struct bench *b, enum kind kind, const struct row *row, step_fn *step,
		      void *arg)
{
	uint64_t start = now_ns(), end = start + (uint64_t)b->slice_ms * 1000000u, now;
	unsigned long count = 0;
	int err = 0;

	do {
		for (int i = 0; i < TALK_BATCH && err == 0; i++)
			err = step(b, kind, arg);
		count += TALK_BATCH;
		now = now_ns();
	} while (err == 0 && now < end);
	if (err == 0)
		store_add(&b->store, b->round, kind, (double)count * 1e9 / (double)(now - start),
			  "%s", row->name);
	return err;
}

/* A nameless connection: a path is opened. */
static int dial_step(struct bench *b, enum kind kind, void *arg)
{
	unsigned int host = next_host(b);
	char path[320];
	int fd;

	(void)arg;
	if (kind == PLAIN) {
		fd = connect_to(host, b->peer.port[SERVE_HOLD]);
	} else {
		snprintf(path, sizeof(path), "%s/tcp/127.0.0.%u/%u", b->mnt[SOCKFS], host,
			 b->peer.port[SERVE_HOLD]);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			fd = -errno;
	}
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

int dial_run(struct bench *b, enum kind kind, const struct row *row)
{
	return per_second(b, kind, row, dial_step, NULL);
}

/* The same with a name: created, connected, removed. */
static int named_step(struct bench *b, enum kind kind, void *arg)
{
	struct chan c;
	int err = chan_open(b, kind, SERVE_HOLD, &c);

	(void)arg;
	if (err == 0)
		chan_close(&c);
	return err;
}

int named_run(struct bench *b, enum kind kind, const struct row *row)
{
	return per_second(b, kind, row, named_step, NULL);
}

/* ---------------------------------------------------------------------- accept */

static int accept_step(struct bench *b, enum kind kind, void *arg)
{
	int fd, listener = *(int *)arg;
	char path[640];
	size_t dir;
	ssize_t n;

	if (kind == PLAIN) {
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			return -errno;
		close(fd);
		return 0;
	}
	dir = (size_t)snprintf(path, sizeof(path), "%s/", b->mnt[SOCKFS]);
	n = read(listener, path + dir, sizeof(path) - dir - 1);
	if (n <= 1)
		return n < 0 ? -errno : -EIO;
	path[dir + (size_t)n - 1] = '\0'; /* the newline */
	return unlink(path) == 0 ? 0 : -errno;
}

static int listen_sockfs(const char *path, uint16_t *ret_port)
{
	struct sockfs_addr addr = { .host = "*", .port = "0" };
	int backlog = 1024, fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	if (ioctl(fd, SOCKFS_IOC_BIND, &addr) != 0 || ioctl(fd, SOCKFS_IOC_LISTEN, &backlog) != 0 ||
	    ioctl(fd, SOCKFS_IOC_GETSOCKNAME, &addr) != 0) {
		close(fd);
		return -EIO;
	}
	*ret_port = (uint16_t)atoi(addr.port);
	return fd;
}

int accept_run(struct bench *b, enum kind kind, const struct row *row)
{
	char path[320];
	uint16_t port = 0;
	int fd, err;

	snprintf(path, sizeof(path), "%s/listener%u", b->mnt[SOCKFS], b->next_name++);
	fd = kind == PLAIN ? listen_any(&port) : listen_sockfs(path, &port);
	if (fd < 0)
		return fd;
	/* It dials until the listener is gone. */
	err = peer_dial(&b->peer, port, b->slice_ms + 30000);
	if (err == 0)
		err = per_second(b, kind, row, accept_step, &fd);
	if (kind == SOCKFS)
		unlink(path);
	close(fd);
	return err;
}

/* ------------------------------------------------------------- create and unlink */

static int create_step(struct bench *b, enum kind kind, void *arg)
{
	char path[320];
	int fd;

	(void)arg;
	snprintf(path, sizeof(path), "%s/f%u", kind == TMPFS ? b->shm : b->mnt[kind],
		 b->next_name++ % 100000);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	close(fd);
	return unlink(path) == 0 ? 0 : -errno;
}

int create_run(struct bench *b, enum kind kind, const struct row *row)
{
	return per_second(b, kind, row, create_step, NULL);
}
