/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of lib/mountinfo: lines of proc(5), and others. */
#include "config.h"

#include "lib/mountinfo.h"

#include <stdlib.h>
#include <string.h>

#include "unit.h"

static void parse(const char *text, struct mountinfo *ret, char *buf, size_t size)
{
	ck_assert_uint_lt(strlen(text), size);
	strcpy(buf, text);
	ck_assert_msg(mountinfo_parse(buf, ret), "%s", text);
}

START_TEST(fields)
{
	struct mountinfo m;
	char buf[256];

	parse("36 35 98:7 /mnt1 /mnt2 rw,noatime master:1 shared:2 - ext3 /dev/root rw,errors=continue\n",
	      &m, buf, sizeof(buf));
	ck_assert_uint_eq(m.id, 36);
	ck_assert_uint_eq(m.parent, 35);
	ck_assert_uint_eq(m.major, 98);
	ck_assert_uint_eq(m.minor, 7);
	ck_assert_str_eq(m.place, "/mnt2");
	ck_assert_str_eq(m.type, "ext3");
	/* No field may stand between the options and the dash, and no source behind the type. */
	parse("1 2 0:3 / / rw - fuse.sockfs", &m, buf, sizeof(buf));
	ck_assert_str_eq(m.place, "/");
	ck_assert_str_eq(m.type, "fuse.sockfs");
}
END_TEST

/* Blanks and backslashes are escaped; nothing else is, and it parts no fields. */
START_TEST(any_bytes)
{
	struct mountinfo m;
	char buf[256];

	parse("1 2 0:3 / /a\\040b\\011\\012\\134040 rw - tmpfs x rw\n", &m, buf, sizeof(buf));
	ck_assert_str_eq(m.place, "/a b\t\n\\040");
	parse("1 2 0:3 /x\r/not/here /\xff\v\f/\\040-\\040y rw - tmpfs x rw\n", &m, buf,
	      sizeof(buf));
	ck_assert_str_eq(m.place, "/\xff\v\f/ - y");
	ck_assert_str_eq(m.type, "tmpfs");
}
END_TEST

START_TEST(no_lines)
{
	static const char *const lines[] = {
		"",
		"\n",
		"1",
		"1 2 0:3",
		"1 2 0:3 ",
		"1 2 0:3 /",
		"1 2 0:3 / /a rw tmpfs x rw",
		"1 2 3 / /a rw - tmpfs x rw",
		"1 2 0:3 - ",
		"1 2 0:3 / a rw - tmpfs x rw",
	};
	struct mountinfo m;
	char buf[64];

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		strcpy(buf, lines[i]);
		ck_assert_msg(!mountinfo_parse(buf, &m), "%s", lines[i]);
	}
}
END_TEST

/* Those of this machine, however long a place is. */
START_TEST(the_kernels)
{
	FILE *f = fopen("/proc/self/mountinfo", "r");
	struct mountinfo m;
	char *line = NULL;
	size_t size = 0;
	unsigned int n = 0;

	ck_assert_ptr_nonnull(f);
	for (; mountinfo_next(f, &line, &size, &m); n++) {
		ck_assert_int_eq(m.place[0], '/');
		ck_assert_str_ne(m.type, "");
	}
	ck_assert(feof(f));
	ck_assert_uint_gt(n, 0);
	free(line);
	fclose(f);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mountinfo");
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, fields);
	tcase_add_test(tc, any_bytes);
	tcase_add_test(tc, no_lines);
	tcase_add_test(tc, the_kernels);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
