/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mounting, and what libfuse and fusermount3 say meanwhile: the first words of it
 * explain why a mount failed.
 */
#include "config.h"

#include "fuse/fuse_i.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/log.h"

/* The first words of libfuse since log_capture(); they explain why a mount failed. */
static char captured[256];
static bool capturing;

static void log_capture(bool on)
{
	capturing = on;
	if (on)
		captured[0] = '\0';
}

__attribute__((format(printf, 2, 0))) static void
on_fuse_log(enum fuse_log_level level, const char *fmt, va_list ap)
{
	char text[256];

	vsnprintf(text, sizeof(text), fmt, ap);
	text[strcspn(text, "\n")] = '\0';
	if (capturing) {
		if (captured[0] == '\0')
			memcpy(captured, text, sizeof(captured));
		return;
	}
	if (level >= FUSE_LOG_DEBUG)
		pr_debug("%s", text);
	else
		pr_warn("%s", text);
}

/* Without the name that the sender put in front of it. */
static const char *captured_text(void)
{
	static const char *const prefixes[] = {"fuse: ", "fusermount3: ", "error: "};
	const char *p = captured;

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (strncmp(p, prefixes[i], strlen(prefixes[i])) == 0)
			p += strlen(prefixes[i]);
	return *p != '\0' ? p : "no reason given";
}

struct fuse_session *session_new_fuse(struct fuse_args *args, const struct fuse_lowlevel_ops *ops,
				      struct sockfs_session *s)
{
	struct fuse_session *se;

	fuse_set_log_func(on_fuse_log);
	log_capture(true);
	se = fuse_session_new(args, ops, sizeof(*ops), s);
	log_capture(false);
	if (se == NULL)
		pr_err("%s", captured_text());
	return se;
}

/* The first line of what fusermount3 wrote to stderr, unless libfuse said more. */
static void capture_stderr(int fd)
{
	ssize_t n;

	if (captured[0] != '\0')
		return;
	n = pread(fd, captured, sizeof(captured) - 1, 0);
	captured[n > 0 ? n : 0] = '\0';
	captured[strcspn(captured, "\n")] = '\0';
}

bool session_is_severed(int fd)
{
	struct pollfd pfd = {.fd = fd};

	return poll(&pfd, 1, 0) == 1 && (pfd.revents & POLLERR) != 0;
}

/* umount(8) for who may, else by the helper that has mounted it. As libfuse does it. */
static void unmount_adopted(const char *mountpoint)
{
	int status;
	pid_t pid;

	if (umount2(mountpoint, MNT_DETACH | UMOUNT_NOFOLLOW) == 0 || errno == EINVAL)
		return;
	pid = fork();
	if (pid == 0) {
		sigset_t none;

		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		execlp("fusermount3", "fusermount3", "-u", "-q", "-z", "--", mountpoint,
		       (char *)NULL);
		_exit(127);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
}

void mount_take_down(struct sockfs_session *s)
{
	if (s->mountpoint == NULL) {
		fuse_session_unmount(s->se);
		return;
	}
	/* As libfuse does: a mount that is gone is not unmounted again. */
	if (session_is_severed(fuse_session_fd(s->se))) {
		s->mountpoint = NULL;
		return;
	}
	unmount_adopted(s->mountpoint);
	s->mountpoint = NULL;
}

int sockfs_session_adopt(struct sockfs_session *s, int fd, const char *mountpoint)
{
	char path[32];

	snprintf(path, sizeof(path), "/dev/fd/%d", fd);
	if (sockfs_session_mount(s, path) != 0)
		return -EIO;
	s->mountpoint = mountpoint;
	return 0;
}

int sockfs_session_mount(struct sockfs_session *s, const char *mountpoint)
{
	int text = memfd_create("stderr", MFD_CLOEXEC);
	int saved = text >= 0 ? fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3) : -1;
	int err;

	if (saved >= 0)
		dup2(text, STDERR_FILENO);
	log_capture(true);
	err = fuse_session_mount(s->se, mountpoint);
	log_capture(false);
	if (saved >= 0) {
		dup2(saved, STDERR_FILENO);
		close(saved);
		capture_stderr(text);
	}
	if (text >= 0)
		close(text);
	if (err == 0)
		return 0;
	pr_err("cannot mount on %s: %s", mountpoint, captured_text());
	return -EIO;
}
