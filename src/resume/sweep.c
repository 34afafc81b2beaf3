/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Descriptors that a dead process has left: see sweep.h. */
#include "config.h"

#include "resume/sweep.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal/ledger.h"
#include "net/proto_ops.h"
#include "uapi/addr.h"

/* Connected, and in no record. */
static struct orphan {
	int fd;
	uint64_t ino;
} *orphans;
static size_t nr_orphans, room_orphans;

/* By number: what stays open. */
static enum { NOBODYS, KEPT, RECORDED } *known;
static size_t nr_known;

static bool know(int fd, int as)
{
	size_t room = (size_t)fd + 1;
	void *p;

	if (fd < 0)
		return true;
	if (room > nr_known) {
		room += room / 2;
		p = realloc(known, room * sizeof(*known));
		if (p == NULL)
			return false;
		known = p;
		memset(known + nr_known, 0, (room - nr_known) * sizeof(*known));
		nr_known = room;
	}
	if (known[fd] == NOBODYS)
		known[fd] = as;
	return true;
}

/*
 * A number that was written down before its pipe was closed may be nobody's by now, or what is
 * kept. False: no memory.
 */
static bool know_pipe(int32_t *where)
{
	int fd = *where;
	struct stat st;

	if (fd <= STDERR_FILENO || fstat(fd, &st) != 0 || !S_ISFIFO(st.st_mode) ||
	    ((size_t)fd < nr_known && known[fd] != NOBODYS))
		*where = -1;
	return know(*where, KEPT);
}

/* Is it the socket that was written down? Numbers are given out again. */
static bool is_same(int fd, uint64_t ino)
{
	struct stat st;

	return fd > STDERR_FILENO && fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode) &&
	       st.st_ino == ino;
}

/* Nor is that of a socket that is gone: it would keep whatever has the number now. */
static void check_sock(struct ledger_sock *s)
{
	if (!is_same(s->fd, s->fd_ino))
		s->fd = -1;
	if (!is_same(s->end_fd, s->end_ino))
		s->end_fd = -1;
}

/* The channel to a helper, which may be what is kept. False: no memory. */
static bool know_helper(struct ledger_helper *helper)
{
	if (!is_same(helper->fd, helper->fd_ino) ||
	    ((size_t)helper->fd < nr_known && known[helper->fd] != NOBODYS))
		helper->fd = 0;
	return helper->fd == 0 || know(helper->fd, KEPT);
}

static bool know_sockets(void)
{
	uint32_t last = min(ledger->nr[LEDGER_SOCKS], ledger_max(LEDGER_SOCKS));
	bool ok = true;

	for (uint32_t nr = ledger_next(LEDGER_SOCKS, 0); nr < last;
	     nr = ledger_next(LEDGER_SOCKS, nr + 1)) {
		struct ledger_sock *s = ledger_at(LEDGER_SOCKS, nr);

		if (s->generation == 0)
			continue;
		check_sock(s);
		ok = ok && know(s->fd, RECORDED) && know(s->end_fd, RECORDED);
	}
	return ok;
}

/* What has nothing to do with sockets comes first: no record makes it one's. */
static bool know_all(const int *keep, size_t nr)
{
	bool ok = true;

	for (size_t i = 0; i < nr; i++)
		ok = ok && know(keep[i], KEPT);
	/* In any case, as below: a number must not be that of something else. */
	ok = know(ledger_fd(), KEPT) && ok;
	ok = know_pipe(&ledger->pipe_from) && ok;
	ok = know_pipe(&ledger->pipe_to) && ok;
	for (size_t i = 0; i < LEDGER_HELPERS; i++)
		ok = know_helper(&ledger->helpers[i]) && ok;
	/* In any case: a record must not name what is another's. */
	return know_sockets() && ok;
}

static bool is_connected(int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	int type = 0;

	if (getpeername(fd, (struct sockaddr *)&ss, &len) != 0)
		return false;
	len = sizeof(type);
	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_STREAM;
}

static bool orphan_add(int fd)
{
	struct stat st;

	if (nr_orphans == room_orphans) {
		size_t room = room_orphans != 0 ? room_orphans * 2 : 256;
		struct orphan *p = realloc(orphans, room * sizeof(*p));

		if (p == NULL)
			return false;
		orphans = p;
		room_orphans = room;
	}
	if (fstat(fd, &st) != 0)
		return false;
	orphans[nr_orphans++] = (struct orphan){fd, st.st_ino};
	return true;
}

static void drop_orphan(size_t i)
{
	close(orphans[i].fd);
	orphans[i] = orphans[--nr_orphans];
}

