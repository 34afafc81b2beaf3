/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A daemon that serves a while and dies, so that there is something to go on with: files,
 * directories and links, names below those that dial, open files, requests that wait.
 */
#include "config.h"

#include "fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "journal/ledger.h"
#include "tests/wire/wire.h"

#define ROOT FUSE_ROOT_ID

static struct wire *w;
static struct fill *fill;

void fill_begin(struct wire *wire, struct fill *shared)
{
	w = wire;
	fill = shared;
}

/* A file that is open, and its control file. */
struct opened {
	uint64_t node, fh;
	uint64_t ctl, ctl_fh;
};

static struct opened listener, stream;

_Noreturn void fill_die(struct wire *wire)
{
	const struct wire_request *r;

	fill->unique = wire->unique;
	fill->nr_open = 0;
	TAILQ_FOREACH(r, &wire->requests, link)
		if (fill->nr_open < FILL_OPEN)
			fill->open[fill->nr_open++] = r->unique;
	_exit(0);
}

static uint64_t keep_node(uint64_t node)
{
	fill->nodes[fill->nr_nodes++ % FILL_NODES] = node;
	return node;
}

static void keep_handle(uint64_t node, uint64_t fh)
{
	unsigned int i = fill->nr_handles++ % FILL_HANDLES;

	fill->handles[i].node = node;
	fill->handles[i].fh = fh;
}

static uint64_t look(uint64_t dir, const char *name)
{
	struct fuse_entry_out e = { 0 };

	return wire_lookup(w, dir, name, &e) == 0 ? keep_node(e.nodeid) : ROOT;
}

static struct opened new_file(uint64_t dir, uint64_t ctl_dir, const char *name, uint32_t flags)
{
	struct fuse_entry_out e = { 0 };
	struct fuse_open_out o = { 0 }, c = { 0 };
	struct opened f;

	wire_create(w, dir, name, O_RDWR | O_CREAT | flags, 0644, &e, &o);
	f = (struct opened){ .node = keep_node(e.nodeid), .fh = o.fh, .ctl = look(ctl_dir, name) };
	wire_open(w, f.ctl, O_RDWR | flags, &c);
	f.ctl_fh = c.fh;
	keep_handle(f.node, f.fh);
	keep_handle(f.ctl, f.ctl_fh);
	return f;
}

static void say(const struct opened *f, const char *text)
{
	wire_wait(w, wire_write(w, f->ctl, f->ctl_fh, text, (uint32_t)strlen(text), O_RDWR), NULL,
		  0, NULL);
}

/* connect(2), behind what @first says. */
static void dial(const struct opened *f, const char *first, const char *host, const char *port)
{
	char text[128];

	snprintf(text, sizeof(text), "%sconnect %s%s\n", first, host, port);
	say(f, text);
}

/* ------------------------------------------------------------------------- pieces */

static void fill_dirs(uint64_t ctl)
{
	struct fuse_setxattr_in set = { .size = 100 };
	struct fuse_entry_out d = { 0 }, e = { 0 };
	char name[256] = "", label[7 + 100] = "user.x";
	uint64_t fh = 0, mirror;
	struct opened f;

	wire_mkdir(w, ROOT, "d", 0755, &d);
	keep_node(d.nodeid);
	wire_mkdir(w, d.nodeid, "e", 0755, &e);
	keep_node(e.nodeid);
	mirror = look(ctl, "d");
	wire_symlink(w, ROOT, "l", "d/f", &e);
	look(ctl, "l");
	f = new_file(d.nodeid, mirror, "f", 0);
	memset(name, 'x', 200);
	wire_link(w, f.node, e.nodeid, name, NULL);
	wire_symlink(w, d.nodeid, name, "l", &e);
	wire_call(w, FUSE_SETXATTR, f.node, &set, 8, label, sizeof(label), NULL, 0, NULL);
	wire_opendir(w, mirror, &fh);
	keep_handle(mirror, fh);
	wire_opendir(w, d.nodeid, &fh);
	keep_handle(d.nodeid, fh);
}

/* Removed, and open still. */
static void fill_removed(uint64_t ctl)
{
	new_file(ROOT, ctl, "gone", 0);
	wire_unlink(w, ROOT, "gone");
}

static void fill_listener(uint64_t ctl)
{
	struct sockfs_addr addr = { .host = "" };

	listener = new_file(ROOT, ctl, "b", 0);
	say(&listener, "set rcvtimeo 5\nset reap 1\nlisten 127.0.0.1:0 4\n");
	wire_ioctl(w, listener.node, listener.fh, SOCKFS_IOC_GETSOCKNAME, &addr);
	fill->port = (unsigned int)strtoul(addr.port, NULL, 10);
}

