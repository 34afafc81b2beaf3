/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is behind a socket's inode, made again: see restore_i.h. */
#include "config.h"

#include "resume/restore_i.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "journal/ledger.h"
#include "lib/log.h"
#include "mm/vmstat.h"
#include "net/core/core.h"
#include "net/sock_wait.h"
#include "resume/save.h"
#include "resume/sweep.h"
#include "sockfs/ioctl.h"
#include "uapi/addr.h"
#include "uapi/sockopt.h"

static void set_option(struct sock *sk, const char *bytes)
{
	int32_t level, name;
	int64_t value;

	memcpy(&level, bytes, 4);
	memcpy(&name, bytes + 4, 4);
	memcpy(&value, bytes + 8, 8);
	for (size_t i = 0; i < nr_sockopts; i++) {
		if (sockopts[i].level != level || sockopts[i].optname != name)
			continue;
		sk->sk_opts[i] = (long)value;
		sk->sk_opt_set |= UINT64_C(1) << i;
	}
}

/* What is set for a protocol that may come upon @sk's; this program may have none. 0 or -errno. */
static int set_upper(struct sock *sk, const char *bytes, size_t len)
{
	struct proto *prot = proto_upon(sk->sk_prot);
	struct sock *upper;

	if (len <= UPPER_WORD || memchr(bytes, '\0', UPPER_WORD) == NULL)
		return -EINVAL;
	if (prot == NULL || prot->resume == NULL || strcmp(prot->word, bytes) != 0)
		return 0;
	upper = sk_upper_get(sk->sk_socket, prot);
	return upper != NULL ? prot->resume(upper, bytes + UPPER_WORD, len - UPPER_WORD) : -ENOMEM;
}

/* The settings, and what the row has. 0 or -errno. */
static int set_texts(struct sock *sk, const struct text *text)
{
	const struct item *item = NULL;
	bool has_proto = false;

	while ((item = text_item(text, item)) != NULL) {
		const char *bytes = (const char *)(item + 1);
		int err = 0;

		if (item->type == ITEM_OPTION && item->len == 16) {
			if (sk->sk_opts == NULL)
				sk->sk_opts = calloc(nr_sockopts, sizeof(*sk->sk_opts));
			if (sk->sk_opts == NULL)
				return -ENOMEM;
			set_option(sk, bytes);
		} else if (item->type == ITEM_HOST && sk->sk_host == NULL &&
			   memchr(bytes, '\0', item->len) != NULL) {
			sk->sk_host = vm_strdup(bytes);
			err = sk->sk_host != NULL ? 0 : -errno;
		} else if (item->type == ITEM_PROTO && sk->sk_prot->resume != NULL && !has_proto) {
			has_proto = true;
			err = sk->sk_prot->resume(sk, bytes, item->len);
		} else if (item->type == ITEM_UPPER) {
			err = set_upper(sk, bytes, item->len);
		}
		if (err != 0)
			return err;
	}
	return 0;
}

static void set_words(struct sock *sk, const struct ledger_sock *s)
{
	sk->sk_rx_bytes = s->rx_bytes;
	sk->sk_tx_bytes = s->tx_bytes;
	sk->sk_said = s->said;
	sk->sk_accepted = s->accepted;
	sk->sk_shutdown = s->shutdown;
	sk->sk_lookup_failed = s->flags & LEDGER_LOOKUP_FAILED;
	sk->sk_called = s->flags & LEDGER_CALLED;
	sk->sk_err = ledger_errno(s->err);
	sk->sk_err_last = ledger_errno(s->err_last);
	sk->sk_held = ledger_errno(s->held);
	sk->sk_connect_timeout = s->connect_timeout;
	sk->sk_rcvtimeo = s->rcvtimeo;
	sk->sk_sndtimeo = s->sndtimeo;
	sk->sk_discard = s->discard;
	sk->sk_drops = (int)s->drops;
	sk->sk_reap = s->reap;
}

void lose(struct ledger_sock *s)
{
	/* The number will be another's: the record must not name it any more. */
	if (sweep_claim(s->fd, s->fd_ino))
		close(s->fd);
	if (sweep_claim(s->end_fd, s->end_ino))
		close(s->end_fd);
	s->fd = s->end_fd = -1;
}

/*
 * The kernel tells an error once: it may have told the dead process, which has told nobody.
 * Without it the end of a connection that was reset would look like a good one. It is taken
 * for a reset, which it is but for a timeout; a FIN before it cannot be seen any more.
 */
