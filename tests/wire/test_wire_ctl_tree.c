/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tree of control files: whose they are, and how long they live.
 */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "ctl/faces.h"
#include "mm/slab.h"
#include "net/core/wait.h"
#include "net/inet/af_inet.h"
#include "net/socket.h"
#include "tests/unit/unit.h"
#include "wire_ctl.h"

#define ROOT FUSE_ROOT_ID

static struct wire *w;
static uint64_t ctl;

static void setup(void)
{
	struct fuse_entry_out e;

	w = wire_new();
	ck_assert_ptr_nonnull(w);
	ck_assert_int_eq(wire_lookup(w, ROOT, ".ctl", &e), 0);
	ctl = e.nodeid;
}

static void teardown(void)
{
	ck_assert_int_eq(wire_free(w), 0);
}

/* ---------------------------------------------------------------- the mirror tree */

START_TEST(a_mirror_is_not_cached_and_looks_alike)
{
	struct fuse_entry_out d, x, m, again;
	struct fuse_attr attr;
	struct fuse_open_out o;

	w->uid = 7;
	w->gid = 8;
	ck_assert_int_eq(wire_mkdir(w, ROOT, "d", 0710, &d), 0);
	ck_assert_int_eq(wire_mknod(w, d.nodeid, "x", S_IFREG | 0640, &x), 0);
	ck_assert_int_eq(wire_lookup(w, ctl, "d", &m), 0);
	ck_assert_uint_eq(m.attr.mode, S_IFDIR | 0710);
	ck_assert_uint_eq(m.entry_valid + m.attr_valid + m.entry_valid_nsec + m.attr_valid_nsec, 0);
	ck_assert_int_eq(wire_lookup(w, m.nodeid, "x", &m), 0);
	ck_assert_uint_eq(m.attr.mode, S_IFREG | 0640);
	ck_assert_uint_eq(m.attr.uid, 7);
	ck_assert_uint_eq(m.attr.gid, 8);
	ck_assert_uint_eq(m.attr.size, 4096);
	ck_assert_uint_eq(m.attr.blksize, 4096);
	ck_assert_uint_eq(m.attr.nlink, 1);
	ck_assert_uint_eq(m.attr.mtimensec, x.attr.mtimensec);
	ck_assert_uint_ne(m.attr.ino, x.attr.ino);
	ck_assert_uint_eq(m.entry_valid + m.attr_valid + m.entry_valid_nsec + m.attr_valid_nsec, 0);
	/* The same by another name, another one when that is another socket's. */
	ck_assert_int_eq(wire_rename(w, d.nodeid, "x", ROOT, "y", 0), 0);
	ck_assert_int_eq(wire_lookup(w, ctl, "y", &again), 0);
	ck_assert_uint_eq(again.nodeid, m.nodeid);
	ck_assert_int_eq(wire_unlink(w, ROOT, "y"), 0);
	ck_assert_int_eq(wire_lookup(w, ctl, "y", &again), -ENOENT);
	ck_assert_int_eq(wire_mknod(w, ROOT, "y", S_IFREG | 0600, &x), 0);
	ck_assert_int_eq(wire_lookup(w, ctl, "y", &again), 0);
	ck_assert_uint_ne(again.nodeid, m.nodeid);
	/* No stream: it has a position. */
	ck_assert_int_eq(wire_open(w, again.nodeid, O_RDONLY, &o), 0);
	ck_assert_uint_eq(o.open_flags, FOPEN_DIRECT_IO);
	ck_assert_int_eq(wire_getattr(w, ctl, &attr), 0);
	ck_assert_uint_eq(attr.mode, S_IFDIR | 0755);
}
END_TEST

