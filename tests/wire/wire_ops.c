/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A kernel for tests: each request as the kernel forms it.
 */
#include "config.h"

#include "wire.h"

#include <stdlib.h>
#include <string.h>

int wire_init(struct wire *w)
{
	struct fuse_init_in in = {
		.major = FUSE_KERNEL_VERSION,
		.minor = FUSE_KERNEL_MINOR_VERSION,
		.max_readahead = 131072,
		.flags = FUSE_ASYNC_READ | FUSE_ATOMIC_O_TRUNC | FUSE_BIG_WRITES | FUSE_ASYNC_DIO |
			 FUSE_DO_READDIRPLUS | FUSE_READDIRPLUS_AUTO | FUSE_PARALLEL_DIROPS |
			 FUSE_HANDLE_KILLPRIV | FUSE_MAX_PAGES | FUSE_EXPORT_SUPPORT,
	};

	return wire_call(w, FUSE_INIT, 0, &in, sizeof(in), NULL, 0, NULL, 0, NULL);
}

/* A request that is a struct and a name, answered by an entry. */
static int name_call(struct wire *w, uint32_t opcode, uint64_t dir, const void *arg, size_t len,
		     const char *name, struct fuse_entry_out *ret)
{
	return wire_call(w, opcode, dir, arg, len, name, strlen(name) + 1, ret, sizeof(*ret), NULL);
}

int wire_lookup(struct wire *w, uint64_t dir, const char *name, struct fuse_entry_out *ret)
{
	return name_call(w, FUSE_LOOKUP, dir, NULL, 0, name, ret);
}

int wire_mknod(struct wire *w, uint64_t dir, const char *name, mode_t mode,
	       struct fuse_entry_out *ret)
{
	struct fuse_mknod_in in = {.mode = mode};

	return name_call(w, FUSE_MKNOD, dir, &in, sizeof(in), name, ret);
}

int wire_mkdir(struct wire *w, uint64_t dir, const char *name, mode_t mode,
	       struct fuse_entry_out *ret)
{
	struct fuse_mkdir_in in = {.mode = mode};

	return name_call(w, FUSE_MKDIR, dir, &in, sizeof(in), name, ret);
}

int wire_symlink(struct wire *w, uint64_t dir, const char *name, const char *target,
		 struct fuse_entry_out *ret)
{
	return name_call(w, FUSE_SYMLINK, dir, name, strlen(name) + 1, target, ret);
}

int wire_link(struct wire *w, uint64_t ino, uint64_t dir, const char *name,
	      struct fuse_entry_out *ret)
{
	struct fuse_link_in in = {.oldnodeid = ino};

	return name_call(w, FUSE_LINK, dir, &in, sizeof(in), name, ret);
}

int wire_unlink(struct wire *w, uint64_t dir, const char *name)
{
	return name_call(w, FUSE_UNLINK, dir, NULL, 0, name, NULL);
}

int wire_rmdir(struct wire *w, uint64_t dir, const char *name)
{
	return name_call(w, FUSE_RMDIR, dir, NULL, 0, name, NULL);
}

int wire_rename(struct wire *w, uint64_t dir, const char *name, uint64_t newdir,
		const char *newname, uint32_t flags)
{
	struct fuse_rename2_in in = {.newdir = newdir, .flags = flags};
	size_t n1 = strlen(name) + 1, n2 = strlen(newname) + 1;
	char *names = malloc(n1 + n2);
	int err;

	if (names == NULL)
		abort();
	memcpy(names, name, n1);
	memcpy(names + n1, newname, n2);
	err = wire_call(w, FUSE_RENAME2, dir, &in, sizeof(in), names, n1 + n2, NULL, 0, NULL);
	free(names);
	return err;
}

int wire_getattr(struct wire *w, uint64_t ino, struct fuse_attr *ret)
{
	struct fuse_getattr_in in = {0};
	struct fuse_attr_out out;
	int err = wire_call(w, FUSE_GETATTR, ino, &in, sizeof(in), NULL, 0, &out, sizeof(out), NULL);

	if (err == 0 && ret != NULL)
		*ret = out.attr;
	return err;
}

int64_t wire_size(struct wire *w, uint64_t ino, uint64_t fh)
{
	struct fuse_getattr_in in = {.getattr_flags = FUSE_GETATTR_FH, .fh = fh};
	struct fuse_attr_out out;
	int err = wire_call(w, FUSE_GETATTR, ino, &in, sizeof(in), NULL, 0, &out, sizeof(out), NULL);

	return err != 0 ? err : (int64_t)out.attr.size;
}

int wire_read_page(struct wire *w, uint64_t ino, uint64_t fh, uint64_t offset)
{
	struct fuse_read_in in = {.fh = fh, .offset = offset, .size = 4096};

	return wire_call(w, FUSE_READ, ino, &in, sizeof(in), NULL, 0, NULL, 0, NULL);
}

