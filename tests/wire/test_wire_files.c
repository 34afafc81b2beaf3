/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Open files, attributes and directories over the wire.
 */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/ioctl.h>

#include "lib/util.h"
#include "tests/unit/unit.h"
#include "wire_net.h"

#define ROOT FUSE_ROOT_ID
#define NO_SUCH_ID 0x7777777700000123u

static struct wire *w;
static struct fuse_entry_out f;

static void setup(void)
{
	w = wire_new();
	ck_assert_ptr_nonnull(w);
	ck_assert_int_eq(wire_mknod(w, ROOT, "f", S_IFREG | 0644, &f), 0);
}

static void teardown(void)
{
	ck_assert_int_eq(wire_free(w), 0);
}

#define SOCKET_FLAGS                                                                               \
	(FOPEN_DIRECT_IO | FOPEN_NONSEEKABLE | FOPEN_STREAM | FOPEN_PARALLEL_DIRECT_WRITES)

START_TEST(open_is_a_stream)
{
	struct fuse_open_out o;

	ck_assert_int_eq(wire_open(w, f.nodeid, O_RDWR, &o), 0);
	ck_assert_uint_eq(o.open_flags, SOCKET_FLAGS);
	ck_assert_int_eq(wire_release(w, f.nodeid, o.fh), 0);
	ck_assert_int_eq(wire_release(w, f.nodeid, o.fh), -EBADF);
	ck_assert_uint_eq(w->sb.s_files.count, 0);
}
END_TEST

START_TEST(create_makes_and_opens)
{
	struct fuse_entry_out e, again;
	struct fuse_open_out o, p;

	w->uid = 7;
	ck_assert_int_eq(wire_create(w, ROOT, "c", O_RDWR | O_CREAT, S_IFREG | 0600, &e, &o), 0);
	ck_assert_uint_eq(o.open_flags, SOCKET_FLAGS);
	ck_assert_uint_eq(e.attr.mode, S_IFREG | 0600);
	ck_assert_uint_eq(e.attr.uid, 7);
	ck_assert_uint_ne(e.attr.ino, 0);
	ck_assert_uint_gt(e.attr.mtime, 1600000000);
	/* Found to be there already: the kernel has to look again, with its checks. */
	ck_assert_int_eq(wire_create(w, ROOT, "c", O_RDWR | O_CREAT, 0600, &again, &p), -ESTALE);
	ck_assert_int_eq(wire_create(w, ROOT, "c", O_CREAT | O_EXCL, 0600, &again, &p), -EEXIST);
	ck_assert_int_eq(wire_lookup(w, ROOT, "c", &again), 0);
	ck_assert_uint_eq(again.nodeid, e.nodeid);
	ck_assert_int_eq(wire_release(w, e.nodeid, o.fh), 0);
	ck_assert_int_eq(wire_unlink(w, ROOT, "c"), 0);
	wire_forget(w, e.nodeid, 1);
	ck_assert_int_eq(wire_getattr(w, e.nodeid, NULL), 0);
	wire_forget(w, e.nodeid, 1);
	ck_assert_int_eq(wire_getattr(w, e.nodeid, NULL), -ESTALE);
}
END_TEST

START_TEST(open_of_what_is_no_file)
{
	struct fuse_entry_out d, s;
	struct fuse_open_out o;
	uint64_t fh;

	ck_assert_int_eq(wire_mkdir(w, ROOT, "d", 0755, &d), 0);
	ck_assert_int_eq(wire_symlink(w, ROOT, "s", "f", &s), 0);
	ck_assert_int_eq(wire_open(w, d.nodeid, O_RDONLY, &o), -EISDIR);
	ck_assert_int_eq(wire_open(w, s.nodeid, O_RDONLY, &o), -ELOOP);
	ck_assert_int_eq(wire_open(w, NO_SUCH_ID, O_RDONLY, &o), -ESTALE);
	ck_assert_int_eq(wire_opendir(w, f.nodeid, &fh), -ENOTDIR);
	ck_assert_uint_eq(w->sb.s_files.count, 0);
	/* The last name is gone and nobody has it open: it is closed for good. */
	ck_assert_int_eq(wire_unlink(w, ROOT, "f"), 0);
	ck_assert_int_eq(wire_open(w, f.nodeid, O_RDWR, &o), -ESTALE);
}
END_TEST

