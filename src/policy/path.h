/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Paths and names of UNIX sockets, and the patterns that rules have of them.
 *
 * A path begins with a slash and is as the kernel has it: no symbolic link, no "." and
 * "..", no slash too many. A name in no directory begins with "@" (unix(7): abstract).
 * In a pattern "*" is any text and "?" any character, neither of them a slash of a path; "/" and
 * two stars at its end are all that is below.
 */
#ifndef POLICY_PATH_H
#define POLICY_PATH_H

#include <stdbool.h>
#include <stddef.h>

/* Is @pattern one? NULL, or what is wrong with it. */
const char *path_pattern_fault(const char *pattern);
/* Does @pattern hold for @path? Takes time as the product of their lengths at most. */
bool path_pattern_has(const char *pattern, const char *path);
/* Could it hold for something below the directory @dir ("/run")? */
bool path_pattern_leads(const char *pattern, const char *dir);

/*
 * The first part of @path, before any star or question mark, that is a symbolic link of
 * root's: *ret_len is where it ends. What is behind such a link no rule will be asked for, so whoever
 * wrote @path meant something else. Links of others do not count: they could keep a
 * policy from being read.
 */
bool path_has_link(const char *path, size_t *ret_len);

#endif /* POLICY_PATH_H */
