/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * UNIX stream sockets: their row, and what only they do. Twin of net/unix/af_unix.c.
 *
 * Happy path: "looking up" an address keeps the path and who said it; connect(2) succeeds
 * in the call itself. A listener makes the file of its path, with the mode of its own file
 * in the mount, and removes it when it ends.
 *
 * Failure modes: a full backlog is EAGAIN, for which nothing can wait, so the dial tries
 * again later; the daemon is killed and its file stays, which the next listener takes over.
 */
#include "config.h"

#include "net/unix/unix.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "mm/vmstat.h"
#include "net/core/core.h"
#include "policy/policy.h"
#include "uapi/addr.h"

static void unix_init_sock(struct sock *sk)
{
	struct unix_sock *u = unix_sk(sk);

	u->path = NULL;
	u->real = NULL;
	u->cred = (struct cred){0};
	u->told = false;
	u->has_file = false;
	u->dev = 0;
	u->ino = 0;
}

static void unix_take_over(struct sock *sk, struct sock *old)
{
	struct unix_sock *u = unix_sk(sk), *o = unix_sk(old);

	u->path = o->path;
	u->real = o->real;
	u->cred = o->cred;
	u->has_file = o->has_file;
	u->dev = o->dev;
	u->ino = o->ino;
	o->path = NULL;
	o->real = NULL;
	o->has_file = false;
}

static void unix_destroy(struct sock *sk)
{
	vm_strfree(unix_sk(sk)->path);
	vm_strfree(unix_sk(sk)->real);
}

/* Where its file is, whatever lies where it was said to be. */
static const char *place_of(const struct unix_sock *u)
{
	return u->real != NULL ? u->real : u->path;
}

/* The file of a listener goes with it. */
static void remove_file(struct unix_sock *u)
{
	if (u->has_file)
		unix_unlink_path(place_of(u), u->dev, u->ino, &u->cred);
	u->has_file = false;
}

/* There is nothing to look up: the path is kept, and one address stands for it. */
static int unix_resolve(struct sock *sk, const struct sockfs_addr *addr, const struct cred *cred,
			bool passive, resolve_cb *cb, void *arg, struct resolve **ret_r)
{
	struct unix_sock *u = unix_sk(sk);
	struct addr_list *list;
	char *path = vm_strdup(addr->host);

	(void)passive;
	if (path == NULL)
		return -errno;
	list = calloc(1, sizeof(*list) + sizeof(list->addr[0]));
	if (list == NULL) {
		vm_strfree(path);
		return -ENOMEM;
	}
	list->n = 1;
	list->addr[0].ss_family = AF_UNIX;
	/* It keeps the file that it is bound to, if it is: connect(2) leaves that name. */
	if (!u->has_file) {
		vm_strfree(u->path);
		u->path = path;
		u->cred = *cred;
		u->told = false;
		*ret_r = NULL;
		cb(arg, 0, list);
		return 0;
	}
	vm_strfree(path);
	free(list);
	return -EINVAL;
}

/* Behind it the two paths, each with its NUL; "" is none. */
struct unix_saved {
	uint32_t uid, gid;
	uint64_t dev, ino;
	uint32_t has_file, told;
};

static size_t unix_save(const struct sock *sk, char *buf, size_t size)
{
	const struct unix_sock *u = (const struct unix_sock *)sk;
	const char *path = u->path != NULL ? u->path : "", *real = u->real != NULL ? u->real : "";
	size_t path_size = strlen(path) + 1, real_size = strlen(real) + 1;
	const struct unix_saved saved = {
		.uid = u->cred.uid,
		.gid = u->cred.gid,
		.dev = u->dev,
		.ino = u->ino,
		.has_file = u->has_file,
		.told = u->told,
	};

	/* A connection needs a path only where the kernel's address is too short for it. */
	if ((!u->has_file && u->real == NULL && path_size <= sizeof(((struct sockaddr_un *)0)->sun_path)) ||
	    size < sizeof(saved) + path_size + real_size)
		return 0;
	memcpy(buf, &saved, sizeof(saved));
	memcpy(buf + sizeof(saved), path, path_size);
	memcpy(buf + sizeof(saved) + path_size, real, real_size);
	return sizeof(saved) + path_size + real_size;
}

