/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * run itself: arguments, the order of things, and waiting.
 *
 * Happy path: the maker asks for its numbers (userns_map), makes everything and sends
 * init's number and /dev/fuse; the daemon is started on that and says that the mount
 * answers; init is told to go on; its status is ours.
 *
 * Failure modes: whoever cannot go on says why and exits, which closes its end of the
 * socket; run waits for all and exits with RUN_FAILED. Killed, run takes init along
 * (PR_SET_PDEATHSIG), and with it the program, the mount and the daemon.
 */
#include "config.h"

#include "run/run.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <pwd.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/log.h"
#include "run/sync.h"

#define NOBODY 65534
#define DAEMON_END_MS 5000 /* the mount is gone: it has nothing to wait for */

static const char run_help[] =
	"Usage: sockfs run [OPTION]... -- PROGRAM [ARGUMENT]...\n"
	"Run a program that has no network but a sockfs at " RUN_MOUNTPOINT ".\n"
	"\n"
	"  -p, --policy=FILE      where it may connect and listen, see sockfs.policy(5)\n"
	"  -o OPT[,OPT]...        mount options, see sockfs(8)\n"
	"  -u, --user=USER        root only: who the program is (nobody)\n"
	"  -h, --help             show this and exit\n";

static int usage(const char *what)
{
	pr_err("run: %s (see sockfs run --help)", what);
	return RUN_FAILED;
}

/* 0, or the status to exit with. */
static int take_user(struct run *run, const char *name)
{
	const struct passwd *user = getpwnam(name);
	char *end;
	unsigned long uid;

	if (user == NULL) {
		uid = strtoul(name, &end, 10);
		if (*name < '0' || *name > '9' || *end != '\0' || uid >= UINT32_MAX)
			return usage("no such user");
		user = getpwuid((uid_t)uid);
		run->uid = (uid_t)uid;
		run->gid = user != NULL ? user->pw_gid : (gid_t)uid;
		return 0;
	}
	run->uid = user->pw_uid;
	run->gid = user->pw_gid;
	return 0;
}

static int add_opts(struct run *run, const char *opts)
{
	char *joined = NULL;

	if (asprintf(&joined, "%s%s%s", run->opts != NULL ? run->opts : "",
		     run->opts != NULL ? "," : "", opts) < 0)
		return usage(strerror(ENOMEM));
	free(run->opts);
	run->opts = joined;
	return 0;
}

