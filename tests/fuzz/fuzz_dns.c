/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Answers of a name server, which is this program: c-ares reads them, and what it makes of
 * them is turned into addresses by us. Or given up in the middle.
 */
#include "config.h"

#include <ares.h>
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz.h"
#include "net/core/resolve.h"
#include "uapi/addr.h"

#define ANSWER_MAX 512
#define TURNS 40

static const uint8_t *at, *end;
static uv_loop_t loop;
static int server = -1;
static char server_text[32];
static bool done;

static uint8_t byte(void)
{
	return at < end ? *at++ : 0;
}

/*
 * In place of c-ares' own: it asks our server, whatever resolv.conf(5) says. With all of that in
 * the options it does not read that file and others for each input, which took longer than
 * the answers.
 */
int ares_init_options(ares_channel *channel, ares_init_settings *options, int mask)
{
	static __typeof__(&ares_init_options) real;
	struct ares_options all = *options;
	struct in_addr here = { .s_addr = htonl(INADDR_LOOPBACK) };
	int err;

	all.timeout = 2000;
	all.tries = 3;
	all.ndots = 1;
	all.ndomains = all.nsort = 0;
	all.servers = &here;
	all.nservers = 1;
	if (real == NULL)
		real = (__typeof__(real))dlsym(RTLD_NEXT, "ares_init_options");
	if (real == NULL)
		return ARES_ENOTINITIALIZED;
	err = real(channel, &all,
		   mask | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_NDOTS | ARES_OPT_DOMAINS |
			   ARES_OPT_SORTLIST | ARES_OPT_SERVERS);
	return err == ARES_SUCCESS ? ares_set_servers_ports_csv(*channel, server_text) : err;
}

/* With the loop of all inputs. */
static void server_start(void)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(sin);

	server = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (server < 0 || bind(server, (struct sockaddr *)&sin, len) != 0 ||
	    getsockname(server, (struct sockaddr *)&sin, &len) != 0)
		abort();
	snprintf(server_text, sizeof(server_text), "127.0.0.1:%u", ntohs(sin.sin_port));
	if (uv_loop_init(&loop) != 0)
		abort();
}

static size_t put(uint8_t *to, size_t n, const void *bytes, size_t len)
{
	if (n + len > ANSWER_MAX)
		return n;
	memcpy(to + n, bytes, len);
	return n + len;
}

/* A record: mostly of the name that was asked for, mostly as long as its type wants. */
static size_t put_record(uint8_t *to, size_t n)
{
	static const struct {
		uint8_t type, len;
	} kinds[] = {{1, 4}, {1, 4}, {28, 16}, {28, 16}, {5, 2}, {6, 20}, {16, 8}, {255, 1}};
	uint8_t how = byte(), rdata[256];
	uint8_t head[12] = {0xc0, how & 8 ? byte() : 12, 0, kinds[how % 8].type, 0, 1};
	size_t len = how & 16 ? byte() : kinds[how % 8].len;

	head[9] = byte();
	head[10] = how & 32 ? byte() : 0;
	head[11] = (uint8_t)len;
	for (size_t i = 0; i < len; i++)
		rdata[i] = byte();
	/* The name that it stands for: another place of the message. */
	if (kinds[how % 8].type == 5 && how & 64)
		rdata[0] = 0xc0;
	return put(to, put(to, n, head, sizeof(head)), rdata, len);
}

/* To @query, of @len bytes. */
static size_t make_answer(const uint8_t *query, size_t len, uint8_t *to)
{
	uint8_t how = byte(), head[12] = {query[0], query[1], 0x81, 0x80, 0, 1};
	size_t n, records = byte() % 8;

	if (how & 1)
		head[2] = byte();
	if (how & 2)
		head[3] = byte();
	head[5] = how & 4 ? byte() : 1;
	head[7] = (uint8_t)(how & 8 ? byte() : records);
	n = put(to, 0, head, sizeof(head));
	/* The question says again what was asked, or it is no answer to it. */
	n = put(to, n, query + sizeof(head), how & 16 ? byte() : len - sizeof(head));
	while (records-- > 0)
		n = put_record(to, n);
	return how & 32 && n > 0 ? byte() % n : n;
}

static void serve(void)
{
	uint8_t query[ANSWER_MAX] = {0}, answer[ANSWER_MAX];
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	ssize_t n = recvfrom(server, query, sizeof(query), 0, (struct sockaddr *)&from, &len);

	if (n < 12)
		return;
	n = (ssize_t)make_answer(query, (size_t)n, answer);
	(void)!sendto(server, answer, (size_t)n, 0, (struct sockaddr *)&from, len);
}

static void on_resolved(void *arg, int err, struct addr_list *list)
{
	(void)arg;
	done = true;
	if ((err == 0) != (list != NULL) || err > 0 || (list != NULL && list->n == 0))
		abort();
	for (size_t i = 0; list != NULL && i < list->n; i++)
		if (addr_port((struct sockaddr *)&list->addr[i]) != 80 ||
		    sockaddr_len(&list->addr[i]) == 0)
			abort();
	free(list);
}

/* A handle that nobody has closed. */
static void on_left(uv_handle_t *handle, void *arg)
{
	(void)handle, (void)arg;
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct sockfs_addr addr = {.host = "a.fuzz.test.", .port = "80"};
	struct resolve *r = NULL;

	at = data;
	end = data + size;
	done = false;
	if (server < 0)
		server_start();
	if (resolve_start(&loop, &addr, "tcp", byte() % 2, on_resolved, NULL, &r) != 0)
		abort();
	for (int i = 0; i < TURNS && !done && at < end; i++) {
		serve();
		uv_run(&loop, UV_RUN_NOWAIT);
	}
	if (!done && r != NULL)
		resolve_cancel(r);
	uv_run(&loop, UV_RUN_DEFAULT);
	uv_walk(&loop, on_left, NULL);
	/* Questions that nobody has read are not the next input's. */
	while (recv(server, &(char){0}, 1, 0) >= 0)
		;
	return 0;
}
