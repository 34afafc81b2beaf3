/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What unit tests share: run a suite, catch what is logged, ask how the program runs. */
#ifndef TESTS_UNIT_UNIT_H
#define TESTS_UNIT_UNIT_H

#include <check.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Run @suite, each test in a process of its own unless CK_FORK=no. The value that main returns. */
static inline int unit_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* From capture_begin to capture_end stderr goes into memory. */
struct capture {
	int saved, fd;
	char text[16384]; /* filled in by capture_end, NUL-terminated */
};

static inline void capture_begin(struct capture *c)
{
	c->fd = memfd_create("stderr", MFD_CLOEXEC);
	c->saved = dup(STDERR_FILENO);
	ck_assert_int_ge(c->fd, 0);
	ck_assert_int_ge(c->saved, 0);
	ck_assert_int_eq(dup2(c->fd, STDERR_FILENO), STDERR_FILENO);
}

static inline const char *capture_end(struct capture *c)
{
	ssize_t len;

	ck_assert_int_eq(dup2(c->saved, STDERR_FILENO), STDERR_FILENO);
	len = pread(c->fd, c->text, sizeof(c->text) - 1, 0);
	ck_assert_int_ge(len, 0);
	c->text[len] = '\0';
	close(c->fd);
	close(c->saved);
	return c->text;
}

/* How often @word occurs in @text. */
static inline int count_of(const char *text, const char *word)
{
	int n = 0;

	while ((text = strstr(text, word)) != NULL) {
		text += strlen(word);
		n++;
	}
	return n;
}

/* valgrind is 20 to 50 times slower: long tests take fewer rounds there. */
static inline bool on_valgrind(void)
{
	const char *preload = getenv("LD_PRELOAD");

	return preload != NULL && strstr(preload, "/vgpreload_") != NULL;
}

#endif
