/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a random program is made of. See side.h. */
#include "config.h"

#include "tests/stream/side.h"

#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#include "sockfs/ioctl.h"

/* So much unread at most: then no write has to wait. */
#define UNREAD_MAX 8192
#define FILL 16384
/* More than go into one request of FUSE (256). */
#define PIECES 300
/* No more than that: between two requests a connection can end. */
#define WRITE_PIECES 250

static unsigned char buffer[1 << 18];

static uint32_t dice_size(void)
{
	static const uint32_t sizes[] = {1, 2, 7, 100, 511, 1000, 4096};

	return sizes[dice(sizeof(sizes) / sizeof(sizes[0]))];
}

static void check_bytes(const char *who, const void *buf, uint64_t pos, long n)
{
	if (n > 0 && !stream_is(buf, pos, (size_t)n))
		same(who, 0, 1);
}

/* --------------------------------------------------------------- reading, writing */

static long read_pieces(struct end *e, unsigned char *buf, size_t size)
{
	struct iovec iov[PIECES];
	size_t n = size < PIECES ? size : PIECES;
	ssize_t ret;

	/* The first ones a byte each, the last takes the rest. */
	for (size_t i = 0; i < n; i++)
		iov[i] = (struct iovec){buf + i, i + 1 < n ? 1 : size - i};
	ret = readv(e->fd, iov, (int)n);
	return ret < 0 ? -errno : ret;
}

static long write_pieces(struct end *e, unsigned char *buf, size_t size)
{
	struct iovec iov[WRITE_PIECES];
	size_t n = size < WRITE_PIECES ? size : WRITE_PIECES;
	ssize_t ret;

	for (size_t i = 0; i < n; i++)
		iov[i] = (struct iovec){buf + i, i + 1 < n ? 1 : size - i};
	ret = writev(e->fd, iov, (int)n);
	return ret < 0 ? -errno : ret;
}

/* Would a read return at once? */
static bool may_read(struct pair *p)
{
	return p->nonblock ||
	       (end_poll(&p->side[PLAIN].end, POLLIN, 0) & (POLLIN | POLLHUP | POLLERR));
}

static void read_both(struct pair *p, size_t size, bool pieces)
{
	long n[2];

	for (int i = 0; i < 2; i++) {
		struct side *s = &p->side[i];

		n[i] = pieces ? read_pieces(&s->end, buffer, size) : end_read(&s->end, buffer, size);
		check_bytes("bytes read", buffer, s->rx, n[i]);
		if (n[i] > 0)
			s->rx += (uint64_t)n[i];
	}
	same("read", n[PLAIN], n[FILE_]);
}

static void op_read(struct pair *p)
{
	size_t size = dice(8) == 0 ? sizeof(buffer) : dice_size();

	note(" %zu", size);
	if (may_read(p))
		read_both(p, size, false);
}

static void op_readv(struct pair *p)
{
	size_t size = dice_size();

	note(" %zu", size);
	if (may_read(p))
		read_both(p, size, true);
}

static void op_read_nothing(struct pair *p)
{
	same("read", end_read(&p->side[PLAIN].end, buffer, 0),
	     end_read(&p->side[FILE_].end, buffer, 0));
}

static bool unread_too_many(const struct pair *p)
{
	return p->side[PLAIN].tx - p->side[PLAIN].peer_rx > UNREAD_MAX;
}

static void write_both(struct pair *p, size_t size, bool pieces)
{
	long n[2];

	for (int i = 0; i < 2; i++) {
		struct side *s = &p->side[i];

		stream_fill(buffer, s->tx, size);
		n[i] = pieces ? write_pieces(&s->end, buffer, size)
			      : end_write(&s->end, buffer, size);
		if (n[i] > 0)
			s->tx += (uint64_t)n[i];
	}
	same("write", n[PLAIN], n[FILE_]);
	/* A peer that has closed answers with a reset. */
	if (n[PLAIN] > 0 && p->side[PLAIN].end.peer < 0)
		p->reset = true;
}

