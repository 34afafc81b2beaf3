/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of mm/idtable: numbers that were handed out, and all others. */
#include "config.h"

#include "mm/idtable.h"

#include <errno.h>

#include "mm/slab.h"
#include "unit.h"

static int things[5000]; /* their addresses are what the tables hold */

static unsigned int next_random(unsigned int *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

static uint64_t put(struct idtable *t, void *ptr)
{
	uint64_t id = 0;
	int err = idtable_alloc(t, ptr, &id);

	if (err != 0 || id == 0)
		ck_abort_msg("idtable_alloc: %d", err);
	return id;
}

/* Memory for chunks, in chunks. */
static unsigned long chunks(void)
{
	struct kmem_cache *s = kmem_cache_next(NULL);
	struct slabinfo si;

	ck_assert_ptr_nonnull(s);
	ck_assert_str_eq(kmem_cache_name(s), "idtable_chunk");
	get_slabinfo(s, &si);
	return si.active_objs;
}

START_TEST(put_find_remove)
{
	struct idtable t;
	uint64_t a, b;

	ck_assert_int_eq(idtable_init(&t, 0), 0);
	a = put(&t, &things[0]);
	b = put(&t, &things[1]);
	ck_assert_uint_ne(a, b);
	ck_assert_uint_eq(t.count, 2);
	ck_assert_uint_eq(a & 0xc0000000u, 0); /* the callers' tag bits */
	ck_assert_uint_ne(a >> 32, 0);
	ck_assert_ptr_eq(idtable_find(&t, a), &things[0]);
	ck_assert_ptr_eq(idtable_find(&t, b), &things[1]);
	ck_assert_int_eq(idtable_remove(&t, a), 0);
	ck_assert_ptr_null(idtable_find(&t, a));
	ck_assert_ptr_eq(idtable_find(&t, b), &things[1]);
	ck_assert_int_eq(idtable_remove(&t, a), -ENOENT);
	ck_assert_uint_eq(t.count, 1);
	idtable_fini(&t);
	ck_assert_ptr_null(kmem_cache_next(NULL));
}
END_TEST

START_TEST(used_again_slot_gets_a_new_number)
{
	struct idtable t;
	uint64_t keep, old, id;

	ck_assert_int_eq(idtable_init(&t, 0), 0);
	keep = _i == 0 ? 0 : put(&t, &things[1]); /* does the chunk live on? */
	old = put(&t, &things[0]);
	for (int i = 0; i < 1000; i++) {
		ck_assert_int_eq(idtable_remove(&t, old), 0);
		id = put(&t, &things[0]);
		ck_assert_uint_eq((uint32_t)id, (uint32_t)old);
		ck_assert_uint_ne(id, old);
		ck_assert_ptr_null(idtable_find(&t, old));
		ck_assert_int_eq(idtable_remove(&t, old), -ENOENT);
		old = id;
	}
	if (keep != 0)
		ck_assert_ptr_eq(idtable_find(&t, keep), &things[1]);
	idtable_fini(&t);
}
END_TEST

START_TEST(generation_wraps_past_zero)
{
	struct idtable t;
	uint64_t a, b;

	ck_assert_int_eq(idtable_init(&t, 0), 0);
	t.generation = UINT32_MAX - 1;
	a = put(&t, &things[0]);
	b = put(&t, &things[1]);
	ck_assert_uint_eq(a >> 32, UINT32_MAX);
	ck_assert_uint_eq(b >> 32, 1);
	ck_assert_ptr_eq(idtable_find(&t, a), &things[0]);
	ck_assert_ptr_eq(idtable_find(&t, b), &things[1]);
	idtable_fini(&t);
}
END_TEST

/* Whatever comes from outside: nothing but a present id is found. */
START_TEST(strange_numbers)
{
	struct idtable t;
	uint64_t id[300];
	unsigned int state = 1;

	ck_assert_int_eq(idtable_init(&t, 0), 0);
	ck_assert_ptr_null(idtable_find(&t, 0));
	ck_assert_int_eq(idtable_remove(&t, 1ull << 32), -ENOENT);
	for (int i = 0; i < 300; i++)
		id[i] = put(&t, &things[i]);
	for (int bit = 0; bit < 64; bit++) {
		uint64_t strange[] = { 1ull << bit, UINT64_MAX << bit, UINT64_MAX >> bit,
				       id[0] ^ 1ull << bit, id[299] ^ 1ull << bit };

		for (size_t k = 0; k < ARRAY_SIZE(strange); k++) {
			bool present = false;

			for (int i = 0; i < 300; i++)
				present |= id[i] == strange[k];
			if (present)
				continue;
			ck_assert_ptr_null(idtable_find(&t, strange[k]));
			ck_assert_int_eq(idtable_remove(&t, strange[k]), -ENOENT);
		}
	}
	for (int i = 0; i < 100000; i++) {
		uint64_t strange =
			(uint64_t)(next_random(&state) % 400) << 32 | next_random(&state) % 600;
		const int *found = idtable_find(&t, strange);

		if (found != NULL && id[found - things] != strange)
			ck_abort_msg("%#llx was never given out", (unsigned long long)strange);
	}
	ck_assert_uint_eq(t.count, 300);
	idtable_fini(&t);
}
END_TEST

START_TEST(bad_arguments_change_nothing)
{
	struct idtable t;
	uint64_t id = 77;

	ck_assert_int_eq(idtable_init(&t, IDTABLE_MAX + 1), -EINVAL);
	ck_assert_int_eq(idtable_init(&t, UINT32_MAX), -EINVAL);
	ck_assert_ptr_null(kmem_cache_next(NULL));
	ck_assert_int_eq(idtable_init(&t, IDTABLE_MAX), 0);
	ck_assert_int_eq(idtable_alloc(&t, NULL, &id), -EINVAL);
	ck_assert_uint_eq(id, 77);
	ck_assert_uint_eq(t.count, 0);
	idtable_fini(&t);
}
END_TEST

START_TEST(full)
{
	struct idtable t;
	uint64_t id[300], more = 77;

	ck_assert_int_eq(idtable_init(&t, 300), 0);
	for (int i = 0; i < 300; i++)
		id[i] = put(&t, &things[i]);
	ck_assert_int_eq(idtable_alloc(&t, things, &more), -ENOSPC);
	ck_assert_uint_eq(more, 77);
	ck_assert_int_eq(idtable_remove(&t, id[5]), 0);
	ck_assert_int_eq(idtable_alloc(&t, things, &more), 0);
	ck_assert_int_eq(idtable_alloc(&t, things, &more), -ENOSPC);
	ck_assert_uint_eq(t.count, 300);
	idtable_fini(&t);
}
END_TEST

/* Each allocation inside fails once: the cache, the directory, its growth, a chunk. */
START_TEST(no_memory)
{
	struct idtable t;
	uint64_t id, first;

	kmem_fault_after(1);
	ck_assert_int_eq(idtable_init(&t, 0), -ENOMEM);
	ck_assert_int_eq(idtable_init(&t, 0), 0);
	for (long n = 1; n <= 2; n++) {
		id = 77;
		kmem_fault_after(n);
		ck_assert_int_eq(idtable_alloc(&t, things, &id), -ENOMEM);
		ck_assert_uint_eq(id, 77);
		ck_assert_uint_eq(t.count, 0);
		ck_assert_uint_eq(chunks(), 0);
	}
	first = put(&t, &things[0]);
	for (unsigned int i = 1; i < 16 * IDTABLE_CHUNK; i++)
		put(&t, &things[i]);
	for (long n = 1; n <= 2; n++) { /* now the directory is full, too */
		kmem_fault_after(n);
		ck_assert_int_eq(idtable_alloc(&t, things, &id), -ENOMEM);
		ck_assert_uint_eq(t.count, 16 * IDTABLE_CHUNK);
		ck_assert_ptr_eq(idtable_find(&t, first), &things[0]);
	}
	put(&t, &things[0]);
	idtable_fini(&t);
	ck_assert_ptr_null(kmem_cache_next(NULL));
}
END_TEST

START_TEST(chunks_come_and_go)
{
	enum { N = 10 * IDTABLE_CHUNK };
	static uint64_t id[N];
	struct idtable t, other;

	ck_assert_int_eq(idtable_init(&t, 0), 0);
	ck_assert_int_eq(idtable_init(&other, 0), 0);
	put(&other, things);
	ck_assert_uint_eq(chunks(), 1);
	for (int i = 0; i < N; i++) {
		id[i] = put(&t, &things[i]);
		ck_assert_uint_eq(chunks(), 1 + (unsigned long)i / IDTABLE_CHUNK + 1);
	}
	/* one entry keeps its chunk, the others free it */
	for (int i = 0; i < N; i++)
		if (i != 3 * IDTABLE_CHUNK + 5)
			ck_assert_int_eq(idtable_remove(&t, id[i]), 0);
	ck_assert_uint_eq(chunks(), 2);
	ck_assert_ptr_eq(idtable_find(&t, id[3 * IDTABLE_CHUNK + 5]),
			 &things[3 * IDTABLE_CHUNK + 5]);
	/* vacant places are used again: the indexes stay small */
	for (int i = 0; i < N - 1; i++)
		ck_assert_uint_lt((uint32_t)put(&t, things), N);
	ck_assert_uint_eq(chunks(), 11);
	idtable_fini(&t);
	ck_assert_uint_eq(chunks(), 1);
	idtable_fini(&other);
	ck_assert_ptr_null(kmem_cache_next(NULL));
}
END_TEST

START_TEST(walk)
{
	struct idtable t;
	uint64_t id[1000], pos = 0;
	int n = 0;

	ck_assert_int_eq(idtable_init(&t, 0), 0);
	ck_assert_ptr_null(idtable_next(&t, &pos));
	for (int i = 0; i < 1000; i++)
		id[i] = put(&t, &things[i]);
	/* a hole, a vacant chunk, and the ends */
	for (int i = 0; i < 1000; i++)
		if (i == 0 || i == 10 || (i >= 256 && i < 512) || i == 999)
			ck_assert_int_eq(idtable_remove(&t, id[i]), 0);
	for (const int *thing; (thing = idtable_next(&t, &pos)) != NULL; n++) {
		int i = (int)(thing - things);

		ck_assert_ptr_eq(idtable_find(&t, id[i]), thing);
		ck_assert_uint_eq(pos, (uint32_t)id[i] + 1ull);
		/* those that were there leave while we walk: this one, and one ahead */
		ck_assert_int_eq(idtable_remove(&t, id[i]), 0);
		if (i == 600)
			ck_assert_int_eq(idtable_remove(&t, id[601]), 0);
	}
	ck_assert_int_eq(n, 1000 - 3 - 256 - 1);
	ck_assert_uint_eq(t.count, 0);
	ck_assert_ptr_null(idtable_next(&t, &pos));
	pos = UINT64_MAX;
	ck_assert_ptr_null(idtable_next(&t, &pos));
	idtable_fini(&t);
}
END_TEST

/* A chunk's memory may have been another table's a moment ago. */
START_TEST(another_tables_past_is_not_found)
{
	struct idtable keep, t;
	uint64_t id[100];

	ck_assert_int_eq(idtable_init(&keep, 0), 0); /* so that the slab lives on */
	ck_assert_int_eq(idtable_init(&t, 0), 0);
	for (int i = 0; i < 100; i++)
		id[i] = put(&t, &things[i]);
	idtable_fini(&t);
	ck_assert_int_eq(idtable_init(&t, 0), 0);
	ck_assert_uint_eq(put(&t, things), id[0]);
	for (int i = 1; i < 100; i++)
		ck_assert_ptr_null(idtable_find(&t, id[i]));
	idtable_fini(&t);
	idtable_fini(&keep);
}
END_TEST

/* ------------------------------------------------------- numbers of a table before */

/* A table of things[i] under id[i], put in from the last to the first; 0: none. */
static void succeed(struct idtable *t, const uint64_t *id, unsigned int n)
{
	ck_assert_int_eq(idtable_init(t, 0), 0);
	for (unsigned int i = n; i-- > 0;)
		if (id[i] != 0)
			ck_assert_int_eq(idtable_insert_at(t, id[i], &things[i]), 0);
}

START_TEST(successor_has_the_same_numbers)
{
	enum { N = 1000 };
	uint64_t id[N], more, pos = 0;
	struct idtable old, t;
	unsigned int live = 0, seen = 0;

	ck_assert_int_eq(idtable_init(&old, 0), 0);
	for (int i = 0; i < N; i++)
		id[i] = put(&old, &things[i]);
	/* holes, a vacant chunk, and the ends */
	for (int i = 0; i < N; i++) {
		if (i % 7 == 0 || (i >= 256 && i < 512) || i == N - 1) {
			ck_assert_int_eq(idtable_remove(&old, id[i]), 0);
			id[i] = 0;
		}
		live += id[i] != 0;
	}
	idtable_fini(&old);

	succeed(&t, id, N);
	ck_assert_uint_eq(t.count, live);
	for (int i = 0; i < N; i++)
		if (id[i] != 0)
			ck_assert_ptr_eq(idtable_find(&t, id[i]), &things[i]);
	for (const int *p; (p = idtable_next(&t, &pos)) != NULL; seen++)
		ck_assert_uint_ne(id[p - things], 0);
	ck_assert_uint_eq(seen, live);
	/* Every free slot below is used before the table grows, and no number comes twice. */
	for (unsigned int i = live; i < 4 * IDTABLE_CHUNK; i++) {
		more = put(&t, &things[N + i]);
		ck_assert_uint_lt((uint32_t)more, 4 * IDTABLE_CHUNK);
		ck_assert_uint_gt(more >> 32, N - 2);
	}
	ck_assert_uint_eq((uint32_t)put(&t, things), 4 * IDTABLE_CHUNK);
	ck_assert_uint_eq(chunks(), 5);
	for (int i = 0; i < N; i++)
		if (id[i] != 0)
			ck_assert_int_eq(idtable_remove(&t, id[i]), 0);
	idtable_fini(&t);
	ck_assert_ptr_null(kmem_cache_next(NULL));
}
END_TEST

/* Into a table that lives: a free slot in the middle of a chunk's list, and one that is fresh. */
START_TEST(insert_between_others)
{
	uint64_t id[100], again;
	struct idtable t;

	ck_assert_int_eq(idtable_init(&t, 0), 0);
	for (int i = 0; i < 100; i++)
		id[i] = put(&t, &things[i]);
	for (int i = 10; i < 20; i++)
		ck_assert_int_eq(idtable_remove(&t, id[i]), 0);
	again = id[15] + (1ull << 40);
	ck_assert_int_eq(idtable_insert_at(&t, again, &things[15]), 0);
	ck_assert_ptr_eq(idtable_find(&t, again), &things[15]);
	ck_assert_ptr_null(idtable_find(&t, id[15]));
	ck_assert_int_eq(idtable_insert_at(&t, 1ull << 32 | 200, &things[200]), 0);
	/* The nine others, then those that were jumped over, then the rest of the chunk. */
	for (unsigned int i = 0; i < IDTABLE_CHUNK - 92; i++) {
		uint64_t more = put(&t, &things[300 + i]);

		ck_assert_uint_lt((uint32_t)more, IDTABLE_CHUNK);
		ck_assert_uint_eq(more >> 32, (again >> 32) + 1 + i);
	}
	ck_assert_uint_eq(t.count, IDTABLE_CHUNK);
	ck_assert_uint_eq(chunks(), 1);
	idtable_fini(&t);
}
END_TEST

START_TEST(insert_after_the_counter_wrapped)
{
	struct idtable t;

	ck_assert_int_eq(idtable_init(&t, 0), 0);
	ck_assert_int_eq(idtable_insert_at(&t, (uint64_t)(UINT32_MAX - 1) << 32, &things[0]), 0);
	ck_assert_int_eq(idtable_insert_at(&t, 3ull << 32 | 1, &things[1]), 0);
	ck_assert_int_eq(idtable_insert_at(&t, (uint64_t)UINT32_MAX << 32 | 2, &things[2]), 0);
	ck_assert_uint_eq(put(&t, &things[3]) >> 32, 4);
	idtable_fini(&t);
}
END_TEST

START_TEST(insert_refuses)
{
	uint64_t id[2];
	struct idtable t;

	ck_assert_int_eq(idtable_init(&t, 3), 0);
	id[0] = put(&t, &things[0]);
	id[1] = put(&t, &things[1]);
	ck_assert_int_eq(idtable_insert_at(&t, id[1] + (1ull << 32), NULL), -EINVAL);
	ck_assert_int_eq(idtable_insert_at(&t, 7, things), -EINVAL);	 /* generation 0 */
	ck_assert_int_eq(idtable_insert_at(&t, 1ull << 32 | IDTABLE_MAX, things), -EINVAL);
	ck_assert_int_eq(idtable_insert_at(&t, UINT64_MAX, things), -EINVAL);
	ck_assert_int_eq(idtable_insert_at(&t, id[0], things), -EEXIST);
	ck_assert_int_eq(idtable_insert_at(&t, id[0] ^ 1ull << 40, things), -EEXIST);
	for (long n = 1; n <= 2; n++) { /* the directory's growth, a chunk */
		kmem_fault_after(n);
		ck_assert_int_eq(idtable_insert_at(&t, 9ull << 32 | 5000, things), -ENOMEM);
		ck_assert_ptr_null(idtable_find(&t, 9ull << 32 | 5000));
	}
	ck_assert_uint_eq(t.count, 2);
	ck_assert_uint_eq(put(&t, &things[2]), (id[1] + (1ull << 32) + 1));
	ck_assert_int_eq(idtable_insert_at(&t, 9ull << 32 | 9, things), -ENOSPC);
	ck_assert_ptr_eq(idtable_find(&t, id[0]), &things[0]);
	idtable_fini(&t);
	ck_assert_ptr_null(kmem_cache_next(NULL));
}
END_TEST

/* Steps at random against an array of what must be there; walks see exactly that. */
START_TEST(random_steps)
{
	enum { N = 5000, OLD = 64 };
	static uint64_t id[N], old[OLD];
	unsigned int steps = on_valgrind() ? 30000 : 300000, state = (unsigned int)_i + 1, live = 0;
	struct idtable t;

	memset(id, 0, sizeof(id)); /* with CK_FORK=no the last round's are still there */
	memset(old, 0, sizeof(old));
	ck_assert_int_eq(idtable_init(&t, 0), 0);
	for (unsigned int step = 0; step < steps; step++) {
		unsigned int i = next_random(&state) % N;
		bool fill = step / 20000 % 2 == 0;

		if (id[i] == 0 && (fill || step % 8 == 0)) {
			id[i] = put(&t, &things[i]);
			live++;
		} else if (id[i] != 0 && (!fill || step % 8 == 0)) {
			if (idtable_remove(&t, id[i]) != 0)
				ck_abort_msg("%u was lost", i);
			old[step % OLD] = id[i];
			id[i] = 0;
			live--;
		}
		if (idtable_find(&t, id[i]) != (id[i] != 0 ? &things[i] : NULL) ||
		    idtable_find(&t, old[step * 7 % OLD]) != NULL || t.count != live)
			ck_abort_msg("step %u", step);
		if (step % 50000 == 49999) {
			struct idtable before = t;

			succeed(&t, id, N);
			idtable_fini(&before);
		}
		if (step % 10000 == 0) {
			unsigned int seen = 0;
			uint64_t pos = 0, before = 0;

			for (const int *p; (p = idtable_next(&t, &pos)) != NULL; seen++) {
				if (id[p - things] == 0 || pos <= before)
					ck_abort_msg("walk at %llu", (unsigned long long)pos);
				before = pos;
			}
			ck_assert_uint_eq(seen, live);
		}
	}
	idtable_fini(&t);
	ck_assert_ptr_null(kmem_cache_next(NULL));
}
END_TEST

START_TEST(a_million)
{
	unsigned int n = on_valgrind() ? 50000 : 1000000;
	uint64_t *id = malloc(n * sizeof(*id));
	struct idtable t;

	ck_assert_ptr_nonnull(id);
	ck_assert_int_eq(idtable_init(&t, 0), 0);
	for (unsigned int i = 0; i < n; i++) {
		id[i] = put(&t, &things[i % 5000]);
		if ((uint32_t)id[i] != i)
			ck_abort_msg("entry %u has index %u", i, (uint32_t)id[i]);
	}
	ck_assert_uint_eq(chunks(), (n + IDTABLE_CHUNK - 1) / IDTABLE_CHUNK);
	for (unsigned int i = 0; i < n; i++)
		if (idtable_find(&t, id[i]) != &things[i % 5000] || idtable_remove(&t, id[i]) != 0)
			ck_abort_msg("entry %u was lost", i);
	ck_assert_uint_eq(t.count, 0);
	ck_assert_uint_eq(chunks(), 0);
	idtable_fini(&t);
	free(id);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("idtable");
	TCase *tc = tcase_create("idtable");

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, put_find_remove);
	tcase_add_loop_test(tc, used_again_slot_gets_a_new_number, 0, 2);
	tcase_add_test(tc, generation_wraps_past_zero);
	tcase_add_test(tc, strange_numbers);
	tcase_add_test(tc, bad_arguments_change_nothing);
	tcase_add_test(tc, full);
	tcase_add_test(tc, no_memory);
	tcase_add_test(tc, chunks_come_and_go);
	tcase_add_test(tc, walk);
	tcase_add_test(tc, another_tables_past_is_not_found);
	tcase_add_test(tc, successor_has_the_same_numbers);
	tcase_add_test(tc, insert_between_others);
	tcase_add_test(tc, insert_after_the_counter_wrapped);
	tcase_add_test(tc, insert_refuses);
	tcase_add_loop_test(tc, random_steps, 0, 3);
	tcase_add_test(tc, a_million);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
