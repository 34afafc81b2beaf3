/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names over the wire: every operation, its errors, and the lookup counts.
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
#define NO_SUCH_ID 0x7777777700000123u

static struct wire *w;

static void setup(void)
{
	w = wire_new();
	ck_assert_ptr_nonnull(w);
}

static void teardown(void)
{
	ck_assert_int_eq(wire_free(w), 0);
}

START_TEST(mknod_then_lookup)
{
	struct fuse_entry_out made, found;

	ck_assert_int_eq(wire_lookup(w, ROOT, "web", &found), -ENOENT);
	w->uid = 1000;
	w->gid = 100;
	ck_assert_int_eq(wire_mknod(w, ROOT, "web", S_IFREG | 0640, &made), 0);
	ck_assert_uint_eq(made.attr.mode, S_IFREG | 0640);
	ck_assert_uint_eq(made.attr.uid, 1000);
	ck_assert_uint_eq(made.attr.gid, 100);
	ck_assert_uint_eq(made.attr.nlink, 1);
	ck_assert_uint_eq(made.attr.size, 1 << 20);
	ck_assert_uint_eq(made.attr.blocks, (1 << 20) / 512);
	ck_assert_uint_eq(made.attr.blksize, 1 << 20);
	ck_assert_int_eq(wire_lookup(w, ROOT, "web", &found), 0);
	ck_assert_uint_eq(found.nodeid, made.nodeid);
	ck_assert_uint_eq(found.attr.ino, made.attr.ino);
	ck_assert_uint_gt(found.entry_valid, 0);
	ck_assert_int_eq(wire_mknod(w, ROOT, "web", S_IFREG | 0644, &made), -EEXIST);
}
END_TEST

/* Only what the daemon has made for itself and named nowhere stays as it is for good. */
START_TEST(how_long_attributes_are_valid)
{
	struct fuse_getattr_in in = {0};
	struct fuse_entry_out e, fixed;
	struct fuse_attr_out nameless;

	ck_assert_int_eq(wire_mknod(w, ROOT, "f", S_IFREG | 0644, &e), 0);
	ck_assert_int_eq(wire_lookup(w, ROOT, ".proc", &fixed), 0);
	ck_assert_uint_gt(e.attr_valid, 0);
	ck_assert_uint_eq(fixed.attr_valid, e.attr_valid);
	ck_assert_int_eq(wire_unlink(w, ROOT, "f"), 0);
	ck_assert_int_eq(wire_call(w, FUSE_GETATTR, e.nodeid, &in, sizeof(in), NULL, 0, &nameless,
				   sizeof(nameless), NULL),
			 0);
	ck_assert_uint_eq(nameless.attr_valid, e.attr_valid);
	ck_assert_int_eq(wire_lookup(w, ROOT, "tcp", &fixed), 0);
	ck_assert_int_eq(wire_lookup(w, fixed.nodeid, "localhost", &fixed), 0);
	ck_assert_uint_gt(fixed.attr_valid, e.attr_valid);
}
END_TEST

START_TEST(only_sockets_can_be_made)
{
	struct fuse_entry_out e;

	ck_assert_int_eq(wire_mknod(w, ROOT, "f", S_IFIFO | 0644, &e), -EPERM);
	ck_assert_int_eq(wire_mknod(w, ROOT, "f", S_IFCHR | 0644, &e), -EPERM);
	ck_assert_int_eq(wire_mknod(w, ROOT, "f", S_IFBLK | 0644, &e), -EPERM);
	ck_assert_int_eq(wire_mknod(w, ROOT, "f", S_IFSOCK | 0644, &e), -EOPNOTSUPP);
	ck_assert_int_eq(wire_lookup(w, ROOT, "f", &e), -ENOENT);
}
END_TEST