/* Two come, one of them is given out and read from; the name of the other is read in part. */
static void fill_accepted(uint64_t ctl)
{
	static const char bytes[50000];
	struct opened f = { .node = 0 };
	struct fuse_open_out o = { 0 };
	uint64_t node;
	char port[16];

	if (fill->port == 0)
		return;
	snprintf(port, sizeof(port), "%u", fill->port);
	for (const char *name = "c\0g\0"; *name != '\0'; name += 2) {
		f = new_file(ROOT, ctl, name, 0);
		dial(&f, "", "127.0.0.1:", port);
	}
	wire_read(w, listener.node, listener.fh, 100, O_RDWR);
	wire_read(w, listener.node, listener.fh, 2, O_RDWR);
	node = look(ROOT, "b.2");
	if (wire_open(w, node, O_RDWR, &o) != 0)
		return;
	keep_handle(node, o.fh);
	wire_write(w, f.node, f.fh, bytes, sizeof(bytes), O_RDWR);
	wire_read(w, node, o.fh, 100, O_RDWR);
	wire_read(w, node, o.fh, sizeof(bytes), O_RDWR);
}

static void fill_stream(uint64_t ctl)
{
	stream = new_file(ROOT, ctl, "a", 0);
	dial(&stream, "set nodelay 1\n", "127.0.0.1:", net_port());
}

static void fill_reads(uint64_t ctl)
{
	(void)ctl;
	if (stream.node == 0)
		return;
	wire_poll(w, stream.node, stream.fh, 77);
	wire_read(w, stream.node, stream.fh, 100, O_RDWR);
	wire_read(w, stream.node, stream.fh, 100000, O_RDWR);
}

/* Writes that wait: short, in text, and in their buffer. */
static void fill_writes(uint64_t ctl)
{
	static const char bytes[256 << 10];
	struct opened f = new_file(ROOT, ctl, "w", 0);

	dial(&f, "", "unix:", net_name());
	for (int i = 0; i < 3; i++)
		wire_write(w, f.node, f.fh, bytes, sizeof(bytes), O_RDWR);
	wire_write(w, f.node, f.fh, bytes, 20000, O_RDWR);
	wire_write(w, f.node, f.fh, bytes, 50, O_RDWR);
}

static void fill_udp(uint64_t ctl)
{
	struct opened f = new_file(ROOT, ctl, "u", 0);

	say(&f, "bind udp:127.0.0.1:0\nset headers text\nset broadcast 1\n");
	wire_read(w, f.node, f.fh, 30, O_RDWR);
}

static void fill_unix(uint64_t ctl)
{
	struct opened f = new_file(ROOT, ctl, "x", 0);
	char text[64];

	snprintf(text, sizeof(text), "listen unix:%s.l\n", net_name());
	say(&f, text);
}

/* Below the directories that dial. */
static void fill_dialled(uint64_t ctl)
{
	struct fuse_open_out o = { 0 };
	uint64_t node = look(look(look(ROOT, "tcp"), "127.0.0.1"), net_port());

	(void)ctl;
	if (wire_wait(w, wire_start_open(w, node, O_RDWR), &o, sizeof(o), NULL) == 0)
		keep_handle(node, o.fh);
	look(look(look(ROOT, "tcp"), "rcvtimeo=1"), "localhost");
	look(look(ROOT, "unix"), net_name());
}

/* Tables and directories that are being read. */
static void fill_tables(uint64_t ctl)
{
	uint64_t dir = look(ROOT, ".proc"), table = look(dir, "net"), fh = 0;
	struct fuse_read_in in = { .size = 200 };
	struct fuse_open_out o = { 0 };

	(void)ctl;
	if (wire_open(w, table, O_RDONLY, &o) == 0) {
		keep_handle(table, o.fh);
		wire_read(w, table, o.fh, 10, O_RDONLY);
	}
	if (wire_opendir(w, ROOT, &fh) != 0)
		return;
	keep_handle(ROOT, fh);
	in.fh = fh;
	wire_call(w, FUSE_READDIRPLUS, ROOT, &in, sizeof(in), NULL, 0, NULL, 0, NULL);
}

/* One that is bound, with options; and a dial that nobody waits for, in the midst of it. */
static void fill_dial(uint64_t ctl)
{
	struct opened f = new_file(ROOT, ctl, "n", O_NONBLOCK);
	char text[64];

	say(&f, "bind 127.0.0.1:0\nset keepalive 1\nset connect_timeout 3\n");
	f = new_file(ROOT, ctl, "o", O_NONBLOCK);
	snprintf(text, sizeof(text), "bind 127.0.0.1:0\nconnect localhost:%s\n", net_port());
	wire_write(w, f.ctl, f.ctl_fh, text, (uint32_t)strlen(text), O_RDWR | O_NONBLOCK);
}

_Noreturn void fill_and_die(struct wire *wire, struct fill *shared, uint16_t which,
			    unsigned int answers)
{
	static void (*const pieces[])(uint64_t ctl) = {
		fill_dirs, fill_listener, fill_accepted, fill_stream,  fill_reads,  fill_writes,
		fill_udp,  fill_unix,	  fill_dialled,	 fill_removed, fill_tables, fill_dial,
	};
	uint64_t ctl;

	fill_begin(wire, shared);
	if (wire_serve(w) != 0 || wire_init(w) != 0)
		_exit(1);
	w->answers_left = answers != 0 ? answers : UINT32_MAX;
	w->die = fill_die;
	ctl = look(ROOT, ".ctl");
	for (unsigned int i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++)
		if (which & 1u << i)
			pieces[i](ctl);
	fill_die(w);
}
