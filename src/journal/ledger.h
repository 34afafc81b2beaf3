/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ledger: what outlives the process that serves a mount.
 *
 * It is to the objects of fs/ and net/ what a disk is to the inodes in memory: one record
 * for each inode, open file and parked request that the kernel has been told of, and
 * nothing else. Who serves next reads it and makes the objects anew. The descriptors
 * need no record but their numbers: they are open in another process (super/supervisor.h).
 *
 * It lies in one shared range of memory (memfd_create(2)), sparse, in tables of records
 * of one size. There are no pointers in it, only numbers of records and of descriptors,
 * so that another process, at another address, or another version of the program, can
 * read it. A record changes by a transaction of journal.h and by nothing else, but for
 * the words that are said to change by themselves.
 *
 *   | head: counters, message in work, transfers, redo log, answers | table | table | ...
 *
 * Numbers: an inode's record is that of its nodeid's index (mm/idtable.h) and one more,
 * the root's is 0. A file's is its handle's index. Cells and slots have their own; 0 is none.
 */
#ifndef JOURNAL_LEDGER_H
#define JOURNAL_LEDGER_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "lib/util.h"

#define LEDGER_MAGIC UINT64_C(0x7265676465686b73)
#define LEDGER_VERSION 3u /* of everything in this file; another one is not read */

#define LEDGER_NAME 44		  /* bytes of a name that lies in its inode's record */
#define LEDGER_CELL 120		  /* bytes of text in a cell */
#define LEDGER_INIT 256		  /* bytes of the kernel's INIT */
#define LEDGER_MESSAGE 192	  /* bytes of a parked request that lie in its slot */
#define LEDGER_REDO (1u << 20)	  /* bytes of one transaction */
#define LEDGER_ANSWERS (1u << 20) /* bytes of its answers */

enum ledger_kind {
	LEDGER_SOCKET = 1,
	LEDGER_DIR,
	LEDGER_LINK,
	LEDGER_FACE,   /* made by each process itself, and found by its name: .ctl, .proc/x, tcp */
	LEDGER_DIALLED, /* below tcp: nothing but what a lookup of its name makes; uid: whose */
	LEDGER_MIRROR, /* below .ctl: `number' is the nodeid of the real one */
};

/* An inode, with its first name if that is short. */
struct ledger_inode {
	uint32_t generation; /* of its nodeid; 0: there is none. The root's is 1 */
	uint8_t kind;
	uint8_t name_len; /* 0: it has no name, or all of them lie in the text */
	uint16_t state;	  /* I_ bits */
	uint64_t ino, nlookup;
	uint32_t mode, uid, gid;
	uint32_t text; /* its first cell */
	int64_t atime, mtime, ctime; /* ns since the epoch */
	uint64_t off;	 /* of the name, in the directory `parent' */
	uint64_t number; /* a directory's last offset; a mirror's real nodeid */
	uint32_t parent;
	char name[LEDGER_NAME];
};

BUILD_BUG_ON(sizeof(struct ledger_inode) != 128);

/* Bits of a socket's record. */
#define LEDGER_HAS_SK 1u
#define LEDGER_BOUND 2u
#define LEDGER_LOOKUP_FAILED 4u
#define LEDGER_CALLED 8u /* it was accepted, not dialled */
#define LEDGER_UPON 16u	 /* it does not dial, but shakes hands on a connection that is there */

/* What is behind a socket's inode; in the record of the same number. */
struct ledger_sock {
	uint32_t generation; /* its inode's; 0: nothing is known but what a new one has */
	int32_t fd;	     /* of the network; -1: none */
	uint64_t fd_ino;     /* its st_ino, lest another is taken for it */
	char proto[8];	     /* the row's word */
	uint64_t rx_bytes, tx_bytes; /* change by themselves */
	uint64_t said;		     /* ... and so does what its helper has said of it */
	uint64_t accepted;
	uint32_t nr_accepted;
	uint16_t err, err_last;
	int32_t connect_timeout, rcvtimeo, sndtimeo, reap;
	uint32_t drops;
	uint8_t discard, state, shutdown, flags;
	uint32_t text;
	uint32_t held; /* an errno that the kernel has told before what has arrived */
	int32_t end_fd; /* of a stream that leads to its helper; -1: it has none */
	uint64_t end_ino;
};

