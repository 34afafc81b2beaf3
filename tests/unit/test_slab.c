/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of mm/slab: objects, constructors, counts, failures, memory that goes back. */
#include "config.h"

#include "mm/slab.h"

#include <errno.h>
#include <stdio.h>
#include <sys/syscall.h>

#include "slab_unit.h"

#define MIB (1024L * 1024)

/* ------------------------------------------------ the system, under control */

static long mapped; /* bytes that the slabs have mapped */
static bool mmap_fails, munmap_fails;

/* The C library's own mappings do not come by here, a sanitizer's may. */
void *mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset)
{
	long p;

	if (mmap_fails) {
		errno = ENOMEM;
		return MAP_FAILED;
	}
	p = syscall(SYS_mmap, addr, len, prot, flags, fd, offset);
	if (p != -1)
		mapped += (long)len;
	return (void *)p;
}

int munmap(void *addr, size_t len)
{
	if (munmap_fails) {
		errno = ENOMEM;
		return -1;
	}
	mapped -= (long)len;
	return (int)syscall(SYS_munmap, addr, len);
}

static void count_from_zero(void)
{
	mapped = 0;
}

static long resident(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	long size, pages;

	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(fscanf(f, "%ld %ld", &size, &pages), 2);
	fclose(f);
	return pages * sysconf(_SC_PAGESIZE);
}

/* ------------------------------------------------------------------ caches */

static const struct {
	const char *name;
	unsigned int size, align, flags;
	int err;
} refused[] = {
	{ NULL, 8, 0, 0, EINVAL },
	{ "", 8, 0, 0, EINVAL },
	{ "a b", 8, 0, 0, EINVAL },
	{ "a\n", 8, 0, 0, EINVAL },
	{ "\ta", 8, 0, 0, EINVAL },
	{ "x", 0, 0, 0, EINVAL },
	{ "x", SLAB_MAX_SIZE + 1, 0, 0, EINVAL },
	{ "x", UINT32_MAX, 0, 0, EINVAL },
	{ "x", 8, 3, 0, EINVAL },
	{ "x", 8, 24, 0, EINVAL },
	{ "x", 8, 8192, 0, EINVAL },
	{ "x", 8, 0, 1u << 31, EINVAL },
	{ "there", 8, 0, 0, EEXIST },
};

START_TEST(create_refuses)
{
	struct kmem_cache *there = cache("there", 8, 0);

	errno = 0;
	ck_assert_ptr_null(kmem_cache_create(refused[_i].name, refused[_i].size, refused[_i].align,
					     refused[_i].flags, NULL));
	ck_assert_int_eq(errno, refused[_i].err);
	ck_assert_ptr_eq(kmem_cache_next(NULL), there);
	ck_assert_ptr_null(kmem_cache_next(there));
	ck_assert_int_eq(kmem_cache_destroy(there), 0);
}
END_TEST

START_TEST(caches_have_names_and_an_order)
{
	char name[] = "first";
	struct kmem_cache *a = cache(name, 100, 0), *b = cache("second", 32, 0);

	name[0] = 'X';
	ck_assert_str_eq(kmem_cache_name(a), "first");
	ck_assert_uint_eq(kmem_cache_size(a), 100);
	ck_assert_ptr_eq(kmem_cache_next(NULL), a);
	ck_assert_ptr_eq(kmem_cache_next(a), b);
	ck_assert_ptr_null(kmem_cache_next(b));
	ck_assert_int_eq(kmem_cache_destroy(a), 0);
	ck_assert_ptr_eq(kmem_cache_next(NULL), b);
	a = cache("first", 8, 0); /* the name is free again */
	ck_assert_ptr_eq(kmem_cache_next(b), a);
	ck_assert_int_eq(kmem_cache_destroy(a), 0);
	ck_assert_int_eq(kmem_cache_destroy(b), 0);
	ck_assert_int_eq(kmem_cache_destroy(NULL), 0);
	ck_assert_ptr_null(kmem_cache_next(NULL));
	ck_assert_int_eq(mapped, 0);
}
END_TEST

/* ----------------------------------------------------------------- objects */

START_TEST(freed_last_is_allocated_first)
{
	struct kmem_cache *s = cache("lifo", 48, 0);
	void *a = take(s), *b = take(s);

	ck_assert_ptr_ne(a, b);
	kmem_cache_free(s, a);
	kmem_cache_free(s, b);
	ck_assert_ptr_eq(take(s), b);
	ck_assert_ptr_eq(take(s), a);
	kmem_cache_free(s, a);
	kmem_cache_free(s, b);
	ck_assert_int_eq(kmem_cache_destroy(s), 0);
}
END_TEST

