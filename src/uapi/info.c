/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The status of a socket as text.
 */
#include "config.h"

#include "uapi/info.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "uapi/addr.h"
#include "uapi/sockopt.h"
#include "uapi/state.h"

const char *info_strerror(int err)
{
	/* strerror's "No such device or address" says it to nobody. */
	return err == ENXIO ? "Unknown host or service" : strerror(err);
}

const char *info_error_text(const struct sockfs_info *info)
{
	/* "No route to host" would have people look at their routes. */
	if ((info->flags & SOCKFS_INFO_LOOKUP) && info->error == EHOSTUNREACH)
		return "No name server answers";
	return info_strerror(info->error);
}

static size_t fields_text(const struct sockfs_info *info, char *buf, size_t size)
{
	char local[ADDR_TEXT_MAX], remote[ADDR_TEXT_MAX];
	int n;

	addr_format(&info->local, local, sizeof(local));
	addr_format(&info->remote, remote, sizeof(remote));
	n = snprintf(buf, size,
		     "proto %.*s\nstate %s\nlocal %s\nremote %s\n"
		     "recvq %" PRIu32 "\nsendq %" PRIu32 "\n"
		     "rx_bytes %" PRIu64 "\ntx_bytes %" PRIu64 "\naccepted %" PRIu64 "\n"
		     "error %" PRId32 "%s%s\nino %" PRIu64 "\nsk_ino %" PRIu64 "\n",
		     (int)sizeof(info->proto), info->proto, state_name(info->state), local, remote, info->recvq,
		     info->sendq, (uint64_t)info->rx_bytes, (uint64_t)info->tx_bytes,
		     (uint64_t)info->accepted, info->error,
		     info->error ? " " : "", info->error ? info_error_text(info) : "",
		     (uint64_t)info->ino, (uint64_t)info->sk_ino);
	return (size_t)n;
}

static size_t option_text(const struct sockopt *so, info_getopt_t *getopt, void *arg, char *buf,
			  size_t size)
{
	struct sockfs_sockopt opt = {
		.level = so->level,
		.name = so->optname,
		.len = sizeof(opt.value),
	};
	char value[sizeof(opt.value) + 1];

	if (getopt(arg, &opt) != 0 || sockopt_format(so, &opt, value, sizeof(value)) < 0)
		strcpy(value, "-");
	return (size_t)snprintf(buf, size, "%s %s\n", so->name, value);
}

static size_t text_text(const struct sockopt *so, info_gettext_t *gettext, void *arg, char *buf,
			size_t size)
{
	struct sockfs_text text = {.level = so->level, .name = so->optname};

	if (gettext(arg, &text) != 0 || text.text[0] == '\0')
		strcpy(text.text, "-");
	return (size_t)snprintf(buf, size, "%s %.*s\n", so->name, (int)sizeof(text.text) - 1,
				text.text);
}

size_t info_text(const struct sockfs_info *info, info_getopt_t *getopt, info_gettext_t *gettext,
		 void *arg, char *buf)
{
	size_t len = fields_text(info, buf, INFO_TEXT_MAX);
	char proto[sizeof(info->proto) + 1];

	snprintf(proto, sizeof(proto), "%.*s", (int)sizeof(info->proto), info->proto);

	for (size_t i = 0; i < nr_sockopts; i++) {
		if (!sockopt_is_listed(&sockopts[i]) || !sockopt_taken_by(&sockopts[i], proto))
			continue;
		if (sockopt_is_text(&sockopts[i]))
			len += text_text(&sockopts[i], gettext, arg, buf + len,
					 INFO_TEXT_MAX - len);
		else
			len += option_text(&sockopts[i], getopt, arg, buf + len,
					   INFO_TEXT_MAX - len);
	}
	return len;
}