BUILD_BUG_ON(sizeof(struct ledger_sock) != 112);

/* An open file. */
struct ledger_file {
	uint32_t generation; /* of its handle; 0: there is none */
	uint32_t flags, mode;
	uint32_t inode;	 /* record of what it reads and writes */
	uint64_t nodeid; /* of what it was opened by */
	uint64_t dir_end;
	uint64_t poll; /* the kernel's number of who polls it, 0: nobody. Changes by itself */
	uint32_t text; /* lines that have been read in part */
	uint32_t pad[5];
};

BUILD_BUG_ON(sizeof(struct ledger_file) != 64);

/* A piece of text of any length: a chain of cells. */
struct ledger_cell {
	uint32_t next;
	uint32_t len;
	char bytes[LEDGER_CELL];
};

/* A request that waits. */
struct ledger_slot {
	uint64_t unique; /* the kernel's number of it, 0: free */
	uint64_t seq;	 /* the oldest has the smallest */
	uint64_t done;	 /* bytes of a write that are done. Changes by itself, for a stream */
	uint32_t len;	 /* of its message */
	uint32_t buf;	 /* that lies in this buffer, and one more; 0: in `message' or the text */
	uint32_t text;
	uint32_t tries; /* processes that died of it. Changes by itself */
	char message[LEDGER_MESSAGE];
};

/* The table of buffers is the caller's to lay out: all that is here is where it begins. */
enum ledger_table {
	LEDGER_INODES,
	LEDGER_SOCKS,
	LEDGER_FILES,
	LEDGER_CELLS,
	LEDGER_SLOTS,
	LEDGER_BUFS,
	NR_LEDGER_TABLES
};

/* A helper process (net/tls), which lives on when the process that serves dies. */
struct ledger_helper {
	int32_t fd;	  /* of the channel to it; 0: there is none */
	uint32_t version; /* of what is said there */
	uint64_t fd_ino;
	int32_t pid;
	uint32_t life;	  /* helpers are counted */
	uint32_t program; /* by which of the programs it was started */
	uint32_t pad;
};

/* The present one, and those of earlier programs with what they have still. */
#define LEDGER_HELPERS 8

/* As struct mmsghdr, whose length the kernel writes within the system call. */
struct ledger_transfer {
	uint64_t unique; /* of the request, 0: none is in work */
	uint64_t base;	 /* bytes of it that were done before */
	uint32_t piped;	 /* a read whose bytes lie in the pipe */
	uint32_t pad;
	struct iovec iov;
	struct mmsghdr msg;
};

struct ledger {
	uint64_t magic;
	uint32_t version;
	uint32_t shift; /* each table has its size divided by 2^shift */
	uint64_t bytes;

	/* What a successor has to know of the session. Stored before the first request is served. */
	int32_t dev_fd, pipe_from, pipe_to;
	uint32_t init_len;
	char init[LEDGER_INIT];

	/* Changed by transactions. */
	uint64_t next_ino;
	uint32_t inode_generation, file_generation;
	uint32_t buf; /* the message in work lies there, and is dealt with when its length is 0 */

	/* Records from these on were never used: grow by themselves. */
	uint32_t nr[NR_LEDGER_TABLES];

	/* The rules in force (policy/keep.h). Both change by themselves. */
	uint32_t policy;       /* their text, 0: none is written down */
	uint32_t policy_asked; /* somebody wants the file read again, and it was not yet */

	/* These change by themselves. */
	struct ledger_helper helpers[LEDGER_HELPERS];
	uint32_t helper_life;	    /* of the last one */
	uint32_t helper_generation; /* of the last number that something there was given */
	uint32_t programs;	    /* how many programs have taken over from another one */
	uint32_t pad2;

