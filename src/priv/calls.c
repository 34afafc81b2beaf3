/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The system calls of the process that serves, of the supervisor that it makes of itself, and of
 * sockfs-tls until that has a narrower filter.
 *
 * What another release of a library may call instead is listed as well (faccessat2), and so is
 * what 32-bit systems have in place of it; names that the machine does not have are passed over by
 * libseccomp. All else is ENOSYS, which libraries know from older kernels and go round.
 */
#include "config.h"

#include "priv/priv.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "lib/confine.h"
#include "lib/util.h"

#ifdef CONFINE_CALLS

#include <seccomp.h>

static const int allowed[] = {
	/* bytes */
	SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(preadv), SCMP_SYS(preadv2),
	SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(pwrite64), SCMP_SYS(pwritev), SCMP_SYS(pwritev2),
	SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(recvmmsg), SCMP_SYS(recvmmsg_time64),
	SCMP_SYS(recv), SCMP_SYS(sendto), SCMP_SYS(sendmsg), SCMP_SYS(sendmmsg), SCMP_SYS(send),
	SCMP_SYS(splice), SCMP_SYS(tee), SCMP_SYS(vmsplice), SCMP_SYS(lseek), SCMP_SYS(_llseek),
	/* sockets; socket is below */
	SCMP_SYS(socketcall), SCMP_SYS(socketpair), SCMP_SYS(connect), SCMP_SYS(bind),
	SCMP_SYS(listen), SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(shutdown),
	SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(getsockopt), SCMP_SYS(setsockopt),
	/* descriptors; ioctl is below */
	SCMP_SYS(close), SCMP_SYS(close_range), SCMP_SYS(dup), SCMP_SYS(dup2), SCMP_SYS(dup3),
	SCMP_SYS(fcntl), SCMP_SYS(fcntl64), SCMP_SYS(pipe), SCMP_SYS(pipe2), SCMP_SYS(eventfd2),
	SCMP_SYS(memfd_create), SCMP_SYS(ftruncate), SCMP_SYS(ftruncate64), SCMP_SYS(fallocate),
	SCMP_SYS(pidfd_open), SCMP_SYS(signalfd4),
	/* waiting */
	SCMP_SYS(epoll_create), SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_pwait2), SCMP_SYS(poll), SCMP_SYS(ppoll),
	SCMP_SYS(ppoll_time64), SCMP_SYS(select), SCMP_SYS(_newselect), SCMP_SYS(pselect6),
	SCMP_SYS(pselect6_time64), SCMP_SYS(restart_syscall), SCMP_SYS(pause),
	/* files; open and openat are below */
	SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink),
	SCMP_SYS(readlinkat), SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(fstat), SCMP_SYS(stat64),
	SCMP_SYS(lstat64), SCMP_SYS(fstat64), SCMP_SYS(newfstatat), SCMP_SYS(fstatat64),
	SCMP_SYS(statx), SCMP_SYS(statfs), SCMP_SYS(statfs64), SCMP_SYS(fstatfs),
	SCMP_SYS(fstatfs64), SCMP_SYS(getdents), SCMP_SYS(getdents64), SCMP_SYS(getcwd),
	SCMP_SYS(chdir), SCMP_SYS(umask),
	/* UNIX sockets in the file system, and who a socket belongs to */
	SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(fchown), SCMP_SYS(fchown32),
	/* memory */
	SCMP_SYS(brk), SCMP_SYS(mmap), SCMP_SYS(mmap2), SCMP_SYS(munmap), SCMP_SYS(mremap),
	SCMP_SYS(mprotect), SCMP_SYS(madvise), SCMP_SYS(mlock), SCMP_SYS(mlock2), SCMP_SYS(munlock),
	SCMP_SYS(msync), SCMP_SYS(mincore), SCMP_SYS(membarrier),
	/* threads and processes; clone is below: another supervisor, sockfs-tls, who reads a policy file */
	SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(execve), SCMP_SYS(wait4),
	SCMP_SYS(waitid), SCMP_SYS(waitpid), SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(kill),
	SCMP_SYS(tkill), SCMP_SYS(tgkill), SCMP_SYS(set_tid_address), SCMP_SYS(set_robust_list),
	SCMP_SYS(get_robust_list), SCMP_SYS(rseq), SCMP_SYS(arch_prctl), SCMP_SYS(set_thread_area),
	SCMP_SYS(set_tls), SCMP_SYS(prctl), SCMP_SYS(seccomp), SCMP_SYS(setsid),
	SCMP_SYS(futex), SCMP_SYS(futex_time64), SCMP_SYS(futex_waitv), SCMP_SYS(sched_yield),
	SCMP_SYS(sched_getaffinity), SCMP_SYS(sched_getscheduler), SCMP_SYS(sched_getparam),
	SCMP_SYS(getcpu), SCMP_SYS(riscv_flush_icache),
	/* itself */
	SCMP_SYS(getpid), SCMP_SYS(getppid), SCMP_SYS(gettid), SCMP_SYS(getpgrp), SCMP_SYS(getpgid),
	SCMP_SYS(getsid), SCMP_SYS(getuid), SCMP_SYS(getuid32), SCMP_SYS(getgid), SCMP_SYS(getgid32),
	SCMP_SYS(geteuid), SCMP_SYS(geteuid32), SCMP_SYS(getegid), SCMP_SYS(getegid32),
	SCMP_SYS(getresuid), SCMP_SYS(getresuid32), SCMP_SYS(getresgid), SCMP_SYS(getresgid32),
	SCMP_SYS(getgroups), SCMP_SYS(getgroups32), SCMP_SYS(capget), SCMP_SYS(capset),
	SCMP_SYS(getrlimit), SCMP_SYS(ugetrlimit), SCMP_SYS(setrlimit), SCMP_SYS(prlimit64),
	SCMP_SYS(getrusage), SCMP_SYS(sysinfo), SCMP_SYS(uname), SCMP_SYS(getrandom),
	/* the caller, for a moment */
	SCMP_SYS(setgroups), SCMP_SYS(setgroups32), SCMP_SYS(setresuid), SCMP_SYS(setresuid32),
	SCMP_SYS(setresgid), SCMP_SYS(setresgid32), SCMP_SYS(setfsuid), SCMP_SYS(setfsuid32),
	SCMP_SYS(setfsgid), SCMP_SYS(setfsgid32),
	/* time */
	SCMP_SYS(time), SCMP_SYS(gettimeofday), SCMP_SYS(clock_gettime), SCMP_SYS(clock_gettime64),
	SCMP_SYS(clock_getres), SCMP_SYS(clock_getres_time64), SCMP_SYS(nanosleep),
	SCMP_SYS(clock_nanosleep), SCMP_SYS(clock_nanosleep_time64), SCMP_SYS(setitimer),
	/* signals */
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
	SCMP_SYS(rt_sigpending), SCMP_SYS(rt_sigsuspend), SCMP_SYS(rt_sigtimedwait),
	SCMP_SYS(rt_sigtimedwait_time64), SCMP_SYS(sigaltstack), SCMP_SYS(sigreturn),
};

