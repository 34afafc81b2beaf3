/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kmem_cache: memory for many objects of one kind. Twin of Linux
 * include/linux/slab.h, for one thread.
 *
 * The words
 *
 *   object       what a user asks for: object_size bytes, aligned.
 *   slot         an object's place: the object and what lies around it (the
 *                gap up to the next aligned address, red zones if wanted).
 *   slab         a block of 2^order pages, aligned to its own size, cut into
 *                equal slots behind a small header. Masking the low bits of
 *                any object's address gives its slab.
 *   cache        all slabs of one kind of object, with a name: `struct
 *                kmem_cache`, the cookie cutter.
 *   ready stack  the last objects that were freed, as pointers, in the cache
 *                itself (the kernel's array_cache, today its sheaf). Alloc
 *                pops it, free pushes to it; the slabs are touched only once in
 *                half a stack, when it is empty or full.
 *
 * The life of a slab
 *
 *   mmap'ed when no other slab has a free slot; the cache's constructor runs
 *   over each of its objects, once. It is *partial* while it has free slots
 *   and used ones, *full* without free ones, *empty* without used ones.
 *   Allocation takes from partial slabs first, then from an empty one, then
 *   makes a new one. A slab that becomes empty is kept while the empty
 *   ones are not more than SLAB_KEEP_BYTES a cache, else it is munmap'ed at once;
 *   kmem_cache_shrink munmaps the kept ones too.
 *
 * A free object keeps its content: where a constructor exists, what it set up
 * has to be so again when the object is freed, and need not be set up anew
 * when it is allocated. Therefore free slots are remembered beside the
 * objects, never inside them.
 *
 * Debug caches have a flag below, and in a build with CONFIG_SLUB_DEBUG
 * (configure --enable-debug) every cache is one. They have no ready stack: each
 * check happens at the very call that is wrong. A finding is one line of log,
 * `BUG NAME (slab): TEXT: object 0x...`, and the program goes on: an object
 * that cannot be trusted stays taken for ever (and kmem_cache_destroy will say
 * so). Red zones and poison bring the consistency checks along.
 *
 * Under AddressSanitizer free objects and the gaps are poisoned, so it reports a use after
 * free inside a slab as it does for malloc; slots are a little larger then.
 *
 * NO THREADS, NO LOCKS: one thread uses all of this.
 */
#ifndef MM_SLAB_H
#define MM_SLAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/util.h"

#if defined(__SANITIZE_ADDRESS__)
#define SLAB_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SLAB_ASAN 1
#endif
#endif
#ifdef SLAB_ASAN
#include <sanitizer/asan_interface.h>
#endif

typedef unsigned int slab_flags_t;

/* Bits as in include/linux/slab.h of 6.x. */
#define SLAB_CONSISTENCY_CHECKS 0x00000100u /* refuse double and foreign frees */
#define SLAB_RED_ZONE 0x00000400u	    /* guard bytes before and after each object */
#define SLAB_POISON 0x00000800u		    /* fill free objects, check them at alloc */
#define SLAB_HWCACHE_ALIGN 0x00002000u	    /* begin at a cache line (see kmem_cache_create) */
#define SLAB_DEBUG_FLAGS (SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE | SLAB_POISON)

/* Fillings, as in include/linux/poison.h. */
#define POISON_FREE 0x6b       /* a free object */
#define POISON_END 0xa5	       /* its last byte */
#define SLUB_RED_INACTIVE 0xbb /* red zone of a free object */
#define SLUB_RED_ACTIVE 0xcc   /* red zone of a used one */

#define SLAB_READY_MAX 64u	      /* depth of a ready stack */
#define SLAB_MAX_SIZE (32u << 10)     /* the largest object */
#define SLAB_MAX_ORDER 4	      /* the largest slab: 16 pages, 64 KiB */
#define SLAB_KEEP_BYTES (256u << 10)  /* empty slabs kept in a cache, together */
#define SLAB_DRAIN_BYTES (512u << 10) /* what a ready stack may keep from the OS (slab.c) */

/* The ready stack: entry[avail - 1] is the next to go out. Private to the inlines below. */
struct array_cache {
	unsigned int avail;
	unsigned int limit; /* 0: no ready stack now, every call goes the long way */
	unsigned int object_size;
	void *entry[SLAB_READY_MAX];
};

struct kmem_cache;

/*
 * Make a cache named @name (copied) of objects of @size bytes, 1 to
 * SLAB_MAX_SIZE, aligned to @align, a power of two up to a page, at least 8 (0:
 * 8). SLAB_HWCACHE_ALIGN aligns to 64 bytes, or for small objects to the
 * half, quarter, ... of it that still holds one, so that no object straddles
 * more cache lines than it must. @ctor, if not NULL, is called for each object of a new
 * slab; it must not use the cache, and a cache with one is not poisoned (its
 * objects stay constructed).
 *
 * Returns the cache, yours until kmem_cache_destroy; or NULL with errno EINVAL
 * (a name that is empty or has white space, or a size, alignment or flag that is not allowed), EEXIST (a
 * cache has that name) or ENOMEM. mm/slab_common.c: __kmem_cache_create_args.
 */
struct kmem_cache *kmem_cache_create(const char *name, unsigned int size, unsigned int align,
				     slab_flags_t flags, void (*ctor)(void *)) __must_check;

/*
 * Give the cache and all its memory back. 0; -EBUSY when objects are still in
 * use: their number and the addresses of the first 16 are logged; or -ENOMEM
 * when the OS refused a munmap. On failure the cache stays as it is, usable.
 * @s may be NULL.
 */
int kmem_cache_destroy(struct kmem_cache *s);

/*
 * Give the empty slabs back to the OS, and the ready stack's objects to their
 * slabs before. 0, or -ENOMEM when the OS refused a munmap (too many mappings);
 * what remains is still used by later allocations.
 */
int kmem_cache_shrink(struct kmem_cache *s);

/* The long ways of the two inlines; not to be called directly. */
void *kmem_cache_alloc_slow(struct kmem_cache *s) __must_check;
void kmem_cache_free_slow(struct kmem_cache *s, void *obj);

/*
 * An object: as the constructor (or the last user before kmem_cache_free)
 * left it; without a constructor the content is undefined. NULL when there is
 * no memory; errno is left alone. Give it back with kmem_cache_free.
 */
static inline void *kmem_cache_alloc(struct kmem_cache *s)
{
	struct array_cache *ac = (struct array_cache *)s;

	if (likely(ac->avail != 0)) {
		void *obj = ac->entry[--ac->avail];
#ifdef SLAB_ASAN
		__asan_unpoison_memory_region(obj, ac->object_size);
#endif
		return obj;
	}
	return kmem_cache_alloc_slow(s);
}

/*
 * Give back @obj, which came from kmem_cache_alloc(@s) and is not NULL, in its
 * constructed state if the cache has a constructor. Nothing points to it any more.
 */
static inline void kmem_cache_free(struct kmem_cache *s, void *obj)
{
	struct array_cache *ac = (struct array_cache *)s;

	if (likely(ac->avail < ac->limit)) {
#ifdef SLAB_ASAN
		__asan_poison_memory_region(obj, ac->object_size);
#endif
		ac->entry[ac->avail++] = obj;
		return;
	}
	kmem_cache_free_slow(s, obj);
}

/* The name given at creation, valid as long as the cache; and the object size given then. */
const char *kmem_cache_name(const struct kmem_cache *s);
unsigned int kmem_cache_size(const struct kmem_cache *s);

/*
 * Walk all caches in the order of their creation: NULL gives the first, NULL
 * comes after the last. No cache may be destroyed between two calls.
 */
struct kmem_cache *kmem_cache_next(const struct kmem_cache *prev);

/* The columns of /proc/slabinfo (slabinfo(5)), version 2.1. */
struct slabinfo {
	unsigned long active_objs;     /* in use */
	unsigned long num_objs;	       /* slots of all slabs */
	unsigned long active_slabs;    /* slabs that are not empty (a ready object keeps one so) */
	unsigned long num_slabs;       /* all slabs */
	unsigned int objsize;	       /* bytes of a slot: object, gap, red zones */
	unsigned int objects_per_slab; /* slots of one slab */
	unsigned int cache_order;      /* a slab has 2^cache_order pages of 4096 bytes */
	unsigned int limit;	       /* tunables: depth of the ready stack, 0 without one, */
	unsigned int batchcount;       /* and objects moved at once */
};

/* Fill @sinfo; O(1). mm/slab.h: get_slabinfo. */
void get_slabinfo(const struct kmem_cache *s, struct slabinfo *sinfo);

/*
 * Make an allocation fail, for tests: the @n-th from now (1: the next) fails
 * once, and then the countdown is off; -1 turns it off. Counted are the
 * objects of all caches together, kmem_cache_create, and who else asks
 * should_failslab. The kernel's failslab (mm/failslab.c). While a countdown
 * runs no cache has a ready stack.
 */
void kmem_fault_after(long n);

/* Does this allocation have to fail? Counts it. For other allocators of the
 * daemon that want to fail in the same countdown. */
bool should_failslab(void);

#endif
