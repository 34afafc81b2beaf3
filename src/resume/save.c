/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Objects to records: see save.h. */
#include "config.h"

#include "resume/save_i.h"

#include <stdlib.h>
#include <string.h>

#include "ctl/ctl.h"
#include "fs/dcache.h"
#include "fs/xattr.h"
#include "journal/journal.h"
#include "lib/log.h"
#include "net/sock_wait.h"

#define STATE_KEPT (I_CLEAR | I_UNSTABLE | I_FIXED | I_CHARGED)
#define MODE_KEPT (FMODE_STREAM | FMODE_OPENED)

/* What has changed since the last transaction, in no order. */
static struct dirty {
	void **p;
	size_t nr, room;
} inodes, files;

/* Texts that records have let go of in this transaction. */
static uint32_t *dropped;
static size_t nr_dropped, room_dropped;

/* Records that are used no more, as soon as it holds. */
static struct unused {
	enum ledger_table table;
	uint32_t nr;
} *unused;
static size_t nr_unused, room_unused;

/* The items that are being put together. */
static struct {
	char *bytes;
	size_t len, room;
	bool failed;
} items;

static bool failed; /* the ledger is not what it should be: nobody shall go on with it */

void save_give_up(const char *why)
{
	if (!failed)
		pr_err("%s: from here on nothing outlives this process", why);
	failed = true;
	ledger->ending = 1;
}

/* ------------------------------------------------------------------------- the lists */

static bool grow(void **p, size_t *room, size_t nr, size_t size)
{
	size_t more = *room != 0 ? *room * 2 : 256;
	void *bigger;

	if (nr < *room)
		return true;
	bigger = realloc(*p, more * size);
	if (bigger == NULL)
		return false;
	*p = bigger;
	*room = more;
	return true;
}

static void dirty_add(struct dirty *d, void *object)
{
	if (!grow((void **)&d->p, &d->room, d->nr, sizeof(void *))) {
		save_give_up("out of memory");
		return;
	}
	d->p[d->nr++] = object;
}

static void dirty_remove(struct dirty *d, const void *object)
{
	/* What goes has mostly changed last. */
	for (size_t i = d->nr; i-- > 0;) {
		if (d->p[i] != object)
			continue;
		d->p[i] = d->p[--d->nr];
		return;
	}
}

static void drop_text(uint32_t text)
{
	if (text == 0)
		return;
	if (grow((void **)&dropped, &room_dropped, nr_dropped, sizeof(*dropped)))
		dropped[nr_dropped++] = text;
}

/* Record @nr is cleared. Without memory its piece of the table stays with us. */
static void drop_record(enum ledger_table table, uint32_t nr)
{
	const uint32_t none = 0;

	journal_write(ledger_at(table, nr), &none, sizeof(none));
	if (grow((void **)&unused, &room_unused, nr_unused, sizeof(*unused)))
		unused[nr_unused++] = (struct unused){table, nr};
}

/* ------------------------------------------------------------------------------ items */

void items_begin(void)
{
	items.len = 0;
	items.failed = false;
}

char *item_add(enum item_type type, size_t len)
{
	size_t size = sizeof(struct item) + ALIGN_UP(len, (size_t)8);
	struct item *item;

	if (items.room - items.len < size) {
		size_t room = max(items.room * 2, items.len + size);
		char *bytes = realloc(items.bytes, room);

		if (bytes == NULL) {
			items.failed = true;
			return NULL;
		}
		items.bytes = bytes;
		items.room = room;
	}
	item = (struct item *)(items.bytes + items.len);
	memset(item, 0, size);
	*item = (struct item){.type = type, .len = (uint32_t)len};
	items.len += size;
	return (char *)(item + 1);
}

uint32_t items_end(uint32_t old)
{
	uint32_t text = 0;

	if (items.failed)
		save_give_up("out of memory");
	else if (items.len > 0) {
		text = text_write(items.bytes, items.len);
		if (text == 0)
			save_give_up("no memory for texts");
	}
	drop_text(old);
	return text;
}

/* ----------------------------------------------------------------------------- inodes */

static uint32_t nodeid_record(uint64_t nodeid)
{
	return ((uint32_t)nodeid & (IDTABLE_MAX - 1)) + 1;
}

