/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one table of options, and their values as text, number and bytes.
 */
#include "config.h"

#include "uapi/sockopt.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "lib/util.h"

#define SAME 0, 0 /* IPv4 and IPv6 sockets take the same numbers */

/* Which protocols take it. */
#define EACH NULL
#define TCP "tcp"
#define UDP "udp"
#define IP "tcp udp tls"
#define STREAM "tcp unix"
#define TLS "tls"
#define OVER_TCP "tcp tls"

static const char *const message_words[] = {
	[SOCKFS_MESSAGE_KEEP] = "keep", [SOCKFS_MESSAGE_DISCARD] = "discard", NULL};
static const char *const verify_words[] = {"no", "yes", NULL};
static const char *const eof_words[] = {"strict", "lax", NULL};
static const char *const headers_words[] = {[SOCKFS_HEADERS_OFF] = "off",
					    [SOCKFS_HEADERS_TEXT] = "text",
					    [SOCKFS_HEADERS_PLAN9] = "plan9", NULL};

/*
 * The order is the one that users read. Ranges are the kernel's: net/ipv4/tcp.c
 * (MAX_TCP_KEEPIDLE, MAX_TCP_KEEPINTVL, MAX_TCP_KEEPCNT), net/ipv4/ip_sockglue.c.
 */