START_TEST(chmod_of_the_mirror_is_of_the_socket)
{
	struct ctl_pair p = make_pair(w, ctl, "f");
	struct fuse_setattr_in in = {.valid = FATTR_MODE | FATTR_UID, .mode = 0600, .uid = 5};
	struct fuse_attr_out out = {0};
	struct fuse_attr attr;

	ck_assert_int_eq(wire_call(w, FUSE_SETATTR, p.mirror, &in, sizeof(in), NULL, 0, &out,
				   sizeof(out), NULL),
			 0);
	ck_assert_uint_eq(out.attr.mode, S_IFREG | 0600);
	ck_assert_int_eq(wire_getattr(w, p.ino, &attr), 0);
	ck_assert_uint_eq(attr.mode, S_IFREG | 0600);
	ck_assert_uint_eq(attr.uid, 5);
	/* The kernel may have believed the old ones for an hour. */
	ck_assert_uint_eq(w->last_inval, p.ino);
	/* .ctl has its own. */
	in.valid = FATTR_MODE;
	in.mode = 0700;
	ck_assert_int_eq(wire_call(w, FUSE_SETATTR, ctl, &in, sizeof(in), NULL, 0, &out,
				   sizeof(out), NULL),
			 0);
	ck_assert_int_eq(wire_getattr(w, ROOT, &attr), 0);
	ck_assert_uint_eq(attr.mode, S_IFDIR | 0755);
	ck_assert_int_eq(wire_getattr(w, ctl, &attr), 0);
	ck_assert_uint_eq(attr.mode, S_IFDIR | 0700);
}
END_TEST

START_TEST(nothing_can_be_made_in_it)
{
	struct fuse_entry_out d, m, e;
	struct fuse_open_out o;
	struct ctl_pair p = make_pair(w, ctl, "f");
	uint64_t dirs[2] = {ctl, 0};

	ck_assert_int_eq(wire_mkdir(w, ROOT, "d", 0755, &d), 0);
	ck_assert_int_eq(wire_mknod(w, d.nodeid, "f", S_IFREG | 0644, &e), 0);
	ck_assert_int_eq(wire_lookup(w, ctl, "d", &m), 0);
	dirs[1] = m.nodeid;
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(wire_mknod(w, dirs[i], "n", S_IFREG | 0644, &e), -ENOENT);
		ck_assert_int_eq(wire_create(w, dirs[i], "n", O_RDWR, 0644, &e, &o), -ENOENT);
		ck_assert_int_eq(wire_mkdir(w, dirs[i], "n", 0755, &e), -EPERM);
		ck_assert_int_eq(wire_symlink(w, dirs[i], "n", "f", &e), -EPERM);
		ck_assert_int_eq(wire_link(w, p.ino, dirs[i], "n", &e), -EPERM);
		ck_assert_int_eq(wire_unlink(w, dirs[i], "f"), -EPERM);
		ck_assert_int_eq(wire_rename(w, dirs[i], "f", dirs[i], "n", 0), -EPERM);
		ck_assert_int_eq(wire_rename(w, dirs[i], "f", ROOT, "n", 0), -EPERM);
		ck_assert_int_eq(wire_rename(w, ROOT, "f", dirs[i], "n", 0), -EPERM);
	}
	ck_assert_int_eq(wire_rmdir(w, ctl, "d"), -EPERM);
	ck_assert_int_eq(wire_link(w, p.mirror, ROOT, "n", &e), -EPERM);
	ck_assert_int_eq(wire_rmdir(w, ROOT, ".ctl"), -EPERM);
	/* No mirror of what is no part of the tree. */
	ck_assert_int_eq(wire_lookup(w, ctl, ".ctl", &e), -ENOENT);
	ck_assert_int_eq(wire_lookup(w, ctl, ".proc", &e), -ENOENT);
	ck_assert_int_eq(wire_lookup(w, ctl, "tcp", &e), -ENOENT);
}
END_TEST

