/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The socket and the object it shares with its inode.
 *
 * Twin of Linux net/socket.c, include/linux/net.h and include/net/sock.h.
 * A file of the mount is one struct socket_alloc: read and write enter by the
 * inode (the body), connect and bind by the socket (the head), and each finds
 * the other by subtraction.
 */
#ifndef NET_SOCKET_H
#define NET_SOCKET_H

#include <sys/socket.h>

#include "fs/fs.h"
#include "lib/util.h"

struct proto;
struct proto_ops;
struct sock;
struct sockfs_accept;
struct sockfs_addr;
struct sockfs_info;
struct sockfs_sockopt;
struct sockfs_text;

/*
 * The first five as in include/uapi/linux/net.h; the last two are ours: TCP's
 * own listening and "over" are visible in the mount.
 */
typedef enum {
	SS_FREE = 0,
	SS_UNCONNECTED,
	SS_CONNECTING,
	SS_CONNECTED,
	SS_LISTENING,
	SS_DISCONNECTING, /* we have shut down our side, the peer has not */
	SS_CLOSED,	  /* both sides are done, or it failed, or was reset */
} socket_state;

struct socket {
	socket_state state;
	uint32_t nr_accepted;	     /* listeners: number of the last NAME.n */
	struct sock *sk;	     /* the protocol's part; NULL until first needed */
	const struct proto_ops *ops;
	struct poll_waiters wq;	     /* who wants to be told of changes */
};

struct socket_alloc {
	struct socket socket;
	struct inode vfs_inode;
};

BUILD_BUG_ON(offsetof(struct socket_alloc, socket) != 0);
BUILD_BUG_ON(sizeof(struct socket_alloc) > 256);

/* include/net/sock.h: SOCKET_I. The inode must be a regular file's. */
static inline struct socket *SOCKET_I(const struct inode *inode)
{
	return &container_of((struct inode *)inode, struct socket_alloc, vfs_inode)->socket;
}

/* include/net/sock.h: SOCK_INODE. */
static inline struct inode *SOCK_INODE(const struct socket *socket)
{
	return &container_of((struct socket *)socket, struct socket_alloc, socket)->vfs_inode;
}

/* What is behind @sock's inode is not as it was written down any more. */
static inline void mark_sock_dirty(const struct socket *sock)
{
	__mark_inode_dirty(SOCK_INODE(sock), I_DIRTY_SOCK);
}

/*
 * Who makes sockets of a family. Twin of include/linux/net.h: net_proto_family.
 * create() gives @sock the operations of @type and @protocol (0: the first of that
 * type), as socket(2) takes them. 0, -ESOCKTNOSUPPORT, -EPROTONOSUPPORT.
 */
struct net_proto_family {
	int family;
	int (*create)(struct socket *sock, int type, int protocol);
};

#define NR_FAMILIES 4

/*
 * net/socket.c: sock_register, sock_unregister. The first one is that of new files,
 * until something else is said of them. 0, -EEXIST, -ENOBUFS.
 */
int sock_register(const struct net_proto_family *fam);
/* Give @sock, which has no sk, the operations of such a socket. 0, -EAFNOSUPPORT, as create(). */
int sock_create(struct socket *sock, int family, int type, int protocol);
void sock_unregister(int family);

/* ------------------------------------------------------------ socket objects */

/*
 * The operations and caches. sock_init() once at start, sock_exit() at the very
 * end: logs and returns -EBUSY when an object is still out. net/socket.c.
 */
int sock_init(void);
int sock_exit(void);
extern const struct super_operations sockfs_ops; /* the super block's */

/*
 * The faces of a socket file that are not reading and writing: i_op and f_op of the
 * same names (fs/fs.h). Whoever has them registers them, before the first socket;
 * until then there is no ioctl (-ENOTTY) and no attribute (-EOPNOTSUPP).
 */
struct sock_face {
	ssize_t (*ioctl)(struct kiocb *iocb, unsigned int cmd, void *arg);
	ssize_t (*getxattr)(struct inode *inode, const char *name, void *value, size_t size);
	ssize_t (*listxattr)(struct inode *inode, char *list, size_t size);
	int (*setxattr)(struct inode *inode, const char *name, const void *value, size_t size,
			int flags);
	int (*removexattr)(struct inode *inode, const char *name);
};

/* NULL: none again. */
void sock_register_face(const struct sock_face *face);

/*
 * What makes a socket in @dir: open(O_CREAT), mknod. It is socket(2) by another
 * name. 0, -EEXIST, -ENOMEM, -ENOSPC. An inode_operations.create.
 */
int sockfs_create(struct inode *dir, const struct qstr *name, mode_t mode, const struct cred *cred,
		  struct inode **ret_inode);

/* What the files of sockets do. net/socket.c: sock_read_iter, sock_write_iter, sock_poll. */
int sock_open(struct inode *inode, struct file *file, struct kiocb *iocb);
void sock_close(struct inode *inode, struct file *file);
ssize_t sock_read_iter(struct kiocb *iocb, struct iov_iter *to);
ssize_t sock_write_iter(struct kiocb *iocb, struct iov_iter *from);
unsigned int sock_poll(struct file *file, bool arm);
/* Waits until the peer has acknowledged all that was written. */
ssize_t sock_fsync(struct kiocb *iocb);

