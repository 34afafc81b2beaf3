/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a daemon finds that goes on where another has died (resume/): the ledger, written by one
 * that has served (fuzz_fill.c) in a process of its own, with its descriptors; and then broken.
 *
 * An input chooses what that one has served, behind which answer it dies, what is changed in
 * the ledger, and some requests to who goes on. He may refuse to, but then in order: nothing of
 * his own is left, no descriptor, and none is closed that he has nothing to do with.
 */
#include "config.h"

#include "fuzz.h"
#include "fuzz_input.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuse/session.h"
#include "journal/ledger.h"
#include "lib/log.h"
#include "lib/util.h"
#include "tests/wire/wire.h"

#define SMALL_RANGE (256u << 20) /* 32 buffers of messages */

const uint8_t *fuzz_at, *fuzz_end;
static struct wire *w;
static struct fill *fill;

/* Descriptors that are open, and what they are. */
static struct fds {
	int fd[FUZZ_FDS];
	ino_t ino[FUZZ_FDS];
	size_t nr;
} before;

/* Say why, and abort. */
#define die(fmt, ...) (fprintf(stderr, "fuzz: " fmt "\n", __VA_ARGS__), abort())

/* ------------------------------------------------------------------ descriptors */

static void list_fds(struct fds *ret)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;
	struct stat st;

	ret->nr = 0;
	if (dir == NULL)
		abort();
	while ((entry = readdir(dir)) != NULL) {
		int fd = entry->d_name[0] != '.' ? (int)strtol(entry->d_name, NULL, 10) : -1;

		if (fd < 0 || fd == dirfd(dir) || fstat(fd, &st) != 0)
			continue;
		if (ret->nr == FUZZ_FDS)
			abort();
		ret->fd[ret->nr] = fd;
		ret->ino[ret->nr++] = st.st_ino;
	}
	closedir(dir);
}

/* What is open beyond @keep is the dead one's. */
static void close_others(const struct fds *keep)
{
	static struct fds now;

	list_fds(&now);
	for (size_t i = 0, k = 0; i < now.nr; i++) {
		while (k < keep->nr && keep->fd[k] < now.fd[i])
			k++;
		if (k == keep->nr || keep->fd[k] != now.fd[i])
			close(now.fd[i]);
	}
}

/* All that were open, and no other: the wire's two and the ledger's are closed by now. */
static void check_fds(const struct fds *was)
{
	static struct fds now;

	list_fds(&now);
	for (size_t i = 0; i < was->nr || i < now.nr; i++) {
		if (i < was->nr && i < now.nr && was->fd[i] == now.fd[i] &&
		    was->ino[i] == now.ino[i])
			continue;
		die("descriptors %d and %d are not the same", i < was->nr ? was->fd[i] : -1,
		    i < now.nr ? now.fd[i] : -1);
	}
}

/* --------------------------------------------------------------------- who goes on */

/* As an upgrade does: another program reads it. False: it does not. */
static bool attach_again(void)
{
	int fd = dup(ledger_fd());

	if (byte() & 1)
		fuzz_break_form();
	ledger_drop();
	if (ledger_attach(fd, sockfs_session_buf_size()) == 0)
		return true;
	close(fd);
	return false;
}

static uint64_t any_node(void)
{
	uint8_t b = byte();

	return b < 40 ? FUSE_ROOT_ID : fill->nodes[b % FILL_NODES];
}

static const char *any_name(void)
{
	static const char *const names[] = { "a",	  "b",	 "c",	 "d",	  "e",	 "f",
					     "l",	  "n",	 ".ctl", ".proc", "tcp", "b.1",
					     "127.0.0.1", "new", "net",	 "x" };

	return names[byte() % ARRAY_SIZE(names)];
}

