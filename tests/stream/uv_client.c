/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * uv_client: a program on libuv that knows nothing of sockfs.
 *
 *	uv_client PATH FILE
 *
 * Waits for "one\n", answers "two\n", then copies what comes to stdout while it
 * sends FILE. Ends when the peer has ended and all is sent.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

static uv_poll_t watch;
static int sock, input;
static char out[70000]; /* of FILE, not sent yet */
static size_t out_len, out_off, seen;
static int greeted, ended, sent;

static void fail(const char *what, int err)
{
	fprintf(stderr, "uv_client: %s: %s\n", what, strerror(err));
	exit(1);
}

static void on_event(uv_poll_t *handle, int status, int events);

static void watch_again(void)
{
	int events = (ended ? 0 : UV_READABLE) | (greeted && !sent ? UV_WRITABLE : 0);

	if (events == 0)
		uv_close((uv_handle_t *)&watch, NULL);
	else if (uv_poll_start(&watch, events, on_event) != 0)
		fail("uv_poll_start", EINVAL);
}

static void take(void)
{
	static const char greeting[] = "one\n";
	char buf[50000];
	ssize_t n = read(sock, buf, sizeof(buf)), skip = 0;

	if (n < 0 && errno == EAGAIN)
		return;
	if (n < 0)
		fail("read", errno);
	ended = n == 0;
	while (seen < strlen(greeting) && skip < n)
		if (buf[skip++] != greeting[seen++])
			fail("greeting", EPROTO);
	if (seen == strlen(greeting) && !greeted) {
		greeted = 1;
		memcpy(out, "two\n", 4);
		out_len = 4;
	}
	if (fwrite(buf + skip, 1, (size_t)(n - skip), stdout) != (size_t)(n - skip))
		fail("stdout", EIO);
}

static void give(void)
{
	ssize_t n;

	if (out_off == out_len) {
		n = read(input, out, sizeof(out));
		if (n < 0)
			fail("file", errno);
		out_len = (size_t)n;
		out_off = 0;
		sent = n == 0;
	}
	n = write(sock, out + out_off, out_len - out_off);
	if (n < 0 && errno != EAGAIN)
		fail("write", errno);
	if (n > 0)
		out_off += (size_t)n;
}

static void on_event(uv_poll_t *handle, int status, int events)
{
	(void)handle;
	if (status != 0)
		fail("poll", -status);
	if (events & UV_READABLE)
		take();
	if (events & UV_WRITABLE)
		give();
	watch_again();
}

int main(int argc, char **argv)
{
	uv_loop_t *loop = uv_default_loop();
	int err;

	if (argc != 3)
		fail("usage: uv_client PATH FILE", EINVAL);
	sock = open(argv[1], O_RDWR | O_CLOEXEC);
	input = open(argv[2], O_RDONLY | O_CLOEXEC);
	if (sock < 0 || input < 0)
		fail("open", errno);
	err = uv_poll_init(loop, &watch, sock);
	if (err != 0)
		fail("uv_poll_init", -err);
	watch_again();
	uv_run(loop, UV_RUN_DEFAULT);
	uv_loop_close(loop);
	close(sock);
	return fflush(stdout) == 0 ? 0 : 1;
}
