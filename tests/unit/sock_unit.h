/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sockets without a network for the tests of net/socket.c and net/sock_wait.c:
 * real objects in a real super block, and a protocol that does as it is told
 * and writes down what it was asked.
 */
#ifndef TESTS_UNIT_SOCK_UNIT_H
#define TESTS_UNIT_SOCK_UNIT_H

#include <errno.h>
#include <poll.h>
#include <stdio.h>

#include "ctl/faces.h"
#include "fs/dcache.h"
#include "mm/slab.h"
#include "net/proto_ops.h"
#include "net/sock_wait.h"
#include "sockfs/ioctl.h"
#include "unit.h"

static const struct cred me = {.uid = 1000, .gid = 100, .pid = 1};
static struct super_block sb;

/* The protocol: one sock, which the socket under test gets. */
static struct {
	struct sock sk;
	char asked[256];     /* the names of the operations called, each with a blank */
	int err;	     /* what they answer */
	int room, data;	     /* bytes that sendmsg takes and recvmsg gives in all, then EAGAIN */
	int wait_err, timer_err;
	unsigned int events; /* that poll says */
	uint32_t outq;	     /* sync waits for it */
	unsigned int watched; /* events that watch was asked for last */
	uint64_t now, timer; /* the clock, and the last deadline asked for */
	unsigned int timers; /* how often one was asked for */
} fake;

static int ask(const char *what)
{
	strcat(fake.asked, what);
	strcat(fake.asked, " ");
	return fake.err;
}

static void fake_release(struct socket *sock)
{
	(void)ask("release");
	(void)sock_cancel_all(sock, -ECONNABORTED);
	sock->sk = NULL;
}

static int fake_listen(struct socket *sock, int backlog)
{
	(void)sock, (void)backlog;
	return ask("listen");
}

static int fake_accept(struct socket *sock, struct socket *newsock)
{
	(void)sock;
	newsock->sk = NULL;
	return ask("accept");
}

static int fake_shutdown(struct socket *sock, int how)
{
	(void)sock, (void)how;
	return ask("shutdown");
}

static int fake_abort(struct socket *sock)
{
	(void)sock;
	return ask("abort");
}

static int fake_getname(struct socket *sock, struct sockfs_addr *ret_addr, bool peer)
{
	(void)sock, (void)peer;
	strcpy(ret_addr->host, "192.0.2.1");
	return 0;
}

static int fake_setsockopt(struct socket *sock, const struct sockfs_sockopt *opt)
{
	(void)sock, (void)opt;
	return ask("setsockopt");
}

/* Up to what is left of @left; -EAGAIN when nothing is. */
static ssize_t move(struct iov_iter *i, int *left)
{
	size_t n = min(i->count, (size_t)*left);

	if (n == 0)
		return -EAGAIN;
	iov_iter_advance(i, n);
	*left -= (int)n;
	return (ssize_t)n;
}

static ssize_t fake_sendmsg(struct socket *sock, struct iov_iter *from)
{
	(void)sock;
	return fake.err != 0 && fake.room == 0 ? fake.err : move(from, &fake.room);
}

static ssize_t fake_recvmsg(struct socket *sock, struct iov_iter *to)
{
	(void)sock;
	return fake.err != 0 && fake.data == 0 ? fake.err : move(to, &fake.data);
}

static unsigned int fake_poll(struct socket *sock)
{
	(void)sock;
	return fake.events;
}

static int fake_queues(struct socket *sock, uint32_t *ret_inq, uint32_t *ret_outq)
{
	(void)sock;
	*ret_inq = (uint32_t)fake.data;
	*ret_outq = fake.outq;
	return 0;
}

static int fake_watch(struct socket *sock, unsigned int events)
{
	(void)sock;
	fake.watched = events;
	return fake.wait_err != 0 ? fake.wait_err : (int)fake.events;
}

static int fake_sync(struct socket *sock)
{
	(void)sock;
	if (fake.err != 0)
		return fake.err;
	return fake.outq > 0 ? -EAGAIN : 0;
}

static void fake_info(struct socket *sock, struct sockfs_info *info)
{
	info->error = sock->sk->sk_err_last;
}

static int fake_wait(struct socket *sock, unsigned int events)
{
	(void)sock;
	strcat(fake.asked, events == POLLIN ? "in " : "out ");
	return fake.wait_err;
}

static int fake_timer(struct socket *sock, uint64_t deadline)
{
	(void)sock;
	if (fake.timer_err == 0)
		fake.timer = deadline;
	fake.timers++;
	return fake.timer_err;
}

static uint64_t fake_now(void)
{
	return fake.now;
}

static struct proto fake_prot = {.name = "FAKE", .word = "fake", .type = SOCK_STREAM};

static const struct proto_ops fake_ops = {
	.prot = &fake_prot,
	.release = fake_release,
	.listen = fake_listen,
	.accept = fake_accept,
	.shutdown = fake_shutdown,
	.abort = fake_abort,
	.getname = fake_getname,
	.setsockopt = fake_setsockopt,
	.sendmsg = fake_sendmsg,
	.recvmsg = fake_recvmsg,
	.poll = fake_poll,
	.queues = fake_queues,
	.sync = fake_sync,
	.info = fake_info,
};

/* And the loop. */
static const struct sock_loop fake_loop = {
	.wait = fake_wait,
	.watch = fake_watch,
	.timer = fake_timer,
	.now = fake_now,
};

static int fake_create(struct socket *sock, int type, int protocol)
{
	(void)protocol;
	if (type != SOCK_STREAM)
		return -ESOCKTNOSUPPORT;
	sock->ops = &fake_ops;
	return 0;
}

static const struct net_proto_family fake_family = {.family = AF_UNSPEC, .create = fake_create};

static inline struct inode *make_socket(struct inode *dir, const char *name)
{
	const struct qstr n = {.name = name, .len = strlen(name)};
	struct inode *inode = NULL;

	ck_assert_int_eq(dir->i_op->create(dir, &n, 0644, &me, &inode), 0);
	return inode;
}

static inline int remove_name(struct inode *dir, const char *name)
{
	const struct qstr n = {.name = name, .len = strlen(name)};

	return dir->i_op->unlink(dir, &n);
}

/* Give @sock the protocol above, in @state. */
static inline void make_fake(struct socket *sock, socket_state state)
{
	memset(&fake, 0, sizeof(fake));
	fake.now = 1000;
	sock->ops = &fake_ops;
	sock_init_data(sock, &fake.sk);
	sock->sk = &fake.sk;
	sock->state = state;
}

static inline void sockets_up(void)
{
	sock_loop = &fake_loop;
	ck_assert_int_eq(sock_register(&fake_family), 0);
	ck_assert_int_eq(sock_init(), 0);
	ck_assert_int_eq(super_init(&sb, &sockfs_ops, &sockfs_dir_iops, 0755, 0, 0), 0);
}

/* Nothing may be left of anything. */
static inline void sockets_down(void)
{
	kmem_fault_after(-1);
	super_fini(&sb);
	sock_unregister(fake_family.family);
	ck_assert_int_eq(sock_exit(), 0);
	ck_assert_ptr_null(kmem_cache_next(NULL));
}

static inline struct kmem_cache *cache_named(const char *name)
{
	for (struct kmem_cache *s = kmem_cache_next(NULL); s != NULL; s = kmem_cache_next(s))
		if (strcmp(kmem_cache_name(s), name) == 0)
			return s;
	ck_abort_msg("there is no cache %s", name);
}

static inline unsigned long in_use(const char *name)
{
	struct slabinfo si;

	get_slabinfo(cache_named(name), &si);
	return si.active_objs;
}

#endif
