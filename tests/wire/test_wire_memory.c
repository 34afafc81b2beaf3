/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is kept for users is counted and bounded: data of writes that wait.
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
#include <unistd.h>

#include "mm/vmstat.h"
#include "tests/unit/unit.h"
#include "wire.h"

#define ROOT FUSE_ROOT_ID
#define CHUNK (128u << 10)

/* Of one large write that waits: the buffer that it came in. */
#define LARGE ((1u << 20) + 4096)

static struct wire *w;

static void setup(void)
{
	w = wire_new();
	ck_assert_ptr_nonnull(w);
}

static void teardown(void)
{
	ck_assert_int_eq(wire_free(w), 0);
	for (enum vm_item i = 0; i < NR_VM_ITEMS; i++) {
		ck_assert_uint_eq(vm_stat(i)->objects, 0);
		ck_assert_uint_eq(vm_stat(i)->bytes, 0);
		vm_set_max(i, 0);
	}
}

static int plain_listener(int backlog, struct sockaddr_in *ret_sa)
{
	socklen_t len = sizeof(*ret_sa);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*ret_sa = (struct sockaddr_in){.sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	ck_assert_int_eq(bind(fd, (void *)ret_sa, sizeof(*ret_sa)), 0);
	ck_assert_int_eq(listen(fd, backlog), 0);
	ck_assert_int_eq(getsockname(fd, (void *)ret_sa, &len), 0);
	return fd;
}

/* ------------------------------------------------------------- writes that wait */

/* A connected file, and a write to it that waits behind @sent bytes. */
struct writer {
	uint64_t ino, fh, u;
	size_t sent, got;
	int peer;
	bool bad;
};

static void pattern(unsigned char *p, size_t len, size_t at)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (unsigned char)((at + i) * 31 + ((at + i) >> 8));
}

static struct writer start_writer(const char *name, size_t chunk)
{
	struct writer wr = {.peer = -1};
	struct sockfs_addr addr = {.host = "127.0.0.1"};
	struct fuse_write_out out;
	struct fuse_entry_out entry;
	struct fuse_open_out o;
	struct sockaddr_in sa;
	unsigned char *data = malloc(chunk);
	int err = 0, fd = plain_listener(1, &sa);

	sprintf(addr.port, "%u", ntohs(sa.sin_port));
	ck_assert_int_eq(wire_create(w, ROOT, name, O_RDWR, 0644, &entry, &o), 0);
	wr.ino = entry.nodeid;
	wr.fh = o.fh;
	ck_assert_int_eq(wire_ioctl(w, wr.ino, wr.fh, SOCKFS_IOC_CONNECT, &addr), 0);
	wr.peer = accept(fd, NULL, NULL);
	ck_assert_int_ge(wr.peer, 0);
	close(fd);
	for (;;) {
		pattern(data, chunk, wr.sent);
		wr.u = wire_write(w, wr.ino, wr.fh, data, (uint32_t)chunk, O_RDWR);
		err = wire_answer(w, wr.u, &out, sizeof(out), NULL);
		if (err != 0)
			break;
		wr.sent += out.size;
	}
	ck_assert_int_eq(err, WIRE_OPEN);
	free(data);
	return wr;
}

static bool is_answered(void *arg)
{
	struct writer *wr = arg;
	unsigned char buf[65536], want[65536];
	ssize_t n;

	while ((n = recv(wr->peer, buf, sizeof(buf), MSG_DONTWAIT)) > 0) {
		pattern(want, (size_t)n, wr->got);
		wr->bad |= memcmp(buf, want, (size_t)n) != 0;
		wr->got += (size_t)n;
	}
	return sockfs_session_parked(w->session) == 0 && wr->got >= wr->sent;
}

/* Another write of the same stream, from @at on. It stands behind the first: all of it waits. */
static uint64_t write_behind(struct writer *wr, size_t at, size_t chunk)
{
	unsigned char *data = malloc(chunk);
	uint64_t u;

	pattern(data, chunk, at);
	u = wire_write(w, wr->ino, wr->fh, data, (uint32_t)chunk, O_RDWR);
	free(data);
	ck_assert_int_eq(wire_answer(w, u, NULL, 0, NULL), WIRE_OPEN);
	return u;
}

/* What a write has answered; its bytes are to come. */
static size_t answered(struct writer *wr, uint64_t u)
{
	struct fuse_write_out out = {0};

	ck_assert_int_eq(wire_wait(w, u, &out, sizeof(out), NULL), 0);
	wr->sent += out.size;
	return out.size;
}

static uint64_t parked_bytes(void)
{
	return vm_stat(VM_PARKED)->bytes;
}

