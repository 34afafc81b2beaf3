/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * UNIX sockets: which paths whom are allowed, memory that runs out, and a listener's file.
 */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "mm/slab.h"
#include "net/unix/unix.h"
#include "tests/unit/unit.h"
#include "wire_net.h"

static struct wire *w;
static char dir[] = "/tmp/sockfs.XXXXXX";
static struct sockfs_addr addr;

static void setup(void)
{
	strcpy(dir + sizeof(dir) - 7, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	memset(&addr, 0, sizeof(addr));
	snprintf(addr.host, sizeof(addr.host), "unix:%s/sock", dir);
	w = wire_new();
	ck_assert_ptr_nonnull(w);
	/* Paths are for the daemon's own user. */
	w->uid = geteuid();
}

static void teardown(void)
{
	ck_assert_int_eq(wire_free(w), 0);
	/* Nothing is left in it, so it can go. */
	ck_assert_int_eq(rmdir(dir), 0);
}

static const struct {
	const char *prefix, *path;
	int may;
	bool leads;
} rules[] = {
	{NULL, "/run/x", -EACCES, false},	 {"/run", "/run/x", 0, true},
	{"/run/", "/run/x/y", 0, true},		 {"/run", "/runx", -EACCES, false},
	{"/run/x", "/run/x", 0, true},		 {"/run/x", "/run", -EACCES, true},
	{"/run/x", "/ru", -EACCES, false},	 {"/run/x", "/run/y", -EACCES, false},
	{"/run", "/run/../etc", -EACCES, false}, {"/run", "/run/..", -EACCES, false},
	{"/run", "/run/..x", 0, true},		 {"/", "/anything", 0, true},
	{"/", "@name", -EACCES, false},		 {"@na", "@name", 0, true},
	{"@na", "@other", -EACCES, false},	 {"@", "@other", 0, true},
};

START_TEST(which_paths)
{
	const struct cred other = {.uid = geteuid() + 1}, own = {.uid = geteuid()};

	if (rules[_i].prefix != NULL)
		ck_assert_int_eq(unix_policy_add(rules[_i].prefix), 0);
	ck_assert_int_eq(unix_policy_may(&other, rules[_i].path), rules[_i].may);
	ck_assert_int_eq(unix_policy_leads(&other, rules[_i].path), rules[_i].leads);
	ck_assert_int_eq(unix_policy_may(&own, rules[_i].path), 0);
	ck_assert_int_eq(unix_policy_add("run"), -EINVAL);
	ck_assert_int_eq(unix_policy_add(""), -EINVAL);
	/* What is behind it would be found without it. */
	ck_assert_int_eq(unix_policy_add("/proc/self/x"), -ELOOP);
}
END_TEST

/* Wherever memory runs out, there is a clean error, no file is left, and it works the next time. */
START_TEST(without_memory)
{
	struct end e = make_file(w, "srv"), c = make_file(w, "c");
	int err = -ENOMEM, n;
	int32_t backlog = 0;

	for (n = 1; err == -ENOMEM && n < 30; n++) {
		kmem_fault_after(n);
		err = ioc(&e, SOCKFS_IOC_BIND, &addr);
		kmem_fault_after(-1);
		ck_assert_int_eq(access(addr.host + 5, F_OK), err == 0 ? 0 : -1);
	}
	ck_assert_int_eq(err, 0);
	ck_assert_int_gt(n, 3);
	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_LISTEN, &backlog), 0);
	err = -ENOMEM;
	for (n = 1; err == -ENOMEM && n < 30; n++) {
		kmem_fault_after(n);
		err = ioc(&c, SOCKFS_IOC_CONNECT, &addr);
		kmem_fault_after(-1);
	}
	ck_assert_int_eq(err, 0);
	ck_assert_int_gt(n, 3);
}
END_TEST

START_TEST(what_it_has_not)
{
	struct end e = make_file(w, "f");
	int32_t backlog = 0;
	struct sockfs_addr name;

	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_BIND, &addr), 0);
	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_BIND, &addr), -EINVAL);
	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_SENDEMPTY, NULL), -EOPNOTSUPP);
	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_JOIN, &addr), -EOPNOTSUPP);
	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_GETSOCKNAME, &name), 0);
	ck_assert_str_eq(name.host, addr.host);
	ck_assert_str_eq(name.port, "");
	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_GETPEERNAME, &name), -ENOTCONN);
	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_LISTEN, &backlog), 0);
	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_CONNECT, &addr), -EINVAL);
	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_ABORT, NULL), 0);
	ck_assert_int_eq(access(addr.host + 5, F_OK), -1);
}
END_TEST

