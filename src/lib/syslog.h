/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * syslog(3), but for one thing: nobody waits. Who reads the lines may be stopped or slow, and then
 * the queue of its socket is full; that of the C library waits for it, and everybody who waits for
 * this process with it.
 *
 * Nothing here allocates, and there is one descriptor at most, which is opened by the first line.
 * One thread.
 */
#ifndef LIB_SYSLOG_H
#define LIB_SYSLOG_H

#include <stdbool.h>

/*
 * Send @text as @prog's, with the process id, facility daemon and this @level, a number of
 * syslog(3). False: there is no room for it, or no descriptor. Where nobody is there to take it, it
 * goes nowhere and is true, as there.
 */
bool syslog_line(const char *prog, int level, const char *text);

/* Close the descriptor, if there is one. */
void syslog_close(void);

#endif /* LIB_SYSLOG_H */
