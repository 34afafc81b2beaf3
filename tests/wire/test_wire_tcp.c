/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What TCP brings with it: descriptors that run out, ends that come in every
 * order, and looking at a socket without touching it.
 */
#include "config.h"

#include <arpa/inet.h>
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "policy/policy.h"
#include "net/socket.h"
#include "tests/unit/unit.h"
#include "wire_net.h"

#define ROOT FUSE_ROOT_ID
#define CHUNK (128u << 10)

static struct wire *w;

static void setup(void)
{
	w = wire_new();
	ck_assert_ptr_nonnull(w);
}

static void teardown(void)
{
	ck_assert_int_eq(wire_free(w), 0);
}

/* No descriptor more, until restored. */
static struct rlimit no_descriptors(void)
{
	struct rlimit old, none;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = (struct rlimit){0, old.rlim_max};
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	return old;
}

/* ------------------------------------------------------------- out of descriptors */

/* Waiting for room takes a second descriptor. Who waits for it since before must hear. */
START_TEST(no_descriptor_for_a_write_that_waits_to_be_connected)
{
	static char data[CHUNK];
	struct end e = make_file(w, "f");
	struct fuse_write_out out = {0};
	struct sockfs_addr addr;
	struct rlimit old;
	int filler, fd = plain_listener(&addr);
	uint64_t c, u;
	int err;

	/* With its queue full nobody gets through, however long the two take to park. */
	ck_assert_int_eq(listen(fd, 0), 0);
	filler = dial(AF_INET, (unsigned int)atoi(addr.port));
	set_option(&e, SOL_SOCKET, SO_SNDBUF, 4096);
	c = wire_start_ioctl(w, e.ino, e.fh, SOCKFS_IOC_CONNECT, &addr);
	u = wire_write(w, e.ino, e.fh, data, sizeof(data), O_RDWR);
	ck_assert_uint_eq(sockfs_session_parked(w->session), 2);
	/* The kernel knocks again after a second. */
	close(accept(fd, NULL, NULL));
	old = no_descriptors();
	ck_assert_int_eq(wire_wait(w, c, NULL, 0, NULL), 0);
	err = wire_wait(w, u, &out, sizeof(out), NULL);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
	/* What the kernel took before it counts. */
	ck_assert_int_eq(err, 0);
	ck_assert_uint_gt(out.size, 0);
	ck_assert_uint_lt(out.size, sizeof(data));
	close(filler);
	close(fd);
}
END_TEST

/* -------------------------------------------------------------------- looking */

static void look_nowhere(const struct end *e)
{
	(void)e;
}

static void look_info(const struct end *e)
{
	struct sockfs_info info;

	ck_assert_int_eq(ioc(e, SOCKFS_IOC_INFO, &info), 0);
	ck_assert_uint_eq(info.state, SOCKFS_CLOSED);
}

/* Read the file @name of the root's directory @dir; a static buffer. */
static const char *read_file(const char *dir, const char *name)
{
	static char buf[8192];
	struct fuse_entry_out d, f;
	struct fuse_open_out o;
	size_t len = 0;

	ck_assert_int_eq(wire_lookup(w, ROOT, dir, &d), 0);
	ck_assert_int_eq(wire_lookup(w, d.nodeid, name, &f), 0);
	ck_assert_int_eq(wire_wait(w, wire_start_open(w, f.nodeid, O_RDONLY), &o, sizeof(o), NULL), 0);
	ck_assert_int_eq(wire_wait(w, wire_read(w, f.nodeid, o.fh, sizeof(buf) - 1, O_RDONLY), buf,
				   sizeof(buf) - 1, &len),
			 0);
	buf[len] = '\0';
	ck_assert_int_eq(wire_release(w, f.nodeid, o.fh), 0);
	return buf;
}

static void look_status(const struct end *e)
{
	(void)e;
	ck_assert_ptr_nonnull(strstr(read_file(".ctl", "f"), "\nstate closed\n"));
}

static void look_tables(const struct end *e)
{
	(void)e;
	ck_assert_uint_gt(strlen(read_file(".proc", "tcp")), 150);
	ck_assert_uint_gt(strlen(read_file(".proc", "sockstat")), 10);
}

static void look_xattr(const struct end *e)
{
	static const char name[] = "user.sockfs.state";
	struct fuse_getxattr_in in = {.size = 64};
	char value[64] = "";

	ck_assert_int_eq(wire_call(w, FUSE_GETXATTR, e->ino, &in, sizeof(in), name, sizeof(name),
				   value, sizeof(value), NULL),
			 0);
	ck_assert_str_eq(value, "closed");
}

