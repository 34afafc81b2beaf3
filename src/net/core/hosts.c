/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hosts(5).
 *
 * c-ares reads that file, too, but not as it is meant: 1.34 gives each name of a line the
 * addresses that any of them has elsewhere, and loses an address that another name had
 * before. So a name could be dialled that is somebody else's.
 */
#include "config.h"

#include "net/core/hosts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "uapi/addr.h"

#define BLANKS " \t\r\n"

/* Is the name @host, of which @len bytes count, among the words that are left of a line? */
static bool line_names(char *rest, const char *host, size_t len)
{
	const char *word;

	while ((word = strsep(&rest, BLANKS)) != NULL)
		if (len && strncasecmp(word, host, len) == 0 && word[len] == '\0')
			return true;
	return false;
}

/* 0 or -ENOMEM. What is no address is passed over. */
static int list_add(struct addr_list **list, const char *host, const char *port)
{
	struct sockfs_addr addr = {0};
	struct addr_list *more;
	size_t n = *list ? (*list)->n : 0;
	socklen_t len;

	if (strlen(host) >= sizeof(addr.host))
		return 0;
	strcpy(addr.host, host);
	snprintf(addr.port, sizeof(addr.port), "%s", port);
	more = realloc(*list, sizeof(*more) + (n + 1) * sizeof(more->addr[0]));
	if (!more)
		return -ENOMEM;
	more->n = n;
	*list = more;
	if (addr_to_sockaddr(&addr, AF_UNSPEC, &more->addr[n], &len) == 0)
		more->n++;
	return 0;
}

static int read_lines(FILE *f, const char *host, const char *port, struct addr_list **list)
{
	size_t len = strlen(host), size = 0;
	char *line = NULL;
	int err = 0;

	if (len && host[len - 1] == '.')
		len--;
	while (!err && getline(&line, &size, f) >= 0) {
		char *rest = line + strspn(line, BLANKS), *address;

		rest[strcspn(rest, "#")] = '\0';
		address = strsep(&rest, BLANKS);
		if (rest && line_names(rest, host, len))
			err = list_add(list, address, port);
	}
	/* A file that cannot be read to its end counts as far as it goes. */
	if (!err && !feof(f) && errno == ENOMEM)
		err = -ENOMEM;
	free(line);
	return err;
}

int hosts_read(FILE *f, const char *host, const char *port, struct addr_list **ret_list)
{
	struct addr_list *list = NULL;
	int err = read_lines(f, host, port, &list);

	if (!err && (!list || !list->n))
		err = -ENXIO;
	if (err)
		free(list);
	else
		*ret_list = list;
	return err;
}

int hosts_lookup(const char *host, const char *port, struct addr_list **ret_list)
{
	FILE *f = fopen("/etc/hosts", "re");
	int err;

	if (!f)
		return errno == EMFILE || errno == ENFILE || errno == ENOMEM ? -errno : -ENXIO;
	err = hosts_read(f, host, port, ret_list);
	fclose(f);
	return err;
}
