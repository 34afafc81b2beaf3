/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Settings in a path that dials: text to values, and values to a socket. Names and
 * values are those of the command set; the order within a component does not count.
 */
#include "config.h"

#include "ctl/dial_settings.h"

#include <errno.h>
#include <string.h>

#include "fs/dcache.h"
#include "net/socket.h"
#include "uapi/sockopt.h"

size_t dial_settings_size(void)
{
	return sizeof(struct dial_settings) + nr_sockopts * sizeof(int);
}

bool dial_settings_is(const char *name)
{
	return strchr(name, '=') != NULL;
}

/* "OPTION=VALUE" of a list; @text is changed. */
static int parse_one(char *text, struct dial_settings *settings)
{
	char *value = strchr(text, '=');
	const struct sockopt *so;
	struct sockfs_sockopt opt;
	long number;
	int err;

	if (value == NULL)
		return -EINVAL;
	*value++ = '\0';
	so = sockopt_by_name(text);
	if (so == NULL || sockopt_is_readonly(so) || so->kind == SOCKOPT_PROTO ||
	    so->kind == SOCKOPT_STRING)
		return -ENOENT;
	err = sockopt_parse(so, value, &opt);
	if (err == 0)
		err = sockopt_value(so, &opt, &number);
	if (err != 0)
		return err;
	settings->value[so - sockopts] = (int)number;
	settings->set |= UINT64_C(1) << (so - sockopts);
	return 0;
}

int dial_settings_parse(const char *name, struct dial_settings *settings)
{
	char text[NAME_MAX_BYTES + 1], *rest = text, *one;
	int err = 0;

	memcpy(text, name, strlen(name) + 1);
	/* Not strtok_r, which takes ",," for one comma. */
	while (err == 0 && (one = strsep(&rest, ",")) != NULL)
		err = parse_one(one, settings);
	return err;
}

int dial_settings_apply(const struct dial_settings *settings, struct socket *sock)
{
	struct sockfs_sockopt opt;
	int err = 0;

	for (size_t i = 0; err == 0 && i < nr_sockopts; i++) {
		if (!(settings->set & UINT64_C(1) << i))
			continue;
		err = sockopt_make(&sockopts[i], settings->value[i], &opt);
		if (err == 0)
			err = sock_setsockopt(sock, &opt);
	}
	return err;
}
