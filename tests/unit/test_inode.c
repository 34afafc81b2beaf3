/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The counts of an inode: when it is evicted, when it is freed, and that each comes once. */
#include "config.h"

#include <sys/statvfs.h>

#include "fs/xattr.h"
#include <time.h>

#include "fs_unit.h"

static void setup(void)
{
	nr_evicted = 0;
	on_evict = NULL;
	fs_up();
}

/* ------------------------------------------------------------------ the counts */

/* The claims on one inode, and how each is let go. */
enum claim { NAME, LOOKUP, OPEN, BUSY, NR_CLAIMS };

static struct inode *the_inode;
static struct file *the_file;

static void let_go(enum claim claim)
{
	switch (claim) {
	case NAME:
		ck_assert_int_eq(unlink_name(sb.s_root, "x"), 0);
		break;
	case LOOKUP:
		inode_forget(the_inode, 1);
		break;
	case OPEN:
		file_release(the_file);
		break;
	default:
		inode_put_work(the_inode);
	}
}

static void check_life(unsigned int claims, uint64_t nodeid)
{
	bool evicted = (claims & ~(1u << LOOKUP)) == 0, freed = claims == 0;

	ck_assert_uint_eq(nr_evicted, evicted);
	ck_assert_uint_eq(sb.s_nr_sockets, !evicted);
	ck_assert_uint_eq(in_use("bare"), !freed);
	ck_assert_ptr_eq(ilookup(&sb, nodeid), freed ? NULL : the_inode);
	if (evicted && !freed)
		ck_assert(the_inode->i_state & I_CLEAR);
}

/* All orders in which name, lookup, open and work may end. */
START_TEST(ends_in_every_order)
{
	unsigned int claims = (1u << NR_CLAIMS) - 1;
	uint64_t nodeid;
	int order = _i;

	the_inode = make_file(sb.s_root, "x");
	inode_get_lookup(the_inode);
	inode_get_work(the_inode);
	the_file = alloc_file(the_inode, 2);
	ck_assert_ptr_nonnull(the_file);
	nodeid = the_inode->i_nodeid;
	for (int left = NR_CLAIMS; left > 0; left--) {
		int pick = order % left;
		enum claim claim = NAME;

		order /= left;
		for (;; claim++)
			if (claims & (1u << claim) && pick-- == 0)
				break;
		check_life(claims, nodeid);
		let_go(claim);
		claims &= ~(1u << claim);
	}
	check_life(0, nodeid);
}
END_TEST

START_TEST(counts_count)
{
	struct inode *x = make_file(sb.s_root, "x");
	struct file *a = alloc_file(x, 0), *b = alloc_file(x, 0);
	uint64_t nodeid = x->i_nodeid;

	ck_assert_uint_eq(x->i_opens, 2);
	ck_assert_int_eq(link_to(x, sb.s_root, "y"), 0);
	ck_assert_uint_eq(x->i_nlink, 2);
	for (int i = 0; i < 10; i++)
		inode_get_lookup(x);
	ck_assert_int_eq(unlink_name(sb.s_root, "x"), 0);
	file_release(a);
	inode_forget(x, 4);
	ck_assert_uint_eq(x->i_nlookup, 6);
	file_release(b);
	ck_assert_uint_eq(nr_evicted, 0); /* the name y */
	ck_assert_int_eq(unlink_name(sb.s_root, "y"), 0);
	ck_assert_uint_eq(nr_evicted, 1);
	inode_forget(x, 5);
	ck_assert_ptr_eq(ilookup(&sb, nodeid), x);
	inode_forget(x, 1);
	ck_assert_ptr_null(ilookup(&sb, nodeid));
	ck_assert_uint_eq(nr_evicted, 1);
}
END_TEST

/* A kernel that forgets more than it was told of: the others' claims stay. */
START_TEST(forget_of_more_than_taken)
{
	struct inode *x = make_file(sb.s_root, "x");

	inode_get_lookup(x);
	inode_forget(x, UINT64_MAX);
	ck_assert_uint_eq(x->i_nlookup, 0);
	ck_assert_uint_eq(x->i_nlink, 1);
	inode_forget(x, 1);
	ck_assert_ptr_eq(find(sb.s_root, "x"), x);
	inode_get_work(x);
	ck_assert_int_eq(unlink_name(sb.s_root, "x"), 0);
	inode_forget(x, 1000);
	ck_assert_uint_eq(in_use("bare"), 1);
	inode_put_work(x);
	ck_assert_uint_eq(in_use("bare"), 0);
}
END_TEST

/* What evicting ends may hold the inode once more, and let it go. */
static void hold_and_put(struct inode *inode)
{
	inode_get_work(inode);
	inode_put_work(inode);
	inode_get_open(inode);
	inode_put_open(inode);
	inode_get_lookup(inode);
	inode_forget(inode, 1);
}

