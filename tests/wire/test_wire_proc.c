/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tables of .proc: read in every way, parsed as the programs of /proc do.
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

#include "mm/slab.h"
#include "tests/unit/unit.h"
#include "wire.h"

#define ROOT FUSE_ROOT_ID
#define TCP4_LINE 150

static struct wire *w;
static uint64_t proc;

static void setup(void)
{
	struct fuse_entry_out e;

	w = wire_new();
	ck_assert_ptr_nonnull(w);
	ck_assert_int_eq(wire_lookup(w, ROOT, ".proc", &e), 0);
	proc = e.nodeid;
}

static void teardown(void)
{
	kmem_fault_after(-1);
	ck_assert_int_eq(wire_free(w), 0);
}

/* ---------------------------------------------------------------------- reading */

struct table {
	uint64_t ino, fh;
};

static uint64_t table_ino(const char *name)
{
	struct fuse_entry_out e;

	ck_assert_int_eq(wire_lookup(w, proc, name, &e), 0);
	return e.nodeid;
}

static int open_wait(uint64_t ino, struct fuse_open_out *ret)
{
	return wire_wait(w, wire_start_open(w, ino, O_RDONLY), ret, sizeof(*ret), NULL);
}

static struct table table_open(const char *name)
{
	uint64_t ino = table_ino(name);
	struct fuse_open_out o;

	ck_assert_int_eq(open_wait(ino, &o), 0);
	/* A position of its own: these are no streams. */
	ck_assert_uint_eq(o.open_flags, FOPEN_DIRECT_IO);
	return (struct table){ino, o.fh};
}

static size_t table_pread(struct table t, char *buf, uint32_t size, uint64_t offset)
{
	struct fuse_read_in in = {
		.fh = t.fh,
		.size = size,
		.offset = offset,
		.read_flags = FUSE_READ_LOCKOWNER,
	};
	size_t len = 0;

	ck_assert_int_eq(wire_call(w, FUSE_READ, t.ino, &in, sizeof(in), NULL, 0, buf, size, &len),
			 0);
	return len;
}

static void table_close(struct table t)
{
	ck_assert_int_eq(wire_release(w, t.ino, t.fh), 0);
}

/* All of it, in pieces of @size bytes; free(3) it. */
static char *table_text(struct table t, uint32_t size)
{
	size_t len = 0, room = size + 1, n;
	char *text = malloc(room);

	while ((n = table_pread(t, text + len, size, len)) > 0) {
		len += n;
		if (room - len <= size)
			text = realloc(text, room += room + size);
	}
	text[len] = '\0';
	return text;
}

static char *table_read(const char *name)
{
	struct table t = table_open(name);
	char *text = table_text(t, 4096);

	table_close(t);
	return text;
}

static size_t count_lines(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += *text == '\n';
	return n;
}

static void make_files(int from, int to)
{
	struct fuse_entry_out e;
	char name[16];

	for (int i = from; i < to; i++) {
		sprintf(name, "f%d", i);
		ck_assert_int_eq(wire_mknod(w, ROOT, name, S_IFREG | 0644, &e), 0);
		wire_forget(w, e.nodeid, 1);
	}
}

START_TEST(names_and_modes)
{
	static const char *const names[] = {"limits", "memory", "slabinfo", "sockstat", "tcp", "tcp6",
					   "udp", "udp6", "unix", "version"};
	struct fuse_entry_out e, other;
	struct fuse_open_out o;
	char *text;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		ck_assert_int_eq(wire_lookup(w, proc, names[i], &e), 0);
		ck_assert_uint_eq(e.attr.mode, S_IFREG | 0444);
		ck_assert_uint_eq(e.attr.size, 1 << 20);
		ck_assert_uint_eq(e.attr_valid, 0);
		ck_assert_int_eq(wire_open(w, e.nodeid, O_WRONLY, &o), -EPERM);
		ck_assert_int_eq(wire_open(w, e.nodeid, O_RDWR | O_TRUNC, &o), -EPERM);
		ck_assert_int_eq(wire_unlink(w, proc, names[i]), -EPERM);
		ck_assert_int_eq(wire_rename(w, proc, names[i], ROOT, "x", 0), -EPERM);
		ck_assert_int_eq(wire_rename(w, proc, names[i], proc, "x", 0), -EPERM);
		ck_assert_int_eq(wire_link(w, e.nodeid, ROOT, "x", &other), -EPERM);
		text = table_read(names[i]);
		ck_assert_uint_ge(count_lines(text), 1);
		ck_assert_int_eq(text[strlen(text) - 1], '\n');
		free(text);
	}
	ck_assert_int_eq(wire_lookup(w, proc, "raw", &e), -ENOENT);
	ck_assert_int_eq(wire_mknod(w, proc, "raw", S_IFREG | 0644, &e), -ENOENT);
	ck_assert_int_eq(wire_mkdir(w, proc, "net", 0755, &e), -EPERM);
	ck_assert_int_eq(wire_rmdir(w, ROOT, ".proc"), -EPERM);
}
END_TEST

