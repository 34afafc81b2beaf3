/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text that is made at open: what is appended, where it is read, when it fails. */
#include "config.h"

#include <check.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>

#include "fs/seq_file.h"
#include "fs_unit.h"

static struct inode *inode;
static struct kiocb iocb;
static unsigned int ended;
static int end_ret;

static void on_complete(struct kiocb *io, ssize_t ret)
{
	(void)io;
	ended++;
	end_ret = (int)ret;
}

static void begin_work(struct super_block *s)
{
	(void)s;
}

static void setup(void)
{
	fs_up();
	inode = make_file(sb.s_root, "table");
	iocb = (struct kiocb){.ki_complete = on_complete};
	ended = 0;
}

static struct file *new_file(unsigned int flags)
{
	struct file *file = alloc_file(inode, flags);

	ck_assert_ptr_nonnull(file);
	iocb.ki_filp = file;
	return file;
}

/* What a read of @size bytes at @pos gives. */
static const char *text_at(struct file *file, uint64_t pos, size_t size)
{
	static char buf[100000];
	struct iov_iter to;
	struct kiocb io = {.ki_filp = file, .ki_pos = pos};
	ssize_t n;

	iov_iter_ubuf(&to, buf, size);
	n = seq_read_iter(&io, &to);
	ck_assert_int_ge(n, 0);
	buf[n] = '\0';
	return buf;
}

static bool show_widths(struct seq_file *m, void *data)
{
	seq_puts(m, data);
	seq_setwidth(m, 6);
	seq_printf(m, "%d", 7);
	seq_pad(m, '|');
	seq_setwidth(m, 2);
	seq_puts(m, "long");
	seq_pad(m, '\n');
	return false;
}

START_TEST(text_and_widths)
{
	struct file *file = new_file(O_RDONLY);
	char head[] = "head ";

	ck_assert_int_eq(single_open(file, &iocb, show_widths, head), 0);
	ck_assert_str_eq(text_at(file, 0, 100), "head 7     |long\n");
	ck_assert_str_eq(text_at(file, 3, 4), "d 7 ");
	ck_assert_str_eq(text_at(file, 16, 4), "\n");
	ck_assert_str_eq(text_at(file, 17, 4), "");
	ck_assert_str_eq(text_at(file, UINT64_MAX, 4), "");
	single_release(inode, file);
	file_discard(file);
	ck_assert_uint_eq(ended, 0);
}
END_TEST

START_TEST(not_for_writing)
{
	struct file *file = new_file(O_RDWR);
	char head[] = "";

	ck_assert_int_eq(single_open(file, &iocb, show_widths, head), -EPERM);
	file_discard(file);
}
END_TEST

/* Ten pieces of a thousand bytes. */
static bool show_pieces(struct seq_file *m, void *data)
{
	(void)data;
	seq_printf(m, "%999llu\n", (unsigned long long)m->nr);
	return ++m->nr < 10;
}

static void check_pieces(struct file *file)
{
	ck_assert_uint_eq(strlen(text_at(file, 0, 99999)), 10000);
	ck_assert_str_eq(text_at(file, 9998, 99), "9\n");
	single_release(inode, file);
	file_discard(file);
}

START_TEST(pieces_at_once_without_a_loop)
{
	struct file *file = new_file(O_RDONLY);

	ck_assert_int_eq(single_open(file, &iocb, show_pieces, NULL), 0);
	check_pieces(file);
}
END_TEST

START_TEST(pieces_in_turns)
{
	struct file *file = new_file(O_RDONLY);
	int turns = 1;

	sb.s_begin_work = begin_work;
	ck_assert_int_eq(single_open(file, &iocb, show_pieces, NULL), -EIOCBQUEUED);
	do
		turns++;
	while (run_work(&sb));
	ck_assert_int_eq(turns, 10);
	ck_assert_uint_eq(ended, 1);
	ck_assert_int_eq(end_ret, 0);
	check_pieces(file);
}
END_TEST

START_TEST(cancelled_between_pieces)
{
	struct file *file = new_file(O_RDONLY);

	sb.s_begin_work = begin_work;
	ck_assert_int_eq(single_open(file, &iocb, show_pieces, NULL), -EIOCBQUEUED);
	ck_assert(run_work(&sb));
	iocb.ki_cancel(&iocb, -EINTR);
	ck_assert_uint_eq(ended, 1);
	ck_assert_int_eq(end_ret, -EINTR);
	ck_assert(!run_work(&sb));
	file_discard(file);
}
END_TEST

/* The loop has gone meanwhile: the rest is done at once. */
START_TEST(the_loop_ends_between_pieces)
{
	struct file *file = new_file(O_RDONLY);

	sb.s_begin_work = begin_work;
	ck_assert_int_eq(single_open(file, &iocb, show_pieces, NULL), -EIOCBQUEUED);
	sb.s_begin_work = NULL;
	ck_assert(!run_work(&sb));
	ck_assert_int_eq(end_ret, 0);
	check_pieces(file);
}
END_TEST

START_TEST(out_of_memory)
{
	for (int turns = 0; turns < 2; turns++) {
		long n = 0;
		int err;

		sb.s_begin_work = turns ? begin_work : NULL;
		do {
			struct file *file = new_file(O_RDONLY);

			kmem_fault_after(++n);
			err = single_open(file, &iocb, show_pieces, NULL);
			if (err == -EIOCBQUEUED) {
				while (run_work(&sb))
					;
				err = end_ret;
			}
			ck_assert(err == 0 || err == -ENOMEM);
			if (err == 0)
				single_release(inode, file);
			kmem_fault_after(-1);
			file_discard(file);
		} while (err != 0);
		/* Itself, its text, and two doublings of it. */
		ck_assert_int_eq(n, 5);
	}
}
END_TEST

static TCase *tests(void)
{
	TCase *t = tcase_create("seq_file");

	tcase_add_checked_fixture(t, setup, fs_down);
	tcase_add_test(t, text_and_widths);
	tcase_add_test(t, not_for_writing);
	tcase_add_test(t, pieces_at_once_without_a_loop);
	tcase_add_test(t, pieces_in_turns);
	tcase_add_test(t, cancelled_between_pieces);
	tcase_add_test(t, the_loop_ends_between_pieces);
	tcase_add_test(t, out_of_memory);
	return t;
}

int main(void)
{
	Suite *s = suite_create("seq_file");

	suite_add_tcase(s, tests());
	return unit_run(s);
}
