/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names and numbers for eyes (printable) and for programs (JSON).
 */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "sockctl/sockctl.h"
#include "uapi/addr.h"
#include "uapi/info.h"
#include "uapi/state.h"

/*
 * How many bytes the UTF-8 character at @s has, 0 if it is none: RFC 3629,
 * section 4, so no overlong forms, no surrogates, nothing over U+10FFFF.
 */
static size_t utf8_len(const unsigned char *s)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t i, len;

	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		len = 2;
	else if (s[0] >= 0xe0 && s[0] <= 0xef)
		len = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		len = 4;
	else
		return 0;
	if (s[0] == 0xe0)
		low = 0xa0;
	else if (s[0] == 0xed)
		high = 0x9f;
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xf4)
		high = 0x8f;
	if (s[1] < low || s[1] > high)
		return 0;
	/* The NUL at the end is no continuation byte, so this stops in time. */
	for (i = 2; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

void json_string(FILE *out, const char *string)
{
	const unsigned char *s = (const unsigned char *)string;
	size_t len;

	putc('"', out);
	for (; *s; s += len ? len : 1) {
		len = utf8_len(s);
		if (!len)
			fprintf(out, "\\ufffd%02x", *s);
		else if (*s == '"' || *s == '\\')
			fprintf(out, "\\%c", *s);
		else if (*s == '\n')
			fputs("\\n", out);
		else if (*s == '\t')
			fputs("\\t", out);
		else if (*s < 0x20 || *s == 0x7f)
			fprintf(out, "\\u%04x", *s);
		else
			fwrite(s, 1, len, out);
	}
	putc('"', out);
}

void json_name(FILE *out, const char *name)
{
	const unsigned char *s = (const unsigned char *)name;
	size_t len = 0;

	fputs("\"name\":", out);
	json_string(out, name);
	while (*s && (len = utf8_len(s)) > 0)
		s += len;
	if (!*s)
		return;
	fputs(",\"name_hex\":\"", out);
	for (s = (const unsigned char *)name; *s; s++)
		fprintf(out, "%02x", *s);
	putc('"', out);
}

void json_addr(FILE *out, const struct sockfs_addr *addr)
{
	char text[ADDR_TEXT_MAX];

	if (addr->host[0] || addr->port[0])
		json_string(out, addr_format(addr, text, sizeof(text)));
	else
		fputs("null", out);
}

void json_info(FILE *out, const char *name, const struct sockfs_info *info)
{
	char proto[sizeof(info->proto) + 1] = "";

	memcpy(proto, info->proto, sizeof(info->proto));
	json_name(out, name);
	fputs(",\"proto\":", out);
	json_string(out, proto);
	fprintf(out, ",\"state\":\"%s\",\"local\":", state_name(info->state));
	json_addr(out, &info->local);
	fputs(",\"remote\":", out);
	json_addr(out, &info->remote);
	fprintf(out, ",\"recvq\":%" PRIu32 ",\"sendq\":%" PRIu32, info->recvq, info->sendq);
	fprintf(out, ",\"rx_bytes\":%" PRIu64 ",\"tx_bytes\":%" PRIu64, (uint64_t)info->rx_bytes,
		(uint64_t)info->tx_bytes);
	fprintf(out, ",\"accepted\":%" PRIu64 ",\"error\":%" PRId32, (uint64_t)info->accepted,
		info->error);
	fputs(",\"error_text\":", out);
	if (info->error)
		json_string(out, info_error_text(info));
	else
		fputs("null", out);
	fprintf(out, ",\"ino\":%" PRIu64 ",\"sk_ino\":%" PRIu64, (uint64_t)info->ino,
		(uint64_t)info->sk_ino);
}

int shorten(char *text, int width, int room)
{
	int head = (room - 3) / 2, tail = room - 3 - head, at = 0, kept = 0;
	char *s = text, *cut = NULL;
	mbstate_t state;
	wchar_t wc;

	memset(&state, 0, sizeof(state));
	while (!cut || width - at > tail) {
		size_t len = mbrtowc(&wc, s, strlen(s), &state);
		int columns = wcwidth(wc);

		if (!cut && at + columns > head) {
			cut = s;
			kept = at;
		}
		at += columns;
		s += len;
	}
	memcpy(cut, "...", 3);
	memmove(cut + 3, s, strlen(s) + 1);
	return kept + 3 + width - at;
}

char *printable(const char *s, int *ret_width)
{
	char *text = malloc(4 * strlen(s) + 1), *end = text;
	mbstate_t state;
	wchar_t wc;
	size_t len;
	int columns, width = 0;

	if (!text)
		return NULL;
	memset(&state, 0, sizeof(state));
	while (*s) {
		len = mbrtowc(&wc, s, strlen(s), &state);
		columns = len == (size_t)-1 || len == (size_t)-2 ? -1 : wcwidth(wc);
		if (columns < 0) {
			end += sprintf(end, "\\x%02x", (unsigned char)*s);
			width += 4;
			len = 1;
			memset(&state, 0, sizeof(state));
		} else if (*s == '\\') {
			end = stpcpy(end, "\\\\");
			width += 2;
		} else {
			end = mempcpy(end, s, len);
			width += columns;
		}
		s += len;
	}
	*end = '\0';
	*ret_width = width;
	return text;
}
