/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What ps(1) calls a process: its name (PR_SET_NAME) and the words of its command
 * line, which the kernel reads from where they were when the program began.
 *
 * A title that is longer than the command line goes on into the environment that lies
 * behind it (the kernel shows that: setproctitle(3bsd) does the same), so title_init()
 * gives the program a copy of its environment first.
 */
#ifndef SUPER_TITLE_H
#define SUPER_TITLE_H

/* Call it once, before anything keeps a pointer from getenv(3). Out of memory: no titles. */
void title_init(int argc, char **argv);
/* @name: 15 bytes, for ps -C and top; @text: the command line. Cut to what there is room for. */
void title_set(const char *name, const char *text);
/* As it was at title_init(). */
void title_restore(void);

#endif /* SUPER_TITLE_H */
