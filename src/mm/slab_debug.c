/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The checks of debug caches: who owns a pointer, red zones, poison. Twin of
 * the CONFIG_SLUB_DEBUG half of mm/slub.c.
 *
 * A pointer that somebody wants to free may be anything, so it is looked up
 * in a tree of the address ranges of all debug slabs before it is followed.
 */
#include "config.h"

#include "mm/slab.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "mm/slab_def.h"

/* The addresses start..end-1. Two ranges that overlap compare as equal. */
struct slab_range {
	uintptr_t start, end;
};

static void *slab_tree; /* of struct slab_range; tsearch(3) balances it */

static int compare_ranges(const void *pa, const void *pb)
{
	const struct slab_range *a = pa, *b = pb;

	if (a->end <= b->start)
		return -1;
	return a->start >= b->end;
}

static struct slab_range *find_range(const void *p)
{
	struct slab_range key = { .start = (uintptr_t)p, .end = (uintptr_t)p + 1 };
	struct slab_range **node;

	if (key.end == 0)
		return NULL;
	node = tfind(&key, &slab_tree, compare_ranges);
	return node != NULL ? *node : NULL;
}

/* -------------------------------------------------------------- one finding */

static __cold void slab_bug(const struct kmem_cache *s, const void *obj, const char *what)
{
	pr_err("BUG %s (slab): %s: object 0x%lx", s->name, what, (unsigned long)obj);
}

/* Are @len bytes from @obj + @from all @value? If not, say so and where. */
static bool check_bytes(const struct kmem_cache *s, const void *obj, const char *what, long from,
			size_t len, uint8_t value)
{
	const uint8_t *p = (const uint8_t *)obj + from;

	for (size_t i = 0; i < len; i++) {
		if (likely(p[i] == value))
			continue;
		pr_err("BUG %s (slab): %s: object 0x%lx, byte %ld is 0x%02x instead of 0x%02x",
		       s->name, what, (unsigned long)obj, from + (long)i, p[i], value);
		return false;
	}
	return true;
}

/* --------------------------------------------------------- fill and compare */

/* The slot's bytes behind the object. */
static size_t red_right(const struct kmem_cache *s)
{
	return s->size - s->red_left - s->ac.object_size;
}

static bool is_poisoned(const struct kmem_cache *s)
{
	return (s->flags & SLAB_POISON) && s->ctor == NULL;
}

static bool check_red_zones(const struct kmem_cache *s, const void *obj, uint8_t value)
{
	if (!(s->flags & SLAB_RED_ZONE))
		return true;
	return check_bytes(s, obj, "Left Redzone overwritten", -(long)s->red_left, s->red_left,
			   value) &&
	       check_bytes(s, obj, "Right Redzone overwritten", (long)s->ac.object_size,
			   red_right(s), value);
}

static void set_red_zones(const struct kmem_cache *s, void *obj, uint8_t value)
{
	if (!(s->flags & SLAB_RED_ZONE))
		return;
	memset((char *)obj - s->red_left, value, s->red_left);
	memset((char *)obj + s->ac.object_size, value, red_right(s));
}

static bool check_poison(const struct kmem_cache *s, const void *obj)
{
	size_t body = s->ac.object_size - 1;

	return !is_poisoned(s) ||
	       (check_bytes(s, obj, "Poison overwritten", 0, body, POISON_FREE) &&
		check_bytes(s, obj, "Poison overwritten", (long)body, 1, POISON_END));
}

static void set_poison(const struct kmem_cache *s, void *obj)
{
	size_t body = s->ac.object_size - 1;

	if (!is_poisoned(s))
		return;
	memset(obj, POISON_FREE, body);
	((uint8_t *)obj)[body] = POISON_END;
}

/* The checks must see what ASan hides from everybody else. */
static void slot_open(const struct kmem_cache *s, const void *obj)
{
	slab_asan_unpoison((const char *)obj - s->red_left, s->size);
}

static void slot_close(const struct kmem_cache *s, const void *obj)
{
	slab_asan_poison((const char *)obj - s->red_left, s->size);
}

/* ------------------------------------------------------------- entry points */

int slab_debug_setup(struct kmem_cache *s, struct slab *slab)
{
	struct slab_range *range = malloc(sizeof(*range));

	if (range == NULL)
		return -ENOMEM;
	range->start = (uintptr_t)slab;
	range->end = range->start + s->slab_bytes;
	if (tsearch(range, &slab_tree, compare_ranges) == NULL) {
		free(range);
		return -ENOMEM;
	}
	memset(slab_used(s, slab), 0, s->num);
	for (unsigned int i = 0; i < s->num; i++) {
		void *obj = index_to_obj(s, slab, i);

		set_red_zones(s, obj, SLUB_RED_INACTIVE);
		set_poison(s, obj);
	}
	return 0;
}

void slab_debug_forget(const struct slab *slab)
{
	struct slab_range *range = find_range(slab);

	tdelete(range, &slab_tree, compare_ranges);
	free(range);
}

bool alloc_debug_processing(struct kmem_cache *s, struct slab *slab, void *obj)
{
	bool good;

	slot_open(s, obj);
	good = check_red_zones(s, obj, SLUB_RED_INACTIVE) && check_poison(s, obj);
	if (good)
		set_red_zones(s, obj, SLUB_RED_ACTIVE);
	slot_close(s, obj);
	/* 2: taken, but by nobody who may free it */
	slab_used(s, slab)[obj_to_index(s, slab, obj)] = good ? 1 : 2;
	return good;
}

bool free_debug_processing(struct kmem_cache *s, void *obj)
{
	const struct slab_range *range = find_range(obj);
	unsigned int index;
	struct slab *slab;
	bool good;

	if (range == NULL) {
		slab_bug(s, obj, "Attempt to free object outside of slab");
		return false;
	}
	slab = (struct slab *)range->start;
	if (slab->slab_cache != s) {
		pr_err("BUG %s (slab): Wrong slab cache, it is from %s: object 0x%lx", s->name,
		       slab->slab_cache->name, (unsigned long)obj);
		return false;
	}
	index = (uintptr_t)obj >= range->start + s->first ? obj_to_index(s, slab, obj) : s->num;
	if (index >= s->num || index_to_obj(s, slab, index) != obj) {
		slab_bug(s, obj, "Invalid object pointer");
		return false;
	}
	if (slab_used(s, slab)[index] != 1) {
		slab_bug(s, obj, "Object already free");
		return false;
	}

	slot_open(s, obj);
	good = check_red_zones(s, obj, SLUB_RED_ACTIVE);
	if (good) {
		set_red_zones(s, obj, SLUB_RED_INACTIVE);
		set_poison(s, obj);
		slot_close(s, obj);
	} else {
		slab_asan_poison(obj, s->ac.object_size);
	}
	slab_used(s, slab)[index] = good ? 0 : 2;
	return good;
}
