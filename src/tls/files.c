/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Certificates and keys from files, opened with the rights of who asks. */
#include "config.h"

#include "tls/files.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/util.h"

#define FILE_MAX (1u << 20) /* bytes of a PEM file */
#define CACHE_MAX 16	    /* files */
#define TICK_MAX 3	    /* seconds: more than the coarsest clock of a file system has */

/* A file as it was when it was read. */
struct pem {
	struct stat st;
	STACK_OF(X509_INFO) *infos; /* all that is in it; NULL: no file */
	X509_STORE *store;	    /* made of it when it is first asked for */
};

static X509_STORE *system_store;
static struct stat system_file, system_dir; /* as they were then; st_ino 0: there was none */
static bool system_may_differ;		    /* they may have changed since and look the same */
static struct pem cache[CACHE_MAX];
static unsigned int cache_next; /* gives way to the next */

static void pem_free(struct pem *pem)
{
	sk_X509_INFO_pop_free(pem->infos, X509_INFO_free);
	X509_STORE_free(pem->store);
	*pem = (struct pem){.infos = NULL};
}

/* Nothing has been done to it in between. */
static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       memcmp(&a->st_mtim, &b->st_mtim, sizeof(a->st_mtim)) == 0 &&
	       memcmp(&a->st_ctim, &b->st_ctim, sizeof(a->st_ctim)) == 0;
}

/* ------------------------------------------------------------- the system's authorities */

/* Names as openssl-rehash(1) gives them: 5ed36f99.0 */
static bool is_hashed(const char *name)
{
	return strlen(name) >= 10 && strspn(name, "0123456789abcdef") == 8 && name[8] == '.' &&
	       isdigit((unsigned char)name[9]);
}

static bool is_shortage(int err)
{
	return err == ENOMEM || err == EMFILE || err == ENFILE;
}

static int count(X509_STORE *store)
{
	return sk_X509_OBJECT_num(X509_STORE_get0_objects(store));
}

/* What is not there, or is no certificate, adds none; false: the system is short of something. */
static bool load_file(X509_STORE *store, const char *path)
{
	bool ok = true;
	unsigned long err;

	ERR_clear_error();
	if (X509_STORE_load_file(store, path) == 1)
		return true;
	while ((err = ERR_get_error()) != 0)
		if (ERR_SYSTEM_ERROR(err) && is_shortage(ERR_GET_REASON(err)))
			ok = false;
	return ok;
}

static bool load_dir(X509_STORE *store, const char *path)
{
	DIR *dir = opendir(path);
	char file[4096];
	struct dirent *entry;
	bool ok = true;

	if (dir == NULL)
		return !is_shortage(errno);
	while (ok && (entry = readdir(dir)) != NULL) {
		if (!is_hashed(entry->d_name))
			continue;
		snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
		ok = load_file(store, file);
	}
	closedir(dir);
	return ok;
}

/* OpenSSL's usual place, or what the variable @env says. */
static const char *place(const char *env, const char *usual, bool *ret_is_usual)
{
	const char *path = getenv(env);

	*ret_is_usual = path == NULL;
	return path != NULL ? path : usual;
}

static void look_at(const char *path, struct stat *ret_st)
{
	if (stat(path, ret_st) != 0)
		*ret_st = (struct stat){.st_ino = 0};
}

/* A change that comes within the same tick of the file system's clock cannot be seen. */
static bool is_fresh(const struct stat *st, time_t now)
{
	return st->st_ctim.tv_sec <= now && now - st->st_ctim.tv_sec < TICK_MAX;
}

/*
 * Read them if there is something new. -ENOMEM: that is not known, for the system is short of
 * memory or descriptors; it stays as it was.
 */
static int system_refresh(void)
{
	bool usual_file, usual_dir, ok;
	const char *file = place(X509_get_default_cert_file_env(), X509_get_default_cert_file(),
				 &usual_file);
	const char *dir = place(X509_get_default_cert_dir_env(), X509_get_default_cert_dir(),
				&usual_dir);
	struct stat file_st, dir_st;
	time_t now = time(NULL);
	X509_STORE *store;

	look_at(file, &file_st);
	look_at(dir, &dir_st);
	if (system_store != NULL && !system_may_differ && is_same(&file_st, &system_file) &&
	    is_same(&dir_st, &system_dir))
		return 0;
	store = X509_STORE_new();
	ok = store != NULL && load_file(store, file);
	if (ok && (!usual_dir || (usual_file && count(store) == 0)))
		ok = load_dir(store, dir);
	ERR_clear_error();
	if (!ok) {
		X509_STORE_free(store);
		return -ENOMEM;
	}
	/* Who is shaking hands has the old one still. */
	X509_STORE_free(system_store);
	system_store = store;
	system_file = file_st;
	system_dir = dir_st;
	system_may_differ = is_fresh(&file_st, now) || is_fresh(&dir_st, now);
	return 0;
}

