/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench: sockfs beside a plain socket, a FUSE file that answers at once, and
 * socat; see doc/BENCHMARKS.md. `make bench` runs it.
 *
 * Happy path: the peer is forked, both daemons are mounted; each round goes over
 * all rows, each row over its kinds in an order that turns from round to round;
 * then what is measured once; then table, JSON and the data of the plots.
 *
 * Failure modes: a row that fails for a kind is named on stderr, has no sample,
 * and makes the exit status 1. A row that hangs is ended after a while by killing
 * the daemon of sockfs.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/util.h"
#include "tests/bench/bench.h"

#define ROW_SECONDS 60 /* no row of the rounds takes so long, and scale rows have more */
#define ONCE_SECONDS 1800

static const struct row rows[] = {
	{ "read-4k", bulk_run, KIND_BULK, 4096, false, false },
	{ "read-128k", bulk_run, KIND_BULK, 131072, false, false },
	{ "read-1m", bulk_run, KIND_BULK, 1048576, false, false },
	{ "write-4k", bulk_run, KIND_BULK, 4096, true, false },
	{ "write-128k", bulk_run, KIND_BULK, 131072, true, false },
	{ "write-1m", bulk_run, KIND_BULK, 1048576, true, false },
	{ "cat-read", cat_run, KIND_BULK, 0, false, false },
	{ "cat-write", cat_run, KIND_BULK, 0, true, false },
	{ "rtt-1", talk_run, KIND_BULK, 1, false, false },
	{ "rtt-4k", talk_run, KIND_BULK, 4096, false, false },
	{ "tls-read-1m", tls_read_run, KIND(SOCKFS) | KIND(OPENSSL), 1048576, false, false },
	{ "tls-dial", tls_dial_run, KIND(SOCKFS) | KIND(CURL), 0, false, false },
	{ "udp-rtt-1", talk_udp_run, KIND(PLAIN) | KIND(SOCKFS) | KIND(FLOOR), 1, false, false },
	{ "unix-read-1m", bulk_unix_run, KIND(PLAIN) | KIND(SOCKFS) | KIND(FLOOR), 1048576, false,
	  false },
	{ "dial", dial_run, KIND(PLAIN) | KIND(SOCKFS), 0, false, false },
	{ "named", named_run, KIND(PLAIN) | KIND(SOCKFS), 0, false, false },
	{ "accept", accept_run, KIND(PLAIN) | KIND(SOCKFS), 0, false, false },
	{ "create", create_run, KIND(SOCKFS) | KIND(FLOOR) | KIND(TMPFS), 0, false, false },
	{ "many-0", many_run, KIND(PLAIN) | KIND(SOCKFS), 0, false, false },
	{ "many-1", many_run, KIND(PLAIN) | KIND(SOCKFS), 1, false, false },
	{ "many-8", many_run, KIND(PLAIN) | KIND(SOCKFS), 8, false, false },
	{ "many-64", many_run, KIND(PLAIN) | KIND(SOCKFS), 64, false, false },
	{ "many-512", many_run, KIND(PLAIN) | KIND(SOCKFS), 512, false, false },
	{ "fair-inq", fair_inq_run, KIND(PLAIN) | KIND(SOCKFS), 0, false, false },
	{ "fair-talk", fair_talk_run, KIND(PLAIN) | KIND(SOCKFS), 0, false, false },
	{ "fair-poll", fair_poll_run, KIND(PLAIN) | KIND(SOCKFS), 0, false, false },
	{ "fair-nospin", fair_nospin_run, KIND(SOCKFS), 0, false, false },
	{ "fair-ctl", fair_ctl_run, KIND(SOCKFS), 0, false, false },
	{ "slab", slab_run, KIND(SLAB) | KIND(GLIBC) | KIND(JEMALLOC) | KIND(MIMALLOC), 0, false,
	  true },
	{ "access", access_run, KIND(SLAB), 1000000, false, false },
};

