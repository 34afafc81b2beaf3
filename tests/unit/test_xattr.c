/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Labels: set, listed, limited, and whole or not at all. */
#include "config.h"

#include "fs/xattr.h"

#include <sys/xattr.h>

#include "fs_unit.h"

static struct inode *f;

static void setup(void)
{
	fs_up();
	f = make_file(sb.s_root, "f");
}

static int set(const char *name, const char *value, int flags)
{
	return simple_xattr_set(f, name, value, strlen(value), flags);
}

/* The value as text, or the error as a number. */
static const char *value_of(const char *name)
{
	static char value[65536];
	ssize_t n = simple_xattr_get(f, name, value, sizeof(value) - 1);

	if (n < 0)
		snprintf(value, sizeof(value), "%zd", n);
	else
		value[n] = '\0';
	return value;
}

/* The names, each followed by a comma. */
static const char *list(void)
{
	static char names[8192];
	ssize_t n = simple_xattr_list(f, names, sizeof(names));

	ck_assert_int_ge(n, 0);
	for (ssize_t i = 0; i < n; i++)
		if (names[i] == '\0')
			names[i] = ',';
	names[n] = '\0';
	return names;
}

START_TEST(set_get_list_remove)
{
	char nodata[16];

	snprintf(nodata, sizeof(nodata), "%d", -ENODATA);
	ck_assert_int_eq(simple_xattr_get(f, "user.a", NULL, 0), -ENODATA);
	ck_assert_int_eq(simple_xattr_list(f, NULL, 0), 0);
	ck_assert_int_eq(set("user.a", "one", 0), 0);
	ck_assert_int_eq(set("user.b", "", 0), 0);
	ck_assert_int_eq(set("user.c", "three", 0), 0);
	ck_assert_str_eq(list(), "user.a,user.b,user.c,");
	ck_assert_str_eq(value_of("user.a"), "one");
	ck_assert_str_eq(value_of("user.b"), "");
	/* A new value leaves the name where it stands. */
	ck_assert_int_eq(set("user.a", "a much longer one", 0), 0);
	ck_assert_str_eq(list(), "user.a,user.b,user.c,");
	ck_assert_str_eq(value_of("user.a"), "a much longer one");
	ck_assert_int_eq(simple_xattr_set(f, "user.b", NULL, 0, 0), 0);
	ck_assert_str_eq(list(), "user.a,user.c,");
	ck_assert_str_eq(value_of("user.b"), nodata);
	ck_assert_int_eq(simple_xattr_set(f, "user.b", NULL, 0, 0), -ENODATA);
	simple_xattrs_free(f);
	ck_assert_str_eq(list(), "");
	ck_assert_int_eq(simple_xattr_set(f, "user.a", NULL, 0, 0), -ENODATA);
}
END_TEST

START_TEST(values_are_bytes)
{
	static const char bytes[] = "a\0b\0\xff";
	char got[sizeof(bytes)];

	ck_assert_int_eq(simple_xattr_set(f, "user.a", bytes, sizeof(bytes), 0), 0);
	ck_assert_int_eq(simple_xattr_get(f, "user.a", got, sizeof(got)), sizeof(bytes));
	ck_assert_mem_eq(got, bytes, sizeof(bytes));
}
END_TEST

START_TEST(flags)
{
	ck_assert_int_eq(set("user.a", "1", XATTR_REPLACE), -ENODATA);
	ck_assert_int_eq(set("user.a", "1", XATTR_CREATE), 0);
	ck_assert_int_eq(set("user.a", "2", XATTR_CREATE), -EEXIST);
	ck_assert_str_eq(value_of("user.a"), "1");
	ck_assert_int_eq(set("user.a", "2", XATTR_REPLACE), 0);
	ck_assert_int_eq(set("user.a", "3", 4), -EINVAL);
	ck_assert_int_eq(set("user.a", "3", -1), -EINVAL);
	ck_assert_str_eq(value_of("user.a"), "2");
	ck_assert_int_eq(set("user.a", "3", XATTR_CREATE | XATTR_REPLACE), -EEXIST);
	ck_assert_int_eq(set("user.b", "3", XATTR_CREATE | XATTR_REPLACE), -ENODATA);
}
END_TEST

START_TEST(buffers_that_are_too_small)
{
	char buf[20];

	ck_assert_int_eq(set("user.a", "12345", 0), 0);
	ck_assert_int_eq(set("user.bc", "", 0), 0);
	ck_assert_int_eq(simple_xattr_get(f, "user.a", NULL, 0), 5);
	ck_assert_int_eq(simple_xattr_get(f, "user.a", buf, 4), -ERANGE);
	ck_assert_int_eq(simple_xattr_get(f, "user.a", buf, 5), 5);
	ck_assert_int_eq(simple_xattr_get(f, "user.bc", buf, 1), 0);
	ck_assert_int_eq(simple_xattr_list(f, NULL, 0), 15);
	for (size_t n = 1; n < 15; n++)
		ck_assert_int_eq(simple_xattr_list(f, buf, n), -ERANGE);
	ck_assert_int_eq(simple_xattr_list(f, buf, 15), 15);
}
END_TEST

START_TEST(at_most_so_many)
{
	char name[32];

	for (unsigned int n = 0; n < SIMPLE_XATTRS_MAX; n++) {
		snprintf(name, sizeof(name), "user.%u", n);
		ck_assert_int_eq(set(name, "x", 0), 0);
	}
	ck_assert_int_eq(set("user.more", "x", 0), -ENOSPC);
	/* Another value is not one more. */
	ck_assert_int_eq(set("user.7", "another", 0), 0);
	ck_assert_int_eq(simple_xattr_set(f, "user.9", NULL, 0, 0), 0);
	ck_assert_int_eq(set("user.more", "x", 0), 0);
	ck_assert_int_eq(set("user.again", "x", 0), -ENOSPC);
}
END_TEST

