/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every operation in every state, for each protocol that the program has, beside a plain
 * socket of that protocol: the same errno, but for what differs[] tells and sockfs(7) says.
 *
 * A protocol that is new is in here by itself; one whose addresses are of another kind
 * needs a word in new_address().
 */
#include "config.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include "net/sock.h"
#include "net/tls/tls_i.h"
#include "tests/unit/unit.h"
#include "wire_net.h"

enum state { FRESH, BOUND, CONNECTED, NR_STATES };
enum op { READ, WRITE, CONNECT, BIND, LISTEN, SHUTDOWN, PEER, NR_OPS };

static const char *const states[] = {"fresh", "bound", "connected"};
static const char *const ops[] = {"read", "write", "connect", "bind", "listen", "shutdown", "peer"};

/* What we answer instead of what the kernel does. */
static const struct {
	const char *proto;
	enum state state;
	enum op op;
	int ours;
	const char *why;
} differs[] = {
	{"tcp", FRESH, WRITE, -ENOTCONN, "it was never connected, so no pipe is broken"},
	{"tcp", BOUND, WRITE, -ENOTCONN, "the same"},
	{"udp", FRESH, READ, -ENOTCONN, "nothing could ever come"},
	{"udp", FRESH, LISTEN, 0, "listening on UDP is ours"},
	{"udp", BOUND, LISTEN, 0, "the same"},
	{"udp", CONNECTED, CONNECT, -EISCONN, "one file, one peer"},
	{"udp", CONNECTED, LISTEN, -EINVAL, "as of a connected socket of TCP"},
	{"unix", FRESH, READ, -ENOTCONN, "as of TCP"},
	{"unix", BOUND, READ, -ENOTCONN, "as of TCP"},
	{"unix", FRESH, SHUTDOWN, -ENOTCONN, "as of TCP"},
	{"unix", BOUND, SHUTDOWN, -ENOTCONN, "as of TCP"},
	{"unix", BOUND, CONNECT, -EINVAL, "a file has one path"},
	{"unix", CONNECTED, BIND, -EINVAL, "an address is taken before, not behind a connect"},
	{"tls", FRESH, WRITE, -ENOTCONN, "as of TCP, which is beside it here"},
	{"tls", BOUND, WRITE, -ENOTCONN, "the same"},
	{"tls", FRESH, LISTEN, -ENOKEY, "a server has to have a certificate"},
	{"tls", BOUND, LISTEN, -ENOKEY, "the same"},
};

#ifdef CONFIG_TLS
#define WITH_TLS 1
#else
#define WITH_TLS 0
#endif

static struct wire *w;
static char dir[] = "/tmp/sockfs.XXXXXX";
static unsigned int nr_paths;

/* ----------------------------------------------------------- somebody who speaks TLS */

static struct end tls_server;
static struct sockaddr_storage tls_address;
static uint64_t tls_read; /* of the listener, waiting; 0: there is none */

static void set_text(const struct end *e, int name, const char *text)
{
	struct sockfs_sockopt opt = {
		.level = SOL_SOCKFS, .name = name, .len = (uint32_t)strlen(text)};

	memcpy(opt.value, text, opt.len);
	ck_assert_int_eq(ioc(e, SOCKFS_IOC_SETSOCKOPT, &opt), 0);
}

/* The protocol, and a file that serves with a certificate of its own authority. */
static void tls_begin(void)
{
	struct sockfs_addr addr = {.host = "tls:127.0.0.1", .port = "0"};
	struct sockaddr_in *sin = (struct sockaddr_in *)&tls_address;
	int32_t backlog = 0;
	char text[128];

	snprintf(text, sizeof(text), "mkdir %s/c && tests/tls/mkcerts %s/c", dir, dir);
	ck_assert_int_eq(system(text), 0);
	snprintf(text, sizeof(text), "%s/c/ca.pem", dir);
	ck_assert_int_eq(setenv("SSL_CERT_FILE", text, 1), 0);
	ck_assert_int_eq(tls_helper_init(&w->loop, "./sockfs-tls"), 0);
	ck_assert_int_eq(proto_register(&tls_prot), 0);
	tls_server = make_file(w, "tls-server");
	snprintf(text, sizeof(text), "%s/c/good.pem", dir);
	set_text(&tls_server, SOCKFS_SO_TLS_CERT, text);
	ck_assert_int_eq(ioc(&tls_server, SOCKFS_IOC_BIND, &addr), 0);
	ck_assert_int_eq(ioc(&tls_server, SOCKFS_IOC_LISTEN, &backlog), 0);
	ck_assert_int_eq(ioc(&tls_server, SOCKFS_IOC_GETSOCKNAME, &addr), 0);
	*sin = (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				    .sin_port = htons((uint16_t)atoi(addr.port))};
	tls_read = 0;
}