int files_init(void)
{
	return system_refresh();
}

void files_exit(void)
{
	for (size_t i = 0; i < CACHE_MAX; i++)
		pem_free(&cache[i]);
	X509_STORE_free(system_store);
	system_store = NULL;
}

/* --------------------------------------------------------------- somebody else's rights */

static bool rights_are_theirs;

/*
 * 0, or -EACCES. rights_drop() must follow in any case. Who has mounted needs no other rights, and the
 * daemon may have left us none to take (priv/priv.h).
 */
static int rights_take(const struct tls_open *open)
{
	gid_t groups[TLS_GROUPS_MAX];

	if (open->uid == geteuid())
		return 0;
	if (geteuid() != 0)
		return -EACCES;
	for (uint32_t i = 0; i < open->nr_groups; i++)
		groups[i] = open->groups[i];
	if (setgroups(open->nr_groups, groups) != 0)
		return -EACCES;
	rights_are_theirs = true;
	setfsgid(open->gid);
	setfsuid(open->uid);
	/* These two do not say whether they have succeeded. */
	if ((gid_t)setfsgid((gid_t)-1) != open->gid || (uid_t)setfsuid((uid_t)-1) != open->uid)
		return -EACCES;
	return 0;
}

static void rights_drop(void)
{
	if (!rights_are_theirs)
		return;
	rights_are_theirs = false;
	setfsuid(0);
	setfsgid(getegid());
	if (setgroups(0, NULL) != 0 || setfsuid((uid_t)-1) != 0)
		abort(); /* never serve the next with these rights */
}

static int open_as(const struct tls_open *open_msg, const char *path)
{
	int err = rights_take(open_msg);
	int fd = err;

	if (err == 0) {
		/* A FIFO would wait for a writer. */
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
		if (fd < 0)
			fd = -errno;
	}
	rights_drop();
	return fd;
}

/* ------------------------------------------------------------------------- PEM files */

/* Somebody who types a passphrase is not there. */
static int no_passphrase(char *buf, int size, int rwflag, void *arg)
{
	(void)buf;
	(void)size;
	(void)rwflag;
	(void)arg;
	return 0;
}

/* All that @fd holds, or NULL and why. */
static STACK_OF(X509_INFO) *pem_read(int fd, off_t size, const char *path, struct reason *r)
{
	STACK_OF(X509_INFO) *infos = NULL;
	size_t len = (size_t)size;
	char *text = malloc(len + 1);
	ssize_t n = -1;
	BIO *bio;

	if (text != NULL)
		n = pread(fd, text, len, 0);
	if (n < 0) {
		reason_set(r, text == NULL ? ENOMEM : errno, "%s: %s", path, strerror(errno));
		free(text);
		return NULL;
	}
	bio = BIO_new_mem_buf(text, (int)n);
	if (bio != NULL)
		infos = PEM_X509_INFO_read_bio(bio, NULL, no_passphrase, NULL);
	if (infos == NULL)
		reason_set(r, EINVAL, "%s: %s", path, reason_library());
	BIO_free(bio);
	OPENSSL_cleanse(text, len);
	free(text);
	return infos;
}

/* The file @path, from the cache or read now; NULL and why. */
static struct pem *pem_get(const struct tls_open *open_msg, const char *path, struct reason *r)
{
	struct pem *pem = &cache[cache_next];
	STACK_OF(X509_INFO) *infos = NULL;
	struct stat st;
	int fd = open_as(open_msg, path);

	if (fd < 0) {
		reason_set(r, -fd, "%s: %s", path, strerror(-fd));
		return NULL;
	}
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > FILE_MAX) {
		reason_set(r, EINVAL, "%s: not a file of certificates", path);
		goto close_fd;
	}
	for (size_t i = 0; i < CACHE_MAX; i++) {
		if (cache[i].infos != NULL && is_same(&cache[i].st, &st)) {
			close(fd);
			return &cache[i];
		}
	}
	infos = pem_read(fd, st.st_size, path, r);
	if (infos == NULL)
		goto close_fd;
	pem_free(pem);
	*pem = (struct pem){.st = st, .infos = infos};
	cache_next = (cache_next + 1) % CACHE_MAX;
