/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pollers: readiness of socket files, beside plain sockets and under load.
 *
 *	pollers MOUNT states		connecting, refused, listening, shut down: the
 *					same events as on a plain socket
 *	pollers MOUNT race		threads that wait for one stream in every way
 *					there is; each chunk is sent when the last was
 *					read, so one lost wake-up is the end
 *	pollers MOUNT idle PID		2,000 pollers while nothing happens: the daemon
 *					PID must sleep
 */
#include "config.h"

#include "tests/stream/ends.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sockfs/ioctl.h"

/* ----------------------------------------------------------------------- states */

#define ALL_EVENTS ((1u << 14) - 1)

static void expect_same(const char *what, unsigned int plain, unsigned int file)
{
	if (plain != file)
		die("%s: 0x%x on the socket, 0x%x on the file", what, plain, file);
}

/* Both polled when one of @events is there (0: now). */
static void compare_polls(const char *what, struct end *plain, struct end *file,
			  unsigned int events)
{
	int timeout = events != 0 ? 20000 : 0;

	if (events != 0 && end_poll(plain, events, timeout) == 0)
		die("%s: no event on the socket", what);
	if (events != 0 && end_poll(file, events, timeout) == 0)
		die("%s: no event on the file", what);
	expect_same(what, end_poll(plain, ALL_EVENTS, 0), end_poll(file, ALL_EVENTS, 0));
}

static int plain_connect(int fd, int port)
{
	struct sockaddr_in sa = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				 .sin_port = htons((uint16_t)port)};

	return connect(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0 ? -errno : 0;
}

/* One of each kind, unconnected and O_NONBLOCK, watched by edge. */
struct both {
	struct end plain, file;
	int epoll[2];
};

static void both_new(struct both *b, const char *name)
{
	*b = (struct both){.file.is_file = true, .file.peer = -1, .plain.peer = -1};
	b->plain.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	b->file.fd = file_new(name, O_NONBLOCK, b->file.path, sizeof(b->file.path));
	for (int i = 0; i < 2; i++) {
		struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET};

		b->epoll[i] = epoll_create1(EPOLL_CLOEXEC);
		epoll_ctl(b->epoll[i], EPOLL_CTL_ADD, i == 0 ? b->plain.fd : b->file.fd, &e);
		if (epoll_wait(b->epoll[i], &e, 1, 0) != 1)
			die("%s: an unconnected socket has events", name);
		expect_same(name, EPOLLOUT | EPOLLHUP, e.events);
	}
	compare_polls("unconnected", &b->plain, &b->file, 0);
}

static void both_edge(struct both *b, const char *what)
{
	struct epoll_event plain = {0}, file = {0};

	if (epoll_wait(b->epoll[0], &plain, 1, 20000) != 1)
		die("%s: no edge on the socket", what);
	if (epoll_wait(b->epoll[1], &file, 1, 20000) != 1)
		die("%s: no edge on the file", what);
	expect_same(what, plain.events, file.events);
}

static void both_connect(struct both *b, int port)
{
	int plain = plain_connect(b->plain.fd, port), file = file_connect(b->file.fd, port);

	if (plain != -EINPROGRESS || file != -EINPROGRESS)
		die("connect: %s, %s", strerror(-plain), strerror(-file));
}

static void both_close(struct both *b)
{
	for (int i = 0; i < 2; i++)
		close(b->epoll[i]);
	close(b->plain.fd);
	end_close(&b->file);
}

static int file_error(int fd)
{
	struct sockfs_sockopt opt = {.level = SOL_SOCKET, .name = SO_ERROR, .len = sizeof(int)};
	int err;

	if (ioctl(fd, SOCKFS_IOC_GETSOCKOPT, &opt) != 0)
		die("SO_ERROR: %s", strerror(errno));
	memcpy(&err, opt.value, sizeof(err));
	return err;
}