START_TEST(evicting_comes_back)
{
	on_evict = hold_and_put;
	make_file(sb.s_root, "x");
	ck_assert_int_eq(unlink_name(sb.s_root, "x"), 0);
	ck_assert_uint_eq(nr_evicted, 1);
	ck_assert_uint_eq(in_use("bare"), 0);
}
END_TEST

/* Plain inodes stand for nothing else; what a room has hung on them goes with them. */
static unsigned int nr_destroyed;

static void on_destroy(struct inode *inode)
{
	nr_destroyed++;
	free(PLAIN_I(inode)->private);
}

START_TEST(plain_inodes_are_destroyed_not_evicted)
{
	struct inode *d = make_dir(sb.s_root, "d");

	nr_destroyed = 0;
	PLAIN_I(d)->destroy = on_destroy;
	PLAIN_I(d)->private = malloc(10);
	inode_get_lookup(d);
	ck_assert_int_eq(rmdir_name(sb.s_root, "d"), 0);
	ck_assert_uint_eq(nr_destroyed, 0);
	inode_forget(d, 1);
	ck_assert_uint_eq(nr_destroyed, 1);
	ck_assert_uint_eq(nr_evicted, 0);
	/* The next one in its place has none of it. */
	d = make_dir(sb.s_root, "d");
	ck_assert_ptr_null(PLAIN_I(d)->private);
	ck_assert_int_eq(rmdir_name(sb.s_root, "d"), 0);
	ck_assert_uint_eq(nr_destroyed, 1);
}
END_TEST

/* What is no socket is found by its number when its maker wants it so. */
START_TEST(others_are_found_by_number)
{
	struct inode *d = make_dir(sb.s_root, "d");
	uint64_t ino = d->i_ino;

	ck_assert_ptr_null(find_inode_by_ino(&sb, ino));
	insert_inode_hash(d);
	PLAIN_I(d)->destroy = remove_inode_hash;
	ck_assert_ptr_eq(find_inode_by_ino(&sb, ino), d);
	ck_assert_int_eq(rmdir_name(sb.s_root, "d"), 0);
	ck_assert_ptr_null(find_inode_by_ino(&sb, ino));
}
END_TEST

/* ---------------------------------------------------------------- their numbers */

START_TEST(stale_numbers_stay_stale)
{
	uint64_t old[100], old_ino[100];

	for (int i = 0; i < 100; i++) {
		struct inode *x = make_file(sb.s_root, "x");

		old[i] = x->i_nodeid;
		old_ino[i] = x->i_ino;
		ck_assert_uint_gt(x->i_ino, i > 0 ? old_ino[i - 1] : sb.s_root->i_ino);
		ck_assert_int_eq(unlink_name(sb.s_root, "x"), 0);
		for (int k = 0; k <= i; k++)
			ck_assert_ptr_null(ilookup(&sb, old[k]));
	}
	ck_assert_ptr_eq(ilookup(&sb, 1), sb.s_root);
	ck_assert_ptr_null(ilookup(&sb, 0));
	ck_assert_ptr_null(ilookup(&sb, UINT64_MAX));
	ck_assert_ptr_null(fget(&sb, 0));
	ck_assert_ptr_null(fget(&sb, UINT64_MAX));
}
END_TEST

START_TEST(stale_handles_stay_stale)
{
	uint64_t old = 0;

	for (int i = 0; i < 50; i++) {
		struct file *file = alloc_file(sb.s_root, 0);

		ck_assert_ptr_eq(fget(&sb, file->f_id), file);
		ck_assert_uint_ne(file->f_id, old);
		old = file->f_id;
		file_discard(file);
		ck_assert_ptr_null(fget(&sb, old));
	}
}
END_TEST

/* ----------------------------------------------------------- limits and memory */

START_TEST(sockets_have_a_limit)
{
	const struct qstr d = q("d");
	struct inode *inode = NULL;
	struct statvfs st;

	sb.s_max_sockets = 3;
	make_file(sb.s_root, "a");
	make_file(sb.s_root, "b");
	super_statfs(&sb, 0, &st);
	ck_assert_uint_eq(st.f_files, 3);
	ck_assert_uint_eq(st.f_ffree, 1);
	ck_assert_uint_eq(st.f_namemax, 255);
	make_file(sb.s_root, "c");
	ck_assert_int_eq(bare_create(sb.s_root, &d, 0644, &me, &inode), -ENOSPC);
	ck_assert_ptr_null(inode);
	ck_assert_ptr_null(find(sb.s_root, "d"));
	/* Directories are no sockets. */
	make_dir(sb.s_root, "d");
	/* One that is open still counts, one that only the kernel remembers does not. */
	inode = get(sb.s_root, "b");
	inode_get_lookup(inode);
	inode_get_open(inode);
	ck_assert_int_eq(unlink_name(sb.s_root, "b"), 0);
	ck_assert_ptr_null(new_inode_pseudo(&sb));
	ck_assert_int_eq(errno, ENOSPC);
	inode_put_open(inode);
	make_file(sb.s_root, "e");
	inode_forget(inode, 1);
	/* A limit that was lowered below what there is. */
	sb.s_max_sockets = 1;
	super_statfs(&sb, 0, &st);
	ck_assert_uint_eq(st.f_files, 3);
	ck_assert_uint_eq(st.f_ffree, 0);
}
END_TEST

