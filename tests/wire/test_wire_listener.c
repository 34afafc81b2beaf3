/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Listeners: who gets which connection, and files that remove themselves.
 */
#include "config.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mm/vmstat.h"
#include "net/socket.h"
#include "tests/unit/unit.h"
#include "wire.h"

#define ROOT FUSE_ROOT_ID

static struct wire *w;
static uint64_t srv; /* the listener, open as fh */
static uint64_t fh;
static struct sockaddr_in srv_sa;

static void setup(void)
{
	struct sockfs_addr addr = {.host = "127.0.0.1", .port = "0"};
	struct fuse_entry_out e;
	struct fuse_open_out o;
	int32_t backlog = 0;

	w = wire_new();
	ck_assert_ptr_nonnull(w);
	ck_assert_int_eq(wire_create(w, ROOT, "srv", O_RDWR, 0644, &e, &o), 0);
	srv = e.nodeid;
	fh = o.fh;
	ck_assert_int_eq(wire_ioctl(w, srv, fh, SOCKFS_IOC_BIND, &addr), 0);
	ck_assert_int_eq(wire_ioctl(w, srv, fh, SOCKFS_IOC_LISTEN, &backlog), 0);
	ck_assert_int_eq(wire_ioctl(w, srv, fh, SOCKFS_IOC_GETSOCKNAME, &addr), 0);
	srv_sa = (struct sockaddr_in){.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				      .sin_port = htons((uint16_t)atoi(addr.port))};
}

static void teardown(void)
{
	ck_assert_int_eq(wire_free(w), 0);
}

static int answer(uint64_t unique)
{
	return wire_answer(w, unique, NULL, 0, NULL);
}

static int dial(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(connect(fd, (const void *)&srv_sa, sizeof(srv_sa)), 0);
	return fd;
}

static uint64_t open_srv(void)
{
	struct fuse_open_out o;

	ck_assert_int_eq(wire_open(w, srv, O_RDONLY, &o), 0);
	return o.fh;
}

/* What a read of the listener by process @pid gives; a static buffer. */
static const char *read_as(pid_t pid, uint64_t file, uint32_t size)
{
	static char buf[300];
	size_t len = 0;
	uint64_t u;

	w->pid = pid;
	u = wire_read(w, srv, file, size, O_RDONLY);
	w->pid = 1;
	ck_assert_int_eq(wire_wait(w, u, buf, size, &len), 0);
	buf[len] = '\0';
	return buf;
}

static uint64_t accepted(void)
{
	struct sockfs_info info;

	ck_assert_int_eq(wire_ioctl(w, srv, fh, SOCKFS_IOC_INFO, &info), 0);
	return info.accepted;
}

