/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is parsed from text or bytes that others wrote: the first byte chooses what. Where
 * there is a way back, it has to come back to the same.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "lib/util.h"
#include "net/core/hosts.h"
#include "net/inet/udp.h"
#include "uapi/addr.h"
#include "uapi/operation.h"
#include "uapi/sockopt.h"
#include "uapi/tls.h"

#define TEXT_MAX 4096

static const char *const words[] = {
	"127.0.0.1", "::1", "fe80::1%lo", "[", "]", ":", ":", "::", "/", "@", "%", ".", "*", "-", " ", "\t",
	"\n", "\n", "#", "tcp:", "udp:", "unix:", "tls:", "foo:", "80", "0", "65535", "65536", "http",
	"localhost", "a.example", "x", "\xc3\xa4", "\xff", "connect ", "listen ", "bind ", "shutdown ", "set ",
	"join ", "rd", "wr", "rdwr", "on", "off", "nodelay ", "linger ", "rcvtimeo ", "headers ", "text",
	"plan9", "tls_name ", "tls_alpn ", "proto ", "0x7f", "+1", "-1", "99999999999", "239.1.2.3 ", "lo",
};

static void check_addr_text(const char *text)
{
	struct sockfs_addr addr, again, bare;
	char buf[ADDR_TEXT_MAX], proto[ADDR_PROTO_MAX];
	struct sockaddr_storage ss;
	socklen_t len;

	if (addr_parse(text, &addr) != 0)
		return;
	again = addr;
	/* What was parsed has nothing left to complain of. */
	if (addr_check(&again, false) != 0)
		abort();
	addr_split(&addr, proto, &bare);
	if (strlen(proto) >= sizeof(proto) || (proto[0] == '\0' && strcmp(bare.host, addr.host) != 0))
		abort();
	if (addr_to_sockaddr(&bare, AF_UNSPEC, &ss, &len) != 0)
		return;
	addr_from_sockaddr((struct sockaddr *)&ss, &addr);
	if (addr_parse(addr_format(&addr, buf, sizeof(buf)), &again) != 0)
		abort();
}

/* As they come in an ioctl: any bytes. */
static void check_addr_bytes(const uint8_t *data, size_t size)
{
	struct sockfs_addr addr = {.host = ""}, bare;
	char buf[ADDR_TEXT_MAX], proto[ADDR_PROTO_MAX];

	memcpy(&addr, data, size < sizeof(addr) ? size : sizeof(addr));
	(void)addr_format(&addr, buf, sizeof(buf));
	if (addr_check(&addr, size % 2) == 0)
		addr_split(&addr, proto, &bare);
}

static void check_command(char *text)
{
	char *word[5], *rest = NULL;
	const struct operation *op;
	struct op_call call;
	int n = 0;

	for (char *w = strtok_r(text, " \t", &rest); w != NULL && n < 5; w = strtok_r(NULL, " \t", &rest))
		word[n++] = w;
	op = n > 0 ? operation_by_word(word[0]) : NULL;
	if (op != NULL)
		(void)operation_parse(op, n - 1, word + 1, &call);
}

static void check_option(const uint8_t *data, size_t size, const char *text)
{
	const struct sockopt *so = &sockopts[size > 0 ? data[0] % nr_sockopts : 0];
	struct sockfs_sockopt opt = {.level = 0}, again;
	char buf[128];
	long n;

	if (sockopt_parse(so, text, &opt) == 0) {
		if (sockopt_format(so, &opt, buf, sizeof(buf)) < 0)
			abort();
		/* Nothing that stands for a range of values, as "off", comes back as another. */
		if (sockopt_parse(so, buf, &again) != 0 || memcmp(&opt, &again, sizeof(opt)) != 0)
			abort();
	}
	memcpy(&opt, data, size < sizeof(opt) ? size : sizeof(opt));
	if (opt.len > sizeof(opt.value))
		opt.len = sizeof(opt.value);
	(void)sockopt_format(so, &opt, buf, sizeof(buf));
	(void)sockopt_value(so, &opt, &n);
}

static void check_hosts(char *text, size_t len)
{
	static const char *const names[] = {"localhost", "a.example", "x", "\xc3\xa4"};
	struct addr_list *list = NULL;
	FILE *f = len > 0 ? fmemopen(text, len, "r") : NULL;

	if (f == NULL)
		return;
	if (hosts_read(f, names[len % ARRAY_SIZE(names)], "80", &list) == 0) {
		if (list == NULL || list->n == 0)
			abort();
		for (size_t i = 0; i < list->n; i++)
			if (addr_port((struct sockaddr *)&list->addr[i]) != 80)
				abort();
	}
	free(list);
	fclose(f);
}

static void check_header(uint8_t how, char *text, size_t len)
{
	struct iov_iter from;
	struct sockaddr_storage to;
	char header[UDP_HEADER_MAX];
	int kind = how & 64 ? SOCKFS_HEADERS_TEXT : SOCKFS_HEADERS_PLAN9;
	size_t left;

	iov_iter_ubuf(&from, text, len);
	if (udp_header_parse(kind, how & 128 ? AF_INET : AF_INET6, &from, &to) != 0)
		return;
	left = from.count;
	if (left > len)
		abort();
	if (udp_header_format(kind, (struct sockaddr *)&to, (struct sockaddr *)&to, left, header) >
	    sizeof(header))
		abort();
}

static void check_tls(const uint8_t *data, size_t size)
{
	static struct tls_msg msg;
	size_t len = size < sizeof(msg) ? size : sizeof(msg), all = 0;
	unsigned int texts = 0;

	memset(&msg, 0x55, sizeof(msg));
	memcpy(&msg, data, len);
	/* Few inputs would guess them. */
	if (size > 16 && data[size - 1] % 8 != 0) {
		msg.head.version = TLS_VERSION;
		msg.head.len = (uint32_t)len;
	}
	if (tls_msg_check(&msg, len) != 0)
		return;
	switch (msg.head.type) {
	case TLS_MSG_OPEN:
		texts = TLS_OPEN_TEXTS;
		break;
	case TLS_MSG_OPENED:
		texts = TLS_OPENED_TEXTS;
		break;
	default:
		texts = 1;
	}
	for (unsigned int i = 0; i < texts; i++)
		all += strlen(tls_msg_text(&msg, i)) + 1;
	if (all > len)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;
	size_t n;

	if (size < 2)
		return 0;
	/* Of its own size, so that a byte too far is found. */
	text = malloc(TEXT_MAX + 1);
	if (text == NULL)
		return 0;
	n = fuzz_text(data + 1, size - 1, words, ARRAY_SIZE(words), text, TEXT_MAX);
	text = realloc(text, n + 1);
	text[n] = '\0';
	switch (data[0] % 8) {
	case 0:
	case 1:
		check_addr_text(text);
		break;
	case 2:
		check_addr_bytes(data + 1, size - 1);
		break;
	case 3:
		check_command(text);
		break;
	case 4:
		check_option(data + 1, size - 1, text);
		break;
	case 5:
		check_hosts(text, n);
		break;
	case 6:
		check_header(data[0], text, n);
		break;
	default:
		check_tls(data + 1, size - 1);
	}
	free(text);
	return 0;
}
