/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What directories do with names: errno for errno as tmpfs, and every count right. */
#include "config.h"

#include "fs_unit.h"

/*
 * The tree of each test:
 *
 *	a/  b/  b/c/  b/c/d/  b/full/x  b/empty/  f  g  f2 (= f)  l -> f  fixed/
 */
static struct inode *root, *a, *b, *c, *d, *full, *empty, *f, *g, *l, *fixed;

static void setup(void)
{
	const struct qstr link = q("l");

	nr_evicted = 0;
	on_evict = NULL;
	fs_up();
	root = sb.s_root;
	a = make_dir(root, "a");
	b = make_dir(root, "b");
	c = make_dir(b, "c");
	d = make_dir(c, "d");
	full = make_dir(b, "full");
	make_file(full, "x");
	empty = make_dir(b, "empty");
	f = make_file(root, "f");
	g = make_file(root, "g");
	ck_assert_int_eq(link_to(f, root, "f2"), 0);
	ck_assert_int_eq(simple_symlink(root, &link, "f", &me, &l), 0);
	fixed = make_dir(root, "fixed");
	fixed->i_state |= I_FIXED;
}

#define for_each_child(dentry, dir)                                                                \
	for ((dentry) = d_next_child(dir, 0); (dentry) != NULL;                                    \
	     (dentry) = d_next_child(dir, (dentry)->d_off))

/* A directory's links are its name, its "." and the ".." of each directory in it. */
static unsigned int count_dir(const struct inode *dir)
{
	const struct dentry *dentry;
	unsigned int nlink = 2;

	for_each_child(dentry, dir) {
		if (!S_ISDIR(dentry->d_inode->i_mode))
			continue;
		nlink++;
		ck_assert_ptr_eq(d_find_alias(dentry->d_inode), dentry);
		ck_assert_ptr_null(TAILQ_NEXT(dentry, d_alias));
		ck_assert_uint_eq(dentry->d_inode->i_nlink, count_dir(dentry->d_inode));
	}
	return nlink;
}

static unsigned int count_names(const struct inode *inode)
{
	const struct dentry *dentry;
	unsigned int n = 0;

	TAILQ_FOREACH(dentry, &inode->i_dentry, d_alias) {
		ck_assert_ptr_eq(dentry->d_inode, inode);
		ck_assert_ptr_eq(find(dentry->d_parent, dentry_name(dentry)), inode);
		n++;
	}
	return n;
}

static size_t count_tree(const struct inode *dir)
{
	const struct dentry *dentry;
	size_t here = 0, all = 0;

	for_each_child(dentry, dir) {
		here++;
		if (S_ISDIR(dentry->d_inode->i_mode))
			all += count_tree(dentry->d_inode);
		else
			ck_assert_uint_eq(dentry->d_inode->i_nlink, count_names(dentry->d_inode));
	}
	ck_assert_uint_eq(PLAIN_I(dir)->nr_children, here);
	return all + here;
}

static void check_tree(void)
{
	ck_assert_uint_eq(root->i_nlink, count_dir(root));
	ck_assert_uint_eq(sb.s_dentries.count, count_tree(root));
	ck_assert_uint_eq(in_use("dentry"), sb.s_dentries.count);
}

static void teardown(void)
{
	check_tree();
	fs_down();
}

/* ---------------------------------------------------------------- one name each */

START_TEST(lookup_finds)
{
	struct inode *ret = NULL;
	struct qstr name = q("f");

	ck_assert_int_eq(simple_lookup(root, &name, &ret), 0);
	ck_assert_ptr_eq(ret, f);
	name = q("nothing");
	ck_assert_int_eq(simple_lookup(root, &name, &ret), -ENOENT);
	ck_assert_ptr_eq(ret, f);
}
END_TEST