/* As relatime: a reading is noted that is the first since a change, or since a day. */
START_TEST(times_of_reading)
{
	static const struct {
		int64_t sec; /* since the last reading */
		uint32_t atime_nsec, mtime_nsec, ctime_nsec;
		bool noted;
	} cases[] = {
		{0, 5, 4, 4, false},	 {0, 5, 5, 4, true},
		{0, 5, 4, 5, true},	 {0, 5, 6, 4, true},
		{0, 5, 4, 6, true},	 {86000, 5, 4, 4, false},
		{86500, 5, 4, 4, true},
	};
	struct inode *inode = make_file(sb.s_root, "f");
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t sec = now.tv_sec - cases[i].sec;

		inode->i_atime_sec = inode->i_mtime_sec = inode->i_ctime_sec = sec;
		inode->i_atime_nsec = cases[i].atime_nsec;
		inode->i_mtime_nsec = cases[i].mtime_nsec;
		inode->i_ctime_nsec = cases[i].ctime_nsec;
		touch_atime(inode);
		ck_assert_msg((inode->i_atime_sec != sec || inode->i_atime_nsec != 5) ==
			      cases[i].noted, "case %zu", i);
	}
}
END_TEST

/* Each allocation of creating fails once: nothing is left of it. */
START_TEST(create_without_memory)
{
	static const char name[] = "a name that is too long for the sixty bytes inside a dentry";
	const struct qstr n = q(name);
	struct inode *inode = NULL;
	long failed = 0;
	int err;

	while (kmem_fault_after(failed + 1),
	       (err = bare_create(sb.s_root, &n, 0644, &me, &inode)) != 0) {
		ck_assert_int_eq(err, -ENOMEM);
		ck_assert_ptr_null(inode);
		ck_assert_uint_eq(sb.s_nr_sockets, 0);
		ck_assert_uint_eq(in_use("bare"), 0);
		ck_assert_uint_eq(in_use("dentry"), 0);
		ck_assert_uint_eq(sb.s_inodes.count, 0);
		failed++;
	}
	/* The inode, the table's chunk, the dentry, its name. */
	ck_assert_int_eq(failed, 4);
}
END_TEST

START_TEST(super_block_without_memory)
{
	struct super_block other;
	long failed = 0;
	int err;

	super_fini(&sb);
	while (kmem_fault_after(failed + 1),
	       (err = super_init(&other, &bare_ops, &bare_dir_iops, 0755, 0, 0)) != 0) {
		ck_assert_int_eq(err, -ENOMEM);
		ck_assert_ptr_eq(kmem_cache_next(NULL), bare_cachep);
		ck_assert_ptr_null(kmem_cache_next(bare_cachep));
		failed++;
	}
	kmem_fault_after(-1);
	super_fini(&other);
	/* inode_cache, filp, two hashes, dentry, idtable_chunk, the root, its place: folder, chunk. */
	ck_assert_int_eq(failed, 9);
	ck_assert_int_eq(super_init(&sb, &bare_ops, &bare_dir_iops, 0755, 0, 0), 0);
}
END_TEST

/* ----------------------------------------------------------------------- unmount */

static unsigned int nr_released;

static void count_release(struct inode *inode, struct file *file)
{
	(void)inode;
	(void)file;
	nr_released++;
}

