/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The words for the states of a socket (enum sockfs_state): of the status, of
 * extended attributes, of sockctl and its completion.
 */
#ifndef UAPI_STATE_H
#define UAPI_STATE_H

/* "connected"; "unknown" for a number that is none. */
const char *state_name(unsigned int state);

/* The number; 0: no such state. */
unsigned int state_by_name(const char *name);

#endif /* UAPI_STATE_H */