static int nr_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* The longest that a struct sockaddr_un has room for, one more, and a name of each length. */
START_TEST(lengths)
{
	struct end much;
	char name[32];
	int n, before = 0;

	for (size_t len = 105; len <= 112; len++) {
		struct end e;

		snprintf(name, sizeof(name), "f%zu", len);
		e = make_file(w, name);
		n = snprintf(addr.host, sizeof(addr.host), "unix:%s/", dir);
		while (n < (int)(strlen("unix:") + len - strlen("sock")))
			addr.host[n++] = '/';
		strcpy(addr.host + n, "sock");
		ck_assert_int_eq(ioc(&e, SOCKFS_IOC_BIND, &addr), 0);
		ck_assert_int_eq(access(addr.host + 5, F_OK), 0);
		ck_assert_int_eq(ioc(&e, SOCKFS_IOC_CONNECT, &addr), -EINVAL);
		ck_assert_int_eq(wire_release(w, e.ino, e.fh), 0);
		ck_assert_int_eq(wire_unlink(w, FUSE_ROOT_ID, name), 0);
		ck_assert_int_eq(access(addr.host + 5, F_OK), -1);
		/* A long path goes by a descriptor of its directory; a short one needs none. */
		wire_turn(w);
		if (len == 105)
			before = nr_fds();
		ck_assert_int_eq(nr_fds(), before);
	}
	for (size_t len = 107; len <= 109; len++) {
		struct end e;

		snprintf(name, sizeof(name), "a%zu", len);
		e = make_file(w, name);
		snprintf(addr.host, sizeof(addr.host), "unix:@%0*d", (int)len - 1, getpid());
		ck_assert_int_eq(ioc(&e, SOCKFS_IOC_BIND, &addr), len <= 108 ? 0 : -ENAMETOOLONG);
	}
	/* A name that is too long by itself: nothing stands for it. What is there already is found. */
	much = make_file(w, "much");
	n = snprintf(addr.host, sizeof(addr.host), "unix:%s/", dir);
	memset(addr.host + n, 'n', 120);
	addr.host[n + 120] = '\0';
	before = nr_fds();
	ck_assert_int_eq(ioc(&much, SOCKFS_IOC_BIND, &addr), -ENAMETOOLONG);
	ck_assert_int_eq(ioc(&much, SOCKFS_IOC_CONNECT, &addr), -ENOENT);
	ck_assert_int_eq(nr_fds(), before);
}
END_TEST

/* Whether somebody waits, Linux tells; how many, it does not. */
START_TEST(who_waits_at_a_listener)
{
	struct end e = make_file(w, "srv");
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	struct sockfs_info info;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int32_t backlog = 0, n = 0;

	strcpy(sun.sun_path, addr.host + 5);
	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_BIND, &addr), 0);
	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_LISTEN, &backlog), 0);
	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_INFO, &info), 0);
	ck_assert_uint_eq(info.recvq, 0);
	ck_assert_int_eq(connect(fd, (void *)&sun, sizeof(sun)), 0);
	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_INFO, &info), 0);
	ck_assert_uint_eq(info.recvq, 1);
	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_INQ, &n), 0);
	ck_assert_int_eq(n, 1);
	close(fd);
}
END_TEST

/* A peer calls itself what it likes: nothing of that tears a line, or moves a cursor. */
START_TEST(names_that_would_tear_a_line)
{
	struct end e = make_file(w, "srv"), one;
	struct sockaddr_un sun = {.sun_family = AF_UNIX}, to = {.sun_family = AF_UNIX};
	struct sockfs_addr name;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char want[sizeof(name.host)], got[64];
	int32_t backlog = 0;
	size_t len = 0;

	strcpy(to.sun_path, addr.host + 5);
	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_BIND, &addr), 0);
	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_LISTEN, &backlog), 0);
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/c\n\x7f\x1f \xc3\xa4", dir);
	ck_assert_int_eq(bind(fd, (void *)&sun, sizeof(sun)), 0);
	ck_assert_int_eq(connect(fd, (void *)&to, sizeof(to)), 0);
	ck_assert_int_eq(wire_wait(w, wire_read(w, e.ino, e.fh, sizeof(got), O_RDWR), got,
				   sizeof(got), &len),
			 0);
	one = open_file(w, "srv.1");
	ck_assert_int_eq(ioc(&one, SOCKFS_IOC_GETPEERNAME, &name), 0);
	snprintf(want, sizeof(want), "unix:%s/c@@@ \xc3\xa4", dir);
	ck_assert_str_eq(name.host, want);
	ck_assert_int_eq(unlink(sun.sun_path), 0);
	close(fd);
}
END_TEST

/* ------------------------------------------------------------------- the way along a path */

/* Make a link @name to @target in the test's directory, or remove it if @target is NULL. */
static void put_link(const char *name, const char *target)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	ck_assert_int_eq(target != NULL ? symlink(target, path) : unlink(path), 0);
}

