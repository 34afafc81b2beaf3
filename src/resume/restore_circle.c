/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Directories that would be walked for ever: see restore_i.h. */
#include "config.h"

#include "resume/restore_i.h"

#include <errno.h>

#include "fs/dcache.h"

/*
 * From directory @nr upwards, to the root or to where a walk has been before; @seen has the
 * first walk at each. The directory that this one comes to twice; NULL: it does not.
 */
static struct inode *find_circle(struct inode *dir, uint32_t nr, uint32_t *seen)
{
	const struct dentry *dentry;
	uint32_t at;

	while ((dentry = d_find_alias(dir)) != NULL) {
		at = inode_record(dir);
		/* What this program has made itself goes up to the root. */
		if (at == 0 || at >= nr_of(LEDGER_INODES))
			return NULL;
		if (seen[at] != 0)
			return seen[at] == nr ? dir : NULL;
		seen[at] = nr;
		dir = dentry->d_parent;
	}
	return NULL;
}

int cut_circles(struct super_block *sb, struct restored *ret)
{
	uint32_t *seen = calloc(nr_of(LEDGER_INODES) + 1, sizeof(*seen));

	if (seen == NULL)
		return -ENOMEM;
	for (uint32_t nr = ledger_next(LEDGER_INODES, 1); nr < nr_of(LEDGER_INODES);
	     nr = ledger_next(LEDGER_INODES, nr + 1)) {
		struct inode *inode = inode_of(sb, nr), *dir;

		if (inode == NULL || !S_ISDIR(inode->i_mode))
			continue;
		dir = find_circle(inode, nr, seen);
		if (dir == NULL)
			continue;
		d_find_alias(dir)->d_parent->i_nlink--;
		d_delete(d_find_alias(dir));
		dir->i_nlink = 0;
		leave_out(ret, "a circle of directories at inode", nr);
	}
	free(seen);
	return 0;
}
