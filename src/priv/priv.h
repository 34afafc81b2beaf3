/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the process that serves gives up, since it works on what strangers send: rights
 * that it does not use, the gaining of others, and all system calls but some.
 *
 *  - no_new_privs: nothing that it starts is more than it is.
 *  - capabilities(7): those that are named below; an ordinary user's daemon has none anyway.
 *  - seccomp(2), where libseccomp was there to build with: a system call that serving does not
 *    take fails with ENOSYS, and the kernel's log tells which (audit, type 1326). It never
 *    ends the process. No file is opened to be written.
 *  - its user, with -o user=.
 *
 * What it keeps is enough for what it does in its life, to make itself another
 * supervisor (super/guard.h) and to start sockfs-tls among them; both inherit all of this. It
 * is not enough to unmount, which is why there is an unmounter (priv/unmounter.h).
 */
#ifndef PRIV_PRIV_H
#define PRIV_PRIV_H

#include <stdbool.h>
#include <sys/types.h>

/* Somebody else to be. */
struct priv_user {
	char *name; /* NULL: who mounts */
	uid_t uid;
	gid_t gid;
};

/*
 * Look for the user @name, or the number of one. 0 and @ret, whose name is to be freed;
 * -ENOENT: there is none; -ENOMEM.
 */
int priv_find_user(const char *name, struct priv_user *ret);

/* Before there is a loop, and any thread. 0 or -errno. */
int priv_begin(void);

/*
 * When all is open that the daemon opens for itself: give up the rest. @user: who to be from
 * now on; its name NULL: nobody else. @others: callers other than who mounts reach files, and
 * the daemon is to act as them (UNIX sockets, keys of TLS, owners of sockets): root's keeps
 * what that takes, unless it is somebody else. 0, or -errno after one line in the log: then
 * nothing may be served.
 */
int priv_confine(const struct priv_user *user, bool others);

/* calls.c: the filter alone. 0 or -errno. */
int priv_filter_calls(void);

#endif /* PRIV_PRIV_H */
