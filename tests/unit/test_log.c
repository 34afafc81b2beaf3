/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of lib/log: one harmless line a call, to where it shall go. */
#include "config.h"

#include "lib/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <syslog.h>

#include "unit.h"

static struct capture c;

/* ------------------------------------------------------- a syslog of our own */

static int sys_fd = -1;
/* Names without a file have each type apart, so it is a file. */
static const struct sockaddr_un sys_name = {.sun_family = AF_UNIX, .sun_path = "test_log.socket"};

static int sys_connect(int fd)
{
	return (int)syscall(SYS_connect, fd, &sys_name, sizeof(sys_name));
}

/* Nobody else's lines, whatever runs here. */
int connect(int fd, const struct sockaddr *sa, socklen_t len)
{
	(void)len;
	ck_assert_str_eq(((const struct sockaddr_un *)sa)->sun_path, "/dev/log");
	return sys_connect(fd);
}

static void sys_begin(int type)
{
	sys_fd = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(sys_fd, 0);
	unlink(sys_name.sun_path);
	ck_assert_int_eq(bind(sys_fd, (const struct sockaddr *)&sys_name, sizeof(sys_name)), 0);
	if (type == SOCK_STREAM)
		ck_assert_int_eq(listen(sys_fd, 1), 0);
}

static void sys_end(void)
{
	close(sys_fd);
	sys_fd = -1;
	unlink(sys_name.sun_path);
}

/* The next line, without its date; "": there is none. It must be this process's, as @prog. */
static const char *sys_line(const char *prog)
{
	static char line[4096], out[4096];
	char want[64];
	ssize_t n = recv(sys_fd, line, sizeof(line) - 1, 0);
	int priority = -1, date = 0;

	if (n < 0)
		return "";
	line[n] = '\0';
	ck_assert_int_eq(sscanf(line, "<%d>%*3s %*d %*d:%*d:%*d %n", &priority, &date), 1);
	ck_assert_int_gt(date, 0);
	snprintf(want, sizeof(want), "%s[%d]: ", prog, (int)getpid());
	ck_assert_int_eq(strncmp(line + date, want, strlen(want)), 0);
	snprintf(out, sizeof(out), "%d %s", priority - LOG_DAEMON, line + date + strlen(want));
	return out;
}

/* -------------------------------------------------------------------- tests */

START_TEST(line_on_stderr)
{
	capture_begin(&c);
	pr_err("cannot open %s: %d", "x", 5);
	pr_warn("two\n");
	pr_info("three\n\n");
	pr_debug("nobody sees this");
	pr_info("%s", "");
	ck_assert_str_eq(capture_end(&c), "sockfs: cannot open x: 5\n"
					  "sockfs: two\n"
					  "sockfs: three\\012\n"
					  "sockfs: \n");
}
END_TEST

/* With CK_FORK=no the last test's settings are still there. */
static void set_up(void)
{
	log_open("sockfs", false, LOGLEVEL_INFO);
}

START_TEST(levels)
{
	static const enum log_level level[] = { LOGLEVEL_ERR, LOGLEVEL_WARNING, LOGLEVEL_INFO,
						LOGLEVEL_DEBUG };
	int evaluated = 0;

	log_open("prog", false, level[_i]);
	capture_begin(&c);
	pr_err("e");
	pr_warn("w");
	pr_info("i");
	pr_debug("d%d", ++evaluated);
	capture_end(&c);
	ck_assert_int_eq(count_of(c.text, "prog: "), _i + 1);
	ck_assert_int_eq(count_of(c.text, "\n"), _i + 1);
	ck_assert_int_eq(strstr(c.text, "prog: d1\n") != NULL, _i == 3);
	ck_assert_int_eq(evaluated, _i == 3);

	log_set_level(LOGLEVEL_ERR);
	capture_begin(&c);
	pr_warn("w");
	ck_assert_str_eq(capture_end(&c), "");
}
END_TEST

