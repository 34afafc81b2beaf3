/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names: the hash that finds them, whatever its size, and the names of one inode. */
#include "config.h"

#include "fs_unit.h"

#define HASH_MIN 256
#define MOVE_BUCKETS 8

/* ------------------------------------------------------------------------ names */

START_TEST(names_of_every_length)
{
	char name[NAME_MAX_BYTES + 1];
	struct inode *file = make_file(sb.s_root, "file");

	for (size_t len = 1; len <= NAME_MAX_BYTES; len++) {
		struct dentry *dentry;

		memset(name, 'n', len);
		name[len] = '\0';
		dentry = d_add(sb.s_root, &(struct qstr){name, len}, file);
		ck_assert_ptr_nonnull(dentry);
		ck_assert_str_eq(dentry_name(dentry), name);
		ck_assert_ptr_eq(find(sb.s_root, name), file);
		/* Not one byte less, more or other. */
		name[len - 1] = 'm';
		ck_assert_ptr_null(find(sb.s_root, name));
		name[len - 1] = '\0';
		ck_assert_ptr_null(find(sb.s_root, name));
		d_delete(dentry);
	}
	ck_assert_uint_eq(in_use("dentry"), 1);
}
END_TEST

/* Every byte but NUL and the slash may stand in a name. */
START_TEST(names_of_every_byte)
{
	struct inode *inode[256];
	char name[] = "a?z";

	for (int c = 1; c < 256; c++) {
		name[1] = (char)c;
		if (c != '/')
			inode[c] = make_file(sb.s_root, name);
	}
	for (int c = 1; c < 256; c++) {
		name[1] = (char)c;
		if (c != '/')
			ck_assert_ptr_eq(find(sb.s_root, name), inode[c]);
	}
}
END_TEST

START_TEST(a_name_is_its_directory_s)
{
	struct inode *a = make_dir(sb.s_root, "a"), *b = make_dir(sb.s_root, "b");
	struct inode *x = make_file(a, "same");

	ck_assert_ptr_null(find(b, "same"));
	ck_assert_ptr_eq(find(a, "same"), x);
	ck_assert_ptr_ne(make_file(b, "same"), x);
	ck_assert_int_eq(unlink_name(b, "same"), 0);
	ck_assert_ptr_eq(find(a, "same"), x);
}
END_TEST

START_TEST(without_memory_there_is_no_name)
{
	static const char *const names[] = {
		"short", "a name so long that it does not fit into the dentry and lives outside"};
	struct inode *file = make_file(sb.s_root, "file");

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const struct qstr name = q(names[i]);
		const uint32_t mtime = sb.s_root->i_mtime_nsec;

		for (long n = 1; n <= (long)i + 1; n++) {
			kmem_fault_after(n);
			ck_assert_ptr_null(d_add(sb.s_root, &name, file));
			ck_assert_ptr_null(find(sb.s_root, names[i]));
			ck_assert_uint_eq(in_use("dentry"), i + 1);
			ck_assert_uint_eq(PLAIN_I(sb.s_root)->nr_children, i + 1);
			ck_assert_int_eq(sb.s_root->i_mtime_nsec, mtime);
		}
		kmem_fault_after(-1);
		ck_assert_ptr_nonnull(d_add(sb.s_root, &name, file));
	}
}
END_TEST

/* ------------------------------------------------------------------------- hash */

static const char *numbered(unsigned int n)
{
	static char name[16];

	snprintf(name, sizeof(name), "n%u", n);
	return name;
}

/* Never more than a few buckets move with one change, and the size follows the count. */
static void check_step(const struct dentry_hash *before)
{
	const struct dentry_hash *t = &sb.s_dentries;

	if (before->table[1] != NULL && t->table[0] == before->table[0])
		ck_assert_uint_le(t->moved - before->moved, MOVE_BUCKETS);
	if (before->table[1] != NULL && t->table[0] != before->table[0])
		ck_assert_uint_le(before->size[0] - before->moved, MOVE_BUCKETS);
	if (t->table[1] == NULL) {
		ck_assert_uint_le(t->count, t->size[0]);
		ck_assert(t->size[0] == HASH_MIN || t->count >= t->size[0] / 4);
	}
	/* Also while it moves the chains are short. */
	ck_assert_uint_le(t->count, 2 * t->size[0]);
}

