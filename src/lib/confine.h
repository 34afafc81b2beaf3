/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What each of our processes that confines itself does, whatever else it gives up.
 */
#ifndef LIB_CONFINE_H
#define LIB_CONFINE_H

#include <stddef.h>
#include <stdint.h>

/*
 * A sanitizer traces its own process to look for leaks, and what measures coverage writes files:
 * neither works behind a filter of system calls.
 */
#if defined(__SANITIZE_ADDRESS__) || defined(CONFIG_COVERAGE)
#define CONFINE_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CONFINE_SANITIZED 1
#endif
#endif

#if defined(HAVE_SECCOMP) && !defined(CONFINE_SANITIZED)
#define CONFINE_CALLS 1

/*
 * A filter of system calls, seccomp(2), for this thread and all that it starts: the @nr @allowed
 * ones, by SCMP_SYS(), get by, what @rules adds to @ctx, libseccomp's filter, is dealt with as it
 * says (NULL: nothing; 0 or -errno), and all else by @action. Needs no_new_privs. 0 or -errno.
 */
int confine_filter(uint32_t action, const int *allowed, size_t nr, int (*rules)(void *ctx));
#endif

/* This thread keeps, of the capabilities(7) that it has, those in @kept (bit n: number n). 0 or -errno. */
int confine_capabilities(uint64_t kept);

/*
 * No io_uring from now on: its ring would do what a filter of system calls forbids. To be called
 * before libuv makes a loop, for libuv (1.45 and later) takes one where it can get it.
 * Needs no_new_privs. Without libseccomp, or under a sanitizer, nothing is done. 0 or -errno.
 */
int confine_no_io_uring(void);

#endif /* LIB_CONFINE_H */
