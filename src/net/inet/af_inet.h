/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The family of the internet protocols.
 */
#ifndef NET_INET_AF_INET_H
#define NET_INET_AF_INET_H

/* Register the protocols and the family. 0 or -errno, and nothing is registered then. */
int inet_init(void);
/* After the loop has run empty. 0, or -EBUSY when a sock is still out (logged). */
int inet_exit(void);

#endif /* NET_INET_AF_INET_H */
