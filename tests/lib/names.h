/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the two files of the program names share.
 *
 * Two sides: the mount, and tmpfs, which is the model. Each step makes the same
 * call on both; whatever a program could see must be the same afterwards.
 */
#ifndef TESTS_NAMES_H
#define TESTS_NAMES_H

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

enum { MOUNT, MODEL, SIDES };

#define NAMES_SLOTS 12
#define NAMES_WATCHED 4
#define NAMES_PATH 64

struct names {
	int root[SIDES];
	int slots[SIDES][NAMES_SLOTS]; /* open files, -1: none */
	bool slot_open[NAMES_SLOTS];
	bool failed; /* the step's call */
	uid_t uid;  /* who makes the calls, 0: root or whoever runs this */

	/* Paths that the step is about: looked at before and after it. */
	char watched[NAMES_WATCHED][NAMES_PATH];
	int nr_watched;
	struct stat before[SIDES][NAMES_WATCHED];
	bool there[SIDES][NAMES_WATCHED];
};

/* Why the last comparison failed. */
extern char names_why[512];

/* Remember a path and its directory for this step. */
void names_watch(struct names *n, const char *path);
/* Look at what is watched, before the call. */
void names_look(struct names *n);
/* Look again: both sides show the same, and have changed in the same ways. */
bool names_compare(struct names *n);
/* The whole trees, and all open files, are the same. */
bool names_compare_all(struct names *n);

#endif /* TESTS_NAMES_H */
