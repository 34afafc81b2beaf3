/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The FUSE edge: requests, and peers. fuzz_guard.c keeps them from reaching anything else.
 *
 * Every byte chooses: an operation, a number that is known or is not, a length.
 * What the daemon gave out (node numbers, handles, requests that wait) is kept
 * and used again, also when it is long stale. In the end each request must have
 * had its one answer, and no object, handle or descriptor may be left.
 */
#include "config.h"

#include "fuzz.h"
#include "fuzz_input.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/socket.h>

#include "lib/log.h"
#include "lib/util.h"
#include "mm/slab.h"
#include "tests/wire/wire.h"

#define NR_NODES 12
#define NR_HANDLES 12
#define NR_UNIQUES 8

const uint8_t *fuzz_at, *fuzz_end;
static struct wire *w;
static uint64_t nodes[NR_NODES];
static struct {
	uint64_t node, fh;
} handles[NR_HANDLES];
static uint64_t uniques[NR_UNIQUES];
static unsigned int port;	    /* that a file listens on, or did */
static unsigned int nr_interrupts; /* that libfuse may still keep */

/* ---------------------------------------------------------------------- choices */

static uint64_t number(void)
{
	uint64_t n = 0;

	for (int i = 0; i < 8; i++)
		n = n << 8 | byte();
	return n;
}

static uint64_t any_node(void)
{
	uint8_t b = byte();

	if (b < 40)
		return FUSE_ROOT_ID;
	return b < 250 ? nodes[b % NR_NODES] : number();
}

/* A handle, mostly together with the node that it was opened by. */
static uint64_t any_handle(uint64_t *ret_node)
{
	uint8_t b = byte();

	*ret_node = b < 240 ? handles[b % NR_HANDLES].node : any_node();
	return b < 248 ? handles[b % NR_HANDLES].fh : number();
}

static const char *any_name(void)
{
	static const char *const names[] = {
		"a",	"b",	     "c",      "d",	".ctl",	     ".proc", "tcp", "tcp6", "slabinfo",
		"a.1",	"127.0.0.1", "::1",    "[::1]", "localhost", "0",     "1",   "sockstat",
		"*",	".",	     "..",     "",	"a/b",	     "#\xff\x01", "a b",   "udp",  "unix",
		"udp",	"unix",	     "tls",    "rcvtimeo=1",
	};
	static char own[300];
	uint8_t b = byte();

	if (b < 200)
		return names[b % ARRAY_SIZE(names)];
	if (b < 220)
		return net_port();
	if (b < 230)
		return net_name();
	memset(own, '#', sizeof(own));
	own[b < 250 ? b - 225 : b] = '\0';
	return own;
}

static const void *any_bytes(size_t size)
{
	static uint8_t bytes[256];

	for (size_t i = 0; i < size; i++)
		bytes[i] = byte();
	return bytes;
}

static void any_addr(struct sockfs_addr *addr)
{
	static const char *const hosts[] = {
		"127.0.0.1",	 "::1",	      "localhost", "",	     "*",   "[::1]",	"999.1.1.1x y", "0.0.0.0",
		"udp:127.0.0.1", "udp:[::1]", "udp:",	   "unix:@", "tcp:", "tls:::1", "foo:1",	"udp:*",
	};
	uint8_t b = byte();

	memset(addr, 0, sizeof(*addr));
	strcpy(addr->host, hosts[b % ARRAY_SIZE(hosts)]);
	if (strcmp(addr->host, "unix:@") == 0 && b & 128) {
		strcpy(addr->host + strlen("unix:"), net_name());
		return;
	}
	snprintf(addr->port, sizeof(addr->port), "%s", b & 16 ? "0" : net_port());
	if (b & 32) /* text without an end */
		memset(b & 64 ? addr->host : addr->port, '1',
		       b & 64 ? sizeof(addr->host) : sizeof(addr->port));
}

/* --------------------------------------------------------------------- requests */

static void keep_node(uint64_t node)
{
	nodes[byte() % NR_NODES] = node;
}

static void keep_handle(uint64_t node, uint64_t fh)
{
	unsigned int i = byte() % NR_HANDLES;

	handles[i].node = node;
	handles[i].fh = fh;
}

static void keep_unique(uint64_t unique)
{
	uniques[byte() % NR_UNIQUES] = unique;
}

