/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Extended attributes over the wire: sizes, names, limits.
 */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "fs/xattr.h"
#include "tests/unit/unit.h"
#include "wire.h"

#define ROOT FUSE_ROOT_ID

static struct wire *w;
static uint64_t f;

static void setup(void)
{
	struct fuse_entry_out e;

	w = wire_new();
	ck_assert_ptr_nonnull(w);
	ck_assert_int_eq(wire_mknod(w, ROOT, "f", S_IFREG | 0644, &e), 0);
	f = e.nodeid;
}

static void teardown(void)
{
	ck_assert_int_eq(wire_free(w), 0);
}

static int set(uint64_t ino, const char *name, const void *value, size_t size, uint32_t flags)
{
	/* The short form of before FUSE_SETXATTR_EXT, name and value behind it. */
	struct {
		uint32_t size, flags;
	} in = {.size = (uint32_t)size, .flags = flags};
	size_t len = strlen(name) + 1;
	char *data = malloc(len + size);
	int err;

	memcpy(data, name, len);
	if (size > 0)
		memcpy(data + len, value, size);
	err = wire_call(w, FUSE_SETXATTR, ino, &in, sizeof(in), data, len + size, NULL, 0, NULL);
	free(data);
	return err;
}

/* The length, or -errno; size 0 asks for it. */
static int get(uint64_t ino, const char *name, void *buf, uint32_t size)
{
	struct fuse_getxattr_in in = {.size = size};
	struct fuse_getxattr_out out = {0};
	size_t len = 0;
	int err = wire_call(w, FUSE_GETXATTR, ino, &in, sizeof(in), name, strlen(name) + 1,
			    size == 0 ? (void *)&out : buf, size == 0 ? sizeof(out) : size, &len);

	if (err != 0)
		return err;
	return size == 0 ? (int)out.size : (int)len;
}

static int list(uint64_t ino, char *buf, uint32_t size)
{
	struct fuse_getxattr_in in = {.size = size};
	struct fuse_getxattr_out out = {0};
	size_t len = 0;
	int err = wire_call(w, FUSE_LISTXATTR, ino, &in, sizeof(in), NULL, 0,
			    size == 0 ? (void *)&out : buf, size == 0 ? sizeof(out) : size, &len);

	if (err != 0)
		return err;
	return size == 0 ? (int)out.size : (int)len;
}

static int removex(uint64_t ino, const char *name)
{
	return wire_call(w, FUSE_REMOVEXATTR, ino, NULL, 0, name, strlen(name) + 1, NULL, 0, NULL);
}

START_TEST(what_a_socket_is)
{
	char buf[64];

	/* With its NUL, as the kernel's own sockets have it. */
	ck_assert_int_eq(get(f, "system.sockprotoname", NULL, 0), 4);
	ck_assert_int_eq(get(f, "system.sockprotoname", buf, 3), -ERANGE);
	ck_assert_int_eq(get(f, "system.sockprotoname", buf, 4), 4);
	ck_assert_mem_eq(buf, "TCP", 4);
	ck_assert_int_eq(get(f, "user.sockfs.state", buf, sizeof(buf)), 11);
	ck_assert_mem_eq(buf, "unconnected", 11);
	ck_assert_int_eq(get(f, "user.sockfs.state", buf, 10), -ERANGE);
	ck_assert_int_eq(get(f, "user.sockfs.local", buf, sizeof(buf)), 1);
	ck_assert_mem_eq(buf, "-", 1);
	ck_assert_int_eq(get(f, "user.sockfs.remote", buf, 1), 1);
	ck_assert_mem_eq(buf, "-", 1);
	ck_assert_int_eq(get(f, "user.sockfs.nothing", buf, sizeof(buf)), -ENODATA);
}
END_TEST

