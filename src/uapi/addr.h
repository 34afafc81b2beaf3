/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses: text to struct sockfs_addr to struct sockaddr, and back.
 */
#ifndef UAPI_ADDR_H
#define UAPI_ADDR_H

#include <stdbool.h>
#include <sys/socket.h>

#include "sockfs/ioctl.h"

/* What a user types may be at most host, brackets, colon and port long. */
#define ADDR_TEXT_MAX (SOCKFS_HOST_MAX + SOCKFS_PORT_MAX + 4)

/* The name of a protocol before an address, with its NUL. */
#define ADDR_PROTO_MAX 16

/*
 * An address may have a protocol before it: "udp:127.0.0.1:53", "unix:/run/x", with
 * what is left of it in one of two forms: HOST:PORT, or a path, which begins with a
 * slash or an "@" and has no port. Which of them a protocol takes is its own affair.
 * In a struct sockfs_addr the protocol stands in the host: "udp:127.0.0.1".
 */

/* The length of @host's protocol, with its colon, and its name; 0: there is none. */
size_t addr_proto(const char *host, char *ret_proto);
/* Is @host, without a protocol, a path? */
bool addr_is_path(const char *host);
/* Take the protocol off; "": there is none. @addr has passed addr_check. */
void addr_split(const struct sockfs_addr *addr, char *ret_proto, struct sockfs_addr *ret_addr);

/*
 * Split "127.0.0.1:80", "[::1]:80", "example.com:http", ":80", "*:80" into
 * host and port; host is "" for any address, brackets are taken off. No name
 * is looked up. A bare IPv6 address without brackets is ambiguous and refused.
 * A protocol needs a colon more, or a path behind it: "tcp:80" is a host.
 * 0, or -EINVAL for everything else (no port, empty port, a number over 65535
 * or one with a sign, too long, blanks, control characters, a slash, brackets
 * around anything but an IPv6 address); *ret_addr is untouched then. Every byte
 * behind the text of a field is 0.
 */
int addr_parse(const char *text, struct sockfs_addr *ret_addr);

/*
 * Check what came from outside, by the rules of addr_parse: both fields
 * terminated, port not empty; takes brackets off the host, "*" becomes "". A
 * bare IPv6 address is fine here. 0, or -EINVAL and *addr as it was. An empty
 * port is allowed if @port_optional (becomes "0").
 */
int addr_check(struct sockfs_addr *addr, bool port_optional);

/*
 * The same of a host alone, without a protocol or a port. 0, or -EINVAL and *addr as it was.
 * No host at all is fine.
 */
int addr_check_name(struct sockfs_addr *addr);

/*
 * Numeric addresses and ports only, without any resolver: 0 and the address
 * (an empty host is the any-address of @family, AF_UNSPEC: IPv4), or -EINVAL
 * if the host is a name, of another family than @family, or the port a service.
 * Scopes (fe80::1%eth0, fe80::1%2) are numeric; -EINVAL if there is no such
 * interface. Port out of 0..65535: -ERANGE. Outputs are untouched on failure.
 */
int addr_to_sockaddr(const struct sockfs_addr *addr, int family, struct sockaddr_storage *ret_sa,
		     socklen_t *ret_len);

/*
 * Numeric text of a socket address; IPv4-mapped IPv6 addresses become IPv4.
 * A scope is shown by the interface's name, or its number if that is gone.
 * Another family, or @sa NULL: both fields empty. All bytes behind the text are 0.
 */
void addr_from_sockaddr(const struct sockaddr *sa, struct sockfs_addr *ret_addr);

/*
 * "127.0.0.1:80", "[::1]:80", "*:80" without a host, the host alone without a port,
 * "-" when unset. Returns
 * buf. @size >= ADDR_TEXT_MAX. Fields without a NUL are read to their end only.
 */
char *addr_format(const struct sockfs_addr *addr, char *buf, size_t size);

/* The port of an AF_INET or AF_INET6 address in host order; 0 for other families. */
unsigned int addr_port(const struct sockaddr *sa);

#endif /* UAPI_ADDR_H */
