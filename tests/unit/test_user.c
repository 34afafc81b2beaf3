/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of fs/user.c: what a user may have, and how often he may dial. */
#include "config.h"

#include "fs/user.h"

#include <errno.h>
#include <time.h>

#include "mm/vmstat.h"
#include "unit.h"

#define NR_UIDS 2000

static void set_limits(uint64_t sockets, uint64_t dials)
{
	user_set_limits(&(struct user_limits){.sockets = sockets, .dials = dials});
}

static uint64_t sockets_of(uid_t uid)
{
	const struct user_struct *u = NULL;

	while ((u = user_next(u)) != NULL)
		if (u->uid == uid)
			return u->sockets;
	return 0;
}

static unsigned int nr_users(void)
{
	const struct user_struct *u = NULL;
	unsigned int n = 0;

	while ((u = user_next(u)) != NULL)
		n++;
	return n;
}

START_TEST(each_has_a_share)
{
	struct inode inode[4] = {{.i_mode = 0}};

	set_limits(2, 0);
	ck_assert_int_eq(inode_charge(&inode[0], 7), 0);
	ck_assert_int_eq(inode_charge(&inode[1], 7), 0);
	ck_assert_int_eq(inode_charge(&inode[2], 7), -EDQUOT);
	ck_assert_uint_eq(inode[2].i_state, 0);
	ck_assert_uint_eq(inode[2].i_uid, 0);
	/* His share is no other's. */
	ck_assert_int_eq(inode_charge(&inode[2], 8), 0);
	ck_assert_uint_eq(inode[2].i_uid, 8);
	ck_assert_uint_eq(sockets_of(7), 2);
	inode_uncharge(&inode[0]);
	inode_uncharge(&inode[0]);
	ck_assert_uint_eq(sockets_of(7), 1);
	ck_assert_int_eq(inode_charge(&inode[3], 7), 0);
	ck_assert_int_eq(inode_charge(&inode[0], 7), -EDQUOT);
	/* A lower limit takes nothing away. */
	set_limits(1, 0);
	ck_assert_uint_eq(sockets_of(7), 2);
	/* Nor does another process, which counts what he has anew. */
	ck_assert_int_eq(inode_charge_anyway(&inode[0], 7), 0);
	ck_assert_uint_eq(sockets_of(7), 3);
	inode_uncharge(&inode[0]);
	ck_assert_uint_eq(sockets_of(7), 2);
	set_limits(0, 0);
	ck_assert_int_eq(inode_charge(&inode[0], 7), 0);
	for (int i = 0; i < 4; i++)
		inode_uncharge(&inode[i]);
	/* Who has nothing is forgotten. */
	ck_assert_uint_eq(nr_users(), 0);
}
END_TEST

START_TEST(chown_moves_the_charge)
{
	struct inode inode = {.i_mode = 0}, plain = {.i_mode = 0};

	set_limits(1, 0);
	ck_assert_int_eq(inode_charge(&inode, 1), 0);
	ck_assert_int_eq(inode_chown(&inode, 1), 0);
	ck_assert_uint_eq(sockets_of(1), 1);
	ck_assert_int_eq(inode_chown(&inode, 2), 0);
	ck_assert_uint_eq(sockets_of(1), 0);
	ck_assert_uint_eq(sockets_of(2), 1);
	/* What counts for nobody goes on doing so. */
	ck_assert_int_eq(inode_chown(&plain, 2), 0);
	ck_assert_uint_eq(plain.i_uid, 2);
	inode_uncharge(&plain);
	ck_assert_uint_eq(sockets_of(2), 1);
	inode_uncharge(&inode);
	ck_assert_uint_eq(nr_users(), 0);
}
END_TEST

START_TEST(connections_count_beside_sockets)
{
	struct inode inode = {.i_mode = 0}, other = {.i_mode = 0}, none = {.i_mode = 0};

	user_set_limits(&(struct user_limits){.connections = 1});
	ck_assert_int_eq(user_may_connect(7), 0);
	ck_assert_int_eq(inode_charge(&inode, 7), 0);
	ck_assert_int_eq(inode_charge(&other, 7), 0);
	inode_set_connected(&inode, true);
	inode_set_connected(&inode, true);
	ck_assert_uint_eq(user_find(7)->connections, 1);
	ck_assert_int_eq(user_may_connect(7), -EDQUOT);
	ck_assert_int_eq(user_may_connect(8), 0);
	/* It goes with the file. */
	ck_assert_int_eq(inode_chown(&inode, 8), 0);
	ck_assert_uint_eq(user_find(7)->connections, 0);
	ck_assert_uint_eq(user_find(8)->connections, 1);
	ck_assert_int_eq(user_may_connect(8), -EDQUOT);
	inode_set_connected(&inode, false);
	inode_set_connected(&inode, false);
	ck_assert_uint_eq(user_find(8)->connections, 0);
	inode_set_connected(&inode, true);
	inode_uncharge(&inode);
	ck_assert_ptr_null(user_find(8));
	/* Who was never counted is not. */
	none.i_uid = 7;
	inode_set_connected(&none, true);
	ck_assert_uint_eq(user_find(7)->connections, 0);
	inode_uncharge(&other);
	ck_assert_uint_eq(nr_users(), 0);
}
END_TEST

