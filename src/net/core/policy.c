/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules on who may connect and bind where.
 */
#include "config.h"

#include "net/core/policy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "uapi/addr.h"

/* An address of either family, in network order; IPv4 in the first four bytes. */
struct ip {
	int family;
	unsigned char byte[16];
};

struct rule {
	SLIST_ENTRY(rule) list;
	bool allow;
	struct ip net; /* family AF_UNSPEC: any */
	unsigned int bits;
};

static SLIST_HEAD(, rule) rules = SLIST_HEAD_INITIALIZER(rules);

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

static void unmap(struct ip *ip)
{
	ip->family = AF_INET;
	memmove(ip->byte, ip->byte + 12, 4);
	memset(ip->byte + 4, 0, 12);
}

static int parse_bits(const char *s, unsigned int max, unsigned int *ret_bits)
{
	size_t len = strlen(s);

	if (len < 1 || len > 3 || s[strspn(s, "0123456789")])
		return -EINVAL;
	*ret_bits = (unsigned int)strtoul(s, NULL, 10);
	return *ret_bits <= max ? 0 : -EINVAL;
}

static int parse_net(const char *text, struct rule *rule)
{
	char buf[INET6_ADDRSTRLEN];
	size_t len = strcspn(text, "/");

	if (strcmp(text, "any") == 0)
		return 0; /* all zero already: AF_UNSPEC */
	if (len >= sizeof(buf))
		return -EINVAL;
	memcpy(buf, text, len);
	buf[len] = '\0';
	rule->net.family = strchr(buf, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(rule->net.family, buf, rule->net.byte) != 1)
		return -EINVAL;
	rule->bits = ip_bits(&rule->net);
	if (text[len] == '/' && parse_bits(text + len + 1, rule->bits, &rule->bits))
		return -EINVAL;
	if (rule->net.family == AF_INET6 && is_mapped(rule->net.byte)) {
		/* Half in, half out of the mapped range: it could not mean what it says. */
		if (rule->bits < 96)
			return -EINVAL;
		rule->bits -= 96;
		unmap(&rule->net);
	}
	return 0;
}

int policy_add(const char *text, bool allow)
{
	struct rule *rule = calloc(1, sizeof(*rule));
	int err;

	if (!rule)
		return -ENOMEM;
	err = parse_net(text, rule);
	if (err) {
		free(rule);
		return err;
	}
	rule->allow = allow;
	SLIST_INSERT_HEAD(&rules, rule, list);
	return 0;
}

void policy_clear(void)
{
	struct rule *rule;

	while ((rule = SLIST_FIRST(&rules))) {
		SLIST_REMOVE_HEAD(&rules, list);
		free(rule);
	}
}

static bool rule_matches(const struct rule *rule, const struct ip *ip)
{
	unsigned int whole = rule->bits / 8, rest = rule->bits % 8;
	unsigned char mask = (unsigned char)(0xff00 >> rest);

	if (rule->net.family == AF_UNSPEC)
		return true;
	if (rule->net.family != ip->family || memcmp(rule->net.byte, ip->byte, whole) != 0)
		return false;
	return !rest || !((rule->net.byte[whole] ^ ip->byte[whole]) & mask);
}

static bool any_matches(bool allow, const struct ip *ip)
{
	const struct rule *rule;

	SLIST_FOREACH(rule, &rules, list)
		if (rule->allow == allow && rule_matches(rule, ip))
			return true;
	return false;
}

static int sockaddr_ip(const struct sockaddr *sa, struct ip *ret_ip)
{
	memset(ret_ip, 0, sizeof(*ret_ip));
	ret_ip->family = sa->sa_family;
	if (sa->sa_family == AF_INET) {
		memcpy(ret_ip->byte, &((const struct sockaddr_in *)sa)->sin_addr, 4);
	} else if (sa->sa_family == AF_INET6) {
		memcpy(ret_ip->byte, &((const struct sockaddr_in6 *)sa)->sin6_addr, 16);
		if (is_mapped(ret_ip->byte))
			unmap(ret_ip);
	} else {
		return -EACCES;
	}
	return 0;
}

static bool is_any(const struct ip *ip)
{
	static const unsigned char zero[16];

	return memcmp(ip->byte, zero, sizeof(zero)) == 0;
}

/*
 * Where the kernel takes a connect to 0.0.0.0 or ::, net/ipv4/route.c and
 * tcp_v6_connect: to the address that the socket is bound to, if that and the
 * target are IPv4; else to the loopback, IPv4's for a socket that is bound to IPv4.
 */
static void any_to_target(struct ip *ip, const struct ip *bound)
{
	if (!is_any(ip))
		return;
	if (ip->family == AF_INET && bound->family == AF_INET && !is_any(bound)) {
		*ip = *bound;
		return;
	}
	if (bound->family == AF_INET)
		ip->family = AF_INET;
	if (ip->family == AF_INET)
		ip->byte[0] = 127;
	ip->byte[ip->family == AF_INET ? 3 : 15] = 1;
}

static bool have_allow_rules(void)
{
	const struct rule *rule;

	SLIST_FOREACH(rule, &rules, list)
		if (rule->allow)
			return true;
	return false;
}

int policy_connect(const struct cred *cred, const struct sockaddr *sa, const struct sockaddr *bound)
{
	struct ip ip, from = {.family = AF_UNSPEC};

	(void)cred; /* the same rules for everybody; here for rules that will ask */
	if (SLIST_EMPTY(&rules))
		return 0;
	if (sockaddr_ip(sa, &ip))
		return -EACCES;
	if (bound != NULL && bound->sa_family != AF_UNSPEC && sockaddr_ip(bound, &from))
		return -EACCES;
	if (any_matches(false, &ip))
		return -EACCES;
	any_to_target(&ip, &from);
	if (any_matches(false, &ip))
		return -EACCES;
	return have_allow_rules() && !any_matches(true, &ip) ? -EACCES : 0;
}

/* Asked each time: an administrator may change it under a running daemon. ip(7). */
static unsigned int unprivileged_port_start(void)
{
	FILE *f = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "re");
	unsigned int port = IPPORT_RESERVED;

	if (f) {
		if (fscanf(f, "%u", &port) != 1)
			port = IPPORT_RESERVED;
		fclose(f);
	}
	return port;
}

int policy_bind(const struct cred *cred, const struct sockaddr *sa)
{
	unsigned int port = addr_port(sa);

	if (cred->uid == 0 || port == 0)
		return 0;
	return port < unprivileged_port_start() ? -EACCES : 0;
}
