/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lines of the table: which sample is divided by which, and what is aimed at. */
#ifndef TESTS_BENCH_TARGETS_H
#define TESTS_BENCH_TARGETS_H

#include "tests/bench/bench.h"

struct target {
	const char *what;
	const char *metric;
	enum kind num;
	const char *den_metric; /* NULL: the same */
	enum kind den;		/* NR_KINDS: the figure itself, undivided */
	enum kind or_den;	/* a second one; NR_KINDS: no */
	bool sum;		/* divide by both together; else by the slower one */
	char op;		/* '>' at least, '<' at most, ' ' only told */
	double value;
	const char *unit; /* of the figures */
};

extern const struct target targets[];
extern const size_t nr_targets;

#endif
