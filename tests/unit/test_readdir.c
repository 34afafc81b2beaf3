/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading directories: each name exactly once, whatever comes and goes meanwhile. */
#include "config.h"

#include "fs_unit.h"
#include "slab_unit.h"

/* One call of iterate with room for `room` entries, and what it said. */
struct call {
	struct dir_context ctx;
	unsigned int room, n;
	char names[32][NAME_MAX_BYTES + 1];
	uint64_t next[32], ino[32];
};

static bool take_entry(struct dir_context *ctx, const struct qstr *name, uint64_t next,
		       struct inode *inode, uint64_t ino, mode_t mode)
{
	struct call *c = container_of(ctx, struct call, ctx);

	ck_assert_uint_eq(name->len, strlen(name->name));
	ck_assert_ptr_nonnull(inode);
	ck_assert_uint_eq(inode->i_ino, ino);
	ck_assert_uint_eq(inode->i_mode, mode);
	ck_assert_uint_gt(next, c->ctx.pos);
	if (c->n == c->room)
		return false;
	strcpy(c->names[c->n], name->name);
	c->next[c->n] = next;
	c->ino[c->n++] = ino;
	return true;
}

static struct file *dir_open(struct inode *dir)
{
	struct file *file = alloc_file(dir, 0);

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(file->f_op->open(dir, file, NULL), 0);
	return file;
}

/* Up to @room entries from @pos; returns where to go on. */
static uint64_t dir_read(struct file *file, uint64_t pos, unsigned int room, struct call *c)
{
	c->ctx = (struct dir_context){.actor = take_entry, .pos = pos};
	c->room = room;
	c->n = 0;
	ck_assert_int_eq(file->f_op->iterate(file, &c->ctx), 0);
	if (c->n > 0)
		ck_assert_uint_eq(c->ctx.pos, c->next[c->n - 1]);
	else
		ck_assert_uint_eq(c->ctx.pos, pos);
	return c->ctx.pos;
}

/* All that comes from @pos on, by calls of @room entries, as one line. */
static const char *dir_line(struct file *file, uint64_t pos, unsigned int room)
{
	static char line[4096];
	struct call c;

	line[0] = '\0';
	do {
		pos = dir_read(file, pos, room, &c);
		for (unsigned int i = 0; i < c.n; i++) {
			strcat(line, i == 0 && line[0] == '\0' ? "" : " ");
			strcat(line, c.names[i]);
		}
	} while (c.n == room);
	return line;
}

START_TEST(dots_then_names_in_the_order_of_their_making)
{
	struct inode *d = make_dir(sb.s_root, "d");
	struct file *file;
	struct call c;

	make_file(d, "z");
	make_dir(d, "a");
	make_file(d, "m");
	file = dir_open(d);
	for (unsigned int room = 1; room < 8; room++)
		ck_assert_str_eq(dir_line(file, 0, room), ". .. z a m");
	dir_read(file, 0, 2, &c);
	ck_assert_uint_eq(c.ino[0], d->i_ino);
	ck_assert_uint_eq(c.ino[1], sb.s_root->i_ino);
	file_release(file);
	/* The root is its own parent. */
	file = dir_open(sb.s_root);
	dir_read(file, 0, 2, &c);
	ck_assert_uint_eq(c.ino[1], sb.s_root->i_ino);
	file_release(file);
}
END_TEST

START_TEST(no_room_is_no_progress)
{
	struct file *file = dir_open(sb.s_root);
	struct call c;

	make_file(sb.s_root, "x");
	for (uint64_t pos = 0; pos < 3; pos++) {
		ck_assert_uint_eq(dir_read(file, pos, 0, &c), pos);
		ck_assert_uint_eq(c.n, 0);
	}
	ck_assert_str_eq(dir_line(file, 2, 5), "x");
	file_release(file);
}
END_TEST

START_TEST(rm_of_what_was_read_and_of_what_comes_next)
{
	struct file *file;
	struct call c;
	uint64_t pos;

	for (char name[] = "a"; name[0] <= 'h'; name[0]++)
		make_file(sb.s_root, name);
	file = dir_open(sb.s_root);
	pos = dir_read(file, 2, 3, &c); /* a b c */
	ck_assert_int_eq(unlink_name(sb.s_root, "c"), 0);
	ck_assert_int_eq(unlink_name(sb.s_root, "d"), 0);
	ck_assert_int_eq(unlink_name(sb.s_root, "f"), 0);
	/* rm -r in the middle of a reading. */
	ck_assert_str_eq(dir_line(file, pos, 1), "e g h");
	file_release(file);
}
END_TEST