const struct sockopt sockopts[] = {
	{"nodelay", SOCKOPT_BOOL, IPPROTO_TCP, TCP_NODELAY, SAME, 0, 1, OVER_TCP, NULL},
	{"keepalive", SOCKOPT_BOOL, SOL_SOCKET, SO_KEEPALIVE, SAME, 0, 1, OVER_TCP, NULL},
	{"keepidle", SOCKOPT_INT, IPPROTO_TCP, TCP_KEEPIDLE, SAME, 1, 32767, OVER_TCP, NULL},
	{"keepintvl", SOCKOPT_INT, IPPROTO_TCP, TCP_KEEPINTVL, SAME, 1, 32767, OVER_TCP, NULL},
	{"keepcnt", SOCKOPT_INT, IPPROTO_TCP, TCP_KEEPCNT, SAME, 1, 127, OVER_TCP, NULL},
	{"linger", SOCKOPT_LINGER, SOL_SOCKET, SO_LINGER, SAME, -1, INT_MAX, OVER_TCP, NULL},
	{"rcvbuf", SOCKOPT_INT, SOL_SOCKET, SO_RCVBUF, SAME, 0, INT_MAX, EACH, NULL},
	{"sndbuf", SOCKOPT_INT, SOL_SOCKET, SO_SNDBUF, SAME, 0, INT_MAX, EACH, NULL},
	{"reuseport", SOCKOPT_BOOL, SOL_SOCKET, SO_REUSEPORT, SAME, 0, 1, IP, NULL},
	{"user_timeout", SOCKOPT_INT, IPPROTO_TCP, TCP_USER_TIMEOUT, SAME, 0, INT_MAX, OVER_TCP, NULL},
	{"tos", SOCKOPT_INT, IPPROTO_IP, IP_TOS, IPPROTO_IPV6, IPV6_TCLASS, 0, 255, IP, NULL},
	{"ttl", SOCKOPT_INT, IPPROTO_IP, IP_TTL, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 1, 255, IP, NULL},
	{"broadcast", SOCKOPT_BOOL, SOL_SOCKET, SO_BROADCAST, SAME, 0, 1, UDP, NULL},
	{"mttl", SOCKOPT_INT, IPPROTO_IP, IP_MULTICAST_TTL, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 0,
	 255, UDP, NULL},
	{"mloop", SOCKOPT_BOOL, IPPROTO_IP, IP_MULTICAST_LOOP, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0,
	 1, UDP, NULL},
	{"message", SOCKOPT_CHOICE, SOL_SOCKFS, SOCKFS_SO_MESSAGE, SAME, 0, 1, UDP, message_words},
	{"headers", SOCKOPT_CHOICE, SOL_SOCKFS, SOCKFS_SO_HEADERS, SAME, 0, 2, UDP, headers_words},
	{"tls_verify", SOCKOPT_CHOICE, SOL_SOCKFS, SOCKFS_SO_TLS_VERIFY, SAME, 0, 1, TLS,
	 verify_words},
	{"tls_eof", SOCKOPT_CHOICE, SOL_SOCKFS, SOCKFS_SO_TLS_EOF, SAME, 0, 1, TLS, eof_words},
	{"tls_name", SOCKOPT_STRING, SOL_SOCKFS, SOCKFS_SO_TLS_NAME, SAME, 0, 0, TLS, NULL},
	{"tls_ca", SOCKOPT_STRING, SOL_SOCKFS, SOCKFS_SO_TLS_CA, SAME, 0, 0, TLS, NULL},
	{"tls_cert", SOCKOPT_STRING, SOL_SOCKFS, SOCKFS_SO_TLS_CERT, SAME, 0, 0, TLS, NULL},
	{"tls_key", SOCKOPT_STRING, SOL_SOCKFS, SOCKFS_SO_TLS_KEY, SAME, 0, 0, TLS, NULL},
	{"tls_alpn", SOCKOPT_STRING, SOL_SOCKFS, SOCKFS_SO_TLS_ALPN, SAME, 0, 0, TLS, NULL},
	{"connect_timeout", SOCKOPT_SECONDS, SOL_SOCKFS, SOCKFS_SO_CONNECT_TIMEOUT, SAME, 0,
	 INT_MAX, EACH, NULL},
	{"rcvtimeo", SOCKOPT_SECONDS, SOL_SOCKFS, SOCKFS_SO_RCVTIMEO, SAME, 0, INT_MAX, EACH, NULL},
	{"sndtimeo", SOCKOPT_SECONDS, SOL_SOCKFS, SOCKFS_SO_SNDTIMEO, SAME, 0, INT_MAX, EACH, NULL},
	{"reap", SOCKOPT_SECONDS, SOL_SOCKFS, SOCKFS_SO_REAP, SAME, 0, INT_MAX, EACH, NULL},
	{"proto", SOCKOPT_PROTO, SOL_SOCKFS, SOCKFS_SO_PROTO, SAME, 0, 0, EACH, NULL},
	{"from", SOCKOPT_TEXT, SOL_SOCKFS, SOCKFS_SO_FROM, SAME, 0, 0, UDP, NULL},
	{"drops", SOCKOPT_COUNT, SOL_SOCKFS, SOCKFS_SO_DROPS, SAME, 0, 0, UDP, NULL},
	{"empty", SOCKOPT_COUNT, SOL_SOCKFS, SOCKFS_SO_EMPTY, SAME, 0, 0, UDP, NULL},
	{"tls", SOCKOPT_TEXT, SOL_SOCKFS, SOCKFS_SO_TLS, SAME, 0, 0, TLS, NULL},
	{"tls_peer", SOCKOPT_TEXT, SOL_SOCKFS, SOCKFS_SO_TLS_PEER, SAME, 0, 0, TLS, NULL},
	{"tls_fingerprint", SOCKOPT_TEXT, SOL_SOCKFS, SOCKFS_SO_TLS_FINGERPRINT, SAME, 0, 0, TLS,
	 NULL},
	{"tls_expires", SOCKOPT_TEXT, SOL_SOCKFS, SOCKFS_SO_TLS_EXPIRES, SAME, 0, 0, TLS, NULL},
	{"tls_error", SOCKOPT_TEXT, SOL_SOCKFS, SOCKFS_SO_TLS_ERROR, SAME, 0, 0, TLS, NULL},
	{"error", SOCKOPT_ERROR, SOL_SOCKET, SO_ERROR, SAME, 0, 0, EACH, NULL},
};
const size_t nr_sockopts = ARRAY_SIZE(sockopts);
BUILD_BUG_ON(ARRAY_SIZE(sockopts) > SOCKOPTS_MAX);

const struct sockopt *sockopt_by_name(const char *name)
{
	size_t i;

	for (i = 0; i < nr_sockopts; i++)
		if (strcmp(sockopts[i].name, name) == 0)
			return &sockopts[i];
	return NULL;
}

const struct sockopt *sockopt_by_number(int level, int optname)
{
	size_t i;

	for (i = 0; i < nr_sockopts; i++)
		if (sockopts[i].level == level && sockopts[i].optname == optname)
			return &sockopts[i];
	return NULL;
}

bool sockopt_taken_by(const struct sockopt *so, const char *proto)
{
	size_t len = strlen(proto);
	const char *p = so->protos;

	/* A word of the list, and not a part of one. */
	for (; p != NULL && *p != '\0'; p += strcspn(p, " "), p += *p == ' ')
		if (strncmp(p, proto, len) == 0 && (p[len] == ' ' || p[len] == '\0'))
			return true;
	return p == NULL;
}

