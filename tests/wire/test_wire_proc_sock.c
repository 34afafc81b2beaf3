/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * .proc/sock: control files by inode number, of sockets with and without a name.
 */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sockfs/ioctl.h"
#include "tests/unit/unit.h"
#include "wire.h"

#define ROOT FUSE_ROOT_ID

static struct wire *w;
static uint64_t dir;

static void setup(void)
{
	struct fuse_entry_out e;

	w = wire_new();
	ck_assert_ptr_nonnull(w);
	ck_assert_int_eq(wire_lookup(w, ROOT, ".proc", &e), 0);
	ck_assert_int_eq(wire_lookup(w, e.nodeid, "sock", &e), 0);
	ck_assert_uint_eq(e.attr.mode, S_IFDIR | 0555);
	dir = e.nodeid;
}

static void teardown(void)
{
	ck_assert_int_eq(wire_free(w), 0);
}

static int by_number(uint64_t ino, struct fuse_entry_out *ret)
{
	char name[32];

	sprintf(name, "%llu", (unsigned long long)ino);
	return wire_lookup(w, dir, name, ret);
}

START_TEST(a_socket_without_a_name)
{
	struct sockfs_info info = {0};
	struct sockfs_addr addr = {"127.0.0.1", "9"};
	struct fuse_entry_out e, m;
	struct fuse_open_out o, c;

	w->uid = 1000;
	ck_assert_int_eq(wire_create(w, ROOT, "f", O_RDWR, 0640, &e, &o), 0);
	ck_assert_int_eq(by_number(e.attr.ino, &m), 0);
	ck_assert_uint_eq(m.attr.nlink, 1);
	ck_assert_int_eq(wire_unlink(w, ROOT, "f"), 0);
	/* The kernel checks who may open it, by these. */
	ck_assert_int_eq(by_number(e.attr.ino, &m), 0);
	ck_assert_uint_eq(m.attr.nlink, 0);
	ck_assert_uint_eq(m.attr.mode, S_IFREG | 0640);
	ck_assert_uint_eq(m.attr.uid, 1000);
	ck_assert_int_eq(wire_open(w, m.nodeid, O_RDWR, &c), 0);
	ck_assert_int_eq(wire_ioctl(w, m.nodeid, c.fh, SOCKFS_IOC_INFO, &info), 0);
	ck_assert_uint_eq(info.ino, e.attr.ino);
	ck_assert_uint_eq(info.state, SOCKFS_UNCONNECTED);
	/* The last close ends it, whoever has its control open. */
	ck_assert_int_eq(wire_release(w, e.nodeid, o.fh), 0);
	ck_assert_uint_eq(w->sb.s_nr_sockets, 0);
	ck_assert_int_eq(wire_ioctl(w, m.nodeid, c.fh, SOCKFS_IOC_INFO, &info), -ESTALE);
	ck_assert_int_eq(wire_ioctl(w, m.nodeid, c.fh, SOCKFS_IOC_CONNECT, &addr), -ENOTTY);
	ck_assert_int_eq(by_number(e.attr.ino, &m), -ENOENT);
	ck_assert_int_eq(wire_release(w, m.nodeid, c.fh), 0);
}
END_TEST

START_TEST(what_a_control_file_does)
{
	struct sockfs_addr addr = {"127.0.0.1", "0"};
	struct sockfs_accept acc = {0};
	struct sockfs_sockopt opt = {.level = SOL_SOCKFS, .name = SOCKFS_SO_RCVTIMEO, .len = 4};
	struct fuse_entry_out e, m;
	struct fuse_open_out ro, rw;

	ck_assert_int_eq(wire_mknod(w, ROOT, "f", S_IFREG | 0644, &e), 0);
	ck_assert_int_eq(by_number(e.attr.ino, &m), 0);
	ck_assert_int_eq(wire_open(w, m.nodeid, O_RDONLY, &ro), 0);
	ck_assert_int_eq(wire_open(w, m.nodeid, O_RDWR, &rw), 0);
	ck_assert_int_eq(wire_ioctl(w, m.nodeid, ro.fh, SOCKFS_IOC_SETSOCKOPT, &opt), -EBADF);
	ck_assert_int_eq(wire_ioctl(w, m.nodeid, rw.fh, SOCKFS_IOC_SETSOCKOPT, &opt), 0);
	ck_assert_int_eq(wire_ioctl(w, m.nodeid, ro.fh, SOCKFS_IOC_ABORT, NULL), -EBADF);
	ck_assert_int_eq(wire_ioctl(w, m.nodeid, rw.fh, SOCKFS_IOC_ABORT, NULL), -ENOTCONN);
	/* What may have to wait is for the socket's own file. */
	ck_assert_int_eq(wire_ioctl(w, m.nodeid, rw.fh, SOCKFS_IOC_CONNECT, &addr), -ENOTTY);
	ck_assert_int_eq(wire_ioctl(w, m.nodeid, rw.fh, SOCKFS_IOC_BIND, &addr), -ENOTTY);
	ck_assert_int_eq(wire_ioctl(w, m.nodeid, rw.fh, SOCKFS_IOC_ACCEPT, &acc), -ENOTTY);
	ck_assert_int_eq(wire_ioctl(w, m.nodeid, rw.fh, _IO(SOCKFS_IOC_MAGIC, 99), NULL), -ENOTTY);
}
END_TEST