START_TEST(mkdir_makes)
{
	const struct cred other = {.uid = 7, .gid = 8};
	const struct qstr name = q("new"), there = q("f");
	struct inode *ret = NULL;

	ck_assert_int_eq(simple_mkdir(root, &there, 0777, &me, &ret), -EEXIST);
	ck_assert_ptr_null(ret);
	ck_assert_int_eq(simple_mkdir(a, &name, S_IFREG | 01751, &other, &ret), 0);
	ck_assert_uint_eq(ret->i_mode, S_IFDIR | 01751);
	ck_assert_uint_eq(ret->i_uid, 7);
	ck_assert_uint_eq(ret->i_gid, 8);
	/* Below a setgid directory the group is its, and directories pass it on. */
	a->i_mode |= S_ISGID;
	a->i_gid = 55;
	ck_assert_int_eq(simple_mkdir(a, &there, 0755, &other, &ret), 0);
	ck_assert_uint_eq(ret->i_mode, S_IFDIR | S_ISGID | 0755);
	ck_assert_uint_eq(ret->i_gid, 55);
	ck_assert_uint_eq(make_file(a, "file")->i_mode, S_IFREG | 0644);
	ck_assert_uint_eq(get(a, "file")->i_gid, 55);
	ck_assert_uint_eq(a->i_nlink, 4);
}
END_TEST

START_TEST(symlinks_keep_their_target)
{
	const struct qstr name = q("s");
	char target[4096];
	struct inode *ret = NULL;

	memset(target, 't', sizeof(target) - 1);
	target[sizeof(target) - 1] = '\0';
	ck_assert_int_eq(simple_symlink(a, &name, target, &me, &ret), 0);
	ck_assert_str_eq(simple_get_link(ret), target);
	ck_assert_uint_eq(ret->i_mode, S_IFLNK | 0777);
	ck_assert_int_eq(simple_symlink(a, &name, "x", &me, &ret), -EEXIST);
	/* It can have more names, and is one inode. */
	ck_assert_int_eq(link_to(ret, root, "t"), 0);
	ck_assert_uint_eq(ret->i_nlink, 2);
}
END_TEST

START_TEST(text_is_counted_and_bounded)
{
	struct inode *ret;
	char name[100];
	const struct qstr n = {.name = name, .len = 90};
	uint64_t bytes = vm_stat(VM_TEXT)->bytes, objects = vm_stat(VM_TEXT)->objects;

	ck_assert_int_eq(simple_symlink(root, &(struct qstr){"k", 1}, "123456789", &me, &ret), 0);
	ck_assert_uint_eq(vm_stat(VM_TEXT)->bytes, bytes + 10);
	/* A name that does not fit into a dentry. */
	memset(name, 'n', sizeof(name));
	name[90] = '\0';
	ck_assert_int_eq(simple_symlink(root, &n, "1234", &me, &ret), 0);
	ck_assert_uint_eq(vm_stat(VM_TEXT)->bytes, bytes + 10 + 5 + 91);
	ck_assert_uint_eq(vm_stat(VM_TEXT)->objects, objects + 3);
	vm_set_max(VM_TEXT, bytes + 110);
	ck_assert_int_eq(simple_symlink(root, &(struct qstr){"m", 1}, "1234", &me, &ret), -ENOSPC);
	ck_assert_int_eq(simple_symlink(root, &(struct qstr){"m", 1}, "123", &me, &ret), 0);
	ck_assert_int_eq(simple_unlink(root, &n), 0);
	ck_assert_uint_eq(vm_stat(VM_TEXT)->bytes, bytes + 14);
	vm_set_max(VM_TEXT, 0);
}
END_TEST

START_TEST(link_refuses)
{
	static const struct inode_operations no_links;

	ck_assert_int_eq(link_to(a, root, "again"), -EPERM);
	ck_assert_int_eq(link_to(f, root, "g"), -EEXIST);
	ck_assert_int_eq(link_to(f, root, "a"), -EEXIST);
	f->i_op = &no_links;
	ck_assert_int_eq(link_to(f, root, "h"), -EPERM);
	ck_assert_uint_eq(f->i_nlink, 2);
}
END_TEST

