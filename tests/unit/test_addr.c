/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of uapi/addr.c: what is an address, what is none, and the way back. */
#include "config.h"

#include "uapi/addr.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "unit.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

/* What lies behind the NULs stays as it is. */
static void put_addr(struct sockfs_addr *addr, const char *host, const char *port)
{
	ck_assert_uint_lt(strlen(host), sizeof(addr->host));
	ck_assert_uint_lt(strlen(port), sizeof(addr->port));
	memcpy(addr->host, host, strlen(host) + 1);
	memcpy(addr->port, port, strlen(port) + 1);
}

static const struct {
	const char *text, *host, *port;
} good[] = {
	{"127.0.0.1:80", "127.0.0.1", "80"},
	{"[::1]:80", "::1", "80"},
	{"[fe80::1%eth0]:80", "fe80::1%eth0", "80"},
	{"[fe80::1%2]:80", "fe80::1%2", "80"},
	{"[::ffff:1.2.3.4]:1", "::ffff:1.2.3.4", "1"},
	{"[::]:0", "::", "0"},
	{"example.com:http", "example.com", "http"},
	{"localhost:65535", "localhost", "65535"},
	{"h:00080", "h", "00080"},
	{":80", "", "80"},
	{":0", "", "0"},
	{"*:80", "", "80"},
	{"*:http-alt", "", "http-alt"},
	{"my_host-1:x11", "my_host-1", "x11"},
	{"b\303\274cher.example:80", "b\303\274cher.example", "80"},
	/* A protocol before it; but with one colon that is a host. */
	{"tcp:80", "tcp", "80"},
	{"unix:name", "unix", "name"},
	{"udp:127.0.0.1:53", "udp:127.0.0.1", "53"},
	{"udp:[::1]:53", "udp:::1", "53"},
	{"udp:*:514", "udp:", "514"},
	{"udp::514", "udp:", "514"},
	{"a:b:80", "a:b", "80"},
	{"x25:h:1", "x25:h", "1"},
	{"unix:/run/a b:c", "unix:/run/a b:c", ""},
	{"unix:@name", "unix:@name", ""},
	{"http://h:80", "http://h:80", ""},
};

static const char *const bad[] = {
	"", ":", "*", "80", "localhost", "localhost:", "127.0.0.1", "[::1]", "[::1]:", "::1", "::1:80",
	"fe80::1:80", "tcp::b:80", "udp:h:", "udp:h: 1", "udp:::1:80", "unix:/", "unix:@", "unix:/a\nb",
	"Udp:h:80", "u_p:h:80", "abcdefghijklmnop:h:80", "4udp:h:80", "/run/x", "@name", "[]:80", "[:80", "]:80", "[::1:80", "::1]:80",
	"[[::1]]:80", "[::1]]:80", "[[::1]:80", "x[::1]:80", "[::1]x:80", "[::1]80", "[127.0.0.1]:80",
	"[h]:80", "[*]:80", "[::g]:80", "[1:2:3:4:5:6:7:8:9]:80", "[::1%]:80", "[%eth0]:80", "h%eth0:80",
	"127.0.0.1%1:80", "h:65536", "h:99999999999999999999", "h:4294967376", "h:-1", "h:+80", "h:0.5",
	"h: 80", "h:80 ", " h:80", "h :80", "h\t:80", "h:80\n", "h\n:80", "h\177:80", "h:8\0010",
	"h:htt p", "a/b:80", "h:80/tcp", "h:[80]", "h:*", "\r\n:80",
};

START_TEST(parse_good)
{
	struct sockfs_addr a, want = {0};

	put_addr(&want, good[_i].host, good[_i].port);
	memset(&a, 0xaa, sizeof(a));
	ck_assert_int_eq(addr_parse(good[_i].text, &a), 0);
	ck_assert_str_eq(a.host, want.host);
	ck_assert_str_eq(a.port, want.port);
	/* Nothing of the stack goes out behind the text. */
	ck_assert_mem_eq(&a, &want, sizeof(a));
	/* What one has accepted, the other accepts. */
	ck_assert_int_eq(addr_check(&a, false), 0);
	ck_assert_mem_eq(&a, &want, sizeof(a));
}
END_TEST

