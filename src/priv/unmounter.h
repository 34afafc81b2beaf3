/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process that does one thing: it unmounts. It keeps the rights of who mounted, which
 * the process that serves gives up (priv/priv.h), and it sleeps in read(2) until it is asked or
 * all the others are gone: they hold the other end of its socket in their common table of
 * descriptors (super/supervisor.h). So a mount does not stay behind dead, even if all of them
 * are killed at once, and it reads nothing but that one byte.
 *
 * It is no child of theirs and has no descriptor in common with them, so it does not keep
 * the device open. Signals that end the others are blocked in it; it belongs to no terminal.
 */
#ifndef PRIV_UNMOUNTER_H
#define PRIV_UNMOUNTER_H

#include <stdbool.h>

/*
 * The mount on @mountpoint has been made: note which it is, and make the process, in which
 * @unmount(@arg) unmounts. @quiet: it says what it has to say to syslog(3), and holds no
 * standard descriptor. @mountpoint must live as long as the process. 0 or -errno; then
 * unmounter_sees_mount() works all the same.
 */
int unmounter_start(const char *mountpoint, void (*unmount)(void *arg), void *arg, bool quiet);

/* Is the mount still there, and on top? What somebody else has mounted since then is not it. */
bool unmounter_sees_mount(void);

/*
 * Have it unmount, and end; wait until it has tried. Without @still_there somebody else has
 * unmounted, and it only ends: it is not to take for ours what may be mounted there next. False:
 * nobody is there to do it. In any of the processes that share descriptors with the one that
 * called unmounter_start().
 */
bool unmounter_ask(bool still_there);

/*
 * For a program that goes on where another one was: the process that @fd leads to unmounts what
 * is mounted on @mountpoint, which lives as long as this process. 0, or -ENOENT: nothing is.
 */
int unmounter_adopt(int fd, const char *mountpoint);
/* The descriptor that leads to it; -1: there is none. */
int unmounter_fd(void);

#endif /* PRIV_UNMOUNTER_H */
