/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dialling (RFC 8305, "Happy Eyeballs").
 *
 * Happy path: the host's name is looked up and its addresses are tried, the
 * families in turn. The next address is tried as soon as one fails, or a quarter
 * of a second after the last began. The first descriptor that connects becomes the
 * socket's and the others are closed; the caller, if it waits, gets 0.
 *
 * Failure modes: every address fails (the last error counts), the time limit
 * passes (ETIMEDOUT), the caller is signalled, the socket is aborted or
 * removed. A caller that waited has its answer and the socket is unconnected
 * again; if nobody waited (O_NONBLOCK), the error is kept for SO_ERROR and the
 * next read or write, and the socket is closed. Either way it may be dialled
 * again.
 *
 * There are at most TRIES_MAX descriptors at a time, and one where the socket is
 * bound, since two cannot have its address. Then an address that stays silent is
 * given up after its share of the time that is left, if others wait.
 *
 * A dial that is over may still be known to libuv (its timer): dial->sock is
 * NULL from then on, and the last callback frees it.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fs/user.h"
#include "lib/log.h"
#include "mm/vmstat.h"
#include "net/core/core.h"
#include "net/sock_wait.h"
#include "uapi/addr.h"

#define PACE_MS 250	  /* RFC 8305, 5: Connection Attempt Delay */
#define TRIES_MAX 8	  /* descriptors of a dial */
#define RETRY_MS 20	  /* with an address that could not take one more, now */
#define PATIENCE_MS 10000 /* with a silent address, when others wait for its descriptor */

static void dial_next(struct sk_dial *dial);
static void on_dial_timer(uv_timer_t *timer);
static void dial_set_timer(struct sk_dial *dial);

static void dial_put(struct sk_dial *dial)
{
	if (--dial->refs > 0)
		return;
	policy_ask_fini(&dial->ask);
	free(dial->list);
	free(dial);
}

static void on_timer_closed(uv_handle_t *handle)
{
	dial_put(handle->data);
}

static struct sk_try *dial_remove(struct sk_dial *dial, struct sk_try *try)
{
	TAILQ_REMOVE(&dial->tries, try, link);
	dial->nr_tries--;
	return try;
}

/*
 * Cut the dial off from its socket; whoever waited is returned, to be completed
 * by the caller when all else is in order.
 */
static struct kiocb *dial_detach(struct sk_dial *dial)
{
	const struct proto *prot = dial->sock->ops->prot;
	struct kiocb *iocb = dial->iocb;

	dial->sock->sk->sk_dial = NULL;
	dial->sock = NULL;
	dial->iocb = NULL;
	if (dial->resolve != NULL) {
		resolve_cancel(dial->resolve);
		dial->resolve = NULL;
	}
	if (dial->handshake != NULL) {
		prot->handshake_cancel(dial->handshake);
		dial->handshake = NULL;
	}
	while (!TAILQ_EMPTY(&dial->tries))
		sk_try_close(dial_remove(dial, TAILQ_FIRST(&dial->tries)));
	if (dial->bound_fd >= 0)
		close(dial->bound_fd);
	dial->bound_fd = -1;
	if (dial->has_timer)
		uv_close((uv_handle_t *)&dial->timer, on_timer_closed);
	dial_put(dial);
	return iocb;
}

/* The socket is as it was before the dial: bound to its address, if it had one. */
static int dial_restore_bound(struct sk_dial *dial)
{
	struct sock *sk = dial->sock->sk;
	int err;

	if (dial->bound.ss_family == AF_UNSPEC)
		return 0;
	if (dial->bound_fd >= 0) {
		err = sk_adopt(sk, dial->bound_fd);
		if (err == 0)
			dial->bound_fd = -1;
	} else {
		/* The attempts have to let go of it first. */
		while (!TAILQ_EMPTY(&dial->tries))
			sk_try_close(dial_remove(dial, TAILQ_FIRST(&dial->tries)));
		err = sk_open(sk, dial->bound.ss_family);
		if (err == 0)
			err = proto_bind(dial->sock, sk->sk_fd,
						    (const struct sockaddr *)&dial->bound,
						    sockaddr_len(&dial->bound));
	}
	sk->sk_bound = err == 0;
	return err;
}