START_TEST(symlinks_lead_to_control_files_only)
{
	struct fuse_entry_out e;
	char target[16] = "";

	ck_assert_int_eq(wire_symlink(w, ROOT, "near", "d/x", &e), 0);
	ck_assert_int_eq(wire_symlink(w, ROOT, "far", "/mnt/x", &e), 0);
	ck_assert_int_eq(wire_lookup(w, ctl, "far", &e), -ENOENT);
	ck_assert_int_eq(wire_lookup(w, ctl, "near", &e), 0);
	ck_assert_uint_eq(e.attr.mode, S_IFLNK | 0777);
	ck_assert_uint_eq(e.attr.size, 3);
	ck_assert_int_eq(wire_call(w, FUSE_READLINK, e.nodeid, NULL, 0, NULL, 0, target,
				   sizeof(target), NULL),
			 0);
	ck_assert_str_eq(target, "d/x");
	ck_assert_int_eq(wire_unlink(w, ROOT, "near"), 0);
	ck_assert_int_eq(wire_lookup(w, ctl, "near", &e), -ENOENT);
}
END_TEST

/* Above .ctl stands the root with the sockets themselves: no link may lead there. */
START_TEST(symlinks_stay_in_the_mirror)
{
	static const struct {
		const char *target;
		int depth; /* the least one at which it stays inside, -1: none */
	} links[] = {
		{"c", 0},	    {"./c", 0},	       {"d/c", 0},	   {"..c", 0},
		{".../c", 0},	    {"a..", 0},	       {".", 0},	   {"..", 1},
		{"../c", 1},	    {"./../c", 1},     {".//..//./c", 1},  {"../", 1},
		{"../../c", 2},	    {"../.././c", 2},  {"../../../c", 3},  {"d/../c", -1},
		{"d/./../../c", -1}, {"../d/../c", -1}, {"/c", -1},	   {"d/..", -1},
	};
	uint64_t dirs[3] = {ROOT}, mirrors[3] = {ctl};
	struct fuse_entry_out e;

	for (int d = 1; d < 3; d++) {
		ck_assert_int_eq(wire_mkdir(w, dirs[d - 1], "deep", 0755, &e), 0);
		dirs[d] = e.nodeid;
		ck_assert_int_eq(wire_lookup(w, mirrors[d - 1], "deep", &e), 0);
		mirrors[d] = e.nodeid;
	}
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		for (int d = 0; d < 3; d++) {
			bool inside = links[i].depth >= 0 && links[i].depth <= d;
			char name[16];

			snprintf(name, sizeof(name), "l%zu", i);
			ck_assert_int_eq(wire_symlink(w, dirs[d], name, links[i].target, &e), 0);
			ck_assert_msg(wire_lookup(w, mirrors[d], name, &e) == (inside ? 0 : -ENOENT),
				      "%s at depth %d", links[i].target, d);
		}
	/* Moved up it leads out, moved down it does not. */
	ck_assert_int_eq(wire_rename(w, dirs[2], "l12", ROOT, "up", 0), 0);
	ck_assert_int_eq(wire_lookup(w, ctl, "up", &e), -ENOENT);
	ck_assert_int_eq(wire_rename(w, ROOT, "l8", dirs[1], "down", 0), 0);
	ck_assert_int_eq(wire_lookup(w, mirrors[1], "down", &e), 0);
}
END_TEST

/*
 * One READDIR of @dir: its names in a row, the inode number of the last one, and @in goes on
 * behind them. The bytes of the answer.
 */
static size_t list_some(uint64_t dir, struct fuse_read_in *in, char *ret_names, uint64_t *ret_ino)
{
	char buf[4096];
	size_t len = 0;

	ck_assert_int_eq(wire_wait(w, wire_send(w, FUSE_READDIR, dir, in, sizeof(*in), NULL, 0), buf,
				   sizeof(buf), &len),
			 0);
	*ret_names = '\0';
	for (char *p = buf; p < buf + len;) {
		struct fuse_dirent *d = (struct fuse_dirent *)p;

		strncat(ret_names, d->name, d->namelen);
		in->offset = d->off;
		*ret_ino = d->ino;
		p += FUSE_DIRENT_SIZE(d);
	}
	return len;
}

