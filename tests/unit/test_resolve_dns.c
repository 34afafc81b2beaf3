/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * net/core/resolve.c against name servers that answer, lie, are late, are mute, and
 * are not there. The tests run in namespaces of their own: a network that is only
 * lo, where port 53 is free, and an /etc that they write themselves.
 */
#include "config.h"

#include <arpa/inet.h>
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <mntent.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/core/resolve.h"
#include "uapi/addr.h"
#include "unit.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

/* RFC 1035, 4.1.1 */
#define RCODE_SERVFAIL 2
#define RCODE_NXDOMAIN 3
#define TYPE_A 1
#define TYPE_CNAME 5
#define TYPE_AAAA 28

static uv_loop_t loop;

/* ------------------------------------------------------------------- a small world */

static bool try_write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	return f && fputs(text, f) >= 0 && fclose(f) == 0;
}

static void write_file(const char *path, const char *text)
{
	ck_assert(try_write_file(path, text));
}

/* An ordinary user is root in a user namespace of its own. */
static bool unshare_all(void)
{
	char map[32];
	unsigned int uid = getuid(), gid = getgid();

	if (unshare(CLONE_NEWNS | CLONE_NEWNET) == 0)
		return true;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET) != 0)
		return false;
	snprintf(map, sizeof(map), "0 %u 1\n", uid);
	if (!try_write_file("/proc/self/uid_map", map) ||
	    !try_write_file("/proc/self/setgroups", "deny\n"))
		return false;
	snprintf(map, sizeof(map), "0 %u 1\n", gid);
	return try_write_file("/proc/self/gid_map", map);
}

/*
 * Mounts that others have just now are here as copies, and would outlive their umount
 * as long as we live. An ordinary user cannot let go of them.
 */
static void leave_mounts(void)
{
	FILE *f = setmntent("/proc/self/mounts", "r");
	struct mntent *m;

	while (f && (m = getmntent(f)) != NULL)
		if (strcmp(m->mnt_type, "fuse.sockfs") == 0)
			(void)umount2(m->mnt_dir, MNT_DETACH);
	if (f)
		endmntent(f);
}

static bool enter_world(void)
{
	struct ifreq ifr = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd, err;

	if (!unshare_all())
		return false;
	/* valgrind wants words where the kernel looks at none. */
	if (mount("none", "/", "none", MS_REC | MS_PRIVATE, "") != 0 ||
	    mount("etc", "/etc", "tmpfs", 0, "") != 0)
		return false;
	leave_mounts();
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	err = ioctl(fd, SIOCSIFFLAGS, &ifr);
	close(fd);
	return err == 0 &&
	       try_write_file("/etc/hosts", "127.0.0.1 localhost\n10.9.9.9 here.test here\n") &&
	       try_write_file("/etc/services", "http 80/tcp\n") &&
	       try_write_file("/etc/resolv.conf", "nameserver 127.0.0.1\n");
}

/* ------------------------------------------------------------------ a name server */

struct server {
	uv_poll_t poll;
	int fd;
	unsigned int questions;
	unsigned char last; /* of the address that it gives */
};

struct packet {
	unsigned char b[512];
	size_t len;
};

static void put(struct packet *p, const void *bytes, size_t n)
{
	memcpy(p->b + p->len, bytes, n);
	p->len += n;
}

static void put16(struct packet *p, unsigned int n)
{
	unsigned char b[2] = {(unsigned char)(n >> 8), (unsigned char)n};

	put(p, b, 2);
}

/* The question's name, by a pointer to it, and what follows up to the data. */
static void put_answer(struct packet *p, unsigned int type, const void *data, size_t n)
{
	p->b[7]++; /* ANCOUNT */
	put16(p, 0xc00c);
	put16(p, type);
	put16(p, 1);
	put16(p, 0);
	put16(p, 60);
	put16(p, (unsigned int)n);
	put(p, data, n);
}

/* "www.test" of a question; its type. */
static unsigned int read_question(const struct packet *q, char *ret_name, size_t *ret_end)
{
	size_t i = 12, n = 0;

	while (q->b[i]) {
		if (n)
			ret_name[n++] = '.';
		memcpy(ret_name + n, q->b + i + 1, q->b[i]);
		n += q->b[i];
		i += 1u + q->b[i];
	}
	ret_name[n] = '\0';
	*ret_end = i + 5;
	return q->b[i + 2];
}

static void answer_address(struct packet *p, unsigned int type, const struct server *s)
{
	const unsigned char v4[4] = {10, 1, 1, s->last};
	const unsigned char v6[16] = {0xfd, [15] = s->last};

	if (type == TYPE_A)
		put_answer(p, type, v4, sizeof(v4));
	else
		put_answer(p, type, v6, sizeof(v6));
}

