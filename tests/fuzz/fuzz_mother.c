/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mother of those who serve and die: a process that was made before the fuzzer had much
 * memory. A child of the fuzzer itself has a copy of the tables of all of that, and the fuzzer
 * gets a copy of each page that it writes to behind that.
 *
 * She has the fuzzer's descriptors, not copies (super/supervisor.c: clone_files), and so have her
 * children; the ledger is memory of everybody, as what says what a child is to do.
 */
#include "config.h"

#include "fuzz.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "journal/ledger.h"
#include "lib/log.h"
#include "tests/wire/wire.h"

static struct job {
	bool resume; /* go on with a ledger, else fill one */
	uint16_t which;
	unsigned int answers;
	int fd, daemon_fd, ledger_fd;
	size_t pipe_size;
	uint64_t bytes; /* what the ledger says of its size, which may be broken */
	int keep[FUZZ_FDS];
	size_t nr_keep;
	int status; /* of the child */
} *job;

static struct fill *fill;
static int ask[2], answer[2];

static pid_t clone_files(void)
{
#ifdef __s390__
	return (pid_t)syscall(SYS_clone, 0, CLONE_FILES | SIGCHLD, 0, 0, 0);
#else
	return (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
#endif
}

/* The fuzzer's wire and ledger, in this process. */
static struct wire *adopt(void)
{
	struct wire *w = wire_adopt(job->fd, job->daemon_fd);

	if (w == NULL || ledger_attach(job->ledger_fd, sockfs_session_buf_size()) != 0)
		abort();
	ledger->programs--;
	ledger->bytes = job->bytes;
	w->pipe_size = job->pipe_size;
	return w;
}

static _Noreturn void child(void)
{
	struct wire *w = adopt();

	if (!job->resume)
		fill_and_die(w, fill, job->which, job->answers);
	fill_begin(w, fill);
	for (unsigned int i = 0; i < fill->nr_open; i++)
		wire_expect(w, fill->open[i]);
	w->unique = fill->unique;
	w->answers_left = job->answers;
	w->die = fill_die;
	(void)wire_resume(w, job->keep, job->nr_keep);
	fill_die(w);
}

static void pass(int fd)
{
	while (write(fd, "", 1) < 0)
		if (errno != EINTR)
			_exit(1);
}

/* libFuzzer has a timer. */
static void take(int fd)
{
	char c;

	while (read(fd, &c, 1) != 1)
		if (errno != EINTR)
			_exit(1);
}

static _Noreturn void mother(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		pid_t pid;

		take(ask[0]);
		job->status = -1;
		pid = clone_files();
		if (pid == 0)
			child();
		while (waitpid(pid, &job->status, 0) < 0 && errno == EINTR)
			;
		pass(answer[1]);
	}
}

void mother_begin(struct fill *shared)
{
	fill = shared;
	job = mmap(NULL, sizeof(*job), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (job == MAP_FAILED || pipe(ask) != 0 || pipe(answer) != 0)
		abort();
	switch (clone_files()) {
	case -1:
		abort();
	case 0:
		mother();
	default:
		break;
	}
}

static void have_done(const struct wire *w)
{
	job->fd = w->fd;
	job->daemon_fd = w->daemon_fd;
	job->pipe_size = w->pipe_size;
	job->ledger_fd = ledger_fd();
	job->bytes = ledger->bytes;
	ledger->bytes = ledger_size();
	pass(ask[1]);
	take(answer[0]);
	if (job->status != 0) {
		fprintf(stderr, "fuzz: who was to die ended by %d\n", job->status);
		abort();
	}
}

void mother_serve(const struct wire *w, uint16_t which, unsigned int answers)
{
	job->resume = false;
	job->which = which;
	job->answers = answers;
	have_done(w);
}

void mother_resume(const struct wire *w, unsigned int answers, const int *keep, size_t nr)
{
	if (nr > FUZZ_FDS)
		abort();
	job->resume = true;
	job->answers = answers;
	memcpy(job->keep, keep, nr * sizeof(*keep));
	job->nr_keep = nr;
	have_done(w);
}