static void name_step(void)
{
	struct fuse_entry_out e = { 0 };
	struct fuse_open_out o = { 0 };
	uint64_t dir = any_node(), other = any_node();
	uint8_t b = byte();

	switch (b % 8) {
	case 0:
		wire_lookup(w, dir, any_name(), &e);
		break;
	case 1:
		wire_mkdir(w, dir, any_name(), 0755, &e);
		break;
	case 2:
		wire_link(w, other, dir, any_name(), &e);
		break;
	case 3:
		wire_symlink(w, dir, any_name(), "..", &e);
		break;
	case 4:
		wire_rename(w, dir, any_name(), other, any_name(), b / 8 % 4);
		break;
	case 5:
		wire_unlink(w, dir, any_name());
		break;
	case 6:
		wire_rmdir(w, dir, any_name());
		break;
	default:
		wire_create(w, dir, any_name(), O_RDWR | O_CREAT, 0644, &e, &o);
	}
	if (e.nodeid != 0)
		fill->nodes[byte() % FILL_NODES] = e.nodeid;
	if (o.fh != 0) {
		fill->handles[b % FILL_HANDLES].node = e.nodeid;
		fill->handles[b % FILL_HANDLES].fh = o.fh;
	}
}

static void file_step(void)
{
	static const char bytes[1 << 16] = "status\nabort\n";
	static char arg[16384];
	uint8_t b = byte(), i = byte() % FILL_HANDLES;
	uint64_t node = fill->handles[i].node, fh = fill->handles[i].fh;
	struct fuse_read_in in = { .fh = fh, .size = b * 32u, .offset = byte() };
	struct fuse_open_out o;

	switch (b % 10) {
	case 0:
		wire_read(w, node, fh, byte() * 257u, byte() & 1 ? O_NONBLOCK : 0);
		break;
	case 1:
		wire_write(w, node, fh, bytes, byte() & 128 ? sizeof(bytes) : b,
			   byte() & 1 ? O_NONBLOCK : 0);
		break;
	case 2:
		wire_poll(w, node, fh, b);
		break;
	case 3:
		wire_start_ioctl(w, node, fh, SOCKFS_IOC_INFO, arg);
		break;
	case 4:
		wire_start_ioctl(w, node, fh, SOCKFS_IOC_ACCEPT, memset(arg, 0, sizeof(arg)));
		break;
	case 5:
		wire_release(w, node, fh);
		break;
	case 6:
		wire_call(w, byte() & 1 ? FUSE_READDIR : FUSE_READDIRPLUS, node, &in, sizeof(in),
			  NULL, 0, NULL, 0, NULL);
		break;
	case 7:
		if (wire_open(w, any_node(), b & 64 ? O_RDWR : O_NONBLOCK, &o) == 0)
			fill->handles[i].fh = o.fh;
		break;
	case 8:
		wire_write(w, node, fh, bytes, 7, 0);
		break;
	default:
		wire_size(w, node, fh);
	}
}

static void node_step(void)
{
	struct fuse_getxattr_in get = { .size = 300 };
	struct fuse_setattr_in set = { .valid = FATTR_UID | FATTR_MODE,
				       .mode = 0700,
				       .uid = byte() };
	uint64_t node = any_node();

	switch (byte() % 6) {
	case 0:
		wire_forget(w, node, byte() & 1 ? 1 : 1000);
		break;
	case 1:
		wire_call(w, FUSE_GETXATTR, node, &get, sizeof(get), "user.x", 7, NULL, 0, NULL);
		break;
	case 2:
		wire_call(w, FUSE_LISTXATTR, node, &get, sizeof(get), NULL, 0, NULL, 0, NULL);
		break;
	case 3:
		wire_call(w, FUSE_SETATTR, node, &set, sizeof(set), NULL, 0, NULL, 0, NULL);
		break;
	case 4:
		wire_call(w, FUSE_READLINK, node, NULL, 0, NULL, 0, NULL, 0, NULL);
		break;
	default:
		wire_getattr(w, node, NULL);
	}
}

/* The kernel lets go of all that it knows. */
static void let_go(void)
{
	for (int i = 0; i < FILL_HANDLES; i++)
		wire_release(w, fill->handles[i].node, fill->handles[i].fh);
	for (int i = 0; i < FILL_NODES; i++)
		if (fill->nodes[i] != FUSE_ROOT_ID)
			wire_forget(w, fill->nodes[i], 1000);
	wire_turn(w);
}

