/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sockfs run: a program that has no network but a sockfs at /net.
 *
 * Who is who: *run* is the process that the user has started; it starts the *maker*,
 * which makes the namespaces and the mounts and ends, and the *daemon*, an ordinary
 * `sockfs -f` that stays where the network is and serves the /dev/fuse that the maker
 * has opened. The maker leaves *init*, process 1 of a process namespace and child of
 * run, which starts the *program* and ends with it; the kernel then ends what is
 * left there, the mount goes, and with the mount the daemon.
 */
#ifndef RUN_RUN_H
#define RUN_RUN_H

#include <stdbool.h>
#include <sys/types.h>

#define RUN_MOUNTPOINT "/net"

/* What run itself exits with, as timeout(1) and env(1) do. */
#define RUN_FAILED 125
#define RUN_CANNOT_EXEC 126
#define RUN_NOT_FOUND 127

struct run {
	char **argv;	    /* the program and its arguments */
	const char *policy; /* NULL: none */
	char *opts;	    /* of -o, joined; NULL: none */
	uid_t uid;	    /* who the program is */
	gid_t gid;
	bool was_root;	    /* and run is root */
	const char *user;   /* then: who the program is, in words */
	char *cwd;	    /* where it begins; NULL: not known, so in / */
	int sync;	    /* the maker's and init's end of the socket to run */
};

/* sockfs run ARG...: the status to exit with. @argv without "run". */
int run_main(int argc, char **argv);

/* maker.c: in the maker: namespaces, mounts; init is started. Never returns. */
void maker_main(struct run *run) __attribute__((noreturn));

/* userns.c ---------------------------------------------------------------- */

/*
 * Let the maker @pid, in a new user namespace, be @run->uid and @run->gid, as outside, and
 * nobody else. 0 or -errno after a line.
 */
int userns_map(const struct run *run, pid_t pid);
/* A line that says why there is no user namespace (@err: of unshare(2)), and what to do. */
void userns_explain(int err);

/* root.c ------------------------------------------------------------------ */

/*
 * In new namespaces of users and mounts: the same file tree, but with the file system of
 * @fuse_fd at RUN_MOUNTPOINT, with few devices, and without other sockfs mounts. 0 or
 * -errno after a line.
 */
int root_make(const struct run *run, int fuse_fd);
/* In the process namespace: its own /proc, if the kernel lets us. */
void root_mount_proc(void);

/* filter.c ---------------------------------------------------------------- */

/*
 * No privilege any more, none to be gained, and no system call that leads around the
 * namespaces: for this process and all that it starts. 0 or -errno.
 */
int filter_enter(void);

/* init.c ------------------------------------------------------------------ */

/* Start the program and end with its status. Never returns. */
void init_main(struct run *run) __attribute__((noreturn));
/* 128 + n for a signal. */
int exit_status_of(int wait_status);
/*
 * From now on signals that somebody sends to this process go on to @pid. Those of the
 * terminal do not: it has sent them to the program, too.
 */
void forward_signals_to(pid_t pid);

#endif /* RUN_RUN_H */
