/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The TLS of a connection: made from a request, shaken hands, reported. */
#include "config.h"

#include "tls/session.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tls/files.h"

#define SECURITY_LEVEL 2     /* SSL_CTX_set_security_level(3): 112 bits */
#define READ_AHEAD (68 << 10) /* four records and their heads with one read(2) */

static SSL_CTX *client_ctx, *server_ctx;

/* ---------------------------------------------------------- what all have in common */

/* Called when the peer asks for a certificate and we have none. */
static int on_cert_wanted(SSL *ssl, X509 **cert, EVP_PKEY **key)
{
	struct session *s = SSL_get_app_data(ssl);

	(void)cert;
	(void)key;
	s->cert_wanted = true;
	return 0; /* go on without */
}

/* The first of ours that the client has, too. RFC 7301, 3.2: none is a fatal alert. */
static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *outlen,
		   const unsigned char *in, unsigned int inlen, void *arg)
{
	const struct session *s = SSL_get_app_data(ssl);

	(void)arg;
	if (s->alpn == NULL)
		return SSL_TLSEXT_ERR_NOACK;
	if (SSL_select_next_proto((unsigned char **)out, outlen, s->alpn, s->alpn_len, in, inlen) !=
	    OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	return SSL_TLSEXT_ERR_OK;
}

static SSL_CTX *ctx_new(const SSL_METHOD *method)
{
	SSL_CTX *ctx = SSL_CTX_new(method);

	if (ctx == NULL)
		return NULL;
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	if (SSL_CTX_get_security_level(ctx) < SECURITY_LEVEL)
		SSL_CTX_set_security_level(ctx, SECURITY_LEVEL);
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
					 SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
				      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(ctx, 0);
	SSL_CTX_set_read_ahead(ctx, 1);
	SSL_CTX_set_default_read_buffer_len(ctx, READ_AHEAD);
	SSL_CTX_set_client_cert_cb(ctx, on_cert_wanted);
	SSL_CTX_set_alpn_select_cb(ctx, on_alpn, NULL);
	return ctx;
}

int sessions_init(void)
{
	client_ctx = ctx_new(TLS_client_method());
	server_ctx = ctx_new(TLS_server_method());
	if (client_ctx == NULL || server_ctx == NULL) {
		sessions_exit();
		return -ENOMEM;
	}
	return 0;
}

void sessions_exit(void)
{
	SSL_CTX_free(client_ctx);
	SSL_CTX_free(server_ctx);
	client_ctx = server_ctx = NULL;
}

/* ------------------------------------------------------------------ how one is to be */

/* "h2,http/1.1" as on the wire. */
static bool set_alpn(struct session *s, const char *list)
{
	size_t len = strlen(list);
	size_t head = 0; /* where the length of the present one goes */

	if (len == 0)
		return true;
	s->alpn = malloc(len + 1);
	if (s->alpn == NULL)
		return false;
	for (size_t i = 0; i <= len; i++) {
		size_t n = i - head;

		if (list[i] != ',' && list[i] != '\0') {
			s->alpn[i + 1] = (unsigned char)list[i];
			continue;
		}
		if (n == 0 || n > 255)
			return false;
		s->alpn[head] = (unsigned char)n;
		head = i + 1;
	}
	s->alpn_len = (unsigned int)len + 1;
	return s->server || SSL_set_alpn_protos(s->ssl, s->alpn, s->alpn_len) == 0;
}

/* Whom the peer has to be, and for a client whom we ask for (SNI, which takes no addresses). */
static bool set_name(struct session *s, const char *name, bool verify)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(s->ssl);
	char host[256];
	struct in6_addr ip;
	size_t len = strlen(name);

	if (len == 0)
		return s->server || !verify;
	if (inet_pton(AF_INET, name, &ip) == 1 || inet_pton(AF_INET6, name, &ip) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(param, name) == 1;
	if (name[len - 1] == '.')
		len--;
	if (len == 0 || len >= sizeof(host))
		return false;
	memcpy(host, name, len);
	host[len] = '\0';
	SSL_set_hostflags(s->ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (!s->server && SSL_set_tlsext_host_name(s->ssl, host) != 1)
		return false;
	return SSL_set1_host(s->ssl, host) == 1;
}

static bool set_all(struct session *s, const struct tls_msg *msg, int fd, struct reason *r)
{
	bool verify = msg->open.flags & TLS_OPEN_VERIFY;
	int version = (int)msg->open.min_version;
	int mode = SSL_VERIFY_NONE;

	if (s->server && tls_msg_text(msg, TLS_OPEN_CERT)[0] == '\0') {
		reason_set(r, ENOKEY, "a server needs a certificate");
		return false;
	}
	if (version > TLS1_2_VERSION && SSL_set_min_proto_version(s->ssl, version) != 1) {
		reason_set(r, EINVAL, "no such version of TLS");
		return false;
	}
	if (!set_name(s, tls_msg_text(msg, TLS_OPEN_NAME), verify)) {
		reason_set(r, EINVAL, "no name that a certificate could have");
		return false;
	}
	if (!set_alpn(s, tls_msg_text(msg, TLS_OPEN_ALPN))) {
		reason_set(r, EINVAL, "no list of protocols");
		return false;
	}
	if (verify)
		mode = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
	SSL_set_verify(s->ssl, mode, NULL);
	if (msg->open.flags & TLS_OPEN_EOF_LAX)
		SSL_set_options(s->ssl, SSL_OP_IGNORE_UNEXPECTED_EOF);
	if (SSL_set_fd(s->ssl, fd) != 1) {
		reason_set(r, ENOMEM, "%s", strerror(ENOMEM));
		return false;
	}
	if (s->server)
		SSL_set_accept_state(s->ssl);
	else
		SSL_set_connect_state(s->ssl);
	return files_apply(s->ssl, msg, r);
}

bool session_init(struct session *s, const struct tls_msg *msg, int fd, struct reason *r)
{
	bool ok;

	*s = (struct session){.server = msg->open.kind == TLS_SERVER};
	ERR_clear_error();
	s->ssl = SSL_new(s->server ? server_ctx : client_ctx);
	if (s->ssl == NULL) {
		reason_set(r, ENOMEM, "%s", strerror(ENOMEM));
		return false;
	}
	SSL_set_app_data(s->ssl, s);
	ok = set_all(s, msg, fd, r);
	ERR_clear_error();
	if (!ok)
		session_fini(s);
	return ok;
}

void session_fini(struct session *s)
{
	SSL_free(s->ssl);
	free(s->alpn);
	*s = (struct session){.ssl = NULL};
}

enum session_step session_handshake(struct session *s, struct reason *r)
{
	int ret;

	ERR_clear_error();
	errno = 0;
	ret = SSL_do_handshake(s->ssl);
	if (ret == 1) {
		s->shaken = true;
		return SESSION_DONE;
	}
	switch (SSL_get_error(s->ssl, ret)) {
	case SSL_ERROR_WANT_READ:
		return SESSION_WANT_READ;
	case SSL_ERROR_WANT_WRITE:
		return SESSION_WANT_WRITE;
	default:
		session_failed(s, ret, r);
		return SESSION_FAILED;
	}
}

void session_failed(const struct session *s, int ret, struct reason *r)
{
	reason_of_ssl(r, s->ssl, ret, s->shaken, s->cert_wanted);
}

/* --------------------------------------------------------------------- what was agreed */

/* Memory of its own, or NULL: whatever is not fit for a terminal is written as \XX. */
static char *subject_of(const X509 *cert)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL, *data;
	long len;

	if (bio != NULL &&
	    X509_NAME_print_ex(bio, X509_get_subject_name(cert), 0, XN_FLAG_RFC2253) >= 0) {
		len = BIO_get_mem_data(bio, &data);
		text = strndup(data, (size_t)len);
	}
	BIO_free(bio);
	return text;
}

static void fingerprint_of(const X509 *cert, char *ret_text)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int len = 0;

	if (X509_digest(cert, EVP_sha256(), digest, &len) != 1)
		len = 0;
	ret_text[0] = '\0';
	for (unsigned int i = 0; i < len; i++)
		sprintf(ret_text + 3 * i, i + 1 < len ? "%02X:" : "%02X", digest[i]);
}

