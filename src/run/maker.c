/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The maker: namespaces, one after the other, each as early as the next needs it.
 *
 * /dev/fuse is opened in the user namespace that mounts, which the kernel wants
 * (fs/fuse/inode.c: fuse_fill_super), and while this is who run is: on some machines it
 * is root's. The mount is made before the process namespace, so that the daemon is told
 * callers by the numbers that they have outside.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/log.h"
#include "run/run.h"
#include "run/sync.h"

static void __attribute__((noreturn)) give_up(const char *what)
{
	if (what != NULL)
		pr_err("run: %s: %s", what, strerror(errno));
	_exit(RUN_FAILED);
}

static void enter_userns(const struct run *run)
{
	if (unshare(CLONE_NEWUSER) != 0) {
		userns_explain(-errno);
		give_up(NULL);
	}
	if (sync_tell(run->sync) != 0 || sync_wait(run->sync) != 0)
		give_up(NULL); /* run has said why */
	/* Root's groups are not the program's. */
	if (run->was_root && setgroups(0, NULL) != 0)
		give_up("groups");
}

/* The program's own loopback, for its own servers; there is nothing else on it. */
static void raise_loopback(void)
{
	struct ifreq ifr = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	(void)ioctl(fd, SIOCSIFFLAGS, &ifr);
	close(fd);
}

/* A child of run, as process 1 of a new namespace. Its number, or 0 in it; -1. */
static pid_t clone_init(void)
{
	if (unshare(CLONE_NEWPID) != 0)
		return -1;
	return (pid_t)syscall(SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, NULL);
}

void maker_main(struct run *run)
{
	pid_t pid;
	int fd;

	enter_userns(run);
	fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		give_up("/dev/fuse");
	if (setresgid(run->gid, run->gid, run->gid) != 0 ||
	    setresuid(run->uid, run->uid, run->uid) != 0)
		give_up("change the user");
	if (unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP) != 0) {
		userns_explain(-errno);
		give_up(NULL);
	}
	raise_loopback();
	if (root_make(run, fd) != 0)
		give_up(NULL);
	pid = clone_init();
	if (pid < 0)
		give_up("process namespace");
	if (pid == 0) {
		close(fd);
		init_main(run);
	}
	if (sync_send(run->sync, pid, fd) != 0)
		give_up("cannot reach run");
	_exit(0);
}
