/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tests of control files share.
 */
#include "config.h"

#include "wire_ctl.h"

#include <check.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

struct ctl_pair make_pair(struct wire *w, uint64_t ctl, const char *name)
{
	struct ctl_pair p = {.w = w};
	struct fuse_entry_out e, m;
	struct fuse_open_out o;

	ck_assert_int_eq(wire_mknod(w, FUSE_ROOT_ID, name, S_IFREG | 0640, &e), 0);
	ck_assert_int_eq(wire_lookup(w, ctl, name, &m), 0);
	ck_assert_int_eq(wire_open(w, m.nodeid, O_RDWR, &o), 0);
	p.ino = e.nodeid;
	p.mirror = m.nodeid;
	p.fh = o.fh;
	return p;
}

uint64_t start_write(const struct ctl_pair *p, const char *text)
{
	return wire_write(p->w, p->mirror, p->fh, text, (uint32_t)strlen(text), O_RDWR);
}

int command(const struct ctl_pair *p, const char *text)
{
	struct fuse_write_out out = {0};
	int err = wire_wait(p->w, start_write(p, text), &out, sizeof(out), NULL);

	if (err == 0)
		ck_assert_uint_eq(out.size, strlen(text));
	return err;
}

int read_at(const struct ctl_pair *p, uint64_t off, char *buf, uint32_t size)
{
	struct fuse_read_in in = {
		.fh = p->fh,
		.offset = off,
		.size = size,
		.read_flags = FUSE_READ_LOCKOWNER,
	};
	size_t len = 0;
	int err = wire_call(p->w, FUSE_READ, p->mirror, &in, sizeof(in), NULL, 0, buf, size, &len);

	return err != 0 ? err : (int)len;
}

bool status_has(const struct ctl_pair *p, const char *line)
{
	char text[4097] = "";
	int n = read_at(p, 0, text, 4096);

	ck_assert_int_gt(n, 0);
	return strstr(text, line) != NULL;
}
