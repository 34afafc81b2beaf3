/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers for things: a directory of chunks of slots.
 *
 * Words and invariants: the directory's places 0..nr_chunks-1 are each a
 * *chunk* (slots != NULL, 1..256 of them used) or *vacant* (slots == NULL).
 * The vacant places are the doubly linked list t->vacant, the chunks with a
 * free slot the list t->room. In a chunk the slots from `fresh` on have never been
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
	uint32_t next, prev;	    /* t->room, or t->vacant */
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

/* Put place @n at the front of the list that begins at *@head: t->room or t->vacant. */
static void list_add(struct idtable *t, uint32_t *head, uint32_t n)
{
	struct idtable_chunk *chunk = &t->dir[n];

	chunk->prev = IDTABLE_NONE;
	chunk->next = *head;
	if (*head != IDTABLE_NONE)
		t->dir[*head].prev = n;
	*head = n;
}

static void list_del(struct idtable *t, uint32_t *head, uint32_t n)
{
	const struct idtable_chunk *chunk = &t->dir[n];

	if (chunk->prev != IDTABLE_NONE)
		t->dir[chunk->prev].next = chunk->next;
	else
		*head = chunk->next;
	if (chunk->next != IDTABLE_NONE)
		t->dir[chunk->next].prev = chunk->prev;
}

/* Make room for place @n in the directory. */
static int dir_grow(struct idtable *t, uint32_t n)
{
	uint32_t size = t->dir_size != 0 ? t->dir_size : DIR_MIN;
	struct idtable_chunk *dir;

	if (n < t->dir_size)
		return 0;
	/* IDTABLE_MAX entries need 2^22 places, so the doubling cannot overflow */
	while (size <= n)
		size *= 2;
	if (should_failslab())
		return -ENOMEM;
	dir = realloc(t->dir, size * sizeof(*dir));
	if (dir == NULL)
		return -ENOMEM;
	t->dir = dir;
	t->dir_size = size;
	return 0;
}

/* A new chunk at place @n, which is vacant or behind the last, in t->room. */
static int chunk_add(struct idtable *t, uint32_t n)
{
	struct idtable_slot *slots;
	int err = dir_grow(t, n);

	if (err)
		return err;
	slots = kmem_cache_alloc(chunk_cachep);
	if (slots == NULL)
		return -ENOMEM;
	if (n < t->nr_chunks)
		list_del(t, &t->vacant, n);
	for (; t->nr_chunks < n; t->nr_chunks++) {
		t->dir[t->nr_chunks].slots = NULL;
		list_add(t, &t->vacant, t->nr_chunks);
	}
	if (n == t->nr_chunks)
		t->nr_chunks++;
	t->dir[n] = (struct idtable_chunk){ .slots = slots, .free = IDTABLE_NONE };
	list_add(t, &t->room, n);
	return 0;
}

static void chunk_del(struct idtable *t, uint32_t n)
{
	struct idtable_chunk *chunk = &t->dir[n];

	list_del(t, &t->room, n);
	kmem_cache_free(chunk_cachep, chunk->slots);
	chunk->slots = NULL;
	list_add(t, &t->vacant, n);
}

/* Slot @i of chunk @n, which is on no list of free ones any more, becomes the entry. */
static void fill_slot(struct idtable *t, uint32_t n, uint32_t i, uint32_t generation, void *ptr)
{
	struct idtable_chunk *chunk = &t->dir[n];

	chunk->slots[i].ptr = ptr;
	chunk->slots[i].generation = generation;
	t->count++;
	if (++chunk->used == IDTABLE_CHUNK)
		list_del(t, &t->room, n);
}

int idtable_alloc(struct idtable *t, void *ptr, uint64_t *ret_id)
{
	struct idtable_chunk *chunk;
	uint32_t n, i;
	int err;

	if (ptr == NULL)
		return -EINVAL;
	if (t->count == t->max)
		return -ENOSPC;
	if (t->room == IDTABLE_NONE) {
		err = chunk_add(t, t->vacant != IDTABLE_NONE ? t->vacant : t->nr_chunks);
		if (err)
			return err;
	}

	n = t->room;
	chunk = &t->dir[n];
	i = chunk->free;
	if (i != IDTABLE_NONE)
		chunk->free = chunk->slots[i].next;
	else
		i = chunk->fresh++;

	if (++t->generation == 0)
		t->generation = 1;
	fill_slot(t, n, i, t->generation, ptr);
	*ret_id = (uint64_t)t->generation << 32 | n << CHUNK_SHIFT | i;
	return 0;
}

/* Take slot @i of @chunk, which is unused, out of the free ones; the fresh ones before it join them. */
static void take_slot(struct idtable_chunk *chunk, uint32_t i)
{
	uint32_t *link = &chunk->free;

	for (; chunk->fresh <= i; chunk->fresh++) {
		chunk->slots[chunk->fresh].ptr = NULL;
		chunk->slots[chunk->fresh].next = chunk->free;
		chunk->free = chunk->fresh;
	}
	while (*link != i)
		link = &chunk->slots[*link].next;
	*link = chunk->slots[i].next;
}

int idtable_insert_at(struct idtable *t, uint64_t id, void *ptr)
{
	uint32_t index = (uint32_t)id, n = index >> CHUNK_SHIFT, i = index & (IDTABLE_CHUNK - 1);
	uint32_t generation = (uint32_t)(id >> 32);
	const struct idtable_chunk *chunk = n < t->nr_chunks ? &t->dir[n] : NULL;
	int err;

	if (ptr == NULL || generation == 0 || index >= IDTABLE_MAX)
		return -EINVAL;
	if (chunk != NULL && chunk->slots != NULL && i < chunk->fresh && chunk->slots[i].ptr != NULL)
		return -EEXIST;
	if (t->count == t->max)
		return -ENOSPC;
	if (chunk == NULL || chunk->slots == NULL) {
		err = chunk_add(t, n);
		if (err)
			return err;
	}
	take_slot(&t->dir[n], i);
	fill_slot(t, n, i, generation, ptr);
	/* Ahead of the counter, which may have wrapped: idtable_alloc goes on behind it. */
	if (t->generation == 0 || (int32_t)(generation - t->generation) > 0)
		t->generation = generation;
	return 0;
}

void idtable_resume(struct idtable *t, uint32_t generation)
{
	if (t->generation == 0 || (int32_t)(generation - t->generation) > 0)
		t->generation = generation;
}

void idtable_limit(struct idtable *t, uint32_t max)
{
	t->max = max < t->max ? max : t->max;
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
		list_add(t, &t->room, n);
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
