/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sockfs: the process around the daemon: descriptors, limits, background.
 *
 * The fork comes before anything that would not survive it. The first process
 * stays until the mount answers and so has an exit status that tells: 0, or 1
 * after the line that the second one has written to the common stderr.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check_policy.h"
#include "journal/ledger.h"
#include "lib/log.h"
#include "lib/nofile.h"
#include "loop.h"
#include "options.h"
#include "policy/policy.h"
#include "policy/reload.h"
#include "priv/priv.h"
#include "priv/unmounter.h"
#include "run/run.h"
#include "store.h"
#include "super/again.h"
#include "super/supervisor.h"
#include "super/title.h"

struct process {
	struct options opt;
	struct sockfs_session *session;
	bool resumed; /* another program has mounted and served it */
	struct again again;
	int ready_fd; /* the first process waits at its other end; -1: there is none */
	int null_fd;  /* for the background; -1: not there */
};

/* A descriptor that opens as 0, 1 or 2 would get what is meant for the user. */
static int fill_std_fds(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
		if (fd < 0)
			return -errno;
	} while (fd <= STDERR_FILENO);
	close(fd);
	return 0;
}

/* A core dump would hold what users send and receive. Who debugs (-d) wants one. */
static void forbid_core(void)
{
	const struct rlimit none = {0, 0};

	if (setrlimit(RLIMIT_CORE, &none) != 0)
		pr_warn("a crash may leave a core dump: %s", strerror(errno));
}

/* Wait for the other process to be ready, or to have failed: the exit status. */
static int wait_ready(int fd, pid_t pid)
{
	ssize_t n;
	int status;
	char c;

	do
		n = read(fd, &c, 1);
	while (n < 0 && errno == EINTR);
	if (n == 1)
		return 0;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return 1;
}

/* In the first process: the status to exit with. In the second: -1. */
static int go_background(struct process *p)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) != 0)
		goto failed;
	pid = fork();
	if (pid < 0)
		goto failed;
	if (pid > 0) {
		close(fds[1]);
		if (p->opt.notify_fd >= 0)
			close(p->opt.notify_fd);
		return wait_ready(fds[0], pid);
	}
	close(fds[0]);
	p->ready_fd = fds[1];
	return -1;

failed:
	pr_err("cannot go to the background: %s", strerror(errno));
	return 1;
}

static void tell(int *fd)
{
	if (*fd < 0)
		return;
	if (write(*fd, "\n", 1) != 1)
		pr_debug("nobody waits to hear that the mount answers");
	close(*fd);
	*fd = -1;
}

/* The device has been opened before: who is confined opens nothing to write to. */
static void leave_terminal(int fd)
{
	log_set_target(LOG_TARGET_SYSLOG);
	if (chdir("/") != 0)
		pr_warn("cannot leave the current directory: %s", strerror(errno));
	if (fd < 0)
		return;
	dup2(fd, STDIN_FILENO);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	close(fd);
}

static void on_ready(void *arg)
{
	struct process *p = arg;

	if (!p->opt.foreground)
		leave_terminal(p->null_fd);
	supervisor_set_ready();
	tell(&p->opt.notify_fd);
	tell(&p->ready_fd);
}

/*
 * Memory goes back when files go: a hash that shrinks is given to the system
 * and not to a heap in which something small stays behind it. (Left to itself
 * glibc raises the threshold with each block it unmaps.)
 */
static void tune_malloc(void)
{
#ifdef M_MMAP_THRESHOLD
	mallopt(M_MMAP_THRESHOLD, 64 << 10);
#endif
}

/* What a process that goes on where this one dies has to know. */
static void make_ledger(void)
{
	int err = ledger_make(sockfs_session_buf_size());

	if (err != 0)
		pr_warn("connections end with this process: no memory that outlives it: %s",
			strerror(-err));
}

/* Give up what whoever serves must not have. Else the mount ends. */
static bool may_serve(struct process *p)
{
	int err = p->opt.confine ? priv_begin() : 0;

	if (err == 0)
		return true;
	pr_err("privileges: %s", strerror(-err));
	sockfs_session_stop(p->session);
	sockfs_session_destroy(p->session);
	return false;
}

static int serve(void *arg)
{
	struct process *p = arg;

	return may_serve(p) ? loop_serve(&p->opt, p->session, on_ready, p) : 1;
}

