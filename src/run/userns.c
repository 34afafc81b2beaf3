/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user_namespaces(7): who one is inside, and why there may be none.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/util.h"
#include "run/run.h"

/* 0 or -errno. */
static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;
	int err = 0;

	if (fd < 0)
		return -errno;
	n = write(fd, text, strlen(text));
	if (n != (ssize_t)strlen(text))
		err = n < 0 ? -errno : -EIO;
	close(fd);
	return err;
}

int userns_map(const struct run *run, pid_t pid)
{
	char path[64], text[64];
	int err = 0;

	/* Else an ordinary user could leave a group that is kept from something. */
	snprintf(path, sizeof(path), "/proc/%d/setgroups", (int)pid);
	if (!run->was_root)
		err = write_file(path, "deny");
	if (err == 0) {
		snprintf(path, sizeof(path), "/proc/%d/uid_map", (int)pid);
		snprintf(text, sizeof(text), "%u %u 1\n", run->uid, run->uid);
		err = write_file(path, text);
	}
	if (err == 0) {
		snprintf(path, sizeof(path), "/proc/%d/gid_map", (int)pid);
		snprintf(text, sizeof(text), "%u %u 1\n", run->gid, run->gid);
		err = write_file(path, text);
	}
	if (err != 0)
		pr_err("run: %s: %s", path, strerror(-err));
	return err;
}

/* Settings that forbid user namespaces by the value @forbids. */
static const struct {
	const char *path;
	int forbids;
	const char *remedy;
} settings[] = {
	{"/proc/sys/kernel/unprivileged_userns_clone", 0, "sysctl kernel.unprivileged_userns_clone=1"},
	{"/proc/sys/user/max_user_namespaces", 0, "sysctl user.max_user_namespaces=10000"},
	{"/proc/sys/kernel/apparmor_restrict_unprivileged_userns", 1,
	 "sysctl kernel.apparmor_restrict_unprivileged_userns=0, or an AppArmor profile with userns"},
};

void userns_explain(int err)
{
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		FILE *f = fopen(settings[i].path, "re");
		int value = -1;

		if (f == NULL)
			continue;
		if (fscanf(f, "%d", &value) != 1)
			value = -1;
		fclose(f);
		if (value == settings[i].forbids) {
			pr_err("run: no user namespaces: %s is %d (%s)", settings[i].path, value,
			       settings[i].remedy);
			return;
		}
	}
	pr_err("run: no user namespace: %s (does a container forbid it?)", strerror(-err));
}