static int resume_path(char **ret_path, const char *text)
{
	if (*text == '\0')
		return 0;
	*ret_path = vm_strdup(text);
	return *ret_path != NULL ? 0 : -errno;
}

static int unix_resume(struct sock *sk, const char *buf, size_t len)
{
	struct unix_sock *u = unix_sk(sk);
	const char *path = buf + sizeof(struct unix_saved), *end;
	struct unix_saved saved;
	int err;

	if (len < sizeof(saved) + 2 || buf[len - 1] != '\0')
		return -EINVAL;
	memcpy(&saved, buf, sizeof(saved));
	end = memchr(path, '\0', len - sizeof(saved) - 1);
	if (end == NULL)
		return -EINVAL;
	u->cred = (struct cred){.uid = saved.uid, .gid = saved.gid};
	u->dev = saved.dev;
	u->ino = saved.ino;
	u->has_file = saved.has_file;
	u->told = saved.told;
	err = resume_path(&u->path, path);
	return err != 0 ? err : resume_path(&u->real, end + 1);
}

static int unix_handle_init(struct sock *sk)
{
	return uv_pipe_init(sk_loop, &unix_sk(sk)->pipe, 0);
}

static int unix_handle_open(struct sock *sk, int fd)
{
	return uv_pipe_open(&unix_sk(sk)->pipe, fd);
}

/* As TCP's: what was not read would be a reset to the peer. */
static void unix_discard_received(int fd)
{
	static char nowhere[1 << 16];

	for (int i = 0; i < 64; i++)
		if (recv(fd, nowhere, sizeof(nowhere), MSG_DONTWAIT) <= 0)
			return;
}

/* Linux tells of a listener only whether somebody waits. */
static int unix_backlog(int fd, uint32_t *ret_n)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	*ret_n = poll(&p, 1, 0) == 1 && p.revents & POLLIN;
	return 0;
}

/* What has been written is in the peer's queue. */
static int unix_sync(struct sock *sk)
{
	(void)sk;
	return 0;
}

/* "unix:/run/x", "unix:@name", or nothing: most have no name. */
static void unix_name_text(const struct sock *sk, const struct sockaddr_storage *ss, socklen_t len,
			   bool peer, struct sockfs_addr *ret_addr)
{
	const struct sockaddr_un *sun = (const struct sockaddr_un *)ss;
	const struct unix_sock *u = (const struct unix_sock *)sk;
	size_t n = len > offsetof(struct sockaddr_un, sun_path)
			   ? len - offsetof(struct sockaddr_un, sun_path)
			   : 0;
	char path[sizeof(sun->sun_path) + 1] = "";

	memset(ret_addr, 0, sizeof(*ret_addr));
	if (n == 0)
		return;
	memcpy(path, sun->sun_path, n);
	if (path[0] == '\0')
		path[0] = '@';
	else
		n = strlen(path);
	/* net/unix/af_unix.c: unix_seq_show has it so; and nothing may tear a line. */
	for (size_t i = 1; i < n; i++)
		if ((unsigned char)path[i] < ' ' || path[i] == 0x7f)
			path[i] = '@';
	/* A long one has gone by a descriptor: the one that was asked for says more. */
	if (u->path != NULL && strncmp(path, "/proc/self/fd/", 14) == 0)
		snprintf(ret_addr->host, sizeof(ret_addr->host), "unix:%s", u->path);
	else
		snprintf(ret_addr->host, sizeof(ret_addr->host), "unix:%s", path);
	(void)peer;
}

