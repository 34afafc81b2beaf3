/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers for things: a directory of chunks of slots.
 *
 * Words and invariants: the directory's places 0..nr_chunks-1 are each a
 * *chunk* (slots != NULL, 1..256 of them used) or *vacant* (slots == NULL,
 * linked in t->vacant by `next`). A chunk with a free slot is in the doubly
 * linked list t->room. In a chunk the slots from `fresh` on have never been
 * written since it was allocated; below it a slot is used (ptr != NULL) or
 * free (ptr == NULL, linked from `free` by `next`).
 *
 * The chunks are objects of a slab cache of their own, shared by all tables:
 * so their memory goes back to the system as the slabs' does.
 */
#include "config.h"

#include "mm/idtable.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "mm/slab.h"

#define CHUNK_SHIFT 8
#define DIR_MIN 16u

struct idtable_slot {
	void *ptr;	     /* NULL: free */
	uint32_t generation; /* of the entry */
	uint32_t next;	     /* free: the next free slot of the chunk, or IDTABLE_NONE */
};

struct idtable_chunk {
	struct idtable_slot *slots; /* NULL: vacant */
	uint32_t next, prev;	    /* t->room, or t->vacant (next only) */
	uint32_t free;		    /* first free slot below fresh, or IDTABLE_NONE */
	uint16_t fresh;		    /* slots that were ever used */
	uint16_t used;		    /* slots in use */
};

BUILD_BUG_ON(sizeof(struct idtable_slot) != 16);
BUILD_BUG_ON(1u << CHUNK_SHIFT != IDTABLE_CHUNK);

static struct kmem_cache *chunk_cachep;
static unsigned int nr_tables; /* that hold a reference to it */

int idtable_init(struct idtable *t, uint32_t max)
{
	if (max > IDTABLE_MAX)
		return -EINVAL;
	if (nr_tables == 0) {
		chunk_cachep = kmem_cache_create("idtable_chunk",
						 IDTABLE_CHUNK * sizeof(struct idtable_slot), 0,
						 SLAB_HWCACHE_ALIGN, NULL);
		if (chunk_cachep == NULL)
			return -errno;
	}
	nr_tables++;
	*t = (struct idtable){
		.room = IDTABLE_NONE,
		.vacant = IDTABLE_NONE,
		.max = max != 0 ? max : IDTABLE_MAX,
	};
	return 0;
}

void idtable_fini(struct idtable *t)
{
	for (uint32_t i = 0; i < t->nr_chunks; i++)
		if (t->dir[i].slots != NULL)
			kmem_cache_free(chunk_cachep, t->dir[i].slots);
	free(t->dir);
	*t = (struct idtable){ .room = IDTABLE_NONE, .vacant = IDTABLE_NONE };
	if (--nr_tables == 0) {
		kmem_cache_destroy(chunk_cachep);
		chunk_cachep = NULL;
	}
}

static void room_add(struct idtable *t, uint32_t n)
{
	struct idtable_chunk *chunk = &t->dir[n];

	chunk->prev = IDTABLE_NONE;
	chunk->next = t->room;
	if (t->room != IDTABLE_NONE)
		t->dir[t->room].prev = n;
	t->room = n;
}

static void room_del(struct idtable *t, uint32_t n)
{
	const struct idtable_chunk *chunk = &t->dir[n];

	if (chunk->prev != IDTABLE_NONE)
		t->dir[chunk->prev].next = chunk->next;
	else
		t->room = chunk->next;
	if (chunk->next != IDTABLE_NONE)
		t->dir[chunk->next].prev = chunk->prev;
}

static int dir_grow(struct idtable *t)
{
	/* IDTABLE_MAX entries need 2^22 places, so the doubling cannot overflow */
	uint32_t size = t->dir_size != 0 ? 2 * t->dir_size : DIR_MIN;
	struct idtable_chunk *dir;

	if (should_failslab())
		return -ENOMEM;
	dir = realloc(t->dir, size * sizeof(*dir));
	if (dir == NULL)
		return -ENOMEM;
	t->dir = dir;
	t->dir_size = size;
	return 0;
}

