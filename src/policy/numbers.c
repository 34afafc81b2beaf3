/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names that stand for numbers: services, users, groups.
 */
#include "config.h"

#include <errno.h>
#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/parse.h"

/* What a data base may say of one name, at most. */
#define ENTRY_MAX (1 << 20)

/* Digits only, at most @max. -EAGAIN: it is not a number at all. */
static int parse_digits(const char *text, uint32_t max, uint32_t *ret_number)
{
	unsigned long long number;

	if (*text == '\0' || text[strspn(text, "0123456789")] != '\0')
		return -EAGAIN;
	errno = 0;
	number = strtoull(text, NULL, 10);
	if (errno != 0 || number > max)
		return -EINVAL;
	*ret_number = (uint32_t)number;
	return 0;
}

static int service_port(const char *name, const char *proto, uint32_t *ret_port)
{
	char buf[4096];
	struct servent entry, *found = NULL;

	if (getservbyname_r(name, proto, &entry, buf, sizeof(buf), &found) != 0 || found == NULL)
		return -EINVAL;
	*ret_port = ntohs((uint16_t)entry.s_port);
	return 0;
}

int policy_parse_port(const char *text, unsigned int protos, uint32_t *ret_port)
{
	int err = parse_digits(text, UINT16_MAX, ret_port);

	if (err != -EAGAIN)
		return err;
	if (protos != policy_proto("udp") && service_port(text, "tcp", ret_port) == 0)
		return 0;
	return service_port(text, "udp", ret_port);
}

/* The two data bases of accounts: fills *ret_id from @name. 0, -EINVAL: unknown, or -errno. */
static int ask_passwd(const char *name, char *buf, size_t size, uint32_t *ret_id)
{
	struct passwd entry, *found = NULL;
	int err = getpwnam_r(name, &entry, buf, size, &found);

	if (err == 0 && found != NULL)
		*ret_id = entry.pw_uid;
	return err != 0 ? -err : found != NULL ? 0 : -EINVAL;
}

static int ask_group(const char *name, char *buf, size_t size, uint32_t *ret_id)
{
	struct group entry, *found = NULL;
	int err = getgrnam_r(name, &entry, buf, size, &found);

	if (err == 0 && found != NULL)
		*ret_id = entry.gr_gid;
	return err != 0 ? -err : found != NULL ? 0 : -EINVAL;
}

static int parse_id(const char *text,
		    int (*ask)(const char *name, char *buf, size_t size, uint32_t *ret_id),
		    uint32_t *ret_id)
{
	int err = parse_digits(text, UINT32_MAX - 1, ret_id);

	if (err != -EAGAIN)
		return err;
	err = -ERANGE;
	for (size_t size = 1024; err == -ERANGE && size <= ENTRY_MAX; size *= 4) {
		char *buf = malloc(size);

		if (buf == NULL)
			return -ENOMEM;
		err = ask(text, buf, size, ret_id);
		free(buf);
	}
	/* What getpwnam(3) may say of a name that is not there. */
	return err == -ENOENT || err == -ESRCH || err == -EBADF || err == -EPERM ? -EINVAL : err;
}

int policy_parse_uid(const char *text, uint32_t *ret_uid)
{
	return parse_id(text, ask_passwd, ret_uid);
}

int policy_parse_gid(const char *text, uint32_t *ret_gid)
{
	return parse_id(text, ask_group, ret_gid);
}
