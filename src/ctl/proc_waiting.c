/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * .proc/waiting: every call that waits in the mount: who has called what, since
 * when, and on which file. For whoever looks for the one that holds up others: a
 * write that waits holds the lock of its file in the kernel.
 *
 * Paths are those of the tree as it is now, in the octal escapes of /proc/mounts.
 */
#include "config.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "ctl/ctl.h"
#include "ctl/proc.h"
#include "fs/dcache.h"
#include "sockfs/ioctl.h"

/* A path that is written from its end to its beginning. */
struct path {
	char text[PATH_MAX];
	size_t begin;
};

static bool path_prepend(struct path *p, const char *name, size_t len)
{
	if (len > p->begin)
		return false;
	p->begin -= len;
	memcpy(p->text + p->begin, name, len);
	return true;
}

/* The oldest name of @inode and those of the directories above it; "..." for what has no room. */
static void path_of(struct path *p, const struct inode *inode)
{
	const struct inode *root = inode->i_sb->s_root;

	while (inode != root) {
		const struct dentry *dentry = d_find_alias(inode);

		if (dentry == NULL || p->begin < dentry->d_len + sizeof("/...")) {
			(void)path_prepend(p, dentry == NULL ? "-" : "...", dentry == NULL ? 1 : 3);
			return;
		}
		(void)path_prepend(p, dentry_name(dentry), dentry->d_len);
		inode = dentry->d_parent;
		if (inode != root)
			(void)path_prepend(p, "/", 1);
	}
}

/* As the caller may have written it, from the mount point on; "-" if it has no name any more. */
static void path_of_file(struct path *p, const struct super_block *sb, const struct file *file)
{
	const struct inode *inode = ilookup((struct super_block *)sb, file->f_nodeid);
	const struct inode *real = inode != NULL ? ctl_mirrored(inode) : NULL;
	const struct sockfs_addr *addr = NULL;
	const char *dir;

	p->begin = sizeof(p->text);
	if (inode != NULL && inode->i_state & I_PLAIN)
		addr = dial_target(inode, &dir);
	if (addr != NULL) {
		if (addr->port[0] != '\0') {
			(void)path_prepend(p, addr->port, strlen(addr->port));
			(void)path_prepend(p, "/", 1);
		}
		(void)path_prepend(p, addr->host, strlen(addr->host));
		/* A path begins with one. */
		if (addr->host[0] != '/')
			(void)path_prepend(p, "/", 1);
		(void)path_prepend(p, dir, strlen(dir));
	} else if (inode == NULL) {
		(void)path_prepend(p, "-", 1);
	} else if (inode == sb->s_root) {
		(void)path_prepend(p, ".", 1);
	} else {
		path_of(p, real != NULL ? real : inode);
		if (real != NULL)
			(void)path_prepend(p, ".ctl/", 5);
	}
}

/* fs/seq_file.c: seq_path, mangle_path. */
static void show_path(struct seq_file *m, const struct path *p)
{
	char escaped[4 * sizeof(p->text) + 1], *end = escaped;

	for (size_t i = p->begin; i < sizeof(p->text); i++) {
		unsigned char c = (unsigned char)p->text[i];

		if (c <= ' ' || c == '\\' || c == 0x7f)
			end += sprintf(end, "\\%03o", c);
		else
			*end++ = (char)c;
	}
	*end = '\0';
	seq_puts(m, escaped);
}

static void show_waiting(struct seq_file *m, const struct super_block *sb,
			 const struct kiocb *iocb)
{
	const struct file *file = iocb->ki_filp;
	const struct inode *real = ctl_mirrored(file->f_inode);
	struct path path;

	path_of_file(&path, sb, file);
	seq_printf(m, "%7d %5u %-11s %lld %20llu ", iocb->ki_cred.pid, iocb->ki_cred.uid,
		   iocb->ki_call, (long long)iocb->ki_since,
		   (unsigned long long)(real != NULL ? real->i_ino : file->f_inode->i_ino));
	show_path(m, &path);
	seq_puts(m, "\n");
}

/* Whose file it is sees who waits for it. */
static bool may_see(const struct seq_file *m, const struct kiocb *iocb)
{
	const struct inode *inode = iocb->ki_filp->f_inode, *real = ctl_mirrored(inode);

	return seq_may_see(m, iocb->ki_cred.uid) || seq_may_see(m, (real != NULL ? real : inode)->i_uid);
}

bool proc_show_waiting(struct seq_file *m, void *data)
{
	const struct super_block *sb = data;
	uint64_t begin = work_begin();

	if (m->pos == 0)
		seq_puts(m, "    pid   uid call             since                  ino file\n");
	do {
		const struct kiocb *iocb = idtable_next(&sb->s_waiting, &m->pos);

		if (iocb == NULL)
			return false;
		/* Not those who wait for this very table. */
		if (!seq_waits_for(m, iocb) && may_see(m, iocb))
			show_waiting(m, sb, iocb);
	} while (!work_is_over(begin));
	return true;
}