static const unsigned int sizes[] = { 1,   7,	8,   9,	  20,	32,   33,   48,	   64,		 65,
				      100, 192, 256, 513, 1024, 4000, 4096, 10000, SLAB_MAX_SIZE };
static const unsigned int aligns[] = { 0, 1, 8, 16, 64, 512, 4096 };
static const slab_flags_t flag_sets[] = { 0, SLAB_HWCACHE_ALIGN, SLAB_DEBUG_FLAGS,
					  SLAB_HWCACHE_ALIGN | SLAB_RED_ZONE };

/* Each object is aligned, wholly the user's, and apart from every other. */
START_TEST(objects_are_aligned_and_apart)
{
	unsigned int size = sizes[_i];

	for (size_t k = 0; k < ARRAY_SIZE(aligns) * ARRAY_SIZE(flag_sets); k++) {
		unsigned int align = aligns[k / ARRAY_SIZE(flag_sets)], n;
		slab_flags_t flags = flag_sets[k % ARRAY_SIZE(flag_sets)];
		struct kmem_cache *s = kmem_cache_create("aligned", size, align, flags, NULL);
		unsigned char *obj[300];

		ck_assert_ptr_nonnull(s);
		n = min(info(s).objects_per_slab * 2 + 1, (unsigned int)ARRAY_SIZE(obj));
		for (unsigned int i = 0; i < n; i++) {
			obj[i] = take(s);
			ck_assert_uint_eq((uintptr_t)obj[i] % max(align, 8u), 0);
			if (flags & SLAB_HWCACHE_ALIGN)
				ck_assert_uint_le((uintptr_t)obj[i] % 64 + min(size, 64u), 64);
			memset(obj[i], (int)i, size);
		}
		ck_assert_uint_ge(info(s).objsize, size);
		if (size <= 4096)
			ck_assert_uint_ge(info(s).objects_per_slab, 5);
		for (unsigned int i = 0; i < n; i++) {
			for (unsigned int j = 0; j < size; j++)
				if (obj[i][j] != (i & 0xff))
					ck_abort_msg("object %u is somebody else's at %u", i, j);
			kmem_cache_free(s, obj[i]);
		}
		ck_assert_int_eq(kmem_cache_destroy(s), 0);
		ck_assert_int_eq(mapped, 0);
	}
}
END_TEST

static int constructed;
static char constructed_object[72]; /* as the constructor makes them */

static void ctor(void *obj)
{
	memset(constructed_object, 0xc0, 72);
	memcpy(obj, constructed_object, 72);
	constructed++;
}

START_TEST(constructor_runs_once_for_each_object)
{
	struct kmem_cache *s = kmem_cache_create("ctor", 72, 0, (slab_flags_t)_i, ctor);
	unsigned char *obj[1000];

	ck_assert_ptr_nonnull(s);
	ck_assert_int_eq(constructed, 0); /* no slab yet */
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 1000; i++) {
			obj[i] = take(s);
			ck_assert_int_eq(memcmp(obj[i], constructed_object, 72), 0);
		}
		ck_assert_uint_eq((unsigned long)constructed, info(s).num_objs);
		for (int i = 0; i < 1000; i++)
			kmem_cache_free(s, obj[i]);
		ck_assert_uint_eq((unsigned long)constructed, info(s).num_objs);
	}
	ck_assert_int_eq(kmem_cache_destroy(s), 0);
}
END_TEST

/* What the last user left is still there, under ASan and poison too. */
START_TEST(constructed_state_survives)
{
	struct kmem_cache *s = kmem_cache_create("ctor", 72, 0, (slab_flags_t)_i, ctor);
	unsigned char *obj = kmem_cache_alloc(s);

	ck_assert_ptr_nonnull(obj);
	obj[0] = 1;
	obj[71] = 2;
	kmem_cache_free(s, obj);
	ck_assert_int_eq(peek(obj, 0), 1);
	ck_assert_ptr_eq(take(s), obj);
	ck_assert_uint_eq(obj[0], 1);
	ck_assert_uint_eq(obj[1], 0xc0);
	ck_assert_uint_eq(obj[71], 2);
	kmem_cache_free(s, obj);
	ck_assert_int_eq(kmem_cache_destroy(s), 0);
}
END_TEST