static void connect_succeeds(void)
{
	int port, listener = plain_listener(&port);
	struct both b;

	both_new(&b, "connects");
	both_connect(&b, port);
	both_edge(&b, "connected");
	compare_polls("connected", &b.plain, &b.file, POLLOUT);
	both_close(&b);
	close(listener);
}

static void connect_is_refused(void)
{
	int port, err = 0, listener = plain_listener(&port);
	socklen_t len = sizeof(err);
	struct both b;

	close(listener);
	both_new(&b, "refused");
	both_connect(&b, port);
	both_edge(&b, "refused");
	compare_polls("refused", &b.plain, &b.file, POLLERR);
	getsockopt(b.plain.fd, SOL_SOCKET, SO_ERROR, &err, &len);
	expect_same("SO_ERROR", (unsigned int)err, (unsigned int)file_error(b.file.fd));
	compare_polls("behind the error", &b.plain, &b.file, 0);
	both_close(&b);
}

static void connect_hangs(void)
{
	int port, listener = plain_listener(&port), queued[4];
	struct both b;

	if (listen(listener, 0) != 0)
		die("listen: %s", strerror(errno));
	for (int i = 0; i < 4; i++) {
		queued[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		(void)plain_connect(queued[i], port);
	}
	both_new(&b, "hangs");
	both_connect(&b, port);
	compare_polls("connecting", &b.plain, &b.file, 0);
	both_close(&b);
	for (int i = 0; i < 4; i++)
		close(queued[i]);
	close(listener);
}

static void listener_has_a_queue(void)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(sa);
	int ports[2], dialled[4], accepted;
	char path[256];
	struct both b;

	both_new(&b, "listens");
	if (bind(b.plain.fd, (struct sockaddr *)&sa, len) != 0 || listen(b.plain.fd, 8) != 0 ||
	    getsockname(b.plain.fd, (struct sockaddr *)&sa, &len) != 0)
		die("listen: %s", strerror(errno));
	ports[0] = ntohs(sa.sin_port);
	if (file_listen(b.file.fd, 8, &ports[1]) != 0)
		die("the file does not listen");
	compare_polls("listening", &b.plain, &b.file, 0);
	for (int i = 0; i < 4; i++)
		dialled[i] = plain_dial(ports[i % 2]);
	both_edge(&b, "a connection waits");
	compare_polls("two connections wait", &b.plain, &b.file, POLLIN);
	for (int i = 0; i < 2; i++) {
		close(accept(b.plain.fd, NULL, NULL));
		accepted = file_accept(b.file.fd, b.file.path, path, sizeof(path));
		if (accepted < 0)
			die("accept: %s", strerror(-accepted));
		close(accepted);
		unlink(path);
		compare_polls("accepted", &b.plain, &b.file, 0);
	}
	if (file_accept(b.file.fd, b.file.path, path, sizeof(path)) != -EAGAIN)
		die("accept does not say EAGAIN");
	for (int i = 0; i < 4; i++)
		close(dialled[i]);
	both_close(&b);
}

static void states(void)
{
	connect_succeeds();
	connect_is_refused();
	connect_hangs();
	listener_has_a_queue();
}

/* ------------------------------------------------------------------------- races */

#define THREADS 4
#define CHUNKS 300
#define BULK (4u << 20)

enum way { BY_POLL, BY_SELECT, BY_LEVEL, BY_EDGE, BY_ONESHOT, BY_OWN_EDGE, NR_WAYS };
static const char *const way_names[NR_WAYS] = {"poll",	     "select",	"epoll", "epoll edge",
					       "epoll oneshot", "epoll edge each"};

/* What the threads of one race share. */
static struct {
	int fd;
	enum way way;
	bool writes;
	int epoll;	    /* shared by all, or each has its own */
	int stop;	    /* readable when it is over */
	atomic_uint_least64_t moved;
	uint64_t limit;	    /* stop when so much has moved */
} race;

