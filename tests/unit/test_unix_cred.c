/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Being the caller (net/unix/unix_cred.c): which calls make the thread somebody else and
 * itself again, and that it is never half of either. The kernel here is a pretended one, in
 * which root's daemon runs whoever runs the test.
 */
#include "config.h"

#include <errno.h>
#include <grp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "net/unix/unix.h"
#include "unit.h"

#define DAEMON_UID 4000000
#define DAEMON_GID 4000001

static char calls[1024]; /* each with a blank behind it */
static int fails;	 /* the call that fails, counted from 1; 0: none */
static int nr_calls;
static int nr_daemon_groups;

uid_t geteuid(void)
{
	return DAEMON_UID;
}

gid_t getegid(void)
{
	return DAEMON_GID;
}

int getgroups(int size, gid_t *list)
{
	if (nr_daemon_groups > size) {
		errno = EINVAL;
		return -1;
	}
	for (int i = 0; i < nr_daemon_groups; i++)
		list[i] = (gid_t)(100 + i);
	return nr_daemon_groups;
}

long syscall(long nr, ...)
{
	char *end = calls + strlen(calls);
	va_list ap;

	va_start(ap, nr);
	if (nr == SYS_setgroups) {
		int n = va_arg(ap, int);
		const gid_t *groups = va_arg(ap, const gid_t *);

		end += sprintf(end, "groups");
		for (int i = 0; i < n; i++)
			end += sprintf(end, "%c%u", i == 0 ? ':' : ',', groups[i]);
	} else {
		unsigned int real = va_arg(ap, unsigned int), effective = va_arg(ap, unsigned int);
		unsigned int saved = va_arg(ap, unsigned int);

		/* The real and the saved ones stay: by them it comes back. */
		ck_assert_uint_eq(real, (unsigned int)-1);
		ck_assert_uint_eq(saved, (unsigned int)-1);
		end += sprintf(end, "%s:%u",
			       nr == SYS_setresuid ? "uid" : nr == SYS_setresgid ? "gid" : "?", effective);
	}
	va_end(ap);
	strcpy(end, " ");
	if (++nr_calls != fails)
		return 0;
	errno = EPERM;
	return -1;
}

static void setup(void)
{
	calls[0] = '\0';
	fails = nr_calls = 0;
	nr_daemon_groups = 2;
}

/* Its groups as proc(5) tells them, as they are in @calls. */
static void own_groups(char *ret_text)
{
	char line[4096];
	FILE *f = fopen("/proc/self/status", "re");
	bool first = true;

	*ret_text = '\0';
	while (fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, "Groups:", 7) == 0)
			for (char *w = strtok(line + 7, " \t\n"); w != NULL; w = strtok(NULL, " \t\n")) {
				ret_text += sprintf(ret_text, "%c%s", first ? ':' : ',', w);
				first = false;
			}
	fclose(f);
}

START_TEST(there_and_back)
{
	struct cred cred = {.uid = getuid(), .gid = 55, .pid = getpid()};
	struct unix_caller was;
	char groups[4096], want[8192];

	own_groups(groups);
	ck_assert_int_eq(unix_caller_begin(&cred, &was), 0);
	snprintf(want, sizeof(want), "groups%s gid:55 uid:%u ", groups, cred.uid);
	ck_assert_str_eq(calls, want);
	calls[0] = '\0';
	unix_caller_end(&was);
	ck_assert_str_eq(calls, "uid:4000000 gid:4000001 groups:100,101 ");
}
END_TEST

START_TEST(nobody_else)
{
	const struct cred self = {.uid = DAEMON_UID, .gid = 55, .pid = getpid()};
	struct unix_caller was;

	ck_assert_int_eq(unix_caller_begin(&self, &was), 0);
	unix_caller_end(&was);
	ck_assert_str_eq(calls, "");
}
END_TEST

/* Whose number the process was may be somebody else's by now, who has other groups. */
START_TEST(groups_of_another)
{
	struct cred cred = {.uid = getuid() + 1, .gid = 55, .pid = getpid()};
	struct unix_caller was;
	char want[64];

	sprintf(want, "groups gid:55 uid:%u ", cred.uid);
	ck_assert_int_eq(unix_caller_begin(&cred, &was), 0);
	ck_assert_str_eq(calls, want);
	/* Of another pid namespace; of nobody. */
	for (int i = 0; i < 2; i++) {
		cred = (struct cred){.uid = getuid(), .gid = 55, .pid = i == 0 ? 0 : 4194305};
		calls[0] = '\0';
		sprintf(want, "groups gid:55 uid:%u ", cred.uid);
		ck_assert_int_eq(unix_caller_begin(&cred, &was), 0);
		ck_assert_str_eq(calls, want);
	}
}
END_TEST

/* Whichever step is refused, the thread is what it was. */
START_TEST(half_is_none)
{
	static const char back[] = "uid:4000000 gid:4000001 groups:100,101 ";
	const struct cred cred = {.uid = 77, .gid = 55, .pid = 0};
	static const char *const want[] = {"groups ", "groups gid:55 ", "groups gid:55 uid:77 "};
	struct unix_caller was;
	char text[128];

	for (int i = 0; i < 3; i++) {
		setup();
		fails = i + 1;
		ck_assert_int_eq(unix_caller_begin(&cred, &was), -EACCES);
		sprintf(text, "%s%s", want[i], i > 0 ? back : "");
		ck_assert_str_eq(calls, text);
	}
	/* More groups than could be given back. */
	setup();
	nr_daemon_groups = 1000;
	ck_assert_int_eq(unix_caller_begin(&cred, &was), -EACCES);
	ck_assert_str_eq(calls, "");
}
END_TEST

/* Root no more, or with somebody's groups, it must not serve on. */
START_TEST(no_way_back)
{
	const struct cred cred = {.uid = 77, .gid = 55, .pid = 0};
	struct unix_caller was;
	struct capture c;

	ck_assert_int_eq(unix_caller_begin(&cred, &was), 0);
	fails = nr_calls + 1 + _i;
	capture_begin(&c);
	if (fork() == 0)
		unix_caller_end(&was);
	else
		wait(&nr_calls);
	capture_end(&c);
	ck_assert(WIFSIGNALED(nr_calls));
	ck_assert_int_eq(WTERMSIG(nr_calls), SIGABRT);
	ck_assert_ptr_nonnull(strstr(c.text, "cannot be user 4000000 again"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("unix_cred");
	TCase *tc = tcase_create("all");
	const gid_t some[] = {7, 8};

	/* So that there are some; who is not root has what he has. */
	(void)!setgroups(2, some);
	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, there_and_back);
	tcase_add_test(tc, nobody_else);
	tcase_add_test(tc, groups_of_another);
	tcase_add_test(tc, half_is_none);
	tcase_add_loop_test(tc, no_way_back, 0, 3);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