static void names_step(void)
{
	struct fuse_entry_out e = {0};
	uint64_t dir = any_node(), other = any_node();
	const char *name = any_name();
	int err = -1;

	switch (byte() % 8) {
	case 0:
	case 1:
		err = wire_lookup(w, dir, name, &e);
		break;
	case 2:
		err = wire_mknod(w, dir, name, S_IFREG | byte(), &e);
		break;
	case 3:
		err = wire_mkdir(w, dir, name, byte(), &e);
		break;
	case 4:
		err = wire_link(w, other, dir, name, &e);
		break;
	case 5:
		err = wire_symlink(w, dir, name, any_name(), &e);
		break;
	case 6:
		wire_rename(w, dir, name, other, any_name(), byte() % 5);
		break;
	default:
		if (byte() & 1)
			wire_unlink(w, dir, name);
		else
			wire_rmdir(w, dir, name);
	}
	if (err == 0)
		keep_node(e.nodeid);
}

static uint32_t any_flags(void)
{
	uint8_t b = byte();

	return (b & 3) | (b & 4 ? O_NONBLOCK : 0) | (b & 8 ? O_APPEND : 0) | (b & 16 ? O_EXCL : 0);
}

static void open_step(void)
{
	struct fuse_entry_out e;
	struct fuse_open_out o;
	uint64_t node = any_node(), fh;
	int err;

	switch (byte() % 4) {
	case 0:
		err = wire_create(w, node, any_name(), any_flags() | O_CREAT, 0644, &e, &o);
		if (err == 0)
			keep_node(node = e.nodeid);
		break;
	case 1:
		err = wire_opendir(w, node, &fh);
		o.fh = fh;
		break;
	default: {
		struct fuse_open_in in = {.flags = any_flags()};
		uint64_t unique = wire_send(w, FUSE_OPEN, node, &in, sizeof(in), NULL, 0);

		/* Of a path that dials it may take its time. */
		err = wire_answer(w, unique, &o, sizeof(o), NULL);
		if (err == WIRE_OPEN)
			keep_unique(unique);
	}
	}
	if (err == 0)
		keep_handle(node, o.fh);
}

static void release_step(void)
{
	uint64_t node, fh = any_handle(&node);

	switch (byte() % 4) {
	case 0:
		wire_release(w, node, fh);
		break;
	case 1:
		wire_releasedir(w, node, fh);
		break;
	case 2:
		wire_forget(w, any_node(), byte() & 1 ? 1 : number());
		break;
	default:
		wire_interrupt(w, uniques[byte() % NR_UNIQUES]);
		nr_interrupts++;
	}
}

/* Reads and writes, and whatever else takes a handle and parks. */
static void data_step(void)
{
	uint64_t node, fh = any_handle(&node);
	struct fuse_fsync_in sync = {.fh = fh};
	static const char bytes[128 * 1024];
	uint8_t b = byte();
	uint32_t size = b < 128 ? b : (b - 127u) * 1024u;

	switch (byte() % 6) {
	case 0:
	case 1:
		keep_unique(wire_read(w, node, fh, size, any_flags()));
		break;
	case 2:
	case 3:
		keep_unique(wire_write(w, node, fh, bytes, size, any_flags()));
		break;
	case 4:
		keep_unique(wire_send(w, FUSE_FSYNC, node, &sync, sizeof(sync), NULL, 0));
		break;
	default:
		keep_unique(wire_poll(w, node, fh, b));
	}
}

