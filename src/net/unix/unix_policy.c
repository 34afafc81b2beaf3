/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who may use which paths of UNIX sockets: the prefixes of the mount, and the policy file.
 *
 * Behind such a path there is often a service that trusts whoever may open it. So it is
 * none for others than the daemon's user unless the administrator has said so; then the
 * modes of the path decide, as for any process of theirs.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "net/unix/unix.h"
#include "policy/path.h"
#include "policy/policy.h"

struct prefix {
	SLIST_ENTRY(prefix) next;
	size_t len;
	char text[];
};

static SLIST_HEAD(, prefix) prefixes = SLIST_HEAD_INITIALIZER(prefixes);

int unix_policy_add(const char *text)
{
	size_t len = strlen(text), link;
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
	return path_has_link(text, &link) ? -ELOOP : 0;
}

void unix_policy_clear(void)
{
	struct prefix *p;

	while ((p = SLIST_FIRST(&prefixes)) != NULL) {
		SLIST_REMOVE_HEAD(&prefixes, next);
		free(p);
	}
}

static bool is_below(const char *path, const struct prefix *p)
{
	if (strncmp(path, p->text, p->len) != 0)
		return false;
	return p->text[0] == '@' || path[p->len] == '/' || path[p->len] == '\0';
}

/* A path as it was written may climb out of what it begins with; one of the kernel's does not. */
static bool climbs(const char *path)
{
	for (const char *s = path; path[0] == '/' && (s = strstr(s, "/..")) != NULL; s++)
		if (s[3] == '/' || s[3] == '\0')
			return true;
	return false;
}

/* Do the prefixes have a say in what @cred may use? */
static bool needs_prefix(const struct cred *cred)
{
	return cred->uid != geteuid() && !(policy_has_file() && SLIST_EMPTY(&prefixes));
}

static int ask_prefixes(const struct cred *cred, const char *path)
{
	const struct prefix *p;

	if (!needs_prefix(cred))
		return 0;
	SLIST_FOREACH(p, &prefixes, next)
		if (is_below(path, p))
			return 0;
	return -EACCES;
}

/* Before the policy file is asked. */
static int ask(const struct cred *cred, const char *path)
{
	if (!unix_policy_asks(cred))
		return 0;
	return climbs(path) ? -EACCES : ask_prefixes(cred, path);
}

bool unix_policy_asks(const struct cred *cred)
{
	return needs_prefix(cred) || policy_has_file();
}

int unix_policy_connect(const struct cred *cred, const char *path, bool tell)
{
	int err = ask(cred, path);

	return err != 0 ? err : policy_connect_path(cred, UNIX_WORD, path, tell);
}

int unix_policy_listen(const struct cred *cred, const char *path, bool tell)
{
	int err = ask(cred, path);

	return err != 0 ? err : policy_listen_path(cred, UNIX_WORD, path, tell);
}

int unix_policy_may(const struct cred *cred, const char *path)
{
	return unix_policy_connect(cred, path, false);
}

bool unix_policy_leads(const struct cred *cred, const char *path)
{
	size_t len = strlen(path);
	bool leads = ask(cred, path) == 0;
	const struct prefix *p;

	SLIST_FOREACH(p, &prefixes, next)
		leads = leads || (strncmp(p->text, path, len) == 0 && p->text[len] == '/');
	return leads && (policy_leads(cred, UNIX_WORD, path) ||
			 policy_connect_path(cred, UNIX_WORD, path, false) == 0);
}
