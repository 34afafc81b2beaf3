/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which paths of UNIX sockets others than the daemon's own user may use.
 *
 * Behind such a path there is often a service that trusts whoever may open it. So it is
 * none for them unless the administrator has said so; then the modes of the path decide,
 * as for any process of theirs.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "net/unix/unix.h"

struct prefix {
	SLIST_ENTRY(prefix) next;
	size_t len;
	char text[];
};

static SLIST_HEAD(, prefix) prefixes = SLIST_HEAD_INITIALIZER(prefixes);

int unix_policy_add(const char *text)
{
	size_t len = strlen(text);
	struct prefix *p;

	if (text[0] != '/' && text[0] != '@')
		return -EINVAL;
	/* "/run/" is "/run", and "/" is "". */
	while (text[0] == '/' && len > 0 && text[len - 1] == '/')
		len--;
	p = malloc(sizeof(*p) + len + 1);
	if (p == NULL)
		return -ENOMEM;
	p->len = len;
	memcpy(p->text, text, len);
	p->text[len] = '\0';
	SLIST_INSERT_HEAD(&prefixes, p, next);
	return 0;
}

void unix_policy_clear(void)
{
	struct prefix *p;

	while ((p = SLIST_FIRST(&prefixes)) != NULL) {
		SLIST_REMOVE_HEAD(&prefixes, next);
		free(p);
	}
}

/* A path that climbs may lead out of what it begins with. */
static bool climbs(const char *path)
{
	for (const char *s = path; (s = strstr(s, "/..")) != NULL; s++)
		if (s[3] == '/' || s[3] == '\0')
			return true;
	return false;
}

static bool is_below(const char *path, const struct prefix *p)
{
	if (strncmp(path, p->text, p->len) != 0)
		return false;
	return p->text[0] == '@' || path[p->len] == '/' || path[p->len] == '\0';
}

int unix_policy_may(const struct cred *cred, const char *path)
{
	const struct prefix *p;

	if (cred->uid == geteuid())
		return 0;
	if (path[0] == '/' && climbs(path))
		return -EACCES;
	SLIST_FOREACH(p, &prefixes, next)
		if (is_below(path, p))
			return 0;
	return -EACCES;
}

bool unix_policy_leads(const struct cred *cred, const char *path)
{
	size_t len = strlen(path);
	const struct prefix *p;

	if (unix_policy_may(cred, path) == 0)
		return true;
	SLIST_FOREACH(p, &prefixes, next)
		if (strncmp(p->text, path, len) == 0 && p->text[len] == '/')
			return true;
	return false;
}