/* Where @path below the test's directory leads, by its number; or -errno. */
static long walk(const char *path, enum unix_walk_end end)
{
	char text[512], name[NAME_MAX + 1];
	struct stat st;
	int fd;

	snprintf(text, sizeof(text), "%s/%s", dir, path);
	fd = unix_walk(text, end, name, NULL);
	if (fd < 0)
		return fd;
	ck_assert_int_eq(fstat(fd, &st), 0);
	close(fd);
	return (long)st.st_ino;
}

static long number(const char *path)
{
	char text[512];
	struct stat st;

	snprintf(text, sizeof(text), "%s/%s", dir, path);
	ck_assert_int_eq(lstat(text, &st), 0);
	return (long)st.st_ino;
}

/* As path_resolution(7) has it. */
START_TEST(walks)
{
	static const char *const links[][2] = {
		{"to_dir", "sub"}, {"up", "sub/../file"}, {"loop", "pool"}, {"pool", "loop"},
		{"slash", "file/"}, {"self", "."}, {"nowhere", "none"},
	};
	char path[256];
	int fd, before;

	/* The table of mounts stays open. */
	ck_assert_int_eq(unix_mounts_begin(), 0);
	before = nr_fds();
	snprintf(path, sizeof(path), "%s/sub", dir);
	ck_assert_int_eq(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/file", dir);
	fd = creat(path, 0644);
	ck_assert_int_ge(fd, 0);
	close(fd);
	put_link("whole", path);
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		put_link(links[i][0], links[i][1]);
	ck_assert_int_eq(walk("file", UNIX_WALK_FOLLOW), number("file"));
	ck_assert_int_eq(walk("whole", UNIX_WALK_FOLLOW), number("file"));
	ck_assert_int_eq(walk("whole", UNIX_WALK_NOFOLLOW), number("whole"));
	ck_assert_int_eq(walk("up", UNIX_WALK_FOLLOW), number("file"));
	ck_assert_int_eq(walk("to_dir/..//./up", UNIX_WALK_FOLLOW), number("file"));
	ck_assert_int_eq(walk("to_dir/", UNIX_WALK_NOFOLLOW), number("sub"));
	ck_assert_int_eq(walk("to_dir/new", UNIX_WALK_PARENT), number("sub"));
	/* Where it ends is not followed: it is to be made. */
	ck_assert_int_eq(walk("nowhere", UNIX_WALK_PARENT), number("."));
	ck_assert_int_eq(walk("nowhere", UNIX_WALK_FOLLOW), -ENOENT);
	ck_assert_int_eq(walk("loop", UNIX_WALK_FOLLOW), -ELOOP);
	ck_assert_int_eq(walk("loop/x", UNIX_WALK_PARENT), -ELOOP);
	/* A file is no directory. */
	ck_assert_int_eq(walk("file/", UNIX_WALK_FOLLOW), -ENOTDIR);
	ck_assert_int_eq(walk("slash", UNIX_WALK_FOLLOW), -ENOTDIR);
	ck_assert_int_eq(walk("file/x", UNIX_WALK_FOLLOW), -ENOTDIR);
	/* Forty links are not too many, as with the kernel; one more is. */
	snprintf(path, sizeof(path), "%s", "self/self/self/self/self/self/self/self/self/self/self/self/"
		 "self/self/self/self/self/self/self/self/self/self/self/self/self/self/self/self/"
		 "self/self/self/self/self/self/self/self/self/self/self/self/file");
	ck_assert_int_eq(walk(path, UNIX_WALK_FOLLOW), number("file"));
	strcpy(path + strlen(path) - 4, "whole");
	ck_assert_int_eq(walk(path, UNIX_WALK_FOLLOW), -ELOOP);
	/* proc(5): fs.protected_symlinks, for links of others where all may put some. */
	if (geteuid() == 0) {
		snprintf(path, sizeof(path), "%s/whole", dir);
		ck_assert_int_eq(chmod(dir, 01777), 0);
		ck_assert_int_eq(lchown(path, 1, 1), 0);
		ck_assert_int_eq(walk("whole", UNIX_WALK_FOLLOW), -EACCES);
		ck_assert_int_eq(walk("up", UNIX_WALK_FOLLOW), number("file"));
	}
	ck_assert_int_eq(nr_fds(), before);
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		put_link(links[i][0], NULL);
	put_link("whole", NULL);
	put_link("file", NULL);
	snprintf(path, sizeof(path), "%s/sub", dir);
	ck_assert_int_eq(rmdir(path), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wire_unix");
	TCase *tc = tcase_create("all");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, which_paths, 0, sizeof(rules) / sizeof(rules[0]));
	tcase_add_test(tc, without_memory);
	tcase_add_test(tc, what_it_has_not);
	tcase_add_test(tc, lengths);
	tcase_add_test(tc, walks);
	tcase_add_test(tc, who_waits_at_a_listener);
	tcase_add_test(tc, names_that_would_tear_a_line);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