/* for e in d/ do mv e e.r done */
START_TEST(a_reader_that_renames_comes_to_an_end)
{
	struct file *file = dir_open(sb.s_root);
	struct call c;
	uint64_t pos;
	char to[NAME_MAX_BYTES + 4];

	make_file(sb.s_root, "early"); /* after opendir, before the first reading */
	for (char name[] = "a"; name[0] <= 'e'; name[0]++)
		make_file(sb.s_root, name);
	pos = dir_read(file, 0, 2, &c);
	make_file(sb.s_root, "late");
	for (int i = 0; i < 6; i++) {
		pos = dir_read(file, pos, 1, &c);
		ck_assert_uint_eq(c.n, 1);
		snprintf(to, sizeof(to), "%s.r", c.names[0]);
		ck_assert_int_eq(rename_name(sb.s_root, c.names[0], sb.s_root, to, 0), 0);
	}
	ck_assert_str_eq(dir_line(file, pos, 3), "");
	ck_assert_str_eq(dir_line(file, 2, 3), "");
	/* Only reading from the beginning moves the end; one who opens later sees all. */
	ck_assert_str_eq(dir_line(file, 0, 3), ". .. late early.r a.r b.r c.r d.r e.r");
	make_file(sb.s_root, "new");
	ck_assert_str_eq(dir_line(file, 2, 3), "late early.r a.r b.r c.r d.r e.r");
	file_release(file);
	file = dir_open(sb.s_root);
	make_file(sb.s_root, "newer");
	ck_assert_str_eq(dir_line(file, 2, 3), "late early.r a.r b.r c.r d.r e.r new");
	file_release(file);
}
END_TEST

static bool pass_over(struct dir_context *ctx, const struct qstr *name, uint64_t next,
		      struct inode *inode, uint64_t ino, mode_t mode)
{
	(void)ctx;
	(void)name;
	(void)next;
	(void)inode;
	(void)ino;
	(void)mode;
	return true;
}

/* A turn ends though no buffer is ever full; each goes on where the last one stopped. */
START_TEST(one_who_passes_over_names_stops_each_turn)
{
	struct dir_context ctx = {.actor = pass_over, .pos = 2};
	struct file *file;
	uint64_t pos = 2;
	int turns = 0;
	char name[16];

	for (int i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		make_file(sb.s_root, name);
	}
	file = dir_open(sb.s_root);
	while (file->f_op->iterate(file, &ctx) == -EAGAIN) {
		ck_assert_uint_gt(ctx.pos, pos);
		pos = ctx.pos;
		turns++;
	}
	ck_assert_int_eq(turns, 2);
	file_release(file);
}
END_TEST

static unsigned int depth(const struct dentry *dentry)
{
	unsigned int a, b;

	if (dentry == NULL)
		return 0;
	a = depth(dentry->d_child[0]);
	b = depth(dentry->d_child[1]);
	return 1 + (a > b ? a : b);
}

/* Any place is found in O(log n): some 30 steps at most here, and never nearly this limit. */
#define DEPTH_MAX 100

START_TEST(many_names_from_any_place)
{
	const unsigned int n = on_valgrind() ? 2000 : 20000;
	unsigned int seed = 7;
	struct file *file;
	struct call c;
	char name[16];

	for (unsigned int i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "%u", i);
		make_file(sb.s_root, name);
	}
	for (unsigned int i = 0; i < n; i += 3) {
		snprintf(name, sizeof(name), "%u", i);
		ck_assert_int_eq(unlink_name(sb.s_root, name), 0);
	}
	ck_assert_uint_lt(depth(PLAIN_I(sb.s_root)->children), DEPTH_MAX);
	file = dir_open(sb.s_root);
	for (unsigned int i = 0; i < n; i++) {
		unsigned int at = next_random(&seed) % (n - 1);

		/* Behind name `at` - 1, which stands at 2 + at. */
		ck_assert_uint_eq(dir_read(file, 2 + at, 1, &c), 3 + at + (at % 3 == 0));
		ck_assert_uint_eq((unsigned int)atoi(c.names[0]), at + (at % 3 == 0));
	}
	file_release(file);
}
END_TEST

