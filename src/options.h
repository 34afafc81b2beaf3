/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line of sockfs, and the checks of the mount point.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <fuse_opt.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "fs/user.h"
#include "fuse/session.h"
#include "priv/priv.h"

struct options {
	char *source;	  /* what /proc/mounts shows */
	char *mountpoint; /* as given; absolute after options_check_mountpoint */
	bool foreground;
	bool debug;
	bool nonempty;
	bool nosurvive; /* one process */
	bool store; /* mount only, for another process to serve (store.h) */
	bool others; /* than who mounts can reach the files */
	bool confine; /* who serves gives up what it does not need (priv/priv.h) */
	struct priv_user user; /* who serves, when the mount is made */
	int notify_fd; /* gets a newline and is closed when the mount answers; -1: none */
	mode_t mode;   /* of the root directory */
	mode_t umask;  /* taken from the mode of new sockets */
	uid_t uid;
	gid_t gid;
	uint64_t max_sockets;
	struct user_limits per_uid;
	uint64_t max_parked, max_text; /* bytes (mm/vmstat.h), 0: not bounded */
	int connect_timeout, rcvtimeo, sndtimeo; /* seconds, 0: none */
	char *policy;  /* the whole path of the policy file, NULL: none */
	struct sockfs_tuning tuning;
	struct fuse_args mount_args; /* for libfuse: a program name and -o's */
};

/* What for? */
enum options_use {
	OPTIONS_START,
	/*
	 * To say whether a mount could go on with them: as for a start, but a descriptor to be told
	 * by is not looked at, which was somebody else's to give.
	 */
	OPTIONS_ASKED,
	/*
	 * To go on with a mount that was started with them: what was right then is. So the policy
	 * file is not read (policy/keep.h has its rules).
	 */
	OPTIONS_RESUME,
};

/*
 * Parse @argv into @ret_opt, which options_free() frees in any case. Rules of
 * allow=, deny= and policy= go to policy/policy.h at once. Returns -1 to go on, or the
 * status to exit with: 0 after help or version on stdout, 1 after one line on
 * stderr.
 */
int options_parse(int argc, char **argv, enum options_use use, struct options *ret_opt);
void options_free(struct options *opt);

/*
 * Is there a directory to mount on, and a device to mount with? 0, or -errno
 * after one line on stderr.
 */
int options_check_mountpoint(struct options *opt);
/* It is @path, absolute, where another program has mounted already. 0 or -ENOMEM, logged. */
int options_set_mountpoint(struct options *opt, const char *path);

/* Is the mount point "/dev/fd/N": a /dev/fuse that somebody has mounted already? */
bool options_mounted_already(const struct options *opt);

#endif /* OPTIONS_H */