/* Whoever connects now is accepted, by a read that waits. */
static int tls_connect(const struct end *e, struct sockfs_addr *addr)
{
	int err;

	if (tls_read == 0)
		tls_read = wire_read(w, tls_server.ino, tls_server.fh, 100, O_RDWR);
	err = ioc(e, SOCKFS_IOC_CONNECT, addr);
	if (err == 0) {
		ck_assert_int_eq(wire_wait(w, tls_read, NULL, 0, NULL), 0);
		tls_read = 0;
	}
	return err;
}

static void tls_end(void)
{
	char text[64];

	if (tls_read != 0) {
		wire_interrupt(w, tls_read);
		ck_assert_int_eq(wire_wait(w, tls_read, NULL, 0, NULL), -EINTR);
	}
	tls_helper_stop();
	snprintf(text, sizeof(text), "rm -r %s/c", dir);
	ck_assert_int_eq(system(text), 0);
}

/* --------------------------------------------------------------------------------- */

static void setup(void)
{
	strcpy(dir + sizeof(dir) - 7, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	w = wire_new();
	ck_assert_ptr_nonnull(w);
	/* Paths are for the daemon's own user. */
	w->uid = geteuid();
	if (WITH_TLS)
		tls_begin();
}

static void teardown(void)
{
	char path[64];

	if (WITH_TLS)
		tls_end();
	ck_assert_int_eq(wire_free(w), 0);
	if (WITH_TLS) {
		ck_assert_int_eq(proto_unregister(&tls_prot), 0);
		tls_helper_exit();
	}
	for (unsigned int i = 0; i < nr_paths; i++) {
		snprintf(path, sizeof(path), "%s/%u", dir, i);
		(void)unlink(path);
	}
	ck_assert_int_eq(rmdir(dir), 0);
}

/* An address that is free: as the kernel takes it. */
static socklen_t new_address(const struct proto *prot, struct sockaddr_storage *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->ss_family = (sa_family_t)prot->family;
	if (prot->family == AF_UNIX) {
		struct sockaddr_un *sun = (struct sockaddr_un *)ret;

		snprintf(sun->sun_path, sizeof(sun->sun_path), "%s/%u", dir, nr_paths++);
		return sizeof(*sun);
	}
	ck_assert_int_eq(prot->family, AF_INET);
	((struct sockaddr_in *)ret)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return sizeof(struct sockaddr_in);
}

/* The same as users write it. */
static struct sockfs_addr text_of(const struct proto *prot, const struct sockaddr_storage *ss)
{
	const struct sockaddr_in *sin = (const struct sockaddr_in *)ss;
	struct sockfs_addr addr = {.host = ""};

	if (prot->path) {
		snprintf(addr.host, sizeof(addr.host), "%s:%s", prot->word,
			 ((const struct sockaddr_un *)ss)->sun_path);
	} else {
		snprintf(addr.host, sizeof(addr.host), "%s:127.0.0.1", prot->word);
		snprintf(addr.port, sizeof(addr.port), "%u", ntohs(sin->sin_port));
	}
	return addr;
}

/* Somebody to connect to. */
static int peer_of(const struct proto *prot, struct sockaddr_storage *ret, socklen_t *ret_len)
{
	int fd = socket(prot->family, prot->type | SOCK_CLOEXEC, prot->protocol);

	*ret_len = new_address(prot, ret);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)ret, *ret_len), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)ret, ret_len), 0);
	if (prot->type == SOCK_STREAM)
		ck_assert_int_eq(listen(fd, 8), 0);
	return fd;
}

static int answer(ssize_t ret)
{
	return ret < 0 ? -errno : 0;
}