static void use(bool all)
{
	int nr_interrupts = 0;
	uint8_t b, c;

	while (fuzz_at < fuzz_end) {
		b = byte();
		if (b < 70)
			name_step();
		else if (b < 150)
			file_step();
		else if (b < 200)
			node_step();
		else if (b < 240)
			c = byte(), net_step(c, byte(), fill->port);
		else
			nr_interrupts++, wire_interrupt(w, fill->open[byte() % FILL_OPEN]);
	}
	if (all)
		let_go();
	/*
	 * libfuse gives back an interrupt that found nobody with each request; fuzz_break.c may have
	 * made some of its messages such.
	 */
	for (int i = 0; i < nr_interrupts + BREAKS_MAX; i++)
		if (wire_getattr(w, FUSE_ROOT_ID, NULL) != 0)
			break;
}

static void expect_all(void)
{
	for (unsigned int i = 0; i < fill->nr_open; i++)
		wire_expect(w, fill->open[i]);
}

/* One serves and dies, and then this process has what he has left. */
static uint16_t serve(void)
{
	uint16_t which = (uint16_t)number_of(2);
	uint8_t answers = byte();

	w->pipe_size = which & 1u << 15 ? 1u << 20 : 0;
	mother_serve(w, which, answers < 128 ? 0 : answers - 127u);
	w->unique = fill->unique;
	return which;
}

static void go_on(const struct fds *keep, bool broken)
{
	uint8_t how;
	int err;

	if (byte() % 8 == 1 && !attach_again()) {
		close_others(keep);
		if (ledger_make(sockfs_session_buf_size()) != 0 || wire_serve(w) != 0)
			abort();
		return;
	}
	fill->unique += 2;
	expect_all();
	how = byte();
	ledger->died_of = how & 1 ? SIGKILL : SIGSEGV;
	err = wire_resume(w, keep->fd, keep->nr);
	if (getenv("FUZZ_LOG") != NULL)
		fprintf(stderr,
			"%d: %lu inodes, %lu sockets, %lu connections, %lu files, %lu lost\n", err,
			w->restored.inodes, w->restored.sockets, w->restored.connections,
			w->restored.files, w->restored.lost);
	if (!broken && (err != 0 || w->restored.lost != 0))
		die("%lu are lost of a whole ledger", w->restored.lost);
	w->unique = fill->unique;
	if (err == 0)
		use(how & 2);
}

/*
 * The range of an input is the smallest that holds what fuzz_fill.c makes, unless its bit 13 is
 * set: the books of the largest are a megabyte.
 */
static void make_ledger(bool large)
{
	struct rlimit lim, least;

	if (getrlimit(RLIMIT_FSIZE, &lim) != 0)
		abort();
	least = lim;
	if (!large)
		least.rlim_cur = min(lim.rlim_cur, (rlim_t)SMALL_RANGE);
	if (setrlimit(RLIMIT_FSIZE, &least) != 0 || ledger_make(sockfs_session_buf_size()) != 0 ||
	    setrlimit(RLIMIT_FSIZE, &lim) != 0)
		abort();
}

/* What stays, from the first input on. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	uv_loop_t loop;

	(void)argc, (void)argv;
	fill = mmap(NULL, sizeof(*fill), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	/* The first loop opens a pipe that all others have, too. */
	if (fill == MAP_FAILED || uv_loop_init(&loop) != 0 || uv_loop_close(&loop) != 0)
		abort();
	if (getenv("FUZZ_LOG") == NULL)
		log_set_level((enum log_level)0);
	(void)net_port();
	(void)net_name();
	mother_begin(fill);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fds keep;
	uint16_t which;
	bool broken;
	int bad;

	fuzz_at = data;
	fuzz_end = data + size;
	if (fill == NULL)
		LLVMFuzzerInitialize(NULL, NULL);
	memset(fill, 0, sizeof(*fill));
	list_fds(&before);
	make_ledger(size > 0 && data[0] & 32);
	w = wire_make();
	if (w == NULL)
		abort();
	list_fds(&keep);
	which = serve();
	broken = fuzz_break(fill) != 0;
	/* A second one goes on, and dies of it. */
	if (which & 1u << 14)
		mother_resume(w, byte(), keep.fd, keep.nr);
	go_on(&keep, broken);
	bad = wire_free(w);
	if (bad != 0)
		die("%d things are left", bad);
	ledger_drop();
	net_close();
	check_fds(&before);
	return 0;
}
