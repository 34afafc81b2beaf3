/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Texts of a grammar's words, so that few inputs are rejected by their first byte. */
#include "config.h"

#include "fuzz.h"

#include <string.h>

size_t fuzz_text(const uint8_t *data, size_t size, const char *const *words, size_t nr, char *text,
		 size_t room)
{
	size_t n = 0;

	if (size == 0)
		return 0;
	if (data[0] % 4 == 0) {
		n = size - 1 < room ? size - 1 : room;
		memcpy(text, data + 1, n);
		return n;
	}
	for (size_t i = 1; i < size; i++) {
		const char *word = words[data[i] % nr];

		if (n + strlen(word) > room)
			break;
		memcpy(text + n, word, strlen(word));
		n += strlen(word);
	}
	return n;
}