static uint32_t epoll_bits(void)
{
	uint32_t bits = race.writes ? EPOLLOUT : EPOLLIN;

	return race.way == BY_ONESHOT					 ? bits | EPOLLONESHOT
	       : race.way == BY_EDGE || race.way == BY_OWN_EDGE ? bits | EPOLLET
								 : bits;
}

static int epoll_new(void)
{
	struct epoll_event e = {.events = epoll_bits()}, stop = {.events = EPOLLIN};
	int fd = epoll_create1(EPOLL_CLOEXEC);

	if (fd < 0 || epoll_ctl(fd, EPOLL_CTL_ADD, race.fd, &e) != 0 ||
	    epoll_ctl(fd, EPOLL_CTL_ADD, race.stop, &stop) != 0)
		die("epoll: %s", strerror(errno));
	return fd;
}

/* Nobody waits longer than this for a wake-up that was lost. */
#define WAIT_MS 3000
#define SLOW_MS 2000

static void race_wait(int epoll)
{
	struct pollfd p[] = {{.fd = race.fd, .events = race.writes ? POLLOUT : POLLIN},
			     {.fd = race.stop, .events = POLLIN}};
	struct timeval tv = {.tv_sec = WAIT_MS / 1000};
	struct epoll_event e;
	fd_set in, out;

	switch (race.way) {
	case BY_POLL:
		poll(p, 2, WAIT_MS);
		return;
	case BY_SELECT:
		FD_ZERO(&in);
		FD_ZERO(&out);
		FD_SET(race.stop, &in);
		FD_SET(race.fd, race.writes ? &out : &in);
		select((race.fd > race.stop ? race.fd : race.stop) + 1, &in, &out, NULL, &tv);
		return;
	default:
		epoll_wait(epoll, &e, 1, WAIT_MS);
		return;
	}
}

static bool race_over(void)
{
	return atomic_load(&race.moved) >= race.limit;
}

/* All that goes now. */
static void race_move(void)
{
	char buf[4096] = {0};
	ssize_t n;

	do {
		n = race.writes ? write(race.fd, buf, sizeof(buf)) : read(race.fd, buf, 64);
		if (n > 0)
			atomic_fetch_add(&race.moved, (uint64_t)n);
	} while (n > 0 && !race_over());
	if (n < 0 && errno != EAGAIN)
		die("%s: %s", way_names[race.way], strerror(errno));
}

static void *race_thread(void *arg)
{
	int epoll = race.way == BY_OWN_EDGE ? epoll_new() : race.epoll;

	(void)arg;
	while (!race_over()) {
		struct epoll_event e = {.events = epoll_bits()};

		race_wait(epoll);
		race_move();
		if (race.way == BY_ONESHOT && epoll_ctl(epoll, EPOLL_CTL_MOD, race.fd, &e) != 0)
			die("epoll_ctl: %s", strerror(errno));
	}
	if (race.way == BY_OWN_EDGE)
		close(epoll);
	return NULL;
}

/*
 * The waits above end by themselves: what a lost wake-up costs is their time. So
 * that is what is counted.
 */
static unsigned int slow_chunks(int peer)
{
	char buf[100] = {0};
	unsigned int slow = 0;

	for (unsigned int i = 0; i < CHUNKS; i++) {
		uint64_t start = now_ms(), sent = atomic_load(&race.moved) + sizeof(buf);

		if (write(peer, buf, sizeof(buf)) != sizeof(buf))
			die("the peer's write: %s", strerror(errno));
		wait_for(atomic_load(&race.moved) >= sent);
		slow += now_ms() - start >= SLOW_MS;
	}
	return slow;
}

static unsigned int slow_drains(int peer)
{
	static char buf[65536];
	unsigned int slow = 0;
	ssize_t n;

	/* Not by what the writers count: they count after the bytes have gone. */
	for (uint64_t got = 0; got < race.limit; got += (uint64_t)n) {
		uint64_t start = now_ms();

		n = recv(peer, buf, sizeof(buf), 0);
		if (n <= 0)
			die("the peer's read: %s", strerror(errno));
		slow += now_ms() - start >= SLOW_MS;
	}
	return slow;
}