START_TEST(bad_names)
{
	struct fuse_entry_out e;
	char name[300];

	memset(name, 'x', sizeof(name));
	name[255] = '\0';
	ck_assert_int_eq(wire_mknod(w, ROOT, name, S_IFREG | 0644, &e), 0);
	ck_assert_int_eq(wire_lookup(w, ROOT, name, &e), 0);
	name[255] = 'x';
	name[256] = '\0';
	ck_assert_int_eq(wire_mknod(w, ROOT, name, S_IFREG | 0644, &e), -ENAMETOOLONG);
	ck_assert_int_eq(wire_lookup(w, ROOT, name, &e), -ENAMETOOLONG);
	ck_assert_int_eq(wire_mkdir(w, ROOT, name, 0755, &e), -ENAMETOOLONG);
	ck_assert_int_eq(wire_unlink(w, ROOT, name), -ENAMETOOLONG);
	ck_assert_int_eq(wire_mknod(w, ROOT, "", S_IFREG | 0644, &e), -ENOENT);
	ck_assert_int_eq(wire_mknod(w, ROOT, "a/b", S_IFREG | 0644, &e), -EINVAL);
	ck_assert_int_eq(wire_mkdir(w, ROOT, ".", 0755, &e), -EINVAL);
	ck_assert_int_eq(wire_rmdir(w, ROOT, ".."), -EINVAL);
	/* A newline, a colon and bytes above 127 are as good as any. */
	ck_assert_int_eq(wire_mknod(w, ROOT, "a\nb:\xc3\xa4\xff", S_IFREG | 0644, &e), 0);
	ck_assert_int_eq(wire_lookup(w, ROOT, "a\nb:\xc3\xa4\xff", &e), 0);
}
END_TEST

START_TEST(bad_numbers)
{
	struct fuse_entry_out e, f;

	ck_assert_int_eq(wire_mknod(w, ROOT, "f", S_IFREG | 0644, &f), 0);
	ck_assert_int_eq(wire_lookup(w, NO_SUCH_ID, "f", &e), -ESTALE);
	ck_assert_int_eq(wire_lookup(w, 0, "f", &e), -ESTALE);
	ck_assert_int_eq(wire_lookup(w, UINT64_MAX, "f", &e), -ESTALE);
	ck_assert_int_eq(wire_lookup(w, f.nodeid + 1, "f", &e), -ESTALE);
	ck_assert_int_eq(wire_lookup(w, f.nodeid, "f", &e), -ENOTDIR);
	ck_assert_int_eq(wire_mkdir(w, f.nodeid, "d", 0755, &e), -ENOTDIR);
	ck_assert_int_eq(wire_link(w, NO_SUCH_ID, ROOT, "l", &e), -ESTALE);
	ck_assert_int_eq(wire_link(w, f.nodeid, NO_SUCH_ID, "l", &e), -ESTALE);
	ck_assert_int_eq(wire_rename(w, ROOT, "f", NO_SUCH_ID, "g", 0), -ESTALE);
	ck_assert_int_eq(wire_rename(w, NO_SUCH_ID, "f", ROOT, "g", 0), -ESTALE);
	ck_assert_int_eq(wire_unlink(w, f.nodeid, "g"), -ENOTDIR);
	ck_assert_int_eq(wire_getattr(w, NO_SUCH_ID, NULL), -ESTALE);
	ck_assert_int_eq(wire_call(w, FUSE_READLINK, f.nodeid, NULL, 0, NULL, 0, NULL, 0, NULL),
			 -EINVAL);
	ck_assert_int_eq(wire_lookup(w, ROOT, "f", &e), 0);
}
END_TEST

