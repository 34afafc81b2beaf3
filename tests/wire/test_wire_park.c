/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests that wait: every way in which they end, on real TCP over loopback.
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
#define CHUNK (128u << 10)

static struct wire *w;

/* A socket file that is open, and the other end of its connection. */
struct end {
	uint64_t ino, fh;
	int peer;
};

static void setup(void)
{
	w = wire_new();
	ck_assert_ptr_nonnull(w);
}

static void teardown(void)
{
	ck_assert_int_eq(wire_free(w), 0);
}

static int answer(uint64_t unique)
{
	return wire_answer(w, unique, NULL, 0, NULL);
}

static struct end make_file(const char *name)
{
	struct end e = {.peer = -1};
	struct fuse_entry_out entry;
	struct fuse_open_out o;

	ck_assert_int_eq(wire_create(w, ROOT, name, O_RDWR, 0644, &entry, &o), 0);
	e.ino = entry.nodeid;
	e.fh = o.fh;
	return e;
}

/* A plain listening socket on a port of the kernel's choice. */
static int plain_listener(struct sockfs_addr *ret_addr)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(sa);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (void *)&sa, sizeof(sa)), 0);
	ck_assert_int_eq(listen(fd, 16), 0);
	ck_assert_int_eq(getsockname(fd, (void *)&sa, &len), 0);
	memset(ret_addr, 0, sizeof(*ret_addr));
	strcpy(ret_addr->host, "127.0.0.1");
	snprintf(ret_addr->port, sizeof(ret_addr->port), "%u", ntohs(sa.sin_port));
	return fd;
}

static struct end make_connected(const char *name)
{
	struct end e = make_file(name);
	struct sockfs_addr addr;
	int fd = plain_listener(&addr);

	ck_assert_int_eq(wire_ioctl(w, e.ino, e.fh, SOCKFS_IOC_CONNECT, &addr), 0);
	e.peer = accept(fd, NULL, NULL);
	ck_assert_int_ge(e.peer, 0);
	close(fd);
	return e;
}

static struct end make_listener(const char *name, struct sockaddr_in *ret_sa)
{
	struct end e = make_file(name);
	struct sockfs_addr addr = {.host = "127.0.0.1", .port = "0"};
	int32_t backlog = 0;

	ck_assert_int_eq(wire_ioctl(w, e.ino, e.fh, SOCKFS_IOC_BIND, &addr), 0);
	ck_assert_int_eq(wire_ioctl(w, e.ino, e.fh, SOCKFS_IOC_LISTEN, &backlog), 0);
	ck_assert_int_eq(wire_ioctl(w, e.ino, e.fh, SOCKFS_IOC_GETSOCKNAME, &addr), 0);
	*ret_sa = (struct sockaddr_in){.sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				       .sin_port = htons((uint16_t)atoi(addr.port))};
	return e;
}

static int dial(const struct sockaddr_in *sa)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(connect(fd, (const void *)sa, sizeof(*sa)), 0);
	return fd;
}

/* ------------------------------------------------------------------------ reads */

START_TEST(read_waits_for_data)
{
	struct end e = make_connected("f");
	char buf[16] = "";
	size_t len = 0;
	uint64_t u = wire_read(w, e.ino, e.fh, sizeof(buf), O_RDWR);

	ck_assert_int_eq(answer(u), WIRE_OPEN);
	ck_assert_uint_eq(sockfs_session_parked(w->session), 1);
	ck_assert_int_eq(write(e.peer, "hello", 5), 5);
	ck_assert_int_eq(wire_wait(w, u, buf, sizeof(buf), &len), 0);
	ck_assert_uint_eq(len, 5);
	ck_assert_mem_eq(buf, "hello", 5);
	ck_assert_uint_eq(sockfs_session_parked(w->session), 0);
	close(e.peer);
	ck_assert_int_eq(wire_wait(w, wire_read(w, e.ino, e.fh, 16, O_RDWR), buf, 16, &len), 0);
	ck_assert_uint_eq(len, 0);
}
END_TEST

