/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of the steps of a kiocb: who is told of its end, and in which order. */
#include "config.h"

#include "fs/fs.h"
#include "unit.h"

static char told[32]; /* the letters of those who were told */
static ssize_t told_ret;

static void note(char who)
{
	size_t len = strlen(told);

	ck_assert_uint_lt(len + 1, sizeof(told));
	told[len] = who;
	told[len + 1] = '\0';
}

static void on_asked(struct kiocb *iocb, ssize_t ret)
{
	ck_assert_uint_eq(iocb->ki_nr_steps, 0);
	note('a');
	told_ret = ret;
}

static void on_step(struct kiocb *iocb, ssize_t ret)
{
	const char *who = kiocb_pop(iocb);

	note(*who);
	iocb->ki_complete(iocb, ret + 1);
}

/* Goes on once more before it is done. */
static void on_again(struct kiocb *iocb, ssize_t ret)
{
	char *who = iocb->ki_private;

	note(*who);
	if (*who == 'x') {
		*who = 'y';
		kiocb_push(iocb, on_step, (void *)"w");
		iocb->ki_complete(iocb, ret);
		return;
	}
	(void)kiocb_pop(iocb);
	iocb->ki_complete(iocb, ret);
}

static struct kiocb begin(void)
{
	told[0] = '\0';
	told_ret = -1;
	return (struct kiocb){.ki_complete = on_asked};
}

START_TEST(who_pushed_last_is_told_first)
{
	struct kiocb iocb = begin();

	kiocb_push(&iocb, on_step, (void *)"b");
	kiocb_push(&iocb, on_step, (void *)"c");
	kiocb_push(&iocb, on_step, (void *)"d");
	iocb.ki_complete(&iocb, 10);
	ck_assert_str_eq(told, "dcba");
	ck_assert_int_eq(told_ret, 13);
}
END_TEST

START_TEST(popped_is_not_told)
{
	struct kiocb iocb = begin();
	char own[] = "own";

	iocb.ki_private = own;
	kiocb_push(&iocb, on_step, (void *)"b");
	kiocb_push(&iocb, on_step, (void *)"c");
	ck_assert_str_eq(kiocb_pop(&iocb), "c");
	ck_assert_str_eq(iocb.ki_private, "b");
	ck_assert_str_eq(kiocb_pop(&iocb), "b");
	ck_assert_ptr_eq(iocb.ki_private, own);
	iocb.ki_complete(&iocb, 0);
	ck_assert_str_eq(told, "a");
}
END_TEST

START_TEST(a_step_may_go_on)
{
	struct kiocb iocb = begin();
	char who[] = "x";

	kiocb_push(&iocb, on_again, who);
	iocb.ki_complete(&iocb, 0);
	ck_assert_str_eq(told, "xwya");
	ck_assert_int_eq(told_ret, 1);
}
END_TEST

START_TEST(there_is_room)
{
	struct kiocb iocb = begin();

	for (int i = 0; i < KIOCB_STEPS; i++)
		kiocb_push(&iocb, on_step, (void *)"b");
	iocb.ki_complete(&iocb, 0);
	ck_assert_int_eq(told_ret, KIOCB_STEPS);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("kiocb");
	TCase *tc = tcase_create("kiocb");

	tcase_add_test(tc, who_pushed_last_is_told_first);
	tcase_add_test(tc, popped_is_not_told);
	tcase_add_test(tc, a_step_may_go_on);
	tcase_add_test(tc, there_is_room);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
