/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Descriptors that a dead process has left behind. The ledger names those that belong to
 * something; of the others (its loop's, resolver's, dials') nobody would ever let go.
 */
#ifndef RESUME_SWEEP_H
#define RESUME_SWEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Close all but 0 to 2, those of the ledger, and @keep[@nr]. Connections that are in no record
 * stay for sweep_adopt(), but for copies of those that are in one. exec(2) closes what stays.
 * A record whose descriptor is another one by now has none from here on, even without memory.
 * 0 or -ENOMEM, and everything stays open.
 */
int sweep(const int *keep, size_t nr);
/* The address that a connection was called by is its listener's ... */
enum sweep_fit {
	SWEEP_OWN_ADDRESS,
	SWEEP_ALL_ADDRESSES, /* ... which is that of all: ask all listeners for the other one before */
};
/*
 * Is @fd the socket with the st_ino @ino that a record tells of? It is the caller's from then
 * on, so it is that once, whatever other records say.
 */
bool sweep_claim(int fd, uint64_t ino);
/* Is there one that somebody may have? */
bool sweep_has_orphans(void);
/*
 * One that was accepted from the listener @listener_fd when its process died, the caller's
 * from then on; -1: there is none.
 */
int sweep_adopt(int listener_fd, enum sweep_fit fit);
/* Close those that nobody has wanted, those of records as well. */
void sweep_end(void);

#endif /* RESUME_SWEEP_H */
