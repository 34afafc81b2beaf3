/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages that were being read when the process died: the kernel has copied some pages, and
 * the next one finds out.
 */
#include "config.h"

#include "fuse/whole.h"

#include <string.h>
#include <unistd.h>

#include "lib/util.h"
#include "unit.h"

#define PAGES 5
#define PAGE_MAX 65536

static _Alignas(PAGE_MAX) char buf[PAGES * PAGE_MAX];
static size_t page;

static void setup(void)
{
	page = (size_t)sysconf(_SC_PAGESIZE);
	memset(buf, 'b', sizeof(buf));
	whole_mark(buf, PAGES * page);
}

/* As the kernel copies a message of @len bytes until it fails in page @pages. */
static void receive(size_t len, size_t pages)
{
	memset(buf, 'm', min(len, pages * page));
}

START_TEST(test_each_page)
{
	const size_t lens[] = {page + 1, page + 8, 2 * page - 1, 2 * page, 2 * page + 1, 5 * page};

	for (size_t i = 0; i < ARRAY_SIZE(lens); i++) {
		size_t pages = (lens[i] + page - 1) / page;

		for (size_t n = 1; n <= pages; n++) {
			setup();
			receive(lens[i], n);
			ck_assert_msg(whole_is(buf, lens[i]) == (n == pages), "%zu of %zu pages of %zu bytes",
				      n, pages, lens[i]);
		}
	}
}
END_TEST

/* They are copied at once, or not at all. */
START_TEST(test_one_page)
{
	ck_assert(whole_is(buf, 0));
	ck_assert(whole_is(buf, 40));
	ck_assert(whole_is(buf, page));
	ck_assert(!whole_is(buf, page + 1));
}
END_TEST

/* What the last message has left is no message, and only what it reached is marked again. */
START_TEST(test_marked_again)
{
	receive(5 * page, PAGES);
	whole_mark(buf, 2 * page);
	ck_assert(!whole_is(buf, 2 * page));
	ck_assert(whole_is(buf, 3 * page));
	whole_mark(buf, 5 * page);
	ck_assert(!whole_is(buf, 3 * page));
	ck_assert(!whole_is(buf, 5 * page));
	/* All that is not a mark is left. */
	ck_assert_int_eq(buf[0], 'm');
	ck_assert_int_eq(buf[page + 8], 'm');
	ck_assert_int_eq(buf[2 * page - 1], 'm');
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("whole");
	TCase *tc = tcase_create("whole");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, test_each_page);
	tcase_add_test(tc, test_one_page);
	tcase_add_test(tc, test_marked_again);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