static bool is_reset_untold(const struct ledger_sock *s)
{
	struct pollfd p = {.fd = s->fd, .events = 0};
	struct tcp_info info;
	socklen_t len = sizeof(info);

	if (s->state != SS_CONNECTED || s->shutdown != 0 || s->held != 0 || s->err != 0 ||
	    getsockopt(s->fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
		return false;
	return info.tcpi_state == TCP_CLOSE && poll(&p, 1, 0) >= 0 && !(p.revents & POLLERR);
}

/* Can @fd be what the record says? Else the row would ask it for what it has not. */
static bool is_such(int fd, const struct proto *prot, const struct ledger_sock *s)
{
	int domain = 0, type = 0, listens = 0;
	socklen_t len = sizeof(int);

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) != 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) != 0 || type != prot->type ||
	    (domain == AF_UNIX) != (prot->family == AF_UNIX))
		return false;
	return type != SOCK_STREAM || s->state != SS_LISTENING ||
	       (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) == 0 && listens);
}

/*
 * Both of its descriptors again, where one leads to a helper: that is the handle's, which closes
 * it, and the row has the other.
 */
static bool adopt_both(struct sock *sk, struct ledger_sock *s)
{
	bool has_end = sweep_claim(s->end_fd, s->end_ino);

	if (has_end && sk->sk_prot->rejoin != NULL && is_such(s->fd, sk->sk_prot, s) &&
	    sk_adopt(sk, s->end_fd) == 0) {
		if (sk->sk_prot->rejoin(sk, s->fd) == 0)
			return true;
		sk_let_go(sk);
	} else if (has_end) {
		close(s->end_fd);
	}
	close(s->fd);
	s->fd = s->end_fd = -1;
	return false;
}

/* Its descriptor again; false: the connection is lost. */
static bool adopt(struct socket *sock, struct ledger_sock *s)
{
	struct sock *sk = sock->sk;

	/* Without a connection there are no bytes that only the dead process knew. */
	if ((!sk->sk_prot->lasting && s->state != SS_LISTENING && s->state != SS_UNCONNECTED) ||
	    !sweep_claim(s->fd, s->fd_ino))
		return false;
	/* Else its bytes would go to the network as they are. */
	if (s->end_ino != 0 || (sk->sk_prot->rejoin != NULL &&
				(s->state == SS_CONNECTED || s->state == SS_DISCONNECTING)))
		return adopt_both(sk, s);
	if (!is_such(s->fd, sk->sk_prot, s) || sk_adopt(sk, s->fd) != 0) {
		close(s->fd);
		s->fd = -1;
		return false;
	}
	sk->sk_bound = s->flags & LEDGER_BOUND;
	if (is_reset_untold(s))
		sk_hold(sk, ECONNRESET);
	return true;
}

/* The protocol it was of. False: this program has none such. */
static bool set_proto(struct socket *sock, const char *word)
{
	const struct proto *prot = proto_by_word(word);

	if (prot == NULL)
		return false;
	if (prot->ulp != NULL) {
		sock->ops = prot->ulp;
		return true;
	}
	return sock_create(sock, prot->family, prot->type, prot->protocol) == 0;
}

/* What has no descriptor any more is over; who asks is told that it was reset. */
static void set_lost(struct socket *sock, struct ledger_sock *s, struct restored *ret)
{
	lose(s);
	sock->state = SS_CLOSED;
	sk_set_err(sock->sk, ECONNRESET);
	ret->lost++;
}

/* A dial from an address of its own has to have that again. */
static void bind_again(struct socket *sock, const struct text *text)
{
	const struct item *item = NULL;
	struct sockaddr_storage ss;

	while ((item = text_item(text, item)) != NULL) {
		if (item->type != ITEM_BOUND || item->len != sizeof(ss))
			continue;
		memcpy(&ss, item + 1, sizeof(ss));
		/* No row has another family. */
		if (sockaddr_len(&ss) == 0 && ss.ss_family != AF_UNIX)
			continue;
		if (sk_open(sock->sk, ss.ss_family) == 0)
			sock->sk->sk_bound = proto_bind(sock, sock->sk->sk_fd,
							(struct sockaddr *)&ss,
							sockaddr_len(&ss)) == 0;
	}
}

static int restore_sk(struct socket *sock, struct ledger_sock *s, const struct text *text,
		      struct restored *ret)
{
	bool has_fd = s->fd_ino != 0, dialling = s->state == SS_CONNECTING;
	struct sock *sk = sk_get(sock);
	int err;