START_TEST(what_a_socket_is_cannot_be_changed)
{
	static const char *const names[] = {"system.sockprotoname", "user.sockfs.state",
					    "user.sockfs.local", "user.sockfs.remote",
					    "user.sockfs.new", "user.sockfs."};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		ck_assert_int_eq(set(f, names[i], "x", 1, 0), -EPERM);
		ck_assert_int_eq(removex(f, names[i]), -EPERM);
	}
	/* Not a label's prefix without its dot. */
	ck_assert_int_eq(set(f, "user.sockfs", "x", 1, 0), 0);
}
END_TEST

START_TEST(labels)
{
	char buf[16];

	ck_assert_int_eq(get(f, "user.a", buf, sizeof(buf)), -ENODATA);
	ck_assert_int_eq(set(f, "user.a", "1234", 4, XATTR_REPLACE), -ENODATA);
	ck_assert_int_eq(set(f, "user.a", "1234", 4, XATTR_CREATE), 0);
	ck_assert_int_eq(set(f, "user.a", "5", 1, XATTR_CREATE), -EEXIST);
	ck_assert_int_eq(get(f, "user.a", buf, 3), -ERANGE);
	ck_assert_int_eq(get(f, "user.a", NULL, 0), 4);
	ck_assert_int_eq(get(f, "user.a", buf, 4), 4);
	ck_assert_mem_eq(buf, "1234", 4);
	/* An empty value is one. */
	ck_assert_int_eq(set(f, "user.a", NULL, 0, 0), 0);
	ck_assert_int_eq(get(f, "user.a", buf, sizeof(buf)), 0);
	ck_assert_int_eq(removex(f, "user.a"), 0);
	ck_assert_int_eq(removex(f, "user.a"), -ENODATA);
	ck_assert_int_eq(set(f, "user.", "x", 1, 0), -EINVAL);
	ck_assert_int_eq(set(f, "trusted.a", "x", 1, 0), -EOPNOTSUPP);
	ck_assert_int_eq(get(f, "trusted.a", buf, sizeof(buf)), -EOPNOTSUPP);
	ck_assert_int_eq(set(f, "security.capability", "x", 1, 0), -EOPNOTSUPP);
	ck_assert_int_eq(get(f, "security.capability", buf, sizeof(buf)), -EOPNOTSUPP);
	ck_assert_int_eq(removex(f, "security.capability"), -EOPNOTSUPP);
	ck_assert_int_eq(set(f, "", "x", 1, 0), -ERANGE);
}
END_TEST

START_TEST(lists)
{
	static const char ours[] = "system.sockprotoname\0user.sockfs.state\0"
				   "user.sockfs.local\0user.sockfs.remote";
	const int len = (int)sizeof(ours);
	char buf[256];

	ck_assert_int_eq(list(f, NULL, 0), len);
	ck_assert_int_eq(list(f, buf, (uint32_t)len - 1), -ERANGE);
	ck_assert_int_eq(list(f, buf, (uint32_t)len), len);
	ck_assert_mem_eq(buf, ours, sizeof(ours));
	ck_assert_int_eq(set(f, "user.b", "x", 1, 0), 0);
	ck_assert_int_eq(set(f, "user.a", "x", 1, 0), 0);
	ck_assert_int_eq(list(f, NULL, 0), len + 14);
	/* Not even room for the first of them, or for all but the last. */
	ck_assert_int_eq(list(f, buf, (uint32_t)len), -ERANGE);
	ck_assert_int_eq(list(f, buf, (uint32_t)len + 13), -ERANGE);
	ck_assert_int_eq(list(f, buf, (uint32_t)len + 14), len + 14);
	ck_assert_mem_eq(buf + len, "user.b\0user.a", 14);
	ck_assert_int_eq(removex(f, "user.b"), 0);
	ck_assert_int_eq(list(f, buf, sizeof(buf)), len + 7);
}
END_TEST