/* The first one has told everybody that the mount answers, and closed those descriptors. */
static int resume(void *arg)
{
	struct process *p = arg;

	p->opt.notify_fd = -1;
	p->ready_fd = -1;
	p->null_fd = -1;
	return may_serve(p) ? loop_resume(&p->opt, p->session, on_ready, p) : 1;
}

static bool can_resume(void *arg, int signum)
{
	(void)arg;
	if (ledger == NULL || ledger->ending)
		return false;
	ledger->died_of = (uint32_t)signum;
	return true;
}

static int again(void *arg)
{
	const struct process *p = arg;

	return again_exec(sockfs_session_fd(p->session), unmounter_fd(), p->opt.mountpoint);
}

static bool can_again(void *arg)
{
	const struct process *p = arg;

	return again_ask(!p->opt.foreground);
}

static uint64_t progress(void *arg, bool again)
{
	(void)arg;
	if (ledger == NULL)
		return 0;
	return again ? ledger->worked : ledger->served;
}

/* Written down, lest the worker dies before it has taken it. */
static void hangup(void *arg)
{
	(void)arg;
	policy_reload_asked(true);
}

static void abandon(void *arg)
{
	struct process *p = arg;

	if (unmounter_sees_mount())
		sockfs_session_abandon(p->session);
}

/* In the worker. */
static bool ask_unmounter(bool still_there)
{
	bool done = unmounter_ask(still_there);

	if (still_there && !done)
		supervisor_set_still_mounted();
	return done;
}

static void unmount(void *arg)
{
	struct process *p = arg;

	sockfs_session_abandon(p->session);
}

/*
 * Who serves can give up the right to unmount if somebody else has it, or nothing is to be
 * unmounted. Who debugs finds all in one process, as it began.
 */
static int prepare_confinement(struct process *p)
{
	int err = -ENOSYS;

	if (options_mounted_already(&p->opt))
		err = p->opt.debug ? -ENOSYS : 0;
	else if (p->resumed)
		err = p->again.unmounter >= 0
			      ? unmounter_adopt(p->again.unmounter, p->opt.mountpoint)
			      : -ENOSYS;
	else if (!p->opt.nosurvive)
		err = unmounter_start(p->opt.mountpoint, unmount, p, !p->opt.foreground);
	p->opt.confine = err == 0;
	if (err == 0 && !options_mounted_already(&p->opt))
		sockfs_session_set_unmount(p->session, ask_unmounter);
	if (err == 0)
		return 0;
	if (p->opt.user.name != NULL && p->opt.user.uid != geteuid()) {
		pr_err("user=%s: not in one process", p->opt.user.name);
		return err;
	}
	if (err != -ENOSYS)
		pr_warn("who serves keeps all privileges, to unmount: %s", strerror(-err));
	return 0;
}

static int mount_or_adopt(struct process *p)
{
	int err;

	if (!p->resumed) {
		if (!p->opt.nosurvive)
			make_ledger();
		return sockfs_session_mount(p->session, p->opt.mountpoint);
	}
	err = sockfs_session_adopt(p->session, p->again.dev,
				   options_mounted_already(&p->opt) ? NULL : p->opt.mountpoint);
	if (err == 0)
		err = ledger_attach(p->again.ledger, sockfs_session_buf_size());
	if (err == 0)
		return 0;
	pr_err("cannot go on with %s: %s", p->opt.mountpoint, strerror(-err));
	sockfs_session_abandon(p->session);
	return err;
}

/* The mount comes before the second process, which is to find nothing to do but to wait. */
static int mount_and_serve(struct process *p)
{
	const struct supervision sv = {
		.serve = p->resumed ? resume : serve,
		.resume = resume,
		.can_resume = can_resume,
		.progress = progress,
		.again = again,
		.can_again = can_again,
		.abandon = abandon,
		.arg = p,
		.mountpoint = p->opt.mountpoint,
		.foreground = p->opt.foreground,
		.hangup = p->opt.policy != NULL ? hangup : NULL,
	};

	p->session = sockfs_session_new(&p->opt.mount_args);
	if (p->session == NULL)
		return 1;
	/* For both processes, and before one of them could be sent it. */
	if (!p->opt.foreground && p->opt.policy == NULL)
		signal(SIGHUP, SIG_IGN);
	supervisor_block_signals();
	if (mount_or_adopt(p) != 0) {
		sockfs_session_destroy(p->session);
		return 1;
	}
	/*
	 * Not before: an automounter has all wait who touch the mount point, but for the
	 * processes of its own group.
	 */
	if (!p->opt.foreground)
		setsid();
	if (prepare_confinement(p) != 0) {
		sockfs_session_stop(p->session);
		sockfs_session_destroy(p->session);
		return 1;
	}
	return p->opt.nosurvive ? serve(p) : supervisor_run(&sv);
}

