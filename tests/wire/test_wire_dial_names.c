/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names that dial: how many are kept, whose go, and what the kernel is told.
 */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ctl/dial_names.h"
#include "mm/slab.h"
#include "mm/vmstat.h"
#include "tests/unit/unit.h"
#include "wire.h"

#define ROOT FUSE_ROOT_ID

/* As the kernel has them: Linux 6.18, protocol 7.45. */
#define NOTIFY_PRUNE 9
#define NOTIFY_PRUNE_MINOR 45

static struct wire *w;
static uint64_t tcp;
static size_t default_max;

static void setup_minor(uint32_t minor)
{
	struct fuse_init_in in = {.major = FUSE_KERNEL_VERSION, .minor = minor,
				  .max_readahead = 131072};
	struct fuse_entry_out e;

	default_max = dial_names_max;
	w = wire_new_raw();
	ck_assert_ptr_nonnull(w);
	ck_assert_int_eq(wire_call(w, FUSE_INIT, 0, &in, sizeof(in), NULL, 0, NULL, 0, NULL), 0);
	ck_assert_int_eq(wire_lookup(w, ROOT, "tcp", &e), 0);
	tcp = e.nodeid;
}

static void setup(void)
{
	setup_minor(NOTIFY_PRUNE_MINOR - 1);
}

static void setup_prune(void)
{
	setup_minor(NOTIFY_PRUNE_MINOR);
}

static void teardown(void)
{
	ck_assert_int_eq(wire_free(w), 0);
	ck_assert_uint_eq(vm_stat(VM_DIALLED)->objects, 0);
	ck_assert_uint_eq(vm_stat(VM_DIALLED)->bytes, 0);
	dial_names_max = default_max;
}

/* A host of a process of its own, as no process looks at very many. */
static uint64_t host(unsigned int i)
{
	struct fuse_entry_out e;
	char name[32];

	sprintf(name, "h%u.example", i);
	w->pid = (pid_t)(i + 2);
	ck_assert_int_eq(wire_lookup(w, tcp, name, &e), 0);
	return e.nodeid;
}

static int port(uint64_t dir, uint64_t *ret_ino)
{
	struct fuse_entry_out e = {0};
	int err = wire_lookup(w, dir, "80", &e);

	if (ret_ino != NULL)
		*ret_ino = e.nodeid;
	return err;
}

static bool is_there(uint64_t ino)
{
	return wire_getattr(w, ino, NULL) == 0;
}

static uint64_t names(void)
{
	return vm_stat(VM_DIALLED)->objects;
}

/* ------------------------------------------------------------------------ the bound */

START_TEST(never_more_than_the_bound)
{
	uint64_t first, last = 0, bytes = 0;

	dial_names_max = 100;
	first = host(0);
	for (unsigned int i = 1; i < 1000; i++) {
		last = host(i);
		ck_assert_uint_le(names(), 100);
		if (i == 150)
			bytes = vm_stat(VM_DIALLED)->bytes;
	}
	ck_assert_uint_eq(names(), 100);
	ck_assert_uint_gt(bytes, 0);
	ck_assert_uint_eq(vm_stat(VM_DIALLED)->bytes, bytes);
	/* The oldest went; the kernel looks it up again. What it says of it later is nothing. */
	ck_assert_int_eq(port(first, NULL), -ESTALE);
	wire_forget(w, first, 1);
	ck_assert_int_eq(port(host(0), NULL), 0);
	ck_assert_int_eq(port(last, NULL), 0);
}
END_TEST

START_TEST(what_is_used_stays)
{
	uint64_t used, idle, ino;

	dial_names_max = 100;
	used = host(0);
	idle = host(1);
	for (unsigned int i = 2; i < 500; i++) {
		host(i);
		ck_assert_int_eq(port(used, &ino), 0);
		wire_forget(w, ino, 1);
	}
	ck_assert(is_there(used));
	ck_assert(!is_there(idle));
}
END_TEST

