/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Descriptors in reserve. What users make us open ends some descriptors below the hard
 * limit, with EMFILE; what we need to say so, and to go on, has the rest.
 *
 * The kernel keeps the account: the soft limit is the users', and is the hard one for as
 * long as something of our own is opened. One thread; no descriptor of a user may be opened between.
 */
#ifndef LIB_NOFILE_H
#define LIB_NOFILE_H

/* Raise the soft limit, up to the reserve. Descriptors that are there already stay. */
void nofile_init(void);
/* From here on the reserve may be used; and no more. Not one within the other. errno stays. */
void nofile_reserve_begin(void);
void nofile_reserve_end(void);

#endif /* LIB_NOFILE_H */
