/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is mounted on the way of a path, and may not be entered.
 *
 * A file system that others serve answers when they like. That of a server that has stopped holds
 * this thread and everybody with it, beyond any signal; and one of our own kind never answers: this
 * very thread would have to, or one that is on its way into ours.
 *
 * So proc(5) says where such are mounted. Two looks at what it said are taken: before a step, by
 * the place, since some of the network are asked for as soon as they are entered (fs/namei.c:
 * complete_walk); and behind it, by the number of the mount that one is in, for whoever may mount
 * by himself (fuse(4)) chooses the moment. It is read again when something has been mounted or
 * unmounted, which poll(2) tells; and before a step to a name that one of the network has, wherever
 * that is: its place has another path when a directory above it gets another name, and nobody tells.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/fnv.h"
#include "lib/mountinfo.h"
#include "lib/nofile.h"
#include "lib/util.h"
#include "mm/vmstat.h"
#include "net/unix/unix.h"

#ifdef STATX_MNT_ID
#define MOUNT_ID STATX_MNT_ID
#else
#define MOUNT_ID 0
#endif

/*
 * Those without a disk that the kernel serves by itself and that may have sockets in them. What is
 * stacked waits for what it stands on.
 */
static const char *const local_types[] = {
	"aufs",	 "bcachefs", "btrfs",	"devtmpfs", "ecryptfs", "jffs2",   "overlay",
	"ramfs", "rootfs",   "shiftfs", "tmpfs",    "ubifs",	"unionfs", "zfs",
};
/* Those with a disk that need others, too. */
static const char *const remote_types[] = {"gfs2", "ocfs2"};

struct mount {
	int err;   /* why it may not be entered; 0: it may */
	bool asks; /* if so, somebody may be asked as soon as it is entered */
	bool autofs;
	const char *place; /* its path, in the text */
	const char *name;  /* the last part of that */
	unsigned int id, parent, major, minor;
};

static struct {
	int fd; /* of mountinfo; -1: not opened yet, or there is none */
	bool is_read;
	char *text;
	size_t text_room;
	struct mount *tab;
	size_t nr, room;
	uint64_t names[64]; /* a bit for each name's hash: most names on the way are of no mount */
} mounts = {.fd = -1};

static bool remote_too;

void unix_mounts_remote(void)
{
	remote_too = true;
}

void unix_mounts_exit(void)
{
	if (mounts.text_room != 0)
		vm_unaccount(VM_MOUNTS, mounts.text_room);
	if (mounts.room != 0)
		vm_unaccount(VM_MOUNTS, mounts.room * sizeof(*mounts.tab));
	free(mounts.text);
	free(mounts.tab);
	if (mounts.fd >= 0)
		close(mounts.fd);
	memset(&mounts, 0, sizeof(mounts));
	mounts.fd = -1;
	remote_too = false;
}

static bool is_in(const char *const *types, size_t n, const char *type)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(types[i], type) == 0)
			return true;
	return false;
}

static bool is_fuse(const char *type)
{
	return strcmp(type, "fuse") == 0 || strncmp(type, "fuse.", 5) == 0 ||
	       strcmp(type, "fuseblk") == 0 || strncmp(type, "fuseblk.", 8) == 0;
}

/* 0, -EDEADLK or -EREMOTE. */
static int judge(const char *type, unsigned int major)
{
	if (strcmp(type, "fuse.sockfs") == 0)
		return -EDEADLK;
	if (remote_too)
		return 0;
	if (is_fuse(type))
		return -EREMOTE;
	if (major != 0)
		return is_in(remote_types, ARRAY_SIZE(remote_types), type) ? -EREMOTE : 0;
	return is_in(local_types, ARRAY_SIZE(local_types), type) ? 0 : -EREMOTE;
}

/* @p with room for one more of @size, of which it has @nr of *room. It is counted; NULL: no memory. */
static void *grow(void *p, size_t nr, size_t *room, size_t size, size_t first)
{
	size_t more = *room != 0 ? 2 * *room : first;

	if (nr < *room)
		return p;
	p = reallocarray(p, more, size);
	if (p == NULL)
		return NULL;
	if (*room != 0)
		vm_unaccount(VM_MOUNTS, *room * size);
	vm_account(VM_MOUNTS, more * size);
	*room = more;
	return p;
}