START_TEST(an_open_directory_stays)
{
	uint64_t dir, fh, ino;

	dial_names_max = 20;
	dir = host(0);
	ck_assert_int_eq(wire_opendir(w, dir, &fh), 0);
	for (unsigned int i = 1; i < 100; i++)
		host(i);
	ck_assert(is_there(dir));
	ck_assert_int_eq(port(dir, &ino), 0);
	ck_assert_int_eq(wire_releasedir(w, dir, fh), 0);
	for (unsigned int i = 1; i < 100; i++)
		host(i);
	ck_assert(!is_there(dir));
}
END_TEST

START_TEST(all_of_them_open)
{
	uint64_t dir[16], fh[16];
	struct fuse_entry_out e;

	dial_names_max = 16;
	for (unsigned int i = 0; i < 16; i++) {
		dir[i] = host(i);
		ck_assert_int_eq(wire_opendir(w, dir[i], &fh[i]), 0);
	}
	ck_assert_int_eq(wire_lookup(w, tcp, "one.more", &e), -ENFILE);
	/* The last host is at work itself when a port of it is looked up. */
	ck_assert_int_eq(port(dir[15], NULL), -ENFILE);
	ck_assert_int_eq(wire_releasedir(w, dir[7], fh[7]), 0);
	ck_assert_int_eq(port(dir[15], NULL), 0);
	ck_assert(!is_there(dir[7]));
	ck_assert_uint_eq(names(), 16);
	for (unsigned int i = 0; i < 16; i++)
		if (i != 7)
			ck_assert_int_eq(wire_releasedir(w, dir[i], fh[i]), 0);
}
END_TEST

/* The only name there may be is that of the host at work. */
START_TEST(a_port_does_not_take_its_hosts_place)
{
	uint64_t dir;

	dial_names_max = 1;
	dir = host(0);
	ck_assert_int_eq(port(dir, NULL), -ENFILE);
	ck_assert(is_there(dir));
}
END_TEST

START_TEST(one_user_takes_nothing_from_another)
{
	uint64_t mine[30], other[30];

	dial_names_max = 100;
	w->uid = 1;
	for (unsigned int i = 0; i < 30; i++)
		mine[i] = host(i);
	w->uid = 2;
	for (unsigned int i = 0; i < 1000; i++)
		host(1000 + i);
	for (unsigned int i = 0; i < 30; i++)
		ck_assert(is_there(mine[i]));
	/* Who has less than his share gets it from the oldest of all. */
	w->uid = 3;
	for (unsigned int i = 0; i < 30; i++)
		other[i] = host(2000 + i);
	w->uid = 2;
	for (unsigned int i = 0; i < 1000; i++)
		host(3000 + i);
	for (unsigned int i = 0; i < 30; i++)
		ck_assert(is_there(other[i]));
	ck_assert_uint_eq(names(), 100);
}
END_TEST

/* All of it: the last name of it is not the first that goes. */
START_TEST(a_user_gets_his_whole_share)
{
	uint64_t mine[50];

	dial_names_max = 100;
	w->uid = 1;
	for (unsigned int i = 0; i < 100; i++)
		host(i);
	w->uid = 2;
	for (unsigned int i = 0; i < 50; i++)
		mine[i] = host(1000 + i);
	for (unsigned int i = 0; i < 50; i++)
		ck_assert(is_there(mine[i]));
	host(2000);
	ck_assert(!is_there(mine[0]));
	ck_assert(is_there(mine[1]));
}
END_TEST

START_TEST(without_memory_nothing_is_counted)
{
	struct fuse_entry_out e;
	long nr;

	host(0);
	w->uid = 7;
	for (nr = 1;; nr++) {
		int err;

		kmem_fault_after(nr);
		err = wire_lookup(w, tcp, "short.of.memory", &e);
		kmem_fault_after(-1);
		if (err == 0)
			break;
		ck_assert_int_eq(err, -ENOMEM);
		ck_assert_uint_eq(names(), 1);
	}
	/* The name, its inode, the user. */
	ck_assert_int_gt(nr, 3);
	ck_assert_uint_eq(names(), 2);
}
END_TEST

