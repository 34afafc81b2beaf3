/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ways out of `sockfs run`. Each is a function that tries one and returns true if it
 * got out, or got hold of something that leads out. The same program outside shows that
 * the tries are good: there many of them succeed.
 */
#ifndef TESTS_RUN_WAYS_H
#define TESTS_RUN_WAYS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* What there is outside to be reached, told by `ways serve`; see ways.c. */
struct outside {
	unsigned int tcp4, tcp6, udp4; /* ports on the loopback; 0: no such family there */
	char stream[96], dgram[96];    /* paths of UNIX sockets */
	char abstract[96];	       /* the name of one, without the NUL */
	int shm_key;
	pid_t server, daemon; /* numbers outside; 0: unknown */
	char mount[96];	      /* another sockfs */
	char net[96];	      /* ours */
};

extern struct outside outside;

struct way {
	const char *name;
	bool (*try)(void);
	bool harms; /* where it succeeds it does harm: not to be tried outside */
};

/* Does what listens at the other end of the descriptor answer? Closes it. */
bool answers(int fd);
/* Does reading @path at all give a byte? */
bool gives(const char *path);
/* Can it be opened so? */
bool opens(const char *path, int flags);

/* ways_net.c, ways_sys.c, ways_file.c: end with a NULL name. */
extern const struct way ways_net[], ways_sys[], ways_file[];

#endif /* TESTS_RUN_WAYS_H */
