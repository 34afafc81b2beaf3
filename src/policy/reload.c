/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Happy path: SIGHUP -> a thread reads and parses -> policy_set() on the loop.
 * A thread, because looking up the users that a file names may take long. It
 * shares nothing with the loop but the struct reload, which each has in turn.
 *
 * Failure modes: the file is bad (the rules stay); SIGHUP comes while the file is being read
 * (it is read once more); the daemon ends meanwhile (what was read is dropped); it is killed
 * meanwhile (the next one reads the file).
 */
#include "config.h"

#include "policy/reload.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "journal/ledger.h"
#include "lib/log.h"
#include "policy/file.h"
#include "policy/keep.h"
#include "policy/policy.h"
#include "policy/rules.h"

static struct reload {
	uv_signal_t sighup;
	uv_work_t work;
	const char *path;
	bool started;
	bool reading;
	bool again;
	struct policy *policy; /* what was read */
	int err;
	char message[LOG_LINE_MAX];
} reload;

static void reload_begin(struct reload *r);

/* In a thread of libuv's. */
static void read_file(uv_work_t *work)
{
	struct reload *r = work->data;

	r->policy = NULL;
	r->err = policy_read(r->path, &r->policy, r->message, sizeof(r->message));
}

void policy_reload_asked(bool asked)
{
	if (ledger != NULL)
		ledger->policy_asked = asked;
}

/* What has been read is in force, if it can be. */
static void put_in_force(struct reload *r)
{
	if (r->err == 0) {
		r->err = policy_keep(r->policy);
		if (r->err != 0)
			snprintf(r->message, sizeof(r->message), "%s: %s", r->path,
				 strerror(-r->err));
	}
	if (r->err != 0) {
		pr_err("%s (the rules before it stay)", r->message);
		policy_free(r->policy);
	} else {
		pr_info("%s: %zu rules", r->path, r->policy->nr_rules);
		policy_set(r->policy);
	}
	r->policy = NULL;
}

static void on_read(uv_work_t *work, int status)
{
	struct reload *r = work->data;

	r->reading = false;
	if (status != 0)
		return; /* cancelled before it began */
	if (!r->started) {
		policy_free(r->policy);
		return;
	}
	put_in_force(r);
	policy_reload_asked(r->again);
	if (r->again)
		reload_begin(r);
}

static void reload_begin(struct reload *r)
{
	int err;

	r->again = r->reading;
	if (r->reading)
		return;
	r->work.data = r;
	err = uv_queue_work(r->sighup.loop, &r->work, read_file, on_read);
	r->reading = err == 0;
	policy_reload_asked(r->reading);
	if (err != 0)
		pr_err("%s: cannot read it now: %s", r->path, strerror(-err));
}

static void on_sighup(uv_signal_t *handle, int signum)
{
	(void)signum;
	reload_begin(handle->data);
}

int policy_reload_start(uv_loop_t *loop, const char *path)
{
	struct reload *r = &reload;
	int err = uv_signal_init(loop, &r->sighup);

	if (err != 0)
		return err;
	r->sighup.data = r;
	r->path = path;
	r->started = true;
	r->again = false;
	uv_unref((uv_handle_t *)&r->sighup);
	return uv_signal_start(&r->sighup, on_sighup, SIGHUP);
}

void policy_reload_resume(void)
{
	if (reload.started && ledger != NULL && ledger->policy_asked)
		reload_begin(&reload);
}

void policy_reload_stop(void)
{
	struct reload *r = &reload;

	if (!r->started)
		return;
	r->started = false;
	if (r->reading)
		(void)uv_cancel((uv_req_t *)&r->work);
	uv_close((uv_handle_t *)&r->sighup, NULL);
}

bool policy_reload_is_reading(void)
{
	return reload.reading;
}