/* -------------------------------------------------------------- names that are tried */

/* What mkstemp(3) does: it goes on as long as the name it tried exists. */
static void try_names(uint64_t dir, struct fuse_entry_out *ret_last)
{
	char name[16];
	int err = 0;
	int tried;

	w->pid = 77;
	for (tried = 0; err == 0 && tried < 5000; tried++) {
		sprintf(name, "sed%06x", tried);
		err = wire_lookup(w, dir, name, ret_last);
	}
	ck_assert_int_eq(err, -EAGAIN);
	ck_assert_int_ge(tried, 200);
}

START_TEST(trying_names_in_vain_ends_soon)
{
	struct fuse_entry_out e;

	try_names(tcp, &e);
	/* That process only, and not for long; e.nodeid is the last it got. */
	ck_assert_int_eq(port(host(0), NULL), 0);
	w->pid = 77;
	ck_assert_int_eq(port(e.nodeid, NULL), 0);
	ck_assert_int_eq(wire_lookup(w, tcp, "sedAb12Cd", &e), 0);
}
END_TEST

START_TEST(trying_names_of_ports_ends_too)
{
	struct fuse_entry_out e;
	struct fuse_open_out o;

	try_names(host(0), &e);
	/* Opening one is using it, however that ends. */
	w->pid = 77;
	ck_assert_int_eq(wire_wait(w, wire_start_open(w, e.nodeid, O_RDWR), &o, sizeof(o), NULL),
			 -ENXIO);
	ck_assert_int_eq(wire_lookup(w, tcp, "sedAb12Cd", &e), 0);
}
END_TEST

START_TEST(a_caller_of_many_hosts_is_not_held)
{
	struct fuse_entry_out e;
	char name[16];

	w->pid = 78;
	for (int i = 0; i < 2000; i++) {
		sprintf(name, "h%d", i);
		ck_assert_int_eq(wire_lookup(w, tcp, name, &e), 0);
		ck_assert_int_eq(port(e.nodeid, NULL), 0);
	}
}
END_TEST

/* ------------------------------------------------------------- telling the kernel */

struct prune {
	struct fuse_out_header out;
	struct {
		uint32_t count, padding;
		uint64_t spare;
	} arg;
	uint64_t nodeid[512];
};

/* The next notice that has been written; false: there is none. */
static bool next_prune(struct prune *ret)
{
	ssize_t n = recv(w->fd, ret, sizeof(*ret), MSG_DONTWAIT);

	if (n < 0)
		return false;
	ck_assert_uint_eq((size_t)n, ret->out.len);
	ck_assert_uint_eq(ret->out.unique, 0);
	ck_assert_int_eq(ret->out.error, NOTIFY_PRUNE);
	ck_assert_uint_eq(ret->out.len, sizeof(ret->out) + sizeof(ret->arg) + 8 * ret->arg.count);
	return true;
}

START_TEST(the_kernel_is_asked_to_forget_the_oldest)
{
	uint64_t ino[1000];
	struct prune p;
	unsigned int asked = 0;

	dial_names_max = 1000;
	for (unsigned int i = 0; i < 499; i++)
		ino[i] = host(i);
	ck_assert(!next_prune(&p));
	for (unsigned int i = 499; i < 600; i++)
		ino[i] = host(i);
	while (next_prune(&p)) {
		for (uint32_t i = 0; i < p.arg.count; i++)
			ck_assert_uint_eq(p.nodeid[i], ino[asked + i]);
		asked += p.arg.count;
	}
	ck_assert_uint_ge(asked, 101);
	/* It does: they are gone, and the next are asked for. */
	for (unsigned int i = 0; i < asked; i++)
		wire_forget(w, ino[i], 1);
	ck_assert_uint_eq(names(), 600 - asked);
	for (unsigned int i = 600; i < 1000; i++)
		ino[i] = host(i);
	ck_assert(next_prune(&p));
	ck_assert_uint_eq(p.nodeid[0], ino[asked]);
}
END_TEST

