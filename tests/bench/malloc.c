/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The slab's rows: slab_bench runs in a process of its own for each allocator,
 * and what it prints ("METRIC NUMBER" a line) becomes samples.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/util.h"
#include "tests/bench/bench.h"

/* Takes the lines until the end. */
static void take_lines(struct bench *b, enum kind kind, FILE *in)
{
	char metric[40];
	double value;

	while (fscanf(in, "%39s %lf", metric, &value) == 2)
		store_add(&b->store, b->round, kind, value, "%s", metric);
}

static int run(struct bench *b, enum kind kind, char *const argv[])
{
	int fds[2], err;
	FILE *in;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) != 0)
		return -errno;
	pid = spawn(argv, -1, fds[1]);
	close(fds[1]);
	in = fdopen(fds[0], "r");
	if (in != NULL) {
		take_lines(b, kind, in);
		fclose(in);
	} else {
		close(fds[0]);
	}
	err = pid < 0 ? pid : spawn_wait(pid);
	return in != NULL ? err : -ENOMEM;
}

/* Is it there? A missing one the linker passes by, and complains; dlopen does not take each. */
static bool is_library(const struct bench *b, const char *name)
{
	pid_t pid = fork();

	if (pid == 0) {
		close(STDERR_FILENO);
		setenv("LD_PRELOAD", name, 1);
		execl(b->slab_bench, b->slab_bench, "loaded", name, NULL);
		_exit(127);
	}
	return pid > 0 && spawn_wait(pid) == 0;
}

static const char *library_of(const struct bench *b, enum kind kind)
{
	static const char *const jemalloc[] = { "libjemalloc.so.2", NULL };
	static const char *const mimalloc[] = { "libmimalloc.so.2", "libmimalloc.so.3",
						"libmimalloc.so", NULL };

	for (const char *const *name = kind == JEMALLOC ? jemalloc : mimalloc; *name != NULL;
	     name++)
		if (is_library(b, *name))
			return *name;
	return NULL;
}

int slab_run(struct bench *b, enum kind kind, const struct row *row)
{
	char ms[24];
	char *argv[] = { (char *)b->slab_bench, (char *)"alloc", (char *)"malloc", ms, NULL, NULL };
	const char *library = NULL;
	int err;

	(void)row;
	snprintf(ms, sizeof(ms), "%d", b->slice_ms);
	if (kind == SLAB)
		argv[2] = (char *)"slab";
	if (kind == JEMALLOC || kind == MIMALLOC) {
		library = library_of(b, kind);
		if (library == NULL)
			return -ENOENT;
		argv[4] = (char *)library;
		setenv("LD_PRELOAD", library, 1);
	}
	err = run(b, kind, argv);
	unsetenv("LD_PRELOAD");
	return err;
}

int access_run(struct bench *b, enum kind kind, const struct row *row)
{
	char count[24];
	char *argv[] = { (char *)b->slab_bench, (char *)"access", (char *)"all", count, NULL };

	snprintf(count, sizeof(count), "%zu", min(row->size, b->objects));
	return run(b, kind, argv);
}

int misses_run(struct bench *b, enum kind kind, const struct row *row)
{
	char count[24];
	char *argv[] = { (char *)b->misses, (char *)b->slab_bench, count, NULL };

	snprintf(count, sizeof(count), "%zu", min(row->size, b->objects));
	return run(b, kind, argv);
}
