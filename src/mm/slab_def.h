/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inside of a kmem_cache, for the files of the slab alone (the kernel's mm/slab.h).
 *
 *   slab_common.c  caches: create, destroy, walk, count; the fault countdown
 *   slab.c         slabs and the ready stack: alloc, free, shrink
 *   slab_debug.c   red zones, poison, who owns a pointer
 *
 * A slab:
 *
 *   | struct slab | freelist[num] | used[num] (debug) | gap | slot 0 | slot 1 | ... | rest |
 *
 * A slot, with red zones (without: red_left is 0, and no bytes need follow the object):
 *
 *   | red_left bytes | object_size bytes | at least 8 bytes, up to the slot's end |
 */
#ifndef MM_SLAB_DEF_H
#define MM_SLAB_DEF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "mm/slab.h"

struct slab {
	LIST_ENTRY(slab) slab_list; /* the cache's partial or empty; a full one is in neither */
	LIST_ENTRY(slab) all_list;
	struct kmem_cache *slab_cache;
	unsigned int nr_free; /* slots, ready ones not counted */
	/*
	 * A stack of the free slots' numbers, nr_free of them. It grows away from
	 * here: a slab is nearly full most of the time, and then all that alloc and free
	 * touch lies in its first cache line.
	 */
	uint16_t freelist[];
};

LIST_HEAD(slab_head, slab);

struct kmem_cache {
	struct array_cache ac; /* first: the inlines of slab.h take a cache for it */
	unsigned int size;     /* of a slot */
	unsigned int num;      /* slots of a slab */
	unsigned int first;    /* from the slab's beginning to object 0 */
	unsigned int red_left;
	unsigned int order;
	unsigned int ready_max;	  /* ac.limit when nothing asks for less */
	uint32_t reciprocal_size; /* 2^32 / size, rounded up */
	slab_flags_t flags;
	size_t slab_bytes; /* 4096 << order; the alignment, too */
	void (*ctor)(void *);
	struct slab_head partial, empty;
	struct slab_head slabs; /* all */
	unsigned long nr_slabs, nr_empty;
	unsigned long nr_inuse; /* slots taken, ready ones too */
	TAILQ_ENTRY(kmem_cache) list;
	char name[]; /* NUL-terminated */
};

BUILD_BUG_ON(offsetof(struct kmem_cache, ac) != 0);

/* ------------------------------------------------------------- ASan by hand */

static inline void slab_asan_poison(const void *p, size_t len)
{
#ifdef SLAB_ASAN
	__asan_poison_memory_region(p, len);
#else
	(void)p;
	(void)len;
#endif
}

static inline void slab_asan_unpoison(const void *p, size_t len)
{
#ifdef SLAB_ASAN
	__asan_unpoison_memory_region(p, len);
#else
	(void)p;
	(void)len;
#endif
}

/* --------------------------------------------------------- pointers, numbers */

static inline struct slab *virt_to_slab(const struct kmem_cache *s, const void *obj)
{
	return (struct slab *)((uintptr_t)obj & ~(uintptr_t)(s->slab_bytes - 1));
}

static inline void *index_to_obj(const struct kmem_cache *s, const struct slab *slab,
				 unsigned int index)
{
	return (char *)slab + s->first + (size_t)index * s->size;
}

/*
 * The number of the slot that holds object @obj, without a division: the rounded-up
 * reciprocal is exact while offset * size < 2^32, and both are below 2^16.
 */
static inline unsigned int obj_to_index(const struct kmem_cache *s, const struct slab *slab,
					const void *obj)
{
	uint32_t offset = (uint32_t)((const char *)obj - (const char *)slab) - s->first;

	return (unsigned int)((uint64_t)offset * s->reciprocal_size >> 32);
}

/* All slots, as they are in an empty slab. */
static inline void slab_asan_poison_slots(const struct kmem_cache *s, const struct slab *slab)
{
	slab_asan_poison((const char *)slab + s->first - s->red_left, (size_t)s->num * s->size);
}

/* Debug caches only: which slots are in use, one byte each. */
static inline uint8_t *slab_used(const struct kmem_cache *s, struct slab *slab)
{
	return (uint8_t *)(slab->freelist + s->num);
}

/* Has each call of this cache to be checked? */
static inline bool kmem_cache_debug(const struct kmem_cache *s)
{
	return (s->flags & SLAB_DEBUG_FLAGS) != 0;
}

/* ---------------------------------------------------------------- slab.c */

/* Set the depth of the ready stack for the cache's present state. */
void cache_set_limit(struct kmem_cache *s);

/* Give the ready objects back to their slabs until @keep are left. */
void cache_flush(struct kmem_cache *s, unsigned int keep);

/* ------------------------------------------------------------- failslab.c */

/* Is a fault countdown running? Then every allocation must come by. */
bool failslab_armed(void);
/* Let it begin at @n, or end (-1); the caches are the caller's business. */
void failslab_arm(long n);

/* ----------------------------------------------------------- slab_debug.c */

/* A new slab of a debug cache: remember it, mark its slots as free. 0 or -ENOMEM. */
int slab_debug_setup(struct kmem_cache *s, struct slab *slab);

/* A slab of a debug cache was unmapped; @slab is only an address now. */
void slab_debug_forget(const struct slab *slab);

/*
 * Before @obj goes out: is it as it was left? Marks it as used. False: no, it
 * has been logged, and the slot has to stay taken.
 */
bool alloc_debug_processing(struct kmem_cache *s, struct slab *slab, void *obj);

/*
 * Before @obj is taken back: is it an object of this cache, in use, with
 * unbroken red zones? Marks it as free. False: no, it has been logged, and
 * nothing may be freed. @obj may be any value.
 */
bool free_debug_processing(struct kmem_cache *s, void *obj);

#endif