static void ioctl_step(void)
{
	static const uint32_t cmds[] = {
		SOCKFS_IOC_CONNECT,	SOCKFS_IOC_BIND,       SOCKFS_IOC_LISTEN, SOCKFS_IOC_SHUTDOWN,
		SOCKFS_IOC_ABORT,	SOCKFS_IOC_SETSOCKOPT, SOCKFS_IOC_ACCEPT, SOCKFS_IOC_GETSOCKNAME,
		SOCKFS_IOC_GETPEERNAME, SOCKFS_IOC_GETSOCKOPT, SOCKFS_IOC_INQ,	  SOCKFS_IOC_INFO,
		SOCKFS_IOC_CONNECT,	SOCKFS_IOC_LISTEN,     SOCKFS_IOC_ACCEPT, 0x5401,
		SOCKFS_IOC_JOIN,	SOCKFS_IOC_LEAVE,      SOCKFS_IOC_SENDEMPTY,
	};
	static const int levels[] = {SOL_SOCKET, 6 /* TCP */, SOL_SOCKFS, 0};
	static char arg[16384];
	uint64_t node, unique, fh = any_handle(&node);
	uint32_t cmd = cmds[byte() % ARRAY_SIZE(cmds)];
	struct sockfs_sockopt opt = {.level = levels[byte() % 4], .name = byte() % 48, .len = byte() % 80};
	struct sockfs_addr addr = {.host = ""};

	memset(arg, 0, sizeof(arg));
	if (cmd == SOCKFS_IOC_CONNECT || cmd == SOCKFS_IOC_BIND) {
		any_addr(&addr);
		memcpy(arg, &addr, sizeof(addr));
	} else if (cmd == SOCKFS_IOC_JOIN || cmd == SOCKFS_IOC_LEAVE) {
		strcpy(addr.host, "239.1.2.3");
		strcpy(addr.port, byte() & 1 ? "lo" : "");
		memcpy(arg, &addr, sizeof(addr));
	} else if (cmd == SOCKFS_IOC_SETSOCKOPT || cmd == SOCKFS_IOC_GETSOCKOPT) {
		opt.value[0] = byte() % 3;
		memcpy(arg, &opt, sizeof(opt));
	} else {
		arg[0] = (char)(byte() % 4);
	}
	unique = wire_start_ioctl(w, node, fh, cmd, arg);
	keep_unique(unique);
}

static void directory_step(void)
{
	uint64_t node, fh = any_handle(&node);
	struct fuse_read_in in = {.fh = fh, .size = byte() * 32u, .offset = byte()};

	if (byte() < 16)
		in.offset = number();
	wire_call(w, byte() & 1 ? FUSE_READDIR : FUSE_READDIRPLUS, node, &in, sizeof(in), NULL, 0,
		  NULL, 0, NULL);
}

static void xattr_step(void)
{
	struct fuse_setxattr_in set = {.size = byte() % 64u, .flags = byte() % 4};
	struct fuse_getxattr_in get = {.size = byte() * 300u};
	static char data[128] = "user.x\0";
	uint64_t node = any_node();

	switch (byte() % 4) {
	case 0:
		/* Without FUSE_SETXATTR_EXT the struct has half its size. */
		wire_call(w, FUSE_SETXATTR, node, &set, 8, data, 7 + byte() % 64u, NULL, 0, NULL);
		break;
	case 1:
		wire_call(w, FUSE_GETXATTR, node, &get, sizeof(get), data, 7, NULL, 0, NULL);
		break;
	case 2:
		wire_call(w, FUSE_LISTXATTR, node, &get, sizeof(get), NULL, 0, NULL, 0, NULL);
		break;
	default:
		wire_call(w, FUSE_REMOVEXATTR, node, data, 7, NULL, 0, NULL, 0, NULL);
	}
}

/* A text for a control file, which a connected socket takes as well. */
static void text_step(void)
{
	uint64_t node, fh = any_handle(&node);
	char text[128];
	uint8_t b = byte();

	switch (b % 9) {
	case 0:
		snprintf(text, sizeof(text), "connect %s127.0.0.1:%s\n", b & 64 ? "udp:" : "", net_port());
		break;
	case 1:
		snprintf(text, sizeof(text), "listen %s127.0.0.1:0 %u\n", b & 64 ? "udp:" : "", byte());
		break;
	case 2:
		snprintf(text, sizeof(text), "set %s %u\n", b & 64 ? "reap" : "rcvtimeo", byte() % 2);
		break;
	case 6:
		snprintf(text, sizeof(text), "connect unix:%s\n", net_name());
		break;
	case 7:
		snprintf(text, sizeof(text), "bind udp:127.0.0.1:0\nset headers %s\n", b & 64 ? "text" : "off");
		break;
	case 8:
		snprintf(text, sizeof(text), "listen unix:%s.%u\n", net_name(), byte() % 4);
		break;
	case 3:
		snprintf(text, sizeof(text), "shutdown %s\n", b & 64 ? "wr" : "rdwr");
		break;
	case 4:
		snprintf(text, sizeof(text), "abort\nbind 127.0.0.1:0\n");
		break;
	default:
		snprintf(text, sizeof(text), "conn");
	}
	keep_unique(wire_write(w, node, fh, text, (uint32_t)strlen(text), 2));
}

