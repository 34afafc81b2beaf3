/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ways: try to get out.
 *
 *	ways serve FILE		be what is outside: sockets of many kinds that answer "out";
 *				writes where they are to FILE and serves until killed
 *	ways try FILE [PID [MOUNT]]	inside: try every way; PID: of the daemon
 *	ways control FILE	outside: try those that do no harm
 *
 * Prints a line for each way that is open, and how many were tried. Exit status 0. Root
 * is refused: what succeeds would harm the machine.
 */
#include "config.h"

#include "ways.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

struct outside outside;

#define WORD "out"

bool answers(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char buf[8] = "";
	bool yes = fd >= 0 && poll(&p, 1, 500) == 1 && recv(fd, buf, 3, 0) == 3 &&
		   memcmp(buf, WORD, 3) == 0;

	if (fd >= 0)
		close(fd);
	return yes;
}

bool opens(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

bool gives(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char c;
	bool yes = fd >= 0 && read(fd, &c, 1) == 1;

	if (fd >= 0)
		close(fd);
	return yes;
}

/* ------------------------------------------------------------------------- outside */

static int must(int fd, const char *what)
{
	if (fd >= 0)
		return fd;
	perror(what);
	exit(1);
}

/* A socket of the loopback on a port of the kernel's choice; -1: there is no such family. */
static int serve_inet(int family, int type, unsigned int *ret_port)
{
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	struct sockaddr_in four = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr *sa = family == AF_INET ? (void *)&four : (void *)&six;
	socklen_t len = family == AF_INET ? sizeof(four) : sizeof(six);
	int fd = socket(family, type | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, sa, len) != 0)
		return -1;
	must(getsockname(fd, sa, &len), "getsockname");
	*ret_port = ntohs(family == AF_INET ? four.sin_port : six.sin6_port);
	if (type == SOCK_STREAM)
		must(listen(fd, 16), "listen");
	return fd;
}

static int serve_unix(int type, const char *name, bool abstract)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name) + abstract);
	int fd = must(socket(AF_UNIX, type | SOCK_CLOEXEC, 0), "socket");

	memcpy(sun.sun_path + abstract, name, strlen(name));
	must(bind(fd, (void *)&sun, len), name);
	if (!abstract)
		must(chmod(name, 0777), name);
	if (type != SOCK_DGRAM)
		must(listen(fd, 16), "listen");
	return fd;
}

/* A connection gets the word; so does a datagram's sender, or, if it has no name, the log. */
static void answer(int fd)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	int type = 0, c;
	char buf[16];

	socklen_t type_len = sizeof(type);
	getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_len);
	if (type != SOCK_DGRAM) {
		c = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
		if (c >= 0)
			(void)!send(c, WORD, 3, MSG_NOSIGNAL);
		if (c >= 0)
			close(c);
		return;
	}
	if (recvfrom(fd, buf, sizeof(buf), 0, (void *)&from, &len) < 0)
		return;
	if (len > sizeof(sa_family_t))
		(void)!sendto(fd, WORD, 3, MSG_NOSIGNAL, (void *)&from, len);
	else
		printf("a datagram came\n");
	fflush(stdout);
}

static int serve(const char *file)
{
	struct pollfd p[6];
	char *slash, dir[64], tmp[128];
	FILE *f;

	snprintf(dir, sizeof(dir), "/tmp/ways.XXXXXX");
	if (mkdtemp(dir) == NULL || chmod(dir, 0755) != 0)
		return 1;
	snprintf(outside.stream, sizeof(outside.stream), "%s/stream", dir);
	snprintf(outside.dgram, sizeof(outside.dgram), "%s/dgram", dir);
	slash = strrchr(dir, '/');
	snprintf(outside.abstract, sizeof(outside.abstract), "%s", slash + 1);
	p[0].fd = must(serve_inet(AF_INET, SOCK_STREAM, &outside.tcp4), "tcp");
	p[1].fd = serve_inet(AF_INET6, SOCK_STREAM, &outside.tcp6);
	p[2].fd = must(serve_inet(AF_INET, SOCK_DGRAM, &outside.udp4), "udp");
	p[3].fd = serve_unix(SOCK_STREAM, outside.stream, false);
	p[4].fd = serve_unix(SOCK_DGRAM, outside.dgram, false);
	p[5].fd = serve_unix(SOCK_STREAM, outside.abstract, true);
	outside.shm_key = (int)getpid() | 0x53000000;
	must(shmget(outside.shm_key, 4096, IPC_CREAT | 0666), "shmget");
	snprintf(tmp, sizeof(tmp), "%s.new", file);
	f = fopen(tmp, "we");
	if (f == NULL)
		return 1;
	fprintf(f, "%u %u %u %s %s %s %d %d\n", outside.tcp4, outside.tcp6, outside.udp4,
		outside.stream, outside.dgram, outside.abstract, outside.shm_key, (int)getpid());
	if (fclose(f) != 0 || rename(tmp, file) != 0)
		return 1;
	for (;;) {
		for (int i = 0; i < 6; i++)
			p[i].events = POLLIN;
		if (poll(p, 6, -1) < 0)
			return 1;
		for (int i = 0; i < 6; i++)
			if (p[i].revents & POLLIN)
				answer(p[i].fd);
	}
}

/* -------------------------------------------------------------------------- inside */

/* In a process of its own: some end it. */
static bool is_open(const struct way *way)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		alarm(20);
		_exit(way->try() ? 42 : 0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid) {
		perror("fork");
		exit(1);
	}
	if (WIFSIGNALED(status))
		printf("%s: %s\n", way->name, strsignal(WTERMSIG(status)));
	return WIFEXITED(status) && WEXITSTATUS(status) == 42;
}

static int each(bool inside)
{
	const struct way *const tables[] = {ways_net, ways_sys, ways_file};
	int tried = 0, open = 0;

	for (size_t i = 0; i < 3; i++)
		for (const struct way *way = tables[i]; way->name != NULL; way++) {
			if (way->harms && !inside)
				continue;
			tried++;
			if (is_open(way)) {
				printf("open: %s\n", way->name);
				open++;
			}
		}
	printf("%d ways tried, %d open\n", tried, open);
	return fflush(stdout) == 0 ? 0 : 1;
}

static bool load(const char *file)
{
	FILE *f = fopen(file, "re");
	int server, n;

	if (f == NULL)
		return false;
	n = fscanf(f, "%u %u %u %95s %95s %95s %d %d", &outside.tcp4, &outside.tcp6, &outside.udp4,
		   outside.stream, outside.dgram, outside.abstract, &outside.shm_key, &server);
	fclose(f);
	outside.server = server;
	return n == 8;
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	if (argc < 3)
		return 2;
	if (strcmp(argv[1], "serve") == 0)
		return serve(argv[2]);
	if (geteuid() == 0) {
		fprintf(stderr, "ways: not as root\n");
		return 2;
	}
	if (!load(argv[2])) {
		perror(argv[2]);
		return 1;
	}
	outside.daemon = argc > 3 ? atoi(argv[3]) : 0;
	if (argc > 4)
		snprintf(outside.mount, sizeof(outside.mount), "%s", argv[4]);
	strcpy(outside.net, "/net");
	return each(strcmp(argv[1], "try") == 0);
}
