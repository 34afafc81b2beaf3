/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Control files in any order: random commands, signals, names that come and go,
 * lookups forgotten too early. Each request must end once, and nothing be left
 * behind; what the sanitizers say counts most.
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
#include <unistd.h>

#include "tests/unit/unit.h"
#include "wire.h"

#define ROOT FUSE_ROOT_ID
#define NR_NAMES 4
#define NR_OPEN 8
#define NR_REQUESTS 16
#define STEPS 4000

static struct wire *w;
static uint64_t ctl, dir, ctl_dir;
static unsigned int seed;

/* Ports to connect to: one that accepts, one that hangs, one that refuses. */
static int fds[4];
static unsigned int ports[3];

/* What this kernel has open: of a socket or of its control file. */
static struct {
	uint64_t ino, fh;
} open_files[NR_OPEN];

static uint64_t requests[NR_REQUESTS];

static unsigned int roll(unsigned int n)
{
	seed = seed * 1103515245u + 12345u;
	return (seed >> 16) % n;
}

static int bound_socket(unsigned int *ret_port)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(sa);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (void *)&sa, sizeof(sa)), 0);
	ck_assert_int_eq(getsockname(fd, (void *)&sa, &len), 0);
	*ret_port = ntohs(sa.sin_port);
	return fd;
}

static void setup(void)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct fuse_entry_out e;

	w = wire_new();
	ck_assert_ptr_nonnull(w);
	ck_assert_int_eq(wire_lookup(w, ROOT, ".ctl", &e), 0);
	ctl = e.nodeid;
	ck_assert_int_eq(wire_mkdir(w, ROOT, "d", 0755, &e), 0);
	dir = e.nodeid;
	ck_assert_int_eq(wire_lookup(w, ctl, "d", &e), 0);
	ctl_dir = e.nodeid;
	for (int i = 0; i < 3; i++)
		fds[i] = bound_socket(&ports[i]);
	ck_assert_int_eq(listen(fds[0], 4096), 0);
	ck_assert_int_eq(listen(fds[1], 0), 0);
	sa.sin_port = htons((uint16_t)ports[1]);
	fds[3] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(connect(fds[3], (void *)&sa, sizeof(sa)), 0);
}

static void teardown(void)
{
	ck_assert_int_eq(wire_free(w), 0);
	for (int i = 0; i < 4; i++)
		close(fds[i]);
}

/* ------------------------------------------------------------------------- steps */

static uint64_t any_dir(void)
{
	return roll(3) == 0 ? dir : ROOT;
}

static const char *any_name(void)
{
	static const char *const names[NR_NAMES] = {"a", "b", "c", "d"};

	return names[roll(NR_NAMES)];
}

static void change_names(void)
{
	struct fuse_entry_out e;
	uint64_t at = any_dir();
	const char *name = any_name();

	switch (roll(4)) {
	case 0:
		if (wire_mknod(w, at, name, S_IFREG | 0644, &e) == 0 && roll(2) == 0)
			wire_forget(w, e.nodeid, 1);
		break;
	case 1:
		wire_unlink(w, at, name);
		break;
	case 2:
		/* The directory itself stays where it is. */
		if (strcmp(name, "d") != 0 || at == dir)
			wire_rename(w, at, name, any_dir(), any_name(), 0);
		break;
	default:
		if (wire_lookup(w, at, name, &e) == 0) {
			struct fuse_entry_out l;

			wire_link(w, e.nodeid, any_dir(), any_name(), &l);
			wire_forget(w, e.nodeid, 1 + roll(5));
		}
	}
}

/* Open a socket or a control file; its lookup is forgotten at once, or never. */
static void open_one(void)
{
	struct fuse_entry_out e;
	struct fuse_open_out o;
	size_t slot = roll(NR_OPEN);
	bool in_dir = roll(3) == 0;
	bool control = roll(3) != 0;
	uint64_t at = control ? (in_dir ? ctl_dir : ctl) : (in_dir ? dir : ROOT);

	if (open_files[slot].fh != 0 || wire_lookup(w, at, any_name(), &e) != 0)
		return;
	if (S_ISREG(e.attr.mode) && wire_open(w, e.nodeid, O_RDWR, &o) == 0) {
		open_files[slot].ino = e.nodeid;
		open_files[slot].fh = o.fh;
	}
	/* Without its lookup the number of an open file is not known any more. */
	if (open_files[slot].ino != e.nodeid || roll(8) == 0)
		wire_forget(w, e.nodeid, roll(2) ? 1 : 1000);
}

