/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fscall: the calls. Each is a line or two around the system call of its name.
 */
#include "config.h"

#include "tests/lib/fscall.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static mode_t mode_of(const char *word)
{
	return word != NULL ? (mode_t)fscall_number(word) : 0;
}

/* ------------------------------------------------------------------ descriptors */

static long do_open(char **a)
{
	return open(a[0], fscall_flags(a[1]) | O_CLOEXEC, mode_of(a[2]));
}

static long do_close(char **a)
{
	int fd = fscall_fd(a[0]);

	fscall_fds[a[0][0] - 'a'] = -1;
	return close(fd);
}

static long do_dup(char **a)
{
	return dup(fscall_fd(a[0]));
}

static long do_read(char **a)
{
	char buf[256];
	ssize_t n = read(fscall_fd(a[0]), buf, sizeof(buf));

	return n;
}

static long do_pread(char **a)
{
	char buf[256];

	return pread(fscall_fd(a[0]), buf, sizeof(buf), fscall_number(a[1]));
}

static long do_write(char **a)
{
	return write(fscall_fd(a[0]), a[1], strlen(a[1]));
}

static long do_pwrite(char **a)
{
	return pwrite(fscall_fd(a[0]), a[1], strlen(a[1]), fscall_number(a[2]));
}

static long do_lseek(char **a)
{
	return lseek(fscall_fd(a[0]), fscall_number(a[1]), fscall_flags(a[2]));
}

static long do_truncate(char **a)
{
	return truncate(a[0], fscall_number(a[1]));
}

static long do_ftruncate(char **a)
{
	return ftruncate(fscall_fd(a[0]), fscall_number(a[1]));
}

static long do_fallocate(char **a)
{
	return fallocate(fscall_fd(a[0]), fscall_flags(a[1]), 0, fscall_number(a[2]));
}

static long do_fsync(char **a)
{
	return fsync(fscall_fd(a[0]));
}

static long do_mmap(char **a)
{
	void *p = mmap(NULL, 4096, fscall_flags(a[1]), fscall_flags(a[2]), fscall_fd(a[0]), 0);

	if (p == MAP_FAILED)
		return -1;
	return munmap(p, 4096);
}

static long do_flock(char **a)
{
	return flock(fscall_fd(a[0]), fscall_flags(a[1]));
}

/* OFD locks: two descriptions of one process are two owners. */
static long do_lock(char **a)
{
	struct flock lock = {
		.l_type = (short)fscall_flags(a[1]),
		.l_start = fscall_number(a[2]),
		.l_len = fscall_number(a[3]),
	};

	return fcntl(fscall_fd(a[0]), F_OFD_SETLK, &lock);
}

/* Locks of the other kind, asked for by a child: they belong to processes. */
static long do_childlock(char **a)
{
	struct flock lock = {
		.l_type = (short)fscall_flags(a[1]),
		.l_start = fscall_number(a[2]),
		.l_len = fscall_number(a[3]),
	};
	int fd = fscall_fd(a[0]), status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(fcntl(fd, F_SETLK, &lock) == 0 ? 0 : errno);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		fscall_bad("no child", a[0]);
	errno = WEXITSTATUS(status);
	return errno == 0 ? 0 : -1;
}

static long do_plock(char **a)
{
	struct flock lock = {
		.l_type = (short)fscall_flags(a[1]),
		.l_start = fscall_number(a[2]),
		.l_len = fscall_number(a[3]),
	};

	return fcntl(fscall_fd(a[0]), F_SETLK, &lock);
}

static long do_getfl(char **a)
{
	int flags = fcntl(fscall_fd(a[0]), F_GETFL);

	/* O_LARGEFILE is 0 in 64-bit headers, but not in the kernel's answer. */
	if (flags >= 0)
		fscall_say("%o%s%s", flags & O_ACCMODE, flags & O_APPEND ? " append" : "",
			   flags & O_NONBLOCK ? " nonblock" : "");
	return flags;
}

static long do_setfl(char **a)
{
	return fcntl(fscall_fd(a[0]), F_SETFL, fscall_flags(a[1]));
}

