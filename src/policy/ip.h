/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses and networks as rules compare them: IPv4-mapped IPv6 addresses are
 * IPv4, scopes do not count.
 */
#ifndef POLICY_IP_H
#define POLICY_IP_H

#include <stdbool.h>
#include <sys/socket.h>

/* An address of either family, in network order; IPv4 in the first four bytes. */
struct ip {
	int family;
	unsigned char byte[16];
};

struct ip_net {
	struct ip ip;
	unsigned int bits; /* the others do not count */
};

/*
 * "ADDRESS" or "ADDRESS/BITS", IPv4 or IPv6 without brackets. ::ffff:a.b.c.d/BITS is
 * the IPv4 network (BITS >= 96). 0 or -EINVAL, *ret_net untouched.
 */
int ip_net_parse(const char *text, struct ip_net *ret_net);
bool ip_net_has(const struct ip_net *net, const struct ip *ip);

/* 0 or -EACCES for other families than AF_INET and AF_INET6. */
int ip_from_sockaddr(const struct sockaddr *sa, struct ip *ret_ip);
/* 0.0.0.0 or :: */
bool ip_is_any(const struct ip *ip);
/*
 * Does it lead to this machine, to a network that is not the Internet, or to nobody?
 * Those of the IANA's special-purpose registries (RFC 6890) that are not globally
 * reachable, multicast, and IPv6 addresses that carry such an IPv4 one (NAT64, 6to4,
 * IPv4-compatible). The machine's own global addresses are not among them.
 */
bool ip_is_private(const struct ip *ip);
/*
 * Where the kernel takes a connect to 0.0.0.0 or ::, net/ipv4/route.c and
 * tcp_v6_connect: to the address that the socket is bound to (@bound; family
 * AF_UNSPEC: none), if that and the target are IPv4; else to the loopback, IPv4's
 * for a socket that is bound to IPv4. Others stay.
 */
void ip_any_to_target(struct ip *ip, const struct ip *bound);

#endif /* POLICY_IP_H */
