/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See ends.h. */
#include "config.h"

#include "tests/stream/ends.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "sockfs/ioctl.h"

static const char *mount_dir;
void (*on_death)(void);

void die(const char *fmt, ...)
{
	va_list ap;

	if (on_death != NULL)
		on_death();
	fflush(stdout);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

void die_waiting(const char *what)
{
	die("waited in vain until %s", what);
}

static int must(int ret, const char *what)
{
	if (ret < 0)
		die("%s: %s", what, strerror(errno));
	return ret;
}

void ends_init(const char *mount)
{
	mount_dir = mount;
}

uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

void wait_a_bit(void)
{
	struct timespec ts = {.tv_nsec = 100000};

	nanosleep(&ts, NULL);
}

/* ---------------------------------------------------------------- plain sockets */

static void plain_options(int fd)
{
	int on = 1, snd = END_SNDBUF, rcv = END_RCVBUF;

	must(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &snd, sizeof(snd)), "SO_SNDBUF");
	must(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &rcv, sizeof(rcv)), "SO_RCVBUF");
	must(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)), "TCP_NODELAY");
}

static int plain_socket(void)
{
	int fd = must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");

	plain_options(fd);
	return fd;
}

int plain_listener(int *ret_port)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(sa);
	int fd = plain_socket();

	must(bind(fd, (struct sockaddr *)&sa, len), "bind");
	must(listen(fd, SOMAXCONN), "listen");
	must(getsockname(fd, (struct sockaddr *)&sa, &len), "getsockname");
	*ret_port = ntohs(sa.sin_port);
	return fd;
}

int plain_dial(int port)
{
	struct sockaddr_in sa = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				 .sin_port = htons((uint16_t)port)};
	int fd = plain_socket();

	must(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), "connect");
	return fd;
}

static int plain_accept(int listener)
{
	return must(accept4(listener, NULL, NULL, SOCK_CLOEXEC), "accept");
}

void end_open_plain(struct end *e, bool dials)
{
	int port, listener = plain_listener(&port);
	int dialled = plain_dial(port), accepted = plain_accept(listener);

	close(listener);
	*e = (struct end){.dials = dials};
	e->fd = dials ? dialled : accepted;
	e->peer = dials ? accepted : dialled;
}

/* ------------------------------------------------------------------------ files */

void file_setsockopt(int fd, int level, int name, int value)
{
	struct sockfs_sockopt opt = {.level = level, .name = name, .len = sizeof(value)};

	memcpy(opt.value, &value, sizeof(value));
	must(ioctl(fd, SOCKFS_IOC_SETSOCKOPT, &opt), "SOCKFS_IOC_SETSOCKOPT");
}

int file_new(const char *name, int flags, char *ret_path, size_t size)
{
	int fd;

	snprintf(ret_path, size, "%s/%s", mount_dir, name);
	fd = must(open(ret_path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | flags, 0600), ret_path);
	file_setsockopt(fd, SOL_SOCKET, SO_SNDBUF, END_SNDBUF);
	file_setsockopt(fd, SOL_SOCKET, SO_RCVBUF, END_RCVBUF);
	return fd;
}

static struct sockfs_addr loopback(int port)
{
	struct sockfs_addr addr = {.host = "127.0.0.1"};

	snprintf(addr.port, sizeof(addr.port), "%d", port);
	return addr;
}

int file_connect(int fd, int port)
{
	struct sockfs_addr addr = loopback(port);

	return ioctl(fd, SOCKFS_IOC_CONNECT, &addr) < 0 ? -errno : 0;
}

int file_listen(int fd, int backlog, int *ret_port)
{
	struct sockfs_addr addr = loopback(0);
	__s32 n = backlog;

	if (ioctl(fd, SOCKFS_IOC_BIND, &addr) < 0 || ioctl(fd, SOCKFS_IOC_LISTEN, &n) < 0 ||
	    ioctl(fd, SOCKFS_IOC_GETSOCKNAME, &addr) < 0)
		return -errno;
	*ret_port = atoi(addr.port);
	return 0;
}

