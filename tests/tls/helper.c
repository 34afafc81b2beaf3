/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon's part, played by a test. */
#include "config.h"

#include "tests/tls/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/tls/certs.h"

pid_t helper_pid;
int helper_control = -1;
char certs_dir[] = "/tmp/sockfs-tls.XXXXXX";

static struct tls_msg message;

/* ----------------------------------------------------------------------- certificates */

void certs_setup(void)
{
	if (mkdtemp(certs_dir) == NULL || chmod(certs_dir, 0755) != 0) {
		perror(certs_dir);
		exit(1);
	}
	certs_make(certs_dir);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void certs_teardown(void)
{
	nftw(certs_dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

const char *cert(const char *name)
{
	static char paths[8][256];
	static unsigned int next;
	char *path = paths[next++ % 8];

	snprintf(path, sizeof(paths[0]), "%s/%s", certs_dir, name);
	return path;
}

/* -------------------------------------------------------------------------- the helper */

void helper_setup(void)
{
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	helper_control = pair[0];
	helper_pid = fork();
	ck_assert_int_ge(helper_pid, 0);
	if (helper_pid == 0) {
		/* A number that nobody else has. */
		int fd = fcntl(pair[1], F_DUPFD, 20);
		char number[16];

		snprintf(number, sizeof(number), "%d", fd);
		/* What a system trusts differs from machine to machine. */
		setenv("SSL_CERT_FILE", cert("ca.pem"), 1);
		execl("./sockfs-tls", "sockfs-tls", number, NULL);
		perror("./sockfs-tls");
		_exit(127);
	}
	close(pair[1]);
	ck_assert_str_ne(tls_msg_text(expect_msg(TLS_MSG_HELLO, 0), TLS_HELLO_LIBRARY), "");
}

int helper_wait(void)
{
	int status;

	for (int waited = 0; waitpid(helper_pid, &status, WNOHANG) == 0; waited++) {
		ck_assert_int_lt(waited, WAIT_MS / 10);
		usleep(10000);
	}
	helper_pid = 0;
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

void helper_teardown(void)
{
	if (helper_control >= 0)
		close(helper_control);
	helper_control = -1;
	if (helper_pid != 0)
		ck_assert_int_eq(helper_wait(), 0);
	peer_wait();
}

size_t helper_rss(void)
{
	char path[64], line[256];
	size_t pages = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/statm", (int)helper_pid);
	f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	ck_assert_ptr_nonnull(fgets(line, sizeof(line), f));
	ck_assert_int_eq(sscanf(line, "%*u %zu", &pages), 1);
	fclose(f);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* ---------------------------------------------------------------------------- messages */

void send_msg(const struct tls_msg *msg, const int *fds)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(2 * sizeof(int))];
	} control = {.room = {0}};
	struct iovec iov = {(void *)msg, msg->head.len};
	struct msghdr hdr = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
			     .msg_controllen = sizeof(control)};

	control.head = (struct cmsghdr){.cmsg_len = CMSG_LEN(2 * sizeof(int)),
					.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
	memcpy(CMSG_DATA(&control.head), fds, 2 * sizeof(int));
	ck_assert_int_eq(sendmsg(helper_control, &hdr, MSG_NOSIGNAL), msg->head.len);
}

static const char *or_default(const char *text, const char *otherwise)
{
	return text == NULL ? otherwise : text;
}

int ask_tls(uint64_t id, int net, struct ask ask)
{
	enum tls_kind kind = ask.kind == 0 ? TLS_CLIENT : ask.kind;
	int pair[2], fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	tls_msg_init(&message, TLS_MSG_OPEN, id);
	message.open.kind = kind;
	message.open.flags = (ask.trust ? 0 : TLS_OPEN_VERIFY) | (ask.lax ? TLS_OPEN_EOF_LAX : 0);
	message.open.min_version = ask.min_version;
	message.open.timeout_ms = ask.timeout_ms;
	message.open.uid = ask.uid == 0 ? geteuid() : ask.uid;
	ck_assert_int_eq(tls_msg_add(&message, or_default(ask.name, "localhost")), 0);
	ck_assert_int_eq(tls_msg_add(&message, or_default(ask.ca, cert("ca.pem"))), 0);
	ck_assert_int_eq(tls_msg_add(&message, or_default(ask.cert, kind == TLS_SERVER ?
								    cert("good.pem") : "")), 0);
	ck_assert_int_eq(tls_msg_add(&message, or_default(ask.key, "")), 0);
	ck_assert_int_eq(tls_msg_add(&message, or_default(ask.alpn, "")), 0);
	fds[0] = net;
	fds[1] = pair[1];
	send_msg(&message, fds);
	close(net);
	close(pair[1]);
	return pair[0];
}

static bool can_read(int fd, int ms)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN};

	return poll(&pfd, 1, ms) == 1;
}