/* Turns in which there is nothing to tell go on where the one before them ended. */
START_TEST(many_names_without_a_mirror)
{
	struct fuse_read_in in = {.size = 4096, .read_flags = FUSE_READ_LOCKOWNER};
	struct fuse_entry_out d, m, e;
	char names[4096];
	uint64_t ino;

	ck_assert_int_eq(wire_mkdir(w, ROOT, "d", 0755, &d), 0);
	for (int i = 0; i < 5000; i++) {
		sprintf(names, "l%d", i);
		ck_assert_int_eq(wire_symlink(w, d.nodeid, names, "/out", &e), 0);
	}
	ck_assert_int_eq(wire_mknod(w, d.nodeid, "f", S_IFREG | 0644, &e), 0);
	ck_assert_int_eq(wire_lookup(w, ctl, "d", &m), 0);
	ck_assert_int_eq(wire_opendir(w, m.nodeid, &in.fh), 0);
	/* Two names end their turn, and a request has its answer with the first turn that has any. */
	ck_assert_uint_gt(list_some(m.nodeid, &in, names, &ino), 0);
	ck_assert_str_eq(names, "...");
	ck_assert_uint_gt(list_some(m.nodeid, &in, names, &ino), 0);
	ck_assert_str_eq(names, "f");
	/* As stat(2) has it. */
	ck_assert_int_eq(wire_lookup(w, m.nodeid, "f", &e), 0);
	ck_assert_uint_eq(ino, e.attr.ino);
	ck_assert_uint_eq(list_some(m.nodeid, &in, names, &ino), 0);
	ck_assert_int_eq(wire_releasedir(w, m.nodeid, in.fh), 0);
}
END_TEST

/* ------------------------------------------------------------------------- lives */

START_TEST(a_mirror_lives_while_it_is_known)
{
	uint64_t inodes = w->sb.s_inodes.count;
	struct fuse_entry_out e, m;

	ck_assert_int_eq(wire_mknod(w, ROOT, "f", S_IFREG | 0644, &e), 0);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(wire_lookup(w, ctl, "f", &m), 0);
	ck_assert_uint_eq(w->sb.s_inodes.count, inodes + 2);
	wire_forget(w, m.nodeid, 2);
	ck_assert_int_eq(wire_getattr(w, m.nodeid, NULL), 0);
	wire_forget(w, m.nodeid, 1);
	ck_assert_int_eq(wire_getattr(w, m.nodeid, NULL), -ESTALE);
	ck_assert_uint_eq(w->sb.s_inodes.count, inodes + 1);
	/* The socket goes before its mirror, and the other way round. */
	ck_assert_int_eq(wire_lookup(w, ctl, "f", &m), 0);
	ck_assert_int_eq(wire_unlink(w, ROOT, "f"), 0);
	ck_assert_uint_eq(w->sb.s_nr_sockets, 0);
	wire_forget(w, e.nodeid, 1);
	ck_assert_int_eq(wire_getattr(w, e.nodeid, NULL), -ESTALE);
	ck_assert_int_eq(wire_getattr(w, m.nodeid, NULL), 0);
	wire_forget(w, m.nodeid, 1);
	ck_assert_uint_eq(w->sb.s_inodes.count, inodes);
	/* An answer that the kernel does not take leaves nothing. */
	ck_assert_int_eq(wire_mknod(w, ROOT, "f", S_IFREG | 0644, &e), 0);
	w->refuse = ENOENT;
	wire_lookup(w, ctl, "f", &m);
	w->refuse = 0;
	ck_assert_uint_eq(w->sb.s_inodes.count, inodes + 1);
}
END_TEST

