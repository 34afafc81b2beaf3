/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Settings in a path that dials: the component "rcvtimeo=5,ttl=33" of
 * DIR/rcvtimeo=5,ttl=33/HOST/PORT, for programs that cannot set options of what
 * they open, such as shells.
 */
#ifndef CTL_DIAL_SETTINGS_H
#define CTL_DIAL_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct socket;

/* Values of options by their place in sockopts[] (uapi/sockopt.h), those whose bit is set. */
struct dial_settings {
	uint64_t set;
	int value[];
};

/* The size of one, for malloc(3); all zeros is none. */
size_t dial_settings_size(void);

/* No host holds a "=", so what does is this. */
bool dial_settings_is(const char *name);

/*
 * Add what @name says, over what @settings has. 0; -ENOENT for an option that there is
 * not, or that cannot be set; -EINVAL for a value that it does not take. Then
 * @settings may be half changed.
 */
int dial_settings_parse(const char *name, struct dial_settings *settings);

/* Set them on @sock. 0, or the first -errno, as of setsockopt(2). */
int dial_settings_apply(const struct dial_settings *settings, struct socket *sock);

#endif /* CTL_DIAL_SETTINGS_H */
