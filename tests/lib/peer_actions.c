/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a peer can do with its connection. Everything blocks; the alarm of peer.c bounds it. */
#include "config.h"

#include "tests/lib/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHUNK 65536

const char *volatile peer_doing = "nothing yet";

static int complain(const char *action, const char *what)
{
	fprintf(stderr, "peer: %s: %s\n", action, what);
	return 1;
}

static int complain_errno(const char *action)
{
	return complain(action, strerror(errno));
}

/* read(2) that a signal does not end. */
static ssize_t read_some(int fd, void *buf, size_t size)
{
	ssize_t n;

	do
		n = read(fd, buf, size);
	while (n < 0 && errno == EINTR);
	return n;
}

static int write_all(int fd, const void *buf, size_t size)
{
	const char *p = buf;

	while (size > 0) {
		ssize_t n = write(fd, p, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		p += n;
		size -= (size_t)n;
	}
	return 0;
}

uint64_t peer_size(const char *text)
{
	static const char suffixes[] = "kmg";
	char *end;
	unsigned long long n;
	const char *suffix;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (end != text && *end) {
		suffix = strchr(suffixes, *end);
		if (suffix) {
			n <<= 10 * (suffix - suffixes + 1);
			end++;
		}
	}
	if (errno || end == text || *end || *text == '-') {
		fprintf(stderr, "peer: %s: not a number\n", text);
		exit(2);
	}
	return n;
}

/*
 * The pattern: eight bytes at a time from a mixing function (splitmix64) of
 * their place, so that a byte lost, doubled or moved anywhere is seen.
 */
static void fill_pattern(unsigned char *buf, size_t size, uint64_t offset)
{
	size_t i = 0;

	while (i < size) {
		uint64_t x = ((offset + i) / 8 + 1) * UINT64_C(0x9e3779b97f4a7c15);
		unsigned int byte = (offset + i) % 8;

		x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
		x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
		x ^= x >> 31;
		for (; byte < 8 && i < size; byte++, i++)
			buf[i] = (unsigned char)(x >> 8 * byte);
	}
}

static int send_pattern(int fd, uint64_t *offset, uint64_t size)
{
	unsigned char buf[CHUNK];

	while (size > 0) {
		size_t n = size < sizeof(buf) ? size : sizeof(buf);

		fill_pattern(buf, n, *offset);
		if (write_all(fd, buf, n) < 0)
			return -1;
		*offset += n;
		size -= n;
	}
	return 0;
}

int peer_pattern(int fd, uint64_t size)
{
	uint64_t offset = 0;

	return send_pattern(fd, &offset, size) < 0 ? complain_errno("pattern") : 0;
}

void peer_until(const char *file)
{
	while (access(file, F_OK) < 0)
		poll(NULL, 0, 10);
}

static int do_close(struct peer *peer, char **args)
{
	int ret = close(peer->fd);

	(void)args;
	peer->fd = -1;
	return ret < 0 ? complain_errno("close") : 0;
}

static int do_reset(struct peer *peer, char **args)
{
	struct linger linger = { .l_onoff = 1, .l_linger = 0 };

	if (setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)) < 0)
		return complain_errno("reset");
	return do_close(peer, args);
}

static int do_shut(struct peer *peer, char **args)
{
	(void)args;
	return shutdown(peer->fd, SHUT_WR) < 0 ? complain_errno("shut") : 0;
}

/* Copies from the connection to fd (or nowhere) until the end of the stream, or size bytes. */
static int drain(struct peer *peer, const char *action, int fd, uint64_t size)
{
	char buf[CHUNK];

	while (size > 0) {
		ssize_t n = read_some(peer->fd, buf, size < sizeof(buf) ? size : sizeof(buf));

		if (n < 0)
			return complain_errno(action);
		if (n == 0 && size == UINT64_MAX)
			break;
		if (n == 0)
			return complain(action, "end of file too early");
		if (fd >= 0 && write_all(fd, buf, (size_t)n) < 0)
			return complain_errno(action);
		if (size != UINT64_MAX)
			size -= (uint64_t)n;
	}
	return 0;
}

static int drain_to_file(struct peer *peer, const char *action, const char *file, uint64_t size)
{
	int fd, ret;

	if (strcmp(file, "-") == 0)
		return drain(peer, action, STDOUT_FILENO, size);
	fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	if (fd < 0)
		return complain_errno(file);
	ret = drain(peer, action, fd, size);
	if (close(fd) < 0 && ret == 0)
		ret = complain_errno(file);
	return ret;
}

