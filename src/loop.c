/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's life on its loop.
 *
 * Happy path: rooms are made in the order of their layers, the session begins to
 * receive, the loop runs until the session ends or a signal stops it; then receiving
 * stops, parked requests end, the super block lets go of every socket, and the
 * loop runs on until libuv has let go of every handle.
 *
 * Failure modes: whatever fails on the way up takes down what is there. On
 * the way down handles get DRAIN_MS; what is left then is told and is a failure.
 */
#include "config.h"

#include "loop.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "ctl/faces.h"
#include "fs/fs.h"
#include "fs/user.h"
#include "fuse/session.h"
#include "journal/ledger.h"
#include "lib/log.h"
#include "lib/util.h"
#include "mm/vmstat.h"
#include "net/core/wait.h"
#include "net/inet/af_inet.h"
#include "net/socket.h"
#include "net/tls/tls.h"
#include "net/unix/unix.h"
#include "policy/keep.h"
#include "policy/reload.h"
#include "priv/priv.h"
#include "priv/unmounter.h"
#include "resume/restore.h"
#include "resume/save.h"
#include "super/guard.h"
#include "super/supervisor.h"

#define DRAIN_MS 5000

/* Bytes of open tables. */
#define MAX_TABLES (256u << 20)

/* Bytes of messages that have been read in part, or wait for their file. */
#define MAX_MESSAGES (64u << 20)

struct daemon {
	uv_loop_t loop;
	uv_signal_t signals[3];
	unsigned int nr_signals;
	unsigned int nr_stops; /* signals that came */
	struct guard *guard;
	uv_timer_t deadline;
	struct super_block sb;
	struct sockfs_session *session;
	void (*ready)(void *arg);
	void *ready_arg;
	bool resumed; /* another process has served the mount */
	bool ending;
	bool expired;
	int status;
};

static void on_ready(void *arg)
{
	struct daemon *d = arg;

	d->ready(d->ready_arg);
}

static void on_end(void *arg, int err)
{
	struct daemon *d = arg;

	if (err != 0) {
		pr_err("/dev/fuse: %s", strerror(-err));
		d->status = 1;
	}
	d->ending = true;
	uv_stop(&d->loop);
}

static void on_signal(uv_signal_t *handle, int signum)
{
	struct daemon *d = handle->data;

	d->nr_stops++;
	if (d->ending) {
		if (supervisor_stop_is_urgent(d->nr_stops))
			supervisor_exit(1);
		return;
	}
	pr_debug("%s: unmounting", strsignal(signum));
	d->ending = true;
	uv_stop(&d->loop);
}

static int start_signals(struct daemon *d, const struct options *opt)
{
	static const int signums[] = {SIGTERM, SIGINT, SIGHUP};

	BUILD_BUG_ON(ARRAY_SIZE(signums) != ARRAY_SIZE(d->signals));
	for (size_t i = 0; i < ARRAY_SIZE(signums); i++) {
		uv_signal_t *handle = &d->signals[d->nr_signals];
		int err;

		if (signums[i] == SIGHUP && opt->policy != NULL) {
			err = policy_reload_start(&d->loop, opt->policy);
			if (err != 0)
				return err;
			continue;
		}
		/* In the background there is no terminal that could hang up. */
		if (signums[i] == SIGHUP && !opt->foreground)
			continue;
		err = uv_signal_init(&d->loop, handle);
		if (err != 0)
			return err;
		d->nr_signals++;
		handle->data = d;
		err = uv_signal_start(handle, on_signal, signums[i]);
		if (err != 0)
			return err;
	}
	supervisor_unblock_signals();
	return 0;
}

/* ----------------------------------------------------------------- the way down */

static void on_deadline(uv_timer_t *handle)
{
	struct daemon *d = container_of(handle, struct daemon, deadline);

	d->expired = true;
}

static void log_handles(uv_loop_t *loop)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (f == NULL)
		return;
	uv_print_all_handles(loop, f);
	fclose(f);
	for (char *save, *line = strtok_r(text, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save))
		pr_err("still alive: %s", line);
	free(text);
}

/* Run until every handle and request is gone. The signals stay on meanwhile. */
static void loop_drain(struct daemon *d)
{
	for (unsigned int i = 0; i < d->nr_signals; i++)
		uv_unref((uv_handle_t *)&d->signals[i]);
	uv_timer_init(&d->loop, &d->deadline);
	/* A million files take longer to let go than libuv's idea of now may be old. */
	uv_update_time(&d->loop);
	uv_timer_start(&d->deadline, on_deadline, DRAIN_MS, 0);
	uv_unref((uv_handle_t *)&d->deadline);
	while (!d->expired && uv_run(&d->loop, UV_RUN_ONCE) != 0)
		;
	if (!d->expired)
		return;
	log_handles(&d->loop);
	supervisor_exit(1);
}

static void loop_close(struct daemon *d)
{
	loop_drain(d);
	/* One that comes late must not find its default action, and end what has ended well. */
	supervisor_block_signals();
	for (unsigned int i = 0; i < d->nr_signals; i++)
		uv_close((uv_handle_t *)&d->signals[i], NULL);
	uv_close((uv_handle_t *)&d->deadline, NULL);
	while (uv_run(&d->loop, UV_RUN_DEFAULT) != 0)
		;
}

/* ------------------------------------------------------------------- the way up */

static int fail(const char *what, int err)
{
	pr_err("%s: %s", what, strerror(-err));
	return err;
}