/*
 * A new stream socket of the first family, with its inode and without a name:
 * unconnected, no sk, owner and mode for the caller to set. NULL with errno ENOMEM
 * or ENOSPC, or EAFNOSUPPORT when there is no family.
 */
struct socket *sock_alloc(struct super_block *sb);

/*
 * Made again for another process's inode of these numbers, without a sk and of no protocol
 * yet. NULL with errno (fs/fs.h: inode_resume). It does not count until sock_resumed().
 */
struct socket *sock_resume(struct super_block *sb, uint64_t nodeid, uint64_t ino);
/* Any state, without a move: what another process has had. */
void sock_resume_state(struct socket *sock, socket_state state);
/* It is as it was: one that has not been evicted counts, and is found by its st_ino. */
void sock_resumed(struct socket *sock);

/* Seconds that dials, reads and writes of new sockets may take, 0: as long as the kernel tries. */
extern int sock_default_connect_timeout, sock_default_rcvtimeo, sock_default_sndtimeo;

/* Let the protocol go, keep the inode. Idempotent. net/socket.c: sock_release. */
void sock_release(struct socket *sock);

/* ------------------------------------------------------- operations of a file */

/*
 * What the control faces (ioctl, text, xattr, commands) call; each checks the
 * state and calls sock->ops. Errors are those of the system calls of the same
 * name in section 2 of the manual.
 */
int sock_listen(struct socket *sock, int backlog);
int sock_shutdown(struct socket *sock, int how);
int sock_abort(struct socket *sock);
int sock_getname(struct socket *sock, struct sockfs_addr *ret_addr, bool peer);
/* Join or leave a multicast group: include/sockfs/ioctl.h. -EOPNOTSUPP: no such protocol. */
int sock_membership(struct socket *sock, const struct sockfs_addr *group, bool join);
/* Send a message of no bytes. -EOPNOTSUPP: the protocol has no messages. */
int sock_send_empty(struct socket *sock);
int sock_setsockopt(struct socket *sock, const struct sockfs_sockopt *opt);
int sock_getsockopt(struct socket *sock, struct sockfs_sockopt *opt);
/*
 * Options that are text, in full (net/core/options.c). level and name are given; -ENOPROTOOPT:
 * it is no such option, -ENODATA: there is none now.
 */
int sock_set_text(struct socket *sock, const struct sockfs_text *text);
int sock_get_text(struct socket *sock, struct sockfs_text *text);
/*
 * The same for one of several in a row. *@blank is -1 before the first; a descriptor
 * that had to be opened to answer is left there for the next, and is the caller's to
 * close behind the last.
 */
int sock_getsockopt_next(struct socket *sock, struct sockfs_sockopt *opt, int *blank);
int sock_queues(struct socket *sock, uint32_t *ret_inq, uint32_t *ret_outq);
/*
 * The state as it is now: SS_CLOSED also when both directions have ended and nobody
 * has been told yet. sock->state itself stays: to look changes nothing.
 */
socket_state sock_current_state(struct socket *sock);
/*
 * May it be bound (connected)? 0 or what bind(2) (connect(2)) says. sock_bind and
 * sock_connect (net/core/dial.h) ask. One that is over, though nobody was told, is closed
 * for the next connection.
 */
int sock_may_bind(const struct socket *sock);
int sock_may_connect(struct socket *sock);
/* Everything; never fails. Unset addresses are empty strings. */
void sock_get_info(struct socket *sock, struct sockfs_info *ret_info);
/* SS_ to the word users see: "unconnected", ...; and the ABI's number. */
const char *sock_state_name(socket_state state);

/*
 * Accept a waiting connection now, for @cred: makes the file NAME.n beside the
 * listener, owned by @cred, with the listener's mode. 0 and the new inode,
 * which has one name and no other reference: use it at once. -EAGAIN: none
 * waits. -EMFILE, -ENOSPC, ...: the connection stays in the backlog.
 */
int sock_do_accept(struct socket *sock, const struct cred *cred, struct inode **ret_inode);

/*
 * The same, waiting. 0 and *ret_accept, or -EIOCBQUEUED: then it is filled when
 * iocb->ki_complete comes with 0; it has to live until then. net/socket.c: __sys_accept4.
 */
ssize_t sock_accept(struct socket *sock, struct kiocb *iocb, struct sockfs_accept *ret_accept);

/* --------------------------------------------------------- for the protocols */

/*
 * One of the allowed moves of the state table; logs it. An illegal move is a
 * bug and is logged as one; the state then stays. Wakes pollers and parked
 * requests is the caller's business (sock_state_change).
 */
void sock_set_state(struct socket *sock, socket_state state);

/* Readable: retry parked reads and accepts in order. */
void sock_data_ready(struct socket *sock);
/* Writable: retry parked writes in order. */
void sock_write_space(struct socket *sock);
/*
 * Connected, failed or reset: both of the above; pollers are told. What still waits
 * asks the protocol anew and ends with -errno when that cannot tell.
 */
void sock_state_change(struct socket *sock);
/* The timer asked for has come: ends what is over its deadline with -ETIMEDOUT. */
void sock_timeout(struct socket *sock, uint64_t now);
/*
 * Complete everything parked on @sock with @err. False: nobody was told of it,
 * for nobody waited, or had moved some bytes already and is told how many.
 */
bool sock_cancel_all(struct socket *sock, int err);

#endif /* NET_SOCKET_H */
