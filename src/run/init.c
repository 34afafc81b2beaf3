/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Process 1: starts the program, reaps what it leaves, ends with it.
 *
 * The kernel gives process 1 no signal that it has not asked for, so the program has to be
 * another one, else Ctrl-C would not end it.
 */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/util.h"
#include "run/run.h"
#include "run/sync.h"

static const int forwarded[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
static volatile pid_t target;

static void on_signal(int signum, siginfo_t *info, void *context)
{
	(void)context;
	if (info->si_code <= 0) /* a process has sent it, not the kernel */
		kill(target, signum);
}

void forward_signals_to(pid_t pid)
{
	struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART};

	target = pid;
	sigfillset(&action.sa_mask);
	for (size_t i = 0; i < ARRAY_SIZE(forwarded); i++)
		sigaction(forwarded[i], &action, NULL);
}

int exit_status_of(int wait_status)
{
	if (WIFSIGNALED(wait_status))
		return 128 + WTERMSIG(wait_status);
	return WEXITSTATUS(wait_status);
}

static void __attribute__((noreturn)) exec_program(struct run *run, const sigset_t *mask)
{
	int err;

	/* Another place than the caller's could mean other files. */
	if (run->cwd != NULL && chdir(run->cwd) != 0) {
		err = errno;
		if (run->was_root && err == EACCES)
			pr_err("run: cannot enter %s: %s (as %s: begin in a folder that it may enter, or -u)",
			       run->cwd, strerror(err), run->user);
		else
			pr_err("run: cannot enter %s: %s", run->cwd, strerror(err));
		_exit(RUN_FAILED);
	}
	sigprocmask(SIG_SETMASK, mask, NULL);
	execvp(run->argv[0], run->argv);
	err = errno;
	pr_err("run: %s: %s", run->argv[0], strerror(err));
	_exit(err == ENOENT ? RUN_NOT_FOUND : RUN_CANNOT_EXEC);
}

/* Reap until the program ends: its status. */
static int wait_for(pid_t program)
{
	int status;
	pid_t pid;

	do
		pid = waitpid(-1, &status, 0);
	while (pid != program && (pid > 0 || errno == EINTR));
	return pid == program ? exit_status_of(status) : RUN_FAILED;
}

void init_main(struct run *run)
{
	sigset_t all, old;
	pid_t program;
	int err;

	/* With run goes everything. If it is gone already, nobody answers. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (sync_wait(run->sync) != 0)
		_exit(RUN_FAILED);
	root_mount_proc();
	/* Whatever the caller had open may lead out: only the three are the program's. */
	if (close_range(STDERR_FILENO + 1, ~0u, 0) != 0) {
		pr_err("run: descriptors: %s", strerror(errno));
		_exit(RUN_FAILED);
	}
	err = filter_enter();
	if (err != 0) {
		pr_err("run: cannot give up privileges: %s", strerror(-err));
		_exit(RUN_FAILED);
	}
	/* It was outside: nobody is to look into it. */
	prctl(PR_SET_DUMPABLE, 0);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	program = fork();
	if (program == 0)
		exec_program(run, &old);
	if (program < 0) {
		pr_err("run: %s", strerror(errno));
		_exit(RUN_FAILED);
	}
	forward_signals_to(program);
	sigprocmask(SIG_SETMASK, &old, NULL);
	_exit(wait_for(program));
}
