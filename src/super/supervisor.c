/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The supervisor: see supervisor.h.
 *
 * Happy path: the mount is made, the worker is cloned, it serves, it ends; the
 * supervisor exits with its status.
 *
 * Failure modes: the worker dies of a signal: one line, unmount, status 1. The
 * supervisor dies: the worker makes another one from itself (super/guard.c). Both
 * killed at once: a dead mount, as without all this.
 */
#include "config.h"

#include "super/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/log.h"
#include "super/title.h"

#define CLONE_TRIES 50 /* in 5 seconds */

/* Far enough below the worker that whoever is short of memory takes that first. */
#define OOM_LOWER 500
#define OOM_LOWEST (-999) /* -1000 would be: never, whatever happens */

/* What both know. The worker may be killed between any two stores, so each word stands alone. */
struct shared {
	atomic_uint stops; /* signals to the supervisor that ask for the end */
	atomic_bool ready; /* the mount answers */
	atomic_bool ended; /* the worker ended by itself, with @status */
	atomic_bool still_mounted; /* and could not unmount */
	atomic_int status;
};

/* So many that have served nothing die of something that will not go away. */
#define FRUITLESS_MAX 10
#define FRUITLESS_KILLS_MAX 200 /* of those that somebody kills, who may tire of it */

static const struct supervision *sv;
static struct shared *shared;
static pid_t supervisor;
static int oom_score_adj;

/* ----------------------------------------------------------------------- signals */

static void signal_set(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGCHLD);
	sigaddset(set, SIGUSR2);
}