START_TEST(nonblock_is_taken_from_each_request)
{
	struct end e = make_connected("f");
	uint64_t u;

	ck_assert_int_eq(answer(wire_read(w, e.ino, e.fh, 16, O_RDWR | O_NONBLOCK)), -EAGAIN);
	u = wire_read(w, e.ino, e.fh, 16, O_RDWR);
	ck_assert_int_eq(answer(u), WIRE_OPEN);
	wire_interrupt(w, u);
	ck_assert_int_eq(answer(u), -EINTR);
	close(e.peer);
}
END_TEST

START_TEST(interrupt_after_parking)
{
	struct end e = make_connected("f");
	char buf[16];
	size_t len = 0;
	uint64_t u = wire_read(w, e.ino, e.fh, sizeof(buf), O_RDWR);

	wire_interrupt(w, u);
	ck_assert_int_eq(answer(u), -EINTR);
	wire_interrupt(w, u); /* of one that is answered: nothing to do */
	ck_assert_int_eq(write(e.peer, "kept", 4), 4);
	u = wire_read(w, e.ino, e.fh, sizeof(buf), O_RDWR);
	ck_assert_int_eq(wire_wait(w, u, buf, sizeof(buf), &len), 0);
	ck_assert_uint_eq(len, 4);
	close(e.peer);
}
END_TEST

START_TEST(interrupt_before_the_request)
{
	struct end e = make_connected("f");
	struct fuse_read_in in = {
		.fh = e.fh,
		.size = 16,
		.flags = O_RDWR,
		.read_flags = FUSE_READ_LOCKOWNER,
	};

	w->unique += 2;
	wire_interrupt(w, w->unique);
	wire_send_as(w, w->unique, FUSE_READ, e.ino, &in, sizeof(in), NULL, 0, true);
	ck_assert_int_eq(answer(w->unique), -EINTR);
	ck_assert_uint_eq(sockfs_session_parked(w->session), 0);
	close(e.peer);
}
END_TEST

START_TEST(interrupt_hits_the_right_one)
{
	struct end e = make_connected("f");
	uint64_t u[5];
	char c;

	for (int i = 0; i < 5; i++)
		u[i] = wire_read(w, e.ino, e.fh, 1, O_RDWR);
	wire_interrupt(w, u[2]);
	ck_assert_int_eq(answer(u[2]), -EINTR);
	ck_assert_uint_eq(sockfs_session_parked(w->session), 4);
	ck_assert_int_eq(write(e.peer, "0134", 4), 4);
	for (int i = 0; i < 5; i++) {
		if (i == 2)
			continue;
		ck_assert_int_eq(wire_wait(w, u[i], &c, 1, NULL), 0);
		ck_assert_int_eq(c, '0' + i);
	}
	close(e.peer);
}
END_TEST

START_TEST(release_under_parked_reads)
{
	struct end e = make_connected("f");
	uint64_t a = wire_read(w, e.ino, e.fh, 1, O_RDWR);
	uint64_t b = wire_read(w, e.ino, e.fh, 1, O_RDWR);

	/* No kernel does this. The reads end, the file goes, nothing is left. */
	ck_assert_int_eq(wire_release(w, e.ino, e.fh), 0);
	ck_assert_int_eq(answer(a), -EINTR);
	ck_assert_int_eq(answer(b), -EINTR);
	ck_assert_uint_eq(w->sb.s_files.count, 0);
	ck_assert_int_eq(wire_unlink(w, ROOT, "f"), 0);
	wire_forget(w, e.ino, 1);
	ck_assert_int_eq(wire_getattr(w, e.ino, NULL), -ESTALE);
	close(e.peer);
}
END_TEST