	if (sk == NULL)
		return -ENOMEM;
	set_words(sk, s);
	/* They are written down as they change, from the first byte on. */
	sk->sk_counters = &s->rx_bytes;
	err = set_texts(sk, text);
	if (err != 0)
		return err;
	/* Who called here will not do so again, nor can one half of a handshake be had twice. */
	if (dialling && (sk->sk_called || s->flags & LEDGER_UPON)) {
		set_lost(sock, s, ret);
		return 0;
	}
	/* A dial is begun anew (restore_dials, or whoever waits for it). */
	sock->state = dialling ? SS_UNCONNECTED : (socket_state)s->state;
	if (dialling || (!has_fd && s->state != SS_CONNECTED && s->state != SS_LISTENING)) {
		lose(s);
		bind_again(sock, text);
		return 0;
	}
	if (!adopt(sock, s)) {
		set_lost(sock, s, ret);
		return 0;
	}
	ret->connections++;
	if (s->reap > 0 && SOCK_INODE(sock)->i_state & I_UNSTABLE)
		sock_reap_watch(sock, s->reap);
	return 0;
}

int restore_sock(struct socket *sock, struct ledger_sock *s, struct restored *ret)
{
	char word[sizeof(s->proto) + 1] = "";
	struct text text;
	int err;

	memcpy(word, s->proto, sizeof(s->proto));
	if (s->state < SS_UNCONNECTED || s->state > SS_CLOSED || !set_proto(sock, word))
		return -EINVAL;
	sock->nr_accepted = s->nr_accepted;
	if (SOCK_INODE(sock)->i_state & I_CLEAR || !(s->flags & LEDGER_HAS_SK)) {
		/* All that such a one can be; another state is a broken record's. */
		sock->state = SOCK_INODE(sock)->i_state & I_CLEAR || s->state != SS_UNCONNECTED ?
				      SS_CLOSED :
				      SS_UNCONNECTED;
		lose(s);
		return 0;
	}
	err = text_load(&text, s->text);
	if (err == 0)
		err = restore_sk(sock, s, &text, ret);
	text_drop(&text);
	return err;
}

/* What sock_connect() asks for; a path has lost its protocol, without which it is none. */
static bool is_address(struct sockfs_addr *addr)
{
	if (memchr(addr->host, '\0', sizeof(addr->host)) == NULL ||
	    memchr(addr->port, '\0', sizeof(addr->port)) == NULL)
		return false;
	return addr_is_path(addr->host) || addr_check(addr, true) == 0;
}

/* As a command would; one that cannot be begun ends as if it had failed. */
static void dial_again(struct socket *sock, const struct text *text)
{
	struct kiocb iocb = {.ki_flags = IOCB_NOWAIT | IOCB_AGAIN};
	const struct item *item = NULL;
	struct sockfs_addr addr;
	uint32_t who[3];
	int err;

	while ((item = text_item(text, item)) != NULL) {
		if (item->type != ITEM_DIAL || item->len != sizeof(who) + sizeof(addr))
			continue;
		memcpy(who, item + 1, sizeof(who));
		memcpy(&addr, (const char *)(item + 1) + sizeof(who), sizeof(addr));
		if (!is_address(&addr))
			continue;
		iocb.ki_cred = (struct cred){.uid = who[0], .gid = who[1], .pid = (pid_t)who[2]};
		err = sock_connect(sock, &addr, &iocb);
		if (err != 0 && err != -EINPROGRESS && sock->sk != NULL) {
			sk_set_err(sock->sk, -err);
			sock_state_change(sock);
		}
	}
}

void restore_dials(struct super_block *sb)
{
	uint32_t last = min(ledger->nr[LEDGER_SOCKS], ledger_max(LEDGER_SOCKS));

	for (uint32_t nr = ledger_next(LEDGER_SOCKS, 1); nr < last;
	     nr = ledger_next(LEDGER_SOCKS, nr + 1)) {
		const struct ledger_sock s = *(struct ledger_sock *)ledger_at(LEDGER_SOCKS, nr);
		struct inode *inode;
		struct text text;

		if (s.generation == 0 || s.state != SS_CONNECTING)
			continue;
		inode = ilookup(sb, (uint64_t)s.generation << 32 | (nr - 1));
		if (inode == NULL || inode->i_state & I_PLAIN || SOCKET_I(inode)->state != SS_UNCONNECTED)
			continue;
		if (text_load(&text, s.text) == 0)
			dial_again(SOCKET_I(inode), &text);
		text_drop(&text);
		mark_sock_dirty(SOCKET_I(inode));
	}
}
