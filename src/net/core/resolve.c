/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names to lists of addresses, by c-ares.
 *
 * Happy path: resolve_start() finds no number and nothing in hosts(5) -> c-ares
 * reads resolv.conf and sends its questions -> its sockets and its timer lie in
 * the loop -> on_addrinfo() keeps the answer -> resolve_step(), when c-ares has
 * returned, hands it to the caller.
 *
 * Each look-up has a channel of its own: so it can be given up by itself (c-ares
 * cancels a channel, not a question), asks from a port of its own, and sees
 * changed files, at the price of reading them.
 *
 * Failure modes: the name is unknown or no server answers (the callback gets the
 * error); there is no descriptor to ask with, which c-ares reports as a server
 * that does not answer (descriptors_left asks); the caller gives up.
 *
 * c-ares must not be destroyed inside its own callbacks, and a caller may give up
 * any look-up in its callback. So nobody's callback runs while c-ares is on the
 * stack.
 */
#include "config.h"

#include "net/core/resolve.h"

#include <ares.h>
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <idn2.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>
#include <unistd.h>

#include "net/core/hosts.h"
#include "uapi/addr.h"

/* A server gets so many tries, this long and then twice as long each: c-ares' own of today. */
#define TRIES 3
#define TRY_MS 2000

/* A socket of c-ares in the loop. */
struct resolve_fd {
	uv_poll_t poll;
	struct resolve *r;
	ares_socket_t fd;
	LIST_ENTRY(resolve_fd) link;
};

struct resolve {
	resolve_cb *cb;
	void *arg;
	ares_channel channel;
	uv_timer_t timer;
	LIST_HEAD(, resolve_fd) fds;
	unsigned int handles; /* that libuv knows still */
	unsigned int port;
	bool ending; /* c-ares is being destroyed: its answers do not count */
	bool done;   /* err and list are the answer */
	int err;
	struct addr_list *list;
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
	case ARES_SUCCESS:
		return 0;
	case ARES_ENODATA:
	case ARES_ENOTFOUND:
	case ARES_EBADNAME:
	case ARES_ENONAME:
	case ARES_ESERVICE:
		return -ENXIO;
	case ARES_ENOMEM:
		return -ENOMEM;
	default:
		return -EHOSTUNREACH;
	}
}

/* ------------------------------------------------------------------------ lists */

static struct addr_list *addr_list_alloc(size_t n)
{
	struct addr_list *list = calloc(1, sizeof(*list) + n * sizeof(list->addr[0]));

	if (list)
		list->n = n;
	return list;
}

static void set_port(struct sockaddr_storage *ss, unsigned int port)
{
	if (ss->ss_family == AF_INET)
		((struct sockaddr_in *)ss)->sin_port = htons((uint16_t)port);
	else
		((struct sockaddr_in6 *)ss)->sin6_port = htons((uint16_t)port);
}

static bool usable(const struct ares_addrinfo_node *node)
{
	return (node->ai_family == AF_INET || node->ai_family == AF_INET6) && node->ai_addr &&
	       node->ai_addrlen <= sizeof(struct sockaddr_storage);
}

/* 0, -ENXIO for an answer without an address, -ENOMEM. */
static int list_from_nodes(const struct ares_addrinfo_node *nodes, unsigned int port,
			   struct addr_list **ret_list)
{
	const struct ares_addrinfo_node *node;
	struct addr_list *list;
	size_t n = 0;

	for (node = nodes; node; node = node->ai_next)
		n += usable(node);
	if (!n)
		return -ENXIO;
	list = addr_list_alloc(n);
	if (!list)
		return -ENOMEM;
	n = 0;
	for (node = nodes; node; node = node->ai_next) {
		if (!usable(node))
			continue;
		memcpy(&list->addr[n], node->ai_addr, node->ai_addrlen);
		set_port(&list->addr[n++], port);
	}
	*ret_list = list;
	return 0;
}

/* Both families, in getaddrinfo's order for an empty host. 0 or -ENOMEM. */
static int list_for_empty_host(unsigned int port, bool passive, struct addr_list **ret_list)
{
	struct addr_list *list = addr_list_alloc(2);
	struct sockaddr_in *sin;
	struct sockaddr_in6 *sin6;

	if (!list)
		return -ENOMEM;
	sin = (struct sockaddr_in *)&list->addr[passive ? 0 : 1];
	sin->sin_family = AF_INET;
	sin->sin_port = htons((uint16_t)port);
	sin->sin_addr.s_addr = htonl(passive ? INADDR_ANY : INADDR_LOOPBACK);
	sin6 = (struct sockaddr_in6 *)&list->addr[passive ? 1 : 0];
	sin6->sin6_family = AF_INET6;
	sin6->sin6_port = htons((uint16_t)port);
	sin6->sin6_addr = passive ? in6addr_any : in6addr_loopback;
	*ret_list = list;
	return 0;
}

