/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The grammar of policy files; sockfs.policy(5) is the manual.
 */
#ifndef POLICY_PARSE_H
#define POLICY_PARSE_H

#include "policy/lex.h"
#include "policy/rules.h"

/*
 * Make rules of @text. 0 and *ret_policy (path NULL), which is the caller's for
 * policy_free(); -EINVAL or -ENOMEM and *ret_error. Names of users and groups are
 * looked up, which may take as long as the machine's user data base does; nothing
 * else of the process is touched, so any thread may call this.
 */
int policy_parse(const char *text, size_t size, struct policy **ret_policy,
		 struct policy_error *ret_error);
/*
 * The same of what policy_print() has made, which has but numbers. Its paths are taken as
 * they stand: a part that has become a symbolic link by now is no fault of theirs.
 */
int policy_parse_printed(const char *text, size_t size, struct policy **ret_policy,
			 struct policy_error *ret_error);

/* The number of a port: digits up to 65535, or a service of services(5). 0 or -EINVAL. */
int policy_parse_port(const char *text, unsigned int protos, uint32_t *ret_port);
/* The number of a user (a group), by number or name. 0, -EINVAL, or -errno of looking it up. */
int policy_parse_uid(const char *text, uint32_t *ret_uid);
int policy_parse_gid(const char *text, uint32_t *ret_gid);

#endif /* POLICY_PARSE_H */
