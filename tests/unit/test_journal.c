/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unit tests of journal/: what holds after a death, whenever it comes. The death is a child
 * process that ends by _exit(2) in the midst; its parent has the same memory.
 */
#include "config.h"

#include "journal/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "unit.h"

#define BUF_SIZE 8192

static void setup(void)
{
	ck_assert_int_eq(ledger_make(BUF_SIZE), 0);
	ledger_begin();
	for (uint32_t nr = 0; nr < 8; nr++)
		ck_assert_int_eq(ledger_use(LEDGER_INODES, nr), 0);
}

static void teardown(void)
{
	ledger_drop();
}

static struct ledger_inode *inode(uint32_t nr)
{
	return ledger_at(LEDGER_INODES, nr);
}

/* Two records that have to change together, and an answer. */
static void note_two(uint64_t value)
{
	struct journal_answer *a;

	journal_write(&inode(1)->ino, &value, sizeof(value));
	journal_write(&inode(2)->ino, &value, sizeof(value));
	a = journal_answer(5);
	ck_assert_ptr_nonnull(a);
	memcpy(a->bytes, "hello", 5);
}

/* A process does @steps of a transaction with @value, and dies. */
static void die_behind(int steps, uint64_t value)
{
	pid_t pid = fork();
	int status;

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		if (steps > 0)
			note_two(value);
		if (steps > 1)
			ledger->sealed = 1; /* and nothing in its place yet */
		if (steps > 2)
			inode(1)->ino = value; /* half of it */
		if (steps > 3)
			journal_seal();
		if (steps > 4)
			journal_end();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}

START_TEST(it_holds_whole_or_not_at_all)
{
	uint64_t want = _i >= 2 ? 7 : 1;
	struct journal_answer *a;

	inode(1)->ino = inode(2)->ino = 1;
	die_behind(_i, 7);
	ck_assert_int_eq(journal_replay(), _i >= 2 && _i < 5);
	ck_assert_uint_eq(inode(1)->ino, want);
	ck_assert_uint_eq(inode(2)->ino, want);
	a = journal_next_answer(NULL);
	ck_assert_int_eq(a != NULL, _i >= 2 && _i < 5);
	if (a != NULL)
		ck_assert_int_eq(memcmp(a->bytes, "hello", 5), 0);
	/* Once more, should that one die too. */
	(void)journal_replay();
	ck_assert_uint_eq(inode(2)->ino, want);
	journal_end();
	ck_assert_ptr_null(journal_next_answer(NULL));
	ck_assert(!journal_has_begun());
}
END_TEST

/* Whatever stands in the log, nothing else is written to. */
START_TEST(a_broken_log_leads_nowhere)
{
	struct {
		uint64_t offset;
		uint32_t len, pad;
		char bytes[8];
	} redo[] = {{.offset = UINT64_MAX - 4, .len = 8},
		    {.offset = ledger->bytes - 4, .len = 8},
		    {.offset = 0, .len = UINT32_MAX},
		    {.offset = ledger->bytes, .len = 8}};

	inode(1)->ino = 1;
	/* What the range says of its size may be broken as well. */
	if (_i == 3)
		ledger->bytes = UINT64_MAX;
	memcpy(ledger->redo, &redo[_i], sizeof(redo[0]));
	ledger->redo_len = sizeof(redo[0]);
	ledger->answers_len = UINT32_MAX;
	memset(ledger->answers, 0xff, 64);
	ledger->sealed = 1;
	ck_assert(journal_replay());
	ck_assert_ptr_null(journal_next_answer(NULL));
	ck_assert_uint_eq(inode(1)->ino, 1);
	ck_assert_uint_eq(ledger->magic, LEDGER_MAGIC);
}
END_TEST

START_TEST(a_full_log_says_so)
{
	char bytes[4096] = {0};
	int n = 0;

	while (!journal_is_full() && n++ < 1000)
		journal_write(inode(3), bytes, 64);
	ck_assert_int_lt(n, 1 << 16);
	while (!journal_is_full() && n++ < 1 << 16)
		journal_write(inode(3), bytes, 64);
	ck_assert(journal_is_full());
	ck_assert_ptr_null(journal_answer(LEDGER_ANSWERS));
	journal_seal();
	journal_end();
	ck_assert(!journal_is_full());
}
END_TEST