START_TEST(small_objects_share_cache_lines)
{
	static const unsigned int expect[][2] = { { 1, 8 },    { 8, 8 },    { 9, 16 },
						  { 17, 32 },  { 32, 32 },  { 33, 64 },
						  { 64, 64 },  { 65, 128 }, { 129, 192 },
						  { 193, 256 } };

	for (size_t i = 0; i < ARRAY_SIZE(expect); i++) {
		struct kmem_cache *s = cache("small", expect[i][0], SLAB_HWCACHE_ALIGN);

#if defined(SLAB_ASAN) || defined(CONFIG_SLUB_DEBUG)
		ck_assert_uint_ge(info(s).objsize, expect[i][1]); /* gaps and red zones */
#else
		ck_assert_uint_eq(info(s).objsize, expect[i][1]);
#endif
		ck_assert_int_eq(kmem_cache_destroy(s), 0);
	}
}
END_TEST

/* -------------------------------------------------------------------- counts */

START_TEST(slabinfo_at_each_step)
{
	struct kmem_cache *s = cache("counted", 192, SLAB_HWCACHE_ALIGN);
	unsigned int num = info(s).objects_per_slab;
	void **obj = calloc(3 * num, sizeof(*obj));

	ck_assert_ptr_nonnull(obj);
	ck_assert_uint_ge(num, 8);
	ck_assert_uint_le(info(s).cache_order, SLAB_MAX_ORDER);
	ck_assert_uint_ge((4096u << info(s).cache_order) / info(s).objsize, num);
	ck_assert_uint_eq(info(s).num_slabs + info(s).num_objs + info(s).active_objs, 0);

	for (unsigned int i = 0; i < 3 * num; i++) {
		obj[i] = take(s);
		ck_assert_uint_eq(info(s).active_objs, i + 1);
		ck_assert_uint_eq(info(s).num_slabs, i / num + 1);
		ck_assert_uint_eq(info(s).active_slabs, info(s).num_slabs);
		ck_assert_uint_eq(info(s).num_objs, info(s).num_slabs * num);
	}
	for (unsigned int i = 0; i < num; i++) {
		kmem_cache_free(s, obj[i]);
		ck_assert_uint_eq(info(s).active_objs, 3 * num - i - 1);
		ck_assert_uint_eq(info(s).num_slabs, 3);
	}
	ck_assert_int_eq(kmem_cache_shrink(s), 0);
	ck_assert_uint_eq(info(s).num_slabs, 2);
	ck_assert_uint_eq(info(s).active_slabs, 2);
	ck_assert_uint_eq(info(s).active_objs, 2 * num);
	ck_assert_int_eq(mapped, 2 * (4096L << info(s).cache_order));
	for (unsigned int i = num; i < 3 * num; i++)
		kmem_cache_free(s, obj[i]);
	ck_assert_uint_eq(info(s).active_objs, 0);
	ck_assert_int_eq(kmem_cache_shrink(s), 0);
	ck_assert_uint_eq(info(s).num_slabs + info(s).num_objs + info(s).active_slabs, 0);
	ck_assert_int_eq(mapped, 0);
	free(obj);
	ck_assert_int_eq(kmem_cache_destroy(s), 0);
}
END_TEST

/* A million objects, freed in order (0), backwards (1), or at random (2). */
START_TEST(memory_goes_back)
{
	unsigned int n = on_valgrind() ? 50000 : 1000000, state = 1;
	struct kmem_cache *s = cache("million", 192, SLAB_HWCACHE_ALIGN);
	void **obj = malloc(n * sizeof(*obj));
	long before;

	ck_assert_ptr_nonnull(obj);
	memset(obj, 1, n * sizeof(*obj));
	before = resident();
	for (unsigned int i = 0; i < n; i++) {
		obj[i] = take(s);
		*(unsigned int *)obj[i] = i;
	}
	ck_assert_int_ge(mapped, 192L * n);
	for (unsigned int i = 0; i < n; i++)
		if (*(unsigned int *)obj[i] != i)
			ck_abort_msg("object %u is not what was written", i);
	for (unsigned int i = n; i-- > 0;) {
		unsigned int j = _i == 0 ? n - 1 - i : _i == 1 ? i : next_random(&state) % (i + 1);
		void *last = obj[i];

		kmem_cache_free(s, obj[j]);
		if (_i == 2)
			obj[j] = last;
	}
	ck_assert_uint_eq(info(s).active_objs, 0);
	/* no shrink: what is kept is little by itself */
	ck_assert_int_le(mapped, MIB);
#ifndef SLAB_ASAN
	if (!on_valgrind())
		ck_assert_int_le(resident() - before, MIB);
#else
	(void)before; /* ASan's shadow stays */
#endif
	ck_assert_int_eq(kmem_cache_shrink(s), 0);
	ck_assert_int_eq(mapped, 0);
	ck_assert_int_eq(kmem_cache_destroy(s), 0);
	free(obj);
}
END_TEST

