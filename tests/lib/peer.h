/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The TCP peer of the tests: one connection and what it is told to do. */
#ifndef TESTS_LIB_PEER_H
#define TESTS_LIB_PEER_H

#include <stddef.h>
#include <stdint.h>

struct peer {
	int fd;		/* the connection, or -1 once it is closed */
	uint64_t rx;	/* bytes of the pattern checked so far */
	uint64_t tx;	/* bytes of the pattern sent so far */
};

/*
 * Runs the actions in argv, one after the other, and closes the connection
 * with FIN if none of them closed it. Returns 0, or 1 at the first action that
 * did not go as told, after a line about it on stderr.
 */
int peer_run(struct peer *peer, char **argv);

/* Is argv a row of known actions with all their arguments? If not it says so and returns 0. */
int peer_check(char **argv);

/* Writes size bytes of the pattern, from its start, to the descriptor fd. Returns 0 or 1. */
int peer_pattern(int fd, uint64_t size);

/* Waits until a file of that name exists. */
void peer_until(const char *file);

/* Reads a number with an optional k, m or g (powers of 1024). Ends the program if it is none. */
uint64_t peer_size(const char *text);

/* What the process does now, for the message when its time is up. */
extern const char *volatile peer_doing;

#endif
