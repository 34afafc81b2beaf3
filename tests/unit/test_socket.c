/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One object, two faces: each sentence of that chapter of doc/ARCHITECTURE.md;
 * the state table; and what is refused before a protocol is asked.
 */
#include "config.h"

#include <signal.h>

#include "sock_unit.h"

/* ------------------------------------------------------- one object, two faces */

/* "The head: state, protocol, struct sock; the body: owner, mode, times, counts." */
START_TEST(head_and_body)
{
	struct socket_alloc ei;

	ck_assert_ptr_eq(&ei.socket, (void *)&ei);
	ck_assert_uint_ge(offsetof(struct socket_alloc, vfs_inode), sizeof(struct socket));
	ck_assert_ptr_eq(SOCKET_I(&ei.vfs_inode), &ei.socket);
	ck_assert_ptr_eq(SOCK_INODE(&ei.socket), &ei.vfs_inode);
	/* "One subtraction known at compile time", there and back. */
	ck_assert_int_eq((char *)&ei.vfs_inode - (char *)SOCKET_I(&ei.vfs_inode),
			 offsetof(struct socket_alloc, vfs_inode));
	ck_assert_ptr_eq(SOCK_INODE(SOCKET_I(&ei.vfs_inode)), &ei.vfs_inode);
}
END_TEST

/* The sizes in the chapter's table. */
START_TEST(sizes)
{
	struct slabinfo si;

	if (sizeof(void *) == 8) {
		ck_assert_uint_eq(sizeof(struct socket), 32);
		ck_assert_uint_eq(sizeof(struct inode), 144);
		ck_assert_uint_eq(sizeof(struct socket_alloc), 176);
		ck_assert_uint_eq(sizeof(struct dentry), 128);
	}
	get_slabinfo(cache_named("sock_inode_cache"), &si);
	ck_assert_uint_eq(kmem_cache_size(cache_named("sock_inode_cache")),
			  sizeof(struct socket_alloc));
#ifndef SLAB_ASAN /* slots are larger there */
	ck_assert_uint_le(si.objsize, 256);
#endif
}
END_TEST

static unsigned int nr_alloc, nr_free, nr_evict;
static struct inode *last_alloc;

static struct inode *counted_alloc_inode(struct super_block *s)
{
	nr_alloc++;
	last_alloc = sockfs_ops.alloc_inode(s);
	return last_alloc;
}

static void counted_free_inode(struct inode *inode)
{
	nr_free++;
	sockfs_ops.free_inode(inode);
}

static void counted_evict_inode(struct inode *inode)
{
	nr_evict++;
	sockfs_ops.evict_inode(inode);
}

/* "sock_alloc() asks new_inode_pseudo(sb), which asks sb->s_op->alloc_inode": once a file. */
START_TEST(the_file_systems_way)
{
	static const struct super_operations counted = {
		.alloc_inode = counted_alloc_inode,
		.free_inode = counted_free_inode,
		.evict_inode = counted_evict_inode,
	};
	struct inode *inode;

	sb.s_op = &counted;
	nr_alloc = nr_free = nr_evict = 0;
	for (unsigned int i = 1; i <= 50; i++) {
		char name[16];

		snprintf(name, sizeof(name), "f%u", i);
		inode = make_socket(sb.s_root, name);
		/* "This returns the address of its body." */
		ck_assert_ptr_eq(inode, last_alloc);
		ck_assert_uint_eq(nr_alloc, i);
		ck_assert_uint_eq(in_use("sock_inode_cache"), i);
		ck_assert_uint_eq(in_use("dentry"), i);
		/* Nothing else: the root is the only plain inode. */
		ck_assert_uint_eq(in_use("inode_cache"), 1);
	}
	ck_assert_int_eq(remove_name(sb.s_root, "f7"), 0);
	ck_assert_uint_eq(nr_evict, 1);
	ck_assert_uint_eq(nr_free, 1);
	ck_assert_uint_eq(in_use("sock_inode_cache"), 49);
	/* Directories, symlinks and names are no sockets. */
	ck_assert_int_eq(sb.s_root->i_op->mkdir(sb.s_root, &(struct qstr){"d", 1}, 0755, &me, &inode),
			 0);
	ck_assert_int_eq(
		sb.s_root->i_op->symlink(sb.s_root, &(struct qstr){"l", 1}, "d", &me, &inode), 0);
	ck_assert_uint_eq(nr_alloc, 50);
}
END_TEST

