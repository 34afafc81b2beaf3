/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Certificates for tests, good and bad. */
#include "config.h"

#include "tests/tls/certs.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define DAY 86400L

struct pair {
	X509 *cert;
	EVP_PKEY *key;
};

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "certs: %s failed\n", what);
	ERR_print_errors_fp(stderr);
	exit(1);
}

static void add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	must(ext != NULL && X509_add_ext(cert, ext, -1) == 1, value);
	X509_EXTENSION_free(ext);
}

static void name_add(X509_NAME *name, const char *key, const char *value)
{
	must(X509_NAME_add_entry_by_txt(name, key, MBSTRING_UTF8, (const unsigned char *)value, -1,
					-1, 0) == 1,
	     key);
}

/* What a certificate says. */
struct wish {
	const char *name;      /* CN */
	const char *alt;       /* subjectAltName, NULL: none */
	const char *usage;     /* extendedKeyUsage, NULL: none */
	bool authority, weak;
	long from, to;	       /* seconds from now */
	const struct pair *by; /* NULL: by itself */
};

static struct pair issue(struct wish w)
{
	static long serial;
	struct pair p = {X509_new(), w.weak ? EVP_RSA_gen(1024) : EVP_EC_gen("P-256")};
	X509 *issuer = w.by == NULL ? p.cert : w.by->cert;
	X509_NAME *name;

	must(p.cert != NULL && p.key != NULL, "key");
	X509_set_version(p.cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(p.cert), ++serial);
	X509_gmtime_adj(X509_getm_notBefore(p.cert), w.from);
	X509_gmtime_adj(X509_getm_notAfter(p.cert), w.to);
	X509_set_pubkey(p.cert, p.key);
	name = X509_get_subject_name(p.cert);
	name_add(name, "O", "sockfs");
	name_add(name, "CN", w.name);
	X509_set_issuer_name(p.cert, X509_get_subject_name(issuer));
	add_extension(p.cert, issuer, NID_subject_key_identifier, "hash");
	if (w.by != NULL)
		add_extension(p.cert, issuer, NID_authority_key_identifier, "keyid");
	add_extension(p.cert, issuer, NID_basic_constraints,
		      w.authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
	if (w.authority)
		add_extension(p.cert, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
	if (w.alt != NULL)
		add_extension(p.cert, issuer, NID_subject_alt_name, w.alt);
	if (w.usage != NULL)
		add_extension(p.cert, issuer, NID_ext_key_usage, w.usage);
	must(X509_sign(p.cert, w.by == NULL ? p.key : w.by->key, EVP_sha256()) > 0, "sign");
	return p;
}

static X509_CRL *revoke(const struct pair *ca, X509 *cert)
{
	X509_CRL *crl = X509_CRL_new();
	X509_REVOKED *entry = X509_REVOKED_new();
	ASN1_TIME *now = X509_gmtime_adj(NULL, -60), *then = X509_gmtime_adj(NULL, 30 * DAY);

	X509_CRL_set_version(crl, 1);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(ca->cert));
	X509_CRL_set1_lastUpdate(crl, now);
	X509_CRL_set1_nextUpdate(crl, then);
	X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(cert));
	X509_REVOKED_set_revocationDate(entry, now);
	must(X509_CRL_add0_revoked(crl, entry) == 1, "revoke");
	must(X509_CRL_sign(crl, ca->key, EVP_sha256()) > 0, "sign a list");
	ASN1_TIME_free(now);
	ASN1_TIME_free(then);
	return crl;
}

/* Write into DIR/NAME what is not NULL, in the order of the arguments. */
static void save(const char *dir, const char *name, const X509 *first, const X509 *second,
		 const EVP_PKEY *key, const char *passphrase, const X509_CRL *crl)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	must(f != NULL, path);
	if (first != NULL)
		PEM_write_X509(f, first);
	if (second != NULL)
		PEM_write_X509(f, second);
	if (crl != NULL)
		PEM_write_X509_CRL(f, crl);
	if (key != NULL)
		PEM_write_PKCS8PrivateKey(f, key, passphrase == NULL ? NULL : EVP_aes_128_cbc(),
					  NULL, 0, NULL, (void *)passphrase);
	must(fclose(f) == 0, path);
}

static void pair_free(struct pair *p)
{
	X509_free(p->cert);
	EVP_PKEY_free(p->key);
}

/* One that @by signs for @name, saved as @file with its key. */
static struct pair make(const char *dir, const char *file, struct wish w)
{
	struct pair p = issue(w);

	save(dir, file, p.cert, NULL, p.key, NULL, NULL);
	return p;
}

static void make_chain(const char *dir, const struct pair *ca, const char *here)
{
	struct pair middle = issue((struct wish){.name = "middle", .authority = true, .from = -DAY,
						 .to = 30 * DAY, .by = ca});
	struct pair leaf = issue((struct wish){.name = "localhost", .alt = here, .from = -DAY,
					       .to = 30 * DAY, .by = &middle});

	save(dir, "chain.pem", leaf.cert, middle.cert, leaf.key, NULL, NULL);
	save(dir, "disorder.pem", middle.cert, leaf.cert, leaf.key, NULL, NULL);
	save(dir, "orphan.pem", leaf.cert, NULL, leaf.key, NULL, NULL);
	pair_free(&middle);
	pair_free(&leaf);
}

void certs_make(const char *dir)
{
	static const char here[] = "DNS:localhost,IP:127.0.0.1,IP:::1,DNS:*.wild.test";
	struct pair ca = issue((struct wish){.name = "authority of tests", .authority = true,
					     .from = -DAY, .to = 300 * DAY});
	struct wish w = {.name = "localhost", .alt = here, .from = -DAY, .to = 30 * DAY, .by = &ca};
	struct pair good, other, some;
	X509_CRL *crl;

	save(dir, "ca.pem", ca.cert, NULL, NULL, NULL, NULL);
	some = issue((struct wish){.name = "another authority", .authority = true, .from = -DAY,
				   .to = 300 * DAY});
	save(dir, "other-ca.pem", some.cert, NULL, NULL, NULL, NULL);
	pair_free(&some);

	good = make(dir, "good.pem", w);
	save(dir, "good.crt", good.cert, NULL, NULL, NULL, NULL);
	save(dir, "good.key", NULL, NULL, good.key, NULL, NULL);
	save(dir, "locked.pem", good.cert, NULL, good.key, "secret", NULL);
	pair_free(&good);

	some = make(dir, "revoked.pem", w);
	crl = revoke(&ca, some.cert);
	save(dir, "ca-crl.pem", ca.cert, NULL, NULL, NULL, crl);
	X509_CRL_free(crl);
	pair_free(&some);

	w.weak = true;
	some = make(dir, "weak.pem", w);
	w.weak = false;
	pair_free(&some);
	w.usage = "clientAuth";
	some = make(dir, "client.pem", w);
	w.usage = NULL;
	pair_free(&some);

	w.to = -DAY;
	w.from = -30 * DAY;
	some = make(dir, "expired.pem", w);
	pair_free(&some);
	w.from = DAY;
	w.to = 30 * DAY;
	some = make(dir, "future.pem", w);
	pair_free(&some);
	w.from = -DAY;
	w.by = NULL;
	some = make(dir, "self.pem", w);
	pair_free(&some);

	w.by = &ca;
	w.name = "elsewhere.test";
	w.alt = "DNS:elsewhere.test";
	other = make(dir, "other.pem", w);
	save(dir, "other.key", NULL, NULL, other.key, NULL, NULL);
	pair_free(&other);
	make_chain(dir, &ca, here);
	pair_free(&ca);
}