static void look_rest(const struct end *e)
{
	struct sockfs_sockopt opt = {.level = IPPROTO_TCP, .name = 1};
	struct sockfs_addr addr;
	int32_t n;

	ck_assert_int_eq(wire_getattr(w, e->ino, NULL), 0);
	ck_assert_int_eq(ioc(e, SOCKFS_IOC_GETSOCKOPT, &opt), 0);
	ck_assert_int_eq(ioc(e, SOCKFS_IOC_GETSOCKNAME, &addr), 0);
	ck_assert_int_eq(ioc(e, SOCKFS_IOC_INQ, &n), 0);
	ck_assert_int_eq(ioc(e, SOCKFS_IOC_OUTQ, &n), 0);
	(void)ioc(e, SOCKFS_IOC_GETPEERNAME, &addr);
	ck_assert_int_eq(wire_wait(w, wire_poll(w, e->ino, e->fh, 0), NULL, 0, NULL), 0);
}

static void (*const looks[])(const struct end *e) = {
	look_nowhere, look_info, look_status, look_tables, look_xattr, look_rest,
};

/* What comes after a reset is the same, whether somebody looked meanwhile or not. */
START_TEST(looking_changes_nothing)
{
	struct end e = make_connected(w, "f");
	struct sockfs_addr addr;
	int fd = plain_listener(&addr);
	size_t len = 1;

	/* The error is kept for whoever reads. */
	reset_by_peer(&e);
	looks[_i](&e);
	ck_assert_int_eq(wire_wait(w, wire_read(w, e.ino, e.fh, 16, O_RDWR), NULL, 0, NULL),
			 -ECONNRESET);
	ck_assert_int_eq(wire_wait(w, wire_read(w, e.ino, e.fh, 16, O_RDWR), NULL, 0, &len), 0);
	ck_assert_uint_eq(len, 0);
	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_CONNECT, &addr), 0);
	/* What is over may be connected anew; what is not may not. */
	looks[0](&e);
	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_CONNECT, &addr), -EISCONN);
	e.peer = accept(fd, NULL, NULL);
	reset_by_peer(&e);
	looks[_i](&e);
	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_CONNECT, &addr), 0);
	close(fd);
}
END_TEST

/* Who waited on the old connection hears of its end, and does not wait on the new one. */
START_TEST(connect_anew_under_a_reader)
{
	struct end e = make_connected(w, "f");
	struct sockfs_addr addr;
	int fd = plain_listener(&addr);
	uint64_t r = wire_read(w, e.ino, e.fh, 16, O_RDWR), c;

	ck_assert_int_eq(wire_answer(w, r, NULL, 0, NULL), WIRE_OPEN);
	reset_by_peer(&e);
	c = wire_start_ioctl(w, e.ino, e.fh, SOCKFS_IOC_CONNECT, &addr);
	ck_assert_int_eq(wire_wait(w, c, NULL, 0, NULL), 0);
	ck_assert_int_eq(wire_wait(w, r, NULL, 0, NULL), -ECONNRESET);
	close(fd);
}
END_TEST

/* --------------------------------------------------------------------- options */

/* In place of the C library's, to see what the daemon asks of the kernel. */
static unsigned int nr_sockets, nr_accepts, lost_connections;

int socket(int domain, int type, int protocol)
{
	nr_sockets++;
	return (int)syscall(SYS_socket, domain, type, protocol);
}

int accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags)
{
	nr_accepts++;
	if (lost_connections > 0) {
		lost_connections--;
		errno = ECONNABORTED;
		return -1;
	}
	return (int)syscall(SYS_accept4, fd, addr, len, flags);
}