/* "read and write enter by the inode, connect and bind by the socket." */
START_TEST(a_new_file)
{
	struct inode *inode = make_socket(sb.s_root, "f");
	struct socket *sock = SOCKET_I(inode);

	ck_assert_uint_eq(inode->i_mode, S_IFREG | 0644);
	ck_assert_uint_eq(inode->i_uid, 1000);
	ck_assert_ptr_eq(inode->i_fop->read_iter, sock_read_iter);
	ck_assert_ptr_eq(inode->i_fop->write_iter, sock_write_iter);
	/* Of the family that came first. */
	ck_assert_ptr_eq(sock->ops, &fake_ops);
	ck_assert_int_eq(sock->state, SS_UNCONNECTED);
	/* The protocol's part is made when it is first needed. */
	ck_assert_ptr_null(sock->sk);
	ck_assert(LIST_EMPTY(&sock->wq));
}
END_TEST

static const char *face_asked;

static ssize_t face_ioctl_of_test(struct kiocb *iocb, unsigned int cmd, void *arg)
{
	(void)iocb, (void)cmd;
	face_asked = arg;
	return -EUCLEAN;
}

static ssize_t face_get(struct inode *inode, const char *name, void *value, size_t size)
{
	(void)inode, (void)value;
	face_asked = name;
	return (ssize_t)size + 1;
}

static ssize_t face_list(struct inode *inode, char *list, size_t size)
{
	(void)inode;
	face_asked = list;
	return (ssize_t)size + 2;
}

static int face_set(struct inode *inode, const char *name, const void *value, size_t size, int flags)
{
	(void)inode, (void)value, (void)size;
	face_asked = name;
	return -flags;
}

static int face_remove(struct inode *inode, const char *name)
{
	(void)inode;
	face_asked = name;
	return -EUCLEAN;
}

/* Whoever has faces registers them: a socket that exists already has them, too. */
START_TEST(a_face)
{
	static const struct sock_face face = {face_ioctl_of_test, face_get, face_list, face_set,
					      face_remove};
	struct inode *inode = make_socket(sb.s_root, "f");
	char arg[] = "x";

	ck_assert_int_eq(inode->i_fop->ioctl(NULL, 1, arg), -ENOTTY);
	ck_assert_int_eq(inode->i_op->getxattr(inode, arg, NULL, 0), -EOPNOTSUPP);
	ck_assert_int_eq(inode->i_op->listxattr(inode, NULL, 0), 0);
	ck_assert_int_eq(inode->i_op->setxattr(inode, arg, "", 0, 0), -EOPNOTSUPP);
	ck_assert_int_eq(inode->i_op->removexattr(inode, arg), -EOPNOTSUPP);
	sock_register_face(&face);
	ck_assert_int_eq(inode->i_fop->ioctl(NULL, 1, arg), -EUCLEAN);
	ck_assert_ptr_eq(face_asked, arg);
	ck_assert_int_eq(inode->i_op->getxattr(inode, "get", NULL, 7), 8);
	ck_assert_str_eq(face_asked, "get");
	ck_assert_int_eq(inode->i_op->listxattr(inode, arg, 7), 9);
	ck_assert_ptr_eq(face_asked, arg);
	ck_assert_int_eq(inode->i_op->setxattr(inode, "set", "", 0, 5), -5);
	ck_assert_str_eq(face_asked, "set");
	ck_assert_int_eq(inode->i_op->removexattr(inode, "remove"), -EUCLEAN);
	ck_assert_str_eq(face_asked, "remove");
	sock_register_face(NULL);
}
END_TEST