static const struct {
	const char *text, *line;
} escapes[] = {
	{ "a\nsockfs: forged", "a\\012sockfs: forged" },
	{ "a\r\tb\v\f\b\a", "a\\015\\011b\\013\\014\\010\\007" },
	{ "\033[2J", "\\033[2J" },
	{ "\x01\x1f\x7f", "\\001\\037\\177" },
	{ "back\\slash \\033", "back\\134slash \\134033" },
	{ "100%s %n", "100%s %n" },
	{ "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xa7",
	  "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xa7" },
	{ "\xc2\x9b"
	  "2J\xc2\xa0",
	  "\\302\\2332J\xc2\xa0" }, /* C1: CSI */
	{ "\x9b"
	  "2J\xff\xfe",
	  "\\2332J\\377\\376" },
	{ "\xc3", "\\303" }, /* half a character */
	{ "\xe2\x82", "\\342\\202" },
	{ "\xe2\x82x", "\\342\\202x" },
	{ "\xc0\x8a \xe0\x80\x8a \xc1\xbf",
	  "\\300\\212 \\340\\200\\212 \\301\\277" }, /* overlong */
	{ "\xe0\x82\xa9 \xf0\x80\x82\xa9", "\\340\\202\\251 \\360\\200\\202\\251" },
	{ "\xed\xa0\x80", "\\355\\240\\200" }, /* surrogate */
	{ "\xf4\x90\x80\x80\xf8\x88\x80\x80\x80", "\\364\\220\\200\\200\\370\\210\\200\\200\\200" },
};

START_TEST(escaped)
{
	char expect[256];

	snprintf(expect, sizeof(expect), "sockfs: %s\n", escapes[_i].line);
	capture_begin(&c);
	pr_info("%s", escapes[_i].text);
	ck_assert_str_eq(capture_end(&c), expect);
}
END_TEST

/* At each length near the bound, of plain, escaped and three-byte characters. */
START_TEST(bounded)
{
	static const char *const unit[] = { "x", "\n", "\xe2\x82\xac" };
	static const char *const shown[] = { "x", "\\012", "\xe2\x82\xac" };
	static char text[8192];
	size_t step = strlen(unit[_i]), width = strlen(shown[_i]);
	size_t room = LOG_LINE_MAX - strlen("sockfs: ") - 1;

	for (size_t n = 200; n <= 8000 / step; n += n < 1100 ? 1 : 111) {
		size_t len, i;

		for (i = 0; i < n; i++)
			memcpy(text + i * step, unit[_i], step);
		/* no newline at the end, that one would be dropped */
		memcpy(text + n * step, "|", 2);
		capture_begin(&c);
		pr_err("%s", text);
		capture_end(&c);
		len = strlen(c.text);
		if (len > LOG_LINE_MAX || c.text[len - 1] != '\n' || count_of(c.text, "\n") != 1)
			ck_abort_msg("%zu: a line of %zu bytes", n, len);
		for (i = 8; strncmp(c.text + i, shown[_i], width) == 0; i += width)
			;
		if (n * width + 1 <= room - 1)
			ck_assert_str_eq(c.text + i, "|\n");
		else if (n * width + 1 >= room)
			ck_assert_str_eq(c.text + i, "...\n");
		if (n * width > room) /* what fits is there */
			ck_assert_uint_ge(len, LOG_LINE_MAX - 2 * width - 3);
	}
}
END_TEST

START_TEST(long_program_name)
{
	char name[100];

	memset(name, 'p', sizeof(name) - 1);
	name[99] = '\0';
	log_open(name, false, LOGLEVEL_INFO);
	name[0] = 'X'; /* it was copied */
	capture_begin(&c);
	pr_info("text");
	capture_end(&c);
	ck_assert_uint_eq(strspn(c.text, "p"), 31);
	ck_assert_str_eq(c.text + 31, ": text\n");
}
END_TEST

START_TEST(errno_is_left_alone)
{
	int null = dup(STDERR_FILENO);

	capture_begin(&c);
	errno = ENOENT;
	pr_err("%m");
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_str_eq(capture_end(&c), "sockfs: No such file or directory\n");

	close(STDERR_FILENO); /* nowhere to write to */
	errno = ENOENT;
	pr_err("lost");
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(dup2(null, STDERR_FILENO), STDERR_FILENO);
	close(null);
}
END_TEST

/* A pipe that nobody reads stops nobody. */
START_TEST(no_room)
{
	char text[8192];
	int pipefd[2], was = dup(STDERR_FILENO);
	ssize_t n;

	ck_assert_int_eq(pipe2(pipefd, O_NONBLOCK), 0);
	ck_assert_int_ge(fcntl(pipefd[1], F_SETPIPE_SZ, 16384), 16384);
	memset(text, 'x', sizeof(text));
	while (write(pipefd[1], text, 64) > 0)
		;
	/* Whoever gave it to us has it blocking. */
	ck_assert_int_eq(fcntl(pipefd[1], F_SETFL, 0), 0);
	ck_assert_int_eq(dup2(pipefd[1], STDERR_FILENO), STDERR_FILENO);
	log_set_nowait(true);
	for (int i = 0; i < 3; i++)
		pr_info("lost");
	while (read(pipefd[0], text, sizeof(text)) > 0)
		;
	pr_info("here");
	pr_info("again");
	n = read(pipefd[0], text, sizeof(text) - 1);
	log_set_nowait(false);
	ck_assert_int_eq(dup2(was, STDERR_FILENO), STDERR_FILENO);
	ck_assert_int_gt(n, 0);
	text[n] = '\0';
	ck_assert_str_eq(text, "sockfs: 3 lines found no room\nsockfs: here\nsockfs: again\n");
	close(was);
	close(pipefd[0]);
	close(pipefd[1]);
}
END_TEST