/* Each length, and the cells come back. */
START_TEST(texts)
{
	char text[1000], got[1000];
	uint32_t cell, first;

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)i;
	first = text_write(text, 1);
	text_free(first);
	for (size_t len = 1; len < sizeof(text); len += 7) {
		cell = text_write(text, len);
		ck_assert_uint_ne(cell, 0);
		ck_assert_uint_eq(text_len(cell), len);
		ck_assert_uint_eq(text_read(cell, got, sizeof(got)), len);
		ck_assert_int_eq(memcmp(text, got, len), 0);
		text_free(cell);
	}
	ck_assert_uint_le(ledger->nr[LEDGER_CELLS], sizeof(text) / LEDGER_CELL + 4);
	ck_assert_uint_eq(text_write(text, 0), 0);
}
END_TEST

/* In a successor: no cell is two texts', and what is nobody's is free. */
START_TEST(texts_are_claimed_once)
{
	char text[500] = "x";
	uint32_t a = text_write(text, sizeof(text)), b = text_write(text, 10);
	uint32_t nobodys = text_write(text, 10);
	struct ledger_cell *cell = ledger_at(LEDGER_CELLS, b);
	uint32_t last = ledger->nr[LEDGER_CELLS];

	ck_assert(text_claim(a));
	ck_assert(!text_claim(a));
	cell->next = a;
	ck_assert(!text_claim(b));
	text_claimed();
	ck_assert_uint_eq(text_write(text, 10), nobodys);
	ck_assert_uint_eq(ledger->nr[LEDGER_CELLS], last);
	/* A circle, and one that leads out. */
	cell->next = b;
	ck_assert_uint_le(text_len(b), (size_t)LEDGER_CELL * last);
	cell->next = UINT32_MAX;
	ck_assert_uint_eq(text_len(b), 10);
	cell->len = UINT32_MAX;
	ck_assert_uint_eq(text_read(b, text, sizeof(text)), 0);
}
END_TEST

static blkcnt_t blocks(void)
{
	struct stat st;

	ck_assert_int_eq(fstat(ledger_fd(), &st), 0);
	return st.st_blocks;
}

/* Memory comes with records and goes with them, but for a piece of 64 KiB. */
START_TEST(memory_goes_back)
{
	blkcnt_t before = blocks();

	for (uint32_t nr = 100; nr < 100000; nr++)
		ck_assert_int_eq(ledger_use(LEDGER_INODES, nr), 0);
	ck_assert_int_gt(blocks() - before, 100000 * sizeof(struct ledger_inode) / 512 / 2);
	for (uint32_t nr = 100; nr < 100000; nr++)
		ledger_unuse(LEDGER_INODES, nr);
	ck_assert_int_le(blocks() - before, 2 * 65536 / 512);
	ck_assert_int_eq(ledger_use(LEDGER_INODES, ledger_max(LEDGER_INODES)), -ENOSPC);
}
END_TEST

/* Counters that are broken: to read on would give memory to all that they tell of. */
START_TEST(what_was_never_written_is_not_read)
{
	blkcnt_t before = blocks();
	uint32_t seen = 0;

	inode(5)->ino = 1;
	ck_assert_int_eq(ledger_use(LEDGER_INODES, 100000), 0);
	inode(100000)->ino = 1;
	for (size_t i = 0; i < NR_LEDGER_TABLES; i++)
		ledger->nr[i] = UINT32_MAX;
	ledger_trim();
	ck_assert_uint_gt(ledger->nr[LEDGER_INODES], 100000);
	ck_assert_uint_lt(ledger->nr[LEDGER_INODES], 101000);
	ck_assert_uint_eq(ledger->nr[LEDGER_SOCKS], 0);
	ck_assert_uint_eq(ledger->nr[LEDGER_CELLS], 1);
	for (uint32_t nr = ledger_next(LEDGER_INODES, 0); nr < ledger->nr[LEDGER_INODES];
	     nr = ledger_next(LEDGER_INODES, nr + 1))
		seen += inode(nr)->ino == 1;
	ck_assert_uint_eq(seen, 2);
	ck_assert_uint_eq(ledger_next(LEDGER_INODES, 101000), UINT32_MAX);
	ck_assert_uint_eq(ledger_next(LEDGER_SOCKS, 0), UINT32_MAX);
	ck_assert_int_le(blocks() - before, 3 * 65536 / 512);
}
END_TEST