/* @chunk bytes cost @cost to keep; beyond the bound only the beginning is kept. */
static void check_bound(size_t chunk, size_t cost)
{
	struct writer wr = start_writer("f", chunk);
	uint64_t first = parked_bytes(), whole, cut;
	size_t kept;

	whole = write_behind(&wr, wr.sent + chunk, chunk);
	ck_assert_uint_eq(parked_bytes(), first + cost);
	vm_set_max(VM_PARKED, first + cost);
	cut = write_behind(&wr, wr.sent + 2 * chunk, chunk);
	ck_assert_uint_eq(parked_bytes(), first + cost);
	/* Not an error, and no byte is lost: the caller's loop brings the rest again. */
	ck_assert(wire_until(w, is_answered, &wr));
	ck_assert_uint_eq(answered(&wr, wr.u), chunk);
	ck_assert_uint_eq(answered(&wr, whole), chunk);
	kept = answered(&wr, cut);
	ck_assert_uint_gt(kept, 0);
	ck_assert_uint_le(kept, 512);
	ck_assert_uint_eq(parked_bytes(), 0);
	ck_assert(wire_until(w, is_answered, &wr));
	ck_assert_uint_eq(wr.got, wr.sent);
	ck_assert(!wr.bad);
	close(wr.peer);
}

START_TEST(beyond_the_bound_a_large_write_is_short)
{
	check_bound(CHUNK, LARGE);
}
END_TEST

START_TEST(beyond_the_bound_a_small_write_is_short)
{
	check_bound(1000, 1000);
}
END_TEST

START_TEST(a_tiny_write_needs_no_memory)
{
	struct writer wr = start_writer("f", 500);

	vm_set_max(VM_PARKED, 1);
	wr.sent += 500;
	wr.u = write_behind(&wr, wr.sent, 500);
	ck_assert_uint_eq(parked_bytes(), 0);
	ck_assert(wire_until(w, is_answered, &wr));
	ck_assert_uint_eq(answered(&wr, wr.u), 500);
	ck_assert(wire_until(w, is_answered, &wr));
	ck_assert(!wr.bad);
	close(wr.peer);
}
END_TEST

/* What is interrupted is given back. */
START_TEST(an_interrupted_write_is_not_kept)
{
	struct writer wr = start_writer("f", CHUNK);
	uint64_t first = parked_bytes();
	uint64_t u = write_behind(&wr, 0, CHUNK);

	ck_assert_uint_eq(vm_stat(VM_PARKED)->bytes, first + LARGE);
	wire_interrupt(w, u);
	ck_assert_int_eq(wire_answer(w, u, NULL, 0, NULL), -EINTR);
	ck_assert_uint_eq(parked_bytes(), first);
	close(wr.peer);
}
END_TEST

/* Half a command is another one. */
START_TEST(commands_are_not_cut)
{
	struct fuse_entry_out e;
	struct fuse_open_out o;
	struct sockaddr_in sa;
	int full = plain_listener(0, &sa), filler[2];
	char text[1000];

	for (int i = 0; i < 2; i++) {
		filler[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		(void)connect(filler[i], (void *)&sa, sizeof(sa));
	}
	memset(text, '\n', sizeof(text));
	text[sprintf(text, "connect 127.0.0.1:%u\n", ntohs(sa.sin_port))] = '\n';
	ck_assert_int_eq(wire_mknod(w, ROOT, "f", S_IFREG | 0644, &e), 0);
	ck_assert_int_eq(wire_lookup(w, ROOT, ".ctl", &e), 0);
	ck_assert_int_eq(wire_lookup(w, e.nodeid, "f", &e), 0);
	ck_assert_int_eq(wire_open(w, e.nodeid, O_WRONLY, &o), 0);
	vm_set_max(VM_PARKED, 500);
	ck_assert_int_eq(wire_answer(w, wire_write(w, e.nodeid, o.fh, text, sizeof(text), O_WRONLY),
				     NULL, 0, NULL), -ENOBUFS);
	vm_set_max(VM_PARKED, 0);
	close(full);
	close(filler[0]);
	close(filler[1]);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("wire: memory");
	TCase *t = tcase_create("parked");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, beyond_the_bound_a_large_write_is_short);
	tcase_add_test(t, beyond_the_bound_a_small_write_is_short);
	tcase_add_test(t, a_tiny_write_needs_no_memory);
	tcase_add_test(t, an_interrupted_write_is_not_kept);
	tcase_add_test(t, commands_are_not_cut);
	suite_add_tcase(s, t);
	return unit_run(s);
}
