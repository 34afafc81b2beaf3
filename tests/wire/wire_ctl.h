/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tests of control files share.
 */
#ifndef TESTS_WIRE_CTL_H
#define TESTS_WIRE_CTL_H

#include "wire.h"

/* A socket without an open file, its control file, and a descriptor of that. */
struct ctl_pair {
	struct wire *w;
	uint64_t ino, mirror, fh;
};

/* Make the socket @name in the root; the descriptor is open for both. Fails the test. */
struct ctl_pair make_pair(struct wire *w, uint64_t ctl, const char *name);

/* Write @text: the request's number. */
uint64_t start_write(const struct ctl_pair *p, const char *text);
/* ... and wait for its end: 0 (all of it), or -errno. */
int command(const struct ctl_pair *p, const char *text);

/* Read at @off: the number of bytes, or -errno. */
int read_at(const struct ctl_pair *p, uint64_t off, char *buf, uint32_t size);
/* Does the status have @line, given with the newlines around it? */
bool status_has(const struct ctl_pair *p, const char *line);

#endif /* TESTS_WIRE_CTL_H */