static const struct {
	const char *text, *proto, *host, *port;
} protos[] = {
	{"127.0.0.1:80", "", "127.0.0.1", "80"}, {"[fe80::1]:80", "", "fe80::1", "80"},
	{"udp:127.0.0.1:53", "udp", "127.0.0.1", "53"}, {"udp:[fe80::1]:53", "udp", "fe80::1", "53"},
	{"udp::53", "udp", "", "53"}, {"unix:/run/x", "unix", "/run/x", ""},
};

START_TEST(split_protocol)
{
	struct sockfs_addr a, rest;
	char proto[ADDR_PROTO_MAX];

	ck_assert_int_eq(addr_parse(protos[_i].text, &a), 0);
	addr_split(&a, proto, &rest);
	ck_assert_str_eq(proto, protos[_i].proto);
	ck_assert_str_eq(rest.host, protos[_i].host);
	ck_assert_str_eq(rest.port, protos[_i].port);
}
END_TEST

START_TEST(parse_bad)
{
	struct sockfs_addr a, before;

	memset(&a, 0xaa, sizeof(a));
	before = a;
	ck_assert_msg(addr_parse(bad[_i], &a) == -EINVAL, "accepted \"%s\"", bad[_i]);
	ck_assert_mem_eq(&a, &before, sizeof(a));
}
END_TEST

/* A host and a port as long as their fields hold, and one byte longer. */
START_TEST(parse_longest)
{
	char host[SOCKFS_HOST_MAX + 1], port[SOCKFS_PORT_MAX + 1], text[ADDR_TEXT_MAX + 2];
	struct sockfs_addr a;

	memset(host, 'h', sizeof(host));
	memset(port, 'p', sizeof(port));
	host[255] = '\0';
	port[31] = '\0';
	snprintf(text, sizeof(text), "%s:%s", host, port);
	ck_assert_int_eq(addr_parse(text, &a), 0);
	ck_assert_str_eq(a.host, host);
	ck_assert_str_eq(a.port, port);

	host[255] = 'h';
	host[256] = '\0';
	snprintf(text, sizeof(text), "%s:80", host);
	ck_assert_int_eq(addr_parse(text, &a), -EINVAL);
	port[31] = 'p';
	port[32] = '\0';
	snprintf(text, sizeof(text), "h:%s", port);
	ck_assert_int_eq(addr_parse(text, &a), -EINVAL);
}
END_TEST

/* A scope may fill the field to the last byte: the brackets do not count. */
START_TEST(parse_longest_bracketed)
{
	char host[SOCKFS_HOST_MAX + 1], text[ADDR_TEXT_MAX + 2];
	struct sockfs_addr a;

	memset(host, 's', sizeof(host));
	memcpy(host, "fe80::1%", 8);
	host[255] = '\0';
	snprintf(text, sizeof(text), "[%s]:80", host);
	ck_assert_int_eq(addr_parse(text, &a), 0);
	ck_assert_str_eq(a.host, host);

	host[255] = 's';
	host[256] = '\0';
	snprintf(text, sizeof(text), "[%s]:80", host);
	ck_assert_int_eq(addr_parse(text, &a), -EINVAL);
}
END_TEST