/* Any operation with any bytes behind its header. */
static void junk_step(void)
{
	uint32_t op = byte() % 64u;
	size_t len = byte();
	bool quiet = op == FUSE_FORGET || op == FUSE_BATCH_FORGET || op == FUSE_INTERRUPT;
	uint64_t node = any_node();

	/* libfuse believes that it asked. */
	if (op == FUSE_NOTIFY_REPLY || op == FUSE_DESTROY)
		return;
	nr_interrupts += op == FUSE_INTERRUPT;
	w->unique += 2;
	wire_send_as(w, w->unique | (op == FUSE_INTERRUPT), op, node, any_bytes(len), len, NULL, 0,
		     !quiet);
}

static void short_step(void)
{
	size_t len = byte() % (sizeof(struct fuse_in_header) - 1) + 1;

	wire_send_raw(w, any_bytes(len), len);
}

static void step(void)
{
	static void (*const steps[])(void) = {
		names_step, names_step, names_step, open_step,	open_step,  open_step,
		data_step,  data_step,	ioctl_step, ioctl_step, text_step,  release_step,
		directory_step, xattr_step, junk_step,
	};
	uint8_t b = byte(), c;

	if (b < 220) {
		steps[b % ARRAY_SIZE(steps)]();
	} else if (b < 240) {
		c = byte();
		net_step(c, byte(), port);
	} else if (b < 246) {
		wire_turn(w);
	} else if (b < 252) {
		kmem_fault_after(byte() % 16);
	} else {
		short_step();
	}
}

/* A file, its control file, and both open; as many numbers are theirs as @first to @last says. */
static void begin_file(const char *name, uint64_t ctl, int first, int last)
{
	struct fuse_entry_out e = {0}, c = {0};
	struct fuse_open_out o = {0}, p = {0};

	wire_create(w, FUSE_ROOT_ID, name, O_RDWR | O_CREAT, 0644, &e, &o);
	wire_lookup(w, ctl, name, &c);
	wire_open(w, c.nodeid, O_RDWR, &p);
	for (int i = first; i <= last; i++) {
		bool is_ctl = i == last;

		nodes[i] = is_ctl ? c.nodeid : e.nodeid;
		handles[i].node = nodes[i];
		handles[i].fh = is_ctl ? p.fh : o.fh;
	}
}

/*
 * Most inputs begin with a connection and a listener, of TCP or of UDP: from nothing few would
 * come so far.
 */
static void begin(uint8_t how)
{
	struct sockfs_addr addr = {.host = ""};
	char arg[sizeof(addr)] = "";
	struct fuse_entry_out e = {0};

	if (how < 32)
		return;
	wire_lookup(w, FUSE_ROOT_ID, ".ctl", &e);
	begin_file("a", e.nodeid, 0, 4);
	begin_file("b", e.nodeid, 5, 9);
	strcpy(addr.host, how & 4 ? "udp:127.0.0.1" : "127.0.0.1");
	strcpy(addr.port, net_port());
	if (how & 1)
		wire_ioctl(w, handles[0].node, handles[0].fh, SOCKFS_IOC_CONNECT, &addr);
	strcpy(addr.host, how & 8 ? "udp:127.0.0.1" : "127.0.0.1");
	strcpy(addr.port, "0");
	if (!(how & 2))
		return;
	wire_ioctl(w, handles[5].node, handles[5].fh, SOCKFS_IOC_BIND, &addr);
	wire_ioctl(w, handles[5].node, handles[5].fh, SOCKFS_IOC_LISTEN, arg);
	wire_ioctl(w, handles[5].node, handles[5].fh, SOCKFS_IOC_GETSOCKNAME, &addr);
	port = (unsigned int)strtoul(addr.port, NULL, 10);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_at = data;
	fuzz_end = data + size;
	port = 0;
	memset(nodes, 0, sizeof(nodes));
	memset(handles, 0, sizeof(handles));
	memset(uniques, 0, sizeof(uniques));
	(void)net_port();
	log_set_level(LOGLEVEL_ERR);
	kmem_fault_after(-1);
	w = wire_new();
	if (w == NULL)
		abort();
	begin(byte());
	while (fuzz_at < fuzz_end)
		step();
	kmem_fault_after(-1);
	/* libfuse gives back one with each request, and would lose them at its end. */
	for (; nr_interrupts > 0; nr_interrupts--)
		wire_getattr(w, FUSE_ROOT_ID, NULL);
	if (wire_free(w) != 0)
		abort();
	net_close();
	return 0;
}
