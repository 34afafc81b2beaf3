/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two connections that get the same treatment: one end is a plain socket, the
 * other a file of the mount. Whatever differs ends the program.
 */
#ifndef TESTS_STREAM_SIDE_H
#define TESTS_STREAM_SIDE_H

#include "tests/stream/ends.h"

#define PLAIN 0
#define FILE_ 1

/* What is known of one of the two. */
struct side {
	struct end end;
	uint64_t tx, peer_rx; /* bytes of the end's stream written, and read by the peer */
	uint64_t rx, peer_tx;
};

/* How an epoll instance watches the end. */
enum watch { WATCH_LEVEL, WATCH_EDGE, WATCH_ONESHOT, NR_WATCHES };

struct pair {
	struct side side[2];
	bool nonblock;
	bool full;	  /* the end's send queue is */
	bool shut_rd;	  /* by the end */
	bool shut_wr;
	bool fin;	  /* sent by the peer */
	bool reset;	  /* nothing comes or goes any more */
	unsigned int want; /* events that the epoll instances ask for */
	int epoll[2][NR_WATCHES];
};

/* side_ops.c: each does one thing to both and compares what it gave. */
struct op {
	const char *name;
	unsigned int weight;
	void (*run)(struct pair *p);
};
extern const struct op side_ops[];
extern const size_t nr_side_ops;
/* Write to both until neither takes more. */
void side_refill(struct pair *p);

/* side.c: both have seen all that is under way. */
void pair_settle(struct pair *p);
/* Notes what is being done, for the message; then what both gave, which must be the same. */
__attribute__((format(printf, 1, 2))) void note(const char *fmt, ...);
void same(const char *what, long plain, long file);
/* A number below @n. */
uint32_t dice(uint32_t n);

/* Edges and events that only the file's poller got: allowed, but counted. */
extern unsigned long spurious_edges;

#endif