START_TEST(open_file_outlives_its_name)
{
	struct fuse_open_out o;
	uint64_t u;

	ck_assert_int_eq(wire_open(w, f.nodeid, O_RDWR, &o), 0);
	ck_assert_int_eq(wire_unlink(w, ROOT, "f"), 0);
	u = wire_read(w, f.nodeid, o.fh, 10, O_RDWR);
	ck_assert_int_eq(wire_answer(w, u, NULL, 0, NULL), -ENOTCONN);
	wire_forget(w, f.nodeid, 1);
	ck_assert_int_eq(wire_getattr(w, f.nodeid, NULL), 0);
	ck_assert_int_eq(wire_release(w, f.nodeid, o.fh), 0);
	ck_assert_int_eq(wire_getattr(w, f.nodeid, NULL), -ESTALE);
}
END_TEST

static int answer(uint64_t unique)
{
	return wire_answer(w, unique, NULL, 0, NULL);
}

START_TEST(bad_handles)
{
	struct fuse_entry_out g;
	struct fuse_open_out o, ro, wo;
	struct fuse_read_in rd = {.size = 4096, .read_flags = FUSE_READ_LOCKOWNER};
	uint64_t dirfh;

	ck_assert_int_eq(wire_mknod(w, ROOT, "g", S_IFREG | 0644, &g), 0);
	ck_assert_int_eq(wire_open(w, f.nodeid, O_RDWR, &o), 0);
	ck_assert_int_eq(wire_open(w, f.nodeid, O_RDONLY, &ro), 0);
	ck_assert_int_eq(wire_open(w, f.nodeid, O_WRONLY, &wo), 0);
	ck_assert_int_eq(wire_opendir(w, ROOT, &dirfh), 0);
	ck_assert_int_eq(answer(wire_read(w, f.nodeid, NO_SUCH_ID, 1, 0)), -EBADF);
	ck_assert_int_eq(answer(wire_read(w, g.nodeid, o.fh, 1, 0)), -EBADF);
	ck_assert_int_eq(answer(wire_read(w, ROOT, dirfh, 1, 0)), -EBADF);
	ck_assert_int_eq(answer(wire_read(w, f.nodeid, wo.fh, 1, O_WRONLY)), -EBADF);
	ck_assert_int_eq(answer(wire_write(w, f.nodeid, ro.fh, "x", 1, 0)), -EBADF);
	ck_assert_int_eq(answer(wire_write(w, f.nodeid, 0, "x", 1, 0)), -EBADF);
	ck_assert_int_eq(answer(wire_poll(w, f.nodeid, NO_SUCH_ID, 77)), -EBADF);
	ck_assert_int_eq(wire_release(w, g.nodeid, o.fh), -EBADF);
	rd.fh = o.fh;
	ck_assert_int_eq(wire_call(w, FUSE_READDIR, f.nodeid, &rd, sizeof(rd), NULL, 0, NULL, 0,
				   NULL),
			 -EBADF);
	ck_assert_int_eq(answer(wire_read(w, f.nodeid, o.fh, 1, O_RDWR)), -ENOTCONN);
	ck_assert_int_eq(answer(wire_write(w, f.nodeid, o.fh, "x", 1, O_RDWR)), -ENOTCONN);
	ck_assert_int_eq(wire_releasedir(w, ROOT, dirfh), 0);
}
END_TEST