/* "Who makes sockets": none, one, and one too many. */
START_TEST(families)
{
	static const struct net_proto_family more[NR_FAMILIES] = {
		{.family = 1, .create = fake_create},
		{.family = 2, .create = fake_create},
		{.family = 3, .create = fake_create},
		{.family = 4, .create = fake_create},
	};

	ck_assert_int_eq(sock_register(&fake_family), -EEXIST);
	for (int i = 0; i < NR_FAMILIES - 1; i++)
		ck_assert_int_eq(sock_register(&more[i]), 0);
	ck_assert_int_eq(sock_register(&more[1]), -EEXIST);
	ck_assert_int_eq(sock_register(&more[NR_FAMILIES - 1]), -ENOBUFS);
	for (int i = 0; i < NR_FAMILIES - 1; i++)
		sock_unregister(more[i].family);
	ck_assert_int_eq(sock_register(&more[NR_FAMILIES - 1]), 0);
	sock_unregister(4);
	sock_unregister(fake_family.family);
	ck_assert_ptr_null(sock_alloc(&sb));
	ck_assert_int_eq(errno, EAFNOSUPPORT);
	ck_assert_uint_eq(in_use("sock_inode_cache"), 0);
	ck_assert_int_eq(sock_register(&fake_family), 0);
}
END_TEST

/* A cache's objects, all of them, so that some object comes twice. */
static struct inode *alloc_at(const void *place)
{
	struct socket *socks[512];
	struct inode *found = NULL;
	unsigned int n = 0;

	while (found == NULL && n < ARRAY_SIZE(socks)) {
		socks[n] = sock_alloc(&sb);
		ck_assert_ptr_nonnull(socks[n]);
		if ((const void *)socks[n] == place)
			found = SOCK_INODE(socks[n]);
		else
			n++;
	}
	while (n > 0)
		inode_drop_nlink(SOCK_INODE(socks[--n]));
	ck_assert_ptr_nonnull(found);
	return found;
}

/*
 * "init_once() runs once per object when its slab is made, not once per
 * allocation: it sets what is valid again whenever an object is freed."
 */
START_TEST(init_once_once)
{
	struct socket *sock = sock_alloc(&sb);
	struct inode *inode = SOCK_INODE(sock);
	struct dentry **mark = (struct dentry **)&nr_alloc;
	void *place = sock;

	/* What it made. */
	ck_assert_ptr_null(inode->i_dentry.tqh_first);
	ck_assert_ptr_eq(inode->i_dentry.tqh_last, &inode->i_dentry.tqh_first);
	ck_assert_ptr_null(LIST_FIRST(&sock->wq));
	/* A mark that it alone would wipe away. */
	inode->i_dentry.tqh_last = mark;
	inode_drop_nlink(inode);
	inode = alloc_at(place);
	ck_assert_ptr_eq(inode->i_dentry.tqh_last, mark);
	TAILQ_INIT(&inode->i_dentry);
	inode_drop_nlink(inode);
}
END_TEST

START_TEST(freed_as_constructed)
{
	struct inode *inode = make_socket(sb.s_root, "f");
	struct file *file;
	void *place = SOCKET_I(inode);

	/* Used in every way: names, a poller, a protocol, counts, a state. */
	ck_assert_int_eq(sb.s_root->i_op->link(inode, sb.s_root, &(struct qstr){"g", 1}), 0);
	make_fake(SOCKET_I(inode), SS_CONNECTED);
	file = alloc_file(inode, 2);
	ck_assert_ptr_nonnull(file);
	(void)sock_poll(file, true);
	ck_assert(!LIST_EMPTY(&SOCKET_I(inode)->wq));
	SOCKET_I(inode)->nr_accepted = 7;
	ck_assert_int_eq(remove_name(sb.s_root, "f"), 0);
	ck_assert_int_eq(remove_name(sb.s_root, "g"), 0);
	file_release(file);

	inode = alloc_at(place);
	ck_assert_ptr_null(TAILQ_FIRST(&inode->i_dentry));
	ck_assert_ptr_eq(inode->i_dentry.tqh_last, &inode->i_dentry.tqh_first);
	ck_assert(LIST_EMPTY(&SOCKET_I(inode)->wq));
	ck_assert_int_eq(SOCKET_I(inode)->state, SS_UNCONNECTED);
	ck_assert_ptr_null(SOCKET_I(inode)->sk);
	ck_assert_uint_eq(SOCKET_I(inode)->nr_accepted, 0);
	ck_assert_uint_eq(inode->i_state, 0);
	inode_drop_nlink(inode);
}
END_TEST

