/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * peer: the other end of a TCP connection, for tests.
 *
 *	peer [OPTION...] listen [ACTION...]		accepts and runs the actions
 *	peer [OPTION...] connect HOST PORT [ACTION...]	connects and runs them
 *	peer port [ADDRESS]				prints a port that is free now
 *	peer pattern SIZE				prints the bytes that flood sends
 *
 * Options:
 *	-a ADDRESS  listen there (127.0.0.1), or connect from there
 *	-b NUMBER   backlog of the listener (128)
 *	-f FILE     fill the listener's queue first, so that a further connect
 *		    hangs until FILE exists
 *	-n NUMBER   connections to accept, each handled by a process of its own;
 *		    0 is without end (1)
 *	-o FILE     write the port there (it appears with its content)
 *	-p PORT     listen there (0: the kernel chooses)
 *	-r BYTES    SO_RCVBUF, before listen or connect
 *	-t SECONDS  give up after that time (60)
 *	-w FILE     accept nothing before FILE exists
 *
 * A listener's first line on stdout is its port. Actions run one after the
 * other; the connection is closed after the last. Status 0: all went as told;
 * 1: something did not, stderr says what; 2: bad usage.
 *
 *	say TEXT, trickle TEXT	send it; trickle in segments of one byte. \n \r \t \\ \xHH
 *	send FILE, flood SIZE	send a file (- is stdin), or SIZE bytes of the pattern
 *	expect TEXT		the next bytes are these
 *	verify SIZE		the next bytes are SIZE bytes of the pattern
 *	line			read a line and print it
 *	recv SIZE		read so many bytes and drop them
 *	take SIZE FILE		read so many bytes into FILE (- is stdout)
 *	save FILE, discard	read until the end of file, and keep or drop it
 *	echo			send back all that comes, until the end of file
 *	eof, isreset		the stream ends here; it ends with a reset
 *	hup			wait for the peer's FIN or RST and read nothing
 *	shut, reset, close	send FIN and go on; reset the connection; close it
 *	wait, until FILE	wait for a line on stdin, or for a file
 *	tell FILE		make that file
 *	hold			stay silent until killed
 */
#include "config.h"

#include "tests/lib/peer.h"

#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct options {
	const char *address, *port;	/* own address */
	const char *port_file;		/* where the port is to be written, or NULL */
	const char *fill_until;		/* keep the queue full until this file exists, or NULL */
	const char *accept_after;	/* accept nothing before this file exists, or NULL */
	int backlog, count, rcvbuf;
	unsigned int seconds;
};

static void die(const char *what)
{
	fprintf(stderr, "peer: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void usage(void)
{
	fputs("usage: peer [-a ADDRESS] [-b BACKLOG] [-f FILE] [-n COUNT] [-o FILE] [-p PORT]\n"
	      "            [-r BYTES] [-t SECONDS] [-w FILE] listen [ACTION...]\n"
	      "       peer [OPTION...] connect HOST PORT [ACTION...]\n"
	      "       peer port [ADDRESS]\n"
	      "       peer pattern SIZE\n",
	      stderr);
	exit(2);
}

/* Only async-signal-safe calls: the main program may be anywhere. */
static void on_alarm(int sig)
{
	const char *doing = peer_doing;

	(void)sig;
	if (write(STDERR_FILENO, "peer: timed out in ", 19) < 0 ||
	    write(STDERR_FILENO, doing, strlen(doing)) < 0 || write(STDERR_FILENO, "\n", 1) < 0)
		_exit(3);
	_exit(1);
}

static int new_socket(const char *host, const char *port, int flags, int rcvbuf,
		      struct sockaddr_storage *ret_addr, socklen_t *ret_len)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM,
				  .ai_flags = flags };
	struct addrinfo *list;
	int on = 1, fd;
	int err = getaddrinfo(host, port, &hints, &list);

	if (err) {
		fprintf(stderr, "peer: %s: %s\n", host, gai_strerror(err));
		exit(1);
	}
	fd = socket(list->ai_family, SOCK_STREAM, 0);
	if (fd < 0)
		die("socket");
	if (flags & AI_PASSIVE && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		die("SO_REUSEADDR");
	if (rcvbuf && setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof(rcvbuf)) < 0)
		die("SO_RCVBUF");
	memcpy(ret_addr, list->ai_addr, list->ai_addrlen);
	*ret_len = list->ai_addrlen;
	freeaddrinfo(list);
	return fd;
}

static int bound_socket(const struct options *opt)
{
	struct sockaddr_storage addr;
	socklen_t len;
	int fd = new_socket(opt->address ? opt->address : "127.0.0.1", opt->port, AI_PASSIVE,
			    opt->rcvbuf, &addr, &len);

	if (bind(fd, (struct sockaddr *)&addr, len) < 0)
		die("bind");
	return fd;
}

/* The port fd is bound to, as text that the next call replaces. */
static const char *port_of(int fd)
{
	static char port[NI_MAXSERV];
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);

	if (getsockname(fd, (struct sockaddr *)&addr, &len) < 0)
		die("getsockname");
	if (getnameinfo((struct sockaddr *)&addr, len, NULL, 0, port, sizeof(port),
			NI_NUMERICSERV))
		die("getnameinfo");
	return port;
}

