/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names to lists of addresses, by uv_getaddrinfo.
 *
 * Happy path: resolve_start() -> a thread of libuv's pool runs getaddrinfo ->
 * on_resolved() in the loop -> the caller's callback gets the list.
 *
 * Failure modes: the name is unknown or the resolver fails (the callback gets
 * the error); the caller gives up (resolve_cancel: getaddrinfo cannot be
 * stopped once it runs, so the object stays until it returns, without a
 * callback to call).
 */
#include "config.h"

#include "net/resolve.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "net/addr.h"

struct resolve {
	uv_getaddrinfo_t req;
	resolve_cb *cb; /* NULL: given up */
	void *arg;
};

socklen_t sockaddr_len(const struct sockaddr_storage *sa)
{
	if (sa->ss_family == AF_INET)
		return sizeof(struct sockaddr_in);
	if (sa->ss_family == AF_INET6)
		return sizeof(struct sockaddr_in6);
	return 0;
}

int resolve_errno(int status)
{
	switch (status) {
	case 0:
		return 0;
	case UV_EAI_NONAME:
	case UV_EAI_NODATA:
	case UV_EAI_SERVICE:
	case UV_EAI_ADDRFAMILY:
		return -ENXIO;
	case UV_EAI_MEMORY:
	case UV_ENOMEM:
		return -ENOMEM;
	case UV_EMFILE:
	case UV_ENFILE:
		return status;
	default:
		return -EHOSTUNREACH;
	}
}

static struct addr_list *addr_list_alloc(size_t n)
{
	struct addr_list *list = calloc(1, sizeof(*list) + n * sizeof(list->addr[0]));

	if (list)
		list->n = n;
	return list;
}

static bool usable(const struct addrinfo *ai)
{
	return (ai->ai_family == AF_INET || ai->ai_family == AF_INET6) && ai->ai_addr &&
	       ai->ai_addrlen <= sizeof(struct sockaddr_storage);
}

/* 0, -ENXIO for an answer without an address, -ENOMEM. */
static int list_from_addrinfo(const struct addrinfo *res, struct addr_list **ret_list)
{
	const struct addrinfo *ai;
	struct addr_list *list;
	size_t n = 0;

	for (ai = res; ai; ai = ai->ai_next)
		n += usable(ai);
	if (!n)
		return -ENXIO;
	list = addr_list_alloc(n);
	if (!list)
		return -ENOMEM;
	n = 0;
	for (ai = res; ai; ai = ai->ai_next)
		if (usable(ai))
			memcpy(&list->addr[n++], ai->ai_addr, ai->ai_addrlen);
	*ret_list = list;
	return 0;
}

static void on_resolved(uv_getaddrinfo_t *req, int status, struct addrinfo *res)
{
	struct resolve *r = req->data;
	resolve_cb *cb = r->cb;
	void *arg = r->arg;
	struct addr_list *list = NULL;
	int err = resolve_errno(status);

	/* Before the callback, which may start the next one. */
	free(r);
	if (cb && !err)
		err = list_from_addrinfo(res, &list);
	uv_freeaddrinfo(res);
	if (cb)
		cb(arg, err, list);
}

/* An empty host and a numeric port: both families, in getaddrinfo's order. */
static struct addr_list *list_for_empty_host(unsigned int port, bool passive)
{
	struct addr_list *list = addr_list_alloc(2);
	struct sockaddr_in *sin;
	struct sockaddr_in6 *sin6;

	if (!list)
		return NULL;
	sin = (struct sockaddr_in *)&list->addr[passive ? 0 : 1];
	sin->sin_family = AF_INET;
	sin->sin_port = htons((uint16_t)port);
	sin->sin_addr.s_addr = htonl(passive ? INADDR_ANY : INADDR_LOOPBACK);
	sin6 = (struct sockaddr_in6 *)&list->addr[passive ? 1 : 0];
	sin6->sin6_family = AF_INET6;
	sin6->sin6_port = htons((uint16_t)port);
	sin6->sin6_addr = passive ? in6addr_any : in6addr_loopback;
	return list;
}

/* 0 and a list, -EINVAL when a resolver is needed, -ERANGE, -ENOMEM. */
static int list_from_numbers(const struct sockfs_addr *addr, bool passive,
			     struct addr_list **ret_list)
{
	struct sockaddr_storage ss;
	socklen_t len;
	int err;

	err = addr_to_sockaddr(addr, AF_UNSPEC, &ss, &len);
	if (err)
		return err;
	if (!addr->host[0]) {
		*ret_list = list_for_empty_host(addr_port((struct sockaddr *)&ss), passive);
		return *ret_list ? 0 : -ENOMEM;
	}
	*ret_list = addr_list_alloc(1);
	if (!*ret_list)
		return -ENOMEM;
	(*ret_list)->addr[0] = ss;
	return 0;
}

int resolve_start(uv_loop_t *loop, const struct sockfs_addr *addr, bool passive, resolve_cb *cb,
		  void *arg, struct resolve **ret_r)
{
	/*
	 * No AI_ADDRCONFIG: it does not count loopback addresses, so localhost
	 * would have none where there is no network; getaddrinfo sorts what
	 * cannot be reached behind what can.
	 */
	struct addrinfo hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_protocol = IPPROTO_TCP,
		.ai_flags = passive ? AI_PASSIVE : 0,
	};
	struct addr_list *list;
	struct resolve *r;
	int err;

	err = list_from_numbers(addr, passive, &list);
	if (!err) {
		*ret_r = NULL;
		cb(arg, 0, list);
		return 0;
	}
	if (err != -EINVAL)
		return err == -ERANGE ? -EINVAL : err;

	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->cb = cb;
	r->arg = arg;
	r->req.data = r;
	err = uv_getaddrinfo(loop, &r->req, on_resolved, addr->host[0] ? addr->host : NULL,
			     addr->port, &hints);
	if (err) {
		free(r);
		return err;
	}
	*ret_r = r;
	return 0;
}

void resolve_cancel(struct resolve *r)
{
	r->cb = NULL;
	/* Fails when a thread has begun; on_resolved comes either way and frees. */
	uv_cancel((uv_req_t *)&r->req);
}