/* -1: go on; or the status to exit with. */
static int parse(int argc, char **argv, struct run *run)
{
	static const struct option options[] = {
		{"policy", required_argument, NULL, 'p'},
		{"user", required_argument, NULL, 'u'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	const char *user = NULL;
	int c, status = 0;

	opterr = 0;
	while (status == 0 && (c = getopt_long(argc, argv, "+p:o:u:h", options, NULL)) != -1) {
		if (c == 'p')
			run->policy = optarg;
		else if (c == 'o')
			status = add_opts(run, optarg);
		else if (c == 'u')
			user = optarg;
		else if (c == 'h')
			return fputs(run_help, stdout) < 0 || fflush(stdout) != 0 ? RUN_FAILED : 0;
		else
			return usage("unknown option, or its argument is missing");
	}
	if (status != 0)
		return status;
	if (optind == argc)
		return usage("no program given");
	run->argv = argv + optind;
	run->user = user != NULL ? user : "nobody";
	run->uid = run->was_root ? NOBODY : geteuid();
	run->gid = run->was_root ? NOBODY : getegid();
	if (user != NULL && !run->was_root)
		return usage("only root chooses the user");
	if (user != NULL)
		status = take_user(run, user);
	if (status == 0 && run->uid == 0)
		return usage("not as root: too much of the machine is root's (-u)");
	return status != 0 ? status : -1;
}

/* ---------------------------------------------------------------------- the daemon */

/* Never returns: `sockfs -f ... /dev/fd/N`. */
static void __attribute__((noreturn)) exec_daemon(const struct run *run, int fuse_fd, int ready_fd)
{
	char device[32], notify[32], owner[64];
	const char *args[16] = {"sockfs", "-f", notify, "-o", owner};
	char *policy = NULL;
	int n = 5;

	/* Neither the terminal's signals nor its end are the daemon's. */
	setsid();
	snprintf(device, sizeof(device), "/dev/fd/%d", fuse_fd);
	snprintf(notify, sizeof(notify), "--notify-fd=%d", ready_fd);
	/* A supervisor would have no mount to end: that goes with the program's namespace. */
	snprintf(owner, sizeof(owner), "uid=%u,gid=%u,nosurvive", run->uid, run->gid);
	fcntl(fuse_fd, F_SETFD, 0);
	fcntl(ready_fd, F_SETFD, 0);
	if (run->policy != NULL) {
		if (asprintf(&policy, "policy=%s", run->policy) < 0)
			_exit(RUN_FAILED);
		args[n++] = "-o";
		args[n++] = policy;
	}
	if (run->opts != NULL) {
		args[n++] = "-o";
		args[n++] = run->opts;
	}
	args[n++] = "--";
	args[n++] = device;
	args[n] = NULL;
	execv("/proc/self/exe", (char **)args);
	pr_err("run: cannot start the daemon: %s", strerror(errno));
	_exit(RUN_FAILED);
}

/* Its number when the mount answers, or -errno after its line; @fuse_fd is closed. */
static pid_t start_daemon(const struct run *run, int fuse_fd)
{
	int ready[2];
	pid_t pid;
	char c;

	if (pipe2(ready, O_CLOEXEC) != 0)
		return -errno;
	pid = fork();
	if (pid == 0)
		exec_daemon(run, fuse_fd, ready[1]);
	close(ready[1]);
	close(fuse_fd);
	if (pid > 0 && read(ready[0], &c, 1) != 1) {
		waitpid(pid, NULL, 0);
		pid = -EIO;
	}
	close(ready[0]);
	return pid;
}

/* The mount is gone, so it ends; if not, it is ended. */
static void end_daemon(pid_t pid)
{
	const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};

	for (int ms = 0; ms < 2 * DAEMON_END_MS; ms += 10) {
		if (waitpid(pid, NULL, WNOHANG) != 0)
			return;
		if (ms == DAEMON_END_MS)
			kill(pid, SIGTERM);
		nanosleep(&pause, NULL);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* ------------------------------------------------------------------------- the order */

/* init is there, the mount is to be served: the status to exit with. */
static int serve(const struct run *run, int sync, pid_t init, int fuse_fd)
{
	pid_t daemon = start_daemon(run, fuse_fd);
	int status = 0;

	if (daemon > 0) {
		forward_signals_to(init);
		(void)sync_tell(sync);
	} else {
		kill(init, SIGKILL);
	}
	while (waitpid(init, &status, 0) < 0 && errno == EINTR)
		;
	if (daemon <= 0)
		return RUN_FAILED;
	end_daemon(daemon);
	return exit_status_of(status);
}

/* The maker's two questions. 0 and what it has made, or -errno after a line of somebody's. */
static int help_maker(const struct run *run, int sync, pid_t maker, pid_t *ret_init, int *ret_fd)
{
	int err = sync_wait(sync);

	if (err == 0)
		err = userns_map(run, maker);
	if (err == 0)
		err = sync_tell(sync);
	if (err == 0)
		err = sync_receive(sync, ret_init, ret_fd);
	return err;
}

static int run_program(struct run *run)
{
	int sync[2], err, fuse_fd, status = RUN_FAILED;
	pid_t maker, init;

	/* A datagram is a word, and its end is seen. */
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sync) != 0)
		return usage(strerror(errno));
	maker = fork();
	if (maker < 0)
		return usage(strerror(errno));
	if (maker == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(sync[0]);
		run->sync = sync[1];
		maker_main(run);
	}
	close(sync[1]);
	err = help_maker(run, sync[0], maker, &init, &fuse_fd);
	if (err != 0)
		kill(maker, SIGKILL);
	waitpid(maker, NULL, 0);
	if (err == 0)
		status = serve(run, sync[0], init, fuse_fd);
	close(sync[0]);
	return status;
}

int run_main(int argc, char **argv)
{
	struct run run = {.was_root = geteuid() == 0};
	int status = parse(argc, argv, &run);

	if (status < 0) {
		/* What the parent ignores would hide that somebody ends. */
		signal(SIGCHLD, SIG_DFL);
		run.cwd = getcwd(NULL, 0);
		status = run_program(&run);
		free(run.cwd);
	}
	free(run.opts);
	return status;
}