START_TEST(ioctl_sizes)
{
	static char big[16384];
	struct sockfs_info info = {.state = 99};
	struct fuse_ioctl_in in = {.cmd = SOCKFS_IOC_BIND};
	struct fuse_open_out o;
	uint64_t dirfh;

	ck_assert_int_eq(wire_open(w, f.nodeid, O_RDWR, &o), 0);
	ck_assert_int_eq(wire_ioctl(w, f.nodeid, o.fh, SOCKFS_IOC_INFO, &info), 0);
	ck_assert_uint_eq(info.state, SOCKFS_UNCONNECTED);
	ck_assert_uint_eq(info.ino, f.attr.ino);
	/* TCGETS, what isatty(3) asks. */
	ck_assert_int_eq(wire_ioctl(w, f.nodeid, o.fh, 0x5401, NULL), -ENOTTY);
	ck_assert_int_eq(wire_ioctl(w, f.nodeid, o.fh, _IOWR(SOCKFS_IOC_MAGIC, 99, char[16000]), big),
			 -ENOTTY);
	/* Fewer and more bytes than the command's number says. */
	in.fh = o.fh;
	in.in_size = 4;
	ck_assert_int_eq(wire_call(w, FUSE_IOCTL, f.nodeid, &in, sizeof(in), big, 4, NULL, 0, NULL),
			 -ENOTTY);
	in.in_size = 1000;
	ck_assert_int_eq(wire_call(w, FUSE_IOCTL, f.nodeid, &in, sizeof(in), big, 1000, NULL, 0,
				   NULL),
			 -ENOTTY);
	in.in_size = _IOC_SIZE(SOCKFS_IOC_BIND); /* but they are not there */
	ck_assert_int_eq(wire_call(w, FUSE_IOCTL, f.nodeid, &in, sizeof(in), big, 8, NULL, 0, NULL),
			 -EINVAL);
	in = (struct fuse_ioctl_in){.fh = o.fh, .cmd = SOCKFS_IOC_INFO, .out_size = 8};
	ck_assert_int_eq(wire_call(w, FUSE_IOCTL, f.nodeid, &in, sizeof(in), NULL, 0, NULL, 0,
				   NULL),
			 -ENOTTY);
	/* The kernel's own, as it asks: its number says long. */
	in = (struct fuse_ioctl_in){.fh = o.fh, .cmd = FS_IOC_GETFLAGS, .out_size = 4};
	ck_assert_int_eq(wire_call(w, FUSE_IOCTL, f.nodeid, &in, sizeof(in), NULL, 0, NULL, 0,
				   NULL),
			 -ENOTTY);
	ck_assert_int_eq(wire_opendir(w, ROOT, &dirfh), 0);
	in = (struct fuse_ioctl_in){.fh = dirfh, .cmd = 0x5401, .flags = FUSE_IOCTL_DIR};
	ck_assert_int_eq(wire_call(w, FUSE_IOCTL, ROOT, &in, sizeof(in), NULL, 0, NULL, 0, NULL),
			 -ENOTTY);
	in.flags = 0;
	ck_assert_int_eq(wire_call(w, FUSE_IOCTL, ROOT, &in, sizeof(in), NULL, 0, NULL, 0, NULL),
			 -EBADF);
}
END_TEST

static int setattr(uint64_t ino, struct fuse_setattr_in *in, struct fuse_attr *ret)
{
	struct fuse_attr_out out = {0};
	int err = wire_call(w, FUSE_SETATTR, ino, in, sizeof(*in), NULL, 0, &out, sizeof(out), NULL);

	*ret = out.attr;
	return err;
}

