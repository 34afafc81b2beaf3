/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inputs at random, always the same ones.
 *
 *	fuzz		what is in its folder of the corpus; then inputs 1, 2, 3, ... for
 *			FUZZ_SECONDS (2) or up to FUZZ_LAST
 *	fuzz FILE...	these inputs
 *
 * FUZZ_FIRST is the first one's number. What was running when it died is said.
 */
#include "config.h"

#include "fuzz.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define INPUT_MAX 4096
/* No input takes that long, not under valgrind either. */
#define HANG_SECONDS 60

static char doing[64];

static void on_death(int signum)
{
	(void)!write(STDERR_FILENO, doing, strlen(doing));
	signal(signum, SIG_DFL);
	raise(signum);
}

static long from_env(const char *name, long otherwise)
{
	const char *text = getenv(name);

	return text != NULL ? strtol(text, NULL, 10) : otherwise;
}

/* splitmix64 */
static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

/* Input number @n: some short, some long. */
static size_t make_input(uint64_t n, uint8_t *data)
{
	uint64_t state = mix(n);
	size_t size = mix(state) % INPUT_MAX + 1;

	for (size_t i = 0; i < size; i++)
		data[i] = (uint8_t)mix(state += 0x9e3779b97f4a7c15u);
	return size;
}

static int run_file(const char *name)
{
	static uint8_t data[1 << 20];
	FILE *f = fopen(name, "re");
	size_t size;

	if (f == NULL) {
		perror(name);
		return 1;
	}
	size = fread(data, 1, sizeof(data), f);
	fclose(f);
	snprintf(doing, sizeof(doing), "fuzz: %.40s\n", name);
	return LLVMFuzzerTestOneInput(data, size);
}

/* The inputs that are known to go new ways, of the program @name. Their number, or -1. */
static int run_corpus(const char *name)
{
	const char *srcdir = getenv("srcdir"), *base = strrchr(name, '/');
	char dir[1024], path[1536];
	struct dirent *entry;
	int n = 0;
	DIR *d;

	snprintf(dir, sizeof(dir), "%s/tests/fuzz/corpus/%s", srcdir != NULL ? srcdir : ".",
		 base != NULL ? base + 1 : name);
	d = opendir(dir);
	if (d == NULL)
		return 0;
	while (n >= 0 && (entry = readdir(d)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		alarm(HANG_SECONDS);
		n = run_file(path) == 0 ? n + 1 : -1;
	}
	closedir(d);
	return n;
}

int main(int argc, char **argv)
{
	static uint8_t data[INPUT_MAX];
	const long last = from_env("FUZZ_LAST", 0);
	time_t end;
	long n = from_env("FUZZ_FIRST", 1);
	int replayed;

	signal(SIGABRT, on_death);
	signal(SIGALRM, on_death);
	if (argc > 1) {
		while (*++argv != NULL)
			if (run_file(*argv) != 0)
				return 1;
		return 0;
	}
	replayed = run_corpus(argv[0]);
	if (replayed < 0)
		return 1;
	end = time(NULL) + from_env("FUZZ_SECONDS", 2);
	for (; last != 0 ? n <= last : time(NULL) < end; n++) {
		size_t size = make_input((uint64_t)n, data);

		snprintf(doing, sizeof(doing), "fuzz: input %ld\n", n);
		alarm(HANG_SECONDS);
		LLVMFuzzerTestOneInput(data, size);
	}
	printf("fuzz: %d of the corpus, and up to input %ld\n", replayed, n - 1);
	return 0;
}
