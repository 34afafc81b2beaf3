/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Texts of the ledger: see restore_i.h. */
#include "config.h"

#include "resume/restore_i.h"

#include <errno.h>
#include <string.h>

#include "journal/ledger.h"
#include "lib/util.h"

int text_load(struct text *text, uint32_t cell)
{
	*text = (struct text){NULL, 0};
	if (cell == 0)
		return 0;
	text->len = text_len(cell);
	text->bytes = malloc(text->len + 8);
	if (text->bytes == NULL)
		return -ENOMEM;
	if (text_read(cell, text->bytes, text->len) != text->len)
		return -EINVAL;
	return 0;
}

void text_drop(struct text *text)
{
	free(text->bytes);
	text->bytes = NULL;
}

const struct item *text_item(const struct text *text, const struct item *item)
{
	size_t pos = 0, left;

	if (text->bytes == NULL)
		return NULL;
	if (item != NULL)
		pos = (size_t)((const char *)item - text->bytes) + sizeof(*item) +
		      ALIGN_UP((size_t)item->len, (size_t)8);
	if (pos + sizeof(*item) > text->len)
		return NULL;
	item = (const struct item *)(text->bytes + pos);
	left = text->len - pos - sizeof(*item);
	return item->len <= left ? item : NULL;
}