START_TEST(directories)
{
	struct fuse_entry_out d, e;
	struct fuse_attr root;

	ck_assert_int_eq(wire_mkdir(w, ROOT, "d", 0750, &d), 0);
	ck_assert_uint_eq(d.attr.mode, S_IFDIR | 0750);
	ck_assert_uint_eq(d.attr.nlink, 2);
	ck_assert_int_eq(wire_getattr(w, ROOT, &root), 0);
	ck_assert_uint_ge(root.nlink, 3);
	ck_assert_int_eq(wire_mkdir(w, ROOT, "d", 0755, &e), -EEXIST);
	ck_assert_int_eq(wire_mknod(w, d.nodeid, "f", S_IFREG | 0644, &e), 0);
	ck_assert_int_eq(wire_rmdir(w, ROOT, "d"), -ENOTEMPTY);
	ck_assert_int_eq(wire_unlink(w, ROOT, "d"), -EISDIR);
	ck_assert_int_eq(wire_rmdir(w, d.nodeid, "f"), -ENOTDIR);
	ck_assert_int_eq(wire_unlink(w, d.nodeid, "f"), 0);
	ck_assert_int_eq(wire_unlink(w, d.nodeid, "f"), -ENOENT);
	ck_assert_int_eq(wire_rmdir(w, ROOT, "d"), 0);
	ck_assert_int_eq(wire_rmdir(w, ROOT, "d"), -ENOENT);
	/* Still known by its number, but nothing can be made in it any more. */
	ck_assert_int_eq(wire_getattr(w, d.nodeid, NULL), 0);
	ck_assert_int_eq(wire_mknod(w, d.nodeid, "f", S_IFREG | 0644, &e), -ENOENT);
	ck_assert_int_eq(wire_mkdir(w, d.nodeid, "f", 0755, &e), -ENOENT);
}
END_TEST

START_TEST(links)
{
	struct fuse_entry_out f, l, s, d;
	char target[64] = "";
	char longest[4200];
	size_t len = 0;

	ck_assert_int_eq(wire_mknod(w, ROOT, "f", S_IFREG | 0644, &f), 0);
	ck_assert_int_eq(wire_link(w, f.nodeid, ROOT, "l", &l), 0);
	ck_assert_uint_eq(l.nodeid, f.nodeid);
	ck_assert_uint_eq(l.attr.nlink, 2);
	ck_assert_int_eq(wire_link(w, f.nodeid, ROOT, "l", &l), -EEXIST);
	ck_assert_int_eq(wire_mkdir(w, ROOT, "d", 0755, &d), 0);
	ck_assert_int_eq(wire_link(w, d.nodeid, ROOT, "m", &l), -EPERM);

	ck_assert_int_eq(wire_symlink(w, ROOT, "s", "some/where", &s), 0);
	ck_assert(S_ISLNK(s.attr.mode));
	ck_assert_int_eq(wire_call(w, FUSE_READLINK, s.nodeid, NULL, 0, NULL, 0, target,
				   sizeof(target), &len),
			 0);
	ck_assert_uint_eq(len, strlen("some/where"));
	ck_assert_str_eq(target, "some/where");
	ck_assert_int_eq(wire_symlink(w, ROOT, "s", "x", &s), -EEXIST);
	ck_assert_int_eq(wire_symlink(w, ROOT, "t", "", &s), -ENOENT);
	memset(longest, 'y', sizeof(longest));
	longest[4096] = '\0';
	ck_assert_int_eq(wire_symlink(w, ROOT, "t", longest, &s), -ENAMETOOLONG);
	longest[4095] = '\0';
	ck_assert_int_eq(wire_symlink(w, ROOT, "t", longest, &s), 0);

	/* Both names gone: what is left has a number and no way back. */
	ck_assert_int_eq(wire_unlink(w, ROOT, "f"), 0);
	ck_assert_int_eq(wire_unlink(w, ROOT, "l"), 0);
	ck_assert_int_eq(wire_link(w, f.nodeid, ROOT, "again", &l), -ENOENT);
}
END_TEST