/* ------------------------------------------------------------------------ names */

static long do_mkdir(char **a)
{
	return mkdir(a[0], mode_of(a[1]));
}

static long do_rmdir(char **a)
{
	return rmdir(a[0]);
}

static long do_unlink(char **a)
{
	return unlink(a[0]);
}

static long do_link(char **a)
{
	return linkat(AT_FDCWD, a[0], AT_FDCWD, a[1], a[2] != NULL ? fscall_flags(a[2]) : 0);
}

/* A name for what a descriptor is open on. */
static long do_flink(char **a)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fscall_fd(a[0]));
	return linkat(AT_FDCWD, path, AT_FDCWD, a[1], AT_SYMLINK_FOLLOW);
}

static long do_symlink(char **a)
{
	return symlink(a[0], a[1]);
}

static long do_readlink(char **a)
{
	char target[8192];
	ssize_t n = readlink(a[0], target, sizeof(target));

	if (n > 0)
		fscall_say("%.*s", (int)n, target);
	return n;
}

static long do_rename(char **a)
{
	return renameat2(AT_FDCWD, a[0], AT_FDCWD, a[1], a[2] != NULL ? (unsigned int)fscall_flags(a[2]) : 0);
}

static long do_mknod(char **a)
{
	static const struct {
		char letter;
		mode_t type;
	} types[] = {{'f', S_IFREG}, {'p', S_IFIFO}, {'c', S_IFCHR}, {'b', S_IFBLK}, {'s', S_IFSOCK}, {'d', S_IFDIR}};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (a[1][0] == types[i].letter)
			return mknod(a[0], types[i].type | mode_of(a[2]),
				     strchr("cb", a[1][0]) != NULL ? makedev(1, 3) : 0);
	fscall_bad("no such type of file", a[1]);
}

/* A socket of AF_UNIX gets a name. */
static long do_bind(char **a)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int ret, err;

	if (fd < 0)
		return -1;
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", a[0]);
	ret = bind(fd, (struct sockaddr *)&addr, sizeof(addr));
	err = errno;
	close(fd);
	errno = err;
	return ret;
}

static long do_chdir(char **a)
{
	return chdir(a[0]);
}

static long do_fchdir(char **a)
{
	return fchdir(fscall_fd(a[0]));
}

static long do_umask(char **a)
{
	fscall_say("%03o", umask(mode_of(a[0])));
	return 0;
}

/* ------------------------------------------------------------------- attributes */

static long do_chmod(char **a)
{
	return chmod(a[0], mode_of(a[1]));
}

static long do_fchmod(char **a)
{
	return fchmod(fscall_fd(a[0]), mode_of(a[1]));
}

static long do_lchmod(char **a)
{
	return fchmodat(AT_FDCWD, a[0], mode_of(a[1]), AT_SYMLINK_NOFOLLOW);
}

static long do_chown(char **a)
{
	return chown(a[0], (uid_t)fscall_number(a[1]), (gid_t)fscall_number(a[2]));
}

static long do_fchown(char **a)
{
	return fchown(fscall_fd(a[0]), (uid_t)fscall_number(a[1]), (gid_t)fscall_number(a[2]));
}

static long do_lchown(char **a)
{
	return lchown(a[0], (uid_t)fscall_number(a[1]), (gid_t)fscall_number(a[2]));
}

static long do_access(char **a)
{
	return access(a[0], fscall_flags(a[1]));
}

static long do_eaccess(char **a)
{
	return faccessat(AT_FDCWD, a[0], fscall_flags(a[1]), AT_EACCESS);
}

static long do_utimens(char **a)
{
	struct timespec ts[2] = {fscall_time(a[1]), fscall_time(a[2])};

	return utimensat(AT_FDCWD, a[0], ts, 0);
}

static long do_lutimens(char **a)
{
	struct timespec ts[2] = {fscall_time(a[1]), fscall_time(a[2])};

	return utimensat(AT_FDCWD, a[0], ts, AT_SYMLINK_NOFOLLOW);
}

static long do_futimens(char **a)
{
	struct timespec ts[2] = {fscall_time(a[1]), fscall_time(a[2])};

	return futimens(fscall_fd(a[0]), ts);
}

