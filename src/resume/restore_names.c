/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What inodes have in words, made again: names, targets, labels. See restore_i.h.
 *
 * Names point to directories, which point to theirs: what is broken there leads in circles, or to
 * what goes before the name does. So a name is only where users can have made it, and in the
 * end each leads to the root.
 */
#include "config.h"

#include "resume/restore_i.h"

#include <errno.h>
#include <string.h>

#include "fs/dcache.h"
#include "fs/xattr.h"

/* One that a kernel could have asked for. */
static bool name_is_sane(const char *bytes, size_t len)
{
	if (len == 0 || len > NAME_MAX_BYTES || memchr(bytes, '/', len) != NULL ||
	    memchr(bytes, '\0', len) != NULL)
		return false;
	return bytes[0] != '.' || (len > 1 && (len > 2 || bytes[1] != '.'));
}

/*
 * May @inode have a name in @dir? Those of users are in directories of users, which stay as long
 * as there are names in them; and a directory is in one.
 */
static bool may_be_in(const struct inode *inode, const struct inode *dir)
{
	if (dir == NULL || !S_ISDIR(dir->i_mode) || dir == inode)
		return false;
	if (dir->i_state & I_FIXED && dir != dir->i_sb->s_root)
		return false;
	return inode != inode->i_sb->s_root &&
	       (!S_ISDIR(inode->i_mode) || d_find_alias(inode) == NULL);
}

static void add_name(struct super_block *sb, struct inode *inode, uint32_t parent, uint64_t off,
		     const char *bytes, size_t len, struct restored *ret)
{
	char text[NAME_MAX_BYTES + 1];
	const struct qstr name = {.name = text, .len = len};
	struct inode *dir = inode_of(sb, parent);

	if (!name_is_sane(bytes, len) || !may_be_in(inode, dir) || off == 0 || off > OFFSET_MAX) {
		leave_out(ret, "a name of inode", inode_record(inode));
		return;
	}
	memcpy(text, bytes, len);
	text[len] = '\0';
	if (d_resume(dir, &name, off, inode) != 0) {
		leave_out(ret, "a name of inode", inode_record(inode));
		return;
	}
	inode->i_nlink++;
	if (!S_ISDIR(inode->i_mode))
		return;
	inode->i_nlink++; /* its "." */
	dir->i_nlink++;
}

static void add_text(struct super_block *sb, struct inode *inode, const struct item *item,
		     struct restored *ret)
{
	const char *bytes = (const char *)(item + 1);
	const char *end = memchr(bytes, '\0', item->len);
	uint32_t parent;
	uint64_t off;

	switch (item->type) {
	case ITEM_NAME:
		if (item->len <= 12 || inode->i_state & I_FIXED)
			return;
		memcpy(&parent, bytes, sizeof(parent));
		memcpy(&off, bytes + 4, sizeof(off));
		add_name(sb, inode, parent, off, bytes + 12, item->len - 12, ret);
		return;
	case ITEM_LINK:
		if (end == NULL || !S_ISLNK(inode->i_mode) || PLAIN_I(inode)->link != NULL ||
		    plain_set_link(inode, bytes) != 0)
			leave_out(ret, "the target of inode", inode_record(inode));
		return;
	case ITEM_XATTR:
		if (end == NULL || simple_xattr_set(inode, bytes, end + 1,
						    item->len - (size_t)(end + 1 - bytes), 0) != 0)
			leave_out(ret, "a label of inode", inode_record(inode));
		return;
	default:
		return;
	}
}

/* What inode @nr has in words; the times are those of the record again. */
static int restore_text(struct super_block *sb, uint32_t nr, struct restored *ret)
{
	const struct ledger_inode *rec = ledger_at(LEDGER_INODES, nr);
	struct inode *inode = inode_of(sb, nr);
	const struct item *item = NULL;
	struct text text;
	int err;

	if (rec->generation == 0 || inode == NULL)
		return 0;
	restore_record(LEDGER_INODES, nr);
	if (rec->name_len > 0 && rec->name_len <= LEDGER_NAME && !(inode->i_state & I_FIXED))
		add_name(sb, inode, rec->parent, rec->off, rec->name, rec->name_len, ret);
	if (rec->text != 0) {
		err = text_load(&text, rec->text);
		while (err == 0 && (item = text_item(&text, item)) != NULL)
			add_text(sb, inode, item, ret);
		text_drop(&text);
		if (err != 0)
			return err;
	}
	set_time(rec->ctime, &inode->i_ctime_sec, &inode->i_ctime_nsec);
	/* A link without a target could not even be read. */
	if (S_ISLNK(inode->i_mode) && PLAIN_I(inode)->link == NULL)
		return plain_set_link(inode, "?");
	return 0;
}

/* All names in @dir go. Was one of them a directory's? */
static bool empty_dir(struct inode *dir, struct restored *ret)
{
	struct dentry *dentry;
	bool again = false;

	while ((dentry = d_next_child(dir, 0)) != NULL) {
		struct inode *inode = dentry->d_inode;

		d_delete(dentry);
		inode->i_nlink--;
		leave_out(ret, "a name of inode", inode_record(inode));
		if (!S_ISDIR(inode->i_mode))
			continue;
		inode->i_nlink--; /* its "." */
		dir->i_nlink--;
		again = true;
	}
	return again;
}

/* A directory that has lost its own name goes as soon as nothing holds it, and with it what is in it. */
static void empty_nameless(struct super_block *sb, struct restored *ret)
{
	bool again = true;

	while (again) {
		again = false;
		for (uint32_t nr = ledger_next(LEDGER_INODES, 1); nr < nr_of(LEDGER_INODES);
		     nr = ledger_next(LEDGER_INODES, nr + 1)) {
			struct inode *inode = inode_of(sb, nr);

			if (inode != NULL && S_ISDIR(inode->i_mode) &&
			    !(inode->i_state & I_FIXED) && d_find_alias(inode) == NULL)
				again |= empty_dir(inode, ret);
		}
	}
}

int restore_names(struct super_block *sb, struct restored *ret)
{
	int err = 0;

	for (uint32_t nr = 0; err == 0 && nr < nr_of(LEDGER_INODES);
	     nr = ledger_next(LEDGER_INODES, nr + 1))
		err = restore_text(sb, nr, ret);
	ledger->restoring = 0;
	if (err == 0)
		err = cut_circles(sb, ret);
	if (err == 0)
		empty_nameless(sb, ret);
	return err;
}