/* To find what is missing in the list (doc/ARCHITECTURE.md). */
#ifdef PRIV_TRAP
#define PRIV_DEFAULT SCMP_ACT_TRAP
#else
#define PRIV_DEFAULT SCMP_ACT_ERRNO(ENOSYS)
#endif
#ifdef __s390__ /* the two arguments have changed places there */
#define CLONE_FLAGS_ARE SCMP_A1
#else
#define CLONE_FLAGS_ARE SCMP_A0
#endif
#define NAMESPACES                                                                              \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |           \
	 CLONE_NEWPID | CLONE_NEWNET)

static const int families[] = {AF_INET, AF_INET6, AF_UNIX, AF_NETLINK};

/*
 * Files to read, sockets of families that we have, no typing into a terminal, no namespaces. (The
 * arguments of socketcall, which old 32-bit programs use in place of socket, cannot be looked at.
 * Nor can clone3's: the C library uses clone where that is not there.)
 */
static int allow_some(scmp_filter_ctx ctx)
{
	const scmp_datum_t not_reading = O_ACCMODE | O_CREAT | O_TRUNC;
	int err = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS));

	/* A kernel or a library that cannot log refuses silently. */
	(void)seccomp_attr_set(ctx, SCMP_FLTATR_CTL_LOG, 1);
	/* A tree to search and not a list to walk: a call is asked for a few comparisons. */
	(void)seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (err == 0)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
				       SCMP_A2(SCMP_CMP_MASKED_EQ, not_reading, O_RDONLY));
	if (err == 0)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(open), 1,
				       SCMP_A1(SCMP_CMP_MASKED_EQ, not_reading, O_RDONLY));
	for (size_t i = 0; err == 0 && i < ARRAY_SIZE(families); i++)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
				       SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i]));
	if (err == 0)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
				       SCMP_A1(SCMP_CMP_NE, TIOCSTI));
	if (err == 0)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
				       CLONE_FLAGS_ARE(SCMP_CMP_MASKED_EQ, NAMESPACES, 0));
#ifdef PRIV_TRAP
	if (err == 0)
		err = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
#endif
	return err;
}

int priv_filter_calls(void)
{
	return confine_filter(PRIV_DEFAULT, allowed, ARRAY_SIZE(allowed), allow_some);
}

#else

int priv_filter_calls(void)
{
	return 0;
}

#endif