START_TEST(setattr_sets)
{
	struct fuse_setattr_in in = {.valid = FATTR_MODE | FATTR_UID | FATTR_GID,
				     .mode = 04711,
				     .uid = 5,
				     .gid = 6};
	struct fuse_attr a;

	ck_assert_int_eq(setattr(f.nodeid, &in, &a), 0);
	ck_assert_uint_eq(a.mode, S_IFREG | 04711);
	ck_assert_uint_eq(a.uid, 5);
	ck_assert_uint_eq(a.gid, 6);
	in = (struct fuse_setattr_in){.valid = FATTR_UID | FATTR_GID, .uid = -1u, .gid = -1u};
	ck_assert_int_eq(setattr(f.nodeid, &in, &a), 0);
	ck_assert_uint_eq(a.uid, 5);
	ck_assert_uint_eq(a.gid, 6);
	in = (struct fuse_setattr_in){.valid = FATTR_ATIME | FATTR_MTIME,
				      .atime = 123,
				      .atimensec = 999999999,
				      .mtime = (uint64_t)-7,
				      .mtimensec = 5};
	ck_assert_int_eq(setattr(f.nodeid, &in, &a), 0);
	ck_assert_uint_eq(a.atime, 123);
	ck_assert_uint_eq(a.atimensec, 999999999);
	ck_assert_uint_eq(a.mtime, (uint64_t)-7);
	in = (struct fuse_setattr_in){.valid = FATTR_MTIME | FATTR_MTIME_NOW};
	ck_assert_int_eq(setattr(f.nodeid, &in, &a), 0);
	ck_assert_uint_gt(a.mtime, 1600000000);
	ck_assert_uint_eq(a.atime, 123);
	/* Only a kernel that caches writes has one of its own. */
	in = (struct fuse_setattr_in){.valid = FATTR_CTIME, .ctime = 77};
	ck_assert_int_eq(setattr(f.nodeid, &in, &a), 0);
	ck_assert_uint_gt(a.ctime, 1600000000);
}
END_TEST

/* The kernel asks for it where the writer may not keep the bits. */
START_TEST(a_write_takes_special_bits)
{
	static const struct {
		uint32_t flags;
		mode_t mode, left;
	} cases[] = {
		{0, 06755, 06755},
		{FUSE_WRITE_KILL_SUIDGID, 06755, 0755},
		{FUSE_WRITE_KILL_SUIDGID, 06745, 02745}, /* setgid without x means something else */
		{FUSE_WRITE_KILL_SUIDGID, 0755, 0755},
	};
	struct end e = make_connected(w, "web");

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fuse_setattr_in mode = {.valid = FATTR_MODE, .mode = cases[i].mode};
		struct fuse_write_in in = {
			.fh = e.fh, .size = 1, .flags = O_RDWR, .write_flags = cases[i].flags};
		struct fuse_attr a;
		uint64_t u;

		ck_assert_int_eq(setattr(e.ino, &mode, &a), 0);
		w->last_inval = 0;
		u = wire_send(w, FUSE_WRITE, e.ino, &in, sizeof(in), "x", 1);
		ck_assert_int_eq(wire_answer(w, u, NULL, 0, NULL), 0);
		ck_assert_uint_eq(w->last_inval, cases[i].left != cases[i].mode ? e.ino : 0);
		ck_assert_int_eq(wire_getattr(w, e.ino, &a), 0);
		ck_assert_uint_eq(a.mode, S_IFREG | cases[i].left);
	}
	close(e.peer);
}
END_TEST

START_TEST(setattr_refuses)
{
	struct fuse_setattr_in in = {.valid = FATTR_SIZE, .size = 5};
	struct fuse_entry_out s;
	struct fuse_attr a;

	ck_assert_int_eq(setattr(f.nodeid, &in, &a), 0);
	ck_assert_uint_eq(a.size, 1 << 20);
	ck_assert_int_eq(setattr(ROOT, &in, &a), -EISDIR);
	ck_assert_int_eq(wire_symlink(w, ROOT, "s", "f", &s), 0);
	ck_assert_int_eq(setattr(s.nodeid, &in, &a), -EINVAL);
	in.size = (uint64_t)-1;
	ck_assert_int_eq(setattr(f.nodeid, &in, &a), -EINVAL);
	in = (struct fuse_setattr_in){.valid = FATTR_MTIME | FATTR_MODE, .mtimensec = 1000000000};
	ck_assert_int_eq(setattr(f.nodeid, &in, &a), -EINVAL);
	ck_assert_int_eq(wire_getattr(w, f.nodeid, &a), 0);
	ck_assert_uint_eq(a.mode, S_IFREG | 0644);
	ck_assert_int_eq(setattr(NO_SUCH_ID, &in, &a), -ESTALE);
}
END_TEST

