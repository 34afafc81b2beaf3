/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The address before each datagram of a socket that many send to.
 *
 * text:  "127.0.0.1:5353 12" and a newline, the length of the data last.
 * plan9: the 52 bytes of Plan 9's ip(3), its Udphdr: the remote, the local and the
 *	  interface's address, 16 bytes each with IPv4 mapped into IPv6, then the two ports.
 *	  There is no length: it is that of the datagram. To write, the remote ones count.
 */
#include "config.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/inet/udp.h"
#include "uapi/addr.h"

struct udphdr9 {
	unsigned char raddr[16], laddr[16], ifcaddr[16], rport[2], lport[2];
};

BUILD_BUG_ON(sizeof(struct udphdr9) != 52);

/* ::ffff:a.b.c.d, which a socket of IPv6 takes for an IPv4 address. */
static void map_to_in6(const struct sockaddr *sa, struct sockaddr_in6 *ret)
{
	const struct sockaddr_in *sin = (const struct sockaddr_in *)sa;

	if (sa->sa_family == AF_INET6) {
		*ret = *(const struct sockaddr_in6 *)sa;
		return;
	}
	*ret = (struct sockaddr_in6){.sin6_family = AF_INET6};
	if (sa->sa_family != AF_INET)
		return;
	ret->sin6_port = sin->sin_port;
	memset(&ret->sin6_addr.s6_addr[10], 0xff, 2);
	memcpy(&ret->sin6_addr.s6_addr[12], &sin->sin_addr, 4);
}

/* As a descriptor of @family takes it. 0 or -EINVAL. */
static int as_family(struct sockaddr_storage *ss, sa_family_t family)
{
	struct sockaddr_in6 sin6;
	struct sockaddr_in sin = {.sin_family = AF_INET};

	map_to_in6((struct sockaddr *)ss, &sin6);
	if (family == AF_INET6) {
		memset(ss, 0, sizeof(*ss));
		memcpy(ss, &sin6, sizeof(sin6));
		return 0;
	}
	if (!IN6_IS_ADDR_V4MAPPED(&sin6.sin6_addr))
		return -EINVAL;
	sin.sin_port = sin6.sin6_port;
	memcpy(&sin.sin_addr, &sin6.sin6_addr.s6_addr[12], 4);
	memset(ss, 0, sizeof(*ss));
	memcpy(ss, &sin, sizeof(sin));
	return 0;
}

/* "ADDRESS LENGTH" and a newline; no name is looked up. */
static int parse_text(struct iov_iter *from, struct sockaddr_storage *ret_to)
{
	char line[UDP_HEADER_MAX], *blank, *end;
	struct sockfs_addr addr;
	size_t room = from->count < sizeof(line) ? from->count : sizeof(line) - 1;
	unsigned long n;
	socklen_t len;

	memcpy(line, from->buf, room);
	line[room] = '\0';
	end = strchr(line, '\n');
	if (end == NULL)
		return -EINVAL;
	*end = '\0';
	blank = strchr(line, ' ');
	if (blank == NULL || blank[1] == '\0' || blank[1 + strspn(blank + 1, "0123456789")] != '\0')
		return -EINVAL;
	*blank = '\0';
	n = strtoul(blank + 1, NULL, 10);
	iov_iter_advance(from, (size_t)(end - line) + 1);
	if (n != from->count || addr_parse(line, &addr) != 0 ||
	    addr_to_sockaddr(&addr, AF_UNSPEC, ret_to, &len) != 0)
		return -EINVAL;
	return 0;
}

static int parse_plan9(struct iov_iter *from, struct sockaddr_storage *ret_to)
{
	struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6};
	struct udphdr9 h;

	if (from->count < sizeof(h))
		return -EINVAL;
	memcpy(&h, from->buf, sizeof(h));
	memcpy(&sin6.sin6_addr, h.raddr, sizeof(h.raddr));
	memcpy(&sin6.sin6_port, h.rport, sizeof(h.rport));
	memset(ret_to, 0, sizeof(*ret_to));
	memcpy(ret_to, &sin6, sizeof(sin6));
	iov_iter_advance(from, sizeof(h));
	return 0;
}

int udp_header_parse(int headers, sa_family_t family, struct iov_iter *from,
		     struct sockaddr_storage *ret_to)
{
	int err = headers == SOCKFS_HEADERS_TEXT ? parse_text(from, ret_to)
						 : parse_plan9(from, ret_to);

	return err != 0 ? err : as_family(ret_to, family);
}

size_t udp_header_format(int headers, const struct sockaddr *from, const struct sockaddr *local,
			 size_t len, char *buf)
{
	char text[ADDR_TEXT_MAX];
	struct sockaddr_in6 remote6, local6;
	struct sockfs_addr addr;
	struct udphdr9 h;

	if (headers == SOCKFS_HEADERS_TEXT) {
		addr_from_sockaddr(from, &addr);
		return (size_t)snprintf(buf, UDP_HEADER_MAX, "%.100s %zu\n",
					addr_format(&addr, text, sizeof(text)), len);
	}
	map_to_in6(from, &remote6);
	map_to_in6(local, &local6);
	memcpy(h.raddr, &remote6.sin6_addr, sizeof(h.raddr));
	memcpy(h.laddr, &local6.sin6_addr, sizeof(h.laddr));
	memcpy(h.ifcaddr, &local6.sin6_addr, sizeof(h.ifcaddr));
	memcpy(h.rport, &remote6.sin6_port, sizeof(h.rport));
	memcpy(h.lport, &local6.sin6_port, sizeof(h.lport));
	memcpy(buf, &h, sizeof(h));
	return sizeof(h);
}
