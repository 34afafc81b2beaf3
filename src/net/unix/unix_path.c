/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bind(2) and connect(2) of UNIX sockets, with the caller's rights.
 *
 * A path is walked first (unix_walk.c), and then used by a descriptor of what was found:
 * /proc/self/fd/N of the socket's own file to connect, /proc/self/fd/N/name of its directory to
 * bind. So nothing can be exchanged between a look at it and its use, and a path may be longer than
 * the 107 bytes that a struct sockaddr_un has room for.
 *
 * What is bound to is told to others as it was given to bind(2). So the path is used as it is where that is
 * no matter: it fits, who binds may do all that the daemon may, and nobody else can change where it leads.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include "net/unix/unix.h"

struct target {
	struct sockaddr_un sun;
	socklen_t len;
	int fd;			 /* of the socket's file or of its directory; -1: none was needed */
	char name[NAME_MAX + 1]; /* in the directory */
};

/* Who has to be asked before a path is used; ask NULL: nobody. */
struct judge {
	unix_judge *ask;
	void *arg;
	const struct cred *cred;
};

/* unix_walk() as @cred. */
static int walk_as(const char *path, enum unix_walk_end end, char ret_name[NAME_MAX + 1],
		   const struct cred *cred, bool *ret_firm)
{
	struct unix_caller was;
	int fd = unix_caller_begin(cred, &was);

	if (fd != 0)
		return fd;
	fd = unix_walk(path, end, ret_name, ret_firm);
	unix_caller_end(&was);
	return fd;
}

static void sun_init(struct sockaddr_un *sun)
{
	memset(sun, 0, sizeof(*sun));
	sun->sun_family = AF_UNIX;
}

/* @name in the directory @fd, or @fd itself if @name is "". 0 or -ENAMETOOLONG. */
static int sun_by_fd(struct sockaddr_un *sun, int fd, const char *name)
{
	int n = snprintf(sun->sun_path, sizeof(sun->sun_path), "/proc/self/fd/%d%s%s", fd,
			 name[0] != '\0' ? "/" : "", name);

	return n < (int)sizeof(sun->sun_path) ? 0 : -ENAMETOOLONG;
}

/* The path of @fd as the kernel has it, with @name ("": nothing) behind it. */
static int fd_path(int fd, const char *name, char ret_real[PATH_MAX])
{
	char link[32];
	struct stat st;
	size_t room;
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, ret_real, PATH_MAX);
	if (n < 0)
		return -errno;
	if (n == PATH_MAX)
		return -ENAMETOOLONG;
	ret_real[n] = '\0';
	/* It has gone meanwhile, and has no path any more; or it never had one from here. */
	if (fstat(fd, &st) != 0 || st.st_nlink == 0 || ret_real[0] != '/')
		return -ENOENT;
	if (name[0] == '\0')
		return 0;
	/* "/" and "x" are "/x". */
	if (n == 1)
		n = 0;
	room = PATH_MAX - (size_t)n;
	return snprintf(ret_real + n, room, "/%s", name) < (int)room ? 0 : -ENAMETOOLONG;
}

/* Ask of what @t has been found to be. @path as it was written, and @err if it was not found. */
static int target_judge(const struct target *t, const char *path, int err,
			const struct judge *judge)
{
	char real[PATH_MAX];
	int refused;

	if (judge->ask == NULL || err == -EDEADLK)
		return err;
	if (err == 0)
		err = fd_path(t->fd, t->name, real);
	if (err == 0)
		return judge->ask(judge->arg, judge->cred, real);
	/* Who may not go there is not told what is there. */
	refused = judge->ask(judge->arg, judge->cred, path);
	return refused != 0 ? refused : err;
}

/* A NUL stands for the "@", and the name has no other end than the length. */
static int target_abstract(const char *name, const struct judge *judge, struct target *ret)
{
	size_t len = strlen(name);

	if (len > sizeof(ret->sun.sun_path))
		return -ENAMETOOLONG;
	memcpy(ret->sun.sun_path + 1, name + 1, len - 1);
	ret->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	return judge->ask != NULL ? judge->ask(judge->arg, judge->cred, name) : 0;
}

/* 0 or -errno; in any case @ret is to be closed. @end: of the path, as it is to be used. */
static int target_open(const char *path, enum unix_walk_end end, const struct judge *judge,
		       struct target *ret)
{
	bool firm = false;
	int err;

	sun_init(&ret->sun);
	ret->len = sizeof(ret->sun);
	ret->fd = -1;
	ret->name[0] = '\0';
	if (path[0] == '@')
		return target_abstract(path, judge, ret);
	ret->fd = walk_as(path, end, ret->name, judge->cred, &firm);
	err = target_judge(ret, path, ret->fd < 0 ? ret->fd : 0, judge);
	if (err != 0)
		return err;
	if (end != UNIX_WALK_PARENT || judge->ask != NULL || !firm ||
	    strlen(path) >= sizeof(ret->sun.sun_path))
		return sun_by_fd(&ret->sun, ret->fd, ret->name);
	memcpy(ret->sun.sun_path, path, strlen(path));
	return 0;
}

