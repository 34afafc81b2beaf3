/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages that no kernel sends: cut, too long for themselves, unknown, too
 * early. The daemon answers each that has a number, and lives.
 */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/unit/unit.h"
#include "wire.h"

#define ROOT FUSE_ROOT_ID

static struct wire *w;

static void setup_raw(void)
{
	w = wire_new_raw();
	ck_assert_ptr_nonnull(w);
}

static void setup(void)
{
	w = wire_new();
	ck_assert_ptr_nonnull(w);
}

static void teardown(void)
{
	ck_assert_int_eq(wire_free(w), 0);
}

START_TEST(before_init)
{
	struct fuse_entry_out e;

	ck_assert_int_eq(wire_lookup(w, ROOT, "f", &e), -EIO);
	ck_assert(!w->ready);
	ck_assert_int_eq(wire_init(w), 0);
	ck_assert(w->ready);
	ck_assert_int_eq(wire_init(w), -EIO);
	ck_assert_int_eq(wire_lookup(w, ROOT, "f", &e), -ENOENT);
}
END_TEST

START_TEST(init_says_what_we_need)
{
	struct fuse_init_in in = {.major = 7, .minor = 38, .flags = ~(1u << 30)};
	struct fuse_init_out out = {0};

	ck_assert_int_eq(wire_call(w, FUSE_INIT, 0, &in, sizeof(in), NULL, 0, &out, sizeof(out),
				   NULL),
			 0);
	ck_assert_uint_eq(out.max_write, 1 << 20);
	ck_assert_uint_eq(out.max_pages, 256);
	ck_assert_uint_eq(out.time_gran, 1);
	ck_assert_uint_eq(out.max_background, 65535);
	ck_assert_uint_eq(out.congestion_threshold, 65535);
	ck_assert_uint_ne(out.flags & FUSE_EXPORT_SUPPORT, 0);
	ck_assert_uint_eq(out.flags & (FUSE_WRITEBACK_CACHE | FUSE_POSIX_ACL | FUSE_DONT_MASK |
				       FUSE_HANDLE_KILLPRIV | FUSE_ATOMIC_O_TRUNC),
			  0);
}
END_TEST

START_TEST(short_messages)
{
	char msg[40] = {40};

	for (size_t n = 1; n < sizeof(msg); n++)
		wire_send_raw(w, msg, n);
	ck_assert(!w->ended);
	ck_assert_int_eq(wire_getattr(w, ROOT, NULL), 0);
}
END_TEST

/* Every operation, with nothing behind its header, then with bytes of one kind. */
START_TEST(every_opcode_with_junk)
{
	static const unsigned char fill[] = {0x00, 0x01, 0x2f, 0x41, 0x7f, 0xff};
	char junk[200];

	for (uint32_t op = 1; op < 60; op++) {
		bool quiet = op == FUSE_FORGET || op == FUSE_BATCH_FORGET || op == FUSE_INTERRUPT;

		/* libfuse keeps an answer to a question that it never asked; after DESTROY
		 * it takes no more requests. */
		if (op == FUSE_NOTIFY_REPLY || op == FUSE_DESTROY)
			continue;
		for (size_t i = 0; i < sizeof(fill); i++)
			for (size_t len = 0; len <= sizeof(junk); len += 8) {
				memset(junk, fill[i], sizeof(junk));
				w->unique += 2;
				/* The kernel's interrupts have odd numbers. */
				wire_send_as(w, w->unique | (op == FUSE_INTERRUPT), op, ROOT, junk,
					     len, NULL, 0, !quiet);
				if (!quiet)
					ck_assert_int_ne(wire_answer(w, w->unique, NULL, 0, NULL),
							 WIRE_OPEN);
			}
	}
	ck_assert_int_eq(wire_getattr(w, ROOT, NULL), 0);
}
END_TEST