START_TEST(writes_that_wait)
{
	user_set_limits(&(struct user_limits){.parked = 100});
	ck_assert_int_eq(user_park(7, 101), -EDQUOT);
	ck_assert_uint_eq(nr_users(), 0);
	ck_assert_int_eq(user_park(7, 60), 0);
	ck_assert_int_eq(user_park(7, 41), -EDQUOT);
	ck_assert_int_eq(user_park(7, 40), 0);
	ck_assert_int_eq(user_park(8, 100), 0);
	user_unpark(7, 60);
	ck_assert_uint_eq(user_find(7)->parked, 40);
	user_unpark(7, 40);
	user_unpark(8, 100);
	ck_assert_uint_eq(nr_users(), 0);
	user_set_limits(&(struct user_limits){0});
	ck_assert_int_eq(user_park(7, UINT64_MAX / 2), 0);
	user_unpark(7, UINT64_MAX / 2);
	ck_assert_uint_eq(vm_stat(VM_USERS)->objects, 0);
	ck_assert_uint_eq(vm_stat(VM_USERS)->bytes, 0);
}
END_TEST

START_TEST(many_users)
{
	static struct inode inode[NR_UIDS];

	set_limits(1, 0);
	for (uid_t uid = 0; uid < NR_UIDS; uid++)
		ck_assert_int_eq(inode_charge(&inode[uid], uid * 65537), 0);
	ck_assert_uint_eq(nr_users(), NR_UIDS);
	for (uid_t uid = 0; uid < NR_UIDS; uid++) {
		struct inode more = {.i_mode = 0};

		ck_assert_int_eq(inode_charge(&more, uid * 65537), -EDQUOT);
	}
	for (uid_t uid = 0; uid < NR_UIDS; uid++)
		inode_uncharge(&inode[uid]);
	ck_assert_uint_eq(nr_users(), 0);
}
END_TEST

static int dial_all(uid_t uid)
{
	int n = 0, err;

	while ((err = user_dial(uid)) == 0)
		n++;
	ck_assert_int_eq(err, -EAGAIN);
	return n;
}

START_TEST(dials_in_a_second)
{
	struct timespec pause = {.tv_nsec = 250 * 1000 * 1000};
	int n;

	set_limits(0, 0);
	for (int i = 0; i < 100000; i++)
		ck_assert_int_eq(user_dial(1), 0);
	ck_assert_uint_eq(nr_users(), 0);
	set_limits(0, 20);
	/* A second's share at once, and a little more if that took long. */
	n = dial_all(1);
	ck_assert_int_ge(n, 20);
	ck_assert_int_le(n, 40);
	/* Another's is his own. */
	ck_assert_int_ge(dial_all(2), 20);
	nanosleep(&pause, NULL);
	/* At least a fifth of a second has passed. */
	ck_assert_int_ge(dial_all(1), 4);
	ck_assert_uint_eq(nr_users(), 2);
	users_clear();
	ck_assert_uint_eq(nr_users(), 0);
}
END_TEST

/* Whose dials count no more is forgotten when somebody comes into his chain. */
START_TEST(dialled_and_gone)
{
	struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};

	set_limits(0, 1000000);
	for (int round = 0; round < 3; round++) {
		for (uid_t uid = 0; uid < NR_UIDS; uid++)
			ck_assert_int_eq(user_dial(uid + 1 + (uid_t)round * NR_UIDS), 0);
		nanosleep(&pause, NULL);
	}
	ck_assert_uint_le(nr_users(), NR_UIDS + NR_UIDS / 2);
	users_clear();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("user");
	TCase *tc = tcase_create("user");

	tcase_add_test(tc, each_has_a_share);
	tcase_add_test(tc, chown_moves_the_charge);
	tcase_add_test(tc, connections_count_beside_sockets);
	tcase_add_test(tc, writes_that_wait);
	tcase_add_test(tc, many_users);
	tcase_add_test(tc, dials_in_a_second);
	tcase_add_test(tc, dialled_and_gone);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