START_TEST(create_fails_whole)
{
	const struct qstr name = {.name = "f", .len = 1};
	struct inode *inode = NULL;
	long failed = 0;
	int err;

	while (kmem_fault_after(failed + 1),
	       (err = sb.s_root->i_op->create(sb.s_root, &name, 0644, &me, &inode)) != 0) {
		ck_assert_int_eq(err, -ENOMEM);
		ck_assert_ptr_null(inode);
		ck_assert_uint_eq(in_use("sock_inode_cache"), 0);
		failed++;
	}
	kmem_fault_after(-1);
	/* The socket, its number, its maker, its name. */
	ck_assert_int_eq(failed, 4);
	ck_assert_int_eq(sb.s_root->i_op->create(sb.s_root, &name, 0644, &me, &inode), -EEXIST);
	sb.s_max_sockets = 1;
	ck_assert_ptr_null(sock_alloc(&sb));
	ck_assert_int_eq(errno, ENOSPC);
}
END_TEST

START_TEST(caches_come_and_go)
{
	struct capture c;
	struct socket *sock;

	super_fini(&sb);
	sock_unregister(fake_family.family);
	ck_assert_int_eq(sock_exit(), 0);
	kmem_fault_after(1);
	ck_assert_int_eq(sock_init(), -ENOMEM);
	ck_assert_int_eq(sock_exit(), 0);
	sockets_up();
	/* One that is still out is told, and the cache stays. */
	sock = sock_alloc(&sb);
	capture_begin(&c);
	ck_assert_int_eq(sock_exit(), -EBUSY);
	ck_assert_ptr_nonnull(strstr(capture_end(&c), "sock_inode_cache"));
	inode_drop_nlink(SOCK_INODE(sock));
}
END_TEST

/* ------------------------------------------------------------------- the states */

#define NR_STATES 7

static const char *const moves[NR_STATES] = {
	/*			     F U C O L D X */
	[SS_FREE] = "- - - - - - -",
	[SS_UNCONNECTED] = "- - x x x - x",
	[SS_CONNECTING] = "- x - x - - x",
	[SS_CONNECTED] = "- - x - - x x",
	[SS_LISTENING] = "- - - - - - x",
	[SS_DISCONNECTING] = "- - - - - - x",
	[SS_CLOSED] = "- - x - - - -",
};

START_TEST(state_table)
{
	struct socket *sock = SOCKET_I(make_socket(sb.s_root, "f"));
	socket_state from = (socket_state)(_i / NR_STATES), to = (socket_state)(_i % NR_STATES);
	bool allowed = moves[from][2 * to] == 'x';
	struct capture c;
	const char *said;

	sock->state = from;
	capture_begin(&c);
	sock_set_state(sock, to);
	said = capture_end(&c);
	ck_assert_int_eq(sock->state, allowed ? to : from);
	ck_assert_int_eq(count_of(said, "BUG: socket"), !allowed);
	if (!allowed) {
		ck_assert_ptr_nonnull(strstr(said, sock_state_name(from)));
		ck_assert_ptr_nonnull(strstr(said, sock_state_name(to)));
	}
	sock->state = SS_CLOSED;
}
END_TEST

START_TEST(states_are_the_abi_s)
{
	static const char *const names[] = {"free",	 "unconnected",	  "connecting", "connected",
					    "listening", "disconnecting", "closed"};

	for (int i = 0; i < NR_STATES; i++)
		ck_assert_str_eq(sock_state_name((socket_state)i), names[i]);
	ck_assert_int_eq(SS_UNCONNECTED, SOCKFS_UNCONNECTED);
	ck_assert_int_eq(SS_CONNECTING, SOCKFS_CONNECTING);
	ck_assert_int_eq(SS_CONNECTED, SOCKFS_CONNECTED);
	ck_assert_int_eq(SS_LISTENING, SOCKFS_LISTENING);
	ck_assert_int_eq(SS_DISCONNECTING, SOCKFS_DISCONNECTING);
	ck_assert_int_eq(SS_CLOSED, SOCKFS_CLOSED);
}
END_TEST

