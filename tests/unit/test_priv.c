/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The filter of system calls. Each test is a process of its own, which the filter stays with.
 * It ends in the test: Check reads its clock by way of timer_create(2), which is refused, and
 * would read another clock behind the test than before.
 */
#include "config.h"

#include "priv/priv.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/confine.h"
#include "unit.h"

#if defined(HAVE_SECCOMP) && !defined(CONFINE_SANITIZED)
#define HAS_FILTER true
#else
#define HAS_FILTER false
#endif

#define ck_assert_refused(call)                            \
	do {                                               \
		errno = 0;                                 \
		ck_assert_int_eq((int)(call), -1);         \
		ck_assert_int_eq(errno, ENOSYS);           \
	} while (0)

static void confine(void)
{
	ck_assert_int_eq(priv_begin(), 0);
	ck_assert_int_eq(priv_filter_calls(), 0);
	ck_assert_int_eq(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
}

START_TEST(test_calls_that_serving_does_not_take)
{
	char name[] = "/tmp/test_priv.XXXXXX";

	confine();
	ck_assert_refused(mount("none", "/", "tmpfs", 0, NULL));
	ck_assert_refused(umount2("/nowhere", 0));
	ck_assert_refused(unshare(CLONE_NEWUSER));
	ck_assert_refused(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0));
	ck_assert_refused(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
	ck_assert_refused(syscall(SYS_io_uring_setup, 1, NULL));
	ck_assert_refused(syscall(SYS_bpf, 0, NULL, 0));
	ck_assert_refused(chmod("/nowhere", 0));
	ck_assert_refused(rename("/nowhere", "/nowhere.new"));
	ck_assert_refused(symlink("/nowhere", "/nowhere.new"));
	/* Files are read and not written. */
	ck_assert_refused(open("/dev/null", O_WRONLY));
	ck_assert_refused(open("/dev/null", O_RDWR | O_CLOEXEC));
	ck_assert_refused(open(name, O_RDONLY | O_CREAT, 0600));
	ck_assert_refused(open("/dev/null", O_RDONLY | O_TRUNC));
	ck_assert_refused(mkstemp(name));
	/* No raw bytes on the wire, no talk with the hypervisor. */
	ck_assert_refused(socket(AF_PACKET, SOCK_RAW, 0));
	ck_assert_refused(socket(AF_VSOCK, SOCK_STREAM, 0));
	exit(0);
}
END_TEST

/* libuv's threads hold to it as well: the filter comes before them. */
static void *thread_main(void *arg)
{
	(void)arg;
	return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 2 ? (void *)environ : NULL;
}

/* What the libraries do at any time, and a supervisor that is made anew. */
START_TEST(test_calls_that_it_takes)
{
	static const int families[] = {AF_INET, AF_INET6, AF_UNIX, AF_NETLINK};
	char *argv[] = {(char *)"true", NULL};
	int fds[2], fd, status;
	pthread_t thread;
	void *ret;
	pid_t pid;

	confine();
	for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++) {
		fd = socket(families[i], SOCK_DGRAM | SOCK_CLOEXEC, 0);
		ck_assert(fd >= 0 || errno == EAFNOSUPPORT);
		close(fd);
	}
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert_int_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	ck_assert_int_ge((int)syscall(SYS_pidfd_open, getpid(), 0), 0);
	ck_assert_int_ge(memfd_create("test", MFD_CLOEXEC), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, thread_main, NULL), 0);
	ck_assert_int_eq(pthread_join(thread, &ret), 0);
	ck_assert_ptr_nonnull(ret);
	ck_assert_int_eq(posix_spawnp(&pid, "true", NULL, NULL, argv, environ), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	pid = (pid_t)syscall(SYS_clone, CLONE_FILES | CLONE_FS | SIGCHLD, 0, 0, 0, 0);
	if (pid == 0)
		_exit(prctl(PR_SET_PDEATHSIG, SIGCHLD) == 0 && getppid() > 0 ? 0 : 1);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	exit(0);
}
END_TEST

START_TEST(test_find_user)
{
	struct priv_user user;

	ck_assert_int_eq(priv_find_user("root", &user), 0);
	ck_assert_str_eq(user.name, "root");
	ck_assert_uint_eq(user.uid, 0);
	free(user.name);
	ck_assert_int_eq(priv_find_user("0", &user), 0);
	ck_assert_str_eq(user.name, "root");
	free(user.name);
	ck_assert_int_eq(priv_find_user("no such user", &user), -ENOENT);
	ck_assert_int_eq(priv_find_user("4294967295", &user), -ENOENT);
	ck_assert_int_eq(priv_find_user("-1", &user), -ENOENT);
	ck_assert_int_eq(priv_find_user("0x", &user), -ENOENT);
	ck_assert_int_eq(priv_find_user("", &user), -ENOENT);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("priv");
	TCase *tc = tcase_create("users");

	tcase_add_test(tc, test_find_user);
	suite_add_tcase(suite, tc);
	if (HAS_FILTER) {
		tc = tcase_create("calls");
		tcase_add_test(tc, test_calls_that_serving_does_not_take);
		tcase_add_test(tc, test_calls_that_it_takes);
		suite_add_tcase(suite, tc);
	}
	return unit_run(suite);
}