START_TEST(hash_grows_and_shrinks)
{
	const unsigned int max = on_valgrind() ? 3000 : 20000;
	struct inode *file = make_file(sb.s_root, "file");
	const size_t before = sb.s_dentries.count;

	for (unsigned int n = 0; n < max; n++) {
		const struct dentry_hash t = sb.s_dentries;
		const struct qstr name = q(numbered(n));

		ck_assert_ptr_nonnull(d_add(sb.s_root, &name, file));
		check_step(&t);
		/* In the half that has moved and in the one that has not. */
		ck_assert_ptr_eq(find(sb.s_root, numbered(n)), file);
		ck_assert_ptr_eq(find(sb.s_root, numbered(n / 2)), file);
		ck_assert_ptr_eq(find(sb.s_root, numbered(n / 7)), file);
		ck_assert_ptr_null(find(sb.s_root, numbered(n + 1)));
	}
	ck_assert_uint_eq(sb.s_dentries.count, before + max);
	ck_assert_uint_gt(sb.s_dentries.size[0], max / 4);
	for (unsigned int n = 0; n < max; n++) {
		const struct dentry_hash t = sb.s_dentries;
		const struct qstr name = q(numbered(n));

		d_delete(d_lookup(&sb, sb.s_root, &name));
		check_step(&t);
		ck_assert_ptr_null(find(sb.s_root, numbered(n)));
		ck_assert_ptr_eq(find(sb.s_root, numbered(n + 1)), n + 1 < max ? file : NULL);
		ck_assert_ptr_eq(find(sb.s_root, numbered(max - 1)), n + 1 < max ? file : NULL);
	}
	ck_assert_uint_eq(sb.s_dentries.count, before);
	ck_assert_uint_le(sb.s_dentries.size[0], 2 * HASH_MIN);
}
END_TEST

/* Up and down around the sizes where a move begins: no step is undone half way. */
START_TEST(hash_around_its_limits)
{
	struct inode *file = make_file(sb.s_root, "file");
	unsigned int n = 0;

	for (int round = 0; round < 6; round++) {
		while (sb.s_dentries.count < 600 + 20u * (unsigned int)round) {
			const struct qstr name = q(numbered(n++));

			ck_assert_ptr_nonnull(d_add(sb.s_root, &name, file));
		}
		while (sb.s_dentries.count > 60) {
			const struct qstr name = q(numbered(--n));
			struct dentry *dentry = d_lookup(&sb, sb.s_root, &name);

			ck_assert_ptr_nonnull(dentry);
			d_delete(dentry);
		}
		for (unsigned int i = 0; i < n; i++)
			ck_assert_ptr_eq(find(sb.s_root, numbered(i)), file);
	}
}
END_TEST

/* Without memory for a larger table the old one serves; the next change tries again. */
START_TEST(hash_that_cannot_grow)
{
	struct inode *file = make_file(sb.s_root, "file");
	unsigned int n = 0;

	while (sb.s_dentries.count < HASH_MIN) {
		const struct qstr name = q(numbered(n++));

		ck_assert_ptr_nonnull(d_add(sb.s_root, &name, file));
	}
	for (int i = 0; i < 3; i++) {
		const struct qstr name = q(numbered(n++));

		kmem_fault_after(2); /* the dentry, then the table */
		ck_assert_ptr_nonnull(d_add(sb.s_root, &name, file));
		ck_assert_uint_eq(sb.s_dentries.size[0], HASH_MIN);
		ck_assert_ptr_null(sb.s_dentries.table[1]);
	}
	for (unsigned int i = 0; i < n; i++)
		ck_assert_ptr_eq(find(sb.s_root, numbered(i)), file);
	kmem_fault_after(-1);
	ck_assert_ptr_nonnull(make_file(sb.s_root, "more"));
	ck_assert_uint_eq(sb.s_dentries.size[1], 2 * HASH_MIN);
	for (unsigned int i = 0; i < n; i++)
		ck_assert_ptr_eq(find(sb.s_root, numbered(i)), file);
}
END_TEST