/* Everything is there again, and what was in work goes on. */
static int resume(struct daemon *d, const struct options *opt)
{
	struct restored r;
	int err = sockfs_session_claim(d->session);

	if (err == 0 && opt->policy != NULL)
		err = policy_resume(opt->policy);
	if (err == 0)
		err = restore(&d->sb, &r);
	else
		restore_cancel();
	if (err != 0)
		return fail("what the last process has left", err);
	pr_info("goes on with %lu files, %lu of them connected, %lu open; %lu are lost",
		r.sockets, r.connections, r.files, r.lost);
	return 0;
}

static int daemon_serve(struct daemon *d, struct options *opt)
{
	const struct sockfs_session_events events = {on_ready, on_end, d};
	int err = 0;

	if (d->resumed)
		err = resume(d, opt);
	else
		save_begin(&d->sb, true);
	if (err != 0)
		return err;
	err = policy_keep_first();
	if (err != 0)
		return fail("policy", err);
	err = sockfs_session_attach(d->session, &d->loop, &d->sb, &events);
	if (err != 0)
		return err;
	err = start_signals(d, opt);
	if (err != 0)
		return fail("signals", err);
	d->guard = guard_start(&d->loop);
	sockfs_session_tune(d->session, &opt->tuning);
	if (opt->confine) {
		err = priv_confine(&opt->user, opt->others || options_mounted_already(opt));
		if (err != 0)
			return err;
	}
	err = sockfs_session_start(d->session);
	if (err == 0 && d->resumed) {
		err = sockfs_session_settle(d->session);
		restore_end(&d->sb);
		/* Before those who wait for them. */
		restore_dials(&d->sb);
		policy_reload_resume();
	}
	if (err != 0)
		return fail("/dev/fuse", err);
	if (d->resumed)
		sockfs_session_resume(d->session);
	uv_run(&d->loop, UV_RUN_DEFAULT);
	return 0;
}

static void set_limits(struct daemon *d, const struct options *opt)
{
	if (ledger != NULL) {
		idtable_limit(&d->sb.s_inodes, ledger_max(LEDGER_INODES) - 1);
		idtable_limit(&d->sb.s_files, ledger_max(LEDGER_FILES));
	}
	d->sb.s_max_sockets = opt->max_sockets;
	d->sb.s_umask = opt->umask;
	user_set_limits(&opt->per_uid);
	vm_set_max(VM_PARKED, opt->max_parked);
	vm_set_max(VM_TEXT, opt->max_text);
	vm_set_max(VM_TABLES, MAX_TABLES);
	vm_set_max(VM_MESSAGES, MAX_MESSAGES);
}

static int daemon_run(struct daemon *d, struct options *opt)
{
	int err = sock_init();

	if (err != 0)
		return fail("sockets", err);
	sk_loop_init(&d->loop);
	err = inet_init();
	if (err == 0 && (err = unix_init()) != 0)
		(void)inet_exit();
	if (err != 0) {
		fail("protocols", err);
		goto exit_sock;
	}
	err = tls_init(&d->loop);
	if (err != 0) {
		fail("protocols", err);
		goto exit_protocols;
	}
	err = super_init(&d->sb, &sockfs_ops, &sockfs_dir_iops, opt->mode, opt->uid, opt->gid);
	if (err != 0) {
		fail("super block", err);
		goto exit_tls;
	}
	set_limits(d, opt);
	err = faces_init(&d->sb);
	if (err != 0)
		fail("directories", err);
	else
		err = daemon_serve(d, opt);

	d->ending = true;
	policy_reload_stop();
	sockfs_session_stop(d->session);
	save_end(&d->sb);
	guard_stop(d->guard);
	super_fini(&d->sb);
	tls_stop();
	loop_close(d);
	if (sockfs_session_destroy(d->session) != 0)
		err = -EBUSY;
	d->session = NULL;
exit_tls:
	if (tls_exit() != 0)
		err = -EBUSY;
exit_protocols:
	if (unix_exit() != 0)
		err = -EBUSY;
	if (inet_exit() != 0)
		err = -EBUSY;
exit_sock:
	if (sock_exit() != 0)
		err = -EBUSY;
	return err;
}

static int serve(struct options *opt, struct sockfs_session *session, void (*ready)(void *arg),
		 void *arg, bool resumed)
{
	struct daemon *d = calloc(1, sizeof(*d));
	int err, status = 1;

	if (d == NULL) {
		fail("start", -ENOMEM);
		goto end_session;
	}
	if (ledger != NULL)
		ledger_begin();
	/* What logging has open would be closed behind its back. */
	if (resumed) {
		log_close();
		(void)restore_begin((int[]){sockfs_session_fd(session), unmounter_fd()}, 2);
	}
	d->session = session;
	d->resumed = resumed;
	d->ready = ready;
	d->ready_arg = arg;
	sock_default_connect_timeout = opt->connect_timeout;
	sock_default_rcvtimeo = opt->rcvtimeo;
	sock_default_sndtimeo = opt->sndtimeo;
	err = uv_loop_init(&d->loop);
	if (err != 0) {
		fail("event loop", err);
		goto free_daemon;
	}
	if (daemon_run(d, opt) == 0)
		status = d->status;
	if (uv_loop_close(&d->loop) != 0) {
		pr_err("BUG: the event loop is busy");
		status = 1;
	}
free_daemon:
	session = d->session;
	free(d);
end_session:
	/* One that was not served. */
	if (session != NULL)
		sockfs_session_stop(session);
	sockfs_session_destroy(session);
	return status;
}

int loop_serve(struct options *opt, struct sockfs_session *session, void (*ready)(void *arg),
	       void *arg)
{
	return serve(opt, session, ready, arg, false);
}

int loop_resume(struct options *opt, struct sockfs_session *session, void (*ready)(void *arg),
		void *arg)
{
	return serve(opt, session, ready, arg, true);
}