static const struct row once_rows[] = {
	{ "files", files_run, KIND(SOCKFS), 0, false, false },
	{ "idle", idle_run, KIND(SOCKFS), 0, false, false },
	{ "udp-idle", idle_udp_run, KIND(SOCKFS), 0, false, false },
	{ "unix-idle", idle_unix_run, KIND(SOCKFS), 0, false, false },
	{ "misses", misses_run, KIND(SLAB), 1000000, false, true },
};

static const struct form {
	const char *name;
	int rounds, slice_ms;
	unsigned int files, connections, idle_ms;
	uint64_t cat_bytes;
	size_t crowd, objects; /* at most */
	unsigned int seconds;  /* no further round begins after that time */
} forms[] = {
	{ "full", 9, 250, 1000000, 10000, 60000, 512u << 20, 512, 1000000, 3600 },
	{ "short", 3, 60, 10000, 1000, 2000, 128u << 20, 512, 1000000, 24 },
	{ "smoke", 1, 2, 100, 20, 10, 1u << 20, 4, 1000, 3600 },
};

struct plan {
	const struct form *form;
	const char *only[32]; /* parts of the names of the wanted rows; none: all */
	int nr_only;
};

static volatile sig_atomic_t stopped;
static volatile pid_t watched; /* the daemon that a hanging row waits for */

/* ------------------------------------------------------------------------ clocks */

