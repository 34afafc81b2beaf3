/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Capabilities, and filters of system calls: see confine.h. */
#include "config.h"

#include "lib/confine.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/util.h"

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

#ifdef CONFINE_CALLS

#include <seccomp.h>

int confine_filter(uint32_t action, const int *allowed, size_t nr, int (*rules)(void *ctx))
{
	scmp_filter_ctx ctx = seccomp_init(action);
	int err = ctx == NULL ? -ENOMEM : 0;

	for (size_t i = 0; err == 0 && i < nr; i++)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed[i], 0);
	if (err == 0 && rules != NULL)
		err = rules(ctx);
	if (err == 0)
		err = seccomp_load(ctx);
	if (ctx != NULL)
		seccomp_release(ctx);
	return err;
}

static int no_io_uring(scmp_filter_ctx ctx)
{
	return seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(io_uring_setup), 0);
}

int confine_no_io_uring(void)
{
	return confine_filter(SCMP_ACT_ALLOW, NULL, 0, no_io_uring);
}

#else

int confine_no_io_uring(void)
{
	return 0;
}

#endif