/* --------------------------------------------- refused before the protocol is asked */

static int do_bind(struct socket *sock)
{
	return sock_may_bind(sock);
}

static int do_connect(struct socket *sock)
{
	return sock_may_connect(sock);
}

static int do_listen(struct socket *sock)
{
	return sock_listen(sock, 0);
}

static int do_shutdown(struct socket *sock)
{
	return sock_shutdown(sock, 1);
}

static int do_abort(struct socket *sock)
{
	return sock_abort(sock);
}

/* 0: the protocol is asked; or, of what has a name to look up first, may be. */
static const struct {
	const char *name;
	int (*call)(struct socket *sock);
	int err[NR_STATES];
} calls[] = {
	{"", do_bind, {0, 0, -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL}},
	{"", do_connect, {0, 0, -EALREADY, -EISCONN, -EINVAL, -EISCONN, 0}},
	{"listen ", do_listen, {0, 0, -EINVAL, -EINVAL, 0, -EINVAL, -EINVAL}},
	{"shutdown ", do_shutdown, {0, -ENOTCONN, -ENOTCONN, 0, 0, 0, 0}},
	{"abort ", do_abort, {0, -ENOTCONN, 0, 0, 0, 0, 0}},
};

START_TEST(operations_in_each_state)
{
	struct inode *inode = make_socket(sb.s_root, "f");
	struct socket *sock = SOCKET_I(inode);

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		for (socket_state s = SS_UNCONNECTED; s <= SS_CLOSED; s++) {
			make_fake(sock, s);
			ck_assert_int_eq(calls[i].call(sock), calls[i].err[s]);
			ck_assert_str_eq(fake.asked, calls[i].err[s] == 0 ? calls[i].name : "");
			ck_assert_int_eq(sock->state, s);
			/* What the protocol says is the answer. */
			if (calls[i].name[0] == '\0')
				continue;
			fake.err = -ENOBUFS;
			ck_assert_int_eq(calls[i].call(sock),
					 calls[i].err[s] == 0 ? -ENOBUFS : calls[i].err[s]);
		}
	make_fake(sock, SS_CONNECTED);
	ck_assert_int_eq(sock_shutdown(sock, -1), -EINVAL);
	ck_assert_int_eq(sock_shutdown(sock, 3), -EINVAL);
	ck_assert_str_eq(fake.asked, "");
}
END_TEST

#ifdef CONFIG_DEBUG_NET
/* A debug build ends where a protocol is called in a state that it does not know. */
START_TEST(calls_in_the_wrong_state)
{
	struct socket *sock = SOCKET_I(make_socket(sb.s_root, "f"));
	static const socket_state wrong[] = {SS_CONNECTING, SS_UNCONNECTED, SS_CONNECTED,
					     SS_LISTENING, SS_CONNECTED};
	struct iov_iter nothing = {0};

	make_fake(sock, wrong[_i]);
	switch (_i) {
	case 0:
		(void)proto_recvmsg(sock, &nothing);
		break;
	case 1:
		(void)proto_sync(sock);
		break;
	case 2:
		(void)proto_accept(sock, sock);
		break;
	case 3:
		(void)proto_bind(sock, 0, NULL, 0);
		break;
	default:
		/* Not without what the protocol keeps. */
		sock->sk = NULL;
		(void)proto_poll(sock);
		break;
	}
}
END_TEST
#endif

/* Its last name has gone, and the control file is open still. */
START_TEST(a_socket_that_is_gone)
{
	struct inode *inode = make_socket(sb.s_root, "f");
	struct sockfs_sockopt opt = {0};
	struct socket *sock = SOCKET_I(inode);

	inode_get_lookup(inode);
	make_fake(sock, SS_CONNECTED);
	ck_assert_int_eq(remove_name(sb.s_root, "f"), 0);
	ck_assert_str_eq(fake.asked, "release ");
	ck_assert_int_eq(sock->state, SS_CLOSED);
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		ck_assert_int_eq(calls[i].call(sock), -ESTALE);
	ck_assert_int_eq(sock_setsockopt(sock, &opt), -ESTALE);
	ck_assert_str_eq(fake.asked, "release ");
	/* Idempotent. */
	sock_release(sock);
	ck_assert_str_eq(fake.asked, "release ");
	inode_forget(inode, 1);
}
END_TEST

