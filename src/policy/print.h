/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules to text, as they hold: numbers where the file has names of users, groups and
 * services, and each rule on the line where it was.
 */
#ifndef POLICY_PRINT_H
#define POLICY_PRINT_H

struct policy;

/* For policy_parse_printed(); never empty, for free(). NULL: no memory. */
char *policy_print(const struct policy *p);

#endif /* POLICY_PRINT_H */
