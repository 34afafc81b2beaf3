/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine so slow, or so crowded, that each look at the clock finds the turn
 * over: work that is done in pieces then takes one step a turn, and comes to the
 * same end.
 */
#include "config.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "mm/vmstat.h"
#include "tests/unit/unit.h"
#include "wire_net.h"

#define ROOT FUSE_ROOT_ID
#define SOME 40
/* More than a turn may take. */
#define LOOK_NS 1000000

static struct wire *w;
static bool slow;
static uint64_t looks;

/* In place of the C library's, for the daemon and for libuv. */
int clock_gettime(clockid_t id, struct timespec *ret)
{
	int err = (int)syscall(SYS_clock_gettime, id, ret);
	uint64_t late;

	if (err != 0)
		return err;
	looks += slow;
	late = (uint64_t)ret->tv_nsec + looks * LOOK_NS;
	ret->tv_sec += (time_t)(late / 1000000000);
	ret->tv_nsec = (long)(late % 1000000000);
	return 0;
}

static void setup_quick(void)
{
	w = wire_new();
	ck_assert_ptr_nonnull(w);
}

static void setup(void)
{
	setup_quick();
	slow = true;
}

static void teardown_quick(void)
{
	ck_assert_int_eq(wire_free(w), 0);
}

static void teardown(void)
{
	teardown_quick();
	/* Nothing would have been slow otherwise. */
	ck_assert_uint_gt(looks, SOME);
	slow = false;
	looks = 0;
}

static void make_files(uint64_t *ret_nodeids)
{
	struct fuse_entry_out e;
	char name[16];

	for (int i = 0; i < SOME; i++) {
		sprintf(name, "f%d", i);
		ck_assert_int_eq(wire_mknod(w, ROOT, name, S_IFREG | 0644, &e), 0);
		ret_nodeids[i] = e.nodeid;
	}
}

/* A heading belongs to the first step, not to what comes before it. */
START_TEST(tables_have_one_heading_and_all_lines)
{
	struct sockfs_sockopt proto = {.level = SOL_SOCKFS, .name = SOCKFS_SO_PROTO, .len = 4,
				       .value = "unix"};
	uint64_t nodeids[SOME];
	const char *text;
	struct end last;

	make_files(nodeids);
	text = read_table(w, "tcp");
	ck_assert_int_eq(count_of(text, "local_address"), 1);
	ck_assert_int_eq(count_of(text, "\n"), 1 + SOME);
	text = read_table(w, "tcp6");
	ck_assert_int_eq(count_of(text, "local_address"), 1);
	ck_assert_int_eq(count_of(text, "\n"), 1);
	text = read_table(w, "unix");
	ck_assert_int_eq(count_of(text, "RefCount"), 1);
	ck_assert_int_eq(count_of(text, "\n"), 1);
	text = read_table(w, "memory");
	ck_assert_int_eq(count_of(text, "\n"), 1 + NR_VM_ITEMS);
	for (enum vm_item i = 0; i < NR_VM_ITEMS; i++)
		ck_assert_int_eq(count_of(text, vm_item_name(i)), 1);
	/* The last of all. */
	last = make_file(w, "last");
	ck_assert_int_eq(ioc(&last, SOCKFS_IOC_SETSOCKOPT, &proto), 0);
	text = read_table(w, "unix");
	ck_assert_int_eq(count_of(text, "RefCount"), 1);
	ck_assert_int_eq(count_of(text, "\n"), 2);
}
END_TEST

START_TEST(those_who_wait_are_all_told)
{
	unsigned int port;
	struct end e = make_listener(w, "127.0.0.1", &port);
	uint64_t u[SOME];
	const char *text;

	for (int i = 0; i < SOME; i++)
		u[i] = wire_read(w, e.ino, e.fh, 16, O_RDWR);
	text = read_table(w, "waiting");
	ck_assert_int_eq(count_of(text, "since"), 1);
	ck_assert_int_eq(count_of(text, " read "), SOME);
	ck_assert_int_eq(count_of(text, "\n"), 1 + SOME);
	for (int i = 0; i < SOME; i++)
		wire_interrupt(w, u[i]);
	for (int i = 0; i < SOME; i++)
		ck_assert_int_eq(wire_wait(w, u[i], NULL, 0, NULL), -EINTR);
}
END_TEST