uint32_t inode_record(const struct inode *inode)
{
	return inode == inode->i_sb->s_root ? 0 : nodeid_record(inode->i_nodeid);
}

uint32_t inode_generation(const struct inode *inode)
{
	return inode == inode->i_sb->s_root ? 1 : (uint32_t)(inode->i_nodeid >> 32);
}

/* enum ledger_kind; 0: it is not written down. The kernel looks such a name up again. */
static uint8_t inode_kind(const struct inode *inode)
{
	if (!(inode->i_state & I_PLAIN))
		return LEDGER_SOCKET;
	if (inode == inode->i_sb->s_root)
		return LEDGER_DIR;
	if (inode->i_state & I_FIXED) {
		if (d_find_alias(inode) != NULL)
			return LEDGER_FACE;
		if (dial_is_name(inode))
			return LEDGER_DIALLED;
		return ctl_is_mirror(inode) ? LEDGER_MIRROR : 0;
	}
	return S_ISDIR(inode->i_mode) ? LEDGER_DIR : LEDGER_LINK;
}

static int64_t ns(int64_t sec, uint32_t nsec)
{
	int64_t ret;

	/* As far as it goes: from 1677 to 2262. */
	if (__builtin_mul_overflow(sec, INT64_C(1000000000), &ret) ||
	    __builtin_add_overflow(ret, (int64_t)nsec, &ret))
		return sec < 0 ? INT64_MIN : INT64_MAX;
	return ret;
}

static void add_name(uint32_t parent, uint64_t off, const char *name, size_t len)
{
	char *at = item_add(ITEM_NAME, 12 + len);

	if (at == NULL)
		return;
	memcpy(at, &parent, sizeof(parent));
	memcpy(at + 4, &off, sizeof(off));
	memcpy(at + 12, name, len);
}

static void add_names(const struct inode *inode)
{
	const struct dentry *dentry;

	TAILQ_FOREACH(dentry, &inode->i_dentry, d_alias)
		add_name(inode_record(dentry->d_parent), dentry->d_off, dentry_name(dentry),
			 dentry->d_len);
}

static void add_xattrs(struct inode *inode)
{
	ssize_t size = simple_xattr_list(inode, NULL, 0);
	char *list = size > 0 ? malloc((size_t)size) : NULL;

	if (size <= 0)
		return;
	if (list == NULL) {
		items.failed = true;
		return;
	}
	size = simple_xattr_list(inode, list, (size_t)size);
	for (const char *name = list; name < list + size; name += strlen(name) + 1) {
		size_t len = strlen(name) + 1;
		ssize_t n = simple_xattr_get(inode, name, NULL, 0);
		char *at = item_add(ITEM_XATTR, len + (size_t)n);

		if (at == NULL)
			break;
		memcpy(at, name, len);
		(void)simple_xattr_get(inode, name, at + len, (size_t)n);
	}
	free(list);
}

/* Its only name, short enough for the record; NULL: it is not so. */
static const struct dentry *short_name(const struct inode *inode)
{
	const struct dentry *dentry = d_find_alias(inode);

	if (dentry == NULL || TAILQ_NEXT(dentry, d_alias) != NULL || dentry->d_len > LEDGER_NAME)
		return NULL;
	return dentry;
}

/* What it was looked up by, into the record if it is short, else into the items. */
static void add_dialled(const struct inode *inode, struct ledger_inode *ret)
{
	char text[NAME_MAX_BYTES + 1];
	uint64_t parent;
	size_t len;

	ret->uid = dial_name_of(inode, &parent, text);
	len = strlen(text);
	ret->parent = nodeid_record(parent);
	if (len > LEDGER_NAME) {
		add_name(ret->parent, 0, text, len);
		return;
	}
	ret->name_len = (uint8_t)len;
	memcpy(ret->name, text, len);
}

