/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of the slab share: short words for what must not fail, and forbidden accesses. */
#ifndef TESTS_UNIT_SLAB_UNIT_H
#define TESTS_UNIT_SLAB_UNIT_H

#include "mm/slab.h"
#include "unit.h"

/* Do what the program must not: ASan does not see these. */
__attribute__((no_sanitize("address"), noinline, unused)) static void poke(void *p, long at,
									   int value)
{
	((volatile unsigned char *)p)[at] = (unsigned char)value;
}

__attribute__((no_sanitize("address"), noinline, unused)) static int peek(const void *p, long at)
{
	return ((const volatile unsigned char *)p)[at];
}

static inline struct kmem_cache *cache(const char *name, unsigned int size, slab_flags_t flags)
{
	struct kmem_cache *s = kmem_cache_create(name, size, 0, flags, NULL);

	ck_assert_ptr_nonnull(s);
	return s;
}

static inline void *take(struct kmem_cache *s)
{
	void *obj = kmem_cache_alloc(s);

	if (obj == NULL) /* an assertion that holds is dear, and this is called a million times */
		ck_abort_msg("kmem_cache_alloc(%s) failed", kmem_cache_name(s));
	return obj;
}

static inline struct slabinfo info(const struct kmem_cache *s)
{
	struct slabinfo si;

	get_slabinfo(s, &si);
	return si;
}

static inline unsigned int next_random(unsigned int *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

#endif
