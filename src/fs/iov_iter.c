/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes of the daemon's own on their way to a reader. Twin of lib/iov_iter.c.
 */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "fs/fs.h"
#include "lib/util.h"

ssize_t copy_to_iter(const void *addr, size_t bytes, struct iov_iter *i)
{
	ssize_t n = (ssize_t)min(bytes, i->count);

	if (n == 0)
		return 0;
	if (i->iter_type == ITER_UBUF) {
		memcpy(i->buf, addr, (size_t)n);
	} else {
		do
			n = write(i->pipe, addr, min(bytes, i->count));
		while (n < 0 && errno == EINTR);
		if (n < 0)
			return -errno;
	}
	iov_iter_advance(i, (size_t)n);
	return n;
}
