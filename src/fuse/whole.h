/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Is a message whole that another process was reading when it died?
 *
 * The kernel copies a message page by page, the header first. A process that is being killed
 * cannot have a page fetched that is not there, and memory can be moved at any time: then the
 * copying ends in the middle, the kernel gives the caller EIO, and the successor finds a
 * header whose data is another's. So each page of the buffer, but the first, begins with a
 * mark before it is read into, and a message is whole when the mark of its last page is gone.
 * To mark a page also has it there, so that it does not come to this but when memory moves.
 */
#ifndef FUSE_WHOLE_H
#define FUSE_WHOLE_H

#include <stdbool.h>
#include <stddef.h>

/* Mark the pages of @buf, which begins a page, as far as @bytes reach; 8 bytes more are ours. */
void whole_mark(char *buf, size_t bytes);
/* Has the message of @len bytes in @buf come to its end? Data as the mark is taken for it. */
bool whole_is(const char *buf, size_t len);

#endif /* FUSE_WHOLE_H */
