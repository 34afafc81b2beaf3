/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ioctl on open files.
 *
 * The kernel copies exactly the bytes that a command's number encodes
 * ("restricted" ioctls), in and out, so the operation sees plain memory.
 */
#include "config.h"

#include "fuse/fuse_i.h"

#include <errno.h>
#include <linux/fuse.h>
#include <string.h>
#include <sys/ioctl.h>

static void ioctl_finish(struct fuse_iocb *io, ssize_t ret)
{
	struct {
		struct fuse_ioctl_out head;
		char arg[_IOC_SIZEMASK + 1];
	} out = {.head = {.result = (int32_t)ret}};

	if (ret < 0) {
		reply_err(io->req, ret);
		return;
	}
	if (io->out_size > 0)
		memcpy(out.arg, io->out, io->out_size);
	reply_buf(io->req, &out, sizeof(out.head) + io->out_size);
}

/*
 * The argument, with room for the answer; the rest of it zero. Another size is another
 * command: the kernel asks for FS_IOC_GETFLAGS with less than its number says.
 */
static int ioctl_arg(struct fuse_iocb *io, unsigned int cmd, const void *in_buf, size_t in_size,
		     size_t out_size)
{
	size_t size = _IOC_SIZE(cmd);
	size_t in_want = _IOC_DIR(cmd) & _IOC_WRITE ? size : 0;
	char *arg;

	io->out_size = _IOC_DIR(cmd) & _IOC_READ ? size : 0;
	if (in_size != in_want || out_size < io->out_size)
		return -ENOTTY;
	if (!session_in_message(io->session, in_buf, in_size))
		return -EINVAL;
	arg = iocb_mem(io, size);
	if (arg == NULL)
		return -ENOMEM;
	if (in_size > 0)
		memcpy(arg, in_buf, in_size);
	memset(arg + in_size, 0, size - in_size);
	io->out = arg;
	return 0;
}

void ll_ioctl(fuse_req_t req, fuse_ino_t ino, unsigned int cmd, void *arg,
	      struct fuse_file_info *fi, unsigned int flags, const void *in_buf, size_t in_size,
	      size_t out_size)
{
	struct file *file = req_file(req, ino, fi, flags & FUSE_IOCTL_DIR);
	struct fuse_iocb *io;
	ssize_t ret;

	(void)arg;
	if (file == NULL)
		return;
	if (file->f_op->ioctl == NULL) {
		reply_err(req, -ENOTTY);
		return;
	}
	io = iocb_new(req, file->f_inode, file, file->f_flags, ioctl_finish);
	if (io == NULL)
		return;
	io->kiocb.ki_call = "ioctl";
	ret = ioctl_arg(io, cmd, in_buf, in_size, out_size);
	if (ret == 0)
		ret = file->f_op->ioctl(&io->kiocb, cmd, io->out);
	iocb_started(io, ret);
}