static void dial_fail(struct sk_dial *dial, int err)
{
	struct socket *sock = dial->sock;
	bool waited = dial->iocb != NULL || !dial->started;
	struct inode *inode = SOCK_INODE(sock);
	struct kiocb *iocb;

	inode_get_work(inode);
	if (dial_restore_bound(dial) != 0)
		sk_close(sock->sk, false);
	sock->sk->sk_err_last = -err;
	dial->result = err;
	if (waited)
		sock_set_state(sock, SS_UNCONNECTED);
	else
		sock_closed(sock);
	iocb = dial_detach(dial);
	if (iocb != NULL)
		iocb->ki_complete(iocb, err);
	/* What was parked in the hope of a connection hears of it; else the next call does, once. */
	if (!sock_cancel_all(sock, err) && !waited && sock->sk != NULL)
		sk_set_err(sock->sk, -err);
	sock_state_change(sock);
	inode_put_work(inode);
}

/* @fd is what the file is to be. */
static void dial_succeed(struct sk_dial *dial, int fd)
{
	struct socket *sock = dial->sock;
	struct sock *sk = sock->sk;
	struct inode *inode = SOCK_INODE(sock);
	struct kiocb *iocb;
	int err = sk_adopt(sk, fd);

	if (err != 0) {
		close(fd);
		dial_fail(dial, err);
		return;
	}
	inode_get_work(inode);
	/* What was set since it began; a descriptor has taken each value already. */
	(void)sk_apply_options(sk);
	sk->sk_bound = dial->bound.ss_family != AF_UNSPEC;
	sk->sk_shutdown = 0;
	sk->sk_err_last = 0;
	sock_set_state(sock, SS_CONNECTED);
	dial->result = 0;
	iocb = dial_detach(dial);
	if (sk->sk_called)
		sock_reap_watch(sock, sk->sk_reap);
	if (iocb != NULL)
		iocb->ki_complete(iocb, 0);
	/* Who waits to write does so now: it must not be that nobody knows on which connection. */
	if (inode->i_sb->s_commit != NULL)
		inode->i_sb->s_commit(inode->i_sb);
	sock_state_change(sock);
	inode_put_work(inode);
}

struct sockaddr_storage sk_dial_peer(const struct sock *sk)
{
	const struct sk_dial *dial = sk->sk_dial;

	if (dial == NULL || dial->list == NULL || dial->next == 0)
		return (struct sockaddr_storage){.ss_family = AF_UNSPEC};
	return dial->list->addr[dial->next - 1];
}

void sk_dial_abort(struct sock *sk, int err)
{
	if (sk->sk_dial != NULL)
		dial_fail(sk->sk_dial, err);
}

static void on_handshake(void *arg, int fd)
{
	struct sk_dial *dial = arg;

	dial->handshake = NULL;
	if (fd >= 0)
		dial_succeed(dial, fd);
	else
		dial_fail(dial, fd);
}

/* @fd is connected: the others are not needed any more. */
static void on_connected(struct sk_dial *dial, int fd)
{
	struct sock *sk = dial->sock->sk;
	int err;

	if (sk->sk_prot->handshake == NULL) {
		dial_succeed(dial, fd);
		return;
	}
	while (!TAILQ_EMPTY(&dial->tries))
		sk_try_close(dial_remove(dial, TAILQ_FIRST(&dial->tries)));
	dial->next = dial->list->n;
	dial->next_at = 0;
	dial_set_timer(dial);
	err = sk->sk_prot->handshake(sk, fd, &dial->ask.cred, on_handshake, dial, &dial->handshake);
	if (err != 0) {
		close(fd);
		dial_fail(dial, err);
	}
}

static void on_try(void *arg, struct sk_try *try, int err)
{
	struct sk_dial *dial = arg;

	dial_remove(dial, try);
	if (err == 0) {
		on_connected(dial, sk_try_take(try));
		return;
	}
	sk_try_close(try);
	dial->err = err;
	dial_next(dial);
}

