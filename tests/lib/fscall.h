/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the two files of the program fscall share: words, state, the table of calls.
 */
#ifndef TESTS_FSCALL_H
#define TESTS_FSCALL_H

#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

#define FSCALL_WORDS 8
#define FSCALL_ANSWER 65536

/* Descriptors have names of one letter; -1: closed. */
extern int fscall_fds[26];

/* What a call that says more than a number has to say; "" if it does not. */
extern char fscall_answer[FSCALL_ANSWER];

struct fscall {
	const char *name;
	int args_min, args_max;
	/* 0 or more, or -1 with errno. @a: the words behind the name, NULL at the end. */
	long (*run)(char **a);
};

/* The call of that name, or NULL. */
const struct fscall *fscall_find(const char *name);

/* A word that means nothing: the script is wrong, the program ends with 2. */
void fscall_bad(const char *what, const char *word) __attribute__((noreturn));

/* A number in C's ways, octal with a leading 0. */
long fscall_number(const char *word);
/* The descriptor of a letter, or a number as it is. */
int fscall_fd(const char *word);
/* NAME|NAME|... of O_, RENAME_ and the like, or a number. */
int fscall_flags(const char *word);
/* now, omit, or SECONDS.NANOSECONDS. */
struct timespec fscall_time(const char *word);

/* Append to fscall_answer. */
void fscall_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif /* TESTS_FSCALL_H */