START_TEST(names_that_are_no_sockets)
{
	static const char *const names[] = {"0", "01", "-1", "+1", " 1", "1 ", "1x", "x", "99999999",
					    "18446744073709551617", "9999999999999999999"};
	struct fuse_entry_out e, m;
	char name[32];

	ck_assert_int_eq(wire_mknod(w, ROOT, "f", S_IFREG | 0644, &e), 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		ck_assert_int_eq(wire_lookup(w, dir, names[i], &m), -ENOENT);
	sprintf(name, "0%llu", (unsigned long long)e.attr.ino);
	ck_assert_int_eq(wire_lookup(w, dir, name, &m), -ENOENT);
	/* A control file, the root, a directory. */
	ck_assert_int_eq(by_number(e.attr.ino, &m), 0);
	ck_assert_uint_ne(m.attr.ino, e.attr.ino);
	ck_assert_int_eq(by_number(m.attr.ino, &m), -ENOENT);
	ck_assert_int_eq(by_number(1, &m), -ENOENT);
	ck_assert_int_eq(wire_mkdir(w, ROOT, "d", 0755, &e), 0);
	ck_assert_int_eq(by_number(e.attr.ino, &m), -ENOENT);
	ck_assert_int_eq(wire_mknod(w, dir, "1", S_IFREG | 0644, &m), -ENOENT);
	ck_assert_int_eq(wire_mkdir(w, dir, "d", 0755, &m), -EPERM);
}
END_TEST

/* ---------------------------------------------------------------------- listing */

/* One request: the names of sockets go to @seen, counted by number. 0: the end. */
static size_t list_some(uint64_t fh, uint64_t *off, uint32_t size, unsigned int *seen)
{
	struct fuse_read_in in = {.fh = fh, .offset = *off, .size = size};
	char buf[4096], *p = buf;
	size_t len = 0, n = 0;

	ck_assert_int_eq(wire_wait(w, wire_send(w, FUSE_READDIR, dir, &in, sizeof(in), NULL, 0), buf,
				   size, &len),
			 0);
	for (; p < buf + len; n++) {
		struct fuse_dirent *d = (struct fuse_dirent *)p;

		if (d->name[0] != '.')
			seen[strtoul(d->name, NULL, 10)]++;
		*off = d->off;
		p += FUSE_DIRENT_SIZE(d);
	}
	return n;
}

START_TEST(each_is_listed_once)
{
	static const uint32_t sizes[] = {64, 200, 4096};
	enum { NR = 9000 };
	static unsigned int seen[2 * NR];
	struct fuse_entry_out e;
	char name[16];
	size_t sockets = 0, found = 0;

	/* Directories in long rows: turns in which there is nothing to tell. */
	for (int i = 0; i < NR; i++) {
		sprintf(name, "n%d", i);
		if (i % 3000 < 5) {
			ck_assert_int_eq(wire_mknod(w, ROOT, name, S_IFREG | 0644, &e), 0);
			sockets++;
		} else {
			ck_assert_int_eq(wire_mkdir(w, ROOT, name, 0755, &e), 0);
		}
		ck_assert_uint_lt(e.attr.ino, 2 * NR);
	}
	for (size_t s = 0; s < ARRAY_SIZE(sizes); s++) {
		uint64_t fh, off = 0;
		size_t n;

		memset(seen, 0, sizeof(seen));
		ck_assert_int_eq(wire_opendir(w, dir, &fh), 0);
		n = list_some(fh, &off, sizes[s], seen);
		/* "." and "..", and as many as have room of those that lie together. */
		ck_assert_uint_eq(n, min(2u + 5u, sizes[s] / 32));
		while (n > 0)
			n = list_some(fh, &off, sizes[s], seen);
		ck_assert_int_eq(wire_releasedir(w, dir, fh), 0);
		found = 0;
		for (size_t i = 0; i < 2 * NR; i++) {
			ck_assert_uint_le(seen[i], 1);
			found += seen[i];
		}
		ck_assert_uint_eq(found, sockets);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("wire: sockets by number");
	TCase *t = tcase_create("sock");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_socket_without_a_name);
	tcase_add_test(t, what_a_control_file_does);
	tcase_add_test(t, names_that_are_no_sockets);
	tcase_add_test(t, each_is_listed_once);
	suite_add_tcase(s, t);
	return unit_run(s);
}