/* The number of its bit in mounts.names. */
static size_t name_bit(const char *name)
{
	return fnv1a(FNV1A_BASIS, name, strlen(name)) % (64 * ARRAY_SIZE(mounts.names));
}

/* 0 or -ENOMEM. */
static int add(const struct mountinfo *info)
{
	struct mount *m;
	size_t bit;

	m = grow(mounts.tab, mounts.nr, &mounts.room, sizeof(*m), 64);
	if (m == NULL)
		return -ENOMEM;
	mounts.tab = m;
	m = &mounts.tab[mounts.nr++];
	m->id = info->id;
	m->parent = info->parent;
	m->major = info->major;
	m->minor = info->minor;
	m->place = info->place;
	m->name = strrchr(m->place, '/') + 1;
	/* The root hangs with the whole system. */
	m->err = strcmp(m->place, "/") != 0 ? judge(info->type, m->major) : 0;
	m->asks = !is_fuse(info->type);
	m->autofs = strcmp(info->type, "autofs") == 0;
	bit = name_bit(m->name);
	mounts.names[bit / 64] |= UINT64_C(1) << bit % 64;
	return 0;
}

static int open_mountinfo(void)
{
	nofile_reserve_begin();
	mounts.fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	nofile_reserve_end();
	return mounts.fd >= 0 ? 0 : -errno;
}

/* All of it, with a NUL behind it. 0 or -errno. */
static int read_text(void)
{
	size_t len = 0;
	ssize_t n;
	char *text;

	if (lseek(mounts.fd, 0, SEEK_SET) != 0)
		return -errno;
	do {
		text = grow(mounts.text, len + 1, &mounts.text_room, 1, 1 << 14);
		if (text == NULL)
			return -ENOMEM;
		mounts.text = text;
		n = read(mounts.fd, mounts.text + len, mounts.text_room - len - 1);
		if (n > 0)
			len += (size_t)n;
	} while (n > 0 || (n < 0 && errno == EINTR));
	mounts.text[len] = '\0';
	return n < 0 ? -errno : 0;
}

/* 0 or -errno: then nobody goes anywhere. Where there is no /proc, no mount is known. */
static int read_mounts(void)
{
	struct mountinfo info;
	char *line, *rest;
	int err = 0;

	mounts.nr = 0;
	mounts.is_read = false;
	memset(mounts.names, 0, sizeof(mounts.names));
	if (mounts.fd < 0)
		err = open_mountinfo();
	if (err != 0)
		return err == -ENOENT ? 0 : err;
	err = read_text();
	for (rest = mounts.text; err == 0 && (line = strsep(&rest, "\n")) != NULL;)
		if (mountinfo_parse(line, &info))
			err = add(&info);
	mounts.is_read = err == 0;
	return err;
}

/* proc(5): a change of the table is POLLPRI, once. */
static bool have_changed(void)
{
	struct pollfd p = {.events = POLLPRI};

	if (!mounts.is_read)
		return true;
	p.fd = mounts.fd;
	return poll(&p, 1, 0) == 1;
}

int unix_mounts_begin(void)
{
	return have_changed() ? read_mounts() : 0;
}

/* Since Linux 5.8; 0: not known. */
static unsigned int mount_id(const struct statx *at)
{
#ifdef STATX_MNT_ID
	if (at->stx_mask & STATX_MNT_ID)
		return (unsigned int)at->stx_mnt_id;
#endif
	(void)at;
	return 0;
}

/* Is anything mounted on a @name, wherever that is? *ret_asks: and may somebody be asked then? */
static bool is_some_place(const char *name, bool *ret_asks)
{
	size_t bit = name_bit(name);
	bool is = false;

	*ret_asks = false;
	if (!(mounts.names[bit / 64] >> bit % 64 & 1))
		return false;
	for (size_t i = 0; i < mounts.nr; i++)
		if (strcmp(mounts.tab[i].name, name) == 0) {
			is = true;
			*ret_asks = *ret_asks || (mounts.tab[i].err != 0 && mounts.tab[i].asks);
		}
	return is;
}