/* Others' answers, in front of the true one: of another number, for another name. */
static void lie(const struct server *s, const struct packet *p, const struct sockaddr_in *to)
{
	const unsigned char evil[4] = {6, 6, 6, 6};
	struct packet l = *p;

	put_answer(&l, TYPE_A, evil, sizeof(evil));
	l.b[0] ^= 0xff;
	sendto(s->fd, l.b, l.len, 0, (const void *)to, sizeof(*to));
	l.b[0] ^= 0xff;
	l.b[13] ^= 1;
	sendto(s->fd, l.b, l.len, 0, (const void *)to, sizeof(*to));
}

static void serve(struct server *s, const struct packet *q, const struct sockaddr_in *to)
{
	char name[256];
	struct packet p = *q;
	unsigned int type = read_question(q, name, &p.len);

	if (strcmp(name, "mute.test") == 0 || (strcmp(name, "late.test") == 0 && s->questions <= 2))
		return;
	p.b[2] |= 0x80; /* an answer */
	memset(p.b + 6, 0, 6);
	if (strcmp(name, "none.test") == 0)
		p.b[3] |= RCODE_NXDOMAIN;
	else if (strcmp(name, "fail.test") == 0)
		p.b[3] |= RCODE_SERVFAIL;
	else if (strcmp(name, "long.test") == 0)
		p.b[2] |= 2; /* TC: cut off */
	else if (strcmp(name, "half.test") == 0)
		p.b[7] = 1; /* an answer that is not there */
	else if (strcmp(name, "loop.test") == 0)
		put_answer(&p, TYPE_CNAME, "\xc0\x2a", 2); /* to itself */
	else if (type == TYPE_A || strcmp(name, "v4.test") != 0)
		answer_address(&p, type, s);
	if (strcmp(name, "lies.test") == 0)
		lie(s, &p, to);
	sendto(s->fd, p.b, p.len, 0, (const void *)to, sizeof(*to));
}

static void on_question(uv_poll_t *poll, int status, int events)
{
	struct server *s = poll->data;
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	struct packet q;
	ssize_t n;

	(void)status;
	(void)events;
	while ((n = recvfrom(s->fd, q.b, sizeof(q.b), MSG_DONTWAIT, (void *)&from, &len)) > 0) {
		q.len = (size_t)n;
		s->questions++;
		serve(s, &q, &from);
	}
}

/* At 127.0.0.@last, giving addresses that end so. It does not keep the loop alive. */
static void server_open(struct server *s, unsigned char last)
{
	struct sockaddr_in sa = {.sin_family = AF_INET,
				 .sin_port = htons(53),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1u + last)};

	*s = (struct server){.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), .last = last};
	ck_assert_int_eq(bind(s->fd, (void *)&sa, sizeof(sa)), 0);
	ck_assert_int_eq(uv_poll_init(&loop, &s->poll, s->fd), 0);
	s->poll.data = s;
	ck_assert_int_eq(uv_poll_start(&s->poll, UV_READABLE, on_question), 0);
	uv_unref((uv_handle_t *)&s->poll);
}

