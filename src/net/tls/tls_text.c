/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The options of TLS and what is told of a connection: texts, for the most part. They outlive
 * the process (struct proto: save): without them a file would dial on with other authorities
 * than it was told to trust.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mm/vmstat.h"
#include "net/tls/tls_i.h"

int tls_set(struct tls_sock *tls, enum tls_text which, const char *text)
{
	char *copy = NULL;

	if (text != NULL && text[0] != '\0') {
		copy = vm_strdup(text);
		if (copy == NULL)
			return -errno;
	}
	vm_strfree(tls->text[which]);
	tls->text[which] = copy;
	return 0;
}

int *tls_own_option(struct sock *sk, int optname)
{
	switch (optname) {
	case SOCKFS_SO_TLS_VERIFY:
		return &tls_sk(sk)->verify;
	case SOCKFS_SO_TLS_EOF:
		return &tls_sk(sk)->lax;
	default:
		return NULL;
	}
}

static int number_of(int optname)
{
	static const int numbers[TLS_TEXTS] = {
		[TLS_TEXT_CA] = SOCKFS_SO_TLS_CA,
		[TLS_TEXT_CERT] = SOCKFS_SO_TLS_CERT,
		[TLS_TEXT_KEY] = SOCKFS_SO_TLS_KEY,
		[TLS_TEXT_NAME] = SOCKFS_SO_TLS_NAME,
		[TLS_TEXT_ALPN] = SOCKFS_SO_TLS_ALPN,
		[TLS_TEXT_AGREED] = SOCKFS_SO_TLS,
		[TLS_TEXT_PEER] = SOCKFS_SO_TLS_PEER,
		[TLS_TEXT_FINGERPRINT] = SOCKFS_SO_TLS_FINGERPRINT,
		[TLS_TEXT_EXPIRES] = SOCKFS_SO_TLS_EXPIRES,
		[TLS_TEXT_ERROR] = SOCKFS_SO_TLS_ERROR,
	};

	for (int i = 0; i < TLS_TEXTS; i++)
		if (numbers[i] == optname)
			return i;
	return -ENOPROTOOPT;
}

int tls_text_option(struct sock *sk, int optname, char text[SOCKFS_TEXT_MAX])
{
	int which = number_of(optname);
	const char *from;

	if (which < 0)
		return which;
	from = tls_sk(sk)->text[which];
	if (from == NULL)
		return -ENODATA;
	/* What has no room is cut: the peer may call himself as he likes. */
	snprintf(text, SOCKFS_TEXT_MAX, "%s", from);
	return 0;
}

/* A file is opened by another process, so a path has to be whole; "-" is none again. */
int tls_set_text(struct sock *sk, int optname, const char *text)
{
	int which = number_of(optname);

	if (which < 0 || which >= TLS_TEXT_SETTINGS)
		return -ENOPROTOOPT;
	if (strcmp(text, "-") == 0)
		text = NULL;
	else if (which <= TLS_TEXT_KEY && text[0] != '/')
		return -EINVAL;
	else if (which == TLS_TEXT_NAME && strlen(text) >= SOCKFS_HOST_MAX)
		return -EINVAL;
	return tls_set(tls_sk(sk), (enum tls_text)which, text);
}

int tls_copy_texts(struct sock *to, const struct sock *from)
{
	const struct tls_sock *tls = container_of(from, struct tls_sock, sk);
	int err = 0;

	for (int i = 0; err == 0 && i < TLS_TEXT_SETTINGS; i++)
		err = tls_set(tls_sk(to), (enum tls_text)i, tls->text[i]);
	return err;
}

/* Behind it the texts, each with its NUL. */
struct tls_saved {
	int32_t verify, lax;
	uint32_t uid, gid;
	uint64_t link; /* the number of the connection, 0: there is none */
	uint32_t life;
	uint8_t deaf, told;
	uint8_t pad[2];
};

size_t tls_save(const struct sock *sk, char *buf, size_t size)
{
	const struct tls_sock *tls = container_of(sk, struct tls_sock, sk);
	struct tls_saved saved = {
		.verify = tls->verify, .lax = tls->lax, .uid = tls->uid, .gid = tls->gid};
	size_t len = sizeof(saved);

	if (size < len)
		return 0;
	if (tls->conn != NULL && tls->conn->file_fd < 0) {
		saved.link = tls->conn->link.id;
		saved.life = tls->conn->link.life;
		saved.deaf = tls->conn->deaf;
		saved.told = tls->conn->told;
	}
	memcpy(buf, &saved, len);
	for (int i = 0; i < TLS_TEXTS; i++) {
		const char *text = tls->text[i] != NULL ? tls->text[i] : "";
		size_t text_size = strlen(text) + 1;

		/* What a peer says of himself may be as long as he likes. */
		if (size - len < text_size)
			return i < TLS_TEXT_SETTINGS ? 0 : len;
		memcpy(buf + len, text, text_size);
		len += text_size;
	}
	return len;
}

int tls_resume(struct sock *sk, const char *buf, size_t len)
{
	struct tls_sock *tls = tls_sk(sk);
	struct tls_saved saved;
	size_t at = sizeof(saved);
	int err = 0;

	if (len < sizeof(saved))
		return -EINVAL;
	memcpy(&saved, buf, sizeof(saved));
	for (int i = 0; err == 0 && i < TLS_TEXTS; i++) {
		if (at == len && i >= TLS_TEXT_SETTINGS)
			break;
		if (at == len || memchr(buf + at, '\0', len - at) == NULL)
			return -EINVAL;
		err = tls_set(tls, (enum tls_text)i, buf + at);
		at += strlen(buf + at) + 1;
	}
	tls->verify = saved.verify != 0;
	tls->lax = saved.lax != 0;
	tls->uid = saved.uid;
	tls->gid = saved.gid;
	tls->link = saved.link;
	tls->life = saved.life;
	tls->deaf = saved.deaf != 0;
	tls->told = saved.told != 0;
	return err;
}