/* Under another name first: who waits for the file must not find it empty. */
static void write_port(const char *file, const char *port)
{
	char *temporary;
	FILE *f;

	if (asprintf(&temporary, "%s.tmp", file) < 0)
		die("asprintf");
	f = fopen(temporary, "w");
	if (!f || fprintf(f, "%s\n", port) < 0 || fclose(f) || rename(temporary, file))
		die(file);
	free(temporary);
}

/*
 * With a backlog of 0 one connection fills the queue: the kernel then drops the
 * next SYN, and whoever sent it stays in connect() and tries again.
 */
static int fill_queue(int listener)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	int fd;

	if (getsockname(listener, (struct sockaddr *)&addr, &len) < 0)
		die("getsockname");
	fd = socket(addr.ss_family, SOCK_STREAM, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&addr, len) < 0)
		die("fill");
	return fd;
}

static void empty_queue(int listener, int filler)
{
	int fd = accept(listener, NULL, NULL);

	if (fd < 0)
		die("accept");
	close(fd);
	close(filler);
}

static int serve(int listener, const struct options *opt, char **actions)
{
	struct peer peer = { 0 };
	pid_t pid, parent = getpid();

	peer.fd = accept(listener, NULL, NULL);
	if (peer.fd < 0)
		die("accept");
	if (opt->count == 1) {
		close(listener);
		return peer_run(&peer, actions);
	}
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		/* A child ends with its parent, which may be gone already. */
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
			_exit(1);
		close(listener);
		alarm(opt->seconds);
		exit(peer_run(&peer, actions));
	}
	close(peer.fd);
	return 0;
}

static int listen_and_run(const struct options *opt, char **actions)
{
	int listener = bound_socket(opt);
	int filler = -1;
	int i, status, ret = 0;

	if (listen(listener, opt->fill_until ? 0 : opt->backlog) < 0)
		die("listen");
	if (opt->fill_until)
		filler = fill_queue(listener);
	if (opt->port_file)
		write_port(opt->port_file, port_of(listener));
	printf("%s\n", port_of(listener));

	peer_doing = "accept";
	if (opt->fill_until) {
		peer_until(opt->fill_until);
		empty_queue(listener, filler);
	}
	if (opt->accept_after)
		peer_until(opt->accept_after);
	for (i = 0; opt->count == 0 || i < opt->count; i++) {
		ret |= serve(listener, opt, actions);
		while (waitpid(-1, &status, WNOHANG) > 0)
			ret |= status != 0;
	}
	peer_doing = "wait for the connections";
	while (wait(&status) > 0)
		ret |= status != 0;
	return ret;
}

static int connect_and_run(const struct options *opt, const char *host, const char *port,
			   char **actions)
{
	struct peer peer = { 0 };
	struct sockaddr_storage addr, own;
	socklen_t len, own_len;
	int fd;

	peer_doing = "connect";
	peer.fd = new_socket(host, port, 0, opt->rcvbuf, &addr, &len);
	if (opt->address) {
		fd = new_socket(opt->address, opt->port, AI_PASSIVE, 0, &own, &own_len);
		close(fd);
		if (bind(peer.fd, (struct sockaddr *)&own, own_len) < 0)
			die("bind");
	}
	if (connect(peer.fd, (struct sockaddr *)&addr, len) < 0)
		die("connect");
	return peer_run(&peer, actions);
}

static char **parse_options(int argc, char **argv, struct options *opt)
{
	int c;

	/* "+": options end at the role, actions are no options. */
	while ((c = getopt(argc, argv, "+a:b:f:n:o:p:r:t:w:")) != -1) {
		switch (c) {
		case 'a':
			opt->address = optarg;
			break;
		case 'b':
			opt->backlog = (int)peer_size(optarg);
			break;
		case 'f':
			opt->fill_until = optarg;
			break;
		case 'n':
			opt->count = (int)peer_size(optarg);
			break;
		case 'o':
			opt->port_file = optarg;
			break;
		case 'p':
			opt->port = optarg;
			break;
		case 'r':
			opt->rcvbuf = (int)peer_size(optarg);
			break;
		case 't':
			opt->seconds = (unsigned int)peer_size(optarg);
			break;
		case 'w':
			opt->accept_after = optarg;
			break;
		default:
			usage();
		}
	}
	return argv + optind;
}

int main(int argc, char **argv)
{
	struct options opt = { .port = "0", .backlog = 128, .count = 1, .seconds = 60 };
	char **args = parse_options(argc, argv, &opt);

	/* A peer that is gone is an error message here, not a signal. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGALRM, on_alarm);
	setvbuf(stdout, NULL, _IONBF, 0);
	alarm(opt.seconds);

	if (!args[0])
		usage();
	if (strcmp(args[0], "listen") == 0) {
		if (!peer_check(args + 1))
			return 2;
		return listen_and_run(&opt, args + 1);
	}
	if (strcmp(args[0], "connect") == 0 && args[1] && args[2]) {
		if (!peer_check(args + 3))
			return 2;
		return connect_and_run(&opt, args[1], args[2], args + 3);
	}
	if (strcmp(args[0], "port") == 0 && (!args[1] || !args[2])) {
		opt.address = args[1];
		printf("%s\n", port_of(bound_socket(&opt)));
		return 0;
	}
	if (strcmp(args[0], "pattern") == 0 && args[1] && !args[2])
		return peer_pattern(STDOUT_FILENO, peer_size(args[1]));
	usage();
}
