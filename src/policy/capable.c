/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a calling process may do beside what its user may.
 */
#include "config.h"

#include "policy/capable.h"

#include <stdio.h>
#include <sys/stat.h>

#include "lib/nofile.h"

static bool in_our_userns(pid_t pid)
{
	struct stat ours, theirs;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	return stat("/proc/self/ns/user", &ours) == 0 && stat(path, &theirs) == 0 &&
	       ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

bool cred_is_capable(const struct cred *cred, unsigned int cap)
{
	unsigned long long effective = 0;
	char path[32], line[256];
	FILE *f;

	if (cred->pid <= 0 || !in_our_userns(cred->pid))
		return false;
	snprintf(path, sizeof(path), "/proc/%d/status", (int)cred->pid);
	nofile_reserve_begin();
	f = fopen(path, "re");
	nofile_reserve_end();
	if (f == NULL)
		return false;
	while (fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "CapEff: %llx", &effective) == 1)
			break;
	fclose(f);
	return effective >> cap & 1;
}