static unsigned int run_race(enum way way, bool writes)
{
	pthread_t threads[THREADS];
	struct end e;
	unsigned int slow;

	end_open_file(&e, true);
	end_nonblock(&e, true);
	race.fd = e.fd;
	race.way = way;
	race.writes = writes;
	atomic_store(&race.moved, 0);
	race.limit = writes ? BULK : CHUNKS * 100;
	race.stop = eventfd(0, EFD_CLOEXEC);
	race.epoll = way == BY_LEVEL || way == BY_EDGE || way == BY_ONESHOT ? epoll_new() : -1;
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, race_thread, NULL) != 0)
			die("no thread");
	slow = writes ? slow_drains(e.peer) : slow_chunks(e.peer);
	if (eventfd_write(race.stop, 1) != 0)
		die("eventfd: %s", strerror(errno));
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	if (race.epoll >= 0)
		close(race.epoll);
	close(race.stop);
	end_close(&e);
	return slow;
}

/* A machine that stands still for two seconds is seen once, a bug again. */
static void check_race(enum way way, bool writes)
{
	if (run_race(way, writes) > 0 && run_race(way, writes) > 0)
		die("%s, %s: wake-ups were lost", way_names[way], writes ? "writing" : "reading");
}

static void races(void)
{
	for (enum way way = 0; way < NR_WAYS; way++) {
		check_race(way, false);
		check_race(way, true);
	}
}

/* -------------------------------------------------------------------------- idle */

#define SOCKETS 200
#define OPENS 10

/* How often the daemon went to sleep: each time something had woken it. */
static long wakeups(int pid)
{
	char path[64], line[256];
	long n = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "r");
	if (f == NULL)
		die("%s: %s", path, strerror(errno));
	while (fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "voluntary_ctxt_switches: %ld", &n) == 1)
			break;
	fclose(f);
	return n;
}

/* Every other socket has bytes that nobody reads, and no room to write. */
static void idle_open(struct end *e, int epoll, bool stuffed)
{
	struct epoll_event want = {.events = stuffed ? EPOLLOUT | EPOLLRDHUP | EPOLLET : EPOLLIN};
	static char data[65536];

	end_open_file(e, true);
	for (int i = 0; i < OPENS; i++) {
		int fd = open(e->path, O_RDWR | O_CLOEXEC);

		if (fd < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &want) != 0)
			die("%s: %s", e->path, strerror(errno));
	}
	if (!stuffed)
		return;
	if (write(e->peer, data, 100) != 100)
		die("the peer's write: %s", strerror(errno));
	end_nonblock(e, true);
	do
		while (end_write(e, data, sizeof(data)) > 0)
			;
	while (end_poll(e, POLLOUT, 1) & POLLOUT);
}

static void idle(int pid)
{
	static struct end ends[SOCKETS];
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct rlimit limit;
	struct epoll_event e;
	long before;
	int n;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	for (int i = 0; i < SOCKETS; i++)
		idle_open(&ends[i], epoll, i % 2);
	/* Probes of a peer's window may make a little room for a moment. */
	while (epoll_wait(epoll, &e, 1, 300) > 0)
		;
	before = wakeups(pid);
	n = epoll_wait(epoll, &e, 1, 500);
	printf("%d events, %ld wake-ups\n", n, wakeups(pid) - before);
	if (wakeups(pid) - before > 50)
		die("the daemon does not sleep");
	/* It was no mistake that they were silent. */
	if (write(ends[0].peer, "x", 1) != 1 || epoll_wait(epoll, &e, 1, 20000) != 1)
		die("no event");
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	if (argc < 3)
		die("usage: pollers MOUNT states|race|idle [PID]");
	ends_init(argv[1]);
	if (strcmp(argv[2], "states") == 0)
		states();
	else if (strcmp(argv[2], "race") == 0)
		races();
	else if (argc > 3)
		idle(atoi(argv[3]));
	return 0;
}