/* The one that lies on @place in the mount @parent. */
static const struct mount *mounted_on(const char *place, unsigned int parent)
{
	for (size_t i = 0; i < mounts.nr; i++)
		if (mounts.tab[i].parent == parent && strcmp(mounts.tab[i].place, place) == 0)
			return &mounts.tab[i];
	return NULL;
}

/*
 * May one enter what is mounted on @place in the mount @parent? The last one counts that lies on
 * another there. But who comes through autofs waits until what lies on it has been unmounted, if
 * that is to be (fs/autofs/root.c: autofs_d_manage).
 */
static int judge_place(const char *place, unsigned int parent)
{
	const struct mount *m = mounted_on(place, parent);
	int err = 0;

	for (size_t i = 0; m != NULL && i < mounts.nr; i++) {
		err = m->err;
		if (err != 0 && m->autofs)
			break;
		m = mounted_on(place, m->id);
	}
	return err;
}

/* As judge_place, of all that is mounted there. */
static int judge_all(const char *place)
{
	int err = 0;

	for (size_t i = 0; i < mounts.nr; i++)
		if (mounts.tab[i].err != 0 && strcmp(mounts.tab[i].place, place) == 0)
			err = mounts.tab[i].err;
	return err;
}

/* May one enter what is mounted on @name in the directory @dir? */
static int check_place(int dir, const struct statx *at, const char *name)
{
	char link[32], place[PATH_MAX + NAME_MAX + 2];
	bool asks;
	ssize_t n;
	int err;

	if (!is_some_place(name, &asks))
		return 0;
	err = asks ? read_mounts() : 0;
	if (err != 0)
		return err;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", dir);
	n = readlink(link, place, PATH_MAX);
	if (n < 0)
		return -errno;
	/* "/" and "x" are "/x". */
	sprintf(place + (n == 1 ? 0 : n), "/%s", name);
	return mount_id(at) != 0 ? judge_place(place, mount_id(at)) : judge_all(place);
}

/*
 * May one be there? A mount that is not in the table is one that somebody has taken away meanwhile
 * (umount2(2), MNT_DETACH), who may be the one who serves it.
 */
static int check_at(const struct statx *at)
{
	int err = have_changed() ? read_mounts() : 0;

	if (err != 0 || mounts.nr == 0)
		return err;
	for (size_t i = 0; mount_id(at) != 0 && i < mounts.nr; i++)
		if (mounts.tab[i].id == mount_id(at))
			return mounts.tab[i].err;
	if (mount_id(at) != 0)
		return -ENOENT;
	/* Linux 5.7 and before. A part of btrfs has another device than its mount. */
	for (size_t i = 0; i < mounts.nr; i++)
		if (mounts.tab[i].major == at->stx_dev_major &&
		    mounts.tab[i].minor == at->stx_dev_minor)
			err = mounts.tab[i].err;
	return err;
}

int unix_mounts_stat(int fd, struct statx *ret_at)
{
	return statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC,
		     STATX_TYPE | STATX_MODE | STATX_UID | STATX_INO | MOUNT_ID, ret_at) != 0 ?
		       -errno :
		       0;
}

int unix_mounts_open(int dir, const struct statx *at, const char *name, bool directory,
		     struct statx *ret_at)
{
	/* Only who asks for a directory has it mounted by autofs, and waits until it is. */
	const int flags =
		O_PATH | O_NOFOLLOW | O_CLOEXEC | (directory && remote_too ? O_DIRECTORY : 0);
	int err = check_place(dir, at, name);
	int fd;

	if (err != 0)
		return err;
	fd = openat(dir, name, flags);
	/* A symbolic link. */
	if (fd < 0 && errno == ENOTDIR && directory)
		fd = openat(dir, name, flags & ~O_DIRECTORY);
	if (fd < 0)
		return -errno;
	err = unix_mounts_stat(fd, ret_at);
	if (err == 0 && (ret_at->stx_dev_major != at->stx_dev_major ||
			 ret_at->stx_dev_minor != at->stx_dev_minor))
		err = check_at(ret_at);
	if (err == 0)
		return fd;
	close(fd);
	return err;
}
