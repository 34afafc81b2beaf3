/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Open files made again: see restore_i.h. */
#include "config.h"

#include "resume/restore_i.h"

#include <errno.h>
#include <string.h>

#include "ctl/ctl.h"
#include "journal/ledger.h"
#include "lib/log.h"
#include "net/sock_wait.h"

static ssize_t read_lost(struct kiocb *iocb, struct iov_iter *to)
{
	(void)iocb;
	(void)to;
	return -EIO;
}

/* A table is a picture that was in the memory of who has died. */
static const struct file_operations lost_file_ops = {.read_iter = read_lost};

static void restore_lines(struct file *file, const struct text *text)
{
	const struct item *item = NULL;

	while ((item = text_item(text, item)) != NULL) {
		const char *bytes = (const char *)(item + 1);
		struct kiocb iocb = {.ki_filp = file};

		if (item->type != ITEM_LINE || item->len <= 12)
			continue;
		memcpy(&iocb.ki_owner, bytes, 8);
		memcpy(&iocb.ki_cred.pid, bytes + 8, 4);
		if (sock_rest_keep(&iocb, bytes + 12, item->len - 12) != 0)
			pr_warn("what was left of a line is lost: out of memory");
	}
}

static void restore_file(struct super_block *sb, uint32_t nr, struct restored *ret)
{
	struct ledger_file *f = ledger_at(LEDGER_FILES, nr);
	struct inode *inode = inode_of(sb, f->inode);
	const struct inode *opener;
	struct file *file = NULL;
	struct text text;
	bool is_sock;

	/* A link is not opened. */
	if (inode != NULL && !S_ISLNK(inode->i_mode))
		file = file_resume(inode, (uint64_t)f->generation << 32 | nr, f->flags);
	if (file == NULL) {
		leave_out(ret, "open file", nr);
		*(uint32_t *)ledger_at(LEDGER_FILES, nr) = 0;
		return;
	}
	is_sock = !(inode->i_state & I_PLAIN);
	file->f_mode = (f->mode & FMODE_OPENED) | (is_sock ? FMODE_STREAM : 0u) | FMODE_RECORDED;
	file->f_nodeid = f->nodeid;
	file->f_dir_end = f->dir_end;
	/* One of .ctl reads the real directory in its own way. */
	opener = ilookup(sb, f->nodeid);
	if (opener != NULL && S_ISDIR(inode->i_mode) && ctl_mirrored(opener) == inode)
		file->f_op = opener->i_fop;
	if (inode->i_state & I_FIXED && S_ISREG(inode->i_mode) && !ctl_is_mirror(inode))
		file->f_op = &lost_file_ops;
	if (ledger_use(LEDGER_FILES, nr) != 0)
		file->f_mode &= ~(unsigned int)FMODE_RECORDED;
	if (f->text != 0 && !text_claim(f->text))
		f->text = 0;
	if (f->text != 0 && is_sock && text_load(&text, f->text) == 0) {
		restore_lines(file, &text);
		text_drop(&text);
	}
	ret->files++;
}

void restore_files(struct super_block *sb, struct restored *ret)
{
	for (uint32_t nr = ledger_next(LEDGER_FILES, 0); nr < nr_of(LEDGER_FILES);
	     nr = ledger_next(LEDGER_FILES, nr + 1))
		if (((struct ledger_file *)ledger_at(LEDGER_FILES, nr))->generation != 0) {
			restore_record(LEDGER_FILES, nr);
			restore_file(sb, nr, ret);
		}
}