/* A new chunk at the first vacant place, in t->room. */
static int chunk_add(struct idtable *t)
{
	struct idtable_slot *slots;
	uint32_t n = t->vacant;
	int err;

	if (n == IDTABLE_NONE && t->nr_chunks == t->dir_size) {
		err = dir_grow(t);
		if (err)
			return err;
	}
	slots = kmem_cache_alloc(chunk_cachep);
	if (slots == NULL)
		return -ENOMEM;
	if (n != IDTABLE_NONE)
		t->vacant = t->dir[n].next;
	else
		n = t->nr_chunks++;
	t->dir[n] = (struct idtable_chunk){ .slots = slots, .free = IDTABLE_NONE };
	room_add(t, n);
	return 0;
}

static void chunk_del(struct idtable *t, uint32_t n)
{
	struct idtable_chunk *chunk = &t->dir[n];

	room_del(t, n);
	kmem_cache_free(chunk_cachep, chunk->slots);
	chunk->slots = NULL;
	chunk->next = t->vacant;
	t->vacant = n;
}

int idtable_alloc(struct idtable *t, void *ptr, uint64_t *ret_id)
{
	struct idtable_chunk *chunk;
	struct idtable_slot *slot;
	uint32_t i;
	int err;

	if (ptr == NULL)
		return -EINVAL;
	if (t->count == t->max)
		return -ENOSPC;
	if (t->room == IDTABLE_NONE) {
		err = chunk_add(t);
		if (err)
			return err;
	}

	chunk = &t->dir[t->room];
	i = chunk->free;
	if (i != IDTABLE_NONE)
		chunk->free = chunk->slots[i].next;
	else
		i = chunk->fresh++;
	slot = &chunk->slots[i];

	if (++t->generation == 0)
		t->generation = 1;
	slot->ptr = ptr;
	slot->generation = t->generation;
	t->count++;
	*ret_id = (uint64_t)t->generation << 32 | t->room << CHUNK_SHIFT | i;

	if (++chunk->used == IDTABLE_CHUNK)
		room_del(t, t->room);
	return 0;
}

static struct idtable_slot *find_slot(const struct idtable *t, uint64_t id)
{
	/* An index with tag bits is at least 2^30, and no directory is that long. */
	uint32_t index = (uint32_t)id, n = index >> CHUNK_SHIFT, i = index & (IDTABLE_CHUNK - 1);
	const struct idtable_chunk *chunk;
	struct idtable_slot *slot;

	if (n >= t->nr_chunks)
		return NULL;
	chunk = &t->dir[n];
	if (chunk->slots == NULL || i >= chunk->fresh)
		return NULL;
	slot = &chunk->slots[i];
	if (slot->ptr == NULL || slot->generation != id >> 32)
		return NULL;
	return slot;
}

void *idtable_find(const struct idtable *t, uint64_t id)
{
	const struct idtable_slot *slot = find_slot(t, id);

	return slot != NULL ? slot->ptr : NULL;
}

int idtable_remove(struct idtable *t, uint64_t id)
{
	struct idtable_slot *slot = find_slot(t, id);
	uint32_t n = (uint32_t)id >> CHUNK_SHIFT;
	struct idtable_chunk *chunk;

	if (slot == NULL)
		return -ENOENT;
	chunk = &t->dir[n];
	slot->ptr = NULL;
	slot->next = chunk->free;
	chunk->free = (uint32_t)id & (IDTABLE_CHUNK - 1);
	if (chunk->used-- == IDTABLE_CHUNK)
		room_add(t, n);
	if (chunk->used == 0)
		chunk_del(t, n);
	t->count--;
	return 0;
}

void *idtable_next(const struct idtable *t, uint64_t *pos)
{
	for (uint64_t n = *pos >> CHUNK_SHIFT; n < t->nr_chunks; n++) {
		const struct idtable_chunk *chunk = &t->dir[n];
		uint64_t first = n << CHUNK_SHIFT;

		if (chunk->slots == NULL)
			continue;
		for (uint64_t i = *pos > first ? *pos - first : 0; i < chunk->fresh; i++) {
			if (chunk->slots[i].ptr != NULL) {
				*pos = first + i + 1;
				return chunk->slots[i].ptr;
			}
		}
	}
	return NULL;
}
