/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The groups of a process, by proc(5). */
#include "config.h"

#include <grp.h>
#include <unistd.h>

#include "lib/task_groups.h"
#include "unit.h"

#define GROUPS_MAX 64

/* This process's in @ret; as root three that nobody has. Their number. */
static int own_groups(gid_t *ret)
{
	static const gid_t some[] = {54321, 54322, 4000000000};

	if (geteuid() == 0)
		ck_assert_int_eq(setgroups(3, some), 0);
	return getgroups(GROUPS_MAX, ret);
}

START_TEST(as_the_kernel_says)
{
	gid_t mine[GROUPS_MAX], *found;
	int n = own_groups(mine);
	size_t nr;

	ck_assert_int_ge(n, geteuid() == 0 ? 3 : 0);
	ck_assert_int_eq(task_groups(getpid(), geteuid(), &found, &nr), 0);
	ck_assert_uint_eq(nr, (size_t)n);
	if (n > 0)
		ck_assert_mem_eq(found, mine, nr * sizeof(mine[0]));
	free(found);
}
END_TEST

/* A number that has come to be another user's process by now lends nobody its groups. */
START_TEST(of_another_user)
{
	gid_t mine[GROUPS_MAX], *found;
	size_t nr;

	(void)own_groups(mine);
	ck_assert_int_eq(task_groups(getpid(), geteuid() + 1, &found, &nr), 0);
	ck_assert_uint_eq(nr, 0);
	ck_assert_ptr_null(found);
}
END_TEST

/* One of another process namespace has the number 0 here. */
START_TEST(of_nobody)
{
	gid_t *found;
	size_t nr;

	ck_assert_int_eq(task_groups(0, geteuid(), &found, &nr), 0);
	ck_assert_uint_eq(nr, 0);
	ck_assert_ptr_null(found);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("task_groups");
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, as_the_kernel_says);
	tcase_add_test(tc, of_another_user);
	tcase_add_test(tc, of_nobody);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
