/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Capabilities, and io_uring: see confine.h. */
#include "config.h"

#include "lib/confine.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/util.h"

#ifdef HAVE_SECCOMP
#include <seccomp.h>
#endif

/* By hand: libcap would be one more library for these lines. */
int confine_capabilities(uint64_t kept)
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &head, data) != 0)
		return -errno;
	for (unsigned int i = 0; i < ARRAY_SIZE(data); i++) {
		data[i].permitted &= (uint32_t)(kept >> 32 * i);
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	return syscall(SYS_capset, &head, data) != 0 ? -errno : 0;
}

#if defined(HAVE_SECCOMP) && !defined(CONFINE_SANITIZED)

int confine_no_io_uring(void)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	int err = ctx == NULL ? -ENOMEM : 0;

	if (err == 0)
		err = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(io_uring_setup), 0);
	if (err == 0)
		err = seccomp_load(ctx);
	if (ctx != NULL)
		seccomp_release(ctx);
	return err;
}

#else

int confine_no_io_uring(void)
{
	return 0;
}

#endif