START_TEST(unlink_and_rmdir_refuse)
{
	ck_assert_int_eq(unlink_name(root, "none"), -ENOENT);
	ck_assert_int_eq(rmdir_name(root, "none"), -ENOENT);
	ck_assert_int_eq(unlink_name(root, "a"), -EISDIR);
	ck_assert_int_eq(rmdir_name(root, "f"), -ENOTDIR);
	ck_assert_int_eq(rmdir_name(b, "full"), -ENOTEMPTY);
	ck_assert_int_eq(rmdir_name(root, "fixed"), -EPERM);
	f->i_state |= I_FIXED;
	ck_assert_int_eq(unlink_name(root, "f"), -EPERM);
	f->i_state &= ~(uint32_t)I_FIXED;
	ck_assert_uint_eq(nr_evicted, 0);
	/* One name of two, then the other. */
	ck_assert_int_eq(unlink_name(root, "f"), 0);
	ck_assert_uint_eq(nr_evicted, 0);
	ck_assert_int_eq(unlink_name(root, "f2"), 0);
	ck_assert_uint_eq(nr_evicted, 1);
	ck_assert_int_eq(unlink_name(root, "l"), 0);
	ck_assert_int_eq(rmdir_name(c, "d"), 0);
	ck_assert_int_eq(rmdir_name(b, "c"), 0);
	ck_assert_uint_eq(nr_evicted, 1);
}
END_TEST

/* ----------------------------------------------------------------------- renaming */

#define NOREPLACE RENAME_NOREPLACE
#define EXCHANGE RENAME_EXCHANGE

struct move {
	struct inode **dir;
	const char *name;
	struct inode **newdir;
	const char *newname;
	unsigned int flags;
	int err;
	struct inode **gone; /* evicted or freed by it */
};

static const struct move moves[] = {
	/* To a name that is free. */
	{&root, "f", &root, "new", 0, 0, NULL},
	{&root, "f", &a, "f", 0, 0, NULL},
	{&root, "f", &a, "f", NOREPLACE, 0, NULL},
	{&root, "l", &c, "l", 0, 0, NULL},
	{&b, "c", &a, "c", 0, 0, NULL},
	{&b, "full", &root, "full", 0, 0, NULL},
	{&root, "none", &root, "new", 0, -ENOENT, NULL},
	{&root, "none", &root, "f", 0, -ENOENT, NULL},
	{&root, "f", &root, "new", EXCHANGE, -ENOENT, NULL},
	{&root, "none", &root, "new", EXCHANGE, -ENOENT, NULL},
	/* To one that is taken. */
	{&root, "g", &root, "f2", 0, 0, NULL}, /* f has another name */
	{&root, "f", &root, "g", 0, 0, &g},
	{&root, "f", &root, "g", NOREPLACE, -EEXIST, NULL},
	{&root, "f", &root, "l", 0, 0, NULL},
	{&root, "l", &root, "g", 0, 0, &g},
	{&root, "a", &b, "empty", 0, 0, NULL},
	{&root, "a", &b, "empty", NOREPLACE, -EEXIST, NULL},
	{&root, "a", &b, "full", 0, -ENOTEMPTY, NULL},
	{&root, "f", &b, "empty", 0, -EISDIR, NULL},
	{&root, "a", &root, "f", 0, -ENOTDIR, NULL},
	{&root, "l", &root, "a", 0, -EISDIR, NULL},
	{&root, "a", &root, "l", 0, -ENOTDIR, NULL},
	/* To itself, by the same name and by another one of the same inode. */
	{&root, "f", &root, "f", 0, 0, NULL},
	{&root, "f", &root, "f2", 0, 0, NULL},
	{&root, "f", &root, "f2", EXCHANGE, 0, NULL},
	{&root, "f", &root, "f2", NOREPLACE, -EEXIST, NULL},
	{&root, "f", &root, "f", NOREPLACE, -EEXIST, NULL},
	/* Into itself or below, and over what it lies in. */
	{&root, "a", &a, "x", 0, -EINVAL, NULL},
	{&root, "b", &c, "x", 0, -EINVAL, NULL},
	{&root, "b", &d, "x", 0, -EINVAL, NULL},
	{&root, "b", &c, "d", 0, -EINVAL, NULL},
	{&root, "b", &c, "d", EXCHANGE, -EINVAL, NULL},
	{&c, "d", &root, "b", EXCHANGE, -EINVAL, NULL},
	{&c, "d", &b, "c", EXCHANGE, -EINVAL, NULL},
	{&c, "d", &root, "b", 0, -ENOTEMPTY, NULL},
	{&c, "d", &b, "c", 0, -ENOTEMPTY, NULL},
	{&full, "x", &b, "full", 0, -EISDIR, NULL},
	{&full, "x", &b, "full", EXCHANGE, -EINVAL, NULL},
	/* Each for the other, whatever they are. */
	{&root, "f", &root, "g", EXCHANGE, 0, NULL},
	{&root, "f", &full, "x", EXCHANGE, 0, NULL},
	{&root, "f", &b, "full", EXCHANGE, 0, NULL},
	{&b, "full", &root, "f", EXCHANGE, 0, NULL},
	{&root, "a", &c, "d", EXCHANGE, 0, NULL},
	{&b, "full", &b, "empty", EXCHANGE, 0, NULL},
	{&root, "l", &root, "a", EXCHANGE, 0, NULL},
	/* What is part of the mount stays where it is. */
	{&root, "fixed", &root, "new", 0, -EPERM, NULL},
	{&root, "a", &root, "fixed", 0, -EPERM, NULL},
	{&root, "a", &root, "fixed", EXCHANGE, -EPERM, NULL},
	{&root, "fixed", &root, "a", EXCHANGE, -EPERM, NULL},
	{&root, "f", &root, "fixed", 0, -EPERM, NULL},
};