/* On a machine that is not slow a turn has many steps, and so a table few turns. */
START_TEST(those_who_wait_are_told_in_a_few_turns)
{
	unsigned int port;
	struct end e = make_listener(w, "127.0.0.1", &port);
	struct fuse_entry_out dir, f;
	struct fuse_open_out o;
	uint64_t u[SOME], opened;
	int turns = 0;

	for (int i = 0; i < SOME; i++)
		u[i] = wire_read(w, e.ino, e.fh, 16, O_RDWR);
	ck_assert_int_eq(wire_lookup(w, ROOT, ".proc", &dir), 0);
	ck_assert_int_eq(wire_lookup(w, dir.nodeid, "waiting", &f), 0);
	for (opened = wire_start_open(w, f.nodeid, O_RDONLY);
	     wire_answer(w, opened, &o, sizeof(o), NULL) == WIRE_OPEN; turns++)
		wire_turn(w);
	ck_assert_int_lt(turns, SOME / 2);
	for (int i = 0; i < SOME; i++) {
		wire_interrupt(w, u[i]);
		ck_assert_int_eq(wire_wait(w, u[i], NULL, 0, NULL), -EINTR);
	}
	ck_assert_int_eq(wire_release(w, f.nodeid, o.fh), 0);
}
END_TEST

START_TEST(all_is_forgotten)
{
	struct {
		struct fuse_batch_forget_in in;
		struct fuse_forget_one one[SOME];
	} msg = {.in = {.count = SOME}};
	uint64_t nodeids[SOME];
	char name[16];

	make_files(nodeids);
	for (int i = 0; i < SOME; i++) {
		sprintf(name, "f%d", i);
		ck_assert_int_eq(wire_unlink(w, ROOT, name), 0);
		msg.one[i] = (struct fuse_forget_one){nodeids[i], 1};
	}
	wire_send_as(w, 1000000, FUSE_BATCH_FORGET, 0, &msg, sizeof(msg), NULL, 0, false);
	for (int i = 0; i < 2 * SOME; i++)
		wire_turn(w);
	for (int i = 0; i < SOME; i++)
		ck_assert_int_eq(wire_getattr(w, nodeids[i], NULL), -ESTALE);
}
END_TEST

/*
 * A listener of UDP to which one peer has sent SOME datagrams, *@ret_fd, accepted by the
 * first: they are being moved to its socket.
 */
static struct end accept_one_of_many(int *ret_fd)
{
	struct sockfs_addr addr = {.host = "udp:127.0.0.1", .port = "0"};
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct end e = make_file(w, "srv");
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), backlog = 0;

	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_BIND, &addr), 0);
	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_LISTEN, &backlog), 0);
	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_GETSOCKNAME, &addr), 0);
	sin.sin_port = htons((uint16_t)atoi(addr.port));
	ck_assert_int_eq(connect(fd, (void *)&sin, sizeof(sin)), 0);
	for (int i = 0; i < SOME; i++)
		ck_assert_int_eq(send(fd, "x", 1, 0), 1);
	ck_assert_int_eq(wire_wait(w, wire_read(w, e.ino, e.fh, 8, O_RDWR), NULL, 0, NULL), 0);
	/* One by the accept, and one by each turn that it took. */
	ck_assert_uint_lt(vm_stat(VM_MESSAGES)->objects, SOME / 2);
	*ret_fd = fd;
	return e;
}

START_TEST(a_peer_gets_one_datagram_a_turn)
{
	struct end peer;
	int fd, turns = 0;

	(void)accept_one_of_many(&fd);
	while (vm_stat(VM_MESSAGES)->objects < SOME && turns++ < 2 * SOME)
		wire_turn(w);
	peer = open_file(w, "srv.1");
	for (int i = 0; i < SOME; i++)
		ck_assert_int_eq(wire_wait(w, wire_read(w, peer.ino, peer.fh, 8, O_RDWR), NULL, 0,
					   NULL),
				 0);
	close(fd);
}
END_TEST

START_TEST(a_listener_goes_while_it_moves)
{
	int fd;
	struct end e = accept_one_of_many(&fd);

	ck_assert_int_eq(wire_unlink(w, ROOT, "srv"), 0);
	ck_assert_int_eq(wire_release(w, e.ino, e.fh), 0);
	wire_forget(w, e.ino, 1);
	for (int i = 0; i < SOME; i++)
		wire_turn(w);
	ck_assert_uint_lt(vm_stat(VM_MESSAGES)->objects, SOME);
	close(fd);
}
END_TEST

static TCase *quick_tests(void)
{
	TCase *t = tcase_create("quick");

	tcase_add_checked_fixture(t, setup_quick, teardown_quick);
	tcase_add_test(t, those_who_wait_are_told_in_a_few_turns);
	return t;
}

static TCase *tests(void)
{
	TCase *t = tcase_create("slow");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, tables_have_one_heading_and_all_lines);
	tcase_add_test(t, those_who_wait_are_all_told);
	tcase_add_test(t, all_is_forgotten);
	tcase_add_test(t, a_peer_gets_one_datagram_a_turn);
	tcase_add_test(t, a_listener_goes_while_it_moves);
	return t;
}

int main(void)
{
	Suite *s = suite_create("wire: a slow machine");

	suite_add_tcase(s, tests());
	suite_add_tcase(s, quick_tests());
	return unit_run(s);
}