static int do_echo(struct peer *peer, char **args)
{
	(void)args;
	return drain(peer, "echo", peer->fd, UINT64_MAX);
}

static int do_discard(struct peer *peer, char **args)
{
	(void)args;
	return drain(peer, "discard", -1, UINT64_MAX);
}

static int do_recv(struct peer *peer, char **args)
{
	return drain(peer, "recv", -1, peer_size(args[0]));
}

static int do_save(struct peer *peer, char **args)
{
	return drain_to_file(peer, "save", args[0], UINT64_MAX);
}

static int do_take(struct peer *peer, char **args)
{
	return drain_to_file(peer, "take", args[1], peer_size(args[0]));
}

static int do_line(struct peer *peer, char **args)
{
	char c;

	(void)args;
	do {
		ssize_t n = read_some(peer->fd, &c, 1);

		if (n < 0)
			return complain_errno("line");
		if (n == 0)
			return complain("line", "end of file before the line's end");
		if (write_all(STDOUT_FILENO, &c, 1) < 0)
			return complain_errno("line");
	} while (c != '\n');
	return 0;
}

static int do_verify(struct peer *peer, char **args)
{
	unsigned char got[CHUNK], want[CHUNK];
	uint64_t size = peer_size(args[0]);

	while (size > 0) {
		size_t most = size < sizeof(got) ? size : sizeof(got);
		ssize_t n = read_some(peer->fd, got, most);
		ssize_t i;

		if (n < 0)
			return complain_errno("verify");
		if (n == 0)
			return complain("verify", "end of file too early");
		fill_pattern(want, (size_t)n, peer->rx);
		for (i = 0; i < n && got[i] == want[i]; i++)
			;
		if (i < n) {
			fprintf(stderr, "peer: verify: byte %" PRIu64 " is wrong\n",
				peer->rx + (uint64_t)i);
			return 1;
		}
		peer->rx += (uint64_t)n;
		size -= (uint64_t)n;
	}
	return 0;
}

static int do_flood(struct peer *peer, char **args)
{
	return send_pattern(peer->fd, &peer->tx, peer_size(args[0])) < 0 ?
		complain_errno("flood") : 0;
}

static int do_send(struct peer *peer, char **args)
{
	char buf[CHUNK];
	ssize_t n;
	int ret = 0;
	int fd = strcmp(args[0], "-") == 0 ? STDIN_FILENO : open(args[0], O_RDONLY);

	if (fd < 0)
		return complain_errno(args[0]);
	while ((n = read_some(fd, buf, sizeof(buf))) > 0) {
		if (write_all(peer->fd, buf, (size_t)n) < 0) {
			ret = complain_errno("send");
			break;
		}
	}
	if (n < 0)
		ret = complain_errno(args[0]);
	if (fd != STDIN_FILENO)
		close(fd);
	return ret;
}

/* Replaces \n, \r, \t, \\ and \xHH in place. Returns the length: \x00 is allowed. */
static size_t unescape(char *text)
{
	char *in = text, *out = text;

	while (*in) {
		if (*in != '\\' || !in[1]) {
			*out++ = *in++;
			continue;
		}
		in++;
		if (*in == 'x' && in[1] && in[2]) {
			char hex[3] = { in[1], in[2], '\0' };

			*out++ = (char)strtol(hex, NULL, 16);
			in += 3;
			continue;
		}
		*out++ = (char)(*in == 'n' ? '\n' : *in == 'r' ? '\r' : *in == 't' ? '\t' : *in);
		in++;
	}
	return (size_t)(out - text);
}

static int do_say(struct peer *peer, char **args)
{
	char *text = strdup(args[0]);
	int ret;

	if (!text)
		return complain_errno("say");
	ret = write_all(peer->fd, text, unescape(text)) < 0 ? complain_errno("say") : 0;
	free(text);
	return ret;
}

