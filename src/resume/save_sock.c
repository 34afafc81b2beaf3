/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is behind a socket's inode, to its record. */
#include "config.h"

#include "resume/save_i.h"

#include <string.h>
#include <sys/stat.h>

#include "journal/journal.h"
#include "net/core/core.h"
#include "uapi/sockopt.h"

#define PROTO_BYTES_MAX 8192 /* five texts that can be set, and more */

static uint64_t fd_ino(int fd)
{
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 ? st.st_ino : 0;
}

static void add_options(const struct sock *sk)
{
	for (size_t i = 0; i < nr_sockopts; i++) {
		char *at;
		int64_t value;

		if (!(sk->sk_opt_set & UINT64_C(1) << i))
			continue;
		at = item_add(ITEM_OPTION, 16);
		if (at == NULL)
			return;
		value = sk->sk_opts[i];
		memcpy(at, &sockopts[i].level, 4);
		memcpy(at + 4, &sockopts[i].optname, 4);
		memcpy(at + 8, &value, 8);
	}
}

static void add_dial(const struct sock *sk)
{
	const struct sk_dial *dial = sk->sk_dial;
	char *at;

	if (dial == NULL)
		return;
	if (dial->iocb == NULL && dial->started) {
		const uint32_t who[3] = {dial->cred.uid, dial->cred.gid, (uint32_t)dial->cred.pid};

		at = item_add(ITEM_DIAL, sizeof(who) + sizeof(dial->addr));
		if (at == NULL)
			return;
		memcpy(at, who, sizeof(who));
		memcpy(at + sizeof(who), &dial->addr, sizeof(dial->addr));
	}
	if (dial->bound.ss_family == AF_UNSPEC)
		return;
	at = item_add(ITEM_BOUND, sizeof(dial->bound));
	if (at != NULL)
		memcpy(at, &dial->bound, sizeof(dial->bound));
}

static void add_host(const struct sock *sk)
{
	size_t len = sk->sk_host != NULL ? strlen(sk->sk_host) + 1 : 0;
	char *at = len > 0 ? item_add(ITEM_HOST, len) : NULL;

	if (at != NULL)
		memcpy(at, sk->sk_host, len);
}

static void add_proto(const struct sock *sk)
{
	char bytes[PROTO_BYTES_MAX];
	size_t len = sk->sk_prot->save != NULL ? sk->sk_prot->save(sk, bytes, sizeof(bytes)) : 0;
	char *at = len > 0 ? item_add(ITEM_PROTO, len) : NULL;

	if (at != NULL)
		memcpy(at, bytes, len);
}

/* For later: of a file that speaks in the clear still, or is not connected. */
static void add_upper(const struct sock *sk)
{
	const struct sock *upper = sk->sk_upper;
	const struct proto *prot = upper != NULL ? upper->sk_prot : NULL;
	char bytes[UPPER_WORD + PROTO_BYTES_MAX] = "";
	size_t len;
	char *at;

	if (prot == NULL || prot->save == NULL)
		return;
	strncpy(bytes, prot->word, UPPER_WORD - 1);
	len = UPPER_WORD + prot->save(upper, bytes + UPPER_WORD, PROTO_BYTES_MAX);
	at = item_add(ITEM_UPPER, len);
	if (at != NULL)
		memcpy(at, bytes, len);
}

static uint8_t flags_of(const struct sock *sk)
{
	unsigned int flags = LEDGER_HAS_SK;

	if (sk->sk_bound)
		flags |= LEDGER_BOUND;
	if (sk->sk_lookup_failed)
		flags |= LEDGER_LOOKUP_FAILED;
	if (sk->sk_called)
		flags |= LEDGER_CALLED;
	if (sk->sk_dial != NULL && sk->sk_dial->addr.host[0] == '\0' &&
	    sk->sk_dial->addr.port[0] == '\0')
		flags |= LEDGER_UPON;
	return (uint8_t)flags;
}

static void fill_sk(const struct sock *sk, struct ledger_sock *ret)
{
	/* Where that leads to a helper, the network's: it may have come from a listener of ours. */
	ret->fd = sk->sk_net_fd >= 0 ? sk->sk_net_fd : sk->sk_fd;
	ret->fd_ino = fd_ino(ret->fd);
	ret->end_fd = sk->sk_net_fd >= 0 ? sk->sk_fd : -1;
	ret->end_ino = fd_ino(ret->end_fd);
	ret->rx_bytes = sk->sk_rx_bytes;
	ret->tx_bytes = sk->sk_tx_bytes;
	ret->said = sk->sk_said;
	ret->accepted = sk->sk_accepted;
	ret->err = (uint16_t)sk->sk_err;
	ret->err_last = (uint16_t)sk->sk_err_last;
	ret->held = (uint32_t)sk->sk_held;
	ret->connect_timeout = sk->sk_connect_timeout;
	ret->rcvtimeo = sk->sk_rcvtimeo;
	ret->sndtimeo = sk->sk_sndtimeo;
	ret->reap = sk->sk_reap;
	ret->drops = (uint32_t)sk->sk_drops;
	ret->discard = (uint8_t)sk->sk_discard;
	ret->shutdown = sk->sk_shutdown;
	ret->flags = flags_of(sk);
}

void save_sock(struct inode *inode, bool is_new)
{
	struct socket *sock = SOCKET_I(inode);
	uint32_t nr = inode_record(inode);
	struct ledger_sock *at = ledger_at(LEDGER_SOCKS, nr);
	struct ledger_sock s = {
		.generation = inode_generation(inode),
		.fd = -1,
		.end_fd = -1,
		.nr_accepted = sock->nr_accepted,
		.state = (uint8_t)sock->state,
	};
	uint32_t old = 0;

	/* A new file that nobody has said anything to is as every new one. */
	if (is_new && sock->sk == NULL && sock->state == SS_UNCONNECTED)
		return;
	if (inode->i_state & I_RECORDED_SOCK) {
		old = at->text;
	} else if (ledger_use(LEDGER_SOCKS, nr) != 0) {
		save_give_up("no memory for sockets");
		return;
	}
	inode->i_state |= I_RECORDED_SOCK;
	if (sock->ops != NULL)
		strncpy(s.proto, sock->ops->prot->word, sizeof(s.proto) - 1);
	items_begin();
	if (sock->sk != NULL) {
		fill_sk(sock->sk, &s);
		add_options(sock->sk);
		add_dial(sock->sk);
		add_host(sock->sk);
		add_proto(sock->sk);
		add_upper(sock->sk);
	}
	s.text = items_end(old);
	journal_write(at, &s, sizeof(s));
	if (sock->sk != NULL)
		sock->sk->sk_counters = &at->rx_bytes;
}