START_TEST(renames)
{
	struct fuse_entry_out a, b, d, e;

	ck_assert_int_eq(wire_mknod(w, ROOT, "a", S_IFREG | 0644, &a), 0);
	ck_assert_int_eq(wire_mknod(w, ROOT, "b", S_IFREG | 0644, &b), 0);
	ck_assert_int_eq(wire_mkdir(w, ROOT, "d", 0755, &d), 0);
	ck_assert_int_eq(wire_rename(w, ROOT, "none", ROOT, "x", 0), -ENOENT);
	ck_assert_int_eq(wire_rename(w, ROOT, "a", ROOT, "b", 1 /* NOREPLACE */), -EEXIST);
	ck_assert_int_eq(wire_rename(w, ROOT, "a", ROOT, "b", 4 /* WHITEOUT */), -EINVAL);
	ck_assert_int_eq(wire_rename(w, ROOT, "a", ROOT, "b", 3), -EINVAL);
	ck_assert_int_eq(wire_rename(w, ROOT, "a", ROOT, "none", 2 /* EXCHANGE */), -ENOENT);
	ck_assert_int_eq(wire_rename(w, ROOT, "a", ROOT, "b", 2), 0);
	ck_assert_int_eq(wire_lookup(w, ROOT, "a", &e), 0);
	ck_assert_uint_eq(e.nodeid, b.nodeid);
	ck_assert_int_eq(wire_rename(w, ROOT, "d", d.nodeid, "in", 0), -EINVAL);
	ck_assert_int_eq(wire_rename(w, ROOT, "a", d.nodeid, "a", 0), 0);
	ck_assert_int_eq(wire_lookup(w, d.nodeid, "a", &e), 0);
	ck_assert_int_eq(wire_rename(w, ROOT, "b", d.nodeid, "a", 0), 0);
	ck_assert_int_eq(wire_lookup(w, ROOT, "b", &e), -ENOENT);
	ck_assert_int_eq(wire_lookup(w, d.nodeid, "a", &e), 0);
	ck_assert_uint_eq(e.nodeid, a.nodeid);
}
END_TEST

/* What the kernel asks for the handle of an inode that it has forgotten. */
START_TEST(handles_outlive_forgetting)
{
	struct fuse_entry_out d, f, e;
	struct fuse_open_out o;

	ck_assert_int_eq(wire_mkdir(w, ROOT, "d", 0755, &d), 0);
	ck_assert_int_eq(wire_mknod(w, d.nodeid, "f", S_IFREG | 0640, &f), 0);
	wire_forget(w, f.nodeid, 1);
	wire_forget(w, d.nodeid, 1);
	ck_assert_int_eq(wire_lookup(w, f.nodeid, ".", &e), 0);
	ck_assert_uint_eq(e.nodeid, f.nodeid);
	ck_assert_uint_eq(e.generation, f.generation);
	ck_assert_uint_eq(e.attr.mode, S_IFREG | 0640);
	ck_assert_int_eq(wire_lookup(w, d.nodeid, ".", &e), 0);
	ck_assert_uint_eq(e.nodeid, d.nodeid);
	ck_assert_int_eq(wire_lookup(w, f.nodeid, "..", &e), 0);
	ck_assert_uint_eq(e.nodeid, d.nodeid);
	ck_assert_int_eq(wire_lookup(w, d.nodeid, "..", &e), 0);
	ck_assert_uint_eq(e.nodeid, ROOT);
	ck_assert_int_eq(wire_lookup(w, ROOT, "..", &e), 0);
	ck_assert_uint_eq(e.nodeid, ROOT);
	/* Removed, and remembered by who has it open: not by a handle. */
	ck_assert_int_eq(wire_open(w, f.nodeid, O_RDWR, &o), 0);
	ck_assert_int_eq(wire_unlink(w, d.nodeid, "f"), 0);
	ck_assert_int_eq(wire_lookup(w, f.nodeid, ".", &e), -ESTALE);
	ck_assert_int_eq(wire_lookup(w, f.nodeid, "..", &e), -ESTALE);
	wire_forget(w, f.nodeid, 1);
	ck_assert_int_eq(wire_release(w, f.nodeid, o.fh), 0);
	ck_assert_int_eq(wire_lookup(w, f.nodeid, ".", &e), -ESTALE);
	/* The number is used again for another. */
	ck_assert_int_eq(wire_mknod(w, ROOT, "g", S_IFREG | 0640, &e), 0);
	ck_assert_int_eq(wire_lookup(w, f.nodeid, ".", &e), -ESTALE);
}
END_TEST

