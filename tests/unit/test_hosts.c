/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * net/core/hosts.c: what a file of hosts(5) says of a name.
 */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/core/hosts.h"
#include "uapi/addr.h"
#include "unit.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

static const char file[] = "# 10.0.0.9 noted\n"
			   "\n"
			   " \t \n"
			   "10.0.0.1\tweb  db # noted\n"
			   "10.0.0.2 web\n"
			   "10.0.0.3 x\n"
			   "  10.0.0.4 y\r\n"
			   "10.0.0.3 y\n"
			   "fd00::4 y\n"
			   "300.0.0.1 wrong\n"
			   "fe80::1%none wrong\n"
			   "10.0.0.6 half\n"
			   "half 10.0.0.7\n"
			   "fe80::1%lo scope\n"
			   "10.0.0.8\n"
			   "10.0.0.9#near\n"
			   "10.0.0.5 last";

/* Each name has the addresses of the lines that it stands in, and no others. */
static const struct {
	const char *host, *text;
} names[] = {
	{"web", "10.0.0.1:80 10.0.0.2:80 "},
	{"db", "10.0.0.1:80 "},
	{"DB.", "10.0.0.1:80 "},
	{"x", "10.0.0.3:80 "},
	{"y", "10.0.0.4:80 10.0.0.3:80 [fd00::4]:80 "},
	{"half", "10.0.0.6:80 "},
	{"scope", "[fe80::1%lo]:80 "},
	{"last", "10.0.0.5:80 "},
	{"noted", NULL},
	{"near", NULL},
	{"wrong", NULL},
	{"we", NULL},
	{"webs", NULL},
	{".", NULL},
	{"10.0.0.8", NULL},
};

static void check_name(const char *host, const char *want)
{
	FILE *f = fmemopen((char *)file, sizeof(file) - 1, "r");
	struct addr_list *list = NULL;
	char text[256] = "";
	int err = hosts_read(f, host, "80", &list);

	ck_assert_msg(err == (want ? 0 : -ENXIO), "%s: %d", host, err);
	for (size_t i = 0; list && i < list->n; i++) {
		char one[ADDR_TEXT_MAX];
		struct sockfs_addr addr;

		addr_from_sockaddr((struct sockaddr *)&list->addr[i], &addr);
		strcat(strcat(text, addr_format(&addr, one, sizeof(one))), " ");
	}
	ck_assert_str_eq(text, want ? want : "");
	free(list);
	fclose(f);
}

START_TEST(addresses_of_a_name)
{
	check_name(names[_i].host, names[_i].text);
}
END_TEST

/* However long a line is, and however many there are. */
START_TEST(long_ones)
{
	struct addr_list *list = NULL;
	FILE *f = tmpfile();

	ck_assert_ptr_nonnull(f);
	fputs("10.0.0.1", f);
	for (int i = 0; i < 100000; i++)
		fprintf(f, " name%d", i);
	fputs("\n", f);
	for (int i = 0; i < 300; i++)
		fprintf(f, "10.1.%d.1 name99999\n", i % 256);
	rewind(f);
	ck_assert_int_eq(hosts_read(f, "name99999", "80", &list), 0);
	ck_assert_uint_eq(list->n, 301);
	free(list);
	fclose(f);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("hosts");
	TCase *tc = tcase_create("all");

	tcase_add_loop_test(tc, addresses_of_a_name, 0, COUNT(names));
	tcase_add_test(tc, long_ones);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