close_fd:
	close(fd);
	return infos == NULL ? NULL : pem;
}

/* The authorities of a file; with revocation lists among them, these are asked, too. */
static X509_STORE *pem_store(struct pem *pem, const char *path, struct reason *r)
{
	int certs = 0, lists = 0;

	if (pem->store != NULL)
		return pem->store;
	pem->store = X509_STORE_new();
	for (int i = 0; pem->store != NULL && i < sk_X509_INFO_num(pem->infos); i++) {
		const X509_INFO *info = sk_X509_INFO_value(pem->infos, i);

		if (info->x509 != NULL)
			certs += X509_STORE_add_cert(pem->store, info->x509);
		if (info->crl != NULL)
			lists += X509_STORE_add_crl(pem->store, info->crl);
	}
	if (pem->store == NULL || certs == 0) {
		reason_set(r, pem->store == NULL ? ENOMEM : EINVAL, "%s: no certificate", path);
		X509_STORE_free(pem->store);
		pem->store = NULL;
		return NULL;
	}
	if (lists > 0)
		X509_STORE_set_flags(pem->store, X509_V_FLAG_CRL_CHECK);
	return pem->store;
}

/* The first certificate is ours, the others lead to its authority. */
static X509 *pem_cert(const struct pem *pem, STACK_OF(X509) *chain)
{
	X509 *cert = NULL;

	for (int i = 0; i < sk_X509_INFO_num(pem->infos); i++) {
		X509 *x509 = sk_X509_INFO_value(pem->infos, i)->x509;

		if (x509 != NULL && cert == NULL)
			cert = x509;
		else if (x509 != NULL)
			sk_X509_push(chain, x509);
	}
	return cert;
}

static EVP_PKEY *pem_key(const struct pem *pem)
{
	for (int i = 0; i < sk_X509_INFO_num(pem->infos); i++) {
		const X509_INFO *info = sk_X509_INFO_value(pem->infos, i);

		if (info->x_pkey != NULL && info->x_pkey->dec_pkey != NULL)
			return info->x_pkey->dec_pkey;
	}
	return NULL;
}

static bool apply_cert(SSL *ssl, const struct tls_msg *msg, struct reason *r)
{
	const char *path = tls_msg_text(msg, TLS_OPEN_CERT);
	const char *key_path = tls_msg_text(msg, TLS_OPEN_KEY);
	STACK_OF(X509) *chain;
	struct pem *pem = pem_get(&msg->open, path, r);
	EVP_PKEY *key;
	X509 *cert;
	int ok;

	if (pem == NULL)
		return false;
	chain = sk_X509_new_null();
	cert = chain == NULL ? NULL : pem_cert(pem, chain);
	if (cert == NULL) {
		reason_set(r, EINVAL, "%s: no certificate", path);
		sk_X509_free(chain);
		return false;
	}
	/* What gives way in the cache to the key's file must stay that long. */
	X509_up_ref(cert);
	for (int i = 0; i < sk_X509_num(chain); i++)
		X509_up_ref(sk_X509_value(chain, i));
	if (key_path[0] != '\0')
		pem = pem_get(&msg->open, key_path, r);
	else
		key_path = path;
	key = pem == NULL ? NULL : pem_key(pem);
	if (pem != NULL && key == NULL)
		reason_set(r, ENOKEY, "%s: no key, or one with a passphrase", key_path);
	ok = key != NULL && SSL_use_cert_and_key(ssl, cert, key, chain, 1) == 1;
	if (key != NULL && !ok)
		reason_set(r, EKEYREJECTED, "%s: %s", path, reason_library());
	X509_free(cert);
	sk_X509_pop_free(chain, X509_free);
	return ok;
}

bool files_apply(SSL *ssl, const struct tls_msg *msg, struct reason *r)
{
	const char *ca = tls_msg_text(msg, TLS_OPEN_CA);
	X509_STORE *store;

	if (ca[0] != '\0') {
		struct pem *pem = pem_get(&msg->open, ca, r);

		store = pem == NULL ? NULL : pem_store(pem, ca, r);
	} else {
		(void)system_refresh();
		store = system_store;
	}
	if (store == NULL)
		return false;
	if (SSL_set1_verify_cert_store(ssl, store) != 1) {
		reason_set(r, ENOMEM, "%s", strerror(ENOMEM));
		return false;
	}
	return tls_msg_text(msg, TLS_OPEN_CERT)[0] == '\0' || apply_cert(ssl, msg, r);
}
