/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * streams: many hands on one socket file, and calls that are cut short.
 *
 *	streams MOUNT TEST
 *
 *	writers		threads and processes write records of up to 4 KiB at once: each
 *			arrives whole; and large ones, in order within themselves
 *	readers		threads and processes read at once: each byte comes to one
 *	both		one description is read and written at once by two threads
 *	interrupted	a write that is interrupted says how much of it went
 *	signals		a storm of signals on one who reads and one who writes
 *	killed		a reader that is killed while it waits takes nothing with it,
 *			a writer leaves what it has sent and no more
 *	big		calls of 1 byte and of 64 MiB
 *	passed		the descriptor lives on: dup, fork, exec, SCM_RIGHTS, O_CLOEXEC
 */
#include "config.h"

#include "tests/stream/streams.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

struct end end;

void write_all(int fd, const void *buf, size_t size)
{
	const char *p = buf;

	while (size > 0) {
		ssize_t n = write(fd, p, size);

		if (n <= 0)
			die("write: %s", strerror(errno));
		p += n;
		size -= (size_t)n;
	}
}

void read_all(int fd, void *buf, size_t size)
{
	char *p = buf;

	while (size > 0) {
		ssize_t n = read(fd, p, size);

		if (n <= 0)
			die("read: %s", n < 0 ? strerror(errno) : "end of file");
		p += n;
		size -= (size_t)n;
	}
}

pthread_t thread(void *(*run)(void *arg), void *arg)
{
	pthread_t t;

	if (pthread_create(&t, NULL, run, arg) != 0)
		die("no thread");
	return t;
}

void join(pthread_t t)
{
	pthread_join(t, NULL);
}

pid_t process(void *(*run)(void *arg), void *arg)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (pid == 0) {
		run(arg);
		_exit(0);
	}
	return pid;
}

void reap(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || status != 0)
		die("a child failed: status 0x%x", (unsigned int)status);
}

bool is_parked(pid_t pid)
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

/* ----------------------------------------------------------------------- writers */

/* A record: who, its number, its size, and then bytes that belong to it alone. */
struct record {
	uint32_t who, number, size;
	unsigned char bytes[4096 - 12];
};
#define WRITERS 6
#define RECORDS 150

static void *write_records(void *arg)
{
	uint32_t who = (uint32_t)(uintptr_t)arg;
	struct record r = {.who = who};

	for (r.number = 0; r.number < RECORDS; r.number++) {
		r.size = 12 + (r.number * 2654435761u + who * 40503u) % sizeof(r.bytes);
		stream_fill(r.bytes, (uint64_t)who * 1000003 + r.number, r.size - 12);
		if (write(end.fd, &r, r.size) != (ssize_t)r.size)
			die("write: %s", strerror(errno));
	}
	return NULL;
}

static void check_records(void)
{
	uint32_t next[WRITERS] = {0};
	struct record r;

	for (int i = 0; i < WRITERS * RECORDS; i++) {
		read_all(end.peer, &r, 12);
		if (r.who >= WRITERS || r.number != next[r.who]++ || r.size > sizeof(r))
			die("a record is not where it should be");
		read_all(end.peer, r.bytes, r.size - 12);
		if (!stream_is(r.bytes, (uint64_t)r.who * 1000003 + r.number, r.size - 12))
			die("a record is not whole");
	}
}

/* Large calls: words that say whose they are, and count. */
#define LARGE (1u << 20)

static void *write_large(void *arg)
{
	uint64_t who = (uint64_t)(uintptr_t)arg, *words = malloc(LARGE);

	if (words == NULL)
		die("no memory");
	for (uint64_t i = 0; i < LARGE / 8; i++)
		words[i] = who << 56 | i;
	write_all(end.fd, words, LARGE);
	free(words);
	return NULL;
}

static void check_large(void)
{
	uint64_t next[WRITERS] = {0}, word;
	static uint64_t words[LARGE / 8];

	for (int i = 0; i < WRITERS; i++) {
		read_all(end.peer, words, LARGE);
		for (size_t k = 0; k < LARGE / 8; k++) {
			word = words[k];
			if (word >> 56 >= WRITERS || (word << 8 >> 8) != next[word >> 56]++)
				die("a large write is not in order");
		}
	}
}

static void at_once(void *(*run)(void *arg), void (*check)(void))
{
	pthread_t threads[WRITERS / 2];
	pid_t pids[WRITERS / 2];

	for (uintptr_t i = 0; i < WRITERS / 2; i++)
		pids[i] = process(run, (void *)i);
	for (uintptr_t i = 0; i < WRITERS / 2; i++)
		threads[i] = thread(run, (void *)(i + WRITERS / 2));
	check();
	for (int i = 0; i < WRITERS / 2; i++) {
		join(threads[i]);
		reap(pids[i]);
	}
}

