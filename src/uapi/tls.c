/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages between the daemon and sockfs-tls: made, checked, taken apart. */
#include "config.h"

#include "uapi/tls.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "lib/util.h"

/* A text longer than this is cut where cutting is allowed: all of a message's find room. */
#define CUT_MAX 1024

BUILD_BUG_ON(sizeof(struct tls_msg) != TLS_MSG_MAX);
BUILD_BUG_ON(sizeof(struct tls_head) + sizeof(struct tls_opened) +
		     TLS_OPENED_TEXTS * (CUT_MAX + 1) >
	     TLS_MSG_MAX);

static const struct {
	size_t fields; /* bytes */
	unsigned int texts;
} types[] = {
	[TLS_MSG_HELLO] = {0, TLS_HELLO_TEXTS},
	[TLS_MSG_OPEN] = {sizeof(struct tls_open), TLS_OPEN_TEXTS},
	[TLS_MSG_OPENED] = {sizeof(struct tls_opened), TLS_OPENED_TEXTS},
	[TLS_MSG_EOF] = {0, TLS_EOF_TEXTS},
	[TLS_MSG_END] = {sizeof(struct tls_end), TLS_END_TEXTS},
};

void tls_msg_init(struct tls_msg *msg, enum tls_type type, uint64_t id)
{
	size_t len = sizeof(msg->head) + types[type].fields;

	memset(msg, 0, len);
	msg->head = (struct tls_head){TLS_VERSION, (uint16_t)type, (uint32_t)len, id};
}

static int add(struct tls_msg *msg, const char *text, size_t len)
{
	char *end = (char *)msg + msg->head.len;

	if (len >= TLS_MSG_MAX - msg->head.len)
		return -EMSGSIZE;
	memcpy(end, text, len);
	end[len] = '\0';
	msg->head.len += (uint32_t)len + 1;
	return 0;
}

int tls_msg_add(struct tls_msg *msg, const char *text)
{
	return text == NULL ? add(msg, "", 0) : add(msg, text, strlen(text));
}

void tls_msg_add_cut(struct tls_msg *msg, const char *text)
{
	(void)add(msg, text == NULL ? "" : text, text == NULL ? 0 : strnlen(text, CUT_MAX));
}

static bool fields_are_sane(const struct tls_msg *msg)
{
	switch (msg->head.type) {
	case TLS_MSG_OPEN:
		return (msg->open.kind == TLS_CLIENT || msg->open.kind == TLS_SERVER) &&
		       (msg->open.flags & ~TLS_OPEN_FLAGS) == 0 &&
		       msg->open.min_version <= 0xffff && msg->open.nr_groups <= TLS_GROUPS_MAX;
	case TLS_MSG_OPENED:
		return msg->opened.err >= 0 && msg->opened.unused == 0;
	case TLS_MSG_END:
		return msg->end.err >= 0 && msg->end.unused == 0;
	case TLS_MSG_HELLO:
		return msg->head.id == 0;
	default:
		return true;
	}
}

int tls_msg_check(const struct tls_msg *msg, size_t len)
{
	const struct tls_head *head = &msg->head;
	unsigned int texts = 0;
	size_t fixed;

	if (len < sizeof(*head))
		return -EPROTO;
	if (head->version != TLS_VERSION)
		return -EPROTONOSUPPORT;
	if (len > TLS_MSG_MAX || head->len != len || head->type == 0 ||
	    head->type >= ARRAY_SIZE(types))
		return -EPROTO;
	fixed = sizeof(*head) + types[head->type].fields;
	if (len <= fixed || !fields_are_sane(msg) || ((const char *)msg)[len - 1] != '\0')
		return -EPROTO;
	for (size_t i = fixed; i < len; i++)
		texts += ((const char *)msg)[i] == '\0';
	return texts == types[head->type].texts ? 0 : -EPROTO;
}

const char *tls_msg_text(const struct tls_msg *msg, unsigned int n)
{
	const char *text = (const char *)msg + sizeof(msg->head) + types[msg->head.type].fields;

	while (n-- > 0)
		text += strlen(text) + 1;
	return text;
}
