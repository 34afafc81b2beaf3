/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the bytes of a request go: memory and pipes. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>

#include "fs/fs.h"
#include "unit.h"

START_TEST(memory)
{
	char buf[] = "..........";
	struct iov_iter i;

	iov_iter_ubuf(&i, buf, 8);
	ck_assert_int_eq(copy_to_iter("abc", 3, &i), 3);
	ck_assert_uint_eq(i.count, 5);
	ck_assert_ptr_eq(i.buf, buf + 3);
	ck_assert_int_eq(copy_to_iter("", 0, &i), 0);
	iov_iter_advance(&i, 1);
	/* As much as there is room for. */
	ck_assert_int_eq(copy_to_iter("0123456789", 10, &i), 4);
	ck_assert_str_eq(buf, "abc.0123..");
	ck_assert_uint_eq(i.count, 0);
	ck_assert_int_eq(copy_to_iter("x", 1, &i), 0);
	ck_assert_str_eq(buf, "abc.0123..");
}
END_TEST

/* What the daemon makes itself is copied, and the pipe left as it is. */
START_TEST(pipes)
{
	struct iter_pipe to;
	char buf[] = "..........", got[16];
	struct iov_iter i;
	int fds[2];

	ck_assert_int_eq(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
	to.fd = fds[1];
	iov_iter_pipe(&i, &to, buf, 6);
	iov_iter_advance(&i, 1);
	ck_assert_uint_eq(i.count, 5);
	ck_assert_ptr_eq(i.buf, buf);
	iov_iter_pipe(&i, &to, buf, 6);
	ck_assert_int_eq(copy_to_iter("", 0, &i), 0);
	ck_assert_int_eq(i.iter_type, ITER_PIPE);
	ck_assert_int_eq(copy_to_iter("abcd", 4, &i), 4);
	ck_assert_int_eq(i.iter_type, ITER_UBUF);
	ck_assert_uint_eq(i.count, 2);
	ck_assert_int_eq(copy_to_iter("efgh", 4, &i), 2);
	ck_assert_int_eq(copy_to_iter("ijkl", 4, &i), 0);
	ck_assert_str_eq(buf, "abcdef....");
	ck_assert_int_eq(read(fds[0], got, sizeof(got)), -1);
	ck_assert_int_eq(errno, EAGAIN);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("iov_iter");
	TCase *tc = tcase_create("iov_iter");

	tcase_add_test(tc, memory);
	tcase_add_test(tc, pipes);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