START_TEST(a_socket_that_is_gone)
{
	struct ctl_pair p = make_pair(w, ctl, "f");
	struct fuse_open_out o;
	char buf[100];

	ck_assert_int_eq(command(&p, "bind 127.0.0.1:0\n"), 0);
	ck_assert_int_eq(read_at(&p, 0, buf, 10), 10);
	ck_assert_int_eq(wire_unlink(w, ROOT, "f"), 0);
	/* A control file that is open is no use of the socket. */
	ck_assert_uint_eq(w->sb.s_nr_sockets, 0);
	ck_assert_int_eq(command(&p, "listen\n"), -ESTALE);
	ck_assert_int_eq(command(&p, "set nodelay 0\n"), -ESTALE);
	ck_assert_int_eq(read_at(&p, 0, buf, 10), -ESTALE);
	ck_assert_int_eq(wire_open(w, p.mirror, O_RDONLY, &o), -ESTALE);
	/* The rest of what was being read is still there. */
	ck_assert_int_eq(read_at(&p, 10, buf, 16), 16);
	ck_assert_mem_eq(buf, "state unconnecte", 16);
	/* Now the object itself goes. */
	wire_forget(w, p.ino, 1);
	ck_assert_int_eq(wire_getattr(w, p.ino, NULL), -ESTALE);
	ck_assert_int_eq(command(&p, "listen\n"), -ESTALE);
	ck_assert_int_eq(read_at(&p, 0, buf, 10), -ESTALE);
	ck_assert_int_eq(wire_getattr(w, p.mirror, NULL), 0);
	wire_forget(w, p.mirror, 1);
	ck_assert_int_eq(wire_release(w, p.mirror, p.fh), 0);
	ck_assert_int_eq(wire_getattr(w, p.mirror, NULL), -ESTALE);
}
END_TEST

START_TEST(a_directory_that_is_gone)
{
	struct fuse_entry_out d, m, e;
	uint64_t fh, other;

	ck_assert_int_eq(wire_mkdir(w, ROOT, "d", 0755, &d), 0);
	ck_assert_int_eq(wire_lookup(w, ctl, "d", &m), 0);
	ck_assert_int_eq(wire_opendir(w, m.nodeid, &fh), 0);
	ck_assert_int_eq(wire_rmdir(w, ROOT, "d"), 0);
	wire_forget(w, d.nodeid, 1);
	/* The open one still holds the directory. */
	ck_assert_int_eq(wire_lookup(w, m.nodeid, "x", &e), -ENOENT);
	ck_assert_int_eq(wire_releasedir(w, m.nodeid, fh), 0);
	ck_assert_int_eq(wire_getattr(w, d.nodeid, NULL), -ESTALE);
	ck_assert_int_eq(wire_lookup(w, m.nodeid, "x", &e), -ESTALE);
	ck_assert_int_eq(wire_opendir(w, m.nodeid, &other), -ESTALE);
	ck_assert_int_eq(wire_getattr(w, m.nodeid, NULL), 0);
	/* The open one holds no mirror, either. */
	ck_assert_int_eq(wire_mkdir(w, ROOT, "d", 0755, &d), 0);
	wire_forget(w, m.nodeid, 1);
	ck_assert_int_eq(wire_lookup(w, ctl, "d", &m), 0);
	ck_assert_int_eq(wire_opendir(w, m.nodeid, &fh), 0);
	wire_forget(w, m.nodeid, 1);
	ck_assert_int_eq(wire_getattr(w, m.nodeid, NULL), -ESTALE);
	ck_assert_int_eq(wire_releasedir(w, m.nodeid, fh), 0);
}
END_TEST

/* Look up, open, read, command and close; the first error, and nothing is left known or open. */
static int use_file(const char *name)
{
	struct fuse_entry_out m;
	struct ctl_pair p = {.w = w};
	struct fuse_open_out o;
	char buf[64];
	int err = wire_lookup(w, ctl, name, &m);

	if (err != 0)
		return err;
	p.mirror = m.nodeid;
	err = wire_open(w, p.mirror, O_RDWR, &o);
	if (err == 0) {
		p.fh = o.fh;
		err = read_at(&p, 0, buf, sizeof(buf));
		err = err < 0 ? err : command(&p, "set ttl 9\nset tos 8\n");
		ck_assert_int_eq(wire_release(w, p.mirror, p.fh), 0);
	}
	wire_forget(w, p.mirror, 1);
	return err;
}

static int use_dir(const char *name)
{
	struct fuse_entry_out m;
	struct fuse_read_in in = {.size = 512, .read_flags = FUSE_READ_LOCKOWNER};
	char buf[512];
	int err = wire_lookup(w, ctl, name, &m);

	if (err != 0)
		return err;
	err = wire_opendir(w, m.nodeid, &in.fh);
	if (err == 0) {
		err = wire_call(w, FUSE_READDIR, m.nodeid, &in, sizeof(in), NULL, 0, buf,
				sizeof(buf), NULL);
		ck_assert_int_eq(wire_releasedir(w, m.nodeid, in.fh), 0);
	}
	wire_forget(w, m.nodeid, 1);
	return err;
}