/* The sizes of directories and of files are each file system's own. */
static void say_stat(const struct stat *st)
{
	static const char letters[] = "?pc?d?b?-?l?s???";

	fscall_say("%c%04o links %ju owner %ju:%ju", letters[(st->st_mode & S_IFMT) >> 12],
		   st->st_mode & 07777, (uintmax_t)st->st_nlink, (uintmax_t)st->st_uid,
		   (uintmax_t)st->st_gid);
	if (S_ISLNK(st->st_mode))
		fscall_say(" size %jd", (intmax_t)st->st_size);
}

static long say_stat_of(int ret, const struct stat *st)
{
	if (ret == 0)
		say_stat(st);
	return ret;
}

static long do_stat(char **a)
{
	struct stat st;

	return say_stat_of(stat(a[0], &st), &st);
}

static long do_lstat(char **a)
{
	struct stat st;

	return say_stat_of(lstat(a[0], &st), &st);
}

static long do_fstat(char **a)
{
	struct stat st;

	return say_stat_of(fstat(fscall_fd(a[0]), &st), &st);
}

static long do_same(char **a)
{
	struct stat x, y;

	if (lstat(a[0], &x) != 0 || lstat(a[1], &y) != 0)
		return -1;
	fscall_say(x.st_ino == y.st_ino && x.st_dev == y.st_dev ? "same" : "others");
	return 0;
}

static long do_times(char **a)
{
	struct stat st;

	if (lstat(a[0], &st) != 0)
		return -1;
	fscall_say("%jd.%09ld %jd.%09ld", (intmax_t)st.st_atim.tv_sec, st.st_atim.tv_nsec,
		   (intmax_t)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
	return 0;
}

static struct stat marked;

static bool is_before(const struct timespec *x, const struct timespec *y)
{
	return x->tv_sec < y->tv_sec || (x->tv_sec == y->tv_sec && x->tv_nsec < y->tv_nsec);
}

/* Remember times. What happens next is later by the clock that file systems use. */
static long do_mark(char **a)
{
	struct timespec before, now;

	if (lstat(a[0], &marked) != 0)
		return -1;
	clock_gettime(CLOCK_REALTIME, &before);
	do {
		nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL);
		clock_gettime(CLOCK_REALTIME_COARSE, &now);
	} while (!is_before(&before, &now));
	return 0;
}

static bool differs(const struct timespec *x, const struct timespec *y)
{
	return x->tv_sec != y->tv_sec || x->tv_nsec != y->tv_nsec;
}

/* Which of atime, mtime, ctime are not what they were at the mark. */
static long do_changed(char **a)
{
	struct stat st;

	if (lstat(a[0], &st) != 0)
		return -1;
	fscall_say("%s%s%s.", differs(&st.st_atim, &marked.st_atim) ? "a" : "",
		   differs(&st.st_mtim, &marked.st_mtim) ? "m" : "",
		   differs(&st.st_ctim, &marked.st_ctim) ? "c" : "");
	return 0;
}

/* ------------------------------------------------------------------- directories */

static int compare(const void *x, const void *y)
{
	return strcmp(*(char *const *)x, *(char *const *)y);
}

/* The names but "." and "..", sorted. Takes the stream. */
static long list(DIR *dir)
{
	char *names[1024];
	size_t n = 0;
	const struct dirent *d;

	if (dir == NULL)
		return -1;
	while (n < 1024 && (d = readdir(dir)) != NULL)
		if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
			names[n++] = strdup(d->d_name);
	qsort(names, n, sizeof(names[0]), compare);
	fscall_say("%zu:", n);
	for (size_t i = 0; i < n; i++) {
		fscall_say(" %s", names[i]);
		free(names[i]);
	}
	closedir(dir);
	return 0;
}

static long do_ls(char **a)
{
	return list(opendir(a[0]));
}

static long do_fls(char **a)
{
	return list(fdopendir(dup(fscall_fd(a[0]))));
}

#define TOLD 300