/* A close ends nobody's call but those of the open file that it closes. */
START_TEST(release_of_another_open_file)
{
	struct end e = make_connected("f");
	struct fuse_open_out other;
	uint64_t u, v;
	char c = 0;

	ck_assert_int_eq(wire_open(w, e.ino, O_RDWR, &other), 0);
	u = wire_read(w, e.ino, e.fh, 1, O_RDWR);
	v = wire_read(w, e.ino, other.fh, 1, O_RDWR);
	ck_assert_int_eq(wire_release(w, e.ino, other.fh), 0);
	ck_assert_int_eq(answer(v), -EINTR);
	ck_assert_int_eq(answer(u), WIRE_OPEN);
	ck_assert_int_eq(write(e.peer, "x", 1), 1);
	ck_assert_int_eq(wire_wait(w, u, &c, 1, NULL), 0);
	ck_assert_int_eq(c, 'x');
	ck_assert_int_eq(wire_release(w, e.ino, e.fh), 0);
	close(e.peer);
}
END_TEST

START_TEST(unlink_and_forget_under_a_parked_read)
{
	struct end e = make_connected("f");
	char c = 0;
	uint64_t u = wire_read(w, e.ino, e.fh, 1, O_RDWR);

	ck_assert_int_eq(wire_unlink(w, ROOT, "f"), 0);
	wire_forget(w, e.ino, 1);
	ck_assert_int_eq(write(e.peer, "x", 1), 1);
	ck_assert_int_eq(wire_wait(w, u, &c, 1, NULL), 0);
	ck_assert_int_eq(c, 'x');
	ck_assert_int_eq(wire_release(w, e.ino, e.fh), 0);
	ck_assert_int_eq(wire_getattr(w, e.ino, NULL), -ESTALE);
	close(e.peer);
}
END_TEST

START_TEST(stop_ends_all_that_is_parked)
{
	struct end e = make_connected("f");
	struct sockaddr_in sa;
	struct end l = make_listener("srv", &sa);
	struct sockfs_accept out;
	uint64_t u[100], r, a;

	for (int i = 0; i < 100; i++)
		u[i] = wire_read(w, e.ino, e.fh, 16, O_RDWR);
	r = wire_read(w, l.ino, l.fh, 300, O_RDWR);
	a = wire_start_ioctl(w, l.ino, l.fh, SOCKFS_IOC_ACCEPT, &out);
	ck_assert_uint_eq(sockfs_session_parked(w->session), 102);
	wire_stop(w);
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(answer(u[i]), -ESHUTDOWN);
	ck_assert_int_eq(answer(r), -ESHUTDOWN);
	ck_assert_int_eq(answer(a), -ESHUTDOWN);
	ck_assert_uint_eq(sockfs_session_parked(w->session), 0);
	close(e.peer);
}
END_TEST

static bool has_ended(void *arg)
{
	(void)arg;
	return w->ended;
}

START_TEST(the_end_of_the_line_is_told)
{
	struct end e = make_connected("f");
	uint64_t u = wire_read(w, e.ino, e.fh, 16, O_RDWR);

	ck_assert_int_eq(answer(u), WIRE_OPEN);
	ck_assert_int_eq(shutdown(w->fd, SHUT_RDWR), 0);
	ck_assert(wire_until(w, has_ended, NULL));
	wire_stop(w);
	ck_assert_int_eq(answer(u), -ESHUTDOWN);
	close(e.peer);
}
END_TEST

/* --------------------------------------------------------------------- accepting */

START_TEST(read_of_a_listener_gives_the_name)
{
	struct sockaddr_in sa;
	struct end l = make_listener("srv", &sa);
	char line[300] = "";
	struct fuse_entry_out e;
	size_t len = 0;
	uint64_t u = wire_read(w, l.ino, l.fh, sizeof(line), O_RDWR);
	int fd;

	ck_assert_int_eq(answer(u), WIRE_OPEN);
	fd = dial(&sa);
	ck_assert_int_eq(wire_wait(w, u, line, sizeof(line), &len), 0);
	ck_assert_uint_eq(len, strlen("srv.1\n"));
	ck_assert_mem_eq(line, "srv.1\n", len);
	/* The kernel may have believed the directory's times for an hour. */
	ck_assert_uint_eq(w->last_inval, ROOT);
	ck_assert_int_eq(wire_lookup(w, ROOT, "srv.1", &e), 0);
	close(fd);
}
END_TEST

