/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Control files and ioctls: texts, and bytes in place of their structs, on a few files of
 * one daemon. fuzz_guard.c keeps what they say from reaching anything.
 */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "fuzz.h"
#include "lib/log.h"
#include "lib/util.h"
#include "mm/slab.h"
#include "tests/wire/wire.h"

#define NR_FILES 3
#define NR_UNIQUES 8
#define TEXT_MAX 2048

static struct wire *w;
static struct {
	uint64_t ino, fh, ctl, ctl_fh;
} files[NR_FILES];
static uint64_t uniques[NR_UNIQUES];
static unsigned int nr_uniques;

static char port[8], name[40];

static const char *const words[] = {
	"connect ", "connect ", "bind ", "listen ", "listen ", "shutdown ", "abort", "set ", "join ",
	"leave ", "send-empty", "accept", "local", "info", "\n", "\n", "\n", "\n", " ", "\t", "tcp:", "udp:",
	"udp:", "unix:", "tls:", "foo:", "127.0.0.1:", "127.0.0.1:", "[::1]:", "localhost:", "*:", ":",
	"nobody.example:", port, port, "0", "0", "1", "80", "http", name, name, "@", "/", "rd", "wr", "rdwr",
	"nodelay ", "linger ", "reuseport ", "rcvbuf ", "headers ", "text", "plan9", "off", "on", "message ",
	"discard", "keep", "reap ", "rcvtimeo ", "broadcast ", "mttl ", "mloop ", "proto ", "tcp", "udp", "unix",
	"tls", "connect_timeout ", "tls_ca /x", "tls_name a", "from", "239.1.2.3 ", "lo", "-1", "99999999999",
	"\xff",
};

static void keep(uint64_t unique)
{
	uniques[nr_uniques++ % NR_UNIQUES] = unique;
}

static void text_step(unsigned int i, const uint8_t *data, size_t size)
{
	char text[TEXT_MAX];
	size_t n = fuzz_text(data, size, words, ARRAY_SIZE(words), text, sizeof(text));

	if (n > 0)
		keep(wire_write(w, files[i].ctl, files[i].ctl_fh, text, (uint32_t)n, O_RDWR));
}

/* Any of our ioctls, or none of them. An address begins with a word, mostly. */
static void ioctl_step(unsigned int i, const uint8_t *data, size_t size)
{
	static char arg[16384];
	uint32_t cmd = (size > 0 ? data[0] : 0) % 22u, bytes;
	static const uint32_t cmds[] = {
		SOCKFS_IOC_CONNECT, SOCKFS_IOC_BIND, SOCKFS_IOC_LISTEN, SOCKFS_IOC_ACCEPT,
		SOCKFS_IOC_SHUTDOWN, SOCKFS_IOC_ABORT, SOCKFS_IOC_GETSOCKNAME, SOCKFS_IOC_GETPEERNAME,
		SOCKFS_IOC_SETSOCKOPT, SOCKFS_IOC_GETSOCKOPT, SOCKFS_IOC_INQ, SOCKFS_IOC_OUTQ,
		SOCKFS_IOC_INFO, SOCKFS_IOC_JOIN, SOCKFS_IOC_LEAVE, SOCKFS_IOC_SENDEMPTY, 0x5401,
		_IOWR('x', 1, char[64]), SOCKFS_IOC_CONNECT, SOCKFS_IOC_SETSOCKOPT,
		SOCKFS_IOC_SETTEXT, SOCKFS_IOC_GETTEXT,
	};

	memset(arg, 0, sizeof(arg));
	cmd = cmds[cmd];
	bytes = _IOC_SIZE(cmd);
	if (size > 1)
		memcpy(arg, data + 1, size - 1 < bytes ? size - 1 : bytes);
	keep(wire_start_ioctl(w, files[i].ino, files[i].fh, cmd, arg));
}

static void data_step(unsigned int i, uint8_t how, uint8_t size)
{
	static const char bytes[1024];
	uint32_t flags = O_RDWR | (how & 8 ? O_NONBLOCK : 0);

	switch (how % 4) {
	case 0:
		keep(wire_read(w, files[i].ino, files[i].fh, size, flags));
		break;
	case 1:
		keep(wire_write(w, files[i].ino, files[i].fh, bytes, size * 4u, flags));
		break;
	case 2:
		keep(wire_read(w, files[i].ctl, files[i].ctl_fh, 4096, O_RDWR));
		break;
	default:
		wire_interrupt(w, uniques[size % NR_UNIQUES]);
		/* libfuse gives it back with the next request. */
		wire_getattr(w, FUSE_ROOT_ID, NULL);
	}
}

static unsigned int port_of(unsigned int i)
{
	struct sockfs_addr addr = {.host = ""};

	if (wire_ioctl(w, files[i].ino, files[i].fh, SOCKFS_IOC_GETSOCKNAME, &addr) != 0)
		return 0;
	return (unsigned int)strtoul(addr.port, NULL, 10);
}

/* Its head: which file, what, how many bytes of the input it has. */
static size_t step(const uint8_t *data, size_t size)
{
	unsigned int i = data[0] % NR_FILES, what = data[0] / NR_FILES % 8;
	size_t len = data[1] < size - 2 ? data[1] : size - 2;

	data += 2;
	switch (what) {
	case 0:
	case 1:
	case 2:
		text_step(i, data, len);
		return 2 + len;
	case 3:
	case 4:
		ioctl_step(i, data, len);
		return 2 + len;
	case 5:
		data_step(i, data[-1], len > 0 ? data[0] : 0);
		return 2;
	case 6:
		net_step(data[-1], len > 0 ? data[0] : 0, port_of(i));
		return 2;
	default:
		wire_turn(w);
		return 2;
	}
}

static void begin(void)
{
	struct fuse_entry_out ctl = {0}, e = {0};
	struct fuse_open_out o = {0};
	char file[8];

	if (wire_lookup(w, FUSE_ROOT_ID, ".ctl", &ctl) != 0)
		abort();
	for (unsigned int i = 0; i < NR_FILES; i++) {
		snprintf(file, sizeof(file), "f%u", i);
		if (wire_create(w, FUSE_ROOT_ID, file, O_RDWR | O_CREAT, 0644, &e, &o) != 0)
			abort();
		files[i].ino = e.nodeid;
		files[i].fh = o.fh;
		if (wire_lookup(w, ctl.nodeid, file, &e) != 0 || wire_open(w, e.nodeid, O_RDWR, &o) != 0)
			abort();
		files[i].ctl = e.nodeid;
		files[i].ctl_fh = o.fh;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	snprintf(port, sizeof(port), "%s", net_port());
	snprintf(name, sizeof(name), "%s", net_name());
	memset(uniques, 0, sizeof(uniques));
	nr_uniques = 0;
	log_set_level(LOGLEVEL_ERR);
	w = wire_new();
	if (w == NULL)
		abort();
	begin();
	while (size > 2) {
		size_t n = step(data, size);

		data += n;
		size -= n;
	}
	if (wire_free(w) != 0)
		abort();
	net_close();
	return 0;
}