static int list_of_one(const struct sockaddr_storage *ss, struct addr_list **ret_list)
{
	struct addr_list *list = addr_list_alloc(1);

	if (!list)
		return -ENOMEM;
	list->addr[0] = *ss;
	*ret_list = list;
	return 0;
}

/* ---------------------------------------------------------- without a name server */

/* 0, -ENXIO, -ENOMEM, or the errno of reading services(5). */
static int service_port(const char *name, const char *proto, unsigned int *ret_port)
{
	struct servent se, *found = NULL;
	char *buf = NULL;
	int err = ERANGE;

	for (size_t size = 1024; err == ERANGE; size *= 4) {
		char *more = realloc(buf, size);

		if (!more) {
			free(buf);
			return -ENOMEM;
		}
		buf = more;
		err = getservbyname_r(name, proto, &se, buf, size, &found);
	}
	if (found)
		*ret_port = ntohs((uint16_t)se.s_port);
	free(buf);
	/* glibc: ENOENT where there is no such line, or no such file. */
	if (err == EMFILE || err == ENFILE || err == ENOMEM)
		return -err;
	return found ? 0 : -ENXIO;
}

/*
 * Numbers as getaddrinfo takes them: with a scope, in inet_aton's short forms
 * (127.1). 0 and a list, -EINVAL for a port over 65535, -ENXIO for what can be
 * neither a number nor a name, -ENOMEM, -EAGAIN for a name. The port is a number.
 */
static int list_from_numbers(const struct sockfs_addr *addr, bool passive,
			     struct addr_list **ret_list)
{
	struct sockaddr_storage ss = {.ss_family = AF_UNSPEC};
	struct sockaddr_in sin = {.sin_family = AF_INET};
	socklen_t len;
	int err = addr_to_sockaddr(addr, AF_UNSPEC, &ss, &len);

	if (err == -ERANGE)
		return -EINVAL;
	if (!err) {
		if (!addr->host[0])
			return list_for_empty_host(addr_port((struct sockaddr *)&ss), passive,
						   ret_list);
		return list_of_one(&ss, ret_list);
	}
	/* A scope that there is not. */
	if (strpbrk(addr->host, ":%"))
		return -ENXIO;
	if (inet_aton(addr->host, &sin.sin_addr)) {
		sin.sin_port = htons((uint16_t)atoi(addr->port));
		memcpy(&ss, &sin, sizeof(sin));
		return list_of_one(&ss, ret_list);
	}
	/* 300.1.1.1: nobody's name, so no server is bothered with it. */
	return addr->host[strspn(addr->host, "0123456789.")] ? -EAGAIN : -ENXIO;
}

/* RFC 6761, 6.3: localhost and all below it are this machine. */
static bool is_localhost(const char *host)
{
	static const char word[] = "localhost";
	const size_t word_len = sizeof(word) - 1;
	size_t len = strlen(host);

	if (len && host[len - 1] == '.')
		len--;
	if (len < word_len || strncasecmp(host + len - word_len, word, word_len) != 0)
		return false;
	return len == word_len || host[len - word_len - 1] == '.';
}

/* What name servers understand, to be freed with idn2_free. 0, -EINVAL, -ENXIO, -ENOMEM. */
static int host_to_ascii(const char *host, char **ret_ascii)
{
	int flags = IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL;

	/* Plain names as they are: some have an underscore, which no IDN has. */
	for (const char *s = host;; s++) {
		if ((unsigned char)*s >= 0x80)
			break;
		if (!*s) {
			*ret_ascii = strdup(host);
			return *ret_ascii ? 0 : -ENOMEM;
		}
	}
	switch (idn2_to_ascii_8z(host, ret_ascii, flags)) {
	case IDN2_OK:
		return 0;
	case IDN2_MALLOC:
		return -ENOMEM;
	case IDN2_ENCODING_ERROR:
		return -EINVAL;
	default:
		return -ENXIO;
	}
}