static int judge_connect(void *arg, const struct cred *cred, const char *real)
{
	struct unix_sock *u = arg;
	bool tell = !u->told;

	u->told = true;
	return unix_policy_connect(cred, real, tell);
}

/* Who accepts later is asked of this path, whatever lies there then. */
static int judge_bind(void *arg, const struct cred *cred, const char *real)
{
	struct unix_sock *u = arg;
	int err = unix_policy_listen(cred, real, true);

	if (err != 0)
		return err;
	vm_strfree(u->real);
	u->real = vm_strdup(real);
	return u->real != NULL ? 0 : -errno;
}

static int unix_may_accept(const struct sock *sk, const struct cred *cred)
{
	const struct unix_sock *u = (const struct unix_sock *)sk;

	return u->real != NULL ? policy_listen_path(cred, unix_prot.word, u->real, true) : 0;
}

/* Who resumes with a ledger that is broken may not have a path. */
int unix_bind(struct socket *sock, int fd, const struct sockaddr *addr, socklen_t len)
{
	struct unix_sock *u = unix_sk(sock->sk);
	struct stat st;
	int err;

	(void)addr, (void)len;
	if (u->path == NULL)
		return -EINVAL;
	err = unix_bind_path(fd, u->path, SOCK_INODE(sock)->i_mode, &u->cred,
			     unix_policy_asks(&u->cred) ? judge_bind : NULL, u);
	if (err == 0 && u->path[0] != '@' &&
	    unix_stat_path(place_of(u), false, &u->cred, &st) == 0) {
		u->has_file = true;
		u->dev = st.st_dev;
		u->ino = st.st_ino;
	}
	return err;
}

int unix_connect(struct socket *sock, int fd, const struct sockaddr *addr, socklen_t len)
{
	struct unix_sock *u = unix_sk(sock->sk);

	(void)addr, (void)len;
	if (u->path == NULL)
		return -EINVAL;
	return unix_connect_path(fd, u->path, &u->cred,
				 unix_policy_asks(&u->cred) ? judge_connect : NULL, u);
}

/* Without a name nobody could come. net/unix/af_unix.c: unix_listen. */
int unix_listen(struct socket *sock, int backlog)
{
	if (sock->sk == NULL || sock->sk->sk_fd < 0)
		return -EINVAL;
	return stream_listen(sock, backlog);
}

int unix_shutdown(struct socket *sock, int how)
{
	if (sock->state == SS_LISTENING && how != SHUT_WR)
		remove_file(unix_sk(sock->sk));
	return stream_shutdown(sock, how);
}

int unix_abort(struct socket *sock)
{
	if (sock->sk != NULL)
		remove_file(unix_sk(sock->sk));
	return sock_common_abort(sock);
}

void unix_release(struct socket *sock)
{
	remove_file(unix_sk(sock->sk));
	sock_common_release(sock);
}

static const struct proto_table unix_tables[] = {{"unix", unix_show}, {NULL, NULL}};

struct proto unix_prot = {
	.name = "UNIX-STREAM",
	.word = UNIX_WORD,
	.dir = "unix",
	.family = AF_UNIX,
	.type = SOCK_STREAM,
	.protocol = 0,
	.obj_size = sizeof(struct unix_sock),
	.handle = offsetof(struct unix_sock, pipe),
	.init = unix_init_sock,
	.take_over = unix_take_over,
	.destroy = unix_destroy,
	.path = true,
	.may_use = unix_policy_may,
	.leads = unix_policy_leads,
	.stat_path = unix_stat_path,
	.may_accept = unix_may_accept,
	.resolve = unix_resolve,
	.name_text = unix_name_text,
	.handle_init = unix_handle_init,
	.handle_open = unix_handle_open,
	.read_start = stream_read_start,
	.read_stop = stream_read_stop,
	.before_close = unix_discard_received,
	.backlog = unix_backlog,
	.sync = unix_sync,
	.save = unix_save,
	.resume = unix_resume,
	.lasting = true,
	.tables = unix_tables,
};
