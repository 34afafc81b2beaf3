/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of mm/slab: what a debug cache finds, and what AddressSanitizer sees of the slab. */
#include "config.h"

#include "mm/slab.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>

#ifdef SLAB_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

#include "slab_unit.h"

static struct capture log_lines;

/* One line was logged, and it is this finding about @obj. */
static void expect_bug(struct kmem_cache *s, const char *what, const void *obj)
{
	char line[256], address[32];

	capture_end(&log_lines);
	snprintf(line, sizeof(line), "sockfs: BUG %s (slab): %s", kmem_cache_name(s), what);
	snprintf(address, sizeof(address), ": object 0x%lx", (unsigned long)obj);
	ck_assert_msg(strstr(log_lines.text, line) == log_lines.text, "%s", log_lines.text);
	ck_assert_msg(strstr(log_lines.text, address) != NULL, "%s", log_lines.text);
	ck_assert_int_eq(count_of(log_lines.text, "\n"), 1);
}

START_TEST(double_free)
{
	struct kmem_cache *s = cache("twice", 40, SLAB_CONSISTENCY_CHECKS);
	void *a = take(s), *b = take(s);

	kmem_cache_free(s, a);
	capture_begin(&log_lines);
	kmem_cache_free(s, a);
	expect_bug(s, "Object already free", a);
	ck_assert_uint_eq(info(s).active_objs, 1);
	ck_assert_ptr_eq(take(s), a);
	ck_assert_ptr_ne(take(s), a); /* it is in the free list once only */
	kmem_cache_free(s, b);
}
END_TEST

/* Pointers to all sorts of things that are no object of the cache. */
START_TEST(foreign_pointer)
{
	struct kmem_cache *s = cache("mine", 40, SLAB_CONSISTENCY_CHECKS);
	struct kmem_cache *other = cache("other", 40, SLAB_CONSISTENCY_CHECKS);
	char *a = take(s), *b = take(other), on_stack[64], *on_heap = malloc(64);
	size_t slab = 4096u << info(s).cache_order;
	char *page = (char *)((uintptr_t)a & ~(uintptr_t)(slab - 1));
	const struct {
		void *obj;
		const char *what;
	} cases[] = {
		{ NULL, "Attempt to free object outside of slab" },
		{ (void *)-1, "Attempt to free object outside of slab" },
		{ (void *)8, "Attempt to free object outside of slab" },
		{ on_stack, "Attempt to free object outside of slab" },
		{ on_heap, "Attempt to free object outside of slab" },
		{ s, "Attempt to free object outside of slab" },
		{ b, "Wrong slab cache, it is from other" },
		{ a + 1, "Invalid object pointer" },
		{ a + 8, "Invalid object pointer" },
		{ page, "Invalid object pointer" },
		{ page + slab - 1, "Invalid object pointer" },
	};

	capture_begin(&log_lines);
	kmem_cache_free(s, cases[_i].obj);
	expect_bug(s, cases[_i].what, cases[_i].obj);
	ck_assert_uint_eq(info(s).active_objs, 1);
	kmem_cache_free(s, a);
	kmem_cache_free(other, b);
	free(on_heap);
	ck_assert_int_eq(kmem_cache_destroy(s), 0);
	ck_assert_int_eq(kmem_cache_destroy(other), 0);
}
END_TEST

#define FOREIGN_CASES 11

/* One byte past the end, one before the beginning; used (0, 1) and free objects (2, 3). */
START_TEST(red_zone_overwritten)
{
	struct kmem_cache *s = cache("red", 44, SLAB_RED_ZONE);
	bool left = _i & 1, is_free = _i & 2;
	unsigned char *a = take(s), *b;

	ck_assert_int_eq(peek(a, -1), SLUB_RED_ACTIVE);
	ck_assert_int_eq(peek(a, 44), SLUB_RED_ACTIVE);
	if (is_free) {
		kmem_cache_free(s, a);
		ck_assert_int_eq(peek(a, -1), SLUB_RED_INACTIVE);
		ck_assert_int_eq(peek(a, 44), SLUB_RED_INACTIVE);
	}
	poke(a, left ? -1 : 44, 'x');
	capture_begin(&log_lines);
	if (is_free)
		b = take(s);
	else
		kmem_cache_free(s, a);
	expect_bug(s, left ? "Left Redzone overwritten" : "Right Redzone overwritten", a);
	if (!is_free)
		b = take(s);
	ck_assert_ptr_ne(a, b); /* nobody gets it any more */
	ck_assert_uint_eq(info(s).active_objs, 2);

	capture_begin(&log_lines);
	kmem_cache_free(s, a);
	expect_bug(s, "Object already free", a);
}
END_TEST

START_TEST(poison_overwritten)
{
	struct kmem_cache *s = cache("poison", 44, SLAB_POISON);
	unsigned char *a = take(s);

	memset(a, 1, 44);
	kmem_cache_free(s, a);
	for (int i = 0; i < 43; i++)
		ck_assert_int_eq(peek(a, i), POISON_FREE);
	ck_assert_int_eq(peek(a, 43), POISON_END);
	poke(a, _i, 0);
	capture_begin(&log_lines);
	ck_assert_ptr_ne(take(s), a);
	expect_bug(s, "Poison overwritten", a);
}
END_TEST

/* -------------------------------------------------------------- AddressSanitizer */

#ifdef SLAB_ASAN
/* 0: a freed object, 1: one that was never given out, 2: the gap behind a used one, 3: a used one */
START_TEST(asan_sees_stray_access)
{
	struct kmem_cache *s = cache("asan", 40, 0);
	volatile char *a = take(s);
	int status, null;
	pid_t pid;

	if (_i < 2)
		kmem_cache_free(s, (void *)a);
	if (_i == 1)
		a += info(s).objsize;
	if (_i == 2)
		a += 40;
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		null = open("/dev/null", O_WRONLY);
		__sanitizer_set_report_fd((void *)(intptr_t)null);
		*a = 1;
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(WIFEXITED(status) && WEXITSTATUS(status) == 0, _i == 3);
}
END_TEST
#endif

int main(void)
{
	Suite *suite = suite_create("slab_debug");
	TCase *tc = tcase_create("slab_debug");

	tcase_add_test(tc, double_free);
	tcase_add_loop_test(tc, foreign_pointer, 0, FOREIGN_CASES);
	tcase_add_loop_test(tc, red_zone_overwritten, 0, 4);
	tcase_add_loop_test(tc, poison_overwritten, 0, 44);
#ifdef SLAB_ASAN
	tcase_add_loop_test(tc, asan_sees_stray_access, 0, 4);
#endif
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