START_TEST(the_end_is_where_reading_ends)
{
	struct fuse_entry_out e;
	struct table t = table_open("tcp"), later;

	ck_assert_int_eq(wire_size(w, t.ino, t.fh), TCP4_LINE);
	make_files(0, 10000);
	later = table_open("tcp");
	ck_assert_int_eq(wire_size(w, t.ino, t.fh), TCP4_LINE);
	ck_assert_int_eq(wire_size(w, later.ino, later.fh), 10001 * TCP4_LINE);
	ck_assert_int_eq(wire_size(w, t.ino, later.fh + 1), -EBADF);
	/* Some read no more than the size. */
	ck_assert_int_eq(wire_lookup(w, proc, "tcp", &e), 0);
	ck_assert_uint_eq(e.attr.size, 4 << 20);
	ck_assert_uint_eq(e.attr.blksize, 4 << 20);
	ck_assert_uint_eq(e.attr.blocks, (4 << 20) / 512);
	ck_assert_int_eq(wire_read_page(w, t.ino, t.fh, 0), -EINVAL);
	table_close(t);
	table_close(later);
}
END_TEST

START_TEST(a_snapshot_stays_as_it_was)
{
	struct table t;
	char *before, *after, c[2];
	size_t len;

	make_files(0, 100);
	t = table_open("tcp");
	ck_assert_uint_eq(table_pread(t, c, 1, 0), 1);
	make_files(100, 200);
	for (int i = 0; i < 50; i++) {
		char name[16];

		sprintf(name, "f%d", i);
		ck_assert_int_eq(wire_unlink(w, ROOT, name), 0);
	}
	before = table_text(t, 4096);
	ck_assert_uint_eq(count_lines(before), 101);
	len = strlen(before);
	ck_assert_uint_eq(len, 101 * TCP4_LINE);
	/* In any pieces, at any place. */
	after = table_text(t, 1);
	ck_assert_str_eq(before, after);
	free(after);
	after = table_text(t, 7);
	ck_assert_str_eq(before, after);
	free(after);
	ck_assert_uint_eq(table_pread(t, c, 1, len - 1), 1);
	ck_assert_int_eq(c[0], '\n');
	ck_assert_uint_eq(table_pread(t, c, 2, len - 1), 1);
	ck_assert_uint_eq(table_pread(t, c, 1, len), 0);
	ck_assert_uint_eq(table_pread(t, c, 1, INT64_MAX), 0);
	table_close(t);
	free(before);
	before = table_read("tcp");
	ck_assert_uint_eq(count_lines(before), 151);
	free(before);
}
END_TEST

START_TEST(a_hundred_thousand_sockets)
{
	/* valgrind would take minutes for all of them. */
	const char *preload = getenv("LD_PRELOAD");
	bool slow = preload != NULL && strstr(preload, "/vgpreload_") != NULL;
	const unsigned int n = slow ? 2000 : 100000;
	char line[TCP4_LINE + 1] = "", want[64], *text;
	struct table t;

	make_files(0, (int)n);
	t = table_open("tcp");
	/* Byte by byte, for a part. */
	for (uint64_t i = 0; i < TCP4_LINE; i++)
		ck_assert_uint_eq(table_pread(t, line + i, 1, (uint64_t)TCP4_LINE * n + i), 1);
	sprintf(want, "%4u: 00000000:0000 00000000:0000 07 ", n - 1);
	ck_assert_int_eq(strncmp(line, want, strlen(want)), 0);
	text = table_text(t, 1 << 20);
	ck_assert_uint_eq(strlen(text), (size_t)TCP4_LINE * (n + 1));
	ck_assert_str_eq(text + (size_t)TCP4_LINE * n, line);
	table_close(t);
	free(text);
	text = table_read("sockstat");
	sprintf(want, "sockets: used %u\n", n);
	ck_assert_int_eq(strncmp(text, want, strlen(want)), 0);
	free(text);
}
END_TEST

