/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Transactions of the ledger. Twin, in small, of fs/jbd2.
 *
 * What a request has changed, and what it answers, holds whole or not at all:
 *
 *   1. journal_write(), journal_answer(): noted in the redo log, nothing has changed;
 *   2. journal_seal(): one store, and it holds; then everything goes to its place;
 *   3. the answers are written to the device;
 *   4. journal_end(): the log is empty.
 *
 * A process that is killed before 2 has done nothing: the request is still there and is
 * done again. Killed after it, its successor does 2 and 3 once more, which changes nothing
 * that has changed already: the kernel takes one answer for a request and refuses the
 * second (ENOENT).
 *
 * Bytes that move between a socket and a request cannot be taken back, so the kernel is made
 * to write down how many they were, within the system call that moves them
 * (journal_recv(), journal_send(), and the pipe of fuse/reply_pipe.h by itself).
 *
 * Without a ledger nothing is noted, and the bytes move by the plain calls.
 */
#ifndef JOURNAL_JOURNAL_H
#define JOURNAL_JOURNAL_H

#include <sys/types.h>

#include "journal/ledger.h"

static inline bool journal_is_on(void)
{
	return ledger != NULL && !ledger->ending;
}

/* Have the @len bytes at @at, in the ledger, become those at @bytes. */
void journal_write(void *at, const void *bytes, size_t len);
/* Is anything noted? */
bool journal_has_begun(void);
/* Is there so little room left that it is better ended now? */
bool journal_is_full(void);

/* What the kernel has been given with an answer; taken back when it refuses that. */
enum journal_gift {
	GIFT_NONE,
	GIFT_LOOKUP, /* one of the inode of that nodeid */
	GIFT_FILE,   /* an open file: its handle */
	GIFT_BOTH,   /* a file, and a lookup of what it was opened by */
	GIFT_LIST,   /* those of READDIRPLUS, in the answer */
};

struct journal_answer {
	uint32_t len; /* of `bytes', which are the whole message */
	uint32_t gift;
	uint64_t given;
	uint32_t tried; /* it may have been written. Changes by itself */
	uint32_t pad;
	_Alignas(8) char bytes[];
};

/* An answer with room for @len bytes; NULL: the transaction has no room for so many. */
struct journal_answer *journal_answer(size_t len);
/* The first, or the one behind @answer; NULL: there are no more. */
struct journal_answer *journal_next_answer(const struct journal_answer *answer);

void journal_seal(void);
void journal_end(void);

/* In a successor: is there one that holds? Then it is in its place now. */
bool journal_replay(void);

/*
 * recv(2) for the read request @unique, into memory of the ledger, and send(2) for the write
 * request @unique, of which @base bytes are done; both MSG_DONTWAIT. journal_received():
 * the answer has been written, or there was nothing. @unique 0: the plain call.
 */
ssize_t journal_recv(int fd, void *buf, size_t len, uint64_t unique);
ssize_t journal_send(int fd, const void *buf, size_t len, uint64_t unique, uint64_t base);
/* The bytes of @unique go into the pipe. */
void journal_pipe(uint64_t unique);
/* Is there a read of @unique whose bytes are nobody's yet? */
bool journal_has_received(uint64_t unique);
void journal_received(void);
/* The bytes of the last journal_send() have been counted. */
void journal_sent(void);

/*
 * The parked request at @slot is worked on, 0: none is; returns which was before. Should the
 * process die meanwhile, that may be what it died of.
 */
uint32_t journal_work_on(uint32_t slot);

#endif /* JOURNAL_JOURNAL_H */