static unsigned int nr_descriptors(void)
{
	unsigned int n = 0;
	DIR *dir = opendir("/proc/self/fd");

	ck_assert_ptr_nonnull(dir);
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

/* The options of a socket that the kernel does not know yet are asked of one other. */
START_TEST(the_status_of_an_unconnected_socket)
{
	struct end e = make_file(w, "f");
	unsigned int before = nr_descriptors();

	for (int i = 0; i < 2; i++) {
		const char *text;

		nr_sockets = 0;
		text = read_file(".ctl", "f");
		ck_assert_uint_le(nr_sockets, 1);
		ck_assert_ptr_nonnull(strstr(text, "\nnodelay 1\n"));
		ck_assert_ptr_nonnull(strstr(text, i == 0 ? "\nkeepcnt 9\n" : "\nkeepcnt 7\n"));
		ck_assert_ptr_nonnull(strstr(text, i == 0 ? "\nttl 64\n" : "\nttl 33\n"));
		ck_assert_uint_eq(nr_descriptors(), before);
		set_option(&e, IPPROTO_TCP, TCP_KEEPCNT, 7);
		set_option(&e, IPPROTO_IP, IP_TTL, 33);
	}
	/* One alone, by ioctl. */
	ck_assert_int_eq(get_option(&e, IPPROTO_TCP, TCP_KEEPCNT), 7);
	ck_assert_uint_eq(nr_descriptors(), before);
}
END_TEST

/* What sockfs keeps itself, before and after there is anything to keep. */
START_TEST(options_of_our_own)
{
	static const int names[] = {SOCKFS_SO_CONNECT_TIMEOUT, SOCKFS_SO_RCVTIMEO,
				    SOCKFS_SO_SNDTIMEO, SOCKFS_SO_REAP};
	struct end e;
	int n = sizeof(names) / sizeof(names[0]);

	sock_default_connect_timeout = 90;
	e = make_file(w, "f");
	for (int i = 0; i < n; i++)
		ck_assert_int_eq(get_option(&e, SOL_SOCKFS, names[i]), i == 0 ? 90 : 0);
	for (int i = 0; i < n; i++)
		set_option(&e, SOL_SOCKFS, names[i], 10 + i);
	for (int i = 0; i < n; i++)
		ck_assert_int_eq(get_option(&e, SOL_SOCKFS, names[i]), 10 + i);
	sock_default_connect_timeout = 0;
}
END_TEST

/* ------------------------------------------------------------------- accepting */

/* Not every container has it. */
/* The options of a listener are those of what it accepts, of either family. */
START_TEST(options_of_accepted_connections)
{
	static const struct {
		int level, name, value;
	} set[] = {
		{IPPROTO_IP, IP_TOS, 0x20},
		{IPPROTO_IP, IP_TTL, 41},
		{IPPROTO_TCP, TCP_NODELAY, 0},
		{SOL_SOCKET, SO_KEEPALIVE, 1},
		{IPPROTO_TCP, TCP_KEEPIDLE, 77},
		{SOL_SOCKFS, SOCKFS_SO_CONNECT_TIMEOUT, 11},
		{SOL_SOCKFS, SOCKFS_SO_RCVTIMEO, 12},
		{SOL_SOCKFS, SOCKFS_SO_SNDTIMEO, 13},
	};
	static const int families[] = {AF_INET, AF_INET6};
	unsigned int port;
	struct end srv = make_listener(w, "", &port), f;
	int n = sizeof(set) / sizeof(set[0]);
	struct sockfs_accept a;
	struct sockfs_addr addr;
	int fd, listener;

	for (int i = 0; i < n; i++)
		set_option(&srv, set[i].level, set[i].name, set[i].value);
	fd = dial(families[_i], port);
	ck_assert_int_eq(ioc(&srv, SOCKFS_IOC_ACCEPT, &a), 0);
	f = open_file(w, a.name);
	for (int i = 0; i < n; i++)
		ck_assert_int_eq(get_option(&f, set[i].level, set[i].name), set[i].value);
	/* And on the way they can be changed. */
	set_option(&f, IPPROTO_IP, IP_TTL, 42);
	ck_assert_int_eq(get_option(&f, IPPROTO_IP, IP_TTL), 42);
	/* They outlive the connection: it dials with a descriptor of its own. */
	listener = plain_listener(&addr);
	ck_assert_int_eq(ioc(&f, SOCKFS_IOC_ABORT, NULL), 0);
	ck_assert_int_eq(ioc(&f, SOCKFS_IOC_CONNECT, &addr), 0);
	ck_assert_int_eq(get_option(&f, IPPROTO_IP, IP_TTL), 42);
	for (int i = 2; i < n; i++)
		ck_assert_int_eq(get_option(&f, set[i].level, set[i].name), set[i].value);
	close(listener);
	close(fd);
}
END_TEST

/* A connection that is lost before it is accepted is passed over; but not for ever. */
START_TEST(connections_that_are_lost)
{
	unsigned int port;
	struct end srv = make_listener(w, "127.0.0.1", &port);
	struct sockfs_accept a;
	int fd = dial(AF_INET, port);

	lost_connections = UINT_MAX;
	nr_accepts = 0;
	ck_assert_int_eq(ioc(&srv, SOCKFS_IOC_ACCEPT, &a), -ECONNABORTED);
	ck_assert_uint_gt(nr_accepts, 1);
	ck_assert_uint_lt(nr_accepts, 100);
	lost_connections = 3;
	ck_assert_int_eq(ioc(&srv, SOCKFS_IOC_ACCEPT, &a), 0);
	ck_assert_str_eq(a.name, "srv.1");
	close(fd);
}
END_TEST

/* ------------------------------------------------------------------------ policy */

/* The rules judge where the kernel goes from the address that the socket is bound to. */
START_TEST(rules_for_a_bound_socket)
{
	static const struct {
		const char *deny, *bound, *target;
		int want;
	} cases[] = {
		{"127.0.0.2", "127.0.0.2", "0.0.0.0", -EACCES},
		{"127.0.0.2", "127.0.0.2", "127.0.0.2", -EACCES},
		{"127.0.0.2", "127.0.0.3", "0.0.0.0", 0},
		{"127.0.0.1", "127.0.0.2", "0.0.0.0", 0},
		{"127.0.0.1", "", "0.0.0.0", -EACCES},
		{"127.0.0.2", "::ffff:127.0.0.2", "::ffff:0.0.0.0", -EACCES},
		{"127.0.0.1", "::ffff:127.0.0.2", "::", -EACCES},
		{"::1", "::ffff:127.0.0.2", "::", 0},
	};
	struct sockaddr_in sa = {.sin_family = AF_INET};
	socklen_t len = sizeof(sa);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(fd, (void *)&sa, sizeof(sa)), 0);
	ck_assert_int_eq(listen(fd, 16), 0);
	ck_assert_int_eq(getsockname(fd, (void *)&sa, &len), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sockfs_addr bound = {.port = "0"}, target = {.port = ""};
		struct end e;
		char name[16];
		int ret;

		snprintf(name, sizeof(name), "f%zu", i);
		e = make_file(w, name);
		strcpy(bound.host, cases[i].bound);
		strcpy(target.host, cases[i].target);
		snprintf(target.port, sizeof(target.port), "%u", ntohs(sa.sin_port));
		ck_assert_int_eq(policy_add(cases[i].deny, false), 0);
		if (bound.host[0] != '\0')
			ck_assert_int_eq(ioc(&e, SOCKFS_IOC_BIND, &bound), 0);
		ret = ioc(&e, SOCKFS_IOC_CONNECT, &target);
		policy_clear();
		ck_assert_msg(ret == cases[i].want, "case %zu: %d", i, ret);
	}
	close(fd);
}
END_TEST

