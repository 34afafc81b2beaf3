/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * parked: many calls that wait, and how they end.
 *
 *	parked MOUNT NUMBER KIND SIGNAL [FILE]
 *
 * NUMBER processes make a call of KIND that waits for what never comes:
 *	read, accept, listen (read of a listener), write, fsync, connect, dial
 * When all of them wait, they are sent the SIGNAL:
 *	int	each call must give EINTR, at once
 *	restart	the same, with SA_RESTART: FUSE has no way to say "again"
 *	kill	each process must be gone at once
 *	none	FILE is made, and whatever ends the calls comes from outside;
 *		SIGUSR1 to the first process passes SIGINT on to all
 * A write that could send some bytes before its end gives their number: that
 * counts as EINTR.
 * Prints how many calls ended in which way.
 */
#include "config.h"

#include "tests/stream/ends.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sockfs/ioctl.h"

#define CALLS_MAX 1000

/* One call: its process and what it needs. */
struct call {
	pid_t pid;
	int fd;
	int port;
	char path[256];
	struct end end;
};

struct kind {
	const char *name;
	void (*prepare)(struct call *c, unsigned int number);
	long (*wait)(struct call *c); /* the call's result, or -errno */
};

static char data[1 << 20];

/* A port where every connect waits: a queue of one that is full. */
static int silent_port(void)
{
	static int port;
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int listener;

	if (port != 0)
		return port;
	listener = plain_listener(&port);
	if (listen(listener, 0) != 0)
		die("listen: %s", strerror(errno));
	sa.sin_port = htons((uint16_t)port);
	for (int i = 0; i < 4; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

		if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0 && errno != EINPROGRESS)
			die("connect: %s", strerror(errno));
	}
	return port;
}

static void prepare_connected(struct call *c, unsigned int number)
{
	end_open_file(&c->end, number % 2);
	c->fd = c->end.fd;
}

static void prepare_full(struct call *c, unsigned int number)
{
	prepare_connected(c, number);
	end_nonblock(&c->end, true);
	while (end_write(&c->end, data, sizeof(data)) > 0)
		;
	end_nonblock(&c->end, false);
}

static void prepare_listener(struct call *c, unsigned int number)
{
	static struct call first;
	char name[32];

	(void)number;
	/* All of them wait on one. */
	if (first.fd == 0) {
		snprintf(name, sizeof(name), "listener%d", (int)getpid());
		first.fd = file_new(name, 0, first.path, sizeof(first.path));
		file_listen(first.fd, 0, &first.port);
	}
	*c = first;
}

static void prepare_file(struct call *c, unsigned int number)
{
	char name[32];

	snprintf(name, sizeof(name), "c%d.%u", (int)getpid(), number);
	c->port = silent_port();
	c->fd = file_new(name, 0, c->path, sizeof(c->path));
}

static const char *mount_dir;

static void prepare_dial(struct call *c, unsigned int number)
{
	(void)number;
	c->port = silent_port();
	snprintf(c->path, sizeof(c->path), "%s/tcp/127.0.0.1/%d", mount_dir, c->port);
}

static long wait_read(struct call *c)
{
	ssize_t n = read(c->fd, data, sizeof(data));

	return n < 0 ? -errno : n;
}

static long wait_write(struct call *c)
{
	ssize_t n = write(c->fd, data, sizeof(data));

	/* A probe of the peer's window may let some bytes pass: then the rest waits. */
	return n < 0 ? -errno : n < (ssize_t)sizeof(data) ? -EINTR : n;
}

static long wait_fsync(struct call *c)
{
	return fsync(c->fd) < 0 ? -errno : 0;
}

static long wait_accept(struct call *c)
{
	struct sockfs_accept accepted;

	return ioctl(c->fd, SOCKFS_IOC_ACCEPT, &accepted) < 0 ? -errno : 0;
}

static long wait_connect(struct call *c)
{
	return file_connect(c->fd, c->port);
}

static long wait_dial(struct call *c)
{
	int fd = open(c->path, O_RDWR);

	return fd < 0 ? -errno : fd;
}