/* A process that was there and is not any more. */
static pid_t dead_process(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	ck_assert_int_gt(pid, 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	return pid;
}

/* ------------------------------------------------------------------------ lines */

START_TEST(readers_of_one_open_file_do_not_mix_lines)
{
	pid_t one = getpid(), other = getppid();
	int a = dial(), b = dial();

	ck_assert_str_eq(read_as(one, fh, 1), "s");
	ck_assert_str_eq(read_as(other, fh, 2), "sr");
	ck_assert_str_eq(read_as(one, fh, 3), "rv.");
	ck_assert_str_eq(read_as(other, fh, 100), "v.2\n");
	ck_assert_str_eq(read_as(one, fh, 1), "1");
	ck_assert_uint_eq(accepted(), 2);
	ck_assert_str_eq(read_as(one, fh, 1), "\n");
	close(a);
	close(b);
}
END_TEST

START_TEST(the_rest_of_a_dead_readers_line)
{
	int a = dial(), b = dial();
	pid_t dead = dead_process();

	ck_assert_str_eq(read_as(dead, fh, 3), "srv");
	/* As of any file: who comes next reads on. */
	ck_assert_str_eq(read_as(getpid(), fh, 100), ".1\n");
	ck_assert_str_eq(read_as(getpid(), fh, 100), "srv.2\n");
	close(a);
	close(b);
}
END_TEST

/* Threads of one process read one line, whoever of them reads on. */
START_TEST(threads_have_a_line_in_common)
{
	int a = dial();

	w->owner = 5;
	ck_assert_str_eq(read_as(getpid(), fh, 3), "srv");
	ck_assert_str_eq(read_as(getppid(), fh, 100), ".1\n");
	close(a);
}
END_TEST

/* In another pid namespace all are number 0 to us. */
START_TEST(readers_without_a_number_do_not_mix_lines)
{
	int a = dial(), b = dial();

	w->owner = 5;
	ck_assert_str_eq(read_as(0, fh, 3), "srv");
	w->owner = 6;
	ck_assert_str_eq(read_as(0, fh, 100), "srv.2\n");
	w->owner = 5;
	ck_assert_str_eq(read_as(0, fh, 100), ".1\n");
	close(a);
	close(b);
}
END_TEST

/* Among many who live: whoever begins asks after a few, the next time after others. */
START_TEST(a_dead_reader_among_many)
{
	enum { LIVING = 20 };
	int peers[LIVING + 1];
	char buf[300] = "";
	int err = -EAGAIN;

	for (int i = 0; i <= LIVING; i++) {
		peers[i] = dial();
		w->owner = 1000 + (uint64_t)i;
		ck_assert_str_eq(read_as(i < LIVING ? getpid() : dead_process(), fh, 3), "srv");
	}
	ck_assert_uint_eq(vm_stat(VM_LINES)->objects, LIVING + 1);
	w->owner = 5;
	w->pid = getpid();
	for (int i = 0; err == -EAGAIN && i < LIVING; i++)
		err = wire_answer(w, wire_read(w, srv, fh, 100, O_NONBLOCK), buf, sizeof(buf), NULL);
	ck_assert_int_eq(err, 0);
	ck_assert_str_eq(buf, ".21\n");
	for (int i = 0; i < LIVING; i++) {
		char want[8];

		sprintf(want, ".%d\n", i + 1);
		w->owner = 1000 + (uint64_t)i;
		ck_assert_str_eq(read_as(getpid(), fh, 100), want);
	}
	ck_assert_uint_eq(vm_stat(VM_LINES)->objects, 0);
	ck_assert_uint_eq(vm_stat(VM_LINES)->bytes, 0);
	for (int i = 0; i <= LIVING; i++)
		close(peers[i]);
}
END_TEST

START_TEST(a_line_goes_with_its_open_file)
{
	uint64_t file = open_srv();
	int a = dial(), b = dial();
	struct fuse_entry_out e;

	ck_assert_str_eq(read_as(1, file, 1), "s");
	ck_assert_int_eq(wire_release(w, srv, file), 0);
	/* It was given: its file is there, the next line is another's. */
	ck_assert_int_eq(wire_lookup(w, ROOT, "srv.1", &e), 0);
	ck_assert_str_eq(read_as(1, fh, 100), "srv.2\n");
	ck_assert_uint_eq(accepted(), 2);
	close(a);
	close(b);
}
END_TEST

START_TEST(readers_take_turns)
{
	uint64_t file[3], u[3];
	char line[300];
	int fd[6];

	for (int i = 0; i < 3; i++)
		file[i] = open_srv();
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 3; i++)
			u[i] = wire_read(w, srv, file[i], 100, O_RDONLY);
		for (int i = 0; i < 3; i++) {
			char want[16];

			fd[round * 3 + i] = dial();
			sprintf(want, "srv.%d\n", round * 3 + i + 1);
			memset(line, 0, sizeof(line));
			ck_assert_int_eq(wire_wait(w, u[i], line, sizeof(line), NULL), 0);
			ck_assert_str_eq(line, want);
			if (i < 2)
				ck_assert_int_eq(answer(u[i + 1]), WIRE_OPEN);
		}
	}
	ck_assert_uint_eq(accepted(), 6);
	for (int i = 0; i < 6; i++)
		close(fd[i]);
}
END_TEST