static void op_write(struct pair *p)
{
	size_t size = dice_size();

	note(" %zu", size);
	if (!p->full && !unread_too_many(p))
		write_both(p, size, false);
}

static void op_writev(struct pair *p)
{
	size_t size = dice_size();

	note(" %zu", size);
	if (!p->full && !unread_too_many(p))
		write_both(p, size, true);
}

/* ---------------------------------------------------------------- calls that wait */

static void on_alarm(int sig)
{
	(void)sig;
}

static long interrupted(struct end *e, bool writes)
{
	/* Again and again, in case that it comes before the call does. */
	struct itimerval often = {{0, 2000}, {0, 2000}}, never = {{0, 0}, {0, 0}};
	struct sigaction sa = {.sa_handler = on_alarm};
	long ret;

	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	ret = writes ? end_write(e, buffer, 100) : end_read(e, buffer, 100);
	setitimer(ITIMER_REAL, &never, NULL);
	return ret;
}

static void op_interrupted_read(struct pair *p)
{
	if (!may_read(p))
		same("read", interrupted(&p->side[PLAIN].end, false),
		     interrupted(&p->side[FILE_].end, false));
}

/* A probe of the peer's window may have made room: then it is taken. */
static void op_interrupted_write(struct pair *p)
{
	long n[2];

	if (!p->full || p->nonblock || p->shut_wr || p->reset)
		return;
	for (int i = 0; i < 2; i++) {
		struct side *s = &p->side[i];

		stream_fill(buffer, s->tx, 100);
		n[i] = interrupted(&s->end, true);
		if (n[i] > 0)
			s->tx += (uint64_t)n[i];
	}
	if (n[PLAIN] < 0 && n[FILE_] < 0)
		same("write", n[PLAIN], n[FILE_]);
}

/* The write queue is full when it stays so though the peer's TCP takes what it can. */
static void fill(struct side *s)
{
	int refused = 0;

	while (refused < 3) {
		long n;

		stream_fill(buffer, s->tx, FILL);
		n = end_write(&s->end, buffer, FILL);
		if (n > 0) {
			s->tx += (uint64_t)n;
			refused = 0;
			continue;
		}
		if (n != -EAGAIN)
			same("write", -EAGAIN, n);
		refused++;
		for (int i = 0; i < 5; i++)
			wait_a_bit();
	}
}

void side_refill(struct pair *p)
{
	if (p->shut_wr || p->reset)
		return;
	for (int i = 0; i < 2; i++) {
		end_nonblock(&p->side[i].end, true);
		fill(&p->side[i]);
		end_nonblock(&p->side[i].end, p->nonblock);
	}
}

static void op_fill(struct pair *p)
{
	if (p->full || p->shut_wr || p->reset || p->side[PLAIN].end.peer < 0)
		return;
	side_refill(p);
	p->full = true;
}

/* ------------------------------------------------------------------------ the peer */

static void op_peer_write(struct pair *p)
{
	size_t size = dice_size();

	note(" %zu", size);
	/* Bytes for one who has closed both ways are answered by a reset, some time. */
	if (p->side[PLAIN].end.peer < 0 || p->fin || p->reset || (p->shut_rd && p->shut_wr) ||
	    p->side[PLAIN].peer_tx - p->side[PLAIN].rx > UNREAD_MAX)
		return;
	for (int i = 0; i < 2; i++) {
		struct side *s = &p->side[i];

		stream_fill(buffer, s->peer_tx, size);
		if (write(s->end.peer, buffer, size) != (ssize_t)size)
			die("the peer's write: %s", strerror(errno));
		s->peer_tx += size;
	}
}

/* The peer reads all that there is. */
static void op_peer_read(struct pair *p)
{
	if (p->side[PLAIN].end.peer < 0)
		return;
	for (int i = 0; i < 2; i++) {
		struct side *s = &p->side[i];

		while (s->peer_rx < s->tx) {
			ssize_t n = read(s->end.peer, buffer, sizeof(buffer));

			if (n <= 0)
				die("the peer's read: %s", n < 0 ? strerror(errno) : "end of file");
			check_bytes("bytes of the peer", buffer, s->peer_rx, n);
			s->peer_rx += (uint64_t)n;
		}
	}
	p->full = false;
}

