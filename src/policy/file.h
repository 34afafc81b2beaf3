/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Policy files on disk.
 */
#ifndef POLICY_FILE_H
#define POLICY_FILE_H

#include <stddef.h>

struct policy;

/* More than that is not read. */
#define POLICY_SIZE_MAX (1u << 20)

/*
 * Read the regular file @path. 0 and *ret_policy, for policy_set() or policy_free(); or -errno, and
 * what is wrong in @ret_message: "PATH:LINE:COLUMN: reason" or "PATH: reason". Any thread may
 * call it, see policy_parse().
 */
int policy_read(const char *path, struct policy **ret_policy, char *ret_message, size_t size);

#endif /* POLICY_FILE_H */
