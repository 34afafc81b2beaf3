/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the bytes of a request go: memory and pipes. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>

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

static struct iov_iter pipe_iter(int fds[2], size_t count)
{
	ck_assert_int_eq(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
	return (struct iov_iter){.iter_type = ITER_PIPE, .pipe = fds[1], .count = count};
}

static void pipe_close(const int fds[2])
{
	close(fds[0]);
	close(fds[1]);
}

START_TEST(pipes)
{
	char got[16] = "";
	int fds[2];
	struct iov_iter i = pipe_iter(fds, 6);

	ck_assert_int_eq(copy_to_iter("abcd", 4, &i), 4);
	ck_assert_uint_eq(i.count, 2);
	ck_assert_int_eq(copy_to_iter("efgh", 4, &i), 2);
	ck_assert_int_eq(copy_to_iter("ijkl", 4, &i), 0);
	ck_assert_int_eq(read(fds[0], got, sizeof(got)), 6);
	ck_assert_str_eq(got, "abcdef");
	pipe_close(fds);
}
END_TEST

START_TEST(a_full_pipe)
{
	static char page[4096];
	int fds[2];
	struct iov_iter i = pipe_iter(fds, 1 << 24);
	size_t all = 0;
	ssize_t n;

	while ((n = copy_to_iter(page, sizeof(page), &i)) > 0)
		all += (size_t)n;
	/* Refused, and where it stood before. */
	ck_assert_int_eq(n, -EAGAIN);
	ck_assert_uint_eq(i.count, (1 << 24) - all);
	ck_assert_int_gt(read(fds[0], page, sizeof(page)), 0);
	ck_assert_int_gt(copy_to_iter(page, sizeof(page), &i), 0);
	pipe_close(fds);
}
END_TEST

START_TEST(a_pipe_that_nobody_reads)
{
	int fds[2];
	struct iov_iter i = pipe_iter(fds, 10);

	signal(SIGPIPE, SIG_IGN);
	close(fds[0]);
	ck_assert_int_eq(copy_to_iter("x", 1, &i), -EPIPE);
	ck_assert_uint_eq(i.count, 10);
	close(fds[1]);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("iov_iter");
	TCase *tc = tcase_create("iov_iter");

	tcase_add_test(tc, memory);
	tcase_add_test(tc, pipes);
	tcase_add_test(tc, a_full_pipe);
	tcase_add_test(tc, a_pipe_that_nobody_reads);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