static int64_t expiry_of(const X509 *cert)
{
	struct tm tm;

	return ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

void session_report(const struct session *s, struct tls_msg *msg, uint64_t id)
{
	X509 *cert = SSL_get0_peer_certificate(s->ssl);
	char fingerprint[3 * EVP_MAX_MD_SIZE + 1] = "";
	char *subject = cert == NULL ? NULL : subject_of(cert);
	const unsigned char *alpn;
	unsigned int alpn_len;
	char alpn_text[256];

	if (cert != NULL)
		fingerprint_of(cert, fingerprint);
	SSL_get0_alpn_selected(s->ssl, &alpn, &alpn_len);
	if (alpn_len > 0)
		memcpy(alpn_text, alpn, alpn_len);
	alpn_text[alpn_len] = '\0';

	tls_msg_init(msg, TLS_MSG_OPENED, id);
	msg->opened.expires = cert == NULL ? 0 : expiry_of(cert);
	tls_msg_add_cut(msg, NULL);
	tls_msg_add_cut(msg, SSL_get_version(s->ssl));
	tls_msg_add_cut(msg, SSL_get_cipher_name(s->ssl));
	tls_msg_add_cut(msg, subject);
	tls_msg_add_cut(msg, fingerprint);
	tls_msg_add_cut(msg, alpn_text);
	free(subject);
}
