/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pipe that large reads go through: whole messages come out of it, whatever
 * the device does with them.
 */
#include "config.h"

#include "fuse/reply_pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "unit.h"

#define HEAD sizeof(struct fuse_out_header)
#define SIZE ((size_t)256 << 10)

static struct reply_pipe p;
static int dev[2]; /* we answer to [0], the test reads from [1] */
static char buf[HEAD + SIZE], got[HEAD + SIZE];

static void setup(void)
{
	int size = 1 << 20;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, dev), 0);
	setsockopt(dev[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	ck_assert_int_eq(reply_pipe_open(&p, SIZE), 0);
}

static void teardown(void)
{
	reply_pipe_close(&p);
	reply_pipe_close(&p);
	close(dev[0]);
	close(dev[1]);
}

/* An answer, and the pipe is ready for the next. */
static int pipe_send(int fd, uint64_t unique, size_t n, char *room)
{
	int err = reply_pipe_send(&p, fd, unique, n, room);

	reply_pipe_ready(&p);
	return err;
}

/* What the pipe holds now. */
static int held(void)
{
	int n = -1;

	ck_assert_int_eq(ioctl(p.from, FIONREAD, &n), 0);
	return n;
}

/* @text goes behind the header, as a socket's bytes would. */
static size_t put(const char *text)
{
	size_t n = strlen(text);

	ck_assert_int_eq(write(p.to.fd, text, n), (ssize_t)n);
	return n;
}

static void expect(int fd, uint64_t unique, const char *text)
{
	const struct fuse_out_header *head = (const void *)got;
	size_t len = HEAD + strlen(text);

	memset(got, 0, len);
	ck_assert_int_eq(read(fd, got, sizeof(got)), (ssize_t)len);
	ck_assert_uint_eq(head->len, len);
	ck_assert_int_eq(head->error, 0);
	ck_assert_uint_eq(head->unique, unique);
	ck_assert_mem_eq(got + HEAD, text, strlen(text));
}

START_TEST(message_is_whole)
{
	for (uint64_t i = 1; i < 100; i++) {
		char text[32];

		ck_assert_int_eq(held(), (int)HEAD);
		snprintf(text, sizeof(text), "number %d", (int)i);
		ck_assert_int_eq(pipe_send( dev[0], i << 40, put(text), buf), 0);
		expect(dev[1], i << 40, text);
	}
	ck_assert_int_eq(held(), (int)HEAD);
	ck_assert(reply_pipe_usable(&p));
}
END_TEST

START_TEST(size_is_what_the_system_allows)
{
	struct reply_pipe q;
	struct rlimit none = {0, 0}, old;

	ck_assert_int_ge(fcntl(p.to.fd, F_GETPIPE_SZ), (int)REPLY_PIPE_MIN);
	ck_assert_int_eq(reply_pipe_open(&q, REPLY_PIPE_MIN - 1), -EINVAL);
	ck_assert(!reply_pipe_usable(&q));
	reply_pipe_close(&q);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
	none.rlim_max = old.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	ck_assert_int_eq(reply_pipe_open(&q, SIZE), -EMFILE);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
	ck_assert(!reply_pipe_usable(&q));
}
END_TEST

/* A file in append mode takes writes but no splices: EINVAL. */
START_TEST(device_without_splice_gets_a_copy)
{
	char name[] = "reply_pipe.XXXXXX";
	int fd = mkostemp(name, O_APPEND);

	ck_assert_int_ge(fd, 0);
	unlink(name);
	ck_assert_int_eq(pipe_send( fd, 7, put("copied"), buf), 0);
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	expect(fd, 7, "copied");
	close(fd);
	ck_assert_int_eq(held(), (int)HEAD);
	ck_assert_int_eq(pipe_send( dev[0], 8, put("spliced"), buf), 0);
	expect(dev[1], 8, "spliced");
}
END_TEST

START_TEST(device_that_refuses_leaves_it_clean)
{
	int fd = open("/dev/null", O_RDONLY);

	ck_assert_int_eq(pipe_send( fd, 7, put("lost"), buf), -EBADF);
	close(fd);
	ck_assert_int_eq(held(), (int)HEAD);
	ck_assert_int_eq(pipe_send( dev[0], 8, put("next"), buf), 0);
	expect(dev[1], 8, "next");
}
END_TEST

/* A device that takes a part of a message is none of the kernel's; the rest must not stay. */
START_TEST(rest_of_a_message_does_not_stay)
{
	int fds[2];
	size_t n = 0;
	ssize_t ret;

	ck_assert_int_eq(pipe2(fds, O_NONBLOCK), 0);
	ck_assert_int_ge(fcntl(fds[1], F_SETPIPE_SZ, 8192), 0);
	memset(got, 'x', sizeof(got));
	while ((ret = write(p.to.fd, got, 4096)) > 0)
		n += (size_t)ret;
	ck_assert_int_eq(pipe_send( fds[1], 7, n, buf), -EIO);
	close(fds[0]);
	close(fds[1]);
	ck_assert_int_eq(held(), (int)HEAD);
	ck_assert_int_eq(pipe_send( dev[0], 8, put("clean"), buf), 0);
	expect(dev[1], 8, "clean");
}
END_TEST

START_TEST(without_a_new_pipe_it_goes_out_of_use)
{
	struct rlimit none = {0, 0}, old;
	struct capture c;
	int fds[2];
	size_t n = 0;
	ssize_t ret;

	ck_assert_int_eq(pipe2(fds, O_NONBLOCK), 0);
	ck_assert_int_ge(fcntl(fds[1], F_SETPIPE_SZ, 8192), 0);
	memset(got, 'x', sizeof(got));
	while ((ret = write(p.to.fd, got, 4096)) > 0)
		n += (size_t)ret;
	capture_begin(&c);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
	none.rlim_max = old.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	ck_assert_int_eq(pipe_send( fds[1], 7, n, buf), -EIO);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
	ck_assert_int_eq(count_of(capture_end(&c), "large reads are copied"), 1);
	ck_assert(!reply_pipe_usable(&p));
	ck_assert_int_eq(p.to.fd, -1);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("reply_pipe");
	TCase *tc = tcase_create("all");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, message_is_whole);
	tcase_add_test(tc, size_is_what_the_system_allows);
	tcase_add_test(tc, device_without_splice_gets_a_copy);
	tcase_add_test(tc, device_that_refuses_leaves_it_clean);
	tcase_add_test(tc, rest_of_a_message_does_not_stay);
	tcase_add_test(tc, without_a_new_pipe_it_goes_out_of_use);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