/* The status to exit with. What is mounted stays, unless nobody could be found to serve it. */
static int mount_and_store(struct process *p)
{
	p->session = sockfs_session_new(&p->opt.mount_args);
	if (p->session == NULL)
		return 1;
	if (sockfs_session_mount(p->session, p->opt.mountpoint) == 0) {
		if (store_descriptor(sockfs_session_fd(p->session)) == 0)
			_exit(0);
		sockfs_session_stop(p->session);
	}
	sockfs_session_destroy(p->session);
	return 1;
}

static int run(struct process *p)
{
	enum log_level level = p->opt.foreground ? LOGLEVEL_NOTICE : LOGLEVEL_INFO;
	int status = -1;

	if (p->resumed) {
		/* It is in the background already, if it is to be, and has been checked. */
		if (!p->opt.foreground)
			log_set_target(LOG_TARGET_SYSLOG);
		status = options_set_mountpoint(&p->opt, p->again.mountpoint) != 0 ? 1 : -1;
	} else if (options_check_mountpoint(&p->opt) != 0) {
		return 1;
	} else if (p->opt.store) {
		return mount_and_store(p);
	} else if (!p->opt.foreground) {
		p->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
		status = go_background(p);
	}
	if (status >= 0)
		return status;

	log_set_level(p->opt.debug ? LOGLEVEL_DEBUG : level);
	/* The caller's mask comes with each request and the kernel has applied it. */
	umask(0);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGUSR2, SIG_IGN); /* but for a supervisor, which waits for it */
	log_set_nowait(true);
	nofile_init();
	if (!p->opt.debug)
		forbid_core();
	tune_malloc();
	/* libuv's pool does nothing but read a policy again (policy/reload.c), one at a time. */
	if (getenv("UV_THREADPOOL_SIZE") == NULL || strcmp(getenv("UV_THREADPOOL_SIZE"), "1") != 0)
		setenv("UV_THREADPOOL_SIZE", "1", 1);
	return mount_and_serve(p);
}

/*
 * The exit status: could this program go on with such a mount? As far as can be known without
 * doing it; why not is a line in the log.
 */
static int answer(int argc, char **argv, const struct again_question *question)
{
	struct sockfs_session *session = NULL;
	struct options opt;

	log_open("sockfs", question->to_syslog, LOGLEVEL_INFO);
	if (question->version != LEDGER_VERSION ||
	    !ledger_fits(question->ledger, sockfs_session_buf_size())) {
		pr_err("this version reads other records");
		return 1;
	}
	if (options_parse(argc, argv, OPTIONS_ASKED, &opt) < 0)
		session = sockfs_session_new(&opt.mount_args);
	options_free(&opt);
	policy_clear();
	if (session == NULL)
		return 1;
	sockfs_session_destroy(session);
	return 0;
}

int main(int argc, char **argv)
{
	struct process p = {.ready_fd = -1, .null_fd = -1};
	struct again_question question;
	int status;

	if (again_asked(&argc, &argv, &question))
		return answer(argc, argv, &question);
	/* Who goes on has them, and may not be allowed to open any. */
	if (getenv("SOCKFS_RESUME") == NULL && fill_std_fds() != 0)
		return 1;
	again_init(argc, argv);
	p.resumed = again_resumed(&p.again);
	title_init(argc, argv);
	log_open("sockfs", false, LOGLEVEL_INFO);
	if (argc > 1 && strcmp(argv[1], "--check-policy") == 0)
		return check_policy(argc - 2, argv + 2);
	if (argc > 1 && strcmp(argv[1], "run") == 0)
		return run_main(argc - 1, argv + 1);
	status = options_parse(argc, argv, p.resumed ? OPTIONS_RESUME : OPTIONS_START, &p.opt);
	if (status < 0)
		status = run(&p);
	options_free(&p.opt);
	policy_clear();
	return status;
}
