/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Words between run, the maker and init: one socket, whose other end closes when they die.
 */
#ifndef RUN_SYNC_H
#define RUN_SYNC_H

#include <sys/types.h>

/* "Go on." 0 or -errno. */
int sync_tell(int fd);
/* Wait for it. 0, or -EPIPE: the other side is gone. */
int sync_wait(int fd);
/* A process number and a descriptor. 0 or -errno. */
int sync_send(int fd, pid_t pid, int passed);
/* Wait for them: *ret_passed is the caller's. 0, or -EPIPE. */
int sync_receive(int fd, pid_t *ret_pid, int *ret_passed);

#endif /* RUN_SYNC_H */