/* Another program reads what this one has written, and no other form. */
START_TEST(another_program)
{
	int fd = dup(ledger_fd());

	inode(5)->ino = 12345;
	ledger_drop();
	ck_assert_int_eq(ledger_attach(fd, BUF_SIZE), 0);
	ck_assert_uint_eq(inode(5)->ino, 12345);
	fd = dup(ledger_fd());
	ledger->version++;
	ledger_drop();
	ck_assert_int_eq(ledger_attach(fd, BUF_SIZE), -EPROTO);
	close(fd);
	ck_assert_int_eq(ledger_attach(open("/dev/null", 0), BUF_SIZE), -EPROTO);
	setup();
}
END_TEST

/* Bytes that have moved are known to have, and to whom. */
START_TEST(bytes_that_move)
{
	char *buf = ledger_at(LEDGER_BUFS, 0);
	int fds[2];

	ck_assert_int_eq(ledger_use(LEDGER_BUFS, 0), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	ck_assert_int_eq(journal_recv(fds[0], buf, 100, 7), -1);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert(!journal_has_received(7));
	ck_assert_int_eq(send(fds[1], "hello", 5, 0), 5);
	ck_assert_int_eq(journal_recv(fds[0], buf, 100, 7), 5);
	ck_assert(journal_has_received(7));
	ck_assert(!journal_has_received(8));
	ck_assert_uint_eq(ledger->in.msg.msg_len, 5);
	journal_received();
	ck_assert(!journal_has_received(7));
	ck_assert_int_eq(journal_send(fds[0], "world", 5, 9, 1000), 5);
	ck_assert_uint_eq(ledger->out.unique, 9);
	ck_assert_uint_eq(ledger->out.base + ledger->out.msg.msg_len, 1005);
	journal_sent();
	ck_assert_uint_eq(ledger->out.unique, 0);
	/* A request without a number is not written down. */
	ck_assert_int_eq(journal_send(fds[0], "x", 1, 0, 0), 1);
	ck_assert_uint_eq(ledger->out.unique, 0);
	ck_assert_int_eq(close(fds[1]), 0);
	ck_assert_int_eq(journal_recv(fds[0], buf, 100, 7) <= 0, 1);
	ck_assert(!journal_has_received(7));
	close(fds[0]);
}
END_TEST

/* What a new program is asked, in a process of its own: is the range what it would lay out? */
START_TEST(another_form_does_not_fit)
{
	static const uint32_t version = LEDGER_VERSION + 1;
	const int fd = ledger_fd();
	int status;
	pid_t pid;

	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		bool ok = ledger_fits(fd, BUF_SIZE) && !ledger_fits(fd, 2 * BUF_SIZE) &&
			  !ledger_fits(-1, BUF_SIZE);

		memcpy(&ledger->version, &version, sizeof(version));
		_exit(ok && !ledger_fits(fd, BUF_SIZE) ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("journal");
	TCase *tc = tcase_create("journal");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, it_holds_whole_or_not_at_all, 0, 6);
	tcase_add_loop_test(tc, a_broken_log_leads_nowhere, 0, 4);
	tcase_add_test(tc, a_full_log_says_so);
	tcase_add_test(tc, texts);
	tcase_add_test(tc, texts_are_claimed_once);
	tcase_add_test(tc, memory_goes_back);
	tcase_add_test(tc, what_was_never_written_is_not_read);
	tcase_add_test(tc, another_program);
	tcase_add_test(tc, bytes_that_move);
	tcase_add_test(tc, another_form_does_not_fit);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