int wire_create(struct wire *w, uint64_t dir, const char *name, uint32_t flags, mode_t mode,
		struct fuse_entry_out *ret_entry, struct fuse_open_out *ret_open)
{
	struct fuse_create_in in = {.flags = flags, .mode = mode};
	struct {
		struct fuse_entry_out entry;
		struct fuse_open_out open;
	} out;
	int err = wire_call(w, FUSE_CREATE, dir, &in, sizeof(in), name, strlen(name) + 1, &out,
			    sizeof(out), NULL);

	if (err == 0) {
		*ret_entry = out.entry;
		*ret_open = out.open;
	}
	return err;
}

uint64_t wire_start_open(struct wire *w, uint64_t ino, uint32_t flags)
{
	struct fuse_open_in in = {.flags = flags};

	return wire_send(w, FUSE_OPEN, ino, &in, sizeof(in), NULL, 0);
}

int wire_open(struct wire *w, uint64_t ino, uint32_t flags, struct fuse_open_out *ret)
{
	struct fuse_open_in in = {.flags = flags};

	return wire_call(w, FUSE_OPEN, ino, &in, sizeof(in), NULL, 0, ret, sizeof(*ret), NULL);
}

int wire_opendir(struct wire *w, uint64_t ino, uint64_t *ret_fh)
{
	struct fuse_open_in in = {0};
	struct fuse_open_out out = {0};
	int err = wire_call(w, FUSE_OPENDIR, ino, &in, sizeof(in), NULL, 0, &out, sizeof(out), NULL);

	*ret_fh = out.fh;
	return err;
}

int wire_release(struct wire *w, uint64_t ino, uint64_t fh)
{
	struct fuse_release_in in = {.fh = fh};

	return wire_call(w, FUSE_RELEASE, ino, &in, sizeof(in), NULL, 0, NULL, 0, NULL);
}

int wire_releasedir(struct wire *w, uint64_t ino, uint64_t fh)
{
	struct fuse_release_in in = {.fh = fh};

	return wire_call(w, FUSE_RELEASEDIR, ino, &in, sizeof(in), NULL, 0, NULL, 0, NULL);
}

void wire_forget(struct wire *w, uint64_t ino, uint64_t nlookup)
{
	struct fuse_forget_in in = {.nlookup = nlookup};

	wire_send_as(w, w->unique += 2, FUSE_FORGET, ino, &in, sizeof(in), NULL, 0, false);
}

uint64_t wire_start_ioctl(struct wire *w, uint64_t ino, uint64_t fh, uint32_t cmd, const void *arg)
{
	struct fuse_ioctl_in in = {
		.fh = fh,
		.cmd = cmd,
		.in_size = _IOC_DIR(cmd) & _IOC_WRITE ? _IOC_SIZE(cmd) : 0,
		.out_size = _IOC_DIR(cmd) & _IOC_READ ? _IOC_SIZE(cmd) : 0,
	};

	return wire_send(w, FUSE_IOCTL, ino, &in, sizeof(in), arg, in.in_size);
}

int wire_ioctl(struct wire *w, uint64_t ino, uint64_t fh, uint32_t cmd, void *arg)
{
	static char buf[sizeof(struct fuse_ioctl_out) + 16384];
	uint64_t unique = wire_start_ioctl(w, ino, fh, cmd, arg);
	size_t len = 0;
	int err = wire_wait(w, unique, buf, sizeof(buf), &len);

	if (err == 0 && len > sizeof(struct fuse_ioctl_out))
		memcpy(arg, buf + sizeof(struct fuse_ioctl_out), len - sizeof(struct fuse_ioctl_out));
	/* What ioctl(2) returns. */
	return err == 0 ? ((struct fuse_ioctl_out *)buf)->result : err;
}

uint64_t wire_read(struct wire *w, uint64_t ino, uint64_t fh, uint32_t size, uint32_t flags)
{
	struct fuse_read_in in = {
		.fh = fh,
		.size = size,
		.flags = flags,
		.read_flags = FUSE_READ_LOCKOWNER,
		/* As the kernel: whatever it is, another for each process. */
		.lock_owner = w->owner != 0 ? w->owner : ~(uint64_t)w->pid,
	};

	return wire_send(w, FUSE_READ, ino, &in, sizeof(in), NULL, 0);
}

uint64_t wire_write(struct wire *w, uint64_t ino, uint64_t fh, const void *data, uint32_t size,
		    uint32_t flags)
{
	struct fuse_write_in in = {.fh = fh, .size = size, .flags = flags};

	return wire_send(w, FUSE_WRITE, ino, &in, sizeof(in), data, size);
}

void wire_interrupt(struct wire *w, uint64_t unique)
{
	struct fuse_interrupt_in in = {.unique = unique};

	wire_send_as(w, unique | 1, FUSE_INTERRUPT, 0, &in, sizeof(in), NULL, 0, false);
}

uint64_t wire_poll(struct wire *w, uint64_t ino, uint64_t fh, uint64_t kh)
{
	struct fuse_poll_in in = {
		.fh = fh,
		.kh = kh,
		.flags = kh != 0 ? FUSE_POLL_SCHEDULE_NOTIFY : 0,
		.events = ~0u,
	};

	return wire_send(w, FUSE_POLL, ino, &in, sizeof(in), NULL, 0);
}
