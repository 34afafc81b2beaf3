/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TLS: reading much, and shaking hands, beside what a shell has for it: openssl s_client
 * through a pipe, and curl. The peer is socat, which sends without end, or openssl s_server,
 * which speaks HTTP; with a certificate of its own.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "sockfs/ioctl.h"
#include "tests/bench/bench.h"

#define START_TRIES 500 /* of 10 ms */

struct server {
	pid_t pid;
	uint16_t port;
	char pem[300]; /* certificate and key */
};

/* ------------------------------------------------------------------------ the server */

static int run(const char *command)
{
	char *argv[] = { (char *)"sh", (char *)"-c", (char *)command, NULL };
	pid_t pid = spawn(argv, -1, -1);

	return pid < 0 ? pid : spawn_wait(pid);
}

static int make_certificate(const struct bench *b, struct server *s)
{
	char command[2048];

	/* The shorter of our two folders: an option's value has 63 bytes. */
	snprintf(s->pem, sizeof(s->pem), "%s/tls.pem", b->shm[0] != '\0' ? b->shm : b->dir);
	snprintf(command, sizeof(command),
		 "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
		 "-subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 -out %s -keyout %s.key "
		 "2>/dev/null && cat %s.key >>%s; rm -f %s.key",
		 s->pem, s->pem, s->pem, s->pem, s->pem);
	return run(command);
}

static int wait_for(const struct server *s)
{
	for (int i = 0; i < START_TRIES; i++) {
		int fd = connect_to(1, s->port);

		if (fd >= 0) {
			close(fd);
			return 0;
		}
		usleep(10000);
	}
	return -ETIMEDOUT;
}

static int server_start(const struct bench *b, bool endless, struct server *s)
{
	char command[1024];
	char *argv[] = { (char *)"sh", (char *)"-c", command, NULL };
	int err = make_certificate(b, s), fd;

	if (err != 0)
		return err;
	fd = listen_any(&s->port);
	if (fd < 0)
		return fd;
	close(fd);
	if (endless)
		snprintf(command, sizeof(command),
			 "exec socat -u -b131072 OPEN:/dev/zero OPENSSL-LISTEN:%u,bind=127.0.0.1,"
			 "reuseaddr,fork,cert=%s,verify=0 2>/dev/null",
			 s->port, s->pem);
	else
		snprintf(command, sizeof(command),
			 "cd %s && exec openssl s_server -quiet -WWW -cert %s "
			 "-accept 127.0.0.1:%u 2>/dev/null",
			 b->dir, s->pem, s->port);
	s->pid = spawn(argv, -1, -1);
	return s->pid < 0 ? s->pid : wait_for(s);
}

static int server_stop(const struct server *s, int err)
{
	if (s->pid > 0) {
		kill(s->pid, SIGTERM);
		spawn_wait(s->pid);
	}
	unlink(s->pem);
	return err;
}

/* ---------------------------------------------------------------------- the clients */

static int set_text(int fd, int name, const char *text)
{
	struct sockfs_sockopt opt = { .level = SOL_SOCKFS, .name = name };

	opt.len = (__u32)strlen(text);
	if (opt.len > sizeof(opt.value))
		return -ENAMETOOLONG;
	memcpy(opt.value, text, opt.len);
	return ioctl(fd, SOCKFS_IOC_SETSOCKOPT, &opt) == 0 ? 0 : -errno;
}

/* A file that lives as long as it is open: a descriptor, or -errno. */
static int connect_file(struct bench *b, const struct server *s)
{
	struct sockfs_addr addr = { .host = "tls:127.0.0.1" };
	char path[320];
	int fd, err;

	snprintf(path, sizeof(path), "%s/tls%u", b->mnt[SOCKFS], b->next_name++);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	unlink(path);
	snprintf(addr.port, sizeof(addr.port), "%u", s->port);
	err = set_text(fd, SOCKFS_SO_TLS_CA, s->pem);
	if (err == 0 && ioctl(fd, SOCKFS_IOC_CONNECT, &addr) != 0)
		err = -errno;
	if (err == 0)
		return fd;
	close(fd);
	return err;
}