static const struct tls_msg *next_msg(void)
{
	ssize_t n;

	ck_assert_msg(can_read(helper_control, WAIT_MS), "no message from the helper");
	n = recv(helper_control, &message, sizeof(message), 0);
	ck_assert_msg(n > 0, "the helper has ended");
	ck_assert_int_eq(tls_msg_check(&message, (size_t)n), 0);
	return &message;
}

const struct tls_msg *expect_msg(enum tls_type type, uint64_t id)
{
	(void)next_msg();
	ck_assert_uint_eq(message.head.type, type);
	if (id != ANY_ID)
		ck_assert_uint_eq(message.head.id, id);
	return &message;
}

static void expect_words(int have, int err, const char *words, const char *reason)
{
	ck_assert_msg(have == err, "%s (%s) instead of %s", strerror(have), words, strerror(err));
	ck_assert_msg((err == 0) == (words[0] == '\0'), "an errno without words: %d", err);
	if (reason != NULL)
		ck_assert_msg(strstr(words, reason) != NULL, "\"%s\" without \"%s\"", words,
			      reason);
}

void expect_opened(uint64_t id, int err, const char *reason)
{
	const struct tls_msg *msg = expect_msg(TLS_MSG_OPENED, id);

	expect_words(msg->opened.err, err, tls_msg_text(msg, TLS_OPENED_REASON), reason);
}

void expect_end(uint64_t id, int err, const char *reason)
{
	const struct tls_msg *msg = next_msg();

	if (msg->head.type == TLS_MSG_EOF && msg->head.id == id)
		msg = next_msg();
	ck_assert_uint_eq(msg->head.type, TLS_MSG_END);
	ck_assert_uint_eq(msg->head.id, id);

	expect_words(msg->end.err, err, tls_msg_text(msg, TLS_END_REASON), reason);
}

void expect_eof(uint64_t id, int fd)
{
	file_expect_eof(fd);
	(void)expect_msg(TLS_MSG_EOF, id);
}

void expect_silence(void)
{
	ck_assert_msg(!can_read(helper_control, 0), "there is a message");
}

/* ------------------------------------------------------------------------------- files */

void fill(unsigned char *buf, size_t at, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf[i] = pattern(at + i);
}

bool is_pattern(const unsigned char *buf, size_t at, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (buf[i] != pattern(at + i))
			return false;
	return true;
}

void file_write(int fd, const void *buf, size_t n)
{
	for (size_t done = 0; done < n;) {
		ssize_t len = send(fd, (const char *)buf + done, n - done, MSG_NOSIGNAL);

		ck_assert_msg(len > 0, "write: %s", strerror(errno));
		done += (size_t)len;
	}
}

void file_read(int fd, void *buf, size_t n)
{
	for (size_t done = 0; done < n;) {
		ssize_t len;

		ck_assert_msg(can_read(fd, WAIT_MS), "nothing to read after %zu bytes", done);
		len = read(fd, (char *)buf + done, n - done);
		ck_assert_msg(len > 0, "read after %zu bytes: %s", done,
			      len == 0 ? "end of file" : strerror(errno));
		done += (size_t)len;
	}
}

void file_expect_eof(int fd)
{
	char c;

	ck_assert_msg(can_read(fd, WAIT_MS), "no end of file");
	ck_assert_int_eq(read(fd, &c, 1), 0);
}