START_TEST(statfs_counts_sockets)
{
	struct fuse_statfs_out before, after;
	struct fuse_entry_out e;

	ck_assert_int_eq(wire_call(w, FUSE_STATFS, ROOT, NULL, 0, NULL, 0, &before, sizeof(before),
				   NULL),
			 0);
	ck_assert_uint_eq(before.st.namelen, 255);
	ck_assert_int_eq(wire_mknod(w, ROOT, "g", S_IFREG | 0644, &e), 0);
	ck_assert_int_eq(wire_call(w, FUSE_STATFS, ROOT, NULL, 0, NULL, 0, &after, sizeof(after),
				   NULL),
			 0);
	ck_assert_uint_eq(after.st.ffree, before.st.ffree - 1);
	ck_assert_uint_eq(after.st.files, before.st.files);
}
END_TEST

START_TEST(too_many_sockets)
{
	struct fuse_entry_out e;
	struct fuse_open_out o;

	w->sb.s_max_sockets = 1;
	ck_assert_int_eq(wire_mknod(w, ROOT, "g", S_IFREG | 0644, &e), -ENOSPC);
	ck_assert_int_eq(wire_create(w, ROOT, "g", O_RDWR, 0644, &e, &o), -ENOSPC);
	ck_assert_int_eq(wire_lookup(w, ROOT, "g", &e), -ENOENT);
	ck_assert_int_eq(wire_mkdir(w, ROOT, "d", 0755, &e), 0);
}
END_TEST

/* ----------------------------------------------------------------- directories */

/* One READDIR(PLUS) from @off; its error, and its bytes in @buf. */
static int readdir_call(uint32_t opcode, uint64_t fh, uint64_t off, uint32_t size, char *buf,
			size_t *ret_len)
{
	struct fuse_read_in in = {
		.fh = fh,
		.offset = off,
		.size = size,
		.read_flags = FUSE_READ_LOCKOWNER,
	};

	return wire_call(w, opcode, ROOT, &in, sizeof(in), NULL, 0, buf, size, ret_len);
}

START_TEST(readdir_lists_each_once)
{
	char buf[256], seen[20] = "", name[8];
	uint64_t fh, off = 0;
	size_t len, dots = 0;

	for (int i = 0; i < 20; i++) {
		struct fuse_entry_out e;

		snprintf(name, sizeof(name), "n%d", i);
		ck_assert_int_eq(wire_mknod(w, ROOT, name, S_IFREG | 0644, &e), 0);
	}
	ck_assert_int_eq(wire_opendir(w, ROOT, &fh), 0);
	for (;;) {
		ck_assert_int_eq(readdir_call(FUSE_READDIR, fh, off, sizeof(buf), buf, &len), 0);
		ck_assert_uint_le(len, sizeof(buf));
		if (len == 0)
			break;
		for (size_t at = 0; at < len;) {
			const struct fuse_dirent *d = (void *)(buf + at);

			ck_assert_uint_ne(d->ino, 0);
			if (d->name[0] == 'n')
				seen[atoi(d->name + 1)]++;
			dots += d->namelen <= 2 && d->name[0] == '.';
			off = d->off;
			at += FUSE_DIRENT_SIZE(d);
		}
	}
	ck_assert_uint_eq(dots, 2);
	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(seen[i], 1);
	ck_assert_int_eq(readdir_call(FUSE_READDIR, fh, (uint64_t)-1, sizeof(buf), buf, &len),
			 -EINVAL);
	ck_assert_int_eq(wire_releasedir(w, ROOT, fh), 0);
}
END_TEST

/* The nodeid that READDIRPLUS says for "f"; the attributes are checked. */
static uint64_t plus_f(const char *buf, size_t len)
{
	uint64_t nodeid = 0;

	for (size_t at = 0; at < len;) {
		const struct fuse_direntplus *d = (const void *)(buf + at);

		if (d->dirent.namelen == 1 && d->dirent.name[0] == 'f') {
			nodeid = d->entry_out.nodeid;
			ck_assert_uint_eq(d->entry_out.attr.ino, f.attr.ino);
			ck_assert_uint_eq(d->dirent.ino, f.attr.ino);
			ck_assert_uint_eq(d->dirent.type, S_IFREG >> 12);
		} else if (d->dirent.name[0] == '.' && d->dirent.namelen <= 2) {
			ck_assert_uint_eq(d->entry_out.nodeid, 0);
			ck_assert_uint_eq(d->dirent.type, S_IFDIR >> 12);
		}
		at += FUSE_DIRENTPLUS_SIZE(d);
	}
	return nodeid;
}

