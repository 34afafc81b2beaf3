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
#include <sys/un.h>
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

static socklen_t unix_name(const struct peer *peer, enum service service, struct sockaddr_un *ret)
{
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
			   (size_t)snprintf(ret->sun_path + 1, sizeof(ret->sun_path) - 1,
					    PEER_UNIX_NAME, peer->unix_id, service));
}

static int listen_unix(const struct peer *peer, enum service service)
{
	struct sockaddr_un sun;
	socklen_t len = unix_name(peer, service, &sun);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), err;

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&sun, len) == 0 && listen(fd, 1024) == 0)
		return fd;
	err = -errno;
	close(fd);
	return err;
}

static int bind_udp(uint16_t *ret_port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err;

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&sin, len) == 0 &&
	    getsockname(fd, (struct sockaddr *)&sin, &len) == 0) {
		*ret_port = ntohs(sin.sin_port);
		return fd;
	}
	err = -errno;
	close(fd);
	return err;
}

int peer_connect(const struct peer *peer, enum way way, enum service service, unsigned int host)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_port = htons(peer->udp_port),
		/* The echo comes from the first, whoever was asked. */
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct sockaddr_un sun;
	const struct sockaddr *sa = (struct sockaddr *)&sin;
	socklen_t len = sizeof(sin);
	int fd, err;

	if (way == BY_TCP)
		return connect_to(host, peer->port[service]);
	if (way == BY_UNIX) {
		len = unix_name(peer, service, &sun);
		sa = (struct sockaddr *)&sun;
	}
	fd = socket(sa->sa_family, (way == BY_UDP ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, sa, len) == 0)
		return fd;
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

/* To whoever sends. */
static void *echo_udp_main(void *arg)
{
	const struct job *job = arg;
	static char buf[65536];
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	ssize_t n;

	while ((n = recvfrom(job->fd, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len)) >= 0 ||
	       errno == ECONNREFUSED)
		if (n >= 0)
			(void)!sendto(job->fd, buf, (size_t)n, 0, (struct sockaddr *)&from, len);
	return NULL;
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

/* What it listens on; -1: nothing yet. */
struct ends {
	int tcp[NR_SERVICES], local[NR_SERVICES], udp;
};

static void ends_close(struct ends *e)
{
	for (int i = 0; i < NR_SERVICES; i++) {
		if (e->tcp[i] >= 0)
			close(e->tcp[i]);
		if (e->local[i] >= 0)
			close(e->local[i]);
	}
	if (e->udp >= 0)
		close(e->udp);
}

static int ends_open(struct peer *peer, struct ends *e)
{
	memset(e, 0xff, sizeof(*e));
	for (int i = 0; i < NR_SERVICES; i++) {
		e->tcp[i] = listen_any(&peer->port[i]);
		if (e->tcp[i] < 0)
			return e->tcp[i];
		e->local[i] = listen_unix(peer, (enum service)i);
		if (e->local[i] < 0)
			return e->local[i];
	}
	e->udp = bind_udp(&peer->udp_port);
	return e->udp < 0 ? e->udp : 0;
}

static int serve(struct job *job, int fd, enum service service, uint64_t limit)
{
	*job = (struct job){ fd, service, limit };
	return start_thread(service == SERVE_HOLD ? hold_main : listener_main, job);
}

/* In the peer's process: never returns. */
static void peer_main(const struct peer *peer, const struct ends *e)
{
	static struct job job[2 * NR_SERVICES + 1];
	int err = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGALRM, SIG_DFL);
	for (int i = 0; i < NR_SERVICES; i++) {
		err |= serve(&job[2 * i], e->tcp[i], (enum service)i, peer->limit);
		err |= serve(&job[2 * i + 1], e->local[i], (enum service)i, peer->limit);
	}
	job[2 * NR_SERVICES].fd = e->udp;
	err |= start_thread(echo_udp_main, &job[2 * NR_SERVICES]);
	if (err != 0)
		_exit(1);
	for (;;)
		pause();
}

int peer_start(struct peer *peer, uint64_t limit)
{
	struct ends e;
	int err;

	peer->limit = limit;
	peer->unix_id = (unsigned int)getpid();
	err = ends_open(peer, &e);
	if (err == 0) {
		peer->pid = fork();
		err = peer->pid < 0 ? -errno : 0;
	}
	if (err == 0 && peer->pid == 0)
		peer_main(peer, &e);
	ends_close(&e);
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
