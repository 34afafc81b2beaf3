/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Take away what the helper does not need. It reads what strangers send, and has
 * keys in its memory.
 *
 * It keeps the right to become somebody else for the opening of a file (CAP_SETUID,
 * CAP_SETGID) and to read files as root does (CAP_DAC_READ_SEARCH, which is gone while it is
 * somebody else), where it had them. It cannot gain any right, is not dumped and
 * not traced by its like.
 */
#ifndef TLS_CONFINE_H
#define TLS_CONFINE_H

/* First of all, before there is a loop. 0 or -errno. */
int confine_process(void);
/*
 * When all is open: from now on only the system calls that serving takes. No program is
 * started, no socket made, no file opened but to be read. What is not allowed fails with
 * EPERM. Without libseccomp, or under a sanitizer, nothing is done. 0 or -errno.
 */
int confine_calls(void);

#endif /* TLS_CONFINE_H */