/* Decimal, or hexadecimal after 0x as TOS bytes are written; never octal. */
static int parse_number(const char *text, long *ret_value)
{
	const char *digits = text[0] == '-' ? text + 1 : text;
	char *end;
	long n;
	int base = 10;

	if (digits[0] == '0' && (digits[1] | 0x20) == 'x') {
		digits += 2;
		base = 16;
	}
	/* strtol alone would take blanks, a second sign and a second 0x. */
	if (digits[strspn(digits, base == 16 ? "0123456789abcdefABCDEF" : "0123456789")])
		return -EINVAL;
	errno = 0;
	n = strtol(digits, &end, base);
	if (errno || end == digits)
		return -EINVAL;
	*ret_value = text[0] == '-' ? -n : n;
	return 0;
}

static int parse_word(const struct sockopt *so, const char *text, long *ret_value)
{
	bool off = strcasecmp(text, "off") == 0 || strcasecmp(text, "no") == 0;
	bool on = strcasecmp(text, "on") == 0 || strcasecmp(text, "yes") == 0;

	if (so->kind == SOCKOPT_BOOL && (on || off))
		*ret_value = on;
	else if (so->kind == SOCKOPT_LINGER && off)
		*ret_value = -1;
	else
		return -EINVAL;
	return 0;
}

static int make_text(const struct sockopt *so, const char *text, struct sockfs_sockopt *ret_opt)
{
	size_t len = strlen(text);

	if (len == 0 || len >= sizeof(ret_opt->value))
		return -EINVAL;
	memset(ret_opt, 0, sizeof(*ret_opt));
	ret_opt->level = so->level;
	ret_opt->name = so->optname;
	ret_opt->len = (__u32)len;
	memcpy(ret_opt->value, text, len);
	return 0;
}

int sockopt_parse(const struct sockopt *so, const char *text, struct sockfs_sockopt *ret_opt)
{
	long value = 0;

	if (so->kind == SOCKOPT_PROTO || so->kind == SOCKOPT_STRING)
		return make_text(so, text, ret_opt);
	if (so->kind == SOCKOPT_CHOICE) {
		while (so->words[value] != NULL && strcmp(so->words[value], text) != 0)
			value++; /* behind the last it is out of range */
	} else if (parse_word(so, text, &value) && parse_number(text, &value)) {
		return -EINVAL;
	}
	return sockopt_make(so, value, ret_opt);
}

int sockopt_make(const struct sockopt *so, long value, struct sockfs_sockopt *ret_opt)
{
	struct linger linger;
	int n;

	if (sockopt_is_readonly(so) || so->kind == SOCKOPT_PROTO || so->kind == SOCKOPT_STRING ||
	    value < so->min ||
	    value > so->max)
		return -EINVAL;
	memset(ret_opt, 0, sizeof(*ret_opt));
	ret_opt->level = so->level;
	ret_opt->name = so->optname;
	if (so->kind == SOCKOPT_LINGER) {
		linger.l_onoff = value >= 0;
		linger.l_linger = value >= 0 ? (int)value : 0;
		ret_opt->len = sizeof(linger);
		memcpy(ret_opt->value, &linger, sizeof(linger));
	} else {
		n = (int)value;
		ret_opt->len = sizeof(n);
		memcpy(ret_opt->value, &n, sizeof(n));
	}
	return 0;
}

int sockopt_value(const struct sockopt *so, const struct sockfs_sockopt *opt, long *ret_value)
{
	struct linger linger;
	int n;

	if (so->kind == SOCKOPT_LINGER) {
		if (opt->len != sizeof(linger))
			return -EINVAL;
		memcpy(&linger, opt->value, sizeof(linger));
		*ret_value = linger.l_onoff ? linger.l_linger : -1;
		return 0;
	}
	if (opt->len != sizeof(n) || so->kind == SOCKOPT_PROTO ||
	    so->kind == SOCKOPT_STRING || so->kind == SOCKOPT_TEXT)
		return -EINVAL;
	memcpy(&n, opt->value, sizeof(n));
	*ret_value = so->kind == SOCKOPT_BOOL ? n != 0 : n;
	return 0;
}

int sockopt_format(const struct sockopt *so, const struct sockfs_sockopt *opt, char *buf,
		   size_t size)
{
	long value;
	int err;

	if (so->kind == SOCKOPT_PROTO || so->kind == SOCKOPT_STRING || so->kind == SOCKOPT_TEXT) {
		if (opt->len == 0 || opt->len > sizeof(opt->value))
			return -EINVAL;
		return snprintf(buf, size, "%.*s", (int)opt->len, (const char *)opt->value);
	}
	err = sockopt_value(so, opt, &value);
	if (err)
		return err;
	if (so->kind == SOCKOPT_CHOICE && value >= so->min && value <= so->max)
		return snprintf(buf, size, "%s", so->words[value]);
	return snprintf(buf, size, "%ld", value);
}