static const struct {
	const char *host, *port;
	bool port_optional;
	int err;
	const char *want_host, *want_port;
} checks[] = {
	{"127.0.0.1", "80", false, 0, "127.0.0.1", "80"},
	{"::1", "80", false, 0, "::1", "80"},
	{"[::1]", "80", false, 0, "::1", "80"},
	{"fe80::1%eth0", "80", false, 0, "fe80::1%eth0", "80"},
	{"[fe80::1%eth0]", "80", false, 0, "fe80::1%eth0", "80"},
	{"*", "80", false, 0, "", "80"},
	{"", "80", false, 0, "", "80"},
	{"h", "", true, 0, "h", "0"},
	{"", "", true, 0, "", "0"},
	{"h", "65535", true, 0, "h", "65535"},
	{"h", "", false, -EINVAL, NULL, NULL},
	{"h", "65536", false, -EINVAL, NULL, NULL},
	{"h", "-1", true, -EINVAL, NULL, NULL},
	{"a b", "80", false, -EINVAL, NULL, NULL},
	{"h\n", "80", false, -EINVAL, NULL, NULL},
	{"h", "8 0", false, -EINVAL, NULL, NULL},
	{"[h]", "80", false, -EINVAL, NULL, NULL},
	{"[*]", "80", false, -EINVAL, NULL, NULL},
	{"[]", "80", false, -EINVAL, NULL, NULL},
	{"[", "80", false, -EINVAL, NULL, NULL},
	{"[[::1]]", "80", false, -EINVAL, NULL, NULL},
	{"[::1", "80", false, -EINVAL, NULL, NULL},
	{"::1]", "80", false, -EINVAL, NULL, NULL},
	{"h:80", "80", false, 0, "h:80", "80"},
	{"udp:[::1]", "80", false, 0, "udp:::1", "80"},
	{"udp:*", "", true, 0, "udp:", "0"},
	{"udp:::1", "80", false, 0, "udp:::1", "80"},
	{"unix:/x", "", false, 0, "unix:/x", ""},
	{"unix:/x", "", true, 0, "unix:/x", ""},
	{"unix:/x", "80", false, -EINVAL, NULL, NULL},
	{"udp:h:", "80", false, -EINVAL, NULL, NULL},
	{"udp:a b", "80", false, -EINVAL, NULL, NULL},
	{"::1%", "80", false, -EINVAL, NULL, NULL},
	{"1.2.3.4%lo", "80", false, -EINVAL, NULL, NULL},
};

START_TEST(check)
{
	struct sockfs_addr a, before;

	/* Garbage behind the NUL, as a C program's stack leaves it. */
	memset(&a, 0xaa, sizeof(a));
	put_addr(&a, checks[_i].host, checks[_i].port);
	before = a;
	ck_assert_int_eq(addr_check(&a, checks[_i].port_optional), checks[_i].err);
	if (checks[_i].err) {
		ck_assert_mem_eq(&a, &before, sizeof(a));
		return;
	}
	memset(&before, 0, sizeof(before));
	put_addr(&before, checks[_i].want_host, checks[_i].want_port);
	ck_assert_mem_eq(&a, &before, sizeof(a));
}
END_TEST

START_TEST(check_unterminated)
{
	struct sockfs_addr a = {.port = "80"};

	memset(a.host, 'h', sizeof(a.host));
	ck_assert_int_eq(addr_check(&a, false), -EINVAL);
	a.host[sizeof(a.host) - 1] = '\0';
	ck_assert_int_eq(addr_check(&a, false), 0);

	memset(a.port, 'p', sizeof(a.port));
	ck_assert_int_eq(addr_check(&a, false), -EINVAL);
	ck_assert_int_eq(addr_check(&a, true), -EINVAL);
	a.port[sizeof(a.port) - 1] = '\0';
	ck_assert_int_eq(addr_check(&a, false), 0);

	memset(&a, 0xff, sizeof(a));
	ck_assert_int_eq(addr_check(&a, true), -EINVAL);
}
END_TEST