static void writers(void)
{
	at_once(write_records, check_records);
	at_once(write_large, check_large);
}

/* ----------------------------------------------------------------------- readers */

/*
 * The stream counts: its words of four bytes hold 6 bits of a number each, under two
 * bits that say which. So eight bytes anywhere tell where they come from.
 */
#define WORDS (1u << 19)
#define READERS 6

static unsigned char counted(uint64_t pos)
{
	unsigned int part = pos % 4;

	return (unsigned char)(part << 6 | (pos / 4 >> 6 * part & 63));
}

static uint64_t locate(const unsigned char *p)
{
	unsigned int skip = (4 - (p[0] >> 6)) % 4;
	uint64_t word = 0;

	for (unsigned int i = 0; i < 4; i++)
		word |= (uint64_t)(p[skip + i] & 63) << 6 * i;
	return word * 4 - skip;
}

/* Shared by all processes: how often each byte came, and how many came in small pieces. */
struct tally {
	unsigned char times[WORDS * 4];
	uint64_t small;
};
static struct tally *tally;

static void *read_counted(void *arg)
{
	unsigned char buf[3001];
	size_t size = 100 + 400 * (size_t)(uintptr_t)arg;
	ssize_t n;

	while ((n = read(end.fd, buf, size)) > 0) {
		uint64_t pos;

		if (n < 8) {
			__atomic_add_fetch(&tally->small, (uint64_t)n, __ATOMIC_RELAXED);
			continue;
		}
		pos = locate(buf);
		for (ssize_t i = 0; i < n; i++) {
			if (pos + (uint64_t)i >= sizeof(tally->times) ||
			    buf[i] != counted(pos + (uint64_t)i))
				die("bytes within a read are not in order");
			__atomic_add_fetch(&tally->times[pos + (uint64_t)i], 1, __ATOMIC_RELAXED);
		}
	}
	if (n < 0)
		die("read: %s", strerror(errno));
	return NULL;
}