static int do_trickle(struct peer *peer, char **args)
{
	char *text = strdup(args[0]);
	int on = 1, ret = 0;
	size_t i, size;

	if (!text)
		return complain_errno("trickle");
	size = unescape(text);
	if (setsockopt(peer->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0)
		ret = complain_errno("trickle");
	for (i = 0; i < size && ret == 0; i++)
		if (write_all(peer->fd, text + i, 1) < 0)
			ret = complain_errno("trickle");
	free(text);
	return ret;
}

static int do_expect(struct peer *peer, char **args)
{
	char *want = strdup(args[0]);
	int ret = 0;
	size_t i, size;

	if (!want)
		return complain_errno("expect");
	size = unescape(want);
	for (i = 0; i < size && ret == 0; i++) {
		char c;
		ssize_t n = read_some(peer->fd, &c, 1);

		if (n < 0) {
			ret = complain_errno("expect");
		} else if (n == 0) {
			ret = complain("expect", "end of file too early");
		} else if (c != want[i]) {
			fprintf(stderr, "peer: expect: byte %zu is \\x%02x, not \\x%02x\n", i,
				(unsigned char)c, (unsigned char)want[i]);
			ret = 1;
		}
	}
	free(want);
	return ret;
}

static int do_eof(struct peer *peer, char **args)
{
	char c;
	ssize_t n = read_some(peer->fd, &c, 1);

	(void)args;
	if (n < 0)
		return complain_errno("eof");
	return n > 0 ? complain("eof", "there are more bytes") : 0;
}

static int do_isreset(struct peer *peer, char **args)
{
	char buf[CHUNK];
	ssize_t n;

	(void)args;
	do
		n = read_some(peer->fd, buf, sizeof(buf));
	while (n > 0);
	if (n == 0)
		return complain("isreset", "end of file instead");
	return errno == ECONNRESET ? 0 : complain_errno("isreset");
}

static int do_hup(struct peer *peer, char **args)
{
	struct pollfd pfd = { .fd = peer->fd, .events = POLLRDHUP };

	(void)args;
	while (poll(&pfd, 1, -1) < 0)
		if (errno != EINTR)
			return complain_errno("hup");
	return 0;
}

static int do_wait(struct peer *peer, char **args)
{
	char c;
	ssize_t n;

	(void)peer;
	(void)args;
	do
		n = read_some(STDIN_FILENO, &c, 1);
	while (n > 0 && c != '\n');
	return n > 0 ? 0 : complain("wait", "no line on stdin");
}

static int do_until(struct peer *peer, char **args)
{
	(void)peer;
	peer_until(args[0]);
	return 0;
}

static int do_tell(struct peer *peer, char **args)
{
	int fd = open(args[0], O_WRONLY | O_CREAT, 0666);

	(void)peer;
	if (fd < 0 || close(fd) < 0)
		return complain_errno(args[0]);
	return 0;
}

static int do_hold(struct peer *peer, char **args)
{
	(void)peer;
	(void)args;
	while (pause() < 0)
		;
	return 0;
}

struct action {
	const char *name;
	int nargs;
	int (*run)(struct peer *peer, char **args);
};

static const struct action actions[] = {
	{ "close", 0, do_close },     { "discard", 0, do_discard }, { "echo", 0, do_echo },
	{ "eof", 0, do_eof },	      { "expect", 1, do_expect },   { "flood", 1, do_flood },
	{ "hold", 0, do_hold },	      { "hup", 0, do_hup },	    { "isreset", 0, do_isreset },
	{ "line", 0, do_line },	      { "recv", 1, do_recv },	    { "reset", 0, do_reset },
	{ "save", 1, do_save },	      { "say", 1, do_say },	    { "send", 1, do_send },
	{ "shut", 0, do_shut },	      { "take", 2, do_take },	    { "tell", 1, do_tell },
	{ "trickle", 1, do_trickle }, { "until", 1, do_until },	    { "verify", 1, do_verify },
	{ "wait", 0, do_wait },
};

static const struct action *find_action(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (strcmp(actions[i].name, name) == 0)
			return &actions[i];
	return NULL;
}

int peer_check(char **argv)
{
	while (*argv) {
		const struct action *action = find_action(*argv);
		int i;

		if (!action)
			return !complain(*argv, "no such action");
		argv++;
		for (i = 0; i < action->nargs; i++)
			if (!*argv++)
				return !complain(action->name, "an argument is missing");
	}
	return 1;
}

int peer_run(struct peer *peer, char **argv)
{
	int ret = 0;

	while (*argv && ret == 0) {
		const struct action *action = find_action(*argv);

		if (!action)
			return complain(*argv, "no such action");
		peer_doing = action->name;
		ret = peer->fd < 0 && action->run != do_until && action->run != do_tell ?
			complain(action->name, "the connection is closed already") :
			action->run(peer, argv + 1);
		argv += 1 + action->nargs;
	}
	if (peer->fd >= 0 && do_close(peer, NULL))
		ret = 1;
	return ret;
}
