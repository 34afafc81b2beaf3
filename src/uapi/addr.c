/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text of an address to struct sockaddr and back, without any resolver.
 */
#include "config.h"

#include "uapi/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PORT_MAX 65535

/* ASCII only: what a byte means must not depend on the caller's locale. */
static bool is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(unsigned char c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* No host and no service has one of these; bytes of UTF-8 (IDN) pass. */
static bool is_refused(unsigned char c)
{
	return c <= ' ' || c == 0x7f || c == '[' || c == ']' || c == '/';
}

static bool has_refused(const char *s)
{
	for (; *s; s++)
		if (is_refused((unsigned char)*s))
			return true;
	return false;
}

static bool all_digits(const char *s)
{
	if (!*s)
		return false;
	while (is_digit((unsigned char)*s))
		s++;
	return !*s;
}

/* Cut "fe80::1%eth0" at the per cent; *ret_scope is NULL where there is none. */
static int parse_in6(const char *host, struct in6_addr *ret_in6, const char **ret_scope)
{
	char buf[INET6_ADDRSTRLEN];
	size_t len = strcspn(host, "%");

	if (len >= sizeof(buf))
		return -EINVAL;
	memcpy(buf, host, len);
	buf[len] = '\0';
	if (inet_pton(AF_INET6, buf, ret_in6) != 1)
		return -EINVAL;
	*ret_scope = NULL;
	if (host[len] == '%') {
		if (!host[len + 1])
			return -EINVAL;
		*ret_scope = host + len + 1;
	}
	return 0;
}

/* Digits to a port, whatever the number of leading zeros; -ERANGE over 65535. */
static int parse_port(const char *s, unsigned int *ret_port)
{
	unsigned int port = 0;

	if (!all_digits(s))
		return -EINVAL;
	for (; *s; s++) {
		port = port * 10 + (unsigned int)(*s - '0');
		if (port > PORT_MAX)
			return -ERANGE;
	}
	*ret_port = port;
	return 0;
}

/* RFC 6335, 5.1: a service name holds a letter; "-1" or "+80" is a mistyped number. */
static int check_port(const char *port)
{
	unsigned int n;
	const char *s;

	if (has_refused(port))
		return -EINVAL;
	if (all_digits(port))
		return parse_port(port, &n) ? -EINVAL : 0;
	for (s = port; *s; s++)
		if (is_letter((unsigned char)*s) || (unsigned char)*s >= 0x80)
			return 0;
	return -EINVAL;
}

/* @host has lost its brackets, @bracketed says whether it had some. */
static int check_host(const char *host, bool bracketed)
{
	struct in6_addr in6;
	const char *scope;

	if (has_refused(host))
		return -EINVAL;
	/* No name holds a colon or a per cent sign, so this has to be an IPv6 address. */
	if (bracketed || strpbrk(host, ":%"))
		return parse_in6(host, &in6, &scope);
	return 0;
}

/* Text goes to the front and every byte behind it to 0: the struct leaves the process. */
static void set_field(char *field, size_t size, const char *text, size_t len)
{
	memmove(field, text, len);
	memset(field + len, 0, size - len);
}

size_t addr_proto(const char *host, char *ret_proto)
{
	struct in6_addr in6;
	const char *scope;
	size_t n = 0;

	while (is_digit((unsigned char)host[n]) || (host[n] >= 'a' && host[n] <= 'z'))
		n++;
	/* "fe80::1" is an address. */
	if (n == 0 || n >= ADDR_PROTO_MAX || host[n] != ':' || is_digit((unsigned char)host[0]) ||
	    parse_in6(host, &in6, &scope) == 0)
		return 0;
	if (ret_proto) {
		memcpy(ret_proto, host, n);
		ret_proto[n] = '\0';
	}
	return n + 1;
}

bool addr_is_path(const char *host)
{
	return host[0] == '/' || host[0] == '@';
}

/* A path is whatever a file may be called, but for what would tear a line of a table. */
static int check_path(const char *path)
{
	if (!path[1])
		return -EINVAL;
	for (; *path; path++)
		if ((unsigned char)*path < ' ' || *path == 0x7f)
			return -EINVAL;
	return 0;
}

/* Both fields are terminated. @bracketed: the host had brackets and lost them. */
static int check_addr(const struct sockfs_addr *addr, bool bracketed)
{
	int err = check_host(addr->host, bracketed);

	return err ? err : check_port(addr->port);
}

/* Without a protocol; brackets and "*" are taken off. Both fields are terminated. */
static int check_plain(struct sockfs_addr *a, bool port_optional)
{
	size_t len = strlen(a->host), port_len = strlen(a->port);
	bool bracketed = len >= 2 && a->host[0] == '[' && a->host[len - 1] == ']';

	if (bracketed)
		set_field(a->host, sizeof(a->host), a->host + 1, len - 2);
	else
		set_field(a->host, sizeof(a->host), a->host, strcmp(a->host, "*") ? len : 0);
	if (port_len == 0 && port_optional)
		set_field(a->port, sizeof(a->port), "0", 1);
	else
		set_field(a->port, sizeof(a->port), a->port, port_len);
	return check_addr(a, bracketed);
}

/* Put the @n bytes of @proto, with its colon, before the host. */
static int add_proto(struct sockfs_addr *a, const char *proto, size_t n)
{
	size_t len = strlen(a->host);

	if (n + len >= sizeof(a->host))
		return -EINVAL;
	memmove(a->host + n, a->host, len + 1);
	memcpy(a->host, proto, n);
	return 0;
}

void addr_split(const struct sockfs_addr *addr, char *ret_proto, struct sockfs_addr *ret_addr)
{
	size_t n = addr_proto(addr->host, ret_proto);

	if (n == 0)
		ret_proto[0] = '\0';
	*ret_addr = *addr;
	set_field(ret_addr->host, sizeof(ret_addr->host), addr->host + n, strlen(addr->host + n));
}

int addr_check(struct sockfs_addr *addr, bool port_optional)
{
	char proto[ADDR_PROTO_MAX];
	struct sockfs_addr a;
	int err;

	if (strnlen(addr->host, sizeof(addr->host)) == sizeof(addr->host) ||
	    strnlen(addr->port, sizeof(addr->port)) == sizeof(addr->port))
		return -EINVAL;
	addr_split(addr, proto, &a);
	if (*proto && addr_is_path(a.host)) {
		set_field(a.port, sizeof(a.port), a.port, strlen(a.port));
		err = *a.port ? -EINVAL : check_path(a.host);
	} else {
		err = check_plain(&a, port_optional);
	}
	if (!err && *proto)
		err = add_proto(&a, addr->host, strlen(proto) + 1);
	if (err)
		return -EINVAL;
	*addr = a;
	return 0;
}

int addr_check_name(struct sockfs_addr *addr)
{
	struct sockfs_addr a = {.port = "1"};

	if (strnlen(addr->host, sizeof(addr->host)) == sizeof(addr->host) || *addr->port)
		return -EINVAL;
	strcpy(a.host, addr->host);
	if (addr_proto(a.host, NULL) != 0 || check_plain(&a, false) != 0)
		return -EINVAL;
	memset(a.port, 0, sizeof(a.port));
	*addr = a;
	return 0;
}

/* "HOST:PORT" into its fields, brackets still on. */
static int split_plain(const char *text, struct sockfs_addr *ret_addr)
{
	const char *colon = strrchr(text, ':');
	bool bracketed = text[0] == '[';
	size_t len, port_len;

	if (!colon)
		return -EINVAL;
	len = (size_t)(colon - text);
	port_len = strlen(colon + 1);
	if (bracketed) {
		/* Taken off before the length is checked: the longest host must fit. */
		if (len < 2 || text[len - 1] != ']')
			return -EINVAL;
		text++;
		len -= 2;
	} else if (memchr(text, ':', len)) {
		/* "::1" could be the host ::1 without a port or the host : with port 1. */
		return -EINVAL;
	} else if (len == 1 && text[0] == '*') {
		len = 0;
	}
	if (len >= sizeof(ret_addr->host) || port_len >= sizeof(ret_addr->port))
		return -EINVAL;
	set_field(ret_addr->host, sizeof(ret_addr->host), text, len);
	set_field(ret_addr->port, sizeof(ret_addr->port), colon + 1, port_len);
	return check_addr(ret_addr, bracketed);
}

int addr_parse(const char *text, struct sockfs_addr *ret_addr)
{
	size_t n = addr_proto(text, NULL);
	struct sockfs_addr a;
	int err;

	/* "tcp:80" is the port 80 of a host. */
	if (!addr_is_path(text + n) && !strchr(text + n, ':'))
		n = 0;
	if (n && addr_is_path(text + n)) {
		err = strlen(text) < sizeof(a.host) ? check_path(text + n) : -EINVAL;
		if (!err) {
			set_field(a.host, sizeof(a.host), text, strlen(text));
			set_field(a.port, sizeof(a.port), "", 0);
		}
	} else {
		err = split_plain(text + n, &a);
		if (!err)
			err = add_proto(&a, text, n);
	}
	if (err)
		return -EINVAL;
	*ret_addr = a;
	return 0;
}

/* An interface by name or number; 0 is "none", which no scope may be. */
static uint32_t parse_scope(const char *scope)
{
	unsigned long n;

	if (!all_digits(scope))
		return if_nametoindex(scope);
	errno = 0;
	n = strtoul(scope, NULL, 10);
	return errno || n > UINT32_MAX ? 0 : (uint32_t)n;
}

static int fill_in(const char *host, unsigned int port, struct sockaddr_in *sin)
{
	sin->sin_family = AF_INET;
	sin->sin_port = htons((uint16_t)port);
	if (!*host) {
		sin->sin_addr.s_addr = htonl(INADDR_ANY);
		return 0;
	}
	return inet_pton(AF_INET, host, &sin->sin_addr) == 1 ? 0 : -EINVAL;
}

static int fill_in6(const char *host, unsigned int port, struct sockaddr_in6 *sin6)
{
	const char *scope;

	sin6->sin6_family = AF_INET6;
	sin6->sin6_port = htons((uint16_t)port);
	if (!*host) {
		sin6->sin6_addr = in6addr_any;
		return 0;
	}
	if (parse_in6(host, &sin6->sin6_addr, &scope))
		return -EINVAL;
	if (scope) {
		sin6->sin6_scope_id = parse_scope(scope);
		if (!sin6->sin6_scope_id)
			return -EINVAL;
	}
	return 0;
}

int addr_to_sockaddr(const struct sockfs_addr *addr, int family, struct sockaddr_storage *ret_sa,
		     socklen_t *ret_len)
{
	struct sockaddr_storage ss;
	unsigned int port;
	socklen_t len;
	int err;

	if (strnlen(addr->host, sizeof(addr->host)) == sizeof(addr->host) ||
	    strnlen(addr->port, sizeof(addr->port)) == sizeof(addr->port))
		return -EINVAL;
	err = parse_port(addr->port, &port);
	if (err)
		return err;
	if (family == AF_UNSPEC)
		family = strchr(addr->host, ':') ? AF_INET6 : AF_INET;

	memset(&ss, 0, sizeof(ss));
	if (family == AF_INET) {
		len = sizeof(struct sockaddr_in);
		err = fill_in(addr->host, port, (struct sockaddr_in *)&ss);
	} else if (family == AF_INET6) {
		len = sizeof(struct sockaddr_in6);
		err = fill_in6(addr->host, port, (struct sockaddr_in6 *)&ss);
	} else {
		return -EINVAL;
	}
	if (err)
		return err;
	*ret_sa = ss;
	*ret_len = len;
	return 0;
}

static void in6_to_host(const struct sockaddr_in6 *sin6, char *host, size_t size)
{
	char ifname[IF_NAMESIZE];
	size_t len;

	if (IN6_IS_ADDR_V4MAPPED(&sin6->sin6_addr)) {
		inet_ntop(AF_INET, &sin6->sin6_addr.s6_addr[12], host, (socklen_t)size);
		return;
	}
	inet_ntop(AF_INET6, &sin6->sin6_addr, host, (socklen_t)size);
	if (!sin6->sin6_scope_id)
		return;
	len = strlen(host);
	/* The interface may be gone by now; its number still tells. */
	if (if_indextoname(sin6->sin6_scope_id, ifname))
		snprintf(host + len, size - len, "%%%s", ifname);
	else
		snprintf(host + len, size - len, "%%%u", sin6->sin6_scope_id);
}

void addr_from_sockaddr(const struct sockaddr *sa, struct sockfs_addr *ret_addr)
{
	memset(ret_addr, 0, sizeof(*ret_addr));
	if (!sa)
		return;
	if (sa->sa_family == AF_INET)
		inet_ntop(AF_INET, &((const struct sockaddr_in *)sa)->sin_addr, ret_addr->host,
			  sizeof(ret_addr->host));
	else if (sa->sa_family == AF_INET6)
		in6_to_host((const struct sockaddr_in6 *)sa, ret_addr->host,
			    sizeof(ret_addr->host));
	else
		return;
	snprintf(ret_addr->port, sizeof(ret_addr->port), "%u", addr_port(sa));
}

char *addr_format(const struct sockfs_addr *addr, char *buf, size_t size)
{
	/* The fields may come from another process: never read past them. */
	int host_len = (int)strnlen(addr->host, sizeof(addr->host));
	int port_len = (int)strnlen(addr->port, sizeof(addr->port));

	if (!host_len && !port_len)
		snprintf(buf, size, "-");
	else if (!port_len)
		snprintf(buf, size, "%.*s", host_len, addr->host);
	else if (!host_len)
		snprintf(buf, size, "*:%.*s", port_len, addr->port);
	else if (memchr(addr->host, ':', (size_t)host_len))
		snprintf(buf, size, "[%.*s]:%.*s", host_len, addr->host, port_len, addr->port);
	else
		snprintf(buf, size, "%.*s:%.*s", host_len, addr->host, port_len, addr->port);
	return buf;
}

unsigned int addr_port(const struct sockaddr *sa)
{
	if (sa->sa_family == AF_INET)
		return ntohs(((const struct sockaddr_in *)sa)->sin_port);
	if (sa->sa_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)sa)->sin6_port);
	return 0;
}