/* ------------------------------------------------------------------- the table */

/* What stands behind the pointer, which nobody may see, on the line of inode @ino. */
struct tcp_tail {
	unsigned long rto, ato, flags;
	unsigned int cwnd;
	int ssthresh;
};

static bool find_tail(FILE *table, uint64_t ino, struct tcp_tail *t)
{
	char line[512];

	while (fgets(line, sizeof(line), table) != NULL) {
		unsigned long inode;

		if (sscanf(line, "%*d: %*s %*s %*s %*s %*s %*s %*u %*d %lu %*d %*s %lu %lu %lu %u %d",
			   &inode, &t->rto, &t->ato, &t->flags, &t->cwnd, &t->ssthresh) == 6 &&
		    inode == ino)
			return true;
	}
	return false;
}

/* The times, the window and the threshold, of which -1 is none yet. */
START_TEST(the_last_columns_are_the_kernels)
{
	struct end e = make_connected(w, "f");
	struct tcp_tail kernel, ours;
	struct sockfs_info info;
	const char *text;
	FILE *table;

	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_INFO, &info), 0);
	table = fopen("/proc/net/tcp", "re");
	ck_assert(find_tail(table, info.sk_ino, &kernel));
	fclose(table);
	text = read_table(w, "tcp");
	table = fmemopen((void *)text, strlen(text), "r");
	ck_assert(find_tail(table, info.ino, &ours));
	fclose(table);
	ck_assert_uint_gt(ours.rto, 0);
	ck_assert_uint_eq(ours.rto, kernel.rto);
	ck_assert_uint_eq(ours.ato, kernel.ato);
	ck_assert_uint_eq(ours.cwnd, kernel.cwnd);
	ck_assert_int_eq(ours.ssthresh, -1);
	ck_assert_int_eq(kernel.ssthresh, -1);
	close(e.peer);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wire_tcp");
	TCase *tc = tcase_create("all");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, no_descriptor_for_a_write_that_waits_to_be_connected);
	tcase_add_loop_test(tc, looking_changes_nothing, 0, sizeof(looks) / sizeof(looks[0]));
	tcase_add_test(tc, connect_anew_under_a_reader);
	tcase_add_test(tc, the_status_of_an_unconnected_socket);
	tcase_add_test(tc, options_of_our_own);
	tcase_add_loop_test(tc, options_of_accepted_connections, 0, have_ipv6() ? 2 : 1);
	tcase_add_test(tc, connections_that_are_lost);
	tcase_add_test(tc, rules_for_a_bound_socket);
	tcase_add_test(tc, the_last_columns_are_the_kernels);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
