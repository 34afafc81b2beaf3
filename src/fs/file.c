/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Open files: the object behind a file handle. Twin of fs/file_table.c.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>

#include "fs/internal.h"
#include "mm/slab.h"

static struct kmem_cache *filp_cachep;

int file_cache_init(void)
{
	filp_cachep = kmem_cache_create("filp", sizeof(struct file), 0, SLAB_HWCACHE_ALIGN, NULL);
	return filp_cachep == NULL ? -ENOMEM : 0;
}

int file_cache_exit(void)
{
	return kmem_cache_destroy(filp_cachep);
}

struct file *file_alloc(struct inode *inode, unsigned int flags)
{
	struct file *file = kmem_cache_alloc(filp_cachep);

	if (file == NULL)
		return NULL;
	*file = (struct file){.f_inode = inode, .f_op = inode->i_fop, .f_flags = flags};
	file->f_nodeid = inode->i_nodeid;
	return file;
}

void file_free(struct file *file)
{
	kmem_cache_free(filp_cachep, file);
}

struct file *alloc_file(struct inode *inode, unsigned int flags)
{
	struct file *file = file_alloc(inode, flags);

	if (file == NULL)
		return NULL;
	if (idtable_alloc(&inode->i_sb->s_files, file, &file->f_id) != 0) {
		file_free(file);
		return NULL;
	}
	inode_get_open(inode);
	return file;
}

struct file *fget(struct super_block *sb, uint64_t id)
{
	return idtable_find(&sb->s_files, id);
}

void file_discard(struct file *file)
{
	struct inode *inode = file->f_inode;

	poll_unwait(&file->f_poll);
	if (inode->i_sb->s_journal != NULL)
		inode->i_sb->s_journal->forget_file(file);
	(void)idtable_remove(&inode->i_sb->s_files, file->f_id);
	file_free(file);
	inode_put_open(inode);
}

void file_accessed(struct file *file)
{
	if (!(file->f_flags & O_NOATIME))
		touch_atime(file->f_inode);
}

void file_release(struct file *file)
{
	if (file->f_op != NULL && file->f_op->release != NULL)
		file->f_op->release(file->f_inode, file);
	file_discard(file);
}