START_TEST(accept_by_ioctl)
{
	struct sockaddr_in sa;
	struct end l = make_listener("srv", &sa);
	struct {
		struct fuse_ioctl_out out;
		struct sockfs_accept accept;
	} reply;
	struct sockfs_accept in = {0};
	uint64_t u = wire_start_ioctl(w, l.ino, l.fh, SOCKFS_IOC_ACCEPT, &in);
	int fd;

	ck_assert_int_eq(answer(u), WIRE_OPEN);
	wire_interrupt(w, u);
	ck_assert_int_eq(answer(u), -EINTR);
	u = wire_start_ioctl(w, l.ino, l.fh, SOCKFS_IOC_ACCEPT, &in);
	fd = dial(&sa);
	memset(&reply, 0, sizeof(reply));
	ck_assert_int_eq(wire_wait(w, u, &reply, sizeof(reply), NULL), 0);
	ck_assert_str_eq(reply.accept.name, "srv.1");
	ck_assert_str_eq(reply.accept.peer.host, "127.0.0.1");
	close(fd);
}
END_TEST

/* ------------------------------------------------------------------------ writes */

static void pattern(unsigned char *p, size_t len, size_t at)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (unsigned char)((at + i) * 31 + ((at + i) >> 8));
}

/* Read @want bytes of pattern at the peer's end while the loop runs. */
struct drain {
	int fd;
	size_t got, want;
	bool bad;
};

static bool drained(void *arg)
{
	struct drain *d = arg;
	unsigned char buf[65536], should[65536];
	ssize_t n;

	while ((n = recv(d->fd, buf, sizeof(buf), MSG_DONTWAIT)) > 0) {
		pattern(should, (size_t)n, d->got);
		d->bad |= memcmp(buf, should, (size_t)n) != 0;
		d->got += (size_t)n;
	}
	return d->got >= d->want;
}

/* Write chunks of the pattern until one parks; its number, and bytes answered so far. */
static uint64_t write_until_parked(struct end *e, size_t chunk, size_t *ret_sent)
{
	unsigned char *data = malloc(chunk);
	struct fuse_write_out out;
	size_t sent = 0;
	uint64_t u;

	for (;;) {
		int err;

		pattern(data, chunk, sent);
		u = wire_write(w, e->ino, e->fh, data, (uint32_t)chunk, O_RDWR);
		err = wire_answer(w, u, &out, sizeof(out), NULL);
		if (err == WIRE_OPEN)
			break;
		ck_assert_int_eq(err, 0);
		sent += out.size;
	}
	free(data);
	*ret_sent = sent;
	return u;
}

static void check_parked_write(size_t chunk)
{
	struct end e = make_connected("f");
	struct fuse_write_out out = {0};
	unsigned char other[CHUNK];
	struct drain d = {.fd = e.peer};
	size_t sent;
	uint64_t u = write_until_parked(&e, chunk, &sent);

	/* What comes next must not overwrite what is still to be sent. */
	memset(other, 0xee, sizeof(other));
	ck_assert_int_eq(answer(wire_write(w, e.ino, 0, other, sizeof(other), O_RDWR)), -EBADF);
	d.want = sent + chunk;
	ck_assert(wire_until(w, drained, &d));
	ck_assert_int_eq(wire_wait(w, u, &out, sizeof(out), NULL), 0);
	ck_assert_uint_eq(out.size, chunk);
	ck_assert(!d.bad);
	close(e.peer);
}

START_TEST(large_write_waits_and_is_whole)
{
	check_parked_write(CHUNK);
}
END_TEST

START_TEST(small_write_waits_and_is_whole)
{
	check_parked_write(1000);
}
END_TEST