static void op_peer_shutdown(struct pair *p)
{
	if (p->side[PLAIN].end.peer < 0 || p->fin)
		return;
	for (int i = 0; i < 2; i++)
		if (shutdown(p->side[i].end.peer, SHUT_WR) != 0)
			die("the peer's shutdown: %s", strerror(errno));
	p->fin = true;
}

static void op_peer_close(struct pair *p)
{
	if (p->side[PLAIN].end.peer < 0)
		return;
	/* With bytes that it has not read the peer's close is a reset. */
	if (p->side[PLAIN].peer_rx < p->side[PLAIN].tx)
		p->reset = true;
	for (int i = 0; i < 2; i++)
		peer_close(&p->side[i].end);
	p->fin = true;
}

static void op_peer_reset(struct pair *p)
{
	if (p->side[PLAIN].end.peer < 0)
		return;
	for (int i = 0; i < 2; i++)
		peer_reset(&p->side[i].end);
	p->reset = true;
}

/* -------------------------------------------------------------------------- others */

static void op_shutdown(struct pair *p)
{
	int how = (int)dice(3);

	note(" %d", how);
	same("shutdown", end_shutdown(&p->side[PLAIN].end, how),
	     end_shutdown(&p->side[FILE_].end, how));
	p->shut_wr |= how != SHUT_RD;
	p->shut_rd |= how != SHUT_WR;
}

static void op_nonblock(struct pair *p)
{
	p->nonblock = !p->nonblock;
	for (int i = 0; i < 2; i++)
		end_nonblock(&p->side[i].end, p->nonblock);
}

static void op_poll(struct pair *p)
{
	unsigned int events = dice(1 << 14);

	note(" 0x%x", events);
	if (p->full)
		events &= ~(unsigned int)(POLLOUT | POLLWRNORM);
	same("poll", end_poll(&p->side[PLAIN].end, events, dice(2) ? 0 : 2),
	     end_poll(&p->side[FILE_].end, events, 0));
}

static void op_inq(struct pair *p)
{
	same("bytes to read", end_inq(&p->side[PLAIN].end), end_inq(&p->side[FILE_].end));
}

static void op_error(struct pair *p)
{
	struct sockfs_sockopt opt = {.level = SOL_SOCKET, .name = SO_ERROR, .len = sizeof(int)};
	socklen_t len = sizeof(int);
	int plain = 0, file = 0;

	if (getsockopt(p->side[PLAIN].end.fd, SOL_SOCKET, SO_ERROR, &plain, &len) != 0 ||
	    ioctl(p->side[FILE_].end.fd, SOCKFS_IOC_GETSOCKOPT, &opt) != 0)
		die("SO_ERROR: %s", strerror(errno));
	memcpy(&file, opt.value, sizeof(file));
	same("SO_ERROR", plain, file);
}

const struct op side_ops[] = {
	{"read", 10, op_read},
	{"readv", 5, op_readv},
	{"read nothing", 1, op_read_nothing},
	{"write", 10, op_write},
	{"writev", 3, op_writev},
	{"interrupted read", 1, op_interrupted_read},
	{"fill", 2, op_fill},
	{"interrupted write", 2, op_interrupted_write},
	{"peer write", 10, op_peer_write},
	{"peer read", 5, op_peer_read},
	{"peer shutdown", 1, op_peer_shutdown},
	{"peer close", 1, op_peer_close},
	{"peer reset", 1, op_peer_reset},
	{"shutdown", 1, op_shutdown},
	{"nonblock", 5, op_nonblock},
	{"poll", 3, op_poll},
	{"inq", 2, op_inq},
	{"error", 1, op_error},
};
const size_t nr_side_ops = sizeof(side_ops) / sizeof(side_ops[0]);