/* The kernel forgets nothing at unmount: everything is open, known and named still. */
START_TEST(unmount_with_everything_open)
{
	static const struct file_operations fops = {.release = count_release};
	struct inode *d = make_dir(sb.s_root, "d"), *e = make_dir(d, "e"), *x, *y;
	const struct qstr link = q("link");
	struct file *file;

	nr_released = 0;
	x = make_file(e, "x");
	y = make_file(d, "y");
	x->i_fop = y->i_fop = &fops;
	ck_assert_int_eq(link_to(x, sb.s_root, "again"), 0);
	ck_assert_int_eq(simple_symlink(d, &link, "x", &me, &x), 0);
	x = get(e, "x");
	ck_assert_int_eq(simple_xattr_set(x, "user.a", "1", 1, 0), 0);
	inode_get_lookup(sb.s_root);
	inode_get_lookup(d);
	inode_get_lookup(x);
	inode_get_lookup(y);
	ck_assert_ptr_nonnull(alloc_file(x, 2));
	ck_assert_ptr_nonnull(alloc_file(y, 2));
	file = alloc_file(e, 0);
	ck_assert_int_eq(file->f_op->open(e, file, NULL), 0);
	/* Open without a name, and known without either. */
	ck_assert_int_eq(unlink_name(d, "y"), 0);
	y = make_file(d, "z");
	inode_get_lookup(y);
	ck_assert_int_eq(unlink_name(d, "z"), 0);
	ck_assert_uint_eq(nr_evicted, 1);

	super_fini(&sb);
	ck_assert_uint_eq(nr_evicted, 3);
	ck_assert_uint_eq(nr_released, 2);
	ck_assert_uint_eq(in_use("bare"), 0);
	ck_assert_int_eq(super_init(&sb, &bare_ops, &bare_dir_iops, 0755, 0, 0), 0);
}
END_TEST

/* What still works at unmount is a bug of its room: it is told, and nothing is freed under it. */
/* A multiple of the number of chains. */
#define ONE_CHAIN (1u << 24)

/* Those of one chain, removed from its head, its middle and its end. */
START_TEST(sockets_by_number)
{
	struct inode *x[5];
	uint64_t ino[5];

	for (int i = 0; i < 5; i++) {
		x[i] = new_inode_pseudo(&sb);
		ck_assert_ptr_nonnull(x[i]);
		ino[i] = x[i]->i_ino;
		ck_assert_uint_eq(ino[i] % ONE_CHAIN, ino[0] % ONE_CHAIN);
		sb.s_next_ino += ONE_CHAIN - 1;
	}
	ck_assert_ptr_null(find_inode_by_ino(&sb, ino[0] + 1));
	ck_assert_ptr_null(find_inode_by_ino(&sb, ino[4] + ONE_CHAIN));
	ck_assert_ptr_null(find_inode_by_ino(&sb, sb.s_root->i_ino));
	for (int i = 0; i < 5; i++) {
		static const int order[] = {2, 4, 0, 1, 3};
		struct inode *gone = x[order[i]];

		ck_assert_ptr_eq(find_inode_by_ino(&sb, ino[order[i]]), gone);
		/* Evicted, though the kernel still knows it: it is not found any more. */
		inode_get_lookup(gone);
		inode_drop_nlink(gone);
		x[order[i]] = NULL;
		for (int k = 0; k < 5; k++)
			ck_assert_ptr_eq(find_inode_by_ino(&sb, ino[k]), x[k]);
		inode_forget(gone, 1);
	}
}
END_TEST

START_TEST(unmount_with_work_in_flight)
{
	struct inode *x = make_file(sb.s_root, "x");
	struct capture c;

	inode_get_work(x);
	capture_begin(&c);
	super_fini(&sb);
	ck_assert_int_eq(count_of(capture_end(&c), "BUG: inode 2 is still in use"), 1);
	ck_assert_uint_eq(nr_evicted, 0);
	ck_assert_uint_eq(in_use("bare"), 1);
	kmem_cache_free(bare_cachep, x);
	ck_assert_int_eq(super_init(&sb, &bare_ops, &bare_dir_iops, 0755, 0, 0), 0);
}
END_TEST

static int factorial(int n)
{
	return n <= 1 ? 1 : n * factorial(n - 1);
}

int main(void)
{
	Suite *s = suite_create("inode");
	TCase *tc = tcase_create("inode");

	tcase_add_checked_fixture(tc, setup, fs_down);
	tcase_add_loop_test(tc, ends_in_every_order, 0, factorial(NR_CLAIMS));
	tcase_add_test(tc, counts_count);
	tcase_add_test(tc, forget_of_more_than_taken);
	tcase_add_test(tc, evicting_comes_back);
	tcase_add_test(tc, plain_inodes_are_destroyed_not_evicted);
	tcase_add_test(tc, others_are_found_by_number);
	tcase_add_test(tc, stale_numbers_stay_stale);
	tcase_add_test(tc, stale_handles_stay_stale);
	tcase_add_test(tc, sockets_have_a_limit);
	tcase_add_test(tc, times_of_reading);
	tcase_add_test(tc, create_without_memory);
	tcase_add_test(tc, super_block_without_memory);
	tcase_add_test(tc, unmount_with_everything_open);
	tcase_add_test(tc, sockets_by_number);
	tcase_add_test(tc, unmount_with_work_in_flight);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
