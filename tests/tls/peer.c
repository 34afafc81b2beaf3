/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The peer of a TLS connection, in a process of its own. */
#include "config.h"

#include "tests/tls/helper.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PEERS_MAX 300

static pid_t peers[PEERS_MAX];
static unsigned int nr_peers;

void peer_die(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: peer: %s\n", file, line, what);
	ERR_print_errors_fp(stderr);
	_exit(1);
}

/* Two ends of a TCP connection. */
static void tcp_pair(int *ends)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(sin);
	int one = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(listener, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&sin, len), 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&sin, &len), 0);
	ends[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(connect(ends[0], (struct sockaddr *)&sin, len), 0);
	ends[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	ck_assert_int_ge(ends[1], 0);
	close(listener);
	for (int i = 0; i < 2; i++)
		setsockopt(ends[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

static int think_and_refuse(X509_STORE_CTX *store, void *arg)
{
	(void)arg;
	usleep(500000);
	X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REVOKED);
	return 0;
}

static SSL_CTX *peer_ctx(const struct peer *p, bool server)
{
	SSL_CTX *ctx = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
	const char *own = p->cert != NULL ? p->cert : server ? cert("good.pem") : NULL;

	peer_assert(ctx != NULL);
	SSL_CTX_set_security_level(ctx, 0); /* it may be as bad as it likes */
	SSL_CTX_set_min_proto_version(ctx, p->min_version);
	SSL_CTX_set_max_proto_version(ctx, p->max_version);
	if (p->ciphers != NULL)
		peer_assert(SSL_CTX_set_cipher_list(ctx, p->ciphers) == 1);
	if (own != NULL) {
		peer_assert(SSL_CTX_use_PrivateKey_file(ctx, own, SSL_FILETYPE_PEM) == 1 ||
			    strstr(own, "disorder") != NULL);
		peer_assert(SSL_CTX_use_certificate_chain_file(ctx, own) == 1 ||
			    strstr(own, "disorder") != NULL);
	}
	if (p->ca != NULL) {
		peer_assert(SSL_CTX_load_verify_locations(ctx, p->ca, NULL) == 1);
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	}
	if (p->alpn != NULL)
		SSL_CTX_set_alpn_protos(ctx, (const unsigned char *)p->alpn,
					(unsigned int)strlen(p->alpn));
	if (p->resets)
		SSL_CTX_set_cert_verify_callback(ctx, think_and_refuse, NULL);
	return ctx;
}

static void run_peer(const struct peer *p, int fd, bool server)
{
	const struct linger now = {1, 0};
	SSL_CTX *ctx;
	SSL *ssl;
	int ret;

	signal(SIGPIPE, SIG_IGN);
	alarm(60);
	if (p->raw != NULL) {
		p->raw(fd);
		_exit(0);
	}
	ctx = peer_ctx(p, server);
	ssl = SSL_new(ctx);
	peer_assert(ssl != NULL && SSL_set_fd(ssl, fd) == 1);
	ret = server ? SSL_accept(ssl) : SSL_connect(ssl);
	if (ret != 1 && p->may_fail) {
		/* The alert has to be there before. */
		usleep(p->resets ? 500000 : 0);
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, p->resets ? sizeof(now) : 0);
		_exit(0);
	}
	peer_assert(ret == 1);
	if (p->talk != NULL) {
		p->talk(ssl, fd);
	} else {
		peer_expect_end(ssl);
		SSL_shutdown(ssl);
	}
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	_exit(0);
}

/* False at the end, which goes on, too. */
static bool copy_bytes(int from, int to)
{
	char buf[256];
	ssize_t n = read(from, buf, sizeof(buf));

	for (ssize_t i = 0; i < n; i++)
		if (send(to, buf + i, 1, MSG_NOSIGNAL) != 1)
			return false;
	if (n <= 0)
		shutdown(to, SHUT_WR);
	return n > 0;
}

/* The net between, which carries single bytes. */
static void run_relay(int a, int b)
{
	struct pollfd pfds[2] = {{.fd = a, .events = POLLIN}, {.fd = b, .events = POLLIN}};

	alarm(60);
	while ((pfds[0].fd >= 0 || pfds[1].fd >= 0) && poll(pfds, 2, -1) >= 0) {
		if (pfds[0].revents != 0 && !copy_bytes(a, b))
			pfds[0].fd = -1;
		if (pfds[1].revents != 0 && !copy_bytes(b, a))
			pfds[1].fd = -1;
	}
	_exit(0);
}

/* In the new process only @keep and @keep2 are left of what the test holds. */
static bool fork_peer(int keep, int keep2)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	ck_assert_uint_lt(nr_peers, PEERS_MAX);
	if (pid != 0) {
		peers[nr_peers++] = pid;
		return false;
	}
	for (int fd = STDERR_FILENO + 1; fd < 1024; fd++)
		if (fd != keep && fd != keep2)
			close(fd);
	return true;
}

static int start(struct peer p, bool server)
{
	int ends[2], beyond[2];

	tcp_pair(ends);
	if (p.byte_by_byte) {
		tcp_pair(beyond);
		if (fork_peer(ends[1], beyond[0]))
			run_relay(ends[1], beyond[0]);
		close(ends[1]);
		close(beyond[0]);
		ends[1] = beyond[1];
	}
	if (fork_peer(ends[1], -1))
		run_peer(&p, ends[1], server);
	close(ends[1]);
	return ends[0];
}

int peer_start(struct peer p)
{
	return start(p, true);
}

int peer_start_client(struct peer p)
{
	return start(p, false);
}

void peer_wait(void)
{
	for (unsigned int i = 0; i < nr_peers; i++) {
		int status;

		ck_assert_int_eq(waitpid(peers[i], &status, 0), peers[i]);
		ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0,
			      "a peer ended with status %#x", (unsigned int)status);
	}
	nr_peers = 0;
}

void peer_read(SSL *ssl, void *buf, size_t n)
{
	for (size_t done = 0, len; done < n; done += len)
		peer_assert(SSL_read_ex(ssl, (char *)buf + done, n - done, &len) == 1);
}

void peer_write(SSL *ssl, const void *buf, size_t n)
{
	size_t len;

	peer_assert(SSL_write_ex(ssl, buf, n, &len) == 1 && len == n);
}

void peer_expect_end(SSL *ssl)
{
	char c;
	int ret = SSL_read(ssl, &c, 1);

	peer_assert(ret <= 0 && SSL_get_error(ssl, ret) == SSL_ERROR_ZERO_RETURN);
}