static const struct {
	const char *host, *port;
	int family, err;
	const char *want; /* of addr_format on the way back */
} numbers[] = {
	{"127.0.0.1", "80", AF_UNSPEC, 0, "127.0.0.1:80"},
	{"127.0.0.1", "80", AF_INET, 0, "127.0.0.1:80"},
	{"127.0.0.1", "80", AF_INET6, -EINVAL, NULL},
	{"255.255.255.255", "65535", AF_UNSPEC, 0, "255.255.255.255:65535"},
	{"::1", "0", AF_UNSPEC, 0, "[::1]:0"},
	{"::1", "1", AF_INET6, 0, "[::1]:1"},
	{"::1", "1", AF_INET, -EINVAL, NULL},
	{"2001:DB8:0:0:0:0:0:1", "00443", AF_UNSPEC, 0, "[2001:db8::1]:443"},
	{"::ffff:1.2.3.4", "5", AF_UNSPEC, 0, "1.2.3.4:5"},
	{"", "80", AF_UNSPEC, 0, "0.0.0.0:80"},
	{"", "80", AF_INET, 0, "0.0.0.0:80"},
	{"", "80", AF_INET6, 0, "[::]:80"},
	{"", "80", AF_UNIX, -EINVAL, NULL},
	{"fe80::1%4294967295", "80", AF_UNSPEC, 0, "[fe80::1%4294967295]:80"},
	{"fe80::1%lo", "80", AF_UNSPEC, 0, "[fe80::1%lo]:80"},
	{"fe80::1%1", "80", AF_UNSPEC, 0, "[fe80::1%lo]:80"},
	{"fe80::1%0", "80", AF_UNSPEC, -EINVAL, NULL},
	{"fe80::1%4294967296", "80", AF_UNSPEC, -EINVAL, NULL},
	{"fe80::1%99999999999999999999", "80", AF_UNSPEC, -EINVAL, NULL},
	{"fe80::1%no-such-if", "80", AF_UNSPEC, -EINVAL, NULL},
	{"fe80::1%", "80", AF_UNSPEC, -EINVAL, NULL},
	{"localhost", "80", AF_UNSPEC, -EINVAL, NULL},
	{"127.1", "80", AF_UNSPEC, -EINVAL, NULL},
	{"1.2.3.256", "80", AF_UNSPEC, -EINVAL, NULL},
	{"*", "80", AF_UNSPEC, -EINVAL, NULL},
	{"[::1]", "80", AF_UNSPEC, -EINVAL, NULL},
	{"127.0.0.1", "http", AF_UNSPEC, -EINVAL, NULL},
	{"127.0.0.1", "", AF_UNSPEC, -EINVAL, NULL},
	{"127.0.0.1", "-1", AF_UNSPEC, -EINVAL, NULL},
	{"127.0.0.1", " 1", AF_UNSPEC, -EINVAL, NULL},
	{"127.0.0.1", "65536", AF_UNSPEC, -ERANGE, NULL},
	{"127.0.0.1", "18446744073709551696", AF_UNSPEC, -ERANGE, NULL},
};

START_TEST(to_sockaddr_and_back)
{
	struct sockfs_addr a = {0};
	struct sockaddr_storage ss, before;
	socklen_t len = 4711;
	char text[ADDR_TEXT_MAX];

	put_addr(&a, numbers[_i].host, numbers[_i].port);
	memset(&ss, 0xaa, sizeof(ss));
	before = ss;
	ck_assert_int_eq(addr_to_sockaddr(&a, numbers[_i].family, &ss, &len), numbers[_i].err);
	if (numbers[_i].err) {
		ck_assert_mem_eq(&ss, &before, sizeof(ss));
		ck_assert_uint_eq(len, 4711);
		return;
	}
	ck_assert_uint_eq(len, ss.ss_family == AF_INET ? sizeof(struct sockaddr_in)
						       : sizeof(struct sockaddr_in6));
	memset(&a, 0xaa, sizeof(a));
	addr_from_sockaddr((struct sockaddr *)&ss, &a);
	ck_assert_str_eq(addr_format(&a, text, sizeof(text)), numbers[_i].want);
}
END_TEST

