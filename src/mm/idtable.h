/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers for things: a 64-bit id stands for a pointer, and no number that
 * comes from outside ever becomes a pointer that was not put in.
 *
 *     63            32 31 30 29             0
 *     +---------------+-----+---------------+
 *     |  generation   | 0 0 |     index     |
 *     +---------------+-----+---------------+
 *
 * The index names a slot of the table and is used again; the generation is
 * drawn from one counter of the table at each idtable_alloc, and is never 0.
 * So an old id of a used-again slot is recognised as stale. (The counter wraps
 * after 2^32 - 1 allocations; only an id kept that long, for the very same
 * slot and the very same count, could be mistaken.) Bits 30 and 31 are 0 in
 * each id: callers may use them as tags, and strip them before they ask here.
 *
 * The table has two levels: a directory of chunks, and chunks of
 * IDTABLE_CHUNK slots (16 bytes each, 4 KiB together) that exist only while
 * one of their slots is in use. All is O(1), except that the directory is
 * doubled by realloc(3) now and then. An empty chunk can be freed because the
 * past is in the counter and not in the slots.
 *
 * Relatives in the kernel: idr (lib/idr.c) and the inode's i_generation that
 * NFS file handles carry. One thread; no locks.
 */
#ifndef MM_IDTABLE_H
#define MM_IDTABLE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/util.h"

#define IDTABLE_CHUNK 256u
#define IDTABLE_INDEX_BITS 30
#define IDTABLE_MAX (1u << IDTABLE_INDEX_BITS)

#define IDTABLE_NONE UINT32_MAX

struct idtable_chunk;

/* The caller provides the memory and looks at nothing but `count`. */
struct idtable {
	struct idtable_chunk *dir; /* dir_size entries */
	uint32_t dir_size;	   /* entries allocated */
	uint32_t nr_chunks;	   /* entries used so far: chunks and vacant places */
	uint32_t room;		   /* first of the chunks with a free slot, or IDTABLE_NONE */
	uint32_t vacant;	   /* first of the directory's vacant places, or IDTABLE_NONE */
	uint32_t generation;	   /* the last one given out; may be looked at */
	uint32_t max;		   /* entries at most */
	uint32_t count;		   /* entries now */
};

/*
 * Make @t an empty table for at most @max entries, 0: IDTABLE_MAX. 0, -EINVAL
 * (@max above IDTABLE_MAX) or -ENOMEM. Give it back with idtable_fini.
 */
int idtable_init(struct idtable *t, uint32_t max) __must_check;

/* Free the table, full or empty; the things that its entries point to are the caller's. */
void idtable_fini(struct idtable *t);

/*
 * Put @ptr (not NULL; only remembered, never followed) into the table.
 * 0 and the new id in *@ret_id (never 0), or -ENOMEM, -ENOSPC (full), -EINVAL
 * (@ptr is NULL) with *@ret_id and the table untouched.
 */
int idtable_alloc(struct idtable *t, void *ptr, uint64_t *ret_id) __must_check;

/*
 * Put @ptr into the table under a number that another table has given: a successor's
 * table is filled so, in any order, and then goes on as that one would have, with
 * generations behind those of all numbers here. O(1), but for the directory, which
 * gets a place for each chunk up to the number's. 0, or with the table untouched
 * -EEXIST (an entry is in this slot, of whatever generation), -EINVAL (@ptr is NULL,
 * or no table gives such a number), -ENOMEM, -ENOSPC (full).
 */
int idtable_insert_at(struct idtable *t, uint64_t id, void *ptr) __must_check;

/*
 * For a table that goes on as another process's: as if the last id given had @generation,
 * unless that is behind. And for at most @max entries from now on, those that are there too.
 */
void idtable_resume(struct idtable *t, uint32_t generation);
void idtable_limit(struct idtable *t, uint32_t max);

/* The pointer that @id stands for; NULL for any number that is not the id of a present entry. */
void *idtable_find(const struct idtable *t, uint64_t id);

/* Take the entry out. 0, or -ENOENT for any number that is not the id of a present entry. */
int idtable_remove(struct idtable *t, uint64_t id);

/*
 * Walk in the order of the indexes: start with *@pos = 0, each call gives the
 * next entry's pointer and moves *@pos past it; NULL at the end. Entries may come and go
 * between two calls: what is present all the time is given exactly once, what
 * comes or goes meanwhile once or not at all (a slot that was passed and is
 * used again is not visited twice).
 */
void *idtable_next(const struct idtable *t, uint64_t *pos);

#endif