/* A refused munmap loses nothing: the slab is used again, and given back later. */
START_TEST(munmap_refused)
{
	struct kmem_cache *s = cache("kept", 4096, (slab_flags_t)_i);
	void *obj[1000];
	long all;

	for (int i = 0; i < 1000; i++)
		obj[i] = take(s);
	all = mapped;
	munmap_fails = true;
	for (int i = 0; i < 1000; i++)
		kmem_cache_free(s, obj[i]);
	errno = 77;
	ck_assert_int_eq(kmem_cache_shrink(s), -ENOMEM);
	ck_assert_int_eq(kmem_cache_destroy(s), -ENOMEM);
	ck_assert_int_eq(errno, 77);
	ck_assert_uint_eq(info(s).active_slabs, 0);
	for (int i = 0; i < 1000; i++)
		memset(obj[i] = take(s), i, 4096);
	ck_assert_int_eq(mapped, all);
	munmap_fails = false;
	for (int i = 0; i < 1000; i++)
		kmem_cache_free(s, obj[i]);
	ck_assert_int_eq(kmem_cache_destroy(s), 0);
	ck_assert_int_eq(mapped, 0);
}
END_TEST

/* ------------------------------------------------------------------- failures */

START_TEST(no_memory)
{
	struct kmem_cache *s = cache("oom", 64, (slab_flags_t)_i);
	void *obj;

	mmap_fails = true;
	errno = 77;
	ck_assert_ptr_null(kmem_cache_alloc(s));
	ck_assert_int_eq(errno, 77);
	ck_assert_uint_eq(info(s).num_slabs + info(s).active_objs, 0);
	mmap_fails = false;
	obj = take(s);
	mmap_fails = true;
	for (unsigned int i = 1; i < info(s).objects_per_slab; i++)
		ck_assert_ptr_nonnull(kmem_cache_alloc(s)); /* the slab is used up first */
	ck_assert_ptr_null(kmem_cache_alloc(s));
	kmem_cache_free(s, obj);
	ck_assert_ptr_eq(kmem_cache_alloc(s), obj);
}
END_TEST

START_TEST(fault_countdown)
{
	struct kmem_cache *s = cache("one", 64, 0), *t = cache("two", 64, 0);
	void *a = take(s), *b, *c, *d;

	kmem_cache_free(s, a); /* a ready object must not slip through */
	for (int round = 0; round < 3; round++) {
		kmem_fault_after(3);
		a = take(s);
		b = take(t);
		kmem_cache_free(s, a);
		errno = 77;
		ck_assert_ptr_null(kmem_cache_alloc(s));
		ck_assert_int_eq(errno, 77);
		c = take(s); /* once only */
		d = take(t);
		ck_assert_uint_eq(info(s).active_objs, 1);
		ck_assert_uint_eq(info(t).active_objs, 2);
		kmem_cache_free(s, c);
		kmem_cache_free(t, b);
		kmem_cache_free(t, d);
	}
	kmem_fault_after(1);
	kmem_fault_after(-1);
	kmem_cache_free(s, take(s));
	kmem_fault_after(1);
	ck_assert_ptr_null(kmem_cache_create("three", 8, 0, 0, NULL));
	ck_assert_int_eq(errno, ENOMEM);
	ck_assert_int_eq(kmem_cache_destroy(s), 0);
	ck_assert_int_eq(kmem_cache_destroy(t), 0);
}
END_TEST

START_TEST(destroy_with_objects)
{
	struct kmem_cache *s = kmem_cache_create("busy", 72, 0, (slab_flags_t)_i, ctor);
	void *obj[700];
	struct capture c;
	char address[32];

	ck_assert_ptr_nonnull(s);
	for (int i = 0; i < 700; i++)
		obj[i] = take(s);
	capture_begin(&c);
	ck_assert_int_eq(kmem_cache_destroy(s), -EBUSY);
	capture_end(&c);
	ck_assert_ptr_nonnull(
		strstr(c.text, "Objects remaining in busy on kmem_cache_destroy(): 700\n"));
	ck_assert_int_eq(count_of(c.text, "\n"), 17); /* and 16 of the addresses */

	for (int i = 0; i < 700; i++)
		if (i != 350)
			kmem_cache_free(s, obj[i]);
	capture_begin(&c);
	ck_assert_int_eq(kmem_cache_destroy(s), -EBUSY);
	capture_end(&c);
	snprintf(address, sizeof(address), "object 0x%lx ", (unsigned long)obj[350]);
	ck_assert_ptr_nonnull(strstr(c.text, address));
	ck_assert_int_eq(count_of(c.text, "\n"), 2);

	obj[0] = take(s); /* the cache is still good */
	kmem_cache_free(s, obj[0]);
	kmem_cache_free(s, obj[350]);
	ck_assert_int_eq(kmem_cache_destroy(s), 0);
	ck_assert_int_eq(mapped, 0);
}
END_TEST

