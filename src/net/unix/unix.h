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

#include <limits.h>
#include <uv.h>

#include "fs/seq_file.h"
#include "net/sock.h"

struct stat;
struct statx;

#define UNIX_WORD "unix" /* what users call the protocol */

struct unix_sock {
	struct sock sk;
	uv_pipe_t pipe;
	char *path;	  /* to be connected to or bound to, or what it is bound to (vm_strdup) */
	struct cred cred; /* who said so */
	char *real;	  /* what @path was when it was bound to, if somebody had to allow it (vm_strdup) */
	bool told;	  /* the log has heard of the path: do not tell it at each attempt */
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

/*
 * May @cred use the path @real (policy/path.h)? 0 or -errno. Is asked before the path is
 * used, and of the very file or directory that is used then: no symbolic link and no rename
 * leads anywhere else. If @path leads nowhere, it is asked of what was written.
 */
typedef int unix_judge(void *arg, const struct cred *cred, const char *real);

/*
 * bind(2); takes the place of a socket that nobody serves. -EADDRINUSE: it is served.
 * @judge: NULL, nobody has to be asked.
 */
int unix_bind_path(int fd, const char *path, mode_t mode, const struct cred *cred,
		   unix_judge *judge, void *arg);
/* connect(2). -EAGAIN: the listener's backlog is full. */
int unix_connect_path(int fd, const char *path, const struct cred *cred, unix_judge *judge,
		      void *arg);
/*
 * The path of @path as the kernel has it, of the directory of it if @parent; what
 * is not there, and names without a directory, are as they were written. 0, -ENAMETOOLONG.
 */
int unix_real_path(const char *path, bool parent, char ret_real[PATH_MAX]);
/* Remove the file @path if it is the one with these numbers. */
void unix_unlink_path(const char *path, dev_t dev, ino_t ino, const struct cred *cred);
/* lstat(2), or stat(2) if @follow, as @cred. 0 or -errno. */
int unix_stat_path(const char *path, bool follow, const struct cred *cred, struct stat *ret_st);

/* unix_walk.c ---------------------------------------------------------------------- */

enum unix_walk_end {
	UNIX_WALK_FOLLOW,   /* what the path leads to */
	UNIX_WALK_NOFOLLOW, /* the same, or the link in its place */
	UNIX_WALK_PARENT,   /* the directory, and the name in it, which need not be there */
};

/*
 * Walk @path, with the rights of the moment. A descriptor of O_PATH; -EDEADLK, -EREMOTE: it leads
 * where unix_mounts_open() does not go; or what open(2) says, as with fs.protected_symlinks.
 * For UNIX_WALK_PARENT: @ret_name; and *ret_firm, if not NULL: nobody but root and who we are at the
 * moment can have the path lead elsewhere behind it.
 */
int unix_walk(const char *path, enum unix_walk_end end, char ret_name[NAME_MAX + 1],
	      bool *ret_firm);

/* unix_mounts.c -------------------------------------------------------------------- */

/* A walk begins. 0 or -errno. */
int unix_mounts_begin(void);
/*
 * openat(2) with O_PATH and O_NOFOLLOW of @name in the directory @dir, of which @at tells.
 * @directory: there is more to come behind it. A descriptor, with *ret_at; or -EDEADLK, it is within
 * a sockfs, where we would wait for ourselves, or for one that waits for us; -EREMOTE, within a file
 * system that others serve, who may not answer; -ENOENT, in a mount that is gone by now; or what
 * openat(2) says.
 */
int unix_mounts_open(int dir, const struct statx *at, const char *name, bool directory,
		     struct statx *ret_at);
/* Type, mode, owner, device, inode and mount of @fd, without a request to its server. 0 or -errno. */
int unix_mounts_stat(int fd, struct statx *ret_at);
/* Enter those that others serve, too, and have autofs mount: for the mount option unix_remote. */
void unix_mounts_remote(void);
/* Forget that, and what was seen. */
void unix_mounts_exit(void);

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
 * 0, -ENOMEM, or -EACCES: the daemon has not the right to be somebody else.
 */
int unix_caller_begin(const struct cred *cred, struct unix_caller *ret_was);
void unix_caller_end(const struct unix_caller *was);

/* unix_policy.c -------------------------------------------------------------------- */

/*
 * Let others than the daemon's user use the paths @prefix and what is below it; "@": the
 * names that begin so. For the mount option unix=. 0, -EINVAL (neither / nor @), -ENOMEM;
 * -ELOOP: a part of it is a symbolic link, so nothing is below it; it counts all the same.
 */
int unix_policy_add(const char *prefix);
void unix_policy_clear(void);
/* Does anybody have a say in what @cred may use? */
bool unix_policy_asks(const struct cred *cred);
/*
 * May @cred connect to @path, or bind to it and accept there? 0 or -EACCES. Without
 * a policy file others than the daemon's user need a prefix; with one the file decides, and if
 * there are prefixes too, both have to agree.
 */
int unix_policy_connect(const struct cred *cred, const char *path, bool tell);
int unix_policy_listen(const struct cred *cred, const char *path, bool tell);
/* May @cred connect to @path, for a look at it (struct proto's may_use)? */
int unix_policy_may(const struct cred *cred, const char *path);
/* ... or look at it, since it leads to one that he may use? */
bool unix_policy_leads(const struct cred *cred, const char *path);

/* unix_proc.c: .proc/unix ------------------------------------------------------------ */

bool unix_show(struct seq_file *m, void *sb);

#endif /* NET_UNIX_UNIX_H */
