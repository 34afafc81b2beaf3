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

/* ----------------------------------------------------------------------- sharing */

static unsigned int made; /* how often show_version has begun */
static unsigned int version;

/* Three pieces of a text that says when it was begun. */
static bool show_version(struct seq_file *m, void *data)
{
	(void)data;
	if (m->pos == 0) {
		made++;
		m->nr = version;
	}
	seq_printf(m, "%llu", (unsigned long long)m->nr);
	return ++m->pos < 3;
}

struct reader {
	struct kiocb iocb;
	struct file *file;
	int ret; /* 1: waits */
};

static void reader_complete(struct kiocb *io, ssize_t ret)
{
	container_of(io, struct reader, iocb)->ret = (int)ret;
}

static void reader_open(struct reader *r)
{
	int err;

	r->iocb = (struct kiocb){.ki_complete = reader_complete};
	r->file = alloc_file(inode, O_RDONLY);
	r->iocb.ki_filp = r->file;
	r->ret = 1;
	err = single_open(r->file, &r->iocb, show_version, NULL);
	if (err != -EIOCBQUEUED)
		r->ret = err;
}

static void reader_close(struct reader *r)
{
	if (r->ret == 0)
		single_release(inode, r->file);
	file_discard(r->file);
}

static void sharing_up(void)
{
	setup();
	sb.s_begin_work = begin_work;
	made = 0;
	version = 1;
}

/* The first one's text may be older than the others' opens; they have one in common. */
START_TEST(who_comes_meanwhile_shares_the_next)
{
	struct reader r[10];

	reader_open(&r[0]);
	version = 2;
	for (int i = 1; i < 10; i++)
		reader_open(&r[i]);
	version = 3;
	while (run_work(&sb))
		;
	ck_assert_uint_eq(made, 2);
	ck_assert_uint_eq(vm_stat(VM_TABLES)->objects, 2);
	for (int i = 0; i < 10; i++) {
		ck_assert_int_eq(r[i].ret, 0);
		ck_assert_str_eq(text_at(r[i].file, 0, 9), i == 0 ? "111" : "333");
	}
	reader_close(&r[0]);
	for (int i = 1; i < 10; i++) {
		ck_assert_uint_eq(vm_stat(VM_TABLES)->objects, 1);
		reader_close(&r[i]);
	}
	ck_assert_uint_eq(vm_stat(VM_TABLES)->objects, 0);
}
END_TEST

START_TEST(what_says_the_same_is_kept_once)
{
	struct reader r[10];

	for (int i = 0; i < 10; i++) {
		version = 1 + (i == 9);
		reader_open(&r[i]);
		while (run_work(&sb))
			;
		ck_assert_int_eq(r[i].ret, 0);
		ck_assert_uint_eq(vm_stat(VM_TABLES)->objects, i == 9 ? 2 : 1);
	}
	ck_assert_uint_eq(made, 10);
	ck_assert_str_eq(text_at(r[8].file, 0, 9), "111");
	ck_assert_str_eq(text_at(r[9].file, 0, 9), "222");
	for (int i = 0; i < 10; i++)
		reader_close(&r[i]);
}
END_TEST

/* Whoever leaves, the others get theirs, and what nobody wants is not made. */
START_TEST(cancelled_among_others)
{
	for (int gone = 0; gone < 8; gone++) {
		struct reader r[3];

		made = 0;
		for (int i = 0; i < 3; i++)
			reader_open(&r[i]);
		for (int i = 0; i < 3; i++)
			if (gone & 1 << i)
				r[i].iocb.ki_cancel(&r[i].iocb, -EINTR);
		while (run_work(&sb))
			;
		/* The first had been begun. */
		ck_assert_uint_eq(made, 1u + ((gone & 6) != 6));
		for (int i = 0; i < 3; i++) {
			ck_assert_int_eq(r[i].ret, gone & 1 << i ? -EINTR : 0);
			reader_close(&r[i]);
		}
	}
}
END_TEST

/* As when the daemon ends: no turns any more. */
START_TEST(the_next_one_without_a_loop)
{
	struct reader r[3];

	for (int i = 0; i < 3; i++)
		reader_open(&r[i]);
	sb.s_begin_work = NULL;
	r[0].iocb.ki_cancel(&r[0].iocb, -ESHUTDOWN);
	ck_assert_int_eq(r[0].ret, -ESHUTDOWN);
	ck_assert_int_eq(r[1].ret, 0);
	ck_assert_int_eq(r[2].ret, 0);
	for (int i = 0; i < 3; i++)
		reader_close(&r[i]);
}
END_TEST

/* Also while one is made; but the short ones can always be read. */
START_TEST(open_tables_are_bounded)
{
	struct file *file = new_file(O_RDONLY);
	struct reader r[3];
	char head[] = "short";

	vm_set_max(VM_TABLES, 5);
	version = 10;
	reader_open(&r[0]);
	while (run_work(&sb))
		;
	ck_assert_int_eq(r[0].ret, 0);
	ck_assert_uint_eq(vm_stat(VM_TABLES)->bytes, 7);
	version = 20;
	reader_open(&r[1]);
	ck_assert_int_eq(r[1].ret, -ENOMEM);
	ck_assert_int_eq(single_open(file, &iocb, show_widths, head), 0);
	single_release(inode, file);
	file_discard(file);
	reader_close(&r[1]);
	reader_close(&r[0]);
	vm_set_max(VM_TABLES, 3);
	version = 30;
	reader_open(&r[2]);
	while (run_work(&sb))
		;
	ck_assert_int_eq(r[2].ret, -ENOMEM);
	reader_close(&r[2]);
	vm_set_max(VM_TABLES, 0);
}
END_TEST

static TCase *sharing_tests(void)
{
	TCase *t = tcase_create("sharing");

	tcase_add_checked_fixture(t, sharing_up, fs_down);
	tcase_add_test(t, who_comes_meanwhile_shares_the_next);
	tcase_add_test(t, what_says_the_same_is_kept_once);
	tcase_add_test(t, cancelled_among_others);
	tcase_add_test(t, the_next_one_without_a_loop);
	tcase_add_test(t, open_tables_are_bounded);
	return t;
}

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
	suite_add_tcase(s, sharing_tests());
	return unit_run(s);
}