START_TEST(interrupted_write_says_how_much)
{
	struct end e = make_connected("f");
	struct fuse_write_out out = {0};
	struct drain d = {.fd = e.peer};
	size_t sent;
	uint64_t u = write_until_parked(&e, CHUNK, &sent);
	int err;

	wire_interrupt(w, u);
	err = wire_answer(w, u, &out, sizeof(out), NULL);
	ck_assert(err == -EINTR || (err == 0 && out.size > 0 && out.size < CHUNK));
	d.want = sent + out.size;
	ck_assert(wire_until(w, drained, &d));
	ck_assert_uint_eq(d.got, d.want);
	ck_assert(!d.bad);
	/* The file is closed: not a byte more may come. */
	ck_assert_int_eq(wire_release(w, e.ino, e.fh), 0);
	ck_assert_int_eq(wire_unlink(w, ROOT, "f"), 0);
	wire_forget(w, e.ino, 1);
	ck_assert_int_eq(recv(e.peer, &out, 1, 0), 0);
	close(e.peer);
}
END_TEST

START_TEST(many_parked_writes)
{
	struct end e = make_connected("f");
	unsigned char *data = malloc(CHUNK);
	struct drain d = {.fd = e.peer};
	uint64_t u[8];
	size_t sent;

	/* More than the session keeps buffers for. */
	u[0] = write_until_parked(&e, CHUNK, &sent);
	for (size_t i = 1; i < 8; i++) {
		pattern(data, CHUNK, sent + i * CHUNK);
		u[i] = wire_write(w, e.ino, e.fh, data, CHUNK, O_RDWR);
		ck_assert_int_eq(answer(u[i]), WIRE_OPEN);
	}
	d.want = sent + 8 * CHUNK;
	ck_assert(wire_until(w, drained, &d));
	for (size_t i = 0; i < 8; i++)
		ck_assert_int_eq(wire_wait(w, u[i], NULL, 0, NULL), 0);
	ck_assert(!d.bad);
	free(data);
	close(e.peer);
}
END_TEST

START_TEST(fsync_waits_for_the_peer)
{
	struct end e = make_connected("f");
	struct fuse_fsync_in in = {.fh = e.fh};
	struct drain d = {.fd = e.peer};
	size_t sent;
	uint64_t u = write_until_parked(&e, CHUNK, &sent);
	uint64_t s = wire_send(w, FUSE_FSYNC, e.ino, &in, sizeof(in), NULL, 0);

	ck_assert_int_eq(answer(s), WIRE_OPEN);
	wire_interrupt(w, s);
	ck_assert_int_eq(answer(s), -EINTR);
	s = wire_send(w, FUSE_FSYNC, e.ino, &in, sizeof(in), NULL, 0);
	d.want = sent + CHUNK;
	ck_assert(wire_until(w, drained, &d));
	ck_assert_int_eq(wire_wait(w, u, NULL, 0, NULL), 0);
	ck_assert_int_eq(wire_wait(w, s, NULL, 0, NULL), 0);
	close(e.peer);
}
END_TEST

static TCase *tests(void)
{
	TCase *t = tcase_create("park");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, read_waits_for_data);
	tcase_add_test(t, nonblock_is_taken_from_each_request);
	tcase_add_test(t, interrupt_after_parking);
	tcase_add_test(t, interrupt_before_the_request);
	tcase_add_test(t, interrupt_hits_the_right_one);
	tcase_add_test(t, release_under_parked_reads);
	tcase_add_test(t, release_of_another_open_file);
	tcase_add_test(t, unlink_and_forget_under_a_parked_read);
	tcase_add_test(t, stop_ends_all_that_is_parked);
	tcase_add_test(t, the_end_of_the_line_is_told);
	tcase_add_test(t, read_of_a_listener_gives_the_name);
	tcase_add_test(t, accept_by_ioctl);
	tcase_add_test(t, large_write_waits_and_is_whole);
	tcase_add_test(t, small_write_waits_and_is_whole);
	tcase_add_test(t, interrupted_write_says_how_much);
	tcase_add_test(t, many_parked_writes);
	tcase_add_test(t, fsync_waits_for_the_peer);
	return t;
}

int main(void)
{
	Suite *s = suite_create("wire: waiting");

	suite_add_tcase(s, tests());
	return unit_run(s);
}