START_TEST(forget_frees_what_has_no_name)
{
	struct fuse_entry_out f, e;

	ck_assert_int_eq(wire_mknod(w, ROOT, "f", S_IFREG | 0644, &f), 0); /* 1 */
	ck_assert_int_eq(wire_lookup(w, ROOT, "f", &e), 0);		   /* 2 */
	ck_assert_int_eq(wire_lookup(w, ROOT, "f", &e), 0);		   /* 3 */
	ck_assert_int_eq(wire_unlink(w, ROOT, "f"), 0);
	wire_forget(w, f.nodeid, 2);
	ck_assert_int_eq(wire_getattr(w, f.nodeid, NULL), 0);
	wire_forget(w, f.nodeid, 1);
	ck_assert_int_eq(wire_getattr(w, f.nodeid, NULL), -ESTALE);
	wire_forget(w, f.nodeid, 1);
	ck_assert_uint_eq(w->sb.s_nr_sockets, 0);
	/* The number is not given out again. */
	ck_assert_int_eq(wire_mknod(w, ROOT, "f", S_IFREG | 0644, &e), 0);
	ck_assert_uint_ne(e.nodeid, f.nodeid);
	ck_assert_int_eq(wire_getattr(w, f.nodeid, NULL), -ESTALE);
}
END_TEST

START_TEST(forget_of_too_many_and_of_the_root)
{
	struct fuse_entry_out f;

	ck_assert_int_eq(wire_mknod(w, ROOT, "f", S_IFREG | 0644, &f), 0);
	wire_forget(w, f.nodeid, UINT64_MAX);
	/* It has a name: it stays. */
	ck_assert_int_eq(wire_getattr(w, f.nodeid, NULL), 0);
	wire_forget(w, ROOT, 1000);
	wire_forget(w, NO_SUCH_ID, 1);
	ck_assert_int_eq(wire_getattr(w, ROOT, NULL), 0);
}
END_TEST

START_TEST(batch_forget)
{
	struct {
		struct fuse_batch_forget_in in;
		struct fuse_forget_one one[3];
	} msg = {.in = {.count = 3}};
	struct fuse_entry_out a, b;

	ck_assert_int_eq(wire_mknod(w, ROOT, "a", S_IFREG | 0644, &a), 0);
	ck_assert_int_eq(wire_mknod(w, ROOT, "b", S_IFREG | 0644, &b), 0);
	ck_assert_int_eq(wire_unlink(w, ROOT, "a"), 0);
	ck_assert_int_eq(wire_unlink(w, ROOT, "b"), 0);
	msg.one[0] = (struct fuse_forget_one){a.nodeid, 1};
	msg.one[1] = (struct fuse_forget_one){NO_SUCH_ID, 1};
	msg.one[2] = (struct fuse_forget_one){b.nodeid, 1};
	wire_send_as(w, 1000000, FUSE_BATCH_FORGET, 0, &msg, sizeof(msg), NULL, 0, false);
	ck_assert_int_eq(wire_getattr(w, a.nodeid, NULL), -ESTALE);
	ck_assert_int_eq(wire_getattr(w, b.nodeid, NULL), -ESTALE);
}
END_TEST

#define MANY 20000

/* One message that forgets them all, with a short question behind it: its number. */
static uint64_t forget_many(const uint64_t *nodeids)
{
	struct fuse_batch_forget_in in = {.count = MANY};
	struct fuse_forget_one *list = calloc(MANY, sizeof(*list));
	struct fuse_getattr_in getattr = {0};
	uint64_t ask;

	ck_assert_ptr_nonnull(list);
	for (int i = 0; i < MANY; i++)
		list[i] = (struct fuse_forget_one){.nodeid = nodeids[i], .nlookup = 1};
	w->hold = true;
	wire_send_as(w, 1000000, FUSE_BATCH_FORGET, 0, &in, sizeof(in), list, MANY * sizeof(*list),
		     false);
	ask = wire_send(w, FUSE_GETATTR, ROOT, &getattr, sizeof(getattr), NULL, 0);
	w->hold = false;
	free(list);
	return ask;
}