	uint64_t next_seq;
	uint64_t served;	 /* messages that were read and dealt with by one process */
	uint64_t worked;	 /* messages that were dealt with, again or for the first time */
	uint64_t message_done;	 /* as a slot's `done', of the message in work */
	uint64_t message_unique; /* which one died of last */
	uint32_t message_tries;
	uint32_t slot_in_work; /* being worked on, and one more; 0: none */
	uint32_t died_of;      /* the signal that has ended the last process, 0: nobody knows */
	uint32_t ending;       /* the mount is being taken down: nobody is to go on */
	uint32_t restoring;    /* a record that is being made an object again, and one more; 0: none */
	uint32_t restoring_of; /* ... of this table */

	struct ledger_transfer in, out;

	/* The transaction. */
	uint32_t sealed; /* it holds: what is not in its place yet goes there */
	uint32_t redo_len;
	uint32_t answers_len;
	uint32_t pad;
	_Alignas(16) char redo[LEDGER_REDO];
	_Alignas(16) char answers[LEDGER_ANSWERS];
};

extern struct ledger *ledger; /* NULL: nothing is written down */

/* An errno value that has been written down. With another one the kernel lets its caller wait on. */
static inline int ledger_errno(uint64_t err)
{
	return err < 512 ? (int)err : ECONNRESET;
}

/*
 * Make the range. 0, or -errno and there is none: no memfd, or limits (ulimit -v, -f) that
 * leave no room. @buf_size: bytes of a buffer. Called before the second process is made.
 */
int ledger_make(size_t buf_size) __must_check;
/* Map the range behind @fd, which another program has made; counts it. 0, or -EPROTO: another form. */
int ledger_attach(int fd, size_t buf_size) __must_check;
/* Could it? In a process that has no ledger. */
bool ledger_fits(int fd, size_t buf_size);
/* The descriptor of the range, which stays open for ledger_attach(); -1: there is none. */
int ledger_fd(void);
/* Bytes of the range, as it was mapped: what the range itself says may be broken. */
size_t ledger_size(void);
/* For tests, and where nothing is to survive. */
void ledger_drop(void);
/* A new process has it: its head is made to be there. */
void ledger_begin(void);
/*
 * Have the @bytes at @at in this process's memory, to stay. The kernel copies requests and
 * answers; where a page is not there, a process that is being killed cannot fetch it, and
 * the caller of that request gets EIO.
 */
void ledger_populate(void *at, size_t bytes);

/*
 * In a successor, before it reads a record: those behind the last that has memory were never
 * written, whatever the counters say.
 */
void ledger_trim(void);
/*
 * ... and of those before, the first from @nr on that has memory; UINT32_MAX: there is none. To
 * read the others would give memory to them.
 */
uint32_t ledger_next(enum ledger_table table, uint32_t nr);

/* Records of @table. */
uint32_t ledger_max(enum ledger_table table);
void *ledger_at(enum ledger_table table, uint32_t nr);
uint32_t ledger_number(enum ledger_table table, const void *record);

/*
 * Record @nr is about to be used, or is used no more. 0, or -ENOSPC, -ENOMEM: the system has
 * no memory for it (which otherwise would be a SIGBUS at the first touch). What is not used
 * any more goes back to the system in pieces of 64 KiB.
 */
int ledger_use(enum ledger_table table, uint32_t nr) __must_check;
void ledger_unuse(enum ledger_table table, uint32_t nr);

/* ------------------------------------------------------------------------- text */

/*
 * Write @len bytes into new cells: the first of them, 0: no memory (or @len is 0). They are
 * nobody's until a record with their number is in a transaction; text_free() what has none.
 */
uint32_t text_write(const void *bytes, size_t len);
/* After the transaction that let go of them. */
void text_free(uint32_t cell);
size_t text_len(uint32_t cell);
/* Copy @size bytes at most to @buf; the length copied. A broken chain ends early. */
size_t text_read(uint32_t cell, void *buf, size_t size);
/* In a successor: these cells are somebody's. False: one of them is another's too. */
bool text_claim(uint32_t cell);
/* ... and the others are free. */
void text_claimed(void);

#endif /* JOURNAL_LEDGER_H */
