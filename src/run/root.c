/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file tree of the program: / is a new tmpfs, into which what stands in the old / is
 * bound, so that there can be a /net whoever may write to the old one.
 *
 * /dev has the few devices that every program expects: others lead out (those of
 * hypervisors, disks). /sys and /proc are new ones, of the new namespaces, where
 * the kernel lets us; in a container that hides parts of them they are the old ones, where
 * the user namespace keeps the program from what is other processes'.
 *
 * What is mounted here cannot be unmounted by the program, nor by one of a user
 * namespace that it makes: mount_namespaces(7), "locked".
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/mountinfo.h"
#include "lib/util.h"
#include "run/run.h"

#define OLD_NAME ".sockfs-old-root"
#define OLD "/" OLD_NAME
#define BASE "/tmp" /* there is always one, and it is not ours for long */

/* A line; returns -errno. */
static int fail(const char *what, const char *path)
{
	int err = -errno;

	pr_err("run: cannot %s %s: %s", what, path, strerror(-err));
	return err;
}

static int mount_at(const char *type, const char *path, unsigned long flags, const char *data)
{
	return mount(type, path, type, flags, data) != 0 ? fail("mount", path) : 0;
}

/* The mount that @path is of itself; in a user namespace what was set stays set. */
static void make_read_only(const char *path)
{
	(void)mount(NULL, path, NULL,
		    MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
}

/* OLD/@name becomes /@name: 0 or -errno. What vanishes meanwhile is none of ours. */
static int bind_entry(const char *name, const struct stat *st)
{
	char from[sizeof(OLD) + 256], to[258], target[4096];
	ssize_t n;
	int fd;

	snprintf(from, sizeof(from), OLD "/%s", name);
	snprintf(to, sizeof(to), "/%s", name);
	if (S_ISLNK(st->st_mode)) {
		n = readlink(from, target, sizeof(target) - 1);
		if (n < 0)
			return 0;
		target[n] = '\0';
		return symlink(target, to) != 0 ? fail("make", to) : 0;
	}
	if (S_ISDIR(st->st_mode)) {
		if (mkdir(to, 0755) != 0)
			return fail("make", to);
	} else if (S_ISREG(st->st_mode)) {
		fd = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0444);
		if (fd < 0)
			return fail("make", to);
		close(fd);
	} else {
		return 0;
	}
	return mount(from, to, NULL, MS_BIND | MS_REC, NULL) != 0 ? fail("bind", to) : 0;
}