int file_accept(int fd, const char *listener, char *ret_path, size_t size)
{
	struct sockfs_accept accepted;
	const char *slash = strrchr(listener, '/');

	if (ioctl(fd, SOCKFS_IOC_ACCEPT, &accepted) < 0)
		return -errno;
	snprintf(ret_path, size, "%.*s/%s", (int)(slash - listener), listener, accepted.name);
	return must(open(ret_path, O_RDWR | O_CLOEXEC), ret_path);
}

void end_open_file(struct end *e, bool dials)
{
	static unsigned int number;
	char name[32], path[256];
	int fd, port, err;

	*e = (struct end){.is_file = true, .dials = dials};
	snprintf(name, sizeof(name), "f%d.%u", (int)getpid(), number++);
	fd = file_new(name, 0, path, sizeof(path));
	if (dials) {
		int listener = plain_listener(&port);

		err = file_connect(fd, port);
		if (err == 0)
			e->peer = plain_accept(listener);
		close(listener);
		e->fd = fd;
		strcpy(e->path, path);
	} else {
		err = file_listen(fd, 8, &port);
		if (err == 0) {
			e->peer = plain_dial(port);
			err = e->fd = file_accept(fd, path, e->path, sizeof(e->path));
		}
		close(fd);
		unlink(path);
	}
	if (err < 0)
		die("%s: %s", path, strerror(-err));
}

/* ------------------------------------------------------------------- both kinds */

void end_close(struct end *e)
{
	close(e->fd);
	if (e->is_file)
		must(unlink(e->path), e->path);
	if (e->peer >= 0)
		close(e->peer);
	e->peer = -1;
}

long end_read(struct end *e, void *buf, size_t size)
{
	ssize_t n = read(e->fd, buf, size);

	return n < 0 ? -errno : n;
}

long end_write(struct end *e, const void *buf, size_t size)
{
	ssize_t n = write(e->fd, buf, size);

	return n < 0 ? -errno : n;
}

long end_shutdown(struct end *e, int how)
{
	__s32 arg = how;
	int ret = e->is_file ? ioctl(e->fd, SOCKFS_IOC_SHUTDOWN, &arg) : shutdown(e->fd, how);

	return ret < 0 ? -errno : ret;
}

long end_inq(struct end *e)
{
	int n = 0;
	int ret = e->is_file ? ioctl(e->fd, SOCKFS_IOC_INQ, &n) : ioctl(e->fd, SIOCINQ, &n);

	return ret < 0 ? -errno : n;
}

long end_outq(struct end *e)
{
	int n = 0;
	int ret = e->is_file ? ioctl(e->fd, SOCKFS_IOC_OUTQ, &n) : ioctl(e->fd, SIOCOUTQ, &n);

	return ret < 0 ? -errno : n;
}

unsigned int end_poll(struct end *e, unsigned int events, int timeout)
{
	struct pollfd p = {.fd = e->fd, .events = (short)events};

	must(poll(&p, 1, timeout), "poll");
	return (unsigned short)p.revents;
}

void end_nonblock(struct end *e, bool on)
{
	int flags = must(fcntl(e->fd, F_GETFL), "F_GETFL");

	must(fcntl(e->fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK), "F_SETFL");
}

void peer_reset(struct end *e)
{
	struct linger linger = {.l_onoff = 1};

	must(setsockopt(e->peer, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), "SO_LINGER");
	peer_close(e);
}

void peer_close(struct end *e)
{
	close(e->peer);
	e->peer = -1;
}

/* ------------------------------------------------------------------------ bytes */

void stream_fill(void *buf, uint64_t pos, size_t size)
{
	unsigned char *p = buf;

	for (size_t i = 0; i < size; i++)
		p[i] = stream_byte(pos + i);
}

bool stream_is(const void *buf, uint64_t pos, size_t size)
{
	const unsigned char *p = buf;

	for (size_t i = 0; i < size; i++)
		if (p[i] != stream_byte(pos + i))
			return false;
	return true;
}
