/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ways out by files: devices, settings of the kernel, what lies under the mounts. */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "ways.h"

static bool fuse_device(void)
{
	return opens("/dev/fuse", O_RDWR);
}

static bool network_devices(void)
{
	return opens("/dev/net/tun", O_RDWR) || opens("/dev/vsock", O_RDWR) ||
	       opens("/dev/vhost-vsock", O_RDWR) || opens("/dev/vhost-net", O_RDWR) ||
	       opens("/dev/kvm", O_RDWR);
}

static bool disks_and_memory(void)
{
	return opens("/dev/mem", O_RDONLY) || opens("/dev/kmem", O_RDONLY) ||
	       opens("/dev/vda", O_RDONLY) || opens("/dev/sda", O_RDONLY) ||
	       opens("/dev/nvme0n1", O_RDONLY) || opens("/dev/loop0", O_RDONLY);
}

/* Devices that are not of the few. */
static bool other_devices(void)
{
	DIR *dir = opendir("/dev");
	struct dirent *d;
	struct stat st;
	int n = 0;

	if (dir == NULL)
		return false;
	while ((d = readdir(dir)) != NULL)
		if (fstatat(dirfd(dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)) &&
		    !((major(st.st_rdev) == 1 && minor(st.st_rdev) >= 3) ||
		      st.st_rdev == makedev(5, 0)))
			n++;
	closedir(dir);
	return n > 0;
}

static bool make_device(void)
{
	return mknod("/tmp/ways.device", S_IFCHR | 0666, makedev(10, 229)) == 0;
}

/* What the kernel runs outside when something happens. */
static bool helpers(void)
{
	return opens("/proc/sys/kernel/core_pattern", O_WRONLY) ||
	       opens("/proc/sys/kernel/modprobe", O_WRONLY) ||
	       opens("/sys/kernel/uevent_helper", O_WRONLY) ||
	       opens("/proc/sys/fs/binfmt_misc/register", O_WRONLY);
}

static bool settings(void)
{
	return opens("/proc/sysrq-trigger", O_WRONLY) ||
	       opens("/proc/sys/kernel/hostname", O_WRONLY) ||
	       opens("/proc/sys/net/ipv4/ip_forward", O_WRONLY) ||
	       opens("/proc/sys/user/max_user_namespaces", O_WRONLY);
}

/* /sys/fs/fuse/connections/N/abort of other mounts of the same user. */
static bool abort_others(void)
{
	char path[300];
	DIR *dir = opendir("/sys/fs/fuse/connections");
	struct dirent *d;
	bool yes = false;

	while (dir != NULL && !yes && (d = readdir(dir)) != NULL) {
		snprintf(path, sizeof(path), "/sys/fs/fuse/connections/%s/abort", d->d_name);
		yes = d->d_name[0] != '.' && opens(path, O_WRONLY);
	}
	if (dir != NULL)
		closedir(dir);
	return yes;
}

static bool old_root(void)
{
	static const char *const names[] = {"/.sockfs-old-root", "/proc/1/root/.sockfs-old-root"};
	struct stat st;

	for (size_t i = 0; i < 2; i++)
		if (stat(names[i], &st) == 0)
			return true;
	return false;
}

/* Up from /, as far as it goes: there must be the same. */
static bool up_from_root(void)
{
	struct stat here, up;

	return stat("/", &here) != 0 || stat("/../../../..", &up) != 0 || here.st_ino != up.st_ino ||
	       here.st_dev != up.st_dev;
}

static bool by_handle(void)
{
	struct {
		struct file_handle head;
		unsigned char rest[MAX_HANDLE_SZ];
	} handle = {.head.handle_bytes = MAX_HANDLE_SZ};
	int id, fd = open("/etc", O_RDONLY | O_CLOEXEC);

	if (name_to_handle_at(AT_FDCWD, "/etc", &handle.head, &id, 0) != 0)
		return false;
	return open_by_handle_at(fd, &handle.head, O_RDONLY) >= 0;
}

static bool new_root_entry(void)
{
	return mkdir("/ways", 0700) == 0 || mkdir("/dev/ways", 0700) == 0;
}

/* A table of sockets, of the network outside. */
static bool tables(void)
{
	char word[16], line[512];
	bool yes = false;
	FILE *f = fopen("/proc/net/tcp", "re");

	snprintf(word, sizeof(word), ":%04X ", outside.tcp4);
	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		yes = yes || strstr(line, word) != NULL;
	if (f != NULL)
		fclose(f);
	return yes;
}

const struct way ways_file[] = {
	{"/dev/fuse", fuse_device, false},
	{"devices of networks", network_devices, false},
	{"disks and memory", disks_and_memory, false},
	{"other devices", other_devices, false},
	{"making a device", make_device, true},
	{"helpers of the kernel", helpers, false},
	{"settings of the kernel", settings, false},
	{"aborting other mounts", abort_others, false},
	{"the old root", old_root, false},
	{"up from the root", up_from_root, false},
	{"open_by_handle_at", by_handle, false},
	{"a new entry of the root", new_root_entry, true},
	{"tables of sockets", tables, false},
	{NULL, NULL, false},
};