/* Start connecting to one address: 0, or -errno at once. */
static int dial_one(struct sk_dial *dial, const struct sockaddr_storage *sa)
{
	struct sk_try *try;
	int fd = dial->bound_fd;
	int err = 0;

	/* A path is judged where it is walked, so that it is the one that is used. */
	if (!dial->sock->sk->sk_prot->path)
		err = policy_connect(&dial->ask, (const struct sockaddr *)sa,
				     (const struct sockaddr *)&dial->bound);

	if (err != 0)
		return err;
	if (dial->bound.ss_family != AF_UNSPEC && dial->bound.ss_family != sa->ss_family)
		return -EAFNOSUPPORT;
	dial->bound_fd = -1;
	err = sk_try_start(dial->sock->sk, &dial->bound, fd, sa, on_try, dial, &try);
	if (err != 0)
		return err;
	TAILQ_INSERT_TAIL(&dial->tries, try, link);
	dial->nr_tries++;
	return 0;
}

static void dial_set_timer(struct sk_dial *dial)
{
	uint64_t now = uv_now(sk_loop), when = dial->deadline;

	if (dial->next_at != 0 && (when == 0 || dial->next_at < when))
		when = dial->next_at;
	if (when == 0) {
		if (dial->has_timer)
			uv_timer_stop(&dial->timer);
		return;
	}
	if (!dial->has_timer) {
		uv_timer_init(sk_loop, &dial->timer);
		dial->timer.data = dial;
		dial->has_timer = true;
		dial->refs++;
	}
	uv_timer_start(&dial->timer, on_dial_timer, when > now ? when - now : 0, 0);
}

static bool dial_is_full(const struct sk_dial *dial)
{
	return dial->nr_tries >= (dial->bound.ss_family != AF_UNSPEC ? 1 : TRIES_MAX);
}

/* How long the oldest attempt may last when others wait for its descriptor. */
static uint64_t dial_patience(const struct sk_dial *dial, uint64_t now)
{
	uint64_t share;

	if (dial->deadline == 0)
		return PATIENCE_MS;
	share = dial->deadline > now ? dial->deadline - now : 0;
	share /= dial->list->n - dial->next + 1;
	return share < PATIENCE_MS ? share : PATIENCE_MS;
}

/* Try addresses until an attempt is under way, and say when it is the next one's turn. */
static void dial_next(struct sk_dial *dial)
{
	uint64_t now = uv_now(sk_loop);
	bool again = false;
	int err = -ENXIO;

	while (dial->next < dial->list->n && err != 0 && !again) {
		err = dial_one(dial, &dial->list->addr[dial->next++]);
		if (err != 0)
			dial->err = err;
		/* Its queue is full, which no descriptor tells the end of. unix(7) */
		again = err == -EAGAIN;
		dial->next -= again;
		/* No other address helps here. */
		if (err == -EMFILE || err == -ENFILE || err == -ENOMEM)
			dial->next = dial->list->n;
	}
	if (dial->nr_tries == 0 && !again) {
		dial_fail(dial, dial->err);
		return;
	}
	dial->next_at = 0;
	if (again)
		dial->next_at = now + RETRY_MS;
	else if (dial->next < dial->list->n)
		dial->next_at = now + (dial_is_full(dial) ? dial_patience(dial, now) : PACE_MS);
	dial_set_timer(dial);
}

static void on_dial_timer(uv_timer_t *timer)
{
	struct sk_dial *dial = timer->data;
	uint64_t now = uv_now(sk_loop);

	if (dial->deadline != 0 && now >= dial->deadline) {
		dial_fail(dial, -ETIMEDOUT);
		return;
	}
	if (dial->next_at == 0 || now < dial->next_at) {
		dial_set_timer(dial);
		return;
	}
	if (dial_is_full(dial)) {
		sk_try_close(dial_remove(dial, TAILQ_FIRST(&dial->tries)));
		dial->err = -ETIMEDOUT;
	}
	dial_next(dial);
}

