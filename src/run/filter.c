/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What namespaces do not keep in: seccomp(2).
 *
 * - UNIX sockets with a path reach whoever listens there, in whatever network
 *   namespace: docker, D-Bus, a display, nscd, which asks name servers. VSOCK reaches the
 *   hypervisor. So there are only those families that the network namespace holds, and pairs of
 *   UNIX sockets that are connected for good (a datagram pair can be sent elsewhere).
 * - io_uring makes sockets without the system call.
 * - request_key(2) has the kernel start a program outside, to ask a name server among others.
 * - TIOCSTI types into the terminal of the shell that has started us; TIOCLINUX pastes.
 *
 * Numbers of another architecture's calls mean something else: there are none.
 */
#include "config.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/util.h"
#include "run/run.h"

#if defined(__x86_64__) && !defined(__ILP32__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define NATIVE_ARCH AUDIT_ARCH_RISCV64
#elif defined(__powerpc64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define NATIVE_ARCH AUDIT_ARCH_PPC64LE
#elif defined(__s390x__)
#define NATIVE_ARCH AUDIT_ARCH_S390X
#elif defined(__i386__)
#define NATIVE_ARCH AUDIT_ARCH_I386
#elif defined(__arm__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define NATIVE_ARCH AUDIT_ARCH_ARM
#endif

#ifdef NATIVE_ARCH

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define REFUSE(err) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (err))
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
/* Go on behind the next N statements unless A is K; or if it is. */
#define UNLESS(k, n) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (k), 0, (n))
#define IF(k, n) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (k), (n), 0)

/* The low half of an argument; no call that is looked at has more. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define LOAD_ARG(n) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[n]))
#else
#define LOAD_ARG(n) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[n]) + 4)
#endif

#define NO_SUCH_CALL(nr) UNLESS((nr), 1), REFUSE(ENOSYS)

static const struct sock_filter filter[] = {
	LOAD(arch),
	IF(NATIVE_ARCH, 1),
	REFUSE(ENOSYS),
	LOAD(nr),
#ifdef __x86_64__
	/* x32: the same architecture, other numbers. */
	BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1),
	REFUSE(ENOSYS),
#endif
#ifdef SYS_socketcall
	NO_SUCH_CALL(SYS_socketcall),
#endif
	NO_SUCH_CALL(SYS_io_uring_setup),
	NO_SUCH_CALL(SYS_io_uring_enter),
	NO_SUCH_CALL(SYS_io_uring_register),
	NO_SUCH_CALL(SYS_add_key),
	NO_SUCH_CALL(SYS_request_key),
	NO_SUCH_CALL(SYS_keyctl),
	NO_SUCH_CALL(SYS_bpf),
	NO_SUCH_CALL(SYS_perf_event_open),
	NO_SUCH_CALL(SYS_userfaultfd),

	/* ioctl(fd, TIOCSTI | TIOCLINUX, ...) */
	UNLESS(SYS_ioctl, 5),
	LOAD_ARG(1),
	IF(TIOCSTI, 2),
	IF(TIOCLINUX, 1),
	ALLOW,
	REFUSE(EPERM),

	/* socketpair(AF_UNIX, SOCK_STREAM | SOCK_SEQPACKET, ...) */
	UNLESS(SYS_socketpair, 8),
	LOAD_ARG(0),
	UNLESS(AF_UNIX, 5),
	LOAD_ARG(1),
	BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xf),
	IF(SOCK_STREAM, 1),
	UNLESS(SOCK_SEQPACKET, 1),
	ALLOW,
	REFUSE(EAFNOSUPPORT),

	/* socket(AF_INET | AF_INET6), socket(AF_NETLINK, ..., NETLINK_ROUTE) */
	UNLESS(SYS_socket, 8),
	LOAD_ARG(0),
	IF(AF_INET, 4),
	IF(AF_INET6, 3),
	UNLESS(AF_NETLINK, 3),
	LOAD_ARG(2),
	UNLESS(0, 1),
	ALLOW,
	REFUSE(EAFNOSUPPORT),

	ALLOW,
};

static int install(void)
{
	struct sock_fprog prog = {
		.len = ARRAY_SIZE(filter),
		.filter = (struct sock_filter *)filter,
	};

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) != 0 ? -errno : 0;
}

#else

static int install(void)
{
	return -ENOSYS; /* nobody has said what this machine's calls are */
}

#endif

/* capabilities(7): those of the user namespace, from every set. */
static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};

	for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
		if (prctl(PR_CAPBSET_DROP, cap) != 0)
			return -errno;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0)
		return -errno;
	return syscall(SYS_capset, &header, none) != 0 ? -errno : 0;
}

int filter_enter(void)
{
	int err = drop_capabilities();

	if (err == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		err = -errno;
	return err != 0 ? err : install();
}