START_TEST(to_sockaddr_unterminated)
{
	struct sockaddr_storage ss;
	struct sockfs_addr a;
	socklen_t len;

	memset(&a, '1', sizeof(a));
	ck_assert_int_eq(addr_to_sockaddr(&a, AF_UNSPEC, &ss, &len), -EINVAL);
	strcpy(a.host, "127.0.0.1");
	ck_assert_int_eq(addr_to_sockaddr(&a, AF_UNSPEC, &ss, &len), -EINVAL);
	strcpy(a.port, "1");
	ck_assert_int_eq(addr_to_sockaddr(&a, AF_UNSPEC, &ss, &len), 0);
}
END_TEST

START_TEST(from_sockaddr_without_address)
{
	static const struct sockfs_addr empty;
	struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = "/x"};
	struct sockaddr unspec = {.sa_family = AF_UNSPEC};
	struct sockfs_addr a;
	char text[ADDR_TEXT_MAX];

	memset(&a, 0xaa, sizeof(a));
	addr_from_sockaddr(NULL, &a);
	ck_assert_mem_eq(&a, &empty, sizeof(a));
	memset(&a, 0xaa, sizeof(a));
	addr_from_sockaddr((struct sockaddr *)&un, &a);
	ck_assert_mem_eq(&a, &empty, sizeof(a));
	memset(&a, 0xaa, sizeof(a));
	addr_from_sockaddr(&unspec, &a);
	ck_assert_mem_eq(&a, &empty, sizeof(a));
	ck_assert_str_eq(addr_format(&a, text, sizeof(text)), "-");
	ck_assert_uint_eq(addr_port(&unspec), 0);
	ck_assert_uint_eq(addr_port((struct sockaddr *)&un), 0);
}
END_TEST

/* The answer of addr_from_sockaddr goes to another process whole. */
START_TEST(from_sockaddr_leaves_no_garbage)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(1234)};
	struct sockfs_addr a, want = {.host = "10.1.2.3", .port = "1234"};

	inet_pton(AF_INET, "10.1.2.3", &sin.sin_addr);
	memset(&a, 0xaa, sizeof(a));
	addr_from_sockaddr((struct sockaddr *)&sin, &a);
	ck_assert_mem_eq(&a, &want, sizeof(a));
	ck_assert_uint_eq(addr_port((struct sockaddr *)&sin), 1234);
}
END_TEST

START_TEST(format)
{
	struct sockfs_addr a = {.port = "80"};
	char text[ADDR_TEXT_MAX];

	ck_assert_ptr_eq(addr_format(&a, text, sizeof(text)), text);
	ck_assert_str_eq(text, "*:80");
	strcpy(a.host, "example.com");
	ck_assert_str_eq(addr_format(&a, text, sizeof(text)), "example.com:80");

	/* As long as it gets, and without a NUL anywhere: the buffer must hold it. */
	memset(&a, ':', sizeof(a));
	addr_format(&a, text, sizeof(text));
	ck_assert_uint_eq(strlen(text), SOCKFS_HOST_MAX + SOCKFS_PORT_MAX + 3);
	ck_assert_int_eq(text[0], '[');
}
END_TEST

int main(void)
{
	Suite *s = suite_create("addr");
	TCase *tc = tcase_create("addr");

	tcase_add_loop_test(tc, parse_good, 0, COUNT(good));
	tcase_add_loop_test(tc, parse_bad, 0, COUNT(bad));
	tcase_add_loop_test(tc, split_protocol, 0, COUNT(protos));
	tcase_add_test(tc, parse_longest);
	tcase_add_test(tc, parse_longest_bracketed);
	tcase_add_loop_test(tc, check, 0, COUNT(checks));
	tcase_add_test(tc, check_unterminated);
	tcase_add_loop_test(tc, to_sockaddr_and_back, 0, COUNT(numbers));
	tcase_add_test(tc, to_sockaddr_unterminated);
	tcase_add_test(tc, from_sockaddr_without_address);
	tcase_add_test(tc, from_sockaddr_leaves_no_garbage);
	tcase_add_test(tc, format);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