START_TEST(at_most_so_many_bytes)
{
	static char big[65536];
	char nodata[16];

	snprintf(nodata, sizeof(nodata), "%d", -ENODATA);
	memset(big, 'b', sizeof(big));
	ck_assert_int_eq(simple_xattr_set(f, "user.a", big, sizeof(big), 0), 0);
	/* Names count, with their NUL. */
	ck_assert_int_eq(simple_xattr_set(f, "user.b", big, sizeof(big) - 13, 0), -ENOSPC);
	ck_assert_str_eq(value_of("user.b"), nodata);
	ck_assert_int_eq(simple_xattr_set(f, "user.b", big, sizeof(big) - 14, 0), 0);
	ck_assert_int_eq(set("user.c", "", 0), -ENOSPC);
	/* What goes makes room for what comes in its place. */
	ck_assert_int_eq(simple_xattr_set(f, "user.a", big, sizeof(big), 0), 0);
	ck_assert_int_eq(set("user.a", "", 0), 0);
	ck_assert_int_eq(simple_xattr_set(f, "user.c", big, sizeof(big) - 7, 0), 0);
	ck_assert_int_eq(set("user.a", "x", 0), -ENOSPC);
	ck_assert_str_eq(value_of("user.a"), "");
	/* Removed ones are forgotten: it can go on for ever. */
	for (int i = 0; i < 100; i++) {
		ck_assert_int_eq(simple_xattr_set(f, "user.b", NULL, 0, 0), 0);
		ck_assert_int_eq(simple_xattr_set(f, "user.b", big, sizeof(big) - 14, 0), 0);
	}
}
END_TEST

START_TEST(without_memory)
{
	for (long n = 1; n <= 2; n++) {
		kmem_fault_after(n);
		ck_assert_int_eq(set("user.a", "x", 0), -ENOMEM);
		ck_assert_str_eq(list(), "");
		simple_xattrs_free(f);
	}
	kmem_fault_after(-1);
	ck_assert_int_eq(set("user.a", "old", 0), 0);
	kmem_fault_after(1);
	ck_assert_int_eq(set("user.a", "new", 0), -ENOMEM);
	ck_assert_str_eq(value_of("user.a"), "old");
	/* To remove one needs none. */
	kmem_fault_after(1);
	ck_assert_int_eq(simple_xattr_set(f, "user.a", NULL, 0, 0), 0);
}
END_TEST

START_TEST(they_go_with_the_inode)
{
	struct inode *g = make_file(sb.s_root, "g");

	ck_assert_int_eq(simple_xattr_set(g, "user.a", "1", 1, 0), 0);
	ck_assert_int_eq(link_to(g, sb.s_root, "h"), 0);
	ck_assert_int_eq(unlink_name(sb.s_root, "g"), 0);
	ck_assert_int_eq(simple_xattr_get(g, "user.a", NULL, 0), 1);
	ck_assert_int_eq(unlink_name(sb.s_root, "h"), 0);
	/* The next one in the same place has none. */
	g = make_file(sb.s_root, "g");
	ck_assert_int_eq(simple_xattr_get(g, "user.a", NULL, 0), -ENODATA);
}
END_TEST

START_TEST(changes_touch_ctime)
{
	f->i_ctime_sec = 1;
	ck_assert_int_eq(set("user.a", "1", XATTR_REPLACE), -ENODATA);
	ck_assert_int_eq(f->i_ctime_sec, 1);
	ck_assert_int_eq(set("user.a", "1", 0), 0);
	ck_assert_int_gt(f->i_ctime_sec, 1);
	f->i_ctime_sec = 1;
	ck_assert_int_eq(simple_xattr_set(f, "user.a", NULL, 0, 0), 0);
	ck_assert_int_gt(f->i_ctime_sec, 1);
}
END_TEST

START_TEST(all_of_them_together)
{
	uint64_t bytes;

	ck_assert_int_eq(set("user.a", "12345678", 0), 0);
	bytes = vm_stat(VM_TEXT)->bytes;
	ck_assert_uint_gt(bytes, 15);
	vm_set_max(VM_TEXT, 2 * bytes);
	ck_assert_int_eq(set("user.b", "123456789", 0), -ENOSPC);
	ck_assert_uint_eq(vm_stat(VM_TEXT)->bytes, bytes);
	ck_assert_int_eq(set("user.b", "12345678", 0), 0);
	ck_assert_int_eq(set("user.c", "", 0), -ENOSPC);
	ck_assert_int_eq(simple_xattr_set(f, "user.a", NULL, 0, XATTR_REPLACE), 0);
	ck_assert_int_eq(set("user.c", "", 0), 0);
	vm_set_max(VM_TEXT, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("xattr");
	TCase *tc = tcase_create("xattr");

	tcase_add_checked_fixture(tc, setup, fs_down);
	tcase_add_test(tc, set_get_list_remove);
	tcase_add_test(tc, values_are_bytes);
	tcase_add_test(tc, flags);
	tcase_add_test(tc, buffers_that_are_too_small);
	tcase_add_test(tc, at_most_so_many);
	tcase_add_test(tc, at_most_so_many_bytes);
	tcase_add_test(tc, all_of_them_together);
	tcase_add_test(tc, without_memory);
	tcase_add_test(tc, they_go_with_the_inode);
	tcase_add_test(tc, changes_touch_ctime);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