/* What readdir says at each place that telldir told, in any order, is what it said first. */
static long do_seekdir(char **a)
{
	static char names[TOLD][256];
	static long places[TOLD];
	DIR *dir = opendir(a[0]);
	const struct dirent *d;
	size_t n = 0, wrong = 0;

	if (dir == NULL)
		return -1;
	for (; n < TOLD && (places[n] = telldir(dir), d = readdir(dir)) != NULL; n++)
		strcpy(names[n], d->d_name);
	for (size_t i = 0; i < n; i++) {
		size_t k = i * 7 % n;

		seekdir(dir, places[k]);
		d = readdir(dir);
		wrong += d == NULL || strcmp(d->d_name, names[k]) != 0;
	}
	rewinddir(dir);
	for (size_t i = 0; i < n; i++) {
		d = readdir(dir);
		wrong += d == NULL || strcmp(d->d_name, names[i]) != 0;
	}
	wrong += readdir(dir) != NULL;
	closedir(dir);
	fscall_say("%zu entries, %zu wrong", n, wrong);
	return 0;
}

/* N empty files in a directory. */
static long do_fill(char **a)
{
	long count = fscall_number(a[1]);
	char path[300];

	for (long i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/%ld", a[0], i);
		if (mknod(path, S_IFREG | 0644, 0) != 0)
			return -1;
	}
	return count;
}

static const struct fscall calls[] = {
	{"access", 2, 2, do_access},
	{"bind", 1, 1, do_bind},
	{"changed", 1, 1, do_changed},
	{"chdir", 1, 1, do_chdir},
	{"childlock", 4, 4, do_childlock},
	{"chmod", 2, 2, do_chmod},
	{"chown", 3, 3, do_chown},
	{"close", 1, 1, do_close},
	{"dup", 1, 1, do_dup},
	{"eaccess", 2, 2, do_eaccess},
	{"fallocate", 3, 3, do_fallocate},
	{"fchdir", 1, 1, do_fchdir},
	{"fchmod", 2, 2, do_fchmod},
	{"fchown", 3, 3, do_fchown},
	{"fill", 2, 2, do_fill},
	{"flink", 2, 2, do_flink},
	{"flock", 2, 2, do_flock},
	{"fls", 1, 1, do_fls},
	{"fstat", 1, 1, do_fstat},
	{"fsync", 1, 1, do_fsync},
	{"ftruncate", 2, 2, do_ftruncate},
	{"futimens", 3, 3, do_futimens},
	{"getfl", 1, 1, do_getfl},
	{"lchmod", 2, 2, do_lchmod},
	{"lchown", 3, 3, do_lchown},
	{"link", 2, 3, do_link},
	{"lock", 4, 4, do_lock},
	{"ls", 1, 1, do_ls},
	{"lseek", 3, 3, do_lseek},
	{"lstat", 1, 1, do_lstat},
	{"lutimens", 3, 3, do_lutimens},
	{"mark", 1, 1, do_mark},
	{"mkdir", 2, 2, do_mkdir},
	{"mknod", 3, 3, do_mknod},
	{"mmap", 3, 3, do_mmap},
	{"open", 2, 3, do_open},
	{"plock", 4, 4, do_plock},
	{"pread", 2, 2, do_pread},
	{"pwrite", 3, 3, do_pwrite},
	{"read", 1, 1, do_read},
	{"readlink", 1, 1, do_readlink},
	{"rename", 2, 3, do_rename},
	{"rmdir", 1, 1, do_rmdir},
	{"same", 2, 2, do_same},
	{"seekdir", 1, 1, do_seekdir},
	{"setfl", 2, 2, do_setfl},
	{"stat", 1, 1, do_stat},
	{"symlink", 2, 2, do_symlink},
	{"times", 1, 1, do_times},
	{"truncate", 2, 2, do_truncate},
	{"umask", 1, 1, do_umask},
	{"unlink", 1, 1, do_unlink},
	{"utimens", 3, 3, do_utimens},
	{"write", 2, 2, do_write},
};

const struct fscall *fscall_find(const char *name)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (strcmp(calls[i].name, name) == 0)
			return &calls[i];
	return NULL;
}