/* Thousands of random steps against a list of what must be there. */
START_TEST(random_steps)
{
	enum { SLOTS = 5000 };
	unsigned int steps = on_valgrind() ? 30000 : 400000, state = (unsigned int)_i + 1;
	unsigned int size = 24 + 56 * (unsigned int)_i;
	struct kmem_cache *s = cache("model", size, _i % 2 ? SLAB_DEBUG_FLAGS : 0);
	static unsigned char *obj[SLOTS];
	unsigned long live = 0, wanted = 0;

	for (unsigned int step = 0; step < steps; step++) {
		unsigned int i = next_random(&state) % SLOTS, what = next_random(&state) % 1000;

		/* the tide: the cache fills and empties by turns */
		wanted = step / 20000 % 2 ? 50 : 4000;
		if (what == 0) {
			ck_assert_int_eq(kmem_cache_shrink(s), 0);
		} else if (what == 1) {
			kmem_fault_after(1);
			ck_assert_ptr_null(kmem_cache_alloc(s));
		} else if (obj[i] == NULL && (live < wanted || what < 300)) {
			obj[i] = take(s);
			memset(obj[i], (int)(i & 0xff), size);
			live++;
		} else if (obj[i] != NULL && (live > wanted || what < 300)) {
			for (unsigned int j = 0; j < size; j++)
				if (obj[i][j] != (i & 0xff))
					ck_abort_msg("object %u is somebody else's at %u", i, j);
			kmem_cache_free(s, obj[i]);
			obj[i] = NULL;
			live--;
		}
		if (info(s).active_objs != live)
			ck_abort_msg("step %u: %lu objects counted", step, info(s).active_objs);
	}
	for (int i = 0; i < SLOTS; i++)
		if (obj[i] != NULL)
			kmem_cache_free(s, obj[i]);
	ck_assert_int_eq(kmem_cache_destroy(s), 0);
	ck_assert_int_eq(mapped, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("slab");
	TCase *tc = tcase_create("slab");

	tcase_set_timeout(tc, 300);
	tcase_add_checked_fixture(tc, count_from_zero, NULL);
	tcase_add_loop_test(tc, create_refuses, 0, ARRAY_SIZE(refused));
	tcase_add_test(tc, caches_have_names_and_an_order);
	tcase_add_test(tc, freed_last_is_allocated_first);
	tcase_add_loop_test(tc, objects_are_aligned_and_apart, 0, ARRAY_SIZE(sizes));
	/* _i is the flags: none, or all of a debug cache's */
	tcase_add_loop_test(tc, constructor_runs_once_for_each_object, 0, 1);
	tcase_add_loop_test(tc, constructor_runs_once_for_each_object, SLAB_DEBUG_FLAGS,
			    SLAB_DEBUG_FLAGS + 1);
	tcase_add_loop_test(tc, constructed_state_survives, 0, 1);
	tcase_add_loop_test(tc, constructed_state_survives, SLAB_DEBUG_FLAGS, SLAB_DEBUG_FLAGS + 1);
	tcase_add_test(tc, small_objects_share_cache_lines);
	tcase_add_test(tc, slabinfo_at_each_step);
	tcase_add_loop_test(tc, memory_goes_back, 0, 3);
	tcase_add_loop_test(tc, munmap_refused, 0, 1);
	tcase_add_loop_test(tc, munmap_refused, SLAB_DEBUG_FLAGS, SLAB_DEBUG_FLAGS + 1);
	tcase_add_loop_test(tc, no_memory, 0, 1);
	tcase_add_loop_test(tc, no_memory, SLAB_DEBUG_FLAGS, SLAB_DEBUG_FLAGS + 1);
	tcase_add_test(tc, fault_countdown);
	tcase_add_loop_test(tc, destroy_with_objects, 0, 1);
	tcase_add_loop_test(tc, destroy_with_objects, SLAB_DEBUG_FLAGS, SLAB_DEBUG_FLAGS + 1);
	tcase_add_loop_test(tc, random_steps, 0, 4);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