START_TEST(readdirplus_counts_lookups)
{
	char buf[4096];
	uint64_t fh;
	size_t len;

	ck_assert_int_eq(wire_opendir(w, ROOT, &fh), 0);
	ck_assert_int_eq(readdir_call(FUSE_READDIRPLUS, fh, 0, sizeof(buf), buf, &len), 0);
	ck_assert_uint_eq(plus_f(buf, len), f.nodeid);
	ck_assert_int_eq(wire_unlink(w, ROOT, "f"), 0);
	wire_forget(w, f.nodeid, 1);
	ck_assert_int_eq(wire_getattr(w, f.nodeid, NULL), 0);
	wire_forget(w, f.nodeid, 1);
	ck_assert_int_eq(wire_getattr(w, f.nodeid, NULL), -ESTALE);
	ck_assert_int_eq(wire_releasedir(w, ROOT, fh), 0);
}
END_TEST

START_TEST(readdirplus_refused_counts_nothing)
{
	char buf[4096];
	uint64_t fh;

	ck_assert_int_eq(wire_opendir(w, ROOT, &fh), 0);
	w->refuse = ENOENT;
	readdir_call(FUSE_READDIRPLUS, fh, 0, sizeof(buf), buf, NULL);
	w->refuse = 0;
	ck_assert_int_eq(wire_unlink(w, ROOT, "f"), 0);
	wire_forget(w, f.nodeid, 1);
	ck_assert_int_eq(wire_getattr(w, f.nodeid, NULL), -ESTALE);
}
END_TEST

/* ---------------------------------------------------------------------- xattrs */

START_TEST(xattr_errors)
{
	char msg[600] = "";
	struct fuse_getxattr_in get = {.size = 64};
	struct fuse_setxattr_in set = {.size = 5000};

	ck_assert_int_lt(wire_call(w, FUSE_GETXATTR, f.nodeid, &get, sizeof(get), "user.none", 10,
				   NULL, 0, NULL),
			 0);
	memset(msg, 'n', 300);
	ck_assert_int_eq(wire_call(w, FUSE_GETXATTR, f.nodeid, &get, sizeof(get), msg, 301, NULL, 0,
				   NULL),
			 -ERANGE);
	ck_assert_int_eq(wire_call(w, FUSE_REMOVEXATTR, f.nodeid, NULL, 0, msg, 301, NULL, 0, NULL),
			 -ERANGE);
	/* A value that is longer than the message. */
	strcpy(msg, "user.a");
	ck_assert_int_eq(wire_call(w, FUSE_SETXATTR, f.nodeid, &set, 8, msg, 20, NULL, 0, NULL),
			 -EINVAL);
	ck_assert_int_eq(wire_call(w, FUSE_LISTXATTR, NO_SUCH_ID, &get, sizeof(get), NULL, 0, NULL,
				   0, NULL),
			 -ESTALE);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("wire: files");
	TCase *t = tcase_create("files");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, open_is_a_stream);
	tcase_add_test(t, create_makes_and_opens);
	tcase_add_test(t, open_of_what_is_no_file);
	tcase_add_test(t, open_file_outlives_its_name);
	tcase_add_test(t, bad_handles);
	tcase_add_test(t, ioctl_sizes);
	tcase_add_test(t, setattr_sets);
	tcase_add_test(t, a_write_takes_special_bits);
	tcase_add_test(t, setattr_refuses);
	tcase_add_test(t, statfs_counts_sockets);
	tcase_add_test(t, too_many_sockets);
	tcase_add_test(t, readdir_lists_each_once);
	tcase_add_test(t, readdirplus_counts_lookups);
	tcase_add_test(t, readdirplus_refused_counts_nothing);
	tcase_add_test(t, xattr_errors);
	suite_add_tcase(s, t);
	return unit_run(s);
}