START_TEST(limits)
{
	static char big[XATTR_SIZE_MAX + 1];
	char name[300];

	ck_assert_int_eq(set(f, "user.big", big, sizeof(big), 0), -E2BIG);
	ck_assert_int_eq(set(f, "user.big", big, sizeof(big) - 1, 0), 0);
	/* 128 KiB with the names: not twice as much. */
	ck_assert_int_eq(set(f, "user.big2", big, sizeof(big) - 1, 0), -ENOSPC);
	ck_assert_int_eq(get(f, "user.big2", NULL, 0), -ENODATA);
	ck_assert_int_eq(removex(f, "user.big"), 0);
	for (int i = 0; i < SIMPLE_XATTRS_MAX; i++) {
		sprintf(name, "user.%d", i);
		ck_assert_int_eq(set(f, name, "x", 1, 0), 0);
	}
	ck_assert_int_eq(set(f, "user.more", "x", 1, 0), -ENOSPC);
	ck_assert_int_eq(set(f, "user.0", "yy", 2, 0), 0);
	ck_assert_int_eq(removex(f, "user.1"), 0);
	memset(name, 'n', 299);
	memcpy(name, "user.", 5);
	name[256] = '\0';
	ck_assert_int_eq(set(f, name, "x", 1, 0), -ERANGE);
	name[255] = '\0';
	ck_assert_int_eq(set(f, name, "x", 1, 0), 0);
}
END_TEST

START_TEST(directories_have_labels_control_files_none)
{
	struct fuse_entry_out d, c, m;
	char buf[16];

	ck_assert_int_eq(wire_mkdir(w, ROOT, "d", 0755, &d), 0);
	ck_assert_int_eq(set(d.nodeid, "user.a", "x", 1, 0), 0);
	ck_assert_int_eq(get(d.nodeid, "user.a", buf, sizeof(buf)), 1);
	ck_assert_int_eq(list(d.nodeid, buf, sizeof(buf)), 7);
	ck_assert_int_eq(get(d.nodeid, "system.sockprotoname", buf, sizeof(buf)), -EOPNOTSUPP);
	ck_assert_int_eq(get(d.nodeid, "user.sockfs.state", buf, sizeof(buf)), -ENODATA);
	ck_assert_int_eq(set(ROOT, "user.a", "x", 1, 0), 0);
	ck_assert_int_eq(wire_lookup(w, ROOT, ".ctl", &c), 0);
	ck_assert_int_eq(wire_lookup(w, c.nodeid, "f", &m), 0);
	ck_assert_int_eq(set(m.nodeid, "user.a", "x", 1, 0), -EOPNOTSUPP);
	ck_assert_int_eq(get(m.nodeid, "user.sockfs.state", buf, sizeof(buf)), -EOPNOTSUPP);
	ck_assert_int_eq(list(m.nodeid, NULL, 0), 0);
}
END_TEST

START_TEST(they_go_with_the_socket)
{
	struct fuse_entry_out e;
	char buf[16];

	ck_assert_int_eq(set(f, "user.a", "x", 1, 0), 0);
	ck_assert_int_eq(wire_rename(w, ROOT, "f", ROOT, "g", 0), 0);
	ck_assert_int_eq(get(f, "user.a", buf, sizeof(buf)), 1);
	ck_assert_int_eq(wire_unlink(w, ROOT, "g"), 0);
	wire_forget(w, f, 1);
	ck_assert_int_eq(get(f, "user.a", buf, sizeof(buf)), -ESTALE);
	ck_assert_int_eq(wire_mknod(w, ROOT, "f", S_IFREG | 0644, &e), 0);
	ck_assert_int_eq(get(e.nodeid, "user.a", buf, sizeof(buf)), -ENODATA);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("wire: extended attributes");
	TCase *t = tcase_create("xattr");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, what_a_socket_is);
	tcase_add_test(t, what_a_socket_is_cannot_be_changed);
	tcase_add_test(t, labels);
	tcase_add_test(t, lists);
	tcase_add_test(t, limits);
	tcase_add_test(t, directories_have_labels_control_files_none);
	tcase_add_test(t, they_go_with_the_socket);
	suite_add_tcase(s, t);
	return unit_run(s);
}