/* ---------------------------------------------------------- the names of one inode */

START_TEST(the_oldest_name_comes_first)
{
	struct inode *file = make_file(sb.s_root, "a"), *d = make_dir(sb.s_root, "d");

	ck_assert_int_eq(link_to(file, d, "b"), 0);
	ck_assert_int_eq(link_to(file, sb.s_root, "c"), 0);
	ck_assert_int_eq(link_to(file, d, "e"), 0);
	ck_assert_str_eq(alias(file), "a");
	ck_assert_int_eq(unlink_name(sb.s_root, "a"), 0);
	ck_assert_str_eq(alias(file), "b");
	/* A name that has become another one is no younger. */
	ck_assert_int_eq(rename_name(d, "b", sb.s_root, "bb", 0), 0);
	ck_assert_str_eq(alias(file), "bb");
	ck_assert_int_eq(rename_name(d, "e", d, "ee", 0), 0);
	ck_assert_str_eq(alias(file), "bb");
	ck_assert_int_eq(unlink_name(sb.s_root, "bb"), 0);
	ck_assert_str_eq(alias(file), "c");
	ck_assert_int_eq(unlink_name(sb.s_root, "c"), 0);
	ck_assert_str_eq(alias(file), "ee");
	ck_assert_int_eq(unlink_name(d, "ee"), 0);
}
END_TEST

START_TEST(exchanged_names_keep_their_age)
{
	struct inode *x = make_file(sb.s_root, "x1"), *y = make_file(sb.s_root, "y1");

	ck_assert_int_eq(link_to(x, sb.s_root, "x2"), 0);
	ck_assert_int_eq(link_to(x, sb.s_root, "x3"), 0);
	ck_assert_int_eq(link_to(y, sb.s_root, "y2"), 0);
	ck_assert_int_eq(rename_name(sb.s_root, "x2", sb.s_root, "y2", RENAME_EXCHANGE), 0);
	ck_assert_str_eq(alias(x), "x1");
	ck_assert_str_eq(alias(y), "y1");
	ck_assert_int_eq(unlink_name(sb.s_root, "x1"), 0);
	ck_assert_str_eq(alias(x), "y2");
	ck_assert_int_eq(unlink_name(sb.s_root, "y1"), 0);
	ck_assert_str_eq(alias(y), "x2");
	/* The oldest of both. */
	ck_assert_int_eq(rename_name(sb.s_root, "y2", sb.s_root, "x2", RENAME_EXCHANGE), 0);
	ck_assert_str_eq(alias(x), "x2");
	ck_assert_str_eq(alias(y), "y2");
	ck_assert_int_eq(unlink_name(sb.s_root, "x2"), 0);
	ck_assert_str_eq(alias(x), "x3");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("dcache");
	TCase *tc = tcase_create("dcache");

	tcase_add_checked_fixture(tc, fs_up, fs_down);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, names_of_every_length);
	tcase_add_test(tc, names_of_every_byte);
	tcase_add_test(tc, a_name_is_its_directory_s);
	tcase_add_test(tc, without_memory_there_is_no_name);
	tcase_add_test(tc, hash_grows_and_shrinks);
	tcase_add_test(tc, hash_around_its_limits);
	tcase_add_test(tc, hash_that_cannot_grow);
	tcase_add_test(tc, the_oldest_name_comes_first);
	tcase_add_test(tc, exchanged_names_keep_their_age);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