START_TEST(a_reader_that_dies_takes_nothing_with_it)
{
	uint64_t u = wire_read(w, srv, fh, 100, O_RDONLY);
	uint64_t file = open_srv();
	int a;

	ck_assert_int_eq(answer(u), WIRE_OPEN);
	wire_interrupt(w, u);
	ck_assert_int_eq(answer(u), -EINTR);
	u = wire_read(w, srv, fh, 1, O_RDONLY);
	ck_assert_int_eq(wire_release(w, srv, fh), 0);
	ck_assert_int_eq(answer(u), -EINTR);
	a = dial();
	fh = file;
	ck_assert_uint_eq(accepted(), 0);
	ck_assert_str_eq(read_as(1, file, 100), "srv.1\n");
	ck_assert_uint_eq(accepted(), 1);
	close(a);
}
END_TEST

/* ---------------------------------------------------------------------- reaping */

static void set_reap(uint64_t ino, uint64_t file, int seconds)
{
	struct sockfs_sockopt opt = {.level = SOL_SOCKFS, .name = SOCKFS_SO_REAP, .len = 4};

	memcpy(opt.value, &seconds, sizeof(seconds));
	ck_assert_int_eq(wire_ioctl(w, ino, file, SOCKFS_IOC_SETSOCKOPT, &opt), 0);
}

/* An accepted connection: its file, and the peer's end. */
struct end {
	const char *name;
	uint64_t ino, fh;
	int peer;
};

static struct end accept_one(const char *name)
{
	struct end e = {.name = name, .peer = dial()};
	struct fuse_entry_out entry;
	struct fuse_open_out o;
	struct sockfs_accept acc;

	ck_assert_int_eq(wire_ioctl(w, srv, fh, SOCKFS_IOC_ACCEPT, &acc), 0);
	ck_assert_str_eq(acc.name, name);
	ck_assert_int_eq(wire_lookup(w, ROOT, name, &entry), 0);
	e.ino = entry.nodeid;
	ck_assert_int_eq(wire_open(w, e.ino, O_RDWR, &o), 0);
	e.fh = o.fh;
	return e;
}

/* Whoever accepts owns the file, and never chose to lend that name out. */
START_TEST(an_accepted_file_has_no_special_bits)
{
	struct fuse_setattr_in in = {.valid = FATTR_MODE, .mode = 07755};
	struct fuse_attr_out out;
	struct fuse_attr attr;
	struct end e;

	ck_assert_int_eq(wire_call(w, FUSE_SETATTR, srv, &in, sizeof(in), NULL, 0, &out,
				   sizeof(out), NULL), 0);
	ck_assert_uint_eq(out.attr.mode, S_IFREG | 07755);
	e = accept_one("srv.1");
	ck_assert_int_eq(wire_getattr(w, e.ino, &attr), 0);
	ck_assert_uint_eq(attr.mode, S_IFREG | 0755);
	close(e.peer);
	/* Who may accept from another's listener has what he accepts alone. */
	w->uid = 12;
	e = accept_one("srv.2");
	ck_assert_int_eq(wire_getattr(w, e.ino, &attr), 0);
	ck_assert_uint_eq(attr.mode, S_IFREG | 0700);
	ck_assert_uint_eq(attr.uid, 12);
	close(e.peer);
}
END_TEST

static void release(struct end *e)
{
	ck_assert_int_eq(wire_release(w, e->ino, e->fh), 0);
}

static void shut_wr(struct end *e)
{
	int32_t how = SHUT_WR;

	ck_assert_int_eq(wire_ioctl(w, e->ino, e->fh, SOCKFS_IOC_SHUTDOWN, &how), 0);
}