static void close_one(void)
{
	size_t slot = roll(NR_OPEN);

	if (open_files[slot].fh == 0)
		return;
	ck_assert_int_eq(wire_release(w, open_files[slot].ino, open_files[slot].fh), 0);
	open_files[slot].fh = 0;
}

static size_t any_command(char *buf)
{
	switch (roll(14)) {
	case 0:
		return (size_t)sprintf(buf, "connect localhost:%u\n", ports[roll(3)]);
	case 1:
	case 2:
	case 3:
	case 4:
		return (size_t)sprintf(buf, "connect 127.0.0.1:%u\n", ports[roll(3)]);
	case 5:
		return (size_t)sprintf(buf, "bind %s:0\n", roll(2) ? "127.0.0.1" : "localhost");
	case 6:
		return (size_t)sprintf(buf, "listen %s:0 3\n", roll(2) ? "127.0.0.1" : "localhost");
	case 7:
		return (size_t)sprintf(buf, "listen\n");
	case 8:
		return (size_t)sprintf(buf, "shutdown %s\n", roll(2) ? "wr" : "rdwr");
	case 9:
	case 10:
		return (size_t)sprintf(buf, "abort\n");
	case 11:
		return (size_t)sprintf(buf, "nonsense %c\n", (char)roll(256));
	default:
		return (size_t)sprintf(buf, "set connect_timeout %u\n", roll(2));
	}
}

/* A signal for what still waits; it has its answer then. */
static void end_request(size_t r)
{
	if (requests[r] == 0)
		return;
	if (wire_answer(w, requests[r], NULL, 0, NULL) == WIRE_OPEN) {
		wire_interrupt(w, requests[r]);
		ck_assert_int_ne(wire_answer(w, requests[r], NULL, 0, NULL), WIRE_OPEN);
	}
	requests[r] = 0;
}

/* A read or a write, which may park; the one that had its place ends. */
static void start_request(void)
{
	size_t slot = roll(NR_OPEN), r = roll(NR_REQUESTS);
	uint64_t ino = open_files[slot].ino, fh = open_files[slot].fh;
	uint32_t flags = O_RDWR | (roll(6) == 0 ? O_NONBLOCK : 0);
	char text[512];
	size_t len = 0;

	if (fh == 0)
		return;
	end_request(r);
	if (roll(3) == 0) {
		requests[r] = wire_read(w, ino, fh, 100, flags);
		return;
	}
	for (unsigned int n = 1 + roll(4); n > 0; n--)
		len += any_command(text + len);
	requests[r] = wire_write(w, ino, fh, text, (uint32_t)len, flags);
}

static void collect(void)
{
	int fd;

	for (size_t r = 0; r < NR_REQUESTS; r++)
		if (requests[r] != 0 && wire_answer(w, requests[r], NULL, 0, NULL) != WIRE_OPEN)
			requests[r] = 0;
	while ((fd = accept(fds[0], NULL, NULL)) >= 0)
		close(fd);
}

START_TEST(any_order)
{
	seed = (unsigned int)_i * 7919 + 1;
	memset(open_files, 0, sizeof(open_files));
	memset(requests, 0, sizeof(requests));
	for (int i = 0; i < STEPS; i++) {
		unsigned int what = roll(16);

		if (what < 4)
			change_names();
		else if (what < 7)
			open_one();
		else if (what < 9)
			close_one();
		else if (what < 14)
			start_request();
		else if (what == 14)
			wire_turn(w);
		else
			collect();
	}
	for (size_t r = 0; r < NR_REQUESTS; r++)
		end_request(r);
	ck_assert_uint_eq(sockfs_session_parked(w->session), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("wire: control files in any order");
	TCase *t = tcase_create("random");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, any_order, 0, 5);
	suite_add_tcase(s, t);
	return unit_run(s);
}