/* The kernel's last word at an unmount, here in the middle, with junk behind it and twice. */
START_TEST(destroy)
{
	static const char junk[64];
	struct fuse_entry_out e;
	struct fuse_open_out o;
	uint64_t parked;

	ck_assert_int_eq(wire_create(w, ROOT, "f", O_RDWR, 0644, &e, &o), 0);
	ck_assert_int_eq(wire_call(w, FUSE_DESTROY, ROOT, junk, sizeof(junk), NULL, 0, NULL, 0,
				   NULL),
			 0);
	ck_assert_int_ne(wire_call(w, FUSE_DESTROY, ROOT, NULL, 0, NULL, 0, NULL, 0, NULL),
			 WIRE_OPEN);
	/* Some versions of libfuse say EIO to all that follows, others serve on. */
	parked = wire_read(w, e.nodeid, o.fh, 1, O_RDWR);
	ck_assert_int_ne(wire_wait(w, parked, NULL, 0, NULL), WIRE_OPEN);
	ck_assert(!w->ended);
}
END_TEST

START_TEST(unknown_opcodes)
{
	static const uint32_t ops[] = {0, 7, 19, 99, 1000, 4096, 65536, UINT32_MAX};

	for (size_t i = 0; i < sizeof(ops) / sizeof(*ops); i++)
		ck_assert_int_lt(wire_call(w, ops[i], ROOT, NULL, 0, NULL, 0, NULL, 0, NULL), 0);
}
END_TEST

START_TEST(counts_beyond_the_message)
{
	struct fuse_batch_forget_in forget = {.count = UINT32_MAX};
	struct fuse_write_in in = {.size = 1 << 20};
	struct fuse_entry_out e;
	struct fuse_open_out o;

	wire_send_as(w, w->unique += 2, FUSE_BATCH_FORGET, 0, &forget, sizeof(forget), NULL, 0,
		     false);
	ck_assert_int_eq(wire_create(w, ROOT, "f", O_RDWR, 0644, &e, &o), 0);
	in.fh = o.fh;
	ck_assert_int_eq(wire_call(w, FUSE_WRITE, e.nodeid, &in, sizeof(in), "abc", 3, NULL, 0,
				   NULL),
			 -EINVAL);
	in.size = UINT32_MAX;
	ck_assert_int_eq(wire_call(w, FUSE_WRITE, e.nodeid, &in, sizeof(in), "abc", 3, NULL, 0,
				   NULL),
			 -EINVAL);
	ck_assert_int_eq(wire_wait(w, wire_read(w, e.nodeid, o.fh, UINT32_MAX, O_RDWR), NULL, 0,
				     NULL),
			 -ENOTCONN);
}
END_TEST

START_TEST(names_without_an_end)
{
	char name[300];
	struct fuse_entry_out e;

	memset(name, 'n', sizeof(name));
	/* Cut off in the middle, the name ends where the message ends. */
	ck_assert_int_eq(wire_call(w, FUSE_LOOKUP, ROOT, name, 10, NULL, 0, NULL, 0, NULL), -ENOENT);
	ck_assert_int_eq(wire_call(w, FUSE_LOOKUP, ROOT, name, 300, NULL, 0, NULL, 0, NULL),
			 -ENAMETOOLONG);
	ck_assert_int_eq(wire_call(w, FUSE_SYMLINK, ROOT, name, 10, NULL, 0, NULL, 0, NULL),
			 -ENOENT);
	ck_assert_int_eq(wire_lookup(w, ROOT, "nnnnnnnnnn", &e), -ENOENT);
}
END_TEST

START_TEST(interrupts_of_nobody)
{
	for (uint64_t u = 1000; u < 1200; u += 2)
		wire_interrupt(w, u);
	ck_assert_int_eq(wire_getattr(w, ROOT, NULL), 0);
	/* libfuse hands one back with each request that follows. */
	for (int i = 0; i < 200; i++)
		ck_assert_int_eq(wire_getattr(w, ROOT, NULL), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("wire: broken messages");
	TCase *raw = tcase_create("raw"), *t = tcase_create("broken");

	tcase_add_checked_fixture(raw, setup_raw, teardown);
	tcase_add_test(raw, before_init);
	tcase_add_test(raw, init_says_what_we_need);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, short_messages);
	tcase_add_test(t, every_opcode_with_junk);
	tcase_add_test(t, destroy);
	tcase_add_test(t, unknown_opcodes);
	tcase_add_test(t, counts_beyond_the_message);
	tcase_add_test(t, names_without_an_end);
	tcase_add_test(t, interrupts_of_nobody);
	suite_add_tcase(s, raw);
	suite_add_tcase(s, t);
	return unit_run(s);
}