static void reset(struct end *e)
{
	struct linger l = {1, 0};

	setsockopt(e->peer, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	close(e->peer);
}

static uint64_t name_dir = ROOT; /* where exists and goes look */

static bool exists(const char *name)
{
	struct fuse_entry_out e;
	int err = wire_lookup(w, name_dir, name, &e);

	ck_assert(err == 0 || err == -ENOENT);
	if (err == 0)
		wire_forget(w, e.nodeid, 1);
	return err == 0;
}

static bool is_gone(void *name)
{
	return !exists(name);
}

static bool goes(const struct end *e)
{
	return wire_until(w, is_gone, (void *)e->name);
}

START_TEST(reaped_when_both_sides_are_done)
{
	struct fuse_entry_out entry;
	struct end e, half;
	uint64_t before;

	set_reap(srv, fh, 1);
	e = accept_one("srv.1");
	half = accept_one("srv.2");
	ck_assert_int_eq(wire_lookup(w, ROOT, "srv.1", &entry), 0);
	/* The kernel does not keep what we may take away. */
	ck_assert_uint_eq(entry.entry_valid, 0);
	ck_assert_uint_eq(entry.attr_valid, 0);
	before = w->sb.s_nr_sockets;
	shut_wr(&e);
	release(&e);
	release(&half);
	w->last_inval = 0;
	close(e.peer);
	close(half.peer);
	ck_assert(goes(&e));
	ck_assert_uint_eq(w->last_inval, ROOT);
	ck_assert_uint_eq(w->sb.s_nr_sockets, before - 1);
	/* Our side of this one is not done: an answer may still be written. */
	ck_assert(exists("srv.2"));
	/* The kernel's number stays valid as long as it may use it. */
	ck_assert_int_eq(wire_getattr(w, e.ino, NULL), 0);
	wire_forget(w, e.ino, 2);
	ck_assert_int_eq(wire_getattr(w, e.ino, NULL), -ESTALE);
}
END_TEST

START_TEST(reaped_after_a_reset_that_nobody_saw)
{
	struct end e;

	set_reap(srv, fh, 1);
	e = accept_one("srv.1");
	release(&e);
	wire_turn(w);
	reset(&e);
	ck_assert(goes(&e));
}
END_TEST

START_TEST(reaped_after_abort)
{
	struct end e;

	set_reap(srv, fh, 1);
	e = accept_one("srv.1");
	ck_assert_int_eq(wire_ioctl(w, e.ino, e.fh, SOCKFS_IOC_ABORT, NULL), 0);
	release(&e);
	ck_assert(goes(&e));
	close(e.peer);
}
END_TEST

/* The handle goes, the time that is running does not. */
START_TEST(reaped_after_abort_of_what_is_over)
{
	struct end e;
	struct sockfs_info info = {0};

	set_reap(srv, fh, 1);
	e = accept_one("srv.1");
	reset(&e);
	while (info.state != SOCKFS_CLOSED)
		ck_assert_int_eq(wire_ioctl(w, e.ino, e.fh, SOCKFS_IOC_INFO, &info), 0);
	release(&e);
	ck_assert_int_eq(sock_abort(SOCKET_I(ilookup(&w->sb, e.ino))), 0);
	ck_assert(goes(&e));
}
END_TEST

START_TEST(not_while_it_is_open)
{
	struct end e, clock;
	struct fuse_open_out o;

	set_reap(srv, fh, 1);
	e = accept_one("srv.1");
	clock = accept_one("srv.2");
	release(&clock);
	reset(&e);
	reset(&clock);
	ck_assert(goes(&clock));
	ck_assert(exists("srv.1"));
	/* Closed and opened again before its time: it begins anew with the next close. */
	release(&e);
	ck_assert_int_eq(wire_open(w, e.ino, O_RDONLY, &o), 0);
	e.fh = o.fh;
	clock = accept_one("srv.3");
	release(&clock);
	reset(&clock);
	ck_assert(goes(&clock));
	ck_assert(exists("srv.1"));
	release(&e);
	ck_assert(goes(&e));
}
END_TEST

START_TEST(never_by_default)
{
	struct end e = accept_one("srv.1"), clock;
	struct fuse_entry_out entry;

	ck_assert_int_eq(wire_lookup(w, ROOT, "srv.1", &entry), 0);
	ck_assert_uint_gt(entry.entry_valid, 0);
	set_reap(srv, fh, 1);
	clock = accept_one("srv.2");
	release(&e);
	release(&clock);
	reset(&e);
	reset(&clock);
	ck_assert(goes(&clock));
	/* Accepted before it was set. */
	ck_assert(exists("srv.1"));
}
END_TEST

START_TEST(called_off_and_called_again)
{
	struct end e, clock;
	struct fuse_open_out o;

	set_reap(srv, fh, 1);
	e = accept_one("srv.1");
	clock = accept_one("srv.2");
	set_reap(e.ino, e.fh, 0);
	release(&e);
	release(&clock);
	reset(&e);
	reset(&clock);
	ck_assert(goes(&clock));
	ck_assert(exists("srv.1"));
	ck_assert_int_eq(wire_open(w, e.ino, O_RDWR, &o), 0);
	e.fh = o.fh;
	set_reap(e.ino, e.fh, 1);
	release(&e);
	ck_assert(goes(&e));
}
END_TEST

START_TEST(all_its_names_go_from_all_directories)
{
	struct fuse_entry_out dir, entry;
	struct end e;

	set_reap(srv, fh, 1);
	e = accept_one("srv.1");
	ck_assert_int_eq(wire_mkdir(w, ROOT, "d", 0755, &dir), 0);
	ck_assert_int_eq(wire_link(w, e.ino, dir.nodeid, "again", &entry), 0);
	ck_assert_int_eq(wire_rename(w, ROOT, "srv.1", dir.nodeid, "moved", 0), 0);
	release(&e);
	reset(&e);
	name_dir = dir.nodeid;
	e.name = "moved";
	ck_assert(exists(e.name));
	ck_assert(goes(&e));
	ck_assert_int_eq(wire_lookup(w, dir.nodeid, "again", &entry), -ENOENT);
	ck_assert_int_eq(wire_rmdir(w, ROOT, "d"), 0);
}
END_TEST

START_TEST(stop_with_one_that_waits_to_be_reaped)
{
	struct end e;

	set_reap(srv, fh, 60);
	e = accept_one("srv.1");
	release(&e);
	reset(&e);
	for (int i = 0; i < 10; i++)
		wire_turn(w);
	ck_assert(exists("srv.1"));
}
END_TEST

static TCase *tests(void)
{
	TCase *t = tcase_create("listener");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, readers_of_one_open_file_do_not_mix_lines);
	tcase_add_test(t, the_rest_of_a_dead_readers_line);
	tcase_add_test(t, threads_have_a_line_in_common);
	tcase_add_test(t, readers_without_a_number_do_not_mix_lines);
	tcase_add_test(t, a_dead_reader_among_many);
	tcase_add_test(t, a_line_goes_with_its_open_file);
	tcase_add_test(t, readers_take_turns);
	tcase_add_test(t, a_reader_that_dies_takes_nothing_with_it);
	tcase_add_test(t, an_accepted_file_has_no_special_bits);
	tcase_add_test(t, reaped_when_both_sides_are_done);
	tcase_add_test(t, reaped_after_a_reset_that_nobody_saw);
	tcase_add_test(t, reaped_after_abort);
	tcase_add_test(t, reaped_after_abort_of_what_is_over);
	tcase_add_test(t, not_while_it_is_open);
	tcase_add_test(t, never_by_default);
	tcase_add_test(t, called_off_and_called_again);
	tcase_add_test(t, all_its_names_go_from_all_directories);
	tcase_add_test(t, stop_with_one_that_waits_to_be_reaped);
	return t;
}

int main(void)
{
	Suite *s = suite_create("wire: listeners");

	suite_add_tcase(s, tests());
	return unit_run(s);
}
