/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hosts(5): the addresses that the administrator gives to names.
 */
#ifndef NET_HOSTS_H
#define NET_HOSTS_H

#include <stdio.h>

#include "net/core/resolve.h"

/*
 * All addresses that /etc/hosts has for @host, in its order, with the port @port (digits).
 * Capitals, and a dot at the end of @host, make no difference. The file is read anew each
 * time. Returns 0 and a list for the caller to free(), -ENXIO if there is none, or no such
 * file, -ENOMEM, -EMFILE, -ENFILE; *ret_list is untouched on failure.
 */
int hosts_lookup(const char *host, const char *port, struct addr_list **ret_list);

/* The same of an open file: 0, -ENXIO or -ENOMEM. */
int hosts_read(FILE *f, const char *host, const char *port, struct addr_list **ret_list);

#endif /* NET_HOSTS_H */
