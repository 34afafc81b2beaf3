/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages that came in part: see whole.h. */
#include "config.h"

#include "fuse/whole.h"

#include <string.h>
#include <unistd.h>

#include "lib/util.h"

/* No text has it, whatever its charset; of a last page of few bytes only so many are looked at. */
static const char mark[8] = {'\xff', '\xc0', '\xf7', '\xc1', '\xfe', '\xf5', '\xff', '\xc0'};

static size_t page_size(void)
{
	static size_t size;

	if (size == 0)
		size = (size_t)sysconf(_SC_PAGESIZE);
	return size;
}

void whole_mark(char *buf, size_t bytes)
{
	for (size_t at = page_size(); at < bytes; at += page_size())
		memcpy(buf + at, mark, sizeof(mark));
}

bool whole_is(const char *buf, size_t len)
{
	size_t last = len > 0 ? (len - 1) & ~(page_size() - 1) : 0;

	return last == 0 || memcmp(buf + last, mark, min(len - last, sizeof(mark))) != 0;
}