/* --------------------------------------------------------------- c-ares on the loop */

static void handle_closed(struct resolve *r)
{
	if (--r->handles == 0)
		free(r);
}

static void on_timer_closed(uv_handle_t *handle)
{
	handle_closed(handle->data);
}

static void on_fd_closed(uv_handle_t *handle)
{
	struct resolve_fd *rfd = handle->data;
	struct resolve *r = rfd->r;

	free(rfd);
	handle_closed(r);
}

static void fd_remove(struct resolve_fd *rfd)
{
	LIST_REMOVE(rfd, link);
	uv_close((uv_handle_t *)&rfd->poll, on_fd_closed);
}

/* Let go of all but the memory that libuv still knows. */
static void resolve_end(struct resolve *r)
{
	r->ending = true;
	ares_destroy(r->channel);
	while (!LIST_EMPTY(&r->fds))
		fd_remove(LIST_FIRST(&r->fds));
	uv_close((uv_handle_t *)&r->timer, on_timer_closed);
}

/* -EMFILE or -ENFILE when there is no descriptor to ask a server with, else 0. */
static int descriptors_left(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return errno == EMFILE || errno == ENFILE ? -errno : 0;
	close(fd);
	return 0;
}

static void resolve_done(struct resolve *r, int err, struct addr_list *list)
{
	if (r->done)
		return;
	r->done = true;
	r->err = err;
	r->list = list;
}

/* The answer is there: hand it over. */
static void resolve_finish(struct resolve *r)
{
	resolve_cb *cb = r->cb;
	void *arg = r->arg;
	struct addr_list *list = r->list;
	int err = r->err;

	if (err != 0 && err != -ENOMEM && descriptors_left() != 0)
		err = descriptors_left();
	resolve_end(r);
	cb(arg, err, list);
}

static void resolve_step(struct resolve *r);

static void on_timer(uv_timer_t *timer)
{
	struct resolve *r = timer->data;

	ares_process_fd(r->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	resolve_step(r);
}

/* c-ares has returned: is it done, and if not, when does it want to be called? */
static void resolve_step(struct resolve *r)
{
	struct timeval tv;

	if (r->done) {
		resolve_finish(r);
		return;
	}
	/* Rounded up: too early is once more. */
	if (ares_timeout(r->channel, NULL, &tv))
		uv_timer_start(&r->timer, on_timer,
			       (uint64_t)tv.tv_sec * 1000 + (uint64_t)tv.tv_usec / 1000 + 1, 0);
}

static void on_fd(uv_poll_t *poll, int status, int events)
{
	struct resolve_fd *rfd = poll->data;
	struct resolve *r = rfd->r;

	/* An error is read like an answer. */
	if (status < 0)
		events = UV_READABLE | UV_WRITABLE;
	ares_process_fd(r->channel, events & UV_READABLE ? rfd->fd : ARES_SOCKET_BAD,
			events & UV_WRITABLE ? rfd->fd : ARES_SOCKET_BAD);
	resolve_step(r);
}

static struct resolve_fd *fd_add(struct resolve *r, ares_socket_t fd)
{
	struct resolve_fd *rfd = malloc(sizeof(*rfd));
	int err;

	if (!rfd) {
		resolve_done(r, -ENOMEM, NULL);
		return NULL;
	}
	rfd->r = r;
	rfd->fd = fd;
	rfd->poll.data = rfd;
	err = uv_poll_init(r->timer.loop, &rfd->poll, fd);
	if (err) {
		free(rfd);
		resolve_done(r, err, NULL);
		return NULL;
	}
	r->handles++;
	LIST_INSERT_HEAD(&r->fds, rfd, link);
	return rfd;
}

/* c-ares: wait for @fd; neither: it is about to be closed. */
static void on_sock_state(void *data, ares_socket_t fd, int readable, int writable)
{
	struct resolve *r = data;
	struct resolve_fd *rfd;
	int events = (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0);

	LIST_FOREACH(rfd, &r->fds, link)
		if (rfd->fd == fd)
			break;
	if (!rfd && events && !r->ending)
		rfd = fd_add(r, fd);
	if (!rfd)
		return;
	if (events)
		uv_poll_start(&rfd->poll, events, on_fd);
	else
		fd_remove(rfd);
}

static void on_addrinfo(void *arg, int status, int timeouts, struct ares_addrinfo *res)
{
	struct resolve *r = arg;
	struct addr_list *list = NULL;
	int err = resolve_errno(status);

	(void)timeouts;
	if (!r->ending) {
		if (!err)
			err = list_from_nodes(res->nodes, r->port, &list);
		resolve_done(r, err, list);
	}
	if (res)
		ares_freeaddrinfo(res);
}

/* 0, or -errno with r->channel unset. */
static int channel_open(struct resolve *r)
{
	static bool library_ready;
	struct ares_options options = {
		.sock_state_cb = on_sock_state,
		.sock_state_cb_data = r,
		/* Name servers only: the files have been read. */
		.lookups = (char[]){"b"},
		.timeout = TRY_MS,
		.tries = TRIES,
	};
	int mask = ARES_OPT_SOCK_STATE_CB | ARES_OPT_LOOKUPS;
	int status;

	/* Since then these are the defaults, and resolv.conf may change them. */
	if (ARES_VERSION < 0x011700)
		mask |= ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES;
	if (!library_ready && ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS)
		return -ENOMEM;
	library_ready = true;
	status = ares_init_options(&r->channel, &options, mask);
	return status == ARES_SUCCESS ? 0 : resolve_errno(status);
}

/* Ask name servers for @host. */
static int lookup(uv_loop_t *loop, const char *host, unsigned int port, resolve_cb *cb, void *arg,
		  struct resolve **ret_r)
{
	const struct ares_addrinfo_hints hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
	};
	struct resolve *r;
	int err = descriptors_left();

	if (err)
		return err;
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	LIST_INIT(&r->fds);
	r->cb = cb;
	r->arg = arg;
	r->port = port;
	err = channel_open(r);
	if (err) {
		free(r);
		return err;
	}
	uv_timer_init(loop, &r->timer);
	r->timer.data = r;
	r->handles = 1;
	ares_getaddrinfo(r->channel, host, NULL, &hints, on_addrinfo, r);
	*ret_r = r->done ? NULL : r;
	resolve_step(r);
	return 0;
}