START_TEST(out_of_memory)
{
	uint64_t ino = table_ino("tcp");
	struct fuse_open_out o;
	int n = 0, err;

	make_files(0, 1000);
	do {
		kmem_fault_after(++n);
		err = open_wait(ino, &o);
		ck_assert(err == 0 || err == -ENOMEM);
	} while (err != 0);
	kmem_fault_after(-1);
	/* The file, its request, the text and its growing. */
	ck_assert_int_gt(n, 6);
	ck_assert_int_eq(wire_release(w, ino, o.fh), 0);
	ck_assert_uint_eq(w->sb.s_files.count, 0);
}
END_TEST

/* A long table is made in pieces; its open waits, and nobody else. */
START_TEST(others_go_on_meanwhile)
{
	uint64_t ino = table_ino("tcp"), u[2];
	struct fuse_entry_out e;
	struct table t = {.ino = ino};
	struct fuse_open_out o;
	char *text;

	make_files(0, 5000);
	u[0] = wire_start_open(w, ino, O_RDONLY);
	u[1] = wire_start_open(w, ino, O_RDONLY);
	ck_assert_int_eq(wire_answer(w, u[0], NULL, 0, NULL), WIRE_OPEN);
	ck_assert_int_eq(wire_answer(w, u[1], NULL, 0, NULL), WIRE_OPEN);
	ck_assert_int_eq(wire_getattr(w, ino, NULL), 0);
	/* What comes and goes is in it or not; what stays is in it, once. */
	ck_assert_int_eq(wire_mknod(w, ROOT, "new", S_IFREG | 0644, &e), 0);
	ck_assert_int_eq(wire_unlink(w, ROOT, "f4999"), 0);
	wire_interrupt(w, u[1]);
	ck_assert_int_eq(wire_answer(w, u[1], NULL, 0, NULL), -EINTR);
	ck_assert_int_eq(wire_wait(w, u[0], &o, sizeof(o), NULL), 0);
	t.fh = o.fh;
	text = table_text(t, 1 << 20);
	ck_assert_uint_ge(count_lines(text), 1 + 4999);
	ck_assert_uint_le(count_lines(text), 1 + 5001);
	free(text);
	table_close(t);
	ck_assert_uint_eq(w->sb.s_files.count, 0);
}
END_TEST

START_TEST(stop_while_a_table_is_made)
{
	uint64_t u;

	make_files(0, 5000);
	u = wire_start_open(w, table_ino("tcp"), O_RDONLY);
	ck_assert_int_eq(wire_answer(w, u, NULL, 0, NULL), WIRE_OPEN);
	wire_stop(w);
	ck_assert_int_eq(wire_answer(w, u, NULL, 0, NULL), -ESHUTDOWN);
}
END_TEST

/* ---------------------------------------------------------------------- columns */

struct tcp_line {
	char local[40], remote[40];
	unsigned int local_port, remote_port, state;
	unsigned long tx, rx, inode;
	unsigned int uid;
	int retransmits;
};

/* As netstat (net-tools) reads a line. */
static bool parse_tcp(const char *line, struct tcp_line *ret)
{
	unsigned long timer_len, timeout;
	unsigned int timer;
	int nr;

	return sscanf(line,
		      "%d: %39[0-9A-Fa-f]:%X %39[0-9A-Fa-f]:%X %X %lX:%lX %X:%lX %X %u %lu %lu %*s\n",
		      &nr, ret->local, &ret->local_port, ret->remote, &ret->remote_port,
		      &ret->state, &ret->tx, &ret->rx, &timer, &timer_len,
		      (unsigned int *)&ret->retransmits, &ret->uid, &timeout, &ret->inode) == 14;
}

/* The line of the file with that number; false if there is none. */
static bool find_tcp(const char *table, uint64_t ino, struct tcp_line *ret)
{
	char *text = table_read(table), *save = NULL, *line;
	bool found = false;

	for (line = strtok_r(text, "\n", &save); line != NULL && !found;
	     line = strtok_r(NULL, "\n", &save))
		found = parse_tcp(line, ret) && ret->inode == ino;
	free(text);
	return found;
}

