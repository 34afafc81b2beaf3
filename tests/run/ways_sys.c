/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ways out by system calls: other processes, namespaces, privileges. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ways.h"

/* Of the daemon, and of who serves outside: whoever of them is known. */
static bool any_process(bool (*try)(pid_t pid))
{
	return (outside.daemon > 0 && try(outside.daemon)) || try(outside.server);
}

static bool proc_gives(pid_t pid, const char *what, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, what);
	return opens(path, flags);
}

static bool fd_of(pid_t pid)
{
	char path[64];

	for (int fd = 0; fd < 64; fd++) {
		struct stat st;

		snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, fd);
		if (stat(path, &st) == 0)
			return true;
	}
	return false;
}

static bool root_of(pid_t pid)
{
	return proc_gives(pid, "root/etc", O_RDONLY) || proc_gives(pid, "cwd", O_RDONLY);
}

static bool memory_of(pid_t pid)
{
	char word[8];
	struct iovec here = {word, sizeof(word)}, there = {(void *)&outside, sizeof(word)};

	return proc_gives(pid, "mem", O_RDWR) || process_vm_readv(pid, &here, 1, &there, 1, 0) >= 0 ||
	       errno == EFAULT;
}

static bool trace(pid_t pid)
{
	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) != 0)
		return false;
	ptrace(PTRACE_DETACH, pid, NULL, NULL);
	return true;
}

static bool namespaces_of(pid_t pid)
{
	static const char *const names[] = {"net", "user", "mnt", "pid", "ipc"};
	char path[64];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int fd;

		snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, names[i]);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0 && setns(fd, 0) == 0)
			return true;
	}
	return false;
}

static bool pidfd_of(pid_t pid)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

	for (int fd = 0; pidfd >= 0 && fd < 64; fd++)
		if (syscall(SYS_pidfd_getfd, pidfd, fd, 0) >= 0)
			return true;
	return pidfd >= 0 && setns(pidfd, CLONE_NEWNET) == 0;
}

static bool signal_to(pid_t pid)
{
	return kill(pid, 0) == 0;
}

static bool their_descriptors(void) { return any_process(fd_of); }
static bool their_root(void) { return any_process(root_of); }
static bool their_memory(void) { return any_process(memory_of); }
static bool their_trace(void) { return any_process(trace); }
static bool their_namespaces(void) { return any_process(namespaces_of); }
static bool their_pidfd(void) { return any_process(pidfd_of); }
static bool their_signals(void) { return any_process(signal_to); }

/* Process 1 of the namespace has been outside. */
static bool init_trace(void)
{
	return trace(1) && (fd_of(1) || root_of(1));
}

static bool init_namespaces(void)
{
	return namespaces_of(1) && socket(AF_INET, SOCK_STREAM, 0) < 0;
}

/* The namespace that ours was made in. */
static bool parent_namespace(void)
{
	int fd = open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC);

	return fd >= 0 && ioctl(fd, NS_GET_PARENT) >= 0;
}

static bool shared_memory(void)
{
	return shmget(outside.shm_key, 4096, 0) >= 0;
}

/* --------------------------------------------------------------------- privileges */

static bool privileges(void)
{
	int caps = 0;

	for (int cap = 0; cap < 64; cap++)
		caps += prctl(PR_CAPBSET_READ, cap) == 1;
	return caps > 0 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1;
}

static bool other_user(void)
{
	return setuid(0) == 0 || setuid(1) == 0 || setgid(0) == 0;
}

static bool unmount(void)
{
	return umount2(outside.net, MNT_DETACH) == 0 || umount2("/dev", MNT_DETACH) == 0 ||
	       (outside.mount[0] != '\0' && umount2(outside.mount, MNT_DETACH) == 0);
}

static bool change_root(void)
{
	return chroot("/tmp") == 0;
}

/* The same with the privileges of a user namespace of one's own. */
static bool nested_unmount(void)
{
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
		return false;
	return umount2("/dev", MNT_DETACH) == 0 || umount2("/proc", MNT_DETACH) == 0 ||
	       (outside.mount[0] != '\0' && umount2(outside.mount, MNT_DETACH) == 0) ||
	       mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL) == 0;
}