void supervisor_block_signals(void)
{
	sigset_t set;

	signal_set(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

void supervisor_unblock_signals(void)
{
	sigset_t set;

	signal_set(&set);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/* ------------------------------------------------------------------ out of memory */

static int oom_read(void)
{
	char text[16];
	int fd = open("/proc/self/oom_score_adj", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	return (int)strtol(text, NULL, 10);
}

/* Going down needs CAP_SYS_RESOURCE; who has it not lives with the system's choice. */
static void oom_write(int adj)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", adj);
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, text, (size_t)len) != len)
		pr_debug("oom_score_adj stays as it is");
	close(fd);
}

/* --------------------------------------------------------------- the supervisor's life */

/*
 * As fork(2), with the table of descriptors in common, and the current folder: neither
 * holds what the other has left. The C library has no call for
 * that, and needs none: no other thread is at work, so no lock of it is held in the child.
 */
static pid_t clone_files(void)
{
#ifdef __s390__ /* the two arguments have changed places there */
	return (pid_t)syscall(SYS_clone, 0, CLONE_FILES | CLONE_FS | SIGCHLD, 0, 0, 0);
#else
	return (pid_t)syscall(SYS_clone, CLONE_FILES | CLONE_FS | SIGCHLD, 0, 0, 0, 0);
#endif
}

/* A process or memory may be there a moment later, and the kernel keeps the requests until then. */
static pid_t clone_patiently(void)
{
	const struct timespec moment = {.tv_nsec = 100000000};
	pid_t pid = clone_files();

	for (int i = 0; pid < 0 && i < CLONE_TRIES; i++) {
		nanosleep(&moment, NULL);
		pid = clone_files();
	}
	if (pid < 0)
		pr_err("no other process: %s", strerror(errno));
	return pid;
}

/* The worker's descriptors are these as well: /dev/null for stderr, as soon as it answers. */
static void supervisor_log(void)
{
	if (atomic_load(&shared->ready) && !sv->foreground)
		log_set_target(LOG_TARGET_SYSLOG);
}

/*
 * Has this one died, like many before it, without having served anything? Who is killed at once
 * each time gets no farther than what waited, and that is not his fault.
 */
static bool dies_too_often(int signum)
{
	static struct {
		unsigned int deaths;
		uint64_t before;
	} crashes, kills;
	uint64_t served = sv->progress(sv->arg, false), worked = sv->progress(sv->arg, true);

	if (crashes.before != served)
		crashes.deaths = 0;
	if (kills.before != worked)
		kills.deaths = 0;
	crashes.before = served;
	kills.before = worked;
	return signum == SIGKILL ? ++kills.deaths > FRUITLESS_KILLS_MAX
				 : ++crashes.deaths > FRUITLESS_MAX;
}

/* The worker is gone, by @signum; 0: nobody knows of what. */
static _Noreturn void give_up(pid_t worker, int signum)
{
	supervisor_log();
	if (signum != 0)
		pr_err("process %d, which served %s, died of signal %d (%s): unmounting",
		       (int)worker, sv->mountpoint, signum, strsignal(signum));
	else
		pr_err("process %d, which served %s, died: unmounting", (int)worker,
		       sv->mountpoint);
	sv->abandon(sv->arg);
	_exit(1);
}

static pid_t replace_worker(pid_t worker, int signum);

/* The worker that there is now. */
static pid_t child_ended(pid_t worker)
{
	siginfo_t info = {.si_pid = 0};

	if (waitid(P_PID, (id_t)worker, &info, WEXITED | WNOHANG) != 0 || info.si_pid == 0)
		return worker;
	if (info.si_code == CLD_EXITED) {
		/* Else not even a look: what is mounted there by now is somebody else's. */
		if (atomic_load(&shared->still_mounted))
			sv->abandon(sv->arg);
		_exit(info.si_status);
	}
	return replace_worker(worker, info.si_status);
}

/*
 * A supervisor that a worker has made has that worker's memory: it has to begin as a new
 * program does. The worker is gone, so the descriptors are this process's alone.
 */
static _Noreturn void begin_anew(pid_t worker)
{
	int err = -ENOSYS;

	if (sv->again != NULL && sv->can_resume(sv->arg, 0))
		err = sv->again(sv->arg);
	supervisor_log();
	pr_err("cannot begin anew: %s", strerror(-err));
	give_up(worker, 0);
}

static void parent_ended(pid_t worker)
{
	if (getppid() == worker)
		return;
	if (atomic_load(&shared->ended))
		_exit(atomic_load(&shared->status));
	supervisor_log();
	pr_err("process %d, which served %s, died: this one begins anew", (int)worker,
	       sv->mountpoint);
	begin_anew(worker);
}

/*
 * Another version of the program: what the worker has in work goes on in a worker of that
 * one, exactly as if it had been killed.
 */
static void upgrade(pid_t worker, bool is_child)
{
	siginfo_t info = {.si_pid = 0};

	supervisor_log();
	if (sv->again == NULL || !sv->can_resume(sv->arg, 0) || !sv->can_again(sv->arg))
		return;
	/* That took a while: it may have ended, or be about to. */
	if (!sv->can_resume(sv->arg, 0) || (!is_child && getppid() != worker) ||
	    (is_child && (waitid(P_PID, (id_t)worker, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
			  info.si_pid != 0)))
		return;
	pr_info("%s goes on with another program", sv->mountpoint);
	kill(worker, SIGKILL);
	if (!is_child)
		return; /* it is told of that, as of any death */
	while (waitpid(worker, NULL, 0) < 0 && errno == EINTR)
		;
	begin_anew(worker);
}

/* Wait for the worker's end: it is our child, or, after a replacement, our parent. */
static _Noreturn void watch(pid_t worker, bool is_child)
{
	sigset_t set;

	signal_set(&set);
	for (;;) {
		int signum = sigwaitinfo(&set, NULL);

		if (signum == SIGUSR2)
			upgrade(worker, is_child);
		/* The descriptor is the worker's as well, who would give its number away. */
		log_close();
		if (signum > 0 && signum != SIGCHLD && signum != SIGUSR2) {
			if (signum == SIGHUP && sv->hangup != NULL)
				sv->hangup(sv->arg);
			else
				atomic_fetch_add(&shared->stops, 1);
			/* A child's number is not given away before we have waited for it. */
			if (is_child || getppid() == worker)
				kill(worker, signum);
		}
		if (is_child)
			worker = child_ended(worker);
		else
			parent_ended(worker);
	}
}

static void be_supervisor(void)
{
	char text[512];

	snprintf(text, sizeof(text), "sockfs: supervisor of %s", sv->mountpoint);
	title_set("sockfs-super", text);
}

static int be_worker(int (*serve)(void *arg))
{
	int status;

	oom_write(oom_score_adj);
	title_restore();
	status = serve(sv->arg);
	atomic_store(&shared->status, status);
	atomic_store(&shared->ended, true);
	return status;
}

/*
 * Another worker, from this process, which has never done anything but wait: it is as the
 * first one was. The supervisor does not get anything of it but its number.
 */
static pid_t replace_worker(pid_t worker, int signum)
{
	pid_t pid;

	if (sv->resume == NULL || !sv->can_resume(sv->arg, signum))
		give_up(worker, signum);
	if (dies_too_often(signum)) {
		pr_err("one process after the other has died before it served anything");
		give_up(worker, signum);
	}
	pid = clone_patiently();
	if (pid < 0)
		give_up(worker, signum);
	if (pid == 0) {
		supervisor_log();
		pr_err("process %d, which served %s, died of signal %d (%s): process %d goes on",
		       (int)worker, sv->mountpoint, signum, strsignal(signum), (int)getpid());
		exit(be_worker(sv->resume));
	}
	/* One that came when nobody was there to take it. */
	if (atomic_load(&shared->stops) > 0)
		kill(pid, SIGTERM);
	return pid;
}

int supervisor_run(const struct supervision *supervision)
{
	pid_t worker;

	sv = supervision;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (shared == MAP_FAILED)
		goto alone;
	oom_score_adj = oom_read();
	oom_write(oom_score_adj > OOM_LOWEST + OOM_LOWER ? oom_score_adj - OOM_LOWER : OOM_LOWEST);
	supervisor = getpid();
	worker = clone_files();
	if (worker == 0)
		return be_worker(sv->serve);
	if (worker > 0) {
		be_supervisor();
		watch(worker, true);
	}
	oom_write(oom_score_adj);
	munmap(shared, sizeof(*shared));
alone:
	pr_warn("no second process to watch over the mount: %s", strerror(errno));
	supervisor = 0;
	shared = NULL;
	return sv->serve(sv->arg);
}

/* ------------------------------------------------------------------ the worker's words */

void supervisor_set_ready(void)
{
	if (shared != NULL)
		atomic_store(&shared->ready, true);
}

void supervisor_set_still_mounted(void)
{
	if (shared != NULL)
		atomic_store(&shared->still_mounted, true);
}

_Noreturn void supervisor_exit(int status)
{
	if (shared != NULL) {
		atomic_store(&shared->status, status);
		atomic_store(&shared->ended, true);
	}
	_exit(status);
}

bool supervisor_stop_is_urgent(unsigned int nr)
{
	/* The first may have come twice: from the supervisor, and from whoever signals all. */
	return nr > 1 && (supervisor == 0 || atomic_load(&shared->stops) != 1);
}

pid_t supervisor_pid(void)
{
	return supervisor;
}

int supervisor_replace(void)
{
	pid_t worker = getpid(), pid;

	/* No descriptor may belong to both, each of which closes it when it likes. */
	log_close();
	/* Handlers of the worker's loop must not run in the other: they write to its pipes. */
	supervisor_block_signals();
	pid = clone_files();
	if (pid == 0) {
		oom_write(oom_score_adj > OOM_LOWEST + OOM_LOWER ? oom_score_adj - OOM_LOWER
								 : OOM_LOWEST);
		be_supervisor();
		prctl(PR_SET_PDEATHSIG, SIGCHLD);
		parent_ended(worker);
		watch(worker, false);
	}
	supervisor = pid > 0 ? pid : 0;
	supervisor_unblock_signals();
	return pid > 0 ? 0 : -errno;
}
