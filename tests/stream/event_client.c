/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * event_client: a program on libevent that knows nothing of sockfs.
 *
 *	event_client PATH FILE
 *
 * Waits for "one\n", answers "two\n", then copies what comes to stdout while it
 * sends FILE. Ends when the peer has ended and all is sent.
 */
#include "config.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct event_base *base;
static int input, greeted, ended, sent;

static void fail(const char *what)
{
	fprintf(stderr, "event_client: %s\n", what);
	exit(1);
}

static void end_if_done(void)
{
	if (ended && sent)
		event_base_loopbreak(base);
}

static void on_read(struct bufferevent *bev, void *arg)
{
	struct evbuffer *in = bufferevent_get_input(bev);
	char greeting[4];

	(void)arg;
	if (!greeted) {
		if (evbuffer_get_length(in) < 4)
			return;
		evbuffer_remove(in, greeting, 4);
		if (memcmp(greeting, "one\n", 4) != 0)
			fail("not the greeting");
		greeted = 1;
		bufferevent_write(bev, "two\n", 4);
	}
	while (evbuffer_get_length(in) > 0)
		if (evbuffer_write(in, STDOUT_FILENO) < 0)
			fail("stdout");
}

/* All is sent that was given: the next piece. */
static void on_write(struct bufferevent *bev, void *arg)
{
	static char buf[70000];
	ssize_t n;

	(void)arg;
	if (!greeted || sent)
		return;
	n = read(input, buf, sizeof(buf));
	if (n < 0)
		fail("file");
	if (n > 0) {
		bufferevent_write(bev, buf, (size_t)n);
		return;
	}
	sent = 1;
	end_if_done();
}

static void on_event(struct bufferevent *bev, short events, void *arg)
{
	(void)bev;
	(void)arg;
	if (!(events & BEV_EVENT_EOF))
		fail("an error on the socket");
	ended = 1;
	end_if_done();
}

int main(int argc, char **argv)
{
	struct bufferevent *bev;
	int fd;

	if (argc != 3)
		fail("usage: event_client PATH FILE");
	fd = open(argv[1], O_RDWR | O_NONBLOCK | O_CLOEXEC);
	input = open(argv[2], O_RDONLY | O_CLOEXEC);
	if (fd < 0 && (fd = open(argv[1], O_RDWR | O_CLOEXEC)) >= 0)
		fcntl(fd, F_SETFL, O_NONBLOCK);
	if (fd < 0 || input < 0)
		fail("open");
	base = event_base_new();
	bev = base != NULL ? bufferevent_socket_new(base, fd, 0) : NULL;
	if (bev == NULL)
		fail("bufferevent_socket_new");
	bufferevent_setcb(bev, on_read, on_write, on_event, NULL);
	bufferevent_enable(bev, EV_READ | EV_WRITE);
	event_base_dispatch(base);
	bufferevent_free(bev);
	event_base_free(base);
	close(fd);
	return 0;
}