/*
 * What is known here of a name: not as nsswitch.conf(5) says, whose other sources are not
 * here either. 0 and a list, -EAGAIN for what name servers may know, -ENOMEM, -EMFILE, -ENFILE.
 */
static int list_from_files(const char *host, const char *port, struct addr_list **ret_list)
{
	int err = hosts_lookup(host, port, ret_list);

	if (err != -ENXIO)
		return err;
	if (is_localhost(host))
		return list_for_empty_host((unsigned int)atoi(port), false, ret_list);
	return -EAGAIN;
}

/* The number of @addr's port: its own, or the service's. Returns as service_port. */
static int number_port(struct sockfs_addr *addr, const char *proto)
{
	unsigned int port;
	int err;

	if (!addr->port[strspn(addr->port, "0123456789")])
		return 0;
	err = service_port(addr->port, proto, &port);
	if (!err)
		snprintf(addr->port, sizeof(addr->port), "%u", port);
	return err;
}

int resolve_name(const struct sockfs_addr *addr, char **ret_name)
{
	struct sockfs_addr a = *addr;
	struct addr_list *list = NULL;
	int err;

	*ret_name = NULL;
	snprintf(a.port, sizeof(a.port), "0");
	err = a.host[0] != '\0' ? list_from_numbers(&a, false, &list) : 0;
	free(list);
	if (err == -EAGAIN)
		err = host_to_ascii(a.host, ret_name);
	return err == -ENOMEM ? err : 0;
}

int resolve_start(uv_loop_t *loop, const struct sockfs_addr *addr, const char *proto, bool passive,
		  resolve_cb *cb, void *arg, struct resolve **ret_r)
{
	struct sockfs_addr a = *addr;
	struct addr_list *list = NULL;
	char *ascii = NULL;
	int err = number_port(&a, proto);

	if (!err)
		err = list_from_numbers(&a, passive, &list);
	if (err == -EAGAIN)
		err = host_to_ascii(a.host, &ascii);
	if (err == -EINVAL)
		return err;
	if (ascii) {
		err = list_from_files(ascii, a.port, &list);
		if (err == -EAGAIN)
			err = lookup(loop, ascii, (unsigned int)atoi(a.port), cb, arg, ret_r);
		idn2_free(ascii);
		if (!list)
			return err;
	}
	*ret_r = NULL;
	cb(arg, err, list);
	return 0;
}

void resolve_cancel(struct resolve *r)
{
	resolve_end(r);
}
