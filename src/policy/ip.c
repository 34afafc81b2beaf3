/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses and networks, compared bit by bit.
 */
#include "config.h"

#include "policy/ip.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"

static unsigned int ip_bits(const struct ip *ip)
{
	return ip->family == AF_INET ? 32 : 128;
}

/* Is it one of ::ffff:0:0/96? */
static bool is_mapped(const unsigned char *byte)
{
	static const unsigned char prefix[12] = {[10] = 0xff, [11] = 0xff};

	return memcmp(byte, prefix, sizeof(prefix)) == 0;
}

/* The IPv4 address that lies at @at in an IPv6 one. */
static struct ip embedded(const struct ip *ip, size_t at)
{
	struct ip four = {.family = AF_INET};

	memcpy(four.byte, ip->byte + at, 4);
	return four;
}

static int parse_bits(const char *s, unsigned int max, unsigned int *ret_bits)
{
	size_t len = strlen(s);

	if (len < 1 || len > 3 || s[strspn(s, "0123456789")])
		return -EINVAL;
	*ret_bits = (unsigned int)strtoul(s, NULL, 10);
	return *ret_bits <= max ? 0 : -EINVAL;
}

int ip_net_parse(const char *text, struct ip_net *ret_net)
{
	struct ip_net net = {0};
	char buf[INET6_ADDRSTRLEN];
	size_t len = strcspn(text, "/");

	if (len >= sizeof(buf))
		return -EINVAL;
	memcpy(buf, text, len);
	buf[len] = '\0';
	net.ip.family = strchr(buf, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(net.ip.family, buf, net.ip.byte) != 1)
		return -EINVAL;
	net.bits = ip_bits(&net.ip);
	if (text[len] == '/' && parse_bits(text + len + 1, net.bits, &net.bits))
		return -EINVAL;
	if (net.ip.family == AF_INET6 && is_mapped(net.ip.byte)) {
		/* Half in, half out of the mapped range: it could not mean what it says. */
		if (net.bits < 96)
			return -EINVAL;
		net.bits -= 96;
		net.ip = embedded(&net.ip, 12);
	}
	*ret_net = net;
	return 0;
}

bool ip_net_has(const struct ip_net *net, const struct ip *ip)
{
	unsigned int whole = net->bits / 8, rest = net->bits % 8;
	unsigned char mask = (unsigned char)(0xff00 >> rest);

	if (net->ip.family != ip->family || memcmp(net->ip.byte, ip->byte, whole) != 0)
		return false;
	return !rest || !((net->ip.byte[whole] ^ ip->byte[whole]) & mask);
}

int ip_from_sockaddr(const struct sockaddr *sa, struct ip *ret_ip)
{
	memset(ret_ip, 0, sizeof(*ret_ip));
	ret_ip->family = sa->sa_family;
	if (sa->sa_family == AF_INET) {
		memcpy(ret_ip->byte, &((const struct sockaddr_in *)sa)->sin_addr, 4);
	} else if (sa->sa_family == AF_INET6) {
		memcpy(ret_ip->byte, &((const struct sockaddr_in6 *)sa)->sin6_addr, 16);
		if (is_mapped(ret_ip->byte))
			*ret_ip = embedded(ret_ip, 12);
	} else {
		return -EACCES;
	}
	return 0;
}

bool ip_is_any(const struct ip *ip)
{
	static const unsigned char zero[16];

	return memcmp(ip->byte, zero, sizeof(zero)) == 0;
}

/* What ip_is_private() says yes to, by first bytes. */
static const struct {
	unsigned char byte[16];
	unsigned char bits;
} private4[] = {
	{{0}, 8},	      /* this network */
	{{10}, 8},	      /* RFC 1918 */
	{{100, 64}, 10},      /* carriers' NAT */
	{{127}, 8},	      /* loopback */
	{{169, 254}, 16},     /* link-local; metadata services of clouds */
	{{172, 16}, 12},      /* RFC 1918 */
	{{192, 0, 0}, 24},    /* protocol assignments */
	{{192, 0, 2}, 24},    /* documentation */
	{{192, 88, 99}, 24},  /* 6to4 relays */
	{{192, 168}, 16},     /* RFC 1918 */
	{{198, 18}, 15},      /* benchmarks */
	{{198, 51, 100}, 24}, /* documentation */
	{{203, 0, 113}, 24},  /* documentation */
	{{224}, 4},	      /* multicast */
	{{240}, 4},	      /* reserved, broadcast */
}, private6[] = {
	{{0}, 127},				 /* :: and ::1 */
	{{0, 0x64, 0xff, 0x9b, 0, 1}, 48},	 /* local NAT64 */
	{{0x01}, 64},				 /* discard */
	{{0x20, 0x01, 0, 0}, 32},		 /* Teredo */
	{{0x20, 0x01, 0x0d, 0xb8}, 32},		 /* documentation */
	{{0x3f, 0xff}, 20},			 /* documentation */
	{{0x5f}, 16},				 /* segment routing */
	{{0xfc}, 7},				 /* unique local */
	{{0xfe, 0x80}, 10},			 /* link-local */
	{{0xfe, 0xc0}, 10},			 /* site-local, of old */
	{{0xff}, 8},				 /* multicast */
};

static bool starts_with(const struct ip *ip, const unsigned char *byte, unsigned int bits)
{
	struct ip_net net = {.ip.family = ip->family, .bits = bits};

	memcpy(net.ip.byte, byte, 16);
	return ip_net_has(&net, ip);
}

static bool is_private4(const struct ip *ip)
{
	for (size_t i = 0; i < ARRAY_SIZE(private4); i++)
		if (starts_with(ip, private4[i].byte, private4[i].bits))
			return true;
	return false;
}

bool ip_is_private(const struct ip *ip)
{
	static const unsigned char compatible[16], nat64[16] = {0, 0x64, 0xff, 0x9b},
				   sixtofour[16] = {0x20, 0x02};
	struct ip four;

	if (ip->family == AF_INET)
		return is_private4(ip);
	for (size_t i = 0; i < ARRAY_SIZE(private6); i++)
		if (starts_with(ip, private6[i].byte, private6[i].bits))
			return true;
	if (starts_with(ip, nat64, 96) || starts_with(ip, compatible, 96))
		four = embedded(ip, 12);
	else if (starts_with(ip, sixtofour, 16))
		four = embedded(ip, 2);
	else
		return false;
	return is_private4(&four);
}

void ip_any_to_target(struct ip *ip, const struct ip *bound)
{
	if (!ip_is_any(ip))
		return;
	if (ip->family == AF_INET && bound->family == AF_INET && !ip_is_any(bound)) {
		*ip = *bound;
		return;
	}
	if (bound->family == AF_INET)
		ip->family = AF_INET;
	if (ip->family == AF_INET)
		ip->byte[0] = 127;
	ip->byte[ip->family == AF_INET ? 3 : 15] = 1;
}