static const struct kind kinds[] = {
	{"read", prepare_connected, wait_read},	   {"accept", prepare_listener, wait_accept},
	{"listen", prepare_listener, wait_read},   {"write", prepare_full, wait_write},
	{"fsync", prepare_full, wait_fsync},	   {"connect", prepare_file, wait_connect},
	{"dial", prepare_dial, wait_dial},
};

static void on_signal(int sig)
{
	(void)sig;
}

static void child(const struct kind *kind, struct call *c, bool restart)
{
	struct sigaction sa = {.sa_handler = on_signal, .sa_flags = restart ? SA_RESTART : 0};
	long ret;

	sigaction(SIGINT, &sa, NULL);
	ret = kind->wait(c);
	_exit(ret < 0 ? (int)-ret : 0);
}

/* Does the process wait for an answer of the daemon? */
static bool is_parked(pid_t pid)
{
	char path[64], text[64] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/wchan", (int)pid);
	fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		die("%s: %s", path, strerror(errno));
	close(fd);
	return strcmp(text, "request_wait_answer") == 0;
}

static struct call calls[CALLS_MAX];
static unsigned int nr_calls;

static void send_all(int signum)
{
	for (unsigned int i = 0; i < nr_calls; i++)
		kill(calls[i].pid, signum);
}

static void on_usr1(int sig)
{
	(void)sig;
	send_all(SIGINT);
}

static void start(const struct kind *kind, unsigned int n, bool restart)
{
	char path[300];

	for (unsigned int i = 0; i < n; i++)
		kind->prepare(&calls[i], i);
	for (unsigned int i = 0; i < n; i++) {
		calls[i].pid = fork();
		if (calls[i].pid < 0)
			die("fork: %s", strerror(errno));
		if (calls[i].pid == 0)
			child(kind, &calls[i], restart);
	}
	for (unsigned int i = 0; i < n; i++)
		wait_for(is_parked(calls[i].pid));
	/* The daemon takes requests in order: when it has answered this it has them all. */
	snprintf(path, sizeof(path), "%s/nothing%d", mount_dir, (int)getpid());
	if (access(path, F_OK) == 0 || errno != ENOENT)
		die("%s: %s", path, strerror(errno));
}

/* Prints a line for each way in which calls ended, most of them one. */
static void collect(void)
{
	unsigned int ways[256] = {0}, killed = 0;
	int status;

	for (unsigned int i = 0; i < nr_calls; i++) {
		while (waitpid(calls[i].pid, &status, 0) < 0)
			if (errno != EINTR)
				die("waitpid: %s", strerror(errno));
		if (WIFEXITED(status))
			ways[WEXITSTATUS(status)]++;
		else
			killed++;
	}
	if (killed > 0)
		printf("%u killed\n", killed);
	for (int i = 0; i < 256; i++)
		if (ways[i] > 0)
			printf("%u %s\n", ways[i], i == 0 ? "done" : strerror(i));
}

int main(int argc, char **argv)
{
	struct sigaction usr1 = {.sa_handler = on_usr1};
	const struct kind *kind = kinds;
	unsigned int n = argc > 2 ? (unsigned int)atoi(argv[2]) : 0;
	const char *signal_name = argc > 4 ? argv[4] : "";
	int signum = strcmp(signal_name, "none") == 0 ? 0
		     : strcmp(signal_name, "kill") == 0 ? SIGKILL : SIGINT;

	while (argc > 3 && kind < kinds + sizeof(kinds) / sizeof(kinds[0]) &&
	       strcmp(kind->name, argv[3]) != 0)
		kind++;
	if (argc < 5 || n == 0 || n > CALLS_MAX || kind == kinds + sizeof(kinds) / sizeof(kinds[0]))
		die("usage: parked MOUNT NUMBER KIND SIGNAL [FILE]");
	signal(SIGPIPE, SIG_IGN);
	ends_init(argv[1]);
	mount_dir = argv[1];
	start(kind, n, strcmp(signal_name, "restart") == 0);
	nr_calls = n;
	sigaction(SIGUSR1, &usr1, NULL);
	if (argc > 5)
		close(open(argv[5], O_WRONLY | O_CREAT, 0600));
	if (signum != 0)
		send_all(signum);
	collect();
	return 0;
}