/* A host is held by its port in the kernel, so it can go only behind that. */
START_TEST(a_port_is_asked_for_before_its_host)
{
	uint64_t dir = 0, ino[3] = {0};
	struct prune p;

	dial_names_max = 200;
	for (unsigned int i = 0; i < 100; i++) {
		dir = host(i);
		ck_assert_int_eq(port(dir, &ino[1]), 0);
		if (i == 0) {
			ino[0] = ino[1];
			ino[2] = dir;
		}
	}
	ck_assert(next_prune(&p));
	ck_assert_uint_eq(p.nodeid[0], ino[0]);
	ck_assert_uint_eq(p.nodeid[1], ino[2]);
}
END_TEST

/* In use, it is not forgotten, and is not asked for again before all others were. */
START_TEST(what_the_kernel_keeps_is_young_again)
{
	uint64_t used;
	struct prune p;
	int times = 0;

	dial_names_max = 2000;
	used = host(0);
	for (unsigned int i = 1; i < 4000; i++) {
		host(i);
		while (next_prune(&p))
			for (uint32_t n = 0; n < p.arg.count; n++)
				if (p.nodeid[n] == used)
					times++;
				else
					wire_forget(w, p.nodeid[n], 1);
	}
	ck_assert_int_ge(times, 1);
	ck_assert_int_le(times, 4);
	ck_assert(is_there(used));
	ck_assert_uint_le(names(), 1200);
}
END_TEST

START_TEST(an_older_kernel_is_not_asked)
{
	struct prune p;

	dial_names_max = 100;
	for (unsigned int i = 0; i < 1000; i++)
		host(i);
	ck_assert(!next_prune(&p));
}
END_TEST

/* It says that it has the protocol's minor version, and has not all of it. */
START_TEST(a_kernel_that_cannot_is_asked_once)
{
	dial_names_max = 1000;
	w->refuse_others = ENOENT;
	for (unsigned int i = 0; i < 700; i++)
		host(i);
	ck_assert_uint_gt(w->refused, 1);
	w->refuse_others = EINVAL;
	w->refused = 0;
	for (unsigned int i = 700; i < 1500; i++)
		host(i);
	ck_assert_uint_eq(w->refused, 1);
}
END_TEST

static void add_tests(Suite *s)
{
	TCase *t = tcase_create("bound"), *p = tcase_create("prune");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, never_more_than_the_bound);
	tcase_add_test(t, what_is_used_stays);
	tcase_add_test(t, an_open_directory_stays);
	tcase_add_test(t, all_of_them_open);
	tcase_add_test(t, a_port_does_not_take_its_hosts_place);
	tcase_add_test(t, one_user_takes_nothing_from_another);
	tcase_add_test(t, a_user_gets_his_whole_share);
	tcase_add_test(t, without_memory_nothing_is_counted);
	tcase_add_test(t, trying_names_in_vain_ends_soon);
	tcase_add_test(t, trying_names_of_ports_ends_too);
	tcase_add_test(t, a_caller_of_many_hosts_is_not_held);
	tcase_add_test(t, an_older_kernel_is_not_asked);
	suite_add_tcase(s, t);

	tcase_add_checked_fixture(p, setup_prune, teardown);
	tcase_set_timeout(p, 60);
	tcase_add_test(p, the_kernel_is_asked_to_forget_the_oldest);
	tcase_add_test(p, a_port_is_asked_for_before_its_host);
	tcase_add_test(p, what_the_kernel_keeps_is_young_again);
	tcase_add_test(p, a_kernel_that_cannot_is_asked_once);
	suite_add_tcase(s, p);
}

int main(void)
{
	Suite *s = suite_create("wire: names that dial");

	add_tests(s);
	return unit_run(s);
}
