/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Caches as a whole: create, destroy, walk, count, and the fault countdown. */
#include "config.h"

#include "mm/slab.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "mm/slab_def.h"

#define CACHE_LINE 64u
#define MIN_ALIGN 8u
#define UNIT_BYTES 4096u    /* a slab of order 0, whatever the system's page is */
#define READY_BYTES 65536u  /* what a ready stack may hold, in bytes of objects */
#define ENOUGH_OBJECTS 200u /* a slab of so many is large enough to be worth its mmap */
#define ENOUGH_OF_SLAB 32u  /* and one that wastes less than this part is tight enough */
#define FEW_OBJECTS 8u
#define OBJECTS_SHOWN 16u /* by a destroy that fails */

#ifdef CONFIG_SLUB_DEBUG
#define DEFAULT_FLAGS SLAB_DEBUG_FLAGS
#else
#define DEFAULT_FLAGS 0u
#endif

#ifdef SLAB_ASAN
#define ASAN_GAP 16u /* poisoned bytes between two objects */
#else
#define ASAN_GAP 0u
#endif

static TAILQ_HEAD(, kmem_cache) slab_caches = TAILQ_HEAD_INITIALIZER(slab_caches);

/* ------------------------------------------------------------------ sizes */

static unsigned int calculate_alignment(unsigned int size, unsigned int align, slab_flags_t flags)
{
	unsigned int ralign = CACHE_LINE;

	if (flags & SLAB_HWCACHE_ALIGN) {
		while (size <= ralign / 2)
			ralign /= 2;
		align = max(align, ralign);
	}
	return max(align, MIN_ALIGN);
}

/* Slots in a slab of 2^@order units, with s->first for that; *@ret_waste gets the bytes that are
 * neither slot nor bookkeeping. */
static unsigned int slab_layout(struct kmem_cache *s, unsigned int order, unsigned int align,
				unsigned int *ret_waste)
{
	unsigned int bytes = UNIT_BYTES << order, head = sizeof(struct slab), per_slot, num;

	per_slot = sizeof(uint16_t) + (kmem_cache_debug(s) ? sizeof(uint8_t) : 0);
	num = (bytes - head) / (s->size + per_slot);
	/* the alignment of the first slot may cost the last one */
	while (num > 0 && ALIGN_UP(head + num * per_slot, align) + num * s->size > bytes)
		num--;
	s->num = num;
	s->first = ALIGN_UP(head + num * per_slot, align) + s->red_left;
	*ret_waste = bytes - head - num * (s->size + per_slot);
	return num;
}

/* The smallest order that gives many objects and little waste; else the tightest with some
 * objects; else the largest. */
static int calculate_order(struct kmem_cache *s, unsigned int align)
{
	unsigned int waste, least = UINT32_MAX, order, lowest = 0, best = SLAB_MAX_ORDER;
	long page = sysconf(_SC_PAGESIZE);

	while (lowest < SLAB_MAX_ORDER && (long)(UNIT_BYTES << lowest) < page)
		lowest++;
	for (order = lowest; order <= SLAB_MAX_ORDER; order++) {
		unsigned int num = slab_layout(s, order, align, &waste);

		if (num >= ENOUGH_OBJECTS && waste <= (UNIT_BYTES << order) / ENOUGH_OF_SLAB) {
			best = order;
			break;
		}
		/* waste of all orders is compared per 64 KiB */
		waste <<= SLAB_MAX_ORDER - order;
		if (num >= FEW_OBJECTS && waste <= least) {
			least = waste;
			best = order;
		}
	}
	if (slab_layout(s, best, align, &waste) == 0)
		return -EINVAL;
	s->order = best;
	s->slab_bytes = (size_t)UNIT_BYTES << best;
	return 0;
}

static int calculate_sizes(struct kmem_cache *s, unsigned int align)
{
	unsigned int size = s->ac.object_size + ASAN_GAP;

	align = calculate_alignment(s->ac.object_size, align, s->flags);
	if (s->flags & SLAB_RED_ZONE) {
		s->red_left = align;
		size += s->red_left + MIN_ALIGN;
	}
	s->size = ALIGN_UP(size, align);
	s->reciprocal_size = (uint32_t)(((1ull << 32) + s->size - 1) / s->size);
	s->ready_max = clamp(READY_BYTES / s->size, 2u, SLAB_READY_MAX);
	return calculate_order(s, align);
}

/* ------------------------------------------------------------------ life */