struct end {
	uint64_t nodeid, ino, fh;
	struct sockfs_addr addr; /* its own */
};

static struct end make_file(const char *name)
{
	struct fuse_entry_out e;
	struct fuse_open_out o;

	ck_assert_int_eq(wire_create(w, ROOT, name, O_RDWR, 0644, &e, &o), 0);
	return (struct end){.nodeid = e.nodeid, .ino = e.attr.ino, .fh = o.fh};
}

static struct end make_listener(const char *name, const char *host)
{
	struct end l = make_file(name);
	struct sockfs_addr addr = {.port = "0"};
	int32_t backlog = 0;

	strcpy(addr.host, host);
	ck_assert_int_eq(wire_ioctl(w, l.nodeid, l.fh, SOCKFS_IOC_BIND, &addr), 0);
	ck_assert_int_eq(wire_ioctl(w, l.nodeid, l.fh, SOCKFS_IOC_LISTEN, &backlog), 0);
	ck_assert_int_eq(wire_ioctl(w, l.nodeid, l.fh, SOCKFS_IOC_GETSOCKNAME, &l.addr), 0);
	return l;
}

static bool parses(const char *table, struct end *e)
{
	struct tcp_line l;

	return find_tcp(table, e->ino, &l);
}

START_TEST(tcp_has_the_columns_of_the_kernel)
{
	struct end l, c, a;
	struct sockfs_accept acc;
	struct fuse_entry_out e;
	struct tcp_line line;
	unsigned int port;

	w->uid = 1234;
	l = make_listener("srv", "127.0.0.1");
	w->uid = 0;
	c = make_file("c");
	ck_assert(find_tcp("tcp", c.ino, &line));
	ck_assert_uint_eq(line.state, 7);
	port = (unsigned int)atoi(l.addr.port);
	ck_assert_int_eq(wire_ioctl(w, c.nodeid, c.fh, SOCKFS_IOC_CONNECT, &l.addr), 0);
	ck_assert(find_tcp("tcp", l.ino, &line));
	ck_assert_str_eq(line.local, "0100007F");
	ck_assert_str_eq(line.remote, "00000000");
	ck_assert_uint_eq(line.local_port, port);
	ck_assert_uint_eq(line.state, 10);
	ck_assert_uint_eq(line.rx, 1);
	ck_assert_uint_eq(line.uid, 1234);
	ck_assert_int_eq(wire_ioctl(w, l.nodeid, l.fh, SOCKFS_IOC_ACCEPT, &acc), 0);
	ck_assert_int_eq(wire_answer(w, wire_write(w, c.nodeid, c.fh, "12345", 5, O_RDWR), NULL, 0,
				     NULL), 0);
	ck_assert(find_tcp("tcp", c.ino, &line));
	ck_assert_uint_eq(line.state, 1);
	ck_assert_uint_eq(line.remote_port, port);
	ck_assert_int_eq(wire_lookup(w, ROOT, acc.name, &e), 0);
	a.ino = e.attr.ino;
	ck_assert(find_tcp("tcp", a.ino, &line));
	ck_assert_uint_eq(line.local_port, port);
	ck_assert_uint_eq(line.rx, 5);
	ck_assert(!parses("tcp6", &a));
}
END_TEST

/* A connection that nobody answers: to a queue that is full. */
START_TEST(a_dial_says_where_to)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int full = socket(AF_INET, SOCK_STREAM, 0), filler[2];
	struct sockfs_addr addr = {.host = "127.0.0.1"};
	struct end c = make_file("c");
	struct tcp_line line;
	socklen_t len = sizeof(sa);
	uint64_t u;

	ck_assert_int_eq(bind(full, (void *)&sa, sizeof(sa)), 0);
	ck_assert_int_eq(listen(full, 0), 0);
	ck_assert_int_eq(getsockname(full, (void *)&sa, &len), 0);
	for (int i = 0; i < 2; i++) {
		filler[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(filler[i], (void *)&sa, sizeof(sa));
	}
	sprintf(addr.port, "%u", ntohs(sa.sin_port));
	u = wire_start_ioctl(w, c.nodeid, c.fh, SOCKFS_IOC_CONNECT, &addr);
	ck_assert_int_eq(wire_answer(w, u, NULL, 0, NULL), WIRE_OPEN);
	ck_assert(find_tcp("tcp", c.ino, &line));
	ck_assert_uint_eq(line.state, 2);
	ck_assert_str_eq(line.remote, "0100007F");
	ck_assert_uint_eq(line.remote_port, ntohs(sa.sin_port));
	wire_interrupt(w, u);
	ck_assert_int_eq(wire_answer(w, u, NULL, 0, NULL), -EINTR);
	close(filler[0]);
	close(filler[1]);
	close(full);
}
END_TEST

