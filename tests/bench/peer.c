/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The other end of every connection: a process with one listener a service and
 * one thread a connection (held ones share an epoll).
 */
#include "config.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/bench.h"

#define PEER_BLOCK (256u << 10)
#define PEER_DIALERS 4

struct job {
	int fd;
	enum service service;
	uint64_t limit;
};

struct dial_order {
	uint32_t port, ms;
};

/* --------------------------------------------------------------------- sockets */

int listen_any(uint16_t *ret_port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), err;

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&sin, len) == 0 && listen(fd, 1024) == 0 &&
	    getsockname(fd, (struct sockaddr *)&sin, &len) == 0) {
		*ret_port = ntohs(sin.sin_port);
		return fd;
	}
	err = -errno;
	close(fd);
	return err;
}

static void no_delay(int fd)
{
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

int connect_to(unsigned int host, uint16_t port)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(0x7f000000u + host),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), err;

	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&sin, sizeof(sin)) == 0) {
		no_delay(fd);
		return fd;
	}
	err = -errno;
	close(fd);
	return err;
}

/* -------------------------------------------------------------------- services */

static void serve_source(int fd, char *buf, uint64_t limit)
{
	while (limit > 0) {
		ssize_t n = write(fd, buf, limit < PEER_BLOCK ? (size_t)limit : PEER_BLOCK);

		if (n <= 0)
			return;
		limit -= (uint64_t)n;
	}
	/* Unread data at close would be a reset: wait for the other end first. */
	shutdown(fd, SHUT_WR);
	while (read(fd, buf, PEER_BLOCK) > 0)
		;
}

static void serve_sink(int fd, char *buf)
{
	while (read(fd, buf, PEER_BLOCK) > 0)
		;
}

static void serve_echo(int fd, char *buf)
{
	ssize_t n, done, put;

	while ((n = read(fd, buf, PEER_BLOCK)) > 0)
		for (done = 0; done < n; done += put) {
			put = write(fd, buf + done, (size_t)(n - done));
			if (put <= 0)
				return;
		}
}

static bool past(uint64_t deadline)
{
	return now_ns() >= deadline;
}

struct dialer {
	struct dial_order order;
	uint64_t deadline;
};

static void *dialer_main(void *arg)
{
	const struct dialer *d = arg;
	char c;
	int fd;

	for (unsigned int i = 0; !past(d->deadline); i++) {
		fd = connect_to(1 + i % BENCH_HOSTS, (uint16_t)d->order.port);
		if (fd < 0)
			break; /* the listener is gone: done */
		if (read(fd, &c, 1) < 0 && errno != ECONNRESET)
			break;
		close(fd);
	}
	return NULL;
}

static void serve_control(int fd)
{
	pthread_t thread[PEER_DIALERS];
	struct dialer d;
	int started = 0;

	if (read(fd, &d.order, sizeof(d.order)) != sizeof(d.order))
		return;
	d.deadline = now_ns() + (uint64_t)d.order.ms * 1000000u;
	while (started < PEER_DIALERS &&
	       pthread_create(&thread[started], NULL, dialer_main, &d) == 0)
		started++;
	for (int i = 0; i < started; i++)
		pthread_join(thread[i], NULL);
}

static void *job_main(void *arg)
{
	struct job *job = arg;
	char *buf = calloc(1, PEER_BLOCK);

	no_delay(job->fd);
	if (buf != NULL)
		switch (job->service) {
		case SERVE_SOURCE:
			serve_source(job->fd, buf, UINT64_MAX);
			break;
		case SERVE_LIMITED:
			serve_source(job->fd, buf, job->limit);
			break;
		case SERVE_SINK:
			serve_sink(job->fd, buf);
			break;
		case SERVE_ECHO:
			serve_echo(job->fd, buf);
			break;
		default:
			serve_control(job->fd);
			break;
		}
	close(job->fd);
	free(buf);
	free(job);
	return NULL;
}

/* ------------------------------------------------------------------- listeners */

/* A detached thread with a small stack: there will be hundreds. */
static int start_thread(void *(*main)(void *), void *arg)
{
	pthread_attr_t attr;
	pthread_t thread;
	int err;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64u << 10);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	err = pthread_create(&thread, &attr, main, arg);
	pthread_attr_destroy(&attr);
	return -err;
}

static void *listener_main(void *arg)
{
	const struct job *listener = arg;
	struct job *job;
	int fd;

	while ((fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		job = malloc(sizeof(*job));
		if (job != NULL) {
			*job = *listener;
			job->fd = fd;
			if (start_thread(job_main, job) == 0)
				continue;
			free(job);
		}
		close(fd);
	}
	perror("bench: peer");
	return NULL;
}

/* Accepts, and closes what the other end has closed. */
static void *hold_main(void *arg)
{
	const struct job *listener = arg;
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = listener->fd }, got[64];
	int epoll = epoll_create1(EPOLL_CLOEXEC), n, fd;

	epoll_ctl(epoll, EPOLL_CTL_ADD, listener->fd, &ev);
	while ((n = epoll_wait(epoll, got, 64, -1)) >= 0 || errno == EINTR)
		for (int i = 0; i < n; i++) {
			if (got[i].data.fd != listener->fd) {
				close(got[i].data.fd);
				continue;
			}
			fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);
			ev.data.fd = fd;
			if (fd >= 0)
				epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev);
		}
	return NULL;
}

/* In the peer's process: never returns. */
static void peer_main(const struct peer *peer, const int *fds)
{
	static struct job listener[NR_SERVICES];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGALRM, SIG_DFL);
	for (int i = 0; i < NR_SERVICES; i++) {
		listener[i] = (struct job){ fds[i], (enum service)i, peer->limit };
		if (start_thread(i == SERVE_HOLD ? hold_main : listener_main, &listener[i]) != 0)
			_exit(1);
	}
	for (;;)
		pause();
}

int peer_start(struct peer *peer, uint64_t limit)
{
	int fds[NR_SERVICES], err = 0, n;

	peer->limit = limit;
	for (n = 0; n < NR_SERVICES; n++) {
		fds[n] = listen_any(&peer->port[n]);
		if (fds[n] < 0) {
			err = fds[n];
			goto close;
		}
	}
	peer->pid = fork();
	if (peer->pid < 0)
		err = -errno;
	if (peer->pid == 0)
		peer_main(peer, fds);
close:
	while (n > 0)
		close(fds[--n]);
	return err;
}

int peer_dial(const struct peer *peer, uint16_t port, int ms)
{
	struct dial_order order = { port, (uint32_t)ms };
	int fd = connect_to(1, peer->port[SERVE_CONTROL]), err = 0;

	if (fd < 0)
		return fd;
	if (write(fd, &order, sizeof(order)) != sizeof(order))
		err = -EIO;
	close(fd);
	return err;
}

void peer_stop(struct peer *peer)
{
	if (peer->pid <= 0)
		return;
	kill(peer->pid, SIGKILL);
	waitpid(peer->pid, NULL, 0);
	peer->pid = 0;
}