static void server_close(struct server *s)
{
	uv_close((uv_handle_t *)&s->poll, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	close(s->fd);
}

/* ---------------------------------------------------------------------- look-ups */

struct answer {
	int calls, err;
	char text[256]; /* the addresses, with blanks between */
};

static void on_answer(void *arg, int err, struct addr_list *list)
{
	struct answer *a = arg;
	int n = 0;

	a->calls++;
	a->err = err;
	ck_assert_int_eq(!err, list != NULL);
	for (size_t i = 0; list && i < list->n; i++) {
		struct sockfs_addr addr;
		char text[ADDR_TEXT_MAX];

		addr_from_sockaddr((struct sockaddr *)&list->addr[i], &addr);
		addr_format(&addr, text, sizeof(text));
		n += snprintf(a->text + n, sizeof(a->text) - (size_t)n, i ? " %s" : "%s", text);
		ck_assert_int_lt(n, (int)sizeof(a->text));
	}
	free(list);
}

static struct resolve *start(const char *host, struct answer *a)
{
	struct sockfs_addr addr = {.port = "80"};
	struct resolve *r = NULL;

	*a = (struct answer){0};
	snprintf(addr.host, sizeof(addr.host), "%s", host);
	ck_assert_int_eq(resolve_start(&loop, &addr, "tcp", false, on_answer, a, &r), 0);
	return r;
}

static void ask(const char *host, struct answer *a)
{
	start(host, a);
	uv_run(&loop, UV_RUN_DEFAULT);
	ck_assert_int_eq(a->calls, 1);
}

static int entries(const char *path)
{
	DIR *d = opendir(path);
	int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void setup(void)
{
	ck_assert(enter_world());
	ck_assert_int_eq(uv_loop_init(&loop), 0);
}

static void teardown(void)
{
	/* getaddrinfo's threads were here once; nothing may start one. */
	ck_assert_int_eq(entries("/proc/self/task"), 2 + 1);
	ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
	ck_assert_int_eq(uv_loop_close(&loop), 0);
}

static const struct {
	const char *host;
	int err;
	const char *text;
} answers[] = {
	{"v4.test", 0, "10.1.1.1:80"},
	{"both.test", 0, "10.1.1.1:80 [fd00::1]:80"},
	{"both.test.", 0, "10.1.1.1:80 [fd00::1]:80"},
	{"caf\xc3\xa9.test", 0, "10.1.1.1:80 [fd00::1]:80"},
	{"late.test", 0, "10.1.1.1:80 [fd00::1]:80"},
	{"lies.test", 0, "10.1.1.1:80 [fd00::1]:80"},
	{"here.test", 0, "10.9.9.9:80"},
	{"HERE", 0, "10.9.9.9:80"},
	{"none.test", -ENXIO, ""},
	{"fail.test", -EHOSTUNREACH, ""},
	{"half.test", -EHOSTUNREACH, ""},
	{"loop.test", -EHOSTUNREACH, ""},
};

/* lo has no route to either family's address, so the order is the server's or turned. */
static bool same_addresses(const char *text, const char *want)
{
	char turned[256];
	const char *blank = strchr(want, ' ');

	if (strcmp(text, want) == 0)
		return true;
	if (!blank)
		return false;
	snprintf(turned, sizeof(turned), "%s %.*s", blank + 1, (int)(blank - want), want);
	return strcmp(text, turned) == 0;
}

START_TEST(what_a_server_says)
{
	struct server s;
	struct answer a;

	server_open(&s, 1);
	ask(answers[_i].host, &a);
	ck_assert_int_eq(a.err, answers[_i].err);
	ck_assert_msg(same_addresses(a.text, answers[_i].text), "%s", a.text);
	server_close(&s);
}
END_TEST

/* No query leaves for these, and nobody is waited for. */
START_TEST(answered_without_a_server)
{
	static const char *const hosts[] = {"localhost",   "LocalHost.", "a.b.localhost", "here",
					    "300.1.1.1",   "1.2.3.4.5",	 "1.2.3",	  "0x7f.1",
					    "fe80::1%none"};
	struct server s;
	struct answer a;

	server_open(&s, 1);
	for (int i = 0; i < COUNT(hosts); i++) {
		ck_assert_msg(!start(hosts[i], &a), "%s", hosts[i]);
		ck_assert_int_eq(a.calls, 1);
	}
	write_file("/etc/hosts", "");
	ck_assert_ptr_null(start("localhost", &a));
	ck_assert_int_eq(a.err, 0);
	ck_assert_ptr_null(start("x.localhost", &a));
	ck_assert_int_eq(a.err, 0);
	ck_assert_int_eq(unlink("/etc/hosts"), 0);
	ck_assert_ptr_null(start("localhost", &a));
	ck_assert_int_eq(a.err, 0);
	ck_assert_ptr_null(start("300.1.1.1", &a));
	ck_assert_int_eq(a.err, -ENXIO);
	uv_run(&loop, UV_RUN_NOWAIT);
	ck_assert_uint_eq(s.questions, 0);
	server_close(&s);
}
END_TEST

START_TEST(no_server_at_all)
{
	struct answer a;

	ask("v4.test", &a);
	ck_assert_int_eq(a.err, -EHOSTUNREACH);
	write_file("/etc/resolv.conf", "");
	ask("v4.test", &a);
	ck_assert_int_eq(a.err, -EHOSTUNREACH);
	ck_assert_int_eq(unlink("/etc/resolv.conf"), 0);
	ask("v4.test", &a);
	ck_assert_int_eq(a.err, -EHOSTUNREACH);
	ask("localhost", &a);
	ck_assert_str_eq(a.text, "127.0.0.1:80");
}
END_TEST

START_TEST(the_second_server_answers)
{
	struct server s;
	struct answer a;

	write_file("/etc/resolv.conf", "nameserver 127.0.0.1\nnameserver 127.0.0.2\n");
	server_open(&s, 2);
	ask("v4.test", &a);
	ck_assert_int_eq(a.err, 0);
	ck_assert_str_eq(a.text, "10.1.1.2:80");
	server_close(&s);
}
END_TEST

/* However many look-ups of a mute server there are, others get their answer. */
START_TEST(given_up_lets_go_at_once)
{
	struct answer mute, a;
	struct resolve *r[100]; /* the server's buffer has room for all they ask, before it reads */
	struct server s;
	int before;

	server_open(&s, 1);
	before = entries("/proc/self/fd");
	for (int i = 0; i < COUNT(r); i++) {
		r[i] = start("mute.test", &mute);
		ck_assert_ptr_nonnull(r[i]);
	}
	start("v4.test", &a);
	while (!a.calls)
		uv_run(&loop, UV_RUN_ONCE);
	ck_assert_int_eq(a.err, 0);
	ck_assert_int_eq(mute.calls, 0);
	for (int i = 0; i < COUNT(r); i++)
		resolve_cancel(r[i]);
	ck_assert_int_eq(entries("/proc/self/fd"), before);
	/* Nothing is left in the loop but what closes in this turn. */
	uv_run(&loop, UV_RUN_NOWAIT);
	ck_assert(!uv_loop_alive(&loop));
	ck_assert_int_eq(mute.calls, 0);
	server_close(&s);
}
END_TEST

START_TEST(changed_files_count)
{
	struct server one, two;
	struct answer a;

	server_open(&one, 1);
	server_open(&two, 2);
	ask("v4.test", &a);
	ck_assert_str_eq(a.text, "10.1.1.1:80");
	write_file("/etc/resolv.conf", "nameserver 127.0.0.2\n");
	ask("v4.test", &a);
	ck_assert_str_eq(a.text, "10.1.1.2:80");
	write_file("/etc/resolv.conf", "search test\nnameserver 127.0.0.2\n");
	ask("v4", &a);
	ck_assert_str_eq(a.text, "10.1.1.2:80");
	write_file("/etc/hosts", "10.8.8.8 v4.test\n10.8.8.9 v4.test\n");
	ask("v4.test", &a);
	ck_assert_str_eq(a.text, "10.8.8.8:80 10.8.8.9:80");
	server_close(&one);
	server_close(&two);
}
END_TEST

/* c-ares says "no server answers" then. */
START_TEST(out_of_descriptors_is_said)
{
	struct sockfs_addr addr = {.host = "v4.test", .port = "80"};
	struct rlimit all, few;
	struct resolve *r;
	struct answer a;
	struct server s;
	int next;

	server_open(&s, 1);
	next = dup(0);
	close(next);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &all), 0);
	few = (struct rlimit){(rlim_t)next, all.rlim_max};
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	a = (struct answer){0};
	ck_assert_int_eq(resolve_start(&loop, &addr, "tcp", false, on_answer, &a, &r), -EMFILE);
	memcpy(addr.host, "localhost", sizeof("localhost"));
	ck_assert_int_eq(resolve_start(&loop, &addr, "tcp", false, on_answer, &a, &r), -EMFILE);
	memcpy(addr.port, "http", sizeof("http"));
	memcpy(addr.host, "127.0.0.1", sizeof("127.0.0.1"));
	ck_assert_int_eq(resolve_start(&loop, &addr, "tcp", false, on_answer, &a, &r), 0);
	ck_assert_int_eq(a.err, -EMFILE);
	/* One is enough for the question. */
	few.rlim_cur++;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	ask("v4.test", &a);
	ck_assert_int_eq(a.err, 0);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &all), 0);
	server_close(&s);
}
END_TEST