static int check_params(const char *name, unsigned int size, unsigned int align, slab_flags_t flags)
{
	const struct kmem_cache *s;

	if (name == NULL || *name == '\0')
		return -EINVAL;
	for (const char *c = name; *c != '\0'; c++)
		if (isspace((unsigned char)*c))
			return -EINVAL;
	if (size == 0 || size > SLAB_MAX_SIZE || align > UNIT_BYTES)
		return -EINVAL;
	if (align != 0 && !is_power_of_2(align))
		return -EINVAL;
	if (flags & ~(SLAB_DEBUG_FLAGS | SLAB_HWCACHE_ALIGN))
		return -EINVAL;
	TAILQ_FOREACH(s, &slab_caches, list)
		if (strcmp(s->name, name) == 0)
			return -EEXIST;
	return 0;
}

struct kmem_cache *kmem_cache_create(const char *name, unsigned int size, unsigned int align,
				     slab_flags_t flags, void (*ctor)(void *))
{
	int err = check_params(name, size, align, flags);
	struct kmem_cache *s;
	size_t len;

	if (err)
		goto out;
	err = -ENOMEM;
	len = strlen(name) + 1;
	if (should_failslab())
		goto out;
	s = calloc(1, sizeof(*s) + len);
	if (s == NULL)
		goto out;
	memcpy(s->name, name, len);
	s->ac.object_size = size;
	s->flags = flags | DEFAULT_FLAGS;
	if (s->flags & SLAB_DEBUG_FLAGS)
		s->flags |= SLAB_CONSISTENCY_CHECKS;
	s->ctor = ctor;
	LIST_INIT(&s->partial);
	LIST_INIT(&s->empty);
	LIST_INIT(&s->slabs);
	err = calculate_sizes(s, align);
	if (err)
		goto free_cache;
	cache_set_limit(s);
	TAILQ_INSERT_TAIL(&slab_caches, s, list);
	return s;
free_cache:
	free(s);
out:
	errno = -err;
	return NULL;
}

/* Log the objects of @slab that are in use, at most @room; returns how many were logged. */
static unsigned int list_slab_objects(const struct kmem_cache *s, const struct slab *slab,
				      unsigned int room)
{
	uint8_t is_free[(UNIT_BYTES << SLAB_MAX_ORDER) / MIN_ALIGN / 8] = { 0 };
	unsigned int shown = 0;

	for (unsigned int i = 0; i < slab->nr_free; i++)
		is_free[slab->freelist[i] / 8] |= (uint8_t)(1u << slab->freelist[i] % 8);
	for (unsigned int i = 0; i < s->num && shown < room; i++) {
		if (is_free[i / 8] & 1u << i % 8)
			continue;
		pr_err("object 0x%lx of %s", (unsigned long)index_to_obj(s, slab, i), s->name);
		shown++;
	}
	return shown;
}

int kmem_cache_destroy(struct kmem_cache *s)
{
	unsigned int room = OBJECTS_SHOWN;
	const struct slab *slab;
	int err;

	if (s == NULL)
		return 0;
	err = kmem_cache_shrink(s);
	if (s->nr_inuse != 0) {
		pr_err("Objects remaining in %s on kmem_cache_destroy(): %lu", s->name,
		       s->nr_inuse);
		LIST_FOREACH(slab, &s->slabs, all_list)
			room -= room != 0 ? list_slab_objects(s, slab, room) : 0;
		return -EBUSY;
	}
	if (err)
		return err;
	TAILQ_REMOVE(&slab_caches, s, list);
	free(s);
	return 0;
}

struct kmem_cache *kmem_cache_next(const struct kmem_cache *prev)
{
	return prev == NULL ? TAILQ_FIRST(&slab_caches) : TAILQ_NEXT(prev, list);
}

/* -------------------------------------------------------------- questions */

const char *kmem_cache_name(const struct kmem_cache *s)
{
	return s->name;
}

unsigned int kmem_cache_size(const struct kmem_cache *s)
{
	return s->ac.object_size;
}

void get_slabinfo(const struct kmem_cache *s, struct slabinfo *sinfo)
{
	*sinfo = (struct slabinfo){
		.active_objs = s->nr_inuse - s->ac.avail,
		.num_objs = s->nr_slabs * s->num,
		.active_slabs = s->nr_slabs - s->nr_empty,
		.num_slabs = s->nr_slabs,
		.objsize = s->size,
		.objects_per_slab = s->num,
		.cache_order = s->order,
		.limit = s->ac.limit,
		.batchcount = s->ac.limit / 2,
	};
}

/* -------------------------------------------------------- fault countdown */

void kmem_fault_after(long n)
{
	struct kmem_cache *s;

	failslab_arm(n);
	TAILQ_FOREACH(s, &slab_caches, list) {
		if (failslab_armed())
			cache_flush(s, 0);
		cache_set_limit(s);
	}
}