/*
 * The families in turn, beginning with the first address's (RFC 8305, 4). Without
 * memory the order stays.
 */
static struct addr_list *interleave(struct addr_list *list)
{
	struct addr_list *out = malloc(sizeof(*out) + list->n * sizeof(out->addr[0]));
	sa_family_t first = list->addr[0].ss_family;
	size_t at[2] = {0, 0}; /* the next of the first family, and of the other */

	if (out == NULL)
		return list;
	out->n = list->n;
	for (size_t i = 0, turn = 0; i < list->n; turn ^= 1) {
		while (at[turn] < list->n && (list->addr[at[turn]].ss_family != first) != turn)
			at[turn]++;
		if (at[turn] < list->n)
			out->addr[i++] = list->addr[at[turn]++];
	}
	free(list);
	return out;
}

static void on_resolved(void *arg, int err, struct addr_list *list)
{
	struct sk_dial *dial = arg;

	dial->resolve = NULL;
	if (err != 0) {
		dial->sock->sk->sk_lookup_failed = true;
		dial_fail(dial, err);
		return;
	}
	dial->list = interleave(list);
	dial_next(dial);
}

static void dial_cancel(struct kiocb *iocb, int err)
{
	dial_fail(iocb->ki_park[0], err);
}

/*
 * A socket that was bound dials from that address and no other, with the
 * descriptor that has it.
 */
static int dial_keep_bound(struct sk_dial *dial, struct sock *sk)
{
	socklen_t len = sizeof(dial->bound);
	int err;

	if (!sk->sk_bound)
		return 0;
	dial->bound_fd = fcntl(sk->sk_fd, F_DUPFD_CLOEXEC, 0);
	if (dial->bound_fd < 0)
		return -errno;
	/* The address goes along: what is closed here must not give it up. */
	sk->sk_bound = false;
	if (getsockname(sk->sk_fd, (struct sockaddr *)&dial->bound, &len) != 0)
		err = -errno;
	else if (sk_replace(sk) == NULL)
		err = -ENOMEM;
	else
		return 0;
	sk->sk_bound = true;
	close(dial->bound_fd);
	return err;
}

/* May the caller ask for @addr at all? 0 or -errno; @ask is to be ended in any case. */
static int dial_ask(struct policy_ask *ask, const struct cred *cred, const struct proto *prot,
		    const struct sockfs_addr *addr)
{
	char *name = NULL;
	int err;

	/* A path is no name; who may use it the row says beside the policy. */
	if (prot->path)
		return policy_ask_init(ask, cred, prot->word, NULL);
	err = policy_has_file() ? resolve_name(addr, &name) : 0;
	if (err == 0)
		err = policy_ask_init(ask, cred, prot->word, name);
	if (err == 0)
		err = policy_lookup(ask, addr->port);
	free(name);
	return err;
}

/* Its caller, if it waits, is answered when all is done. */
static void dial_park(struct sk_dial *dial, struct kiocb *iocb)
{
	dial->iocb = iocb;
	iocb->ki_park[0] = dial;
	iocb->ki_cancel = dial_cancel;
}

static struct sk_dial *dial_alloc(struct socket *sock)
{
	struct sk_dial *dial = calloc(1, sizeof(*dial));

	if (dial == NULL)
		return NULL;
	dial->sock = sock;
	dial->err = -ENXIO;
	dial->refs = 1; /* the sock's */
	dial->bound_fd = -1;
	TAILQ_INIT(&dial->tries);
	return dial;
}

static void dial_set_deadline(struct sk_dial *dial, const struct sock *sk)
{
	if (sk->sk_connect_timeout == 0)
		return;
	dial->deadline = uv_now(sk_loop) + (uint64_t)sk->sk_connect_timeout * 1000;
	dial_set_timer(dial);
}

int sk_dial_handshake(struct socket *sock, struct sock *sk, int fd, const struct cred *cred,
		      struct kiocb *iocb)
{
	struct sk_dial *dial = dial_alloc(sock);
	int err;