static uint32_t inode_text(struct inode *inode, struct ledger_inode *ret, uint32_t old)
{
	if (!(inode->i_state & I_DIRTY_TEXT) && ret->kind != LEDGER_DIALLED)
		return old;
	items_begin();
	if (ret->kind == LEDGER_DIALLED)
		add_dialled(inode, ret);
	else if (short_name(inode) == NULL)
		add_names(inode);
	if (inode->i_state & I_PLAIN && !(inode->i_state & I_FIXED) && PLAIN_I(inode)->link != NULL) {
		size_t len = strlen(PLAIN_I(inode)->link) + 1;
		char *at = item_add(ITEM_LINK, len);

		if (at != NULL)
			memcpy(at, PLAIN_I(inode)->link, len);
	}
	add_xattrs(inode);
	return items_end(old);
}

static void fill_inode(struct inode *inode, const struct ledger_inode *old,
		       struct ledger_inode *ret)
{
	const struct dentry *dentry = short_name(inode);

	*ret = (struct ledger_inode){
		.generation = inode_generation(inode),
		.kind = inode_kind(inode),
		.state = (uint16_t)(inode->i_state & STATE_KEPT),
		.ino = inode->i_ino,
		.nlookup = inode->i_nlookup,
		.mode = inode->i_mode,
		.uid = inode->i_uid,
		.gid = inode->i_gid,
		.atime = ns(inode->i_atime_sec, inode->i_atime_nsec),
		.mtime = ns(inode->i_mtime_sec, inode->i_mtime_nsec),
		.ctime = ns(inode->i_ctime_sec, inode->i_ctime_nsec),
	};
	if (inode->i_state & I_PLAIN)
		ret->number = ret->kind == LEDGER_MIRROR ? PLAIN_I(inode)->number
							 : PLAIN_I(inode)->last_off;
	if (dentry != NULL) {
		ret->name_len = dentry->d_len;
		ret->parent = inode_record(dentry->d_parent);
		ret->off = dentry->d_off;
		memcpy(ret->name, dentry_name(dentry), dentry->d_len);
	}
	ret->text = inode_text(inode, ret, old->text);
}

/* ------------------------------------------------------------------- what has changed */

static void save_inode(struct inode *inode)
{
	uint32_t nr = inode_record(inode);
	struct ledger_inode *at = ledger_at(LEDGER_INODES, nr), rec;
	bool is_new = !(inode->i_state & I_RECORDED);

	if (inode_kind(inode) == 0)
		goto clean;
	if (is_new) {
		if (ledger_use(LEDGER_INODES, nr) != 0) {
			save_give_up("no memory for inodes");
			return;
		}
		inode->i_state |= I_RECORDED | I_DIRTY_TEXT;
	}
	fill_inode(inode, is_new ? &(struct ledger_inode){.text = 0} : at, &rec);
	journal_write(at, &rec, sizeof(rec));
	if (!(inode->i_state & I_PLAIN) && (is_new || inode->i_state & I_DIRTY_SOCK))
		save_sock(inode, is_new);
clean:
	inode->i_state &= ~(uint32_t)(I_DIRTY | I_DIRTY_TEXT | I_DIRTY_SOCK);
}

static void forget_inode(struct inode *inode)
{
	uint32_t nr = inode_record(inode);

	if (inode->i_state & I_DIRTY)
		dirty_remove(&inodes, inode);
	if (!(inode->i_state & I_RECORDED) || !journal_is_on())
		return;
	drop_text(((struct ledger_inode *)ledger_at(LEDGER_INODES, nr))->text);
	drop_record(LEDGER_INODES, nr);
	if (inode->i_state & I_RECORDED_SOCK) {
		drop_text(((struct ledger_sock *)ledger_at(LEDGER_SOCKS, nr))->text);
		drop_record(LEDGER_SOCKS, nr);
	}
	inode->i_state &= ~(uint32_t)(I_RECORDED | I_RECORDED_SOCK);
}

/* ------------------------------------------------------------------------------ files */

static uint32_t file_record(const struct file *file)
{
	return (uint32_t)file->f_id & (IDTABLE_MAX - 1);
}

static void add_lines(const struct file *file)
{
	const struct sock_line *first = file->private_data, *line = first;

	if (!(file->f_mode & FMODE_STREAM))
		return;
	while (line != NULL) {
		size_t len = (size_t)(line->end - line->at);
		char *at = item_add(ITEM_LINE, 12 + len);

		if (at == NULL)
			return;
		memcpy(at, &line->owner, 8);
		memcpy(at + 8, &line->pid, 4);
		memcpy(at + 12, line->at, len);
		line = line->next != first ? line->next : NULL;
	}
}