static void target_close(struct target *t)
{
	if (t->fd >= 0)
		close(t->fd);
}

int unix_real_path(const char *path, bool parent, char ret_real[PATH_MAX])
{
	char name[NAME_MAX + 1] = "";
	int err, fd = -ENOENT;

	if (path[0] == '/')
		fd = unix_walk(path, parent ? UNIX_WALK_PARENT : UNIX_WALK_FOLLOW, name, NULL);
	err = fd >= 0 ? fd_path(fd, name, ret_real) : fd;
	if (fd >= 0)
		close(fd);
	if (err == 0)
		return 0;
	return snprintf(ret_real, PATH_MAX, "%s", path) < PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* @name in the directory @dir, as unix_mounts_open(). */
static int open_in(int dir, const char *name, struct statx *ret_st)
{
	struct statx at;
	int err = unix_mounts_stat(dir, &at);

	return err != 0 ? err : unix_mounts_open(dir, &at, name, false, ret_st);
}

/* Is the socket @file one that nobody listens on any more? */
static bool is_dead(int file)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un sun;
	bool dead;

	if (fd < 0)
		return false;
	sun_init(&sun);
	dead = sun_by_fd(&sun, file, "") == 0 &&
	       connect(fd, (const struct sockaddr *)&sun, sizeof(sun)) != 0 &&
	       errno == ECONNREFUSED;
	close(fd);
	return dead;
}

/* Take the place of the socket that is there, if it is a dead one. 0 or -errno. */
static int remove_dead(const struct target *t)
{
	struct statx st;
	int file = open_in(t->fd, t->name, &st);
	int err = -EADDRINUSE;

	if (file < 0)
		return err;
	if (S_ISSOCK(st.stx_mode) && is_dead(file))
		err = unlinkat(t->fd, t->name, 0) == 0 || errno == ENOENT ? 0 : -errno;
	close(file);
	return err;
}

static int bind_target(int fd, const struct target *t)
{
	int err;

	if (bind(fd, (const struct sockaddr *)&t->sun, t->len) == 0)
		return 0;
	if (errno != EADDRINUSE || t->fd < 0)
		return -errno;
	err = remove_dead(t);
	if (err == 0 && bind(fd, (const struct sockaddr *)&t->sun, t->len) != 0)
		err = -errno;
	return err;
}

int unix_bind_path(int fd, const char *path, mode_t mode, const struct cred *cred,
		   unix_judge *judge, void *arg)
{
	struct unix_caller was;
	struct target t;
	mode_t umask_was;
	int err = target_open(path, UNIX_WALK_PARENT, &(struct judge){judge, arg, cred}, &t);

	if (err == 0)
		err = unix_caller_begin(cred, &was);
	if (err == 0) {
		/* Who may connect is a matter of its mode, from its first moment on. */
		umask_was = umask(~mode & 0777);
		err = bind_target(fd, &t);
		umask(umask_was);
		unix_caller_end(&was);
	}
	target_close(&t);
	return err;
}

int unix_connect_path(int fd, const char *path, const struct cred *cred, unix_judge *judge,
		      void *arg)
{
	struct unix_caller was;
	struct target t;
	int err = target_open(path, UNIX_WALK_FOLLOW, &(struct judge){judge, arg, cred}, &t);

	if (err == 0)
		err = unix_caller_begin(cred, &was);
	if (err == 0) {
		if (connect(fd, (struct sockaddr *)&t.sun, t.len) != 0)
			err = -errno;
		unix_caller_end(&was);
	}
	target_close(&t);
	return err;
}

int unix_stat_path(const char *path, bool follow, const struct cred *cred, struct stat *ret_st)
{
	int fd = walk_as(path, follow ? UNIX_WALK_FOLLOW : UNIX_WALK_NOFOLLOW, NULL, cred, NULL);
	int err = fd < 0 ? fd : 0;

	if (fd < 0)
		return err;
	if (fstat(fd, ret_st) != 0)
		err = -errno;
	close(fd);
	return err;
}

void unix_unlink_path(const char *path, dev_t dev, ino_t ino, const struct cred *cred)
{
	char name[NAME_MAX + 1];
	int file, fd = walk_as(path, UNIX_WALK_PARENT, name, cred, NULL);
	struct unix_caller was;
	struct statx st;

	if (fd < 0)
		return;
	if (unix_caller_begin(cred, &was) == 0) {
		/* Somebody may have put another one there meanwhile. */
		file = open_in(fd, name, &st);
		if (file >= 0 && makedev(st.stx_dev_major, st.stx_dev_minor) == dev &&
		    st.stx_ino == ino)
			(void)unlinkat(fd, name, 0);
		if (file >= 0)
			close(file);
		unix_caller_end(&was);
	}
	close(fd);
}
