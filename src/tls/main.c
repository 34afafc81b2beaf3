/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sockfs-tls: the process that speaks TLS for a mount.
 *
 *	sockfs-tls FD
 *
 * FD is its end of the control channel (uapi/tls.h). The daemon starts it with the first
 * TLS connection of the mount. It is a process of its own so that OpenSSL's
 * faults and the milliseconds of a handshake do not hold the other files up, and that no key lies
 * in the daemon's memory.
 *
 * It ends when the daemon closes the channel and the connections have ended: their files
 * are closed, but what was written goes out first. Another process that goes on with the mount
 * does so with the channel, too, and is the daemon then. Signals that end a group of
 * processes are for the daemon, so it ignores them. Exit status 0; 1 after
 * a line on stderr: it could not begin, or the daemon is of another version.
 */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "lib/log.h"
#include "lib/util.h"
#include "tls/channel.h"
#include "tls/confine.h"
#include "tls/conn.h"
#include "tls/files.h"
#include "tls/session.h"

static int status;

static int fail(const char *what, int err)
{
	pr_err("%s: %s", what, strerror(-err));
	return 1;
}

static void on_msg(const struct tls_msg *msg, const int *fds)
{
	if (msg->head.type == TLS_MSG_OPEN) {
		conn_open(msg, fds);
		return;
	}
	for (size_t i = 0; i < CHANNEL_FDS; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

static void on_idle(void)
{
	conns_exit();
}

static void on_end(int err)
{
	if (err != 0)
		status = fail("control channel", err);
	conns_finish(on_idle);
}

static void say_hello(void)
{
	static struct tls_msg msg;

	tls_msg_init(&msg, TLS_MSG_HELLO, 0);
	tls_msg_add_cut(&msg, OpenSSL_version(OPENSSL_VERSION));
	channel_send(&msg);
}

static void ignore_signals(void)
{
	static const int signums[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE};

	for (size_t i = 0; i < ARRAY_SIZE(signums); i++)
		signal(signums[i], SIG_IGN);
}

static int serve(int fd)
{
	uv_loop_t loop;
	int err = uv_loop_init(&loop);

	if (err != 0)
		return fail("event loop", err);
	err = channel_init(&loop, fd, on_msg, on_end);
	if (err != 0)
		return fail("control channel", err);
	err = conns_init(&loop);
	if (err != 0)
		return fail("event loop", err);
	err = confine_calls();
	if (err != 0)
		return fail("seccomp", err);
	say_hello();
	uv_run(&loop, UV_RUN_DEFAULT);
	channel_exit();
	if (uv_loop_close(&loop) != 0) {
		pr_err("BUG: the event loop is busy");
		status = 1;
	}
	return status;
}

int main(int argc, char **argv)
{
	char *end = NULL;
	long fd = argc == 2 ? strtol(argv[1], &end, 10) : -1;
	int err;

	log_open("sockfs-tls", false, LOGLEVEL_INFO);
	if (fd <= STDERR_FILENO || fd > INT_MAX || *end != '\0') {
		fputs("usage: sockfs-tls FD\n"
		      "sockfs starts it for a mount's TLS; FD is the control channel.\n",
		      stderr);
		return 2;
	}
	ignore_signals();
	err = confine_process();
	if (err != 0)
		return fail("rights", err);
	err = files_init();
	if (err == 0)
		err = sessions_init();
	if (err != 0)
		return fail("OpenSSL", err);
	status = serve((int)fd);
	sessions_exit();
	files_exit();
	return status;
}