	if (dial == NULL)
		return -ENOMEM;
	err = sk->sk_prot->handshake(sk, fd, cred, on_handshake, dial, &dial->handshake);
	if (err != 0) {
		dial_put(dial);
		return err;
	}
	sk->sk_dial = dial;
	dial->started = true;
	dial_set_deadline(dial, sk);
	if (iocb != NULL)
		dial_park(dial, iocb);
	return 0;
}

/* Keep @host, if it is a name, for whoever has to know later whom we called. 0 or -errno. */
static int keep_host(struct sock *sk, const struct sockfs_addr *addr)
{
	struct sockfs_addr number = {.port = "0"};
	struct sockaddr_storage ss;
	socklen_t len;

	vm_strfree(sk->sk_host);
	sk->sk_host = NULL;
	sk->sk_called = false;
	memcpy(number.host, addr->host, sizeof(number.host));
	if (sk->sk_prot->path || addr_to_sockaddr(&number, AF_UNSPEC, &ss, &len) == 0)
		return 0;
	sk->sk_host = vm_strdup(addr->host);
	return sk->sk_host == NULL ? -errno : 0;
}

/* May @sock be connected, by @iocb? Its protocol is that of @text then, and *@ret_addr the rest. */
static int may_dial(struct socket *sock, const struct sockfs_addr *text, const struct kiocb *iocb,
		    struct sockfs_addr *ret_addr)
{
	int taken = 0, err = sock_may_connect(sock);

	/* A listener of another protocol is that first of all. */
	if (err == 0 || sock->state == SS_LISTENING)
		taken = sock_take_addr(sock, text, ret_addr);
	if (err == 0 || taken == -EPROTOTYPE)
		err = taken;
	if (err == 0)
		err = user_may_connect(SOCK_INODE(sock)->i_uid);
	if (err == 0 && !(iocb->ki_flags & IOCB_AGAIN))
		err = user_dial(iocb->ki_cred.uid);
	return err;
}

int sock_connect(struct socket *sock, const struct sockfs_addr *text, struct kiocb *iocb)
{
	struct sockfs_addr addr;
	struct sock *sk;
	bool nowait = iocb->ki_flags & IOCB_NOWAIT;
	struct resolve *resolve = NULL;
	struct sk_dial *dial;
	int err = may_dial(sock, text, iocb, &addr);

	if (err != 0)
		return err;
	sk = sk_get(sock);
	/* What is left of the last connection is of no use for the next. */
	if (sk != NULL && sk->sk_open && !(sk->sk_bound && sock->state != SS_CLOSED))
		sk = sk_replace(sk);
	if (sk == NULL)
		return -ENOMEM;
	dial = dial_alloc(sock);
	if (dial == NULL)
		return -ENOMEM;
	dial->refs++; /* ours until we return */
	dial->addr = addr;
	dial->cred = iocb->ki_cred;
	err = keep_host(sk, &addr);
	if (err == 0)
		err = dial_ask(&dial->ask, &iocb->ki_cred, sk->sk_prot, &addr);
	if (err == 0)
		err = dial_keep_bound(dial, sk);
	if (err != 0)
		goto free_dial;
	sk = sock->sk;
	sk->sk_dial = dial;
	sk->sk_err = 0;
	sk->sk_lookup_failed = false;
	sock_set_state(sock, SS_CONNECTING);
	dial_set_deadline(dial, sk);
	err = sk->sk_prot->resolve(sk, &addr, &iocb->ki_cred, false, on_resolved, dial, &resolve);
	if (err != 0)
		dial_fail(dial, err);
	if (dial->sock == NULL) {
		err = dial->result;
		goto put_dial;
	}
	dial->resolve = resolve;
	dial->started = true;
	err = -EINPROGRESS;
	if (!nowait) {
		dial_park(dial, iocb);
		err = -EIOCBQUEUED;
	}
put_dial:
	dial_put(dial);
	return err;

free_dial:
	dial->refs = 1;
	dial_put(dial);
	return err;
}