START_TEST(rename_answers)
{
	const struct move *m = &moves[_i];
	struct inode *from = find(*m->dir, m->name), *to = find(*m->newdir, m->newname);
	unsigned int files = (unsigned int)in_use("bare");

	ck_assert_msg(rename_name(*m->dir, m->name, *m->newdir, m->newname, m->flags) == m->err,
		      "%s to %s", m->name, m->newname);
	if (m->err == 0 && from != to) {
		ck_assert_ptr_eq(find(*m->newdir, m->newname), from);
		ck_assert_ptr_eq(find(*m->dir, m->name), m->flags & EXCHANGE ? to : NULL);
	} else {
		ck_assert_ptr_eq(find(*m->dir, m->name), from);
		ck_assert_ptr_eq(find(*m->newdir, m->newname), to);
	}
	ck_assert_uint_eq(nr_evicted, m->gone != NULL);
	ck_assert_uint_eq(in_use("bare"), files - (m->gone != NULL));
}
END_TEST

/* The same, with each allocation failing once: nothing has changed then. */
START_TEST(rename_without_memory)
{
	static const char longname[] = "a name that is too long for the sixty bytes inside a dentry";

	for (long n = 1; n <= 2; n++) {
		kmem_fault_after(n);
		ck_assert_int_eq(rename_name(root, "f", a, longname, 0), -ENOMEM);
		ck_assert_ptr_eq(find(root, "f"), f);
		ck_assert_ptr_null(find(a, longname));
		ck_assert_str_eq(alias(f), "f");
		check_tree();
	}
	/* A name that is there is taken over without any, and so is an exchange. */
	kmem_fault_after(1);
	ck_assert_int_eq(rename_name(root, "f", root, "g", 0), 0);
	ck_assert_uint_eq(nr_evicted, 1);
	ck_assert_ptr_eq(find(root, "g"), f);
	check_tree();
	ck_assert_int_eq(rename_name(b, "c", b, "full", EXCHANGE), 0);
	kmem_fault_after(-1);
}
END_TEST

START_TEST(rename_between_kinds_of_directories)
{
	static const struct inode_operations other = {.lookup = simple_lookup};

	fixed->i_op = &other;
	ck_assert_int_eq(rename_name(root, "f", fixed, "f", 0), -EPERM);
	ck_assert_int_eq(rename_name(root, "f", fixed, "f", EXCHANGE), -EPERM);
}
END_TEST