START_TEST(ipv6_sockets_are_in_tcp6)
{
	int six = socket(AF_INET6, SOCK_STREAM, 0);
	struct sockaddr_in6 lo = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	bool has_ipv6 = six >= 0 && bind(six, (void *)&lo, sizeof(lo)) == 0;
	struct end l;
	struct tcp_line line;

	close(six);
	if (!has_ipv6)
		return;
	l = make_listener("srv", "::1");
	ck_assert(find_tcp("tcp6", l.ino, &line));
	ck_assert_str_eq(line.local, "00000000000000000000000001000000");
	ck_assert_uint_eq(line.local_port, (unsigned int)atoi(l.addr.port));
	ck_assert_uint_eq(line.state, 10);
	ck_assert(!parses("tcp", &l));
}
END_TEST

/* As slabtop (procps) reads it; vmstat -m wants the first five numbers. */
START_TEST(slabinfo_is_version_2_1)
{
	char *text = table_read("slabinfo"), *save = NULL;
	const char *line = strtok_r(text, "\n", &save);
	bool seen = false;
	int major, minor;

	ck_assert_int_eq(sscanf(line, "slabinfo - version: %d.%d", &major, &minor), 2);
	ck_assert_int_eq(major, 2);
	ck_assert_int_eq(minor, 1);
	line = strtok_r(NULL, "\n", &save);
	ck_assert_int_eq(strncmp(line, "# name ", 7), 0);
	while ((line = strtok_r(NULL, "\n", &save)) != NULL) {
		unsigned int active, num, size, per_slab, pages, slabs_active, slabs;
		char name[128];

		ck_assert_int_eq(sscanf(line,
					"%127s %u %u %u %u %u : tunables %*u %*u %*u : slabdata"
					" %u %u %*u",
					name, &active, &num, &size, &per_slab, &pages,
					&slabs_active, &slabs), 8);
		ck_assert_uint_le(active, num);
		ck_assert_uint_eq(num, per_slab * slabs);
		ck_assert_uint_le(per_slab * size, pages * 4096);
		seen |= strcmp(name, "sock_inode_cache") == 0;
	}
	ck_assert(seen);
	free(text);
}
END_TEST

START_TEST(sockstat_counts)
{
	unsigned int used, inuse, orphan, tw, alloc, mem;
	char *text;

	make_files(0, 3);
	make_listener("srv", "127.0.0.1");
	text = table_read("sockstat");
	ck_assert_int_eq(sscanf(text, "sockets: used %u\nTCP: inuse %u orphan %u tw %u alloc %u mem %u\n",
				&used, &inuse, &orphan, &tw, &alloc, &mem), 6);
	ck_assert_uint_eq(used, 4);
	ck_assert_uint_eq(inuse, 1);
	ck_assert_uint_eq(orphan, 0);
	ck_assert_uint_eq(tw, 0);
	ck_assert_uint_eq(alloc, 1);
	ck_assert_uint_ge(mem, 1);
	free(text);
}
END_TEST

static TCase *tests(void)
{
	TCase *t = tcase_create("proc");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, names_and_modes);
	tcase_add_test(t, the_end_is_where_reading_ends);
	tcase_add_test(t, a_snapshot_stays_as_it_was);
	tcase_add_test(t, a_hundred_thousand_sockets);
	tcase_add_test(t, out_of_memory);
	tcase_add_test(t, others_go_on_meanwhile);
	tcase_add_test(t, stop_while_a_table_is_made);
	tcase_add_test(t, tcp_has_the_columns_of_the_kernel);
	tcase_add_test(t, a_dial_says_where_to);
	tcase_add_test(t, ipv6_sockets_are_in_tcp6);
	tcase_add_test(t, slabinfo_is_version_2_1);
	tcase_add_test(t, sockstat_counts);
	return t;
}

int main(void)
{
	Suite *s = suite_create("wire: tables");

	suite_add_tcase(s, tests());
	return unit_run(s);
}