/* It has ended and nobody was told: to look changes nothing, to connect finds out. */
START_TEST(over_and_nobody_knows)
{
	static const socket_state before[] = {SS_CONNECTED, SS_DISCONNECTING};
	struct socket *sock = SOCKET_I(make_socket(sb.s_root, "f"));
	struct sockfs_info i;

	make_fake(sock, before[_i]);
	fake.events = POLLIN | POLLRDHUP;
	ck_assert_int_eq(sock_current_state(sock), before[_i]);
	fake.events |= POLLHUP;
	sock_get_info(sock, &i);
	ck_assert_uint_eq(i.state, SOCKFS_CLOSED);
	ck_assert_int_eq(sock_current_state(sock), SS_CLOSED);
	ck_assert_int_eq(sock->state, before[_i]);
	ck_assert_str_eq(fake.asked, "");
	ck_assert_int_eq(do_connect(sock), 0);
	ck_assert_int_eq(sock->state, SS_CLOSED);
	/* POLLHUP is also what a socket says that was never connected. */
	make_fake(sock, SS_UNCONNECTED);
	fake.events = POLLHUP;
	ck_assert_int_eq(sock_current_state(sock), SS_UNCONNECTED);
}
END_TEST

START_TEST(info)
{
	struct socket *sock = SOCKET_I(make_socket(sb.s_root, "f"));
	struct sockfs_info i;

	memset(&i, 0x55, sizeof(i));
	sock_get_info(sock, &i);
	ck_assert_str_eq(i.proto, "fake");
	ck_assert_uint_eq(i.state, SOCKFS_UNCONNECTED);
	ck_assert_uint_eq(i.ino, SOCK_INODE(sock)->i_ino);
	ck_assert_str_eq(i.local.host, "");
	ck_assert_uint_eq(i.flags, 0);
	for (size_t n = 0; n < ARRAY_SIZE(i.reserved); n++)
		ck_assert_uint_eq(i.reserved[n], 0);
	make_fake(sock, SS_DISCONNECTING);
	fake.data = 7;
	fake.outq = 9;
	fake.sk.sk_err_last = EPIPE;
	sock_get_info(sock, &i);
	ck_assert_str_eq(i.proto, "fake");
	ck_assert_uint_eq(i.state, SOCKFS_DISCONNECTING);
	ck_assert_uint_eq(i.recvq, 7);
	ck_assert_uint_eq(i.sendq, 9);
	ck_assert_int_eq(i.error, EPIPE);
	ck_assert_str_eq(i.remote.host, "192.0.2.1");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("socket");
	TCase *tc = tcase_create("socket");

	tcase_add_checked_fixture(tc, sockets_up, sockets_down);
	tcase_add_test(tc, head_and_body);
	tcase_add_test(tc, sizes);
	tcase_add_test(tc, the_file_systems_way);
	tcase_add_test(tc, a_new_file);
	tcase_add_test(tc, a_face);
	tcase_add_test(tc, families);
	tcase_add_test(tc, init_once_once);
	tcase_add_test(tc, freed_as_constructed);
	tcase_add_test(tc, create_fails_whole);
	tcase_add_test(tc, caches_come_and_go);
	tcase_add_loop_test(tc, state_table, 0, NR_STATES * NR_STATES);
	tcase_add_test(tc, states_are_the_abi_s);
	tcase_add_test(tc, operations_in_each_state);
#ifdef CONFIG_DEBUG_NET
	tcase_add_loop_test_raise_signal(tc, calls_in_the_wrong_state, SIGABRT, 0, 5);
#endif
	tcase_add_test(tc, a_socket_that_is_gone);
	tcase_add_loop_test(tc, over_and_nobody_knows, 0, 2);
	tcase_add_test(tc, info);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