/* mv over a name that is there: it is there from the beginning to the end. */
START_TEST(a_name_that_is_replaced_is_met_once)
{
	struct inode *d = make_dir(sb.s_root, "d");
	struct file *file;
	struct call c;
	uint64_t pos;

	for (const char *name = "abcyef"; *name != '\0'; name++)
		make_file(sb.s_root, (char[]){*name, '\0'});
	make_file(d, "x");
	file = dir_open(sb.s_root);
	pos = dir_read(file, 3, 3, &c); /* a b c, behind d */
	ck_assert_str_eq(c.names[0], "a");
	ck_assert_int_eq(rename_name(d, "x", sb.s_root, "b", 0), 0);
	ck_assert_int_eq(rename_name(sb.s_root, "f", sb.s_root, "c", 0), 0);
	ck_assert_int_eq(rename_name(sb.s_root, "a", sb.s_root, "e", 0), 0);
	ck_assert_str_eq(dir_line(file, pos, 2), "y e");
	ck_assert_str_eq(dir_line(file, 2, 9), "d b c y e");
	file_release(file);
}
END_TEST

START_TEST(lseek_to_every_place)
{
	struct file *file;
	struct call c, d;

	for (char name[] = "a"; name[0] <= 'h'; name[0]++)
		make_file(sb.s_root, name);
	file = dir_open(sb.s_root);
	dir_read(file, 0, 20, &c);
	ck_assert_uint_eq(c.n, 10);
	for (unsigned int i = 10; i-- > 0;) { /* backwards, each far from where it stands */
		dir_read(file, c.next[i], 20, &d);
		ck_assert_uint_eq(d.n, 9 - i);
		if (d.n > 0)
			ck_assert_str_eq(d.names[0], c.names[i + 1]);
	}
	/* A place behind a name that is gone is still that place. */
	ck_assert_int_eq(unlink_name(sb.s_root, "d"), 0);
	ck_assert_str_eq(dir_line(file, c.next[5], 3), "e f g h");
	ck_assert_str_eq(dir_line(file, c.next[4], 3), "e f g h");
	ck_assert_str_eq(dir_line(file, 1, 3), ".. a b c e f g h");
	/* Behind the end, far behind it, and back to the beginning. */
	ck_assert_str_eq(dir_line(file, c.next[9] + 1, 3), "");
	ck_assert_str_eq(dir_line(file, INT64_MAX, 3), "");
	ck_assert_str_eq(dir_line(file, UINT64_MAX, 3), "");
	ck_assert_str_eq(dir_line(file, 0, 3), ". .. a b c e f g h");
	file_release(file);
}
END_TEST

START_TEST(readers_do_not_meet)
{
	struct file *file[3];
	uint64_t pos[3] = {2, 2, 2};
	char line[3][64] = {"", "", ""};
	struct call c;

	for (char name[] = "a"; name[0] <= 'i'; name[0]++)
		make_file(sb.s_root, name);
	for (int i = 0; i < 3; i++)
		file[i] = dir_open(sb.s_root);
	/* Their places are side by side, in front of and behind each other. */
	for (int round = 0; round < 9; round++)
		for (int i = 0; i < 3; i++) {
			pos[i] = dir_read(file[i], pos[i], 1 + (unsigned int)i, &c);
			for (unsigned int n = 0; n < c.n; n++)
				strcat(line[i], c.names[n]);
		}
	for (int i = 0; i < 3; i++) {
		ck_assert_str_eq(line[i], "abcdefghi");
		ck_assert_uint_eq(PLAIN_I(sb.s_root)->nr_children, 9);
		file_release(file[i]);
	}
	ck_assert_uint_eq(in_use("dentry"), 9);
}
END_TEST

START_TEST(a_reader_keeps_a_removed_directory)
{
	struct inode *d = make_dir(sb.s_root, "d");
	struct file *file = dir_open(d);
	struct call c;

	make_file(d, "x");
	ck_assert_int_eq(rmdir_name(sb.s_root, "d"), -ENOTEMPTY);
	ck_assert_int_eq(unlink_name(d, "x"), 0);
	/* A reader is no name: the directory is empty. */
	ck_assert_int_eq(rmdir_name(sb.s_root, "d"), 0);
	ck_assert_str_eq(dir_line(file, 0, 5), ". ..");
	dir_read(file, 0, 5, &c);
	ck_assert_uint_eq(in_use("inode_cache"), 2);
	file_release(file);
	ck_assert_uint_eq(in_use("inode_cache"), 1);
}
END_TEST