static uint64_t ns_of(clockid_t clock)
{
	struct timespec ts;

	if (clock_gettime(clock, &ts) != 0)
		return 0;
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

uint64_t now_ns(void)
{
	return ns_of(CLOCK_MONOTONIC);
}

pid_t worker_of(pid_t pid)
{
	char path[64];
	int child = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	f = fopen(path, "re");
	if (f == NULL)
		return pid;
	if (fscanf(f, "%d", &child) != 1)
		child = 0;
	fclose(f);
	return child > 0 ? (pid_t)child : pid;
}

uint64_t cpu_ns(pid_t pid)
{
	clockid_t clock;

	return clock_getcpuclockid(pid, &clock) == 0 ? ns_of(clock) : 0;
}

void complain(struct bench *b, const char *row, enum kind kind, int err)
{
	fprintf(stderr, "bench: %s: %s: %s\n", row, kind_name[kind], strerror(-err));
	b->failures++;
}

/* ----------------------------------------------------------------------- signals */

static void on_signal(int sig)
{
	if (sig == SIGALRM && watched > 0)
		kill(watched, SIGKILL);
	if (sig != SIGALRM)
		stopped = 1;
}

void bench_watch(pid_t pid)
{
	watched = pid;
}

/* Without SA_RESTART: what waits shall see it. */
static void catch_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal };

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
	sigaction(SIGALRM, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* ------------------------------------------------------------------ set up, clean up */

static int make_file(struct bench *b, uint64_t size)
{
	static char block[1 << 20];
	const char *dir = b->shm[0] != '\0' ? b->shm : b->dir;
	int fd, err = 0;

	snprintf(b->file, sizeof(b->file), "%s/file", dir);
	fd = open(b->file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	memset(block, 'x', sizeof(block));
	for (; err == 0 && size > 0; size -= sizeof(block))
		if (write(fd, block, sizeof(block)) != (ssize_t)sizeof(block))
			err = -ENOSPC;
	close(fd);
	return err;
}

static int make_dirs(struct bench *b)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(b->dir, sizeof(b->dir), "%s/sockfs-bench.XXXXXX", tmp != NULL ? tmp : "/tmp");
	snprintf(b->shm, sizeof(b->shm), "/dev/shm/sockfs-bench.XXXXXX");
	if (mkdtemp(b->dir) == NULL)
		return -errno;
	if (mkdtemp(b->shm) == NULL)
		b->shm[0] = '\0';
	return 0;
}

static int have_program(const char *name)
{
	char *argv[] = { (char *)name, (char *)"-V", NULL };
	pid_t pid = spawn(argv, -1, -1);

	return pid > 0 && spawn_wait(pid) == 0;
}

static int set_up(struct bench *b, const struct form *form)
{
	int err = make_dirs(b);

	for (int k = 0; k < NR_KINDS; k++)
		b->has[k] = true;
	b->has[TMPFS] = b->shm[0] != '\0';
	b->has[SOCAT] = have_program("socat");
	b->has[CURL] = have_program("curl");
	if (!b->has[SOCAT])
		fputs("bench: there is no socat: no figures of it\n", stderr);
	if (err == 0)
		err = make_file(b, form->cat_bytes);
	if (err == 0)
		err = peer_start(&b->peer, form->cat_bytes);
	if (err == 0)
		err = daemon_start(b, b->sockfs, NULL, b->mnt[SOCKFS], sizeof(b->mnt[0]),
				   &b->daemon[SOCKFS]);
	if (err == 0)
		err = daemon_start(b, b->floor, NULL, b->mnt[FLOOR], sizeof(b->mnt[0]),
				   &b->daemon[FLOOR]);
	return err;
}

static void clean_up(struct bench *b)
{
	static const enum kind daemons[] = { SOCKFS, FLOOR };

	peer_stop(&b->peer);
	for (size_t i = 0; i < ARRAY_SIZE(daemons); i++) {
		enum kind kind = daemons[i];
		int err = b->daemon[kind] > 0 ? daemon_stop(b->mnt[kind], b->daemon[kind]) : 0;

		if (err != 0)
			complain(b, "unmount", kind, err);
	}
	unlink(b->file);
	if (b->shm[0] != '\0')
		rmdir(b->shm);
	rmdir(b->dir);
}

/* -------------------------------------------------------------------------- rounds */

static bool wanted(const struct plan *plan, const char *name)
{
	for (int i = 0; i < plan->nr_only; i++)
		if (strstr(name, plan->only[i]) != NULL)
			return true;
	return plan->nr_only == 0;
}

static void run_row(struct bench *b, const struct row *row, unsigned int seconds)
{
	/* Whoever comes first finds another machine than who comes second: take turns. */
	for (int i = 0; i < NR_KINDS && !stopped; i++) {
		enum kind kind = (enum kind)((i + b->round) % NR_KINDS);
		int err;

		if (!(row->kinds & KIND(kind)) || !b->has[kind])
			continue;
		bench_watch(worker_of(b->daemon[SOCKFS]));
		alarm(seconds);
		err = row->run(b, kind, row);
		alarm(0);
		if (err == -ENOENT && row->optional) {
			fprintf(stderr,
				"bench: %s: %s: there is no such program or library: "
				"no figures of it\n",
				row->name, kind_name[kind]);
			b->has[kind] = kind == SLAB;
		} else if (err != 0) {
			complain(b, row->name, kind, err);
		}
	}
}

static void run_rounds(struct bench *b, const struct plan *plan)
{
	uint64_t end = now_ns() + plan->form->seconds * 1000000000ull;

	for (b->round = 0; b->round < b->store.rounds && !stopped; b->round++) {
		if (b->round > 0 && now_ns() > end) {
			fputs("bench: this machine is slow or busy: no more rounds\n", stderr);
			break;
		}
		fprintf(stderr, "bench: round %d of %d\n", b->round + 1, b->store.rounds);
		for (size_t i = 0; i < ARRAY_SIZE(rows) && !stopped; i++)
			if (wanted(plan, rows[i].name))
				run_row(b, &rows[i], ROW_SECONDS);
	}
	b->round = 0;
	for (size_t i = 0; i < ARRAY_SIZE(once_rows) && !stopped; i++)
		if (wanted(plan, once_rows[i].name)) {
			fprintf(stderr, "bench: %s\n", once_rows[i].name);
			run_row(b, &once_rows[i], ONCE_SECONDS);
		}
}

static int report(struct bench *b)
{
	char path[512];
	FILE *table;
	int err;

	if (mkdir(b->out, 0755) != 0 && errno != EEXIST)
		return -errno;
	report_table(b, stdout);
	snprintf(path, sizeof(path), "%s/table.txt", b->out);
	table = fopen(path, "we");
	if (table == NULL)
		return -errno;
	report_table(b, table);
	fclose(table);
	snprintf(path, sizeof(path), "%s/bench.json", b->out);
	err = report_json(b, path);
	return err != 0 ? err : report_data(b);
}

/* ------------------------------------------------------------------------- options */

static const char usage_text[] =
	"usage: bench [OPTION]... [ROW]...\n"
	"Measure the rows whose name contains one of the given texts; all without any.\n"
	"  --form=full|short|smoke  how much of everything (full)\n"
	"  --rounds=N, --slice=MS   passes over all rows; how long a row measures a kind\n"
	"  --sockfs=PROGRAM, --floor=PROGRAM, --slab=PROGRAM, --misses=PROGRAM\n"
	"  --out=DIR                where table.txt, bench.json and *.dat go (bench-results)\n";

/* Where the text of option @c goes; NULL: it is none of these. */
static const char **text_option(struct bench *b, int c)
{
	switch (c) {
	case 's':
		return &b->sockfs;
	case 'l':
		return &b->floor;
	case 'a':
		return &b->slab_bench;
	case 'i':
		return &b->misses;
	case 'o':
		return &b->out;
	default:
		return NULL;
	}
}

static const struct form *form_named(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
		if (strcmp(name, forms[i].name) == 0)
			return &forms[i];
	return NULL;
}

static void take_form(struct bench *b, const struct form *form, int rounds, int slice_ms)
{
	b->store.rounds = rounds > 0 ? rounds : form->rounds;
	b->slice_ms = slice_ms > 0 ? slice_ms : form->slice_ms;
	b->files = form->files;
	b->connections = form->connections;
	b->idle_ms = form->idle_ms;
	b->crowd = form->crowd;
	b->objects = form->objects;
}

static int parse(int argc, char **argv, struct bench *b, struct plan *plan)
{
	static const struct option options[] = {
		{ "form", required_argument, NULL, 'f' },
		{ "rounds", required_argument, NULL, 'n' },
		{ "slice", required_argument, NULL, 'm' },
		{ "sockfs", required_argument, NULL, 's' },
		{ "floor", required_argument, NULL, 'l' },
		{ "slab", required_argument, NULL, 'a' },
		{ "misses", required_argument, NULL, 'i' },
		{ "out", required_argument, NULL, 'o' },
		{ NULL, 0, NULL, 0 },
	};
	int c, rounds = 0, slice_ms = 0;

	while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0)
		if (c == 'f')
			plan->form = form_named(optarg);
		else if (c == 'n')
			rounds = atoi(optarg);
		else if (c == 'm')
			slice_ms = atoi(optarg);
		else if (text_option(b, c) != NULL)
			*text_option(b, c) = optarg;
		else
			return -EINVAL;
	if (plan->form == NULL)
		return -EINVAL;
	for (; optind < argc && plan->nr_only < (int)ARRAY_SIZE(plan->only); optind++)
		plan->only[plan->nr_only++] = argv[optind];
	b->some = plan->nr_only > 0;
	take_form(b, plan->form, rounds, slice_ms);
	return 0;
}

int main(int argc, char **argv)
{
	static struct bench b = {
		.sockfs = "./sockfs",
		.floor = "tests/bench/floor",
		.slab_bench = "tests/bench/slab_bench",
		.misses = "tests/bench/misses.sh",
		.out = "bench-results",
	};
	struct plan plan = { .form = &forms[0] };
	struct rlimit lim;
	int err;

	if (parse(argc, argv, &b, &plan) != 0) {
		fputs(usage_text, stderr);
		return 2;
	}
	if (getrlimit(RLIMIT_NOFILE, &lim) == 0) {
		lim.rlim_cur = lim.rlim_max;
		setrlimit(RLIMIT_NOFILE, &lim);
	}
	if (getloadavg(&b.load, 1) != 1)
		b.load = 0;
	catch_signals();
	err = set_up(&b, plan.form);
	if (err == 0)
		run_rounds(&b, &plan);
	else
		fprintf(stderr, "bench: cannot begin: %s\n", strerror(-err));
	clean_up(&b);
	if (err == 0)
		err = report(&b);
	if (stopped)
		fputs("bench: stopped: what is missing was not measured\n", stderr);
	store_free(&b.store);
	return err == 0 && b.failures == 0 && !stopped ? 0 : 1;
}