static int use_link(const char *name)
{
	struct fuse_entry_out m;
	int err = wire_lookup(w, ctl, name, &m);

	if (err == 0)
		wire_forget(w, m.nodeid, 1);
	return err;
}

START_TEST(out_of_memory)
{
	static const struct {
		const char *name;
		int (*use)(const char *name);
		int allocations; /* at least: that many of them fail */
	} uses[] = {{"f", use_file, 6}, {"d", use_dir, 4}, {"l", use_link, 2}};
	struct fuse_entry_out e;

	ck_assert_int_eq(wire_mknod(w, ROOT, "f", S_IFREG | 0644, &e), 0);
	ck_assert_int_eq(wire_mkdir(w, ROOT, "d", 0755, &e), 0);
	ck_assert_int_eq(wire_symlink(w, ROOT, "l", "f", &e), 0);
	for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++) {
		uint64_t inodes = w->sb.s_inodes.count;
		int failed = 0;

		for (long n = 1; n < 20; n++) {
			int err;

			kmem_fault_after(n);
			err = uses[i].use(uses[i].name);
			kmem_fault_after(-1);
			ck_assert_msg(err == 0 || err == -ENOMEM, "%s: %d", uses[i].name, err);
			failed += err != 0;
			ck_assert_int_eq(uses[i].use(uses[i].name), 0);
			ck_assert_uint_eq(w->sb.s_inodes.count, inodes);
			ck_assert_uint_eq(w->sb.s_files.count, 0);
		}
		ck_assert_int_ge(failed, uses[i].allocations);
	}
}
END_TEST

/* Before there is a session: what has been made goes, and a second try succeeds. */
START_TEST(faces_without_memory)
{
	struct super_block sb;
	uv_loop_t loop;
	long tries = 0;
	int err;

	ck_assert_int_eq(uv_loop_init(&loop), 0);
	sk_loop_init(&loop);
	do {
		ck_assert_int_eq(sock_init(), 0);
		ck_assert_int_eq(inet_init(), 0);
		ck_assert_int_eq(super_init(&sb, &sockfs_ops, &sockfs_dir_iops, 0755, 0, 0), 0);
		kmem_fault_after(++tries);
		err = faces_init(&sb);
		kmem_fault_after(-1);
		ck_assert(err == 0 || err == -ENOMEM);
		super_fini(&sb);
		/* They say -EBUSY while an object is left. */
		ck_assert_int_eq(inet_exit(), 0);
		ck_assert_int_eq(sock_exit(), 0);
	} while (err != 0);
	ck_assert_int_gt(tries, 8);
	ck_assert_int_eq(uv_loop_close(&loop), 0);
}
END_TEST

static TCase *tests(void)
{
	TCase *t = tcase_create("ctl_tree");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_mirror_is_not_cached_and_looks_alike);
	tcase_add_test(t, chmod_of_the_mirror_is_of_the_socket);
	tcase_add_test(t, nothing_can_be_made_in_it);
	tcase_add_test(t, symlinks_lead_to_control_files_only);
	tcase_add_test(t, symlinks_stay_in_the_mirror);
	tcase_add_test(t, many_names_without_a_mirror);
	tcase_add_test(t, a_mirror_lives_while_it_is_known);
	tcase_add_test(t, a_socket_that_is_gone);
	tcase_add_test(t, a_directory_that_is_gone);
	tcase_add_test(t, out_of_memory);
	return t;
}

static TCase *start_tests(void)
{
	TCase *t = tcase_create("start");

	tcase_add_test(t, faces_without_memory);
	return t;
}

int main(void)
{
	Suite *s = suite_create("wire: the tree of control files");

	suite_add_tcase(s, tests());
	suite_add_tcase(s, start_tests());
	return unit_run(s);
}