/* openssl s_client between two pipes. */
static int open_client(const struct server *s, struct chan *c)
{
	char command[512];
	char *argv[] = { (char *)"sh", (char *)"-c", command, NULL };
	int in[2], out[2];

	snprintf(command, sizeof(command),
		 "exec openssl s_client -quiet -verify_quiet -verify_return_error -CAfile %s "
		 "-connect 127.0.0.1:%u 2>/dev/null",
		 s->pem, s->port);
	if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
		return -errno;
	c->relay = spawn(argv, in[0], out[1]);
	close(in[0]);
	close(out[1]);
	c->wfd = in[1];
	c->rfd = out[0];
	return c->relay < 0 ? c->relay : 0;
}

static int client_open(struct bench *b, enum kind kind, const struct server *s, struct chan *c)
{
	*c = (struct chan){ -1, -1, 0 };
	if (kind == OPENSSL)
		return open_client(s, c);
	c->rfd = c->wfd = connect_file(b, s);
	return c->rfd < 0 ? c->rfd : 0;
}

/* Reads for one slice: bytes, or -errno. */
static long long read_slice(const struct bench *b, const struct chan *c, char *buf, size_t size)
{
	uint64_t end = now_ns() + (uint64_t)b->slice_ms * 1000000u;
	long long bytes = 0;

	do {
		ssize_t n = read(c->rfd, buf, size);

		if (n <= 0)
			return n < 0 ? -errno : -EPIPE;
		bytes += n;
	} while (now_ns() < end);
	return bytes;
}

static int read_row(struct bench *b, enum kind kind, const struct row *row, const struct server *s)
{
	char *buf = malloc(row->size);
	long long bytes = -ENOMEM;
	struct chan c;
	int err = buf == NULL ? -ENOMEM : client_open(b, kind, s, &c);
	uint64_t start;

	if (err != 0)
		goto free_buf;
	if (read(c.rfd, buf, 1) != 1) {
		err = -EPIPE;
		goto close_chan;
	}
	start = now_ns();
	bytes = read_slice(b, &c, buf, row->size);
	if (bytes < 0)
		err = (int)bytes;
	else
		store_add(&b->store, b->round, kind, (double)bytes / (double)(now_ns() - start),
			  "%s", row->name);
close_chan:
	chan_close(&c);
free_buf:
	free(buf);
	return err;
}

/* A page that there is not will do. */
static int call_curl(const struct server *s)
{
	char url[64];
	char *argv[] = { (char *)"curl", (char *)"-s", (char *)"--cacert", (char *)s->pem, url,
			 NULL };
	pid_t pid;

	snprintf(url, sizeof(url), "https://127.0.0.1:%u/none", s->port);
	pid = spawn(argv, -1, -1);
	return pid < 0 ? pid : spawn_wait(pid);
}

static int shake_hands(struct bench *b, enum kind kind, const struct server *s)
{
	int fd;

	if (kind == CURL)
		return call_curl(s);
	fd = connect_file(b, s);
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static int dial_row(struct bench *b, enum kind kind, const struct row *row, const struct server *s)
{
	uint64_t start = now_ns(), end = start + (uint64_t)b->slice_ms * 1000000u;
	unsigned long count = 0;
	int err = 0;

	do {
		err = shake_hands(b, kind, s);
		count++;
	} while (err == 0 && now_ns() < end);
	if (err == 0)
		store_add(&b->store, b->round, kind, (double)count * 1e9 / (double)(now_ns() - start),
			  "%s", row->name);
	return err;
}

/* ------------------------------------------------------------------------------ rows */

/* A build without TLS has no figures, nor has a machine without somebody to talk to. */
static bool has_tls(const struct bench *b)
{
	char path[320];

	snprintf(path, sizeof(path), "%s/tls", b->mnt[SOCKFS]);
	return access(path, F_OK) == 0 && run("command -v openssl && command -v socat") == 0;
}

static int with_server(struct bench *b, enum kind kind, const struct row *row, bool endless,
		       int (*measure)(struct bench *b, enum kind kind, const struct row *row,
				      const struct server *s))
{
	struct server s = { .pid = 0 };
	int err;

	if (!has_tls(b))
		return 0;
	err = server_start(b, endless, &s);
	if (err == 0)
		err = measure(b, kind, row, &s);
	return server_stop(&s, err);
}

int tls_read_run(struct bench *b, enum kind kind, const struct row *row)
{
	return with_server(b, kind, row, true, read_row);
}

int tls_dial_run(struct bench *b, enum kind kind, const struct row *row)
{
	return with_server(b, kind, row, false, dial_row);
}