START_TEST(rename_touches)
{
	struct inode *const touched[] = {root, a, f};

	for (size_t i = 0; i < ARRAY_SIZE(touched); i++)
		touched[i]->i_ctime_sec = touched[i]->i_mtime_sec = 1;
	ck_assert_int_eq(rename_name(root, "f", a, "f", 0), 0);
	for (size_t i = 0; i < ARRAY_SIZE(touched); i++)
		ck_assert_int_gt(touched[i]->i_ctime_sec, 1);
	ck_assert_int_gt(root->i_mtime_sec, 1);
	ck_assert_int_gt(a->i_mtime_sec, 1);
	ck_assert_int_eq(f->i_mtime_sec, 1);
}
END_TEST

START_TEST(exchange_touches)
{
	struct inode *const touched[] = {root, full, f, find(full, "x")};

	for (size_t i = 0; i < ARRAY_SIZE(touched); i++)
		touched[i]->i_ctime_sec = touched[i]->i_mtime_sec = 1;
	ck_assert_int_eq(rename_name(root, "f", full, "x", EXCHANGE), 0);
	for (size_t i = 0; i < ARRAY_SIZE(touched); i++) {
		ck_assert_int_gt(touched[i]->i_ctime_sec, 1);
		ck_assert(i < 2 ? touched[i]->i_mtime_sec > 1 : touched[i]->i_mtime_sec == 1);
	}
}
END_TEST

START_TEST(link_touches)
{
	f->i_ctime_sec = f->i_mtime_sec = 1;
	ck_assert_int_eq(link_to(f, a, "f3"), 0);
	ck_assert_int_gt(f->i_ctime_sec, 1);
	ck_assert_int_eq(f->i_mtime_sec, 1);
}
END_TEST

/* ------------------------------------------------------------------------- memory */

START_TEST(making_without_memory)
{
	static const char name[] = "a name that is too long for the sixty bytes inside a dentry";
	const struct qstr n = q(name);
	struct inode *ret = NULL;
	unsigned int inodes = (unsigned int)in_use("inode_cache");

	/* The table has room: the inode, the dentry, its name; a link's target. */
	for (long i = 1; i <= 3; i++) {
		kmem_fault_after(i);
		ck_assert_int_eq(simple_mkdir(a, &n, 0755, &me, &ret), -ENOMEM);
		ck_assert_uint_eq(in_use("inode_cache"), inodes);
		ck_assert_uint_eq(a->i_nlink, 2);
	}
	for (long i = 1; i <= 4; i++) {
		kmem_fault_after(i);
		ck_assert_int_eq(simple_symlink(a, &n, "target", &me, &ret), -ENOMEM);
		ck_assert_uint_eq(in_use("inode_cache"), inodes);
	}
	for (long i = 1; i <= 2; i++) {
		kmem_fault_after(i);
		ck_assert_int_eq(link_to(f, a, name), -ENOMEM);
		ck_assert_uint_eq(f->i_nlink, 2);
	}
	ck_assert_ptr_null(ret);
	check_tree();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("libfs");
	TCase *tc = tcase_create("libfs");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, lookup_finds);
	tcase_add_test(tc, mkdir_makes);
	tcase_add_test(tc, symlinks_keep_their_target);
	tcase_add_test(tc, text_is_counted_and_bounded);
	tcase_add_test(tc, link_refuses);
	tcase_add_test(tc, unlink_and_rmdir_refuse);
	tcase_add_loop_test(tc, rename_answers, 0, (int)ARRAY_SIZE(moves));
	tcase_add_test(tc, rename_without_memory);
	tcase_add_test(tc, rename_between_kinds_of_directories);
	tcase_add_test(tc, rename_touches);
	tcase_add_test(tc, exchange_touches);
	tcase_add_test(tc, link_touches);
	tcase_add_test(tc, making_without_memory);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
