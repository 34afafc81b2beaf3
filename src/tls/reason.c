/* SPDX-License-Identifier: GPL-2.0-or-later */
/* OpenSSL's errors as errno values and words. */
#include "config.h"

#include "tls/reason.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void reason_set(struct reason *r, int err, const char *fmt, ...)
{
	va_list ap;

	r->err = err;
	va_start(ap, fmt);
	if (vsnprintf(r->text, sizeof(r->text), fmt, ap) < 0)
		r->text[0] = '\0';
	va_end(ap);
}

const char *reason_library(void)
{
	static char text[REASON_MAX];
	unsigned long e = ERR_get_error();
	const char *words = e == 0 ? NULL : ERR_reason_error_string(e);

	if (words != NULL)
		snprintf(text, sizeof(text), "%s", words);
	else
		snprintf(text, sizeof(text), "OpenSSL's error %lx", e);
	ERR_clear_error();
	return text;
}

/* What our own look at the peer's certificate has found. */
static int errno_of_verify(long result)
{
	switch (result) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CRL_HAS_EXPIRED:
		return EKEYEXPIRED;
	case X509_V_ERR_CERT_REVOKED:
		return EKEYREVOKED;
	case X509_V_ERR_OUT_OF_MEM:
		return ENOMEM;
	default:
		return EKEYREJECTED;
	}
}

/* What the peer says of ours. */
static int errno_of_alert(int alert, bool cert_wanted)
{
	switch (alert) {
	case SSL_AD_CERTIFICATE_EXPIRED:
		return EKEYEXPIRED;
	case SSL_AD_CERTIFICATE_REVOKED:
		return EKEYREVOKED;
	case SSL_AD_CERTIFICATE_REQUIRED:
		return ENOKEY;
	case SSL_AD_BAD_CERTIFICATE:
	case SSL_AD_CERTIFICATE_UNKNOWN:
	case SSL_AD_ACCESS_DENIED:
		return cert_wanted ? ENOKEY : EKEYREJECTED;
	case SSL_AD_UNSUPPORTED_CERTIFICATE:
	case SSL_AD_UNKNOWN_CA:
	case SSL_AD_UNRECOGNIZED_NAME:
		return EKEYREJECTED;
	case SSL_AD_HANDSHAKE_FAILURE:
		/* Before TLS 1.3 there was no alert for it. */
		return cert_wanted ? ENOKEY : EPROTO;
	default:
		return EPROTO;
	}
}

static const char *alert_words(int alert)
{
	/* OpenSSL 3.0 has no words for this one. */
	return alert == SSL_AD_CERTIFICATE_REQUIRED ? "certificate required"
						    : SSL_alert_desc_string_long(alert);
}

static void reason_of_queue(struct reason *r, const SSL *ssl, bool shaken, bool cert_wanted)
{
	unsigned long e = ERR_peek_error();
	int code = ERR_GET_REASON(e);
	long result = SSL_get_verify_result(ssl);

	if (ERR_SYSTEM_ERROR(e)) {
		reason_set(r, code, "%s", strerror(code));
	} else if (ERR_GET_LIB(e) != ERR_LIB_SSL) {
		reason_set(r, code == ERR_R_MALLOC_FAILURE ? ENOMEM : EPROTO, "%s",
			   reason_library());
	} else if (code == SSL_R_CERTIFICATE_VERIFY_FAILED && result != X509_V_OK) {
		reason_set(r, errno_of_verify(result), "%s", X509_verify_cert_error_string(result));
	} else if (code > SSL_AD_REASON_OFFSET) {
		int alert = code - SSL_AD_REASON_OFFSET;
		int err = errno_of_alert(alert, cert_wanted);

		reason_set(r, err, "the peer says: %s%s", alert_words(alert),
			   err == ENOKEY ? " (it wants a certificate)" : "");
	} else if (code == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE) {
		reason_set(r, ENOKEY, "the peer has no certificate");
	} else if (code == SSL_R_WRONG_VERSION_NUMBER || code == SSL_R_HTTP_REQUEST ||
		   code == SSL_R_HTTPS_PROXY_REQUEST || code == SSL_R_PACKET_LENGTH_TOO_LONG) {
		reason_set(r, EPROTO, "the peer does not speak TLS (%s)", reason_library());
	} else if (code == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
		reason_set(r, EPROTO, "%s",
			   shaken ? "the peer ended without close_notify" :
				    "the peer ended in the handshake");
	} else {
		reason_set(r, EPROTO, "%s", reason_library());
	}
}

void reason_of_ssl(struct reason *r, const SSL *ssl, int ret, bool shaken, bool cert_wanted)
{
	int saved = errno;

	if (SSL_get_error(ssl, ret) == SSL_ERROR_SYSCALL && ERR_peek_error() == 0)
		reason_set(r, saved != 0 ? saved : EPROTO, "%s",
			   saved != 0 ? strerror(saved) : "the peer ended");
	else
		reason_of_queue(r, ssl, shaken, cert_wanted);
	ERR_clear_error();
}
