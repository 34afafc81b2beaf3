/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * UNIX sockets, on uv_pipe_t: stream sockets by the path of a file, or by a name that is
 * in no directory ("@name"; unix(7): abstract).
 *
 * The daemon may have more rights than who asks. So whatever touches a path is done with
 * the caller's (unix_cred.c), and which paths others than the daemon's own user may use
 * at all is the administrator's to say (unix_policy.c).
 */
#ifndef NET_UNIX_UNIX_H
#define NET_UNIX_UNIX_H

#include <uv.h>

#include "fs/seq_file.h"
#include "net/sock.h"

struct stat;

struct unix_sock {
	struct sock sk;
	uv_pipe_t pipe;
	char *path;	  /* to be connected to or bound to, or what it is bound to; malloc'ed */
	struct cred cred; /* who said so */
	bool has_file;	  /* the file of the path is ours: st_dev and st_ino */
	dev_t dev;
	ino_t ino;
};

static inline struct unix_sock *unix_sk(struct sock *sk)
{
	return (struct unix_sock *)sk;
}

extern struct proto unix_prot;

/* af_unix.c ------------------------------------------------------------------ */

/* As inet_init and inet_exit (net/inet/af_inet.h). */
int unix_init(void);
int unix_exit(void);

/* unix.c: of struct proto_ops -------------------------------------------------- */

int unix_bind(struct socket *sock, int fd, const struct sockaddr *addr, socklen_t len);
int unix_connect(struct socket *sock, int fd, const struct sockaddr *addr, socklen_t len);
int unix_listen(struct socket *sock, int backlog);
int unix_shutdown(struct socket *sock, int how);
int unix_abort(struct socket *sock);
void unix_release(struct socket *sock);

/* unix_path.c: bind and connect by a path of any length, as the caller ------------ */

/* bind(2); takes the place of a socket that nobody serves. -EADDRINUSE: it is served. */
int unix_bind_path(int fd, const char *path, mode_t mode, const struct cred *cred);
/* connect(2). -EAGAIN: the listener's backlog is full. */
int unix_connect_path(int fd, const char *path, const struct cred *cred);
/* Remove the file @path if it is the one with these numbers. */
void unix_unlink_path(const char *path, dev_t dev, ino_t ino, const struct cred *cred);
/* lstat(2), or stat(2) if @follow, as @cred. 0 or -errno. */
int unix_stat_path(const char *path, bool follow, const struct cred *cred, struct stat *ret_st);

/* unix_cred.c --------------------------------------------------------------------- */

/* What the thread was, to be again. */
struct unix_caller {
	bool changed;
	uid_t uid;
	gid_t gid;
	int nr_groups;
	gid_t groups[64];
};

/*
 * From here on the thread has the user, the group and the groups of @cred, so that the
 * kernel decides as for that process, and a peer sees it (SO_PEERCRED; the pid is the
 * daemon's). Nothing but system calls on paths may come before unix_caller_end.
 * 0, or -EACCES: the daemon has not the right to be somebody else.
 */
int unix_caller_begin(const struct cred *cred, struct unix_caller *ret_was);
void unix_caller_end(const struct unix_caller *was);

/* unix_policy.c -------------------------------------------------------------------- */

/*
 * Let others than the daemon's user use the paths @prefix and what is below it; "@": the
 * names that begin so. For the mount option unix=. 0, -EINVAL (neither / nor @), -ENOMEM.
 */
int unix_policy_add(const char *prefix);
void unix_policy_clear(void);
/* May @cred use @path? 0 or -EACCES. */
int unix_policy_may(const struct cred *cred, const char *path);
/* ... or look at it, since it leads to one that he may use? */
bool unix_policy_leads(const struct cred *cred, const char *path);

/* unix_proc.c: .proc/unix ------------------------------------------------------------ */

bool unix_show(struct seq_file *m, void *sb);

#endif /* NET_UNIX_UNIX_H */