START_TEST(to_syslog_and_back)
{
	sys_begin(SOCK_DGRAM);
	log_open("name", false, LOGLEVEL_INFO);
	capture_begin(&c);
	pr_info("one");
	log_set_target(LOG_TARGET_SYSLOG);
	pr_warn("two\033 %s%%", "%s%n");
	ck_assert_str_eq(sys_line("name"), "4 two\\033 %s%n%");
	pr_debug("hidden");
	ck_assert_str_eq(sys_line("name"), "");
	log_close();
	pr_err("three");
	ck_assert_str_eq(sys_line("name"), "3 three");
	log_set_target(LOG_TARGET_STDERR);
	pr_info("four");
	ck_assert_str_eq(sys_line("name"), "");
	ck_assert_str_eq(capture_end(&c), "name: one\nname: four\n");

	log_open("other", true, LOGLEVEL_DEBUG);
	pr_debug("five");
	ck_assert_str_eq(sys_line("other"), "7 five");
	log_close();
	sys_end();
}
END_TEST

/* Its daemon is stopped, is started again, is not there: errno is as it was. */
START_TEST(syslog_comes_and_goes)
{
	char text[LOG_LINE_MAX];
	int n = 0, lost = 3;

	log_open("name", true, LOGLEVEL_INFO);
	errno = EXDEV;
	pr_info("to nobody");
	ck_assert_int_eq(errno, EXDEV);
	sys_begin(SOCK_DGRAM);
	pr_info("first");
	ck_assert_str_eq(sys_line("name"), "6 first");
	/* As many as there is room for, and a few more. */
	for (int full = 0; full < lost; n++) {
		struct pollfd room = {.events = POLLOUT};

		room.fd = socket(AF_UNIX, SOCK_DGRAM, 0);
		ck_assert_int_eq(sys_connect(room.fd), 0);
		full += poll(&room, 1, 0) == 0;
		close(room.fd);
		errno = EXDEV;
		pr_info("number %d", n);
		ck_assert_int_eq(errno, EXDEV);
	}
	for (int i = 0; i < n - lost; i++) {
		snprintf(text, sizeof(text), "6 number %d", i);
		ck_assert_str_eq(sys_line("name"), text);
	}
	ck_assert_str_eq(sys_line("name"), "");
	pr_info("here");
	ck_assert_str_eq(sys_line("name"), "4 3 lines found no room");
	ck_assert_str_eq(sys_line("name"), "6 here");
	sys_end();
	sys_begin(SOCK_DGRAM);
	pr_info("again");
	ck_assert_str_eq(sys_line("name"), "6 again");
	sys_end();
	errno = EXDEV;
	pr_info("to nobody");
	ck_assert_int_eq(errno, EXDEV);
	log_close();
}
END_TEST

/* Each ends in a NUL there. */
START_TEST(syslog_of_a_stream)
{
	int fd;

	log_open("name", true, LOGLEVEL_INFO);
	sys_begin(SOCK_STREAM);
	pr_info("one");
	fd = accept4(sys_fd, NULL, NULL, SOCK_NONBLOCK);
	ck_assert_int_ge(fd, 0);
	sys_end();
	sys_fd = fd;
	ck_assert_str_eq(sys_line("name"), "6 one");
	pr_info("two");
	ck_assert_str_eq(sys_line("name"), "6 two");
	log_close();
	sys_end();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("log");
	TCase *untouched = tcase_create("before log_open"), *tc = tcase_create("log");

	tcase_add_test(untouched, line_on_stderr);
	suite_add_tcase(suite, untouched);
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, NULL);
	tcase_add_loop_test(tc, levels, 0, 4);
	tcase_add_loop_test(tc, escaped, 0, ARRAY_SIZE(escapes));
	tcase_add_loop_test(tc, bounded, 0, 3);
	tcase_add_test(tc, long_program_name);
	tcase_add_test(tc, errno_is_left_alone);
	tcase_add_test(tc, no_room);
	tcase_add_test(tc, to_syslog_and_back);
	tcase_add_test(tc, syslog_comes_and_goes);
	tcase_add_test(tc, syslog_of_a_stream);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