static void make_nameless(uint64_t *nodeids)
{
	struct fuse_entry_out e;

	for (int i = 0; i < MANY; i++) {
		ck_assert_int_eq(wire_mknod(w, ROOT, "f", S_IFREG | 0644, &e), 0);
		ck_assert_int_eq(wire_unlink(w, ROOT, "f"), 0);
		nodeids[i] = e.nodeid;
	}
}

static bool all_forgotten(void *arg)
{
	return w->sb.s_inodes.count == *(uint32_t *)arg;
}

/* The kernel short of memory sends very many at once; nobody else waits for all of them. */
START_TEST(many_forgets_leave_others_their_turn)
{
	uint64_t *nodeids = calloc(MANY, sizeof(*nodeids));
	uint32_t before = w->sb.s_inodes.count;

	ck_assert_ptr_nonnull(nodeids);
	make_nameless(nodeids);
	ck_assert_uint_eq(w->sb.s_inodes.count, before + MANY);
	ck_assert_int_eq(wire_wait(w, forget_many(nodeids), NULL, 0, NULL), 0);
	ck_assert_uint_gt(w->sb.s_inodes.count, before);
	ck_assert(wire_until(w, all_forgotten, &before));

	/* The end of the mount in the midst of it. */
	make_nameless(nodeids);
	ck_assert_int_eq(wire_wait(w, forget_many(nodeids), NULL, 0, NULL), 0);
	wire_stop(w);
	ck_assert_uint_eq(w->sb.s_inodes.count, before);
	free(nodeids);
}
END_TEST

START_TEST(refused_answers_take_nothing)
{
	struct fuse_entry_out f, e;
	struct fuse_open_out o;

	/* The caller was killed: the kernel knows no lookup and no file of it. */
	ck_assert_int_eq(wire_mknod(w, ROOT, "f", S_IFREG | 0644, &f), 0);
	w->refuse = ENOENT;
	wire_lookup(w, ROOT, "f", &e);
	wire_mknod(w, ROOT, "g", S_IFREG | 0644, &e);
	wire_mkdir(w, ROOT, "d", 0755, &e);
	wire_symlink(w, ROOT, "s", "t", &e);
	wire_link(w, f.nodeid, ROOT, "l", &e);
	wire_create(w, ROOT, "c", O_RDWR, 0644, &e, &o);
	wire_open(w, f.nodeid, O_RDWR, &o);
	w->refuse = 0;
	ck_assert_uint_eq(w->sb.s_files.count, 0);
	ck_assert_int_eq(wire_unlink(w, ROOT, "l"), 0);
	ck_assert_int_eq(wire_unlink(w, ROOT, "f"), 0);
	wire_forget(w, f.nodeid, 1);
	ck_assert_int_eq(wire_getattr(w, f.nodeid, NULL), -ESTALE);
	ck_assert_int_eq(wire_unlink(w, ROOT, "g"), 0);
	ck_assert_int_eq(wire_unlink(w, ROOT, "c"), 0);
	ck_assert_uint_eq(w->sb.s_nr_sockets, 0);
	ck_assert_int_eq(wire_rmdir(w, ROOT, "d"), 0);
	ck_assert_int_eq(wire_unlink(w, ROOT, "s"), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("wire: names");
	TCase *t = tcase_create("names");

	tcase_set_timeout(t, 120); /* many_forgets makes 40,000 files first */
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, mknod_then_lookup);
	tcase_add_test(t, how_long_attributes_are_valid);
	tcase_add_test(t, only_sockets_can_be_made);
	tcase_add_test(t, bad_names);
	tcase_add_test(t, bad_numbers);
	tcase_add_test(t, directories);
	tcase_add_test(t, links);
	tcase_add_test(t, renames);
	tcase_add_test(t, handles_outlive_forgetting);
	tcase_add_test(t, forget_frees_what_has_no_name);
	tcase_add_test(t, forget_of_too_many_and_of_the_root);
	tcase_add_test(t, batch_forget);
	tcase_add_test(t, many_forgets_leave_others_their_turn);
	tcase_add_test(t, refused_answers_take_nothing);
	suite_add_tcase(s, t);
	return unit_run(s);
}
