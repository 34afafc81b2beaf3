/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hash, against the values that its authors publish (test_fnv.c of their distribution).
 */
#include "config.h"

#include <string.h>

#include "lib/fnv.h"
#include "lib/util.h"

#include "unit.h"

START_TEST(known_values)
{
	static const struct {
		const char *text;
		uint64_t hash;
	} known[] = {
		{"", 0xcbf29ce484222325},
		{"a", 0xaf63dc4c8601ec8c},
		{"b", 0xaf63df4c8601f1a5},
		{"fo", 0x08985907b541d342},
		{"foobar", 0x85944171f73967e8},
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		ck_assert_uint_eq(fnv1a(FNV1A_BASIS, known[i].text, strlen(known[i].text)),
				  known[i].hash);
}
END_TEST

START_TEST(in_pieces_as_in_one)
{
	ck_assert_uint_eq(fnv1a(fnv1a(FNV1A_BASIS, "foo", 3), "bar", 3),
			  fnv1a(FNV1A_BASIS, "foobar", 6));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fnv");
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, known_values);
	tcase_add_test(tc, in_pieces_as_in_one);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