static int plain_op(int fd, const struct proto *prot, enum op op,
		    const struct sockaddr_storage *peer, socklen_t peer_len)
{
	struct sockaddr_storage ss;
	socklen_t len = new_address(prot, &ss);
	char byte = 'x';

	switch (op) {
	case READ:
		return answer(recv(fd, &byte, 1, MSG_DONTWAIT));
	case WRITE:
		return answer(send(fd, &byte, 1, MSG_DONTWAIT | MSG_NOSIGNAL));
	case CONNECT:
		return answer(connect(fd, (const struct sockaddr *)peer, peer_len));
	case BIND:
		return answer(bind(fd, (struct sockaddr *)&ss, len));
	case LISTEN:
		return answer(listen(fd, 8));
	case SHUTDOWN:
		return answer(shutdown(fd, SHUT_WR));
	default:
		len = sizeof(ss);
		return answer(getpeername(fd, (struct sockaddr *)&ss, &len));
	}
}

static int our_op(const struct end *e, const struct proto *prot, enum op op,
		  const struct sockaddr_storage *peer)
{
	struct sockaddr_storage ss;
	struct sockfs_addr addr;
	int32_t number = op == SHUTDOWN ? SHUT_WR : 8;
	uint32_t flags = O_RDWR | O_NONBLOCK;

	(void)new_address(prot, &ss);
	if (prot == &tls_prot)
		peer = &tls_address;
	addr = text_of(prot, op == CONNECT ? peer : &ss);
	switch (op) {
	case READ:
		return wire_wait(w, wire_read(w, e->ino, e->fh, 1, flags), NULL, 0, NULL);
	case WRITE:
		return wire_wait(w, wire_write(w, e->ino, e->fh, "x", 1, flags), NULL, 0, NULL);
	case CONNECT:
		return prot == &tls_prot ? tls_connect(e, &addr) : ioc(e, SOCKFS_IOC_CONNECT, &addr);
	case BIND:
		return ioc(e, SOCKFS_IOC_BIND, &addr);
	case LISTEN:
		return ioc(e, SOCKFS_IOC_LISTEN, &number);
	case SHUTDOWN:
		return ioc(e, SOCKFS_IOC_SHUTDOWN, &number);
	default:
		return ioc(e, SOCKFS_IOC_GETPEERNAME, &addr);
	}
}

static int expected(const struct proto *prot, enum state state, enum op op, int plain)
{
	for (size_t i = 0; i < sizeof(differs) / sizeof(differs[0]); i++) {
		if (strcmp(differs[i].proto, prot->word) != 0 || differs[i].state != state ||
		    differs[i].op != op)
			continue;
		ck_assert_msg(plain != differs[i].ours, "%s, %s, %s: differs no more (%s)",
			      prot->word, states[state], ops[op], differs[i].why);
		return differs[i].ours;
	}
	return plain;
}

/* A file of @prot that was never used, and a plain socket, both brought into @state. */
static void one(const struct proto *prot, enum state state, enum op op)
{
	struct sockaddr_storage peer;
	struct sockfs_sockopt choose = {.level = SOL_SOCKFS,
					.name = SOCKFS_SO_PROTO,
					.len = (uint32_t)strlen(prot->word)};
	socklen_t len;
	int server = peer_of(prot, &peer, &len);
	int fd = socket(prot->family, prot->type | SOCK_CLOEXEC, prot->protocol), plain, ours;
	char name[32];
	struct end e;

	snprintf(name, sizeof(name), "%s-%d-%d", prot->word, state, op);
	e = make_file(w, name);
	memcpy(choose.value, prot->word, choose.len);
	ck_assert_int_eq(ioc(&e, SOCKFS_IOC_SETSOCKOPT, &choose), 0);
	if (state != FRESH) {
		ck_assert_int_eq(plain_op(fd, prot, state == BOUND ? BIND : CONNECT, &peer, len), 0);
		ck_assert_int_eq(our_op(&e, prot, state == BOUND ? BIND : CONNECT, &peer), 0);
	}
	plain = plain_op(fd, prot, op, &peer, len);
	ours = our_op(&e, prot, op, &peer);
	ck_assert_msg(ours == expected(prot, state, op, plain), "%s, %s, %s: %s and not %s",
		      prot->word, states[state], ops[op], strerror(-ours), strerror(-plain));
	close(fd);
	close(server);
}

START_TEST(beside_a_plain_socket)
{
	unsigned int n = 0;

	for (const struct proto *prot = proto_next(NULL); prot != NULL; prot = proto_next(prot)) {
		n++;
		for (enum op op = 0; op < NR_OPS; op++)
			one(prot, (enum state)_i, op);
	}
	ck_assert_uint_ge(n, 3 + WITH_TLS);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wire_conform");
	TCase *tc = tcase_create("all");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, beside_a_plain_socket, 0, NR_STATES);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