/* They run out before it asks by TCP for an answer that was cut off. */
START_TEST(out_of_descriptors_on_the_way)
{
	struct server s;
	struct rlimit all, few;
	struct resolve *r;
	struct answer a;
	int next;

	server_open(&s, 1);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &all), 0);
	next = dup(0);
	close(next);
	r = start("long.test", &a);
	ck_assert_ptr_nonnull(r);
	few = (struct rlimit){(rlim_t)next, all.rlim_max};
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	uv_run(&loop, UV_RUN_DEFAULT);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &all), 0);
	ck_assert_int_eq(a.calls, 1);
	ck_assert_int_eq(a.err, -EMFILE);
	server_close(&s);
}
END_TEST

static TCase *tests(void)
{
	TCase *t = tcase_create("dns");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, what_a_server_says, 0, COUNT(answers));
	tcase_add_test(t, answered_without_a_server);
	tcase_add_test(t, no_server_at_all);
	tcase_add_test(t, the_second_server_answers);
	tcase_add_test(t, given_up_lets_go_at_once);
	tcase_add_test(t, changed_files_count);
	tcase_add_test(t, out_of_descriptors_is_said);
	tcase_add_test(t, out_of_descriptors_on_the_way);
	return t;
}

/* Can this user have namespaces at all? 77 tells automake: not here. */
static bool world_is_there(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(enter_world() ? 0 : 1);
	return waitpid(pid, &status, 0) == pid && status == 0;
}

int main(void)
{
	Suite *s;

	if (!world_is_there()) {
		puts("no namespaces for this user");
		return 77;
	}
	s = suite_create("resolve: name servers");
	suite_add_tcase(s, tests());
	return unit_run(s);
}