static bool nested_namespaces(void)
{
	return unshare(CLONE_NEWUSER) == 0 && any_process(namespaces_of);
}

static bool nested_sockets(void)
{
	return unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 && socket(AF_PACKET, SOCK_RAW, 0) >= 0;
}

static bool nested_device(void)
{
	return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 &&
	       mknod("/tmp/ways.fuse", S_IFCHR | 0666, (10 << 8) | 229) == 0 &&
	       opens("/tmp/ways.fuse", O_RDWR);
}

/* ----------------------------------------------------------- other ways to call */

static bool io_uring(void)
{
	char params[256] = "";

	return syscall(SYS_io_uring_setup, 4, params) >= 0 || errno != ENOSYS;
}

/* The kernel asks request-key(8), outside, which asks a name server. */
static bool upcall(void)
{
	return syscall(SYS_request_key, "dns_resolver", "example.com", "", 0) >= 0 || errno != ENOSYS;
}

static bool keyrings(void)
{
	return syscall(SYS_keyctl, 0 /* KEYCTL_GET_KEYRING_ID */, -3, 0) >= 0 || errno != ENOSYS;
}

static bool programs_in_the_kernel(void)
{
	return (syscall(SYS_bpf, 0, NULL, 0), errno != ENOSYS) ||
	       (syscall(SYS_perf_event_open, NULL, 0, 0, 0, 0), errno != ENOSYS) ||
	       (syscall(SYS_userfaultfd, 0), errno != ENOSYS);
}

/* Other numbers for the same: the 32-bit table, and x32. */
static bool compat_calls(void)
{
#ifdef __x86_64__
	long ret;

	__asm__ volatile("int $0x80"
			 : "=a"(ret)
			 : "a"(359L /* socket */), "b"((long)AF_UNIX), "c"((long)SOCK_STREAM), "d"(0L)
			 : "memory", "r8", "r9", "r10", "r11");
	return ret >= 0 || syscall(0x40000000 | SYS_socket, AF_UNIX, SOCK_STREAM, 0) >= 0;
#else
	return false;
#endif
}

/* What is typed into the terminal is run by the shell outside. */
static bool type_into_terminal(void)
{
	char c = '\n';
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);

	if (ioctl(fd >= 0 ? fd : STDIN_FILENO, TIOCSTI, &c) == 0 || errno != EPERM)
		return true;
	/* The kernel looks at the low half only. */
	return syscall(SYS_ioctl, fd >= 0 ? fd : STDIN_FILENO, 0x100000000UL | TIOCSTI, &c) == 0 ||
	       errno != EPERM;
}

const struct way ways_sys[] = {
	{"descriptors in /proc", their_descriptors, false},
	{"roots in /proc", their_root, false},
	{"memory of others", their_memory, false},
	{"ptrace of others", their_trace, false},
	{"setns of others", their_namespaces, false},
	{"pidfd_getfd", their_pidfd, false},
	{"signals to others", their_signals, false},
	{"ptrace of process 1", init_trace, false},
	{"setns of process 1", init_namespaces, false},
	{"the namespace above", parent_namespace, false},
	{"System V memory", shared_memory, false},
	{"privileges", privileges, false},
	{"another user", other_user, true},
	{"umount", unmount, true},
	{"chroot", change_root, true},
	{"umount in a nested namespace", nested_unmount, true},
	{"setns in a nested namespace", nested_namespaces, false},
	{"packets in a nested namespace", nested_sockets, false},
	{"devices in a nested namespace", nested_device, true},
	{"io_uring", io_uring, false},
	{"request_key", upcall, false},
	{"keyrings", keyrings, false},
	{"bpf, perf, userfaultfd", programs_in_the_kernel, false},
	{"calls of other architectures", compat_calls, false},
	{"typing into the terminal", type_into_terminal, false},
	{NULL, NULL, false},
};
