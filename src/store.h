/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sockfs --store: mount, and leave the device with the service manager, which hands it to the
 * process that serves. So that one needs no right to mount, and may live in a mount namespace of its
 * own, from which no mount would get out: contrib/systemd.
 *
 * The words are those of sd_notify(3), FDSTORE=1, to the socket that NOTIFY_SOCKET names.
 */
#ifndef STORE_H
#define STORE_H

/* Give @fd away, and wait until it has been taken. 0, or -errno after a line in the log. */
int store_descriptor(int fd);

#endif /* STORE_H */