START_TEST(open_without_memory)
{
	struct file *file;

	kmem_fault_after(1);
	ck_assert_ptr_null(alloc_file(sb.s_root, 0));
	kmem_fault_after(2);
	ck_assert_ptr_null(alloc_file(sb.s_root, 0));
	kmem_fault_after(3);
	ck_assert_ptr_null(alloc_file(sb.s_root, 0));
	ck_assert_uint_eq(sb.s_root->i_opens, 0);
	kmem_fault_after(-1);
	file = alloc_file(sb.s_root, 0);
	ck_assert_ptr_nonnull(file);
	/* A reader needs no memory of its own. */
	kmem_fault_after(1);
	ck_assert_int_eq(file->f_op->open(sb.s_root, file, NULL), 0);
	kmem_fault_after(-1);
	file_release(file);
	ck_assert_uint_eq(sb.s_root->i_opens, 0);
	ck_assert_uint_eq(in_use("dentry"), 0);
}
END_TEST

/* ------------------------------------------------------------------ at random */

#define STEADY 40 /* names that stay all the time */
#define LOOSE 60  /* names that come and go */

static void change_one(unsigned int *seed)
{
	char name[16];

	snprintf(name, sizeof(name), "l%u", next_random(seed) % LOOSE);
	if (find(sb.s_root, name) != NULL)
		ck_assert_int_eq(unlink_name(sb.s_root, name), 0);
	else
		make_file(sb.s_root, name);
}

/* A whole reading of the root, with changes between the calls. */
static void read_through(struct file *file, unsigned int *seed)
{
	unsigned int seen[STEADY] = {0};
	uint64_t pos = 2;
	struct call c;
	unsigned int n;

	do {
		pos = dir_read(file, pos, 1 + next_random(seed) % 7, &c);
		for (unsigned int i = 0; i < c.n; i++)
			if (sscanf(c.names[i], "s%u", &n) == 1)
				seen[n]++;
		for (unsigned int i = next_random(seed) % 4; i > 0; i--)
			change_one(seed);
	} while (c.n == c.room);
	for (n = 0; n < STEADY; n++)
		ck_assert_uint_eq(seen[n], 1);
}

START_TEST(exactly_once_while_names_come_and_go)
{
	unsigned int seed = 1;
	char name[16];

	for (unsigned int n = 0; n < STEADY; n++) {
		snprintf(name, sizeof(name), "s%u", n);
		make_file(sb.s_root, name);
		change_one(&seed);
	}
	for (int round = on_valgrind() ? 20 : 300; round > 0; round--) {
		struct file *one = dir_open(sb.s_root), *two = dir_open(sb.s_root);
		struct call c;

		/* Somebody else stands somewhere in the middle. */
		dir_read(two, 2, next_random(&seed) % 30, &c);
		read_through(one, &seed);
		if (round % 2)
			read_through(one, &seed); /* rewinddir(3) */
		file_release(two);
		file_release(one);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("readdir");
	TCase *tc = tcase_create("readdir");

	tcase_add_checked_fixture(tc, fs_up, fs_down);
	tcase_add_test(tc, dots_then_names_in_the_order_of_their_making);
	tcase_add_test(tc, no_room_is_no_progress);
	tcase_add_test(tc, rm_of_what_was_read_and_of_what_comes_next);
	tcase_add_test(tc, a_reader_that_renames_comes_to_an_end);
	tcase_add_test(tc, one_who_passes_over_names_stops_each_turn);
	tcase_add_test(tc, many_names_from_any_place);
	tcase_add_test(tc, a_name_that_is_replaced_is_met_once);
	tcase_add_test(tc, lseek_to_every_place);
	tcase_add_test(tc, readers_do_not_meet);
	tcase_add_test(tc, a_reader_keeps_a_removed_directory);
	tcase_add_test(tc, open_without_memory);
	tcase_add_test(tc, exactly_once_while_names_come_and_go);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
