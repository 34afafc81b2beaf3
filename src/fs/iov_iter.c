/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes of the daemon's own on their way to a reader. Twin of lib/iov_iter.c.
 */
#include "config.h"

#include <string.h>

#include "fs/fs.h"
#include "lib/util.h"

ssize_t copy_to_iter(const void *addr, size_t bytes, struct iov_iter *i)
{
	size_t n = min(bytes, i->count);

	if (n == 0)
		return 0;
	iov_iter_unpipe(i);
	memcpy(i->buf, addr, n);
	iov_iter_advance(i, n);
	return (ssize_t)n;
}