static int compare(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/*
 * Who waits on a connection does so with a copy of its descriptor, which is in no record
 * either: a listener would take it for another connection, and give it to a stranger.
 */
static void drop_copies(void)
{
	uint32_t last = min(ledger->nr[LEDGER_SOCKS], ledger_max(LEDGER_SOCKS));
	uint64_t *inos = nr_orphans > 0 ? calloc(last + 1, sizeof(*inos)) : NULL;
	size_t n = 0;

	for (uint32_t nr = ledger_next(LEDGER_SOCKS, 0); inos != NULL && nr < last;
	     nr = ledger_next(LEDGER_SOCKS, nr + 1)) {
		const struct ledger_sock *s = ledger_at(LEDGER_SOCKS, nr);

		if (s->generation != 0 && s->fd >= 0)
			inos[n++] = s->fd_ino;
	}
	if (inos != NULL)
		qsort(inos, n, sizeof(*inos), compare);
	/* Without memory nobody can tell: then none is given to anybody. */
	for (size_t i = nr_orphans; i-- > 0;)
		if (inos == NULL ||
		    bsearch(&orphans[i].ino, inos, n, sizeof(*inos), compare) != NULL)
			drop_orphan(i);
	free(inos);
}

int sweep(const int *keep, size_t nr)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;

	if (dir == NULL || !know_all(keep, nr)) {
		if (dir != NULL)
			closedir(dir);
		return -ENOMEM;
	}
	while ((entry = readdir(dir)) != NULL) {
		int fd = entry->d_name[0] != '.' ? (int)strtol(entry->d_name, NULL, 10) : -1;

		if (fd <= STDERR_FILENO || fd == dirfd(dir))
			continue;
		/* exec has given them to this program (super/again.c): those it starts get none. */
		if (((size_t)fd < nr_known && known[fd] != NOBODYS) ||
		    (is_connected(fd) && orphan_add(fd)))
			fcntl(fd, F_SETFD, FD_CLOEXEC);
		else
			close(fd);
	}
	closedir(dir);
	drop_copies();
	return 0;
}

bool sweep_claim(int fd, uint64_t ino)
{
	if (fd < 0 || (size_t)fd >= nr_known || known[fd] != RECORDED || !is_same(fd, ino))
		return false;
	known[fd] = KEPT;
	return true;
}

static bool is_any(const struct sockaddr_storage *ss)
{
	if (ss->ss_family == AF_INET6)
		return IN6_IS_ADDR_UNSPECIFIED(&((const struct sockaddr_in6 *)ss)->sin6_addr);
	return ((const struct sockaddr_in *)ss)->sin_addr.s_addr == htonl(INADDR_ANY);
}

static bool is_same_host(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	const struct sockaddr_in6 *a6 = (const void *)a, *b6 = (const void *)b;

	if (a->ss_family == AF_INET6)
		return a6->sin6_scope_id == b6->sin6_scope_id &&
		       IN6_ARE_ADDR_EQUAL(&a6->sin6_addr, &b6->sin6_addr);
	return ((const struct sockaddr_in *)a)->sin_addr.s_addr ==
	       ((const struct sockaddr_in *)b)->sin_addr.s_addr;
}

/* Was it taken from the backlog of the listener with this address? */
static bool is_of(int fd, const struct sockaddr_storage *listener, socklen_t listener_len,
		  enum sweep_fit fit)
{
	struct sockaddr_storage ss = {.ss_family = AF_UNSPEC};
	socklen_t len = sizeof(ss);

	if (getsockname(fd, (struct sockaddr *)&ss, &len) != 0)
		return false;
	if (ss.ss_family == AF_UNIX)
		return len == listener_len && memcmp(&ss, listener, len) == 0;
	if (ss.ss_family != listener->ss_family ||
	    addr_port((struct sockaddr *)&ss) != addr_port((const struct sockaddr *)listener))
		return false;
	return fit == SWEEP_OWN_ADDRESS ? is_same_host(&ss, listener) : is_any(listener);
}

bool sweep_has_orphans(void)
{
	return nr_orphans > 0;
}

int sweep_adopt(int listener_fd, enum sweep_fit fit)
{
	struct sockaddr_storage ss = {.ss_family = AF_UNSPEC};
	socklen_t len = sizeof(ss);

	if (getsockname(listener_fd, (struct sockaddr *)&ss, &len) != 0)
		return -1;
	for (size_t i = 0; i < nr_orphans; i++) {
		int fd = orphans[i].fd;

		if (!is_of(fd, &ss, len, fit))
			continue;
		orphans[i] = orphans[--nr_orphans];
		return fd;
	}
	return -1;
}

void sweep_end(void)
{
	while (nr_orphans > 0)
		drop_orphan(nr_orphans - 1);
	free(orphans);
	orphans = NULL;
	room_orphans = 0;
	for (size_t fd = 0; fd < nr_known; fd++)
		if (known[fd] == RECORDED)
			close((int)fd);
	free(known);
	known = NULL;
	nr_known = 0;
}