static void save_file(struct file *file)
{
	uint32_t nr = file_record(file);
	struct ledger_file *at = ledger_at(LEDGER_FILES, nr);
	struct ledger_file f = {
		.generation = (uint32_t)(file->f_id >> 32),
		.flags = file->f_flags,
		.mode = file->f_mode & MODE_KEPT,
		.inode = inode_record(file->f_inode),
		.nodeid = file->f_nodeid,
		.dir_end = file->f_dir_end,
	};
	uint32_t old = 0;

	if (!(file->f_mode & FMODE_RECORDED)) {
		if (ledger_use(LEDGER_FILES, nr) != 0) {
			save_give_up("no memory for open files");
			return;
		}
		file->f_mode |= FMODE_RECORDED;
	} else {
		old = at->text;
		f.poll = at->poll;
	}
	items_begin();
	add_lines(file);
	f.text = items_end(old);
	journal_write(at, &f, sizeof(f));
	file->f_mode &= ~(unsigned int)FMODE_DIRTY;
}

static void forget_file(struct file *file)
{
	uint32_t nr = file_record(file);
	struct ledger_file *at = ledger_at(LEDGER_FILES, nr);

	if (file->f_mode & FMODE_DIRTY)
		dirty_remove(&files, file);
	if (!(file->f_mode & FMODE_RECORDED) || !journal_is_on())
		return;
	drop_text(at->text);
	drop_record(LEDGER_FILES, nr);
}

/* ---------------------------------------------------------------------- the transaction */

static void dirty_inode(struct inode *inode)
{
	dirty_add(&inodes, inode);
}

static void dirty_file(struct file *file)
{
	dirty_add(&files, file);
}

static bool is_dirty(void)
{
	return inodes.nr > 0 || files.nr > 0;
}

/* Numbers that were given out: none of them may be given out again. */
static void save_counters(const struct super_block *sb)
{
	if (ledger->next_ino != sb->s_next_ino)
		journal_write(&ledger->next_ino, &sb->s_next_ino, sizeof(sb->s_next_ino));
	if (ledger->inode_generation != sb->s_inodes.generation)
		journal_write(&ledger->inode_generation, &sb->s_inodes.generation,
			      sizeof(sb->s_inodes.generation));
	if (ledger->file_generation != sb->s_files.generation)
		journal_write(&ledger->file_generation, &sb->s_files.generation,
			      sizeof(sb->s_files.generation));
}

static void save(struct super_block *sb)
{
	for (size_t i = 0; i < inodes.nr && !failed; i++)
		save_inode(inodes.p[i]);
	for (size_t i = 0; i < files.nr && !failed; i++)
		save_file(files.p[i]);
	inodes.nr = 0;
	files.nr = 0;
	save_counters(sb);
}

static void saved(struct super_block *sb)
{
	(void)sb;
	while (nr_dropped > 0)
		text_free(dropped[--nr_dropped]);
	while (nr_unused > 0) {
		nr_unused--;
		ledger_unuse(unused[nr_unused].table, unused[nr_unused].nr);
	}
}

static const struct super_journal journal_ops = {
	.dirty_inode = dirty_inode,
	.forget_inode = forget_inode,
	.dirty_file = dirty_file,
	.forget_file = forget_file,
	.is_dirty = is_dirty,
	.save = save,
	.saved = saved,
};

void save_begin(struct super_block *sb, bool all)
{
	struct inode *inode;
	uint64_t pos = 0;

	if (ledger == NULL)
		return;
	sb->s_journal = &journal_ops;
	if (!(sb->s_root->i_state & I_RECORDED))
		__mark_inode_dirty(sb->s_root, I_DIRTY_TEXT);
	while (all && (inode = idtable_next(&sb->s_inodes, &pos)) != NULL)
		if (!(inode->i_state & I_RECORDED))
			__mark_inode_dirty(inode, I_DIRTY_TEXT | I_DIRTY_SOCK);
}

void save_end(struct super_block *sb)
{
	sb->s_journal = NULL;
	inodes.nr = 0;
	files.nr = 0;
	nr_dropped = nr_unused = 0;
	failed = false;
}
