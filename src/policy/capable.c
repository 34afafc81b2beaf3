/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a calling process may do beside what its user may.
 */
#include "config.h"

#include "policy/capable.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/nofile.h"
#include "lib/util.h"

/* What a short file of /proc has; 0: nothing, or it is not to be read. */
static size_t read_proc(const char *pid, const char *name, char *text, size_t size)
{
	char path[64];
	size_t n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%s/%s", pid, name);
	nofile_reserve_begin();
	f = fopen(path, "re");
	nofile_reserve_end();
	if (f == NULL)
		return 0;
	n = fread(text, 1, size - 1, f);
	fclose(f);
	text[n] = '\0';
	return n;
}

/*
 * To look at /proc/PID/ns/user takes more rights than we keep. But nobody has the maps of our
 * namespace in one of his own unless root has written them there (user_namespaces(7)).
 */
static bool in_our_userns(const char *pid)
{
	static const char *const maps[] = {"uid_map", "gid_map"};
	char ours[1024], theirs[1024];

	for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
		size_t n = read_proc("self", maps[i], ours, sizeof(ours));

		if (n == 0 || read_proc(pid, maps[i], theirs, sizeof(theirs)) != n ||
		    memcmp(ours, theirs, n) != 0)
			return false;
	}
	return true;
}

bool cred_is_capable(const struct cred *cred, unsigned int cap)
{
	static const char key[] = "\nCapEff:";
	char pid[16], status[4096];
	const char *at;

	if (cred->pid <= 0)
		return false;
	snprintf(pid, sizeof(pid), "%d", (int)cred->pid);
	if (!in_our_userns(pid) || read_proc(pid, "status", status, sizeof(status)) == 0)
		return false;
	at = strstr(status, key);
	return at != NULL && strtoull(at + strlen(key), NULL, 16) >> cap & 1;
}