static void readers(void)
{
	pthread_t threads[READERS / 2];
	pid_t pids[READERS / 2];
	static unsigned char buf[WORDS * 4];
	uint64_t missing = 0;

	tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (tally == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	for (uintptr_t i = 0; i < READERS / 2; i++)
		pids[i] = process(read_counted, (void *)i);
	for (uintptr_t i = 0; i < READERS / 2; i++)
		threads[i] = thread(read_counted, (void *)(i + READERS / 2));
	for (uint64_t i = 0; i < sizeof(buf); i++)
		buf[i] = counted(i);
	write_all(end.peer, buf, sizeof(buf));
	/* Each of them sees the end. */
	shutdown(end.peer, SHUT_WR);
	for (int i = 0; i < READERS / 2; i++) {
		join(threads[i]);
		reap(pids[i]);
	}
	for (size_t i = 0; i < sizeof(tally->times); i++) {
		if (tally->times[i] > 1)
			die("byte %zu came %u times", i, tally->times[i]);
		missing += tally->times[i] == 0;
	}
	if (missing != tally->small)
		die("%llu bytes are lost", (unsigned long long)(missing - tally->small));
}

/* -------------------------------------------------------------------------- both */

void *echo_peer(void *arg)
{
	char buf[4096];

	(void)arg;
	for (ssize_t n; (n = read(end.peer, buf, sizeof(buf))) > 0;)
		write_all(end.peer, buf, (size_t)n);
	shutdown(end.peer, SHUT_WR);
	return NULL;
}

static void *read_echo(void *arg)
{
	unsigned char buf[1000];
	uint64_t pos = 0;
	ssize_t n;

	while ((n = read(end.fd, buf, sizeof(buf))) > 0) {
		if (!stream_is(buf, pos, (size_t)n))
			die("the echo is wrong at byte %llu", (unsigned long long)pos);
		pos += (uint64_t)n;
	}
	*(uint64_t *)arg = pos;
	return NULL;
}

static void both(void)
{
	static unsigned char buf[1 << 20];
	uint64_t echoed = 0;
	pthread_t reader = thread(read_echo, &echoed), echo = thread(echo_peer, NULL);

	/* The reader waits first, and must not keep the writer out. */
	stream_fill(buf, 0, sizeof(buf));
	for (size_t i = 0; i < sizeof(buf); i += 16384)
		write_all(end.fd, buf + i, 16384);
	end_shutdown(&end, SHUT_WR);
	join(reader);
	join(echo);
	if (echoed != sizeof(buf))
		die("%llu bytes came back", (unsigned long long)echoed);
}

/* --------------------------------------------------------------------------- big */

#define BIG ((size_t)64 << 20)

static void *write_big(void *arg)
{
	ssize_t n = write(end.fd, arg, BIG);

	if (n != (ssize_t)BIG)
		die("the big write: %zd, %s", n, strerror(errno));
	return NULL;
}

static void *send_big(void *arg)
{
	write_all(end.peer, arg, BIG);
	return NULL;
}

static void big(void)
{
	/* Each read may ask for all of it, wherever it stands. */
	unsigned char *buf = malloc(BIG), *got = malloc(2 * BIG);
	pthread_t t;
	size_t done;

	if (buf == NULL || got == NULL)
		die("no memory");
	stream_fill(buf, 0, BIG);
	t = thread(write_big, buf);
	read_all(end.peer, got, BIG);
	join(t);
	if (memcmp(buf, got, BIG) != 0)
		die("the big write did not come through");
	memset(got, 0, BIG);
	t = thread(send_big, buf);
	/* A byte, then as much as there is. */
	read_all(end.fd, got, 1);
	for (done = 1; done < BIG;) {
		ssize_t n = read(end.fd, got + done, BIG);

		if (n <= 0)
			die("the big read: %s", n < 0 ? strerror(errno) : "end of file");
		if (n > (ssize_t)(BIG - done))
			die("the big read got more than was sent");
		done += (size_t)n;
	}
	join(t);
	if (memcmp(buf, got, BIG) != 0)
		die("the big read did not come through");
	free(buf);
	free(got);
}

/* ------------------------------------------------------------------------ passed */

static void say_and_hear(int fd, const char *who)
{
	char buf[16] = "";

	write_all(fd, who, strlen(who));
	read_all(end.peer, buf, strlen(who));
	if (strcmp(buf, who) != 0)
		die("%s: the peer got '%s'", who, buf);
	write_all(end.peer, who, strlen(who));
	memset(buf, 0, sizeof(buf));
	read_all(fd, buf, strlen(who));
	if (strcmp(buf, who) != 0)
		die("%s: got '%s'", who, buf);
}

static int pass(int fd)
{
	char byte = 0, control[CMSG_SPACE(sizeof(int))] = "";
	struct iovec iov = {&byte, 1};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			     .msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	int way[2], got;

	if (c == NULL || socketpair(AF_UNIX, SOCK_STREAM, 0, way) != 0)
		die("socketpair: %s", strerror(errno));
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	if (sendmsg(way[0], &msg, 0) != 1)
		die("sendmsg: %s", strerror(errno));
	/* On its way it is nobody's descriptor. */
	close(fd);
	if (recvmsg(way[1], &msg, 0) != 1 || (c = CMSG_FIRSTHDR(&msg)) == NULL)
		die("recvmsg: %s", strerror(errno));
	memcpy(&got, CMSG_DATA(c), sizeof(got));
	close(way[0]);
	close(way[1]);
	return got;
}

static void run_shell(int fd, const char *script, int want)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		char number[16];

		snprintf(number, sizeof(number), "%d", fd);
		execl("/bin/sh", "sh", "-c", script, "sh", number, (char *)NULL);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) != pid || WEXITSTATUS(status) != want)
		die("%s: status 0x%x", script, (unsigned int)status);
}

static void passed(void)
{
	char buf[8] = "";
	int copy = dup(end.fd);

	say_and_hear(copy, "dup");
	/* O_NONBLOCK is the description's: both have it. */
	end_nonblock(&end, true);
	if (read(copy, buf, 1) != -1 || errno != EAGAIN)
		die("a dup does not share O_NONBLOCK");
	end_nonblock(&end, false);
	run_shell(copy, "echo exec >/dev/fd/$1", 0);
	read_all(end.peer, buf, 5);
	if (strcmp(buf, "exec\n") != 0)
		die("exec: the peer got '%s'", buf);
	/* It was opened with O_CLOEXEC; the dup was not. */
	run_shell(end.fd, "test ! -e /proc/self/fd/$1", 0);
	close(end.fd);
	say_and_hear(copy, "close");
	end.fd = pass(copy);
	say_and_hear(end.fd, "passed");
	/* Without a name it lives until its last close. */
	unlink(end.path);
	say_and_hear(end.fd, "unlink");
	close(open(end.path, O_RDWR | O_CREAT, 0600));
	close(end.fd);
	if (read(end.peer, buf, 1) != 0)
		die("the last close did not end the connection");
}

/* ------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
	{"writers", writers}, {"readers", readers}, {"both", both}, {"interrupted", interrupted},
	{"signals", signals}, {"killed", killed},   {"big", big},   {"passed", passed},
};

int main(int argc, char **argv)
{
	if (argc != 3)
		die("usage: streams MOUNT TEST");
	signal(SIGPIPE, SIG_IGN);
	ends_init(argv[1]);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		if (strcmp(tests[i].name, argv[2]) != 0)
			continue;
		for (int dials = 0; dials < 2; dials++) {
			end_open_file(&end, dials);
			tests[i].run();
			end_close(&end);
		}
		return 0;
	}
	die("no such test: %s", argv[2]);
}