/* These are made anew. */
static bool is_ours(const char *name)
{
	static const char *const names[] = {".", "..", "dev", "sys", "net", OLD_NAME};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static int bind_all(void)
{
	DIR *dir = opendir(OLD);
	struct dirent *d;
	struct stat st;
	int err = 0;

	if (dir == NULL)
		return fail("read", "/");
	while (err == 0 && (d = readdir(dir)) != NULL)
		if (!is_ours(d->d_name) &&
		    fstatat(dirfd(dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			err = bind_entry(d->d_name, &st);
	closedir(dir);
	return err;
}

/*
 * Is the mount @dir closed to us, and so to the program, whose only user and group are ours?
 * fs/fuse/dir.c: fuse_getattr refuses by who mounted it, and asks nobody.
 */
static bool is_closed(const char *dir)
{
	struct statx st;

	return statx(AT_FDCWD, dir, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC,
		     STATX_TYPE, &st) != 0 &&
	       errno == EACCES;
}

/*
 * Another sockfs would be a way out, if it is open to the same user. Its mount point becomes an
 * empty directory; nothing in that file system is asked.
 *
 * mount(2) takes the lock of the directory that it mounts on. There may be a rm that has it and waits
 * for somebody's write, so as few as can be are mounted on.
 */
static int hide_others(void)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	struct mountinfo m;
	char *line = NULL;
	size_t size = 0;
	int err = 0;

	if (f == NULL)
		return fail("read", "/proc/self/mountinfo");
	while (err == 0 && mountinfo_next(f, &line, &size, &m)) {
		if (strcmp(m.type, "fuse.sockfs") != 0 ||
		    strncmp(m.place, OLD "/", sizeof(OLD)) == 0 || is_closed(m.place))
			continue;
		/* Below a directory that is closed to us it is closed to the program, or it has
		 * been hidden with what lies above it. */
		if (mount("tmpfs", m.place, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV,
			  "size=4k,mode=555") != 0 &&
		    errno != EACCES && errno != ENOENT)
			err = fail("hide", m.place);
	}
	if (err == 0 && !feof(f))
		err = fail("read", "/proc/self/mountinfo");
	free(line);
	fclose(f);
	return err;
}

/* ------------------------------------------------------------------------ /dev, /sys */

static int bind_device(const char *name)
{
	char from[sizeof(OLD) + 64], to[64];
	int fd;

	snprintf(from, sizeof(from), OLD "/dev/%s", name);
	snprintf(to, sizeof(to), "/dev/%s", name);
	fd = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0444);
	if (fd < 0)
		return fail("make", to);
	close(fd);
	return mount(from, to, NULL, MS_BIND, NULL) != 0 ? fail("bind", to) : 0;
}

static int make_dev(void)
{
	static const char *const devices[] = {"null", "zero", "full", "random", "urandom", "tty"};
	static const struct {
		const char *target, *path;
	} links[] = {
		{"/proc/self/fd", "/dev/fd"},	    {"/proc/self/fd/0", "/dev/stdin"},
		{"/proc/self/fd/1", "/dev/stdout"}, {"/proc/self/fd/2", "/dev/stderr"},
		{"pts/ptmx", "/dev/ptmx"},
	};
	int err;

	if (mkdir("/dev", 0755) != 0)
		return fail("make", "/dev");
	err = mount_at("tmpfs", "/dev", MS_NOSUID | MS_NOEXEC, "mode=755,size=64k");
	for (size_t i = 0; err == 0 && i < ARRAY_SIZE(devices); i++)
		err = bind_device(devices[i]);
	for (size_t i = 0; err == 0 && i < ARRAY_SIZE(links); i++)
		if (symlink(links[i].target, links[i].path) != 0)
			err = fail("make", links[i].path);
	if (err == 0 && (mkdir("/dev/pts", 0755) != 0 || mkdir("/dev/shm", 01777) != 0))
		err = fail("make", "/dev/pts");
	if (err == 0)
		err = mount_at("devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC,
			       "newinstance,ptmxmode=0666,mode=620");
	if (err == 0)
		err = mount_at("tmpfs", "/dev/shm", MS_NOSUID | MS_NODEV, "mode=1777");
	return err;
}

static int make_sys(void)
{
	if (mkdir("/sys", 0755) != 0)
		return fail("make", "/sys");
	if (mount("sysfs", "/sys", "sysfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0)
		return 0;
	return mount(OLD "/sys", "/sys", NULL, MS_BIND | MS_REC, NULL) != 0 ? fail("bind", "/sys")
									     : 0;
}

void root_mount_proc(void)
{
	(void)mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
}

/* -------------------------------------------------------------------------- the rest */

static int mount_sockfs(const struct run *run, int fuse_fd)
{
	char data[160];

	snprintf(data, sizeof(data), "fd=%d,rootmode=40000,user_id=%u,group_id=%u,default_permissions",
		 fuse_fd, run->uid, run->gid);
	if (mkdir(RUN_MOUNTPOINT, 0755) != 0)
		return fail("make", RUN_MOUNTPOINT);
	if (mount("socket:", RUN_MOUNTPOINT, "fuse.sockfs", MS_NOSUID | MS_NODEV, data) != 0)
		return fail("mount", RUN_MOUNTPOINT);
	return 0;
}

/* A tmpfs is /, the old / lies at OLD. */
static int swap_root(void)
{
	/* What is mounted from now on outside is not to come here, nor ours there. */
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		return fail("detach", "/");
	if (mount("tmpfs", BASE, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755,size=1m") != 0)
		return fail("mount a tmpfs on", BASE);
	if (mkdir(BASE OLD, 0755) != 0)
		return fail("make", BASE OLD);
	if (syscall(SYS_pivot_root, BASE, BASE OLD) != 0)
		return fail("change the root to", BASE);
	return chdir("/") != 0 ? fail("change to", "/") : 0;
}

int root_make(const struct run *run, int fuse_fd)
{
	const mode_t mask = umask(0);
	int err = swap_root();

	if (err == 0)
		err = bind_all();
	if (err == 0)
		err = make_dev();
	if (err == 0)
		err = make_sys();
	/* Before ours is one of them. */
	if (err == 0)
		err = hide_others();
	if (err == 0)
		err = mount_sockfs(run, fuse_fd);
	if (err == 0 && umount2(OLD, MNT_DETACH) != 0)
		err = fail("let go of", "the old root");
	if (err != 0)
		return err;
	(void)rmdir(OLD);
	make_read_only("/dev");
	make_read_only("/");
	umask(mask);
	return 0;
}
