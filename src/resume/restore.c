/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records to objects: see restore.h.
 *
 * In this order, since each stands on the one before: inodes, with the numbers that they
 * had; names, which point to directories; sockets; open files; and then whatever nothing
 * holds goes.
 */
#include "config.h"

#include "resume/restore_i.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

#include "ctl/ctl.h"
#include "ctl/dial_names.h"
#include "fs/dcache.h"
#include "fs/user.h"
#include "journal/journal.h"
#include "lib/log.h"
#include "net/sock.h"
#include "net/sock_wait.h"
#include "net/socket.h"
#include "resume/sweep.h"

/* What is I_FIXED is made so by its kind. */
#define STATE_KEPT (I_CLEAR | I_UNSTABLE)

/* ------------------------------------------------------------------------------- inodes */

uint32_t nr_of(enum ledger_table table)
{
	return min(ledger->nr[table], ledger_max(table));
}

static uint64_t nodeid_of(const struct ledger_inode *rec, uint32_t nr)
{
	return (uint64_t)rec->generation << 32 | (nr - 1);
}

struct inode *inode_of(struct super_block *sb, uint32_t nr)
{
	const struct ledger_inode *rec;

	if (nr == 0)
		return sb->s_root;
	if (nr >= nr_of(LEDGER_INODES))
		return NULL;
	rec = ledger_at(LEDGER_INODES, nr);
	return rec->generation != 0 ? ilookup(sb, nodeid_of(rec, nr)) : NULL;
}

void set_time(int64_t ns, int64_t *sec, uint32_t *nsec)
{
	int64_t rest = ns % 1000000000;

	/* Also before the epoch the nanoseconds count forwards. */
	*sec = ns / 1000000000 - (rest < 0);
	*nsec = (uint32_t)(rest < 0 ? rest + 1000000000 : rest);
}

static void set_attributes(struct inode *inode, const struct ledger_inode *rec)
{
	inode->i_mode = (inode->i_mode & S_IFMT) | (rec->mode & 07777);
	if (rec->kind != LEDGER_DIALLED)
		inode->i_uid = rec->uid;
	inode->i_gid = rec->gid;
	inode->i_nlookup = rec->nlookup;
	inode->i_state |= rec->state & STATE_KEPT;
	if (inode->i_state & I_PLAIN)
		inode->i_state &= ~(uint32_t)I_CLEAR;
	set_time(rec->atime, &inode->i_atime_sec, &inode->i_atime_nsec);
	set_time(rec->mtime, &inode->i_mtime_sec, &inode->i_mtime_nsec);
	set_time(rec->ctime, &inode->i_ctime_sec, &inode->i_ctime_nsec);
}

static struct inode *make_dir(struct super_block *sb, const struct ledger_inode *rec, uint32_t nr)
{
	struct inode *inode = inode_resume(sb, true, nodeid_of(rec, nr), rec->ino);

	if (inode == NULL)
		return NULL;
	inode->i_mode = S_IFDIR;
	inode->i_op = sb->s_root->i_op;
	inode->i_fop = &simple_dir_operations;
	PLAIN_I(inode)->last_off = min(rec->number, OFFSET_MAX);
	return inode;
}

static struct inode *make_link(struct super_block *sb, const struct ledger_inode *rec, uint32_t nr)
{
	struct inode *inode = inode_resume(sb, true, nodeid_of(rec, nr), rec->ino);

	if (inode == NULL)
		return NULL;
	inode->i_mode = S_IFLNK;
	inode->i_op = &simple_symlink_inode_operations;
	return inode;
}

static struct inode *make_socket(struct super_block *sb, const struct ledger_inode *rec,
				 uint32_t nr)
{
	struct socket *sock = sock_resume(sb, nodeid_of(rec, nr), rec->ino);

	return sock != NULL ? SOCK_INODE(sock) : NULL;
}

/*
 * The face of that name is there: it only gets its number, and once. A table may have gone, or
 * come.
 */
static struct inode *find_face(struct super_block *sb, const struct ledger_inode *rec, uint32_t nr)
{
	const struct qstr name = {.name = (char[LEDGER_NAME + 1]){0}, .len = rec->name_len};
	const struct inode *dir = inode_of(sb, rec->parent);
	const struct dentry *dentry = NULL;

	if (rec->name_len > LEDGER_NAME || dir == NULL)
		return NULL;
	memcpy((char *)name.name, rec->name, rec->name_len);
	dentry = d_lookup(sb, dir, &name);
	if (dentry == NULL || !(dentry->d_inode->i_state & I_FIXED) ||
	    dentry->d_inode->i_nodeid != 0 || inode_renumber(dentry->d_inode, nodeid_of(rec, nr)) != 0)
		return NULL;
	return dentry->d_inode;
}

/* @inode, which has just been made, gets the number of record @nr. NULL: it cannot. */
static struct inode *renumber(struct inode *inode, const struct ledger_inode *rec, uint32_t nr)
{
	struct idtable *t = &inode->i_sb->s_inodes;

	(void)idtable_remove(t, inode->i_nodeid);
	if (inode_renumber(inode, nodeid_of(rec, nr)) == 0)
		return inode;
	/* Its own number is gone, and nobody knows it. */
	if (idtable_alloc(t, inode, &inode->i_nodeid) == 0)
		inode_forget(inode, 0);
	return NULL;
}

static struct inode *make_mirror(struct super_block *sb, const struct ledger_inode *rec, uint32_t nr)
{
	struct inode *real = ilookup(sb, rec->number), *inode;

	/* Only what users have made has one. */
	if (real == NULL || real->i_state & I_FIXED || ctl_mirror(real, &inode) != 0)
		return NULL;
	return renumber(inode, rec, nr);
}

/* The name of a record, in it or in its text; its length, 0: there is none. */
static size_t name_of(const struct ledger_inode *rec, char text[NAME_MAX_BYTES + 1])
{
	const struct item *item;
	struct text items;
	size_t len = min((size_t)rec->name_len, (size_t)LEDGER_NAME);

	memcpy(text, rec->name, len);
	if (len == 0 && text_load(&items, rec->text) == 0) {
		item = text_item(&items, NULL);
		if (item != NULL && item->type == ITEM_NAME && item->len > 12 &&
		    item->len <= 12 + NAME_MAX_BYTES) {
			len = item->len - 12;
			memcpy(text, (const char *)(item + 1) + 12, len);
		}
		text_drop(&items);
	}
	text[len] = '\0';
	return len;
}

/*
 * Looked up again, in a directory that may have to be looked up itself before: there are no
 * more of them than a path has parts.
 */
static struct inode *make_dialled(struct super_block *sb, const struct ledger_inode *rec,
				  uint32_t nr)
{
	static unsigned int depth;
	char text[NAME_MAX_BYTES + 1];
	const struct qstr name = {.name = text, .len = name_of(rec, text)};
	struct inode *dir = inode_of(sb, rec->parent), *inode = NULL;
	const struct ledger_inode *above;

	if (ilookup(sb, nodeid_of(rec, nr)) != NULL)
		return ilookup(sb, nodeid_of(rec, nr));
	if (dir == NULL && rec->parent < nr_of(LEDGER_INODES) && depth < PATH_MAX / 2) {
		above = ledger_at(LEDGER_INODES, rec->parent);
		depth++;
		if (above->generation != 0 && above->kind == LEDGER_DIALLED)
			dir = make_dialled(sb, above, rec->parent);
		depth--;
	}
	if (dir == NULL || !S_ISDIR(dir->i_mode) || dir->i_op->lookup == NULL || name.len == 0 ||
	    dir == sb->s_root)
		return NULL;
	sb->s_cred = (struct cred){.uid = rec->uid, .gid = rec->gid};
	dial_names_use(&sb->s_cred);
	if (dir->i_op->lookup(dir, &name, &inode) != 0 || !dial_is_name(inode))
		return NULL;
	inode->i_ino = rec->ino;
	return renumber(inode, rec, nr);
}

static void recorded(struct inode *inode, enum ledger_table table, uint32_t nr, uint32_t bit)
{
	if (ledger_use(table, nr) == 0)
		inode->i_state |= bit;
}

void leave_out(struct restored *ret, const char *what, uint32_t nr)
{
	pr_warn("%s %u is left out: its record is broken", what, nr);
	ret->lost++;
}

static void clear(enum ledger_table table, uint32_t nr)
{
	*(uint32_t *)ledger_at(table, nr) = 0;
}

void restore_record(enum ledger_table table, uint32_t nr)
{
	ledger->restoring_of = table;
	ledger->restoring = nr + 1;
	/* It stands there before anything is done with the record. */
	atomic_signal_fence(memory_order_seq_cst);
}

/*
 * Of the record that the last process was working on when it crashed another one would die as
 * well. Who was killed was so by somebody, and it is as good as the others.
 */
static void leave_out_deadly(struct restored *ret)
{
	uint32_t nr = ledger->restoring - 1, table = ledger->restoring_of;
	bool crashed = ledger->died_of != 0 && ledger->died_of != SIGKILL;

	if (ledger->restoring == 0)
		return;
	ledger->restoring = 0;
	if (!crashed || table > LEDGER_FILES || nr >= nr_of(table))
		return;
	pr_err("the last process died of the record of %s %u",
	       table == LEDGER_FILES ? "open file" : "inode", nr);
	if (table == LEDGER_SOCKS) {
		/* No state: its inode stays, and its connection is left out. */
		((struct ledger_sock *)ledger_at(table, nr))->state = 0;
		return;
	}
	leave_out(ret, table == LEDGER_FILES ? "open file" : "inode", nr);
	clear(table, nr);
}

typedef struct inode *make_fn(struct super_block *sb, const struct ledger_inode *rec, uint32_t nr);

static void restore_inode(struct super_block *sb, uint32_t nr, make_fn *make, struct restored *ret)
{
	const struct ledger_inode *rec = ledger_at(LEDGER_INODES, nr);
	struct inode *inode = make(sb, rec, nr);

	if (inode == NULL || (rec->text != 0 && !text_claim(rec->text))) {
		/* The kernel looks these up again. */
		if (rec->kind != LEDGER_MIRROR && rec->kind != LEDGER_DIALLED)
			leave_out(ret, "inode", nr);
		if (inode == NULL)
			clear(LEDGER_INODES, nr);
		return;
	}
	set_attributes(inode, rec);
	recorded(inode, LEDGER_INODES, nr, I_RECORDED);
	ret->inodes++;
}

/*
 * Faces are made by each process and have numbers already, which may be another's: so they
 * give them back first. The tree above them is the same for all.
 */
static void unnumber_faces(struct super_block *sb)
{
	struct inode *inode;
	uint64_t pos = 0;

	while ((inode = idtable_next(&sb->s_inodes, &pos)) != NULL) {
		(void)idtable_remove(&sb->s_inodes, inode->i_nodeid);
		inode->i_nodeid = 0;
	}
}

/* Those that the other process has not had. */
static int number_faces(struct super_block *sb, struct inode *dir)
{
	const struct dentry *dentry = NULL;
	int err = 0;

	while (err == 0 && (dentry = d_next_child(dir, dentry != NULL ? dentry->d_off : 0)) != NULL) {
		struct inode *inode = dentry->d_inode;

		if (!(inode->i_state & I_FIXED))
			continue;
		if (inode->i_nodeid == 0)
			err = idtable_alloc(&sb->s_inodes, inode, &inode->i_nodeid);
		if (err == 0 && S_ISDIR(inode->i_mode) && inode->i_fop == &simple_dir_operations)
			err = number_faces(sb, inode);
	}
	return err;
}

static make_fn *maker(uint8_t kind)
{
	switch (kind) {
	case LEDGER_SOCKET:
		return make_socket;
	case LEDGER_DIR:
		return make_dir;
	case LEDGER_LINK:
		return make_link;
	case LEDGER_FACE:
		return find_face;
	case LEDGER_DIALLED:
		return make_dialled;
	case LEDGER_MIRROR:
		return make_mirror;
	default:
		return NULL;
	}
}

/* Those of the kinds from @first to @last. A face in a face comes behind it: it was made later. */
static void restore_inodes(struct super_block *sb, uint8_t first, uint8_t last, struct restored *ret)
{
	for (uint32_t nr = ledger_next(LEDGER_INODES, 1); nr < nr_of(LEDGER_INODES);
	     nr = ledger_next(LEDGER_INODES, nr + 1)) {
		const struct ledger_inode *rec = ledger_at(LEDGER_INODES, nr);

		if (rec->generation == 0 || rec->kind < first || rec->kind > last)
			continue;
		restore_record(LEDGER_INODES, nr);
		restore_inode(sb, nr, maker(rec->kind), ret);
	}
	ledger->restoring = 0;
}

static void restore_root(struct super_block *sb)
{
	const struct ledger_inode *rec = ledger_at(LEDGER_INODES, 0);

	if (rec->generation == 0)
		return;
	set_attributes(sb->s_root, rec);
	PLAIN_I(sb->s_root)->last_off =
		max(PLAIN_I(sb->s_root)->last_off, min(rec->number, OFFSET_MAX));
	if (rec->text == 0 || text_claim(rec->text))
		recorded(sb->s_root, LEDGER_INODES, 0, I_RECORDED);
}

/* ------------------------------------------------------------------------------ sockets */

/* The record of the socket at @inode; one of an inode that is not there any more is nobody's. */
static struct ledger_sock *sock_of(const struct inode *inode, uint32_t nr)
{
	const struct ledger_inode *rec = ledger_at(LEDGER_INODES, nr);
	struct ledger_sock *s = ledger_at(LEDGER_SOCKS, nr);

	if (nr >= nr_of(LEDGER_SOCKS) || s->generation == 0)
		return NULL;
	if (inode != NULL && !(inode->i_state & I_PLAIN) && s->generation == rec->generation)
		return s;
	lose(s);
	clear(LEDGER_SOCKS, nr);
	return NULL;
}

static int restore_socks(struct super_block *sb, struct restored *ret)
{
	for (uint32_t nr = ledger_next(LEDGER_INODES, 1); nr < nr_of(LEDGER_INODES);
	     nr = ledger_next(LEDGER_INODES, nr + 1)) {
		const struct ledger_inode *rec = ledger_at(LEDGER_INODES, nr);
		struct inode *inode = inode_of(sb, nr);
		struct ledger_sock *s = sock_of(inode, nr);
		int err = 0;

		if (inode == NULL || inode->i_state & I_PLAIN)
			continue;
		ret->sockets++;
		restore_record(LEDGER_SOCKS, nr);
		if (s != NULL) {
			/* Whose text that is nobody knows: it must not be freed. */
			if (s->text != 0 && !text_claim(s->text))
				s->text = 0;
			err = restore_sock(SOCKET_I(inode), s, ret);
			recorded(inode, LEDGER_SOCKS, nr, I_RECORDED_SOCK);
		}
		if (SOCKET_I(inode)->ops == NULL)
			(void)sock_create(SOCKET_I(inode), AF_INET, SOCK_STREAM, 0);
		if (err != 0) {
			lose(s);
			leave_out(ret, "the connection of inode", nr);
			SOCKET_I(inode)->state = SS_CLOSED;
		}
		/* He may have been given more than he may make himself. */
		if (rec->state & I_CHARGED && inode_charge_anyway(inode, rec->uid) != 0)
			pr_debug("inode %u does not count among its owner's", nr);
		sock_resume_state(SOCKET_I(inode), SOCKET_I(inode)->state);
		sock_resumed(SOCKET_I(inode));
		/* The time begins anew. Who has it open is asked when it is over. */
		sock_reap_start(SOCKET_I(inode), 0);
	}
	ledger->restoring = 0;
	return 0;
}

/* Connections that had been taken from a backlog go to the listeners that they fit so. */
static void regain(struct super_block *sb, enum sweep_fit fit)
{
	for (uint32_t nr = ledger_next(LEDGER_INODES, 1);
	     sweep_has_orphans() && nr < nr_of(LEDGER_INODES);
	     nr = ledger_next(LEDGER_INODES, nr + 1)) {
		const struct inode *inode = inode_of(sb, nr);
		struct sock *sk;

		if (inode == NULL || inode->i_state & I_PLAIN ||
		    SOCKET_I(inode)->state != SS_LISTENING)
			continue;
		sk = SOCKET_I(inode)->sk;
		/* They are streams; one in the midst of a handshake is nobody's. */
		if (sk != NULL && sk->sk_prot->lasting && sk->sk_prot->rejoin == NULL &&
		    sk->sk_prot->type == SOCK_STREAM && sk->sk_regained < 0)
			sk->sk_regained = sweep_adopt(sk->sk_fd, fit);
	}
}

/* ---------------------------------------------------------------------------- altogether */

int restore_begin(const int *keep, size_t nr)
{
	(void)journal_replay();
	ledger_trim();
	return sweep(keep, nr);
}

static int restore_all(struct super_block *sb, struct restored *ret)
{
	int err;

	leave_out_deadly(ret);
	unnumber_faces(sb);
	restore_root(sb);
	restore_inodes(sb, LEDGER_SOCKET, LEDGER_FACE, ret);
	err = number_faces(sb, sb->s_root);
	restore_inodes(sb, LEDGER_DIALLED, LEDGER_DIALLED, ret);
	if (err == 0)
		err = restore_names(sb, ret);
	if (err != 0)
		return err;
	/* That of a symlink has its target. */
	restore_inodes(sb, LEDGER_MIRROR, LEDGER_MIRROR, ret);
	err = restore_socks(sb, ret);
	regain(sb, SWEEP_OWN_ADDRESS);
	regain(sb, SWEEP_ALL_ADDRESSES);
	if (err == 0)
		restore_files(sb, ret);
	ledger->restoring = 0;
	text_claimed();
	return err;
}

void restore_cancel(void)
{
	sweep_end();
}

int restore(struct super_block *sb, struct restored *ret)
{
	int err = 0;

	*ret = (struct restored){0};
	/* Else it died before there was anything. */
	if (ledger->init_len != 0 || ledger->nr[LEDGER_INODES] != 0)
		err = restore_all(sb, ret);
	sweep_end();
	if (err != 0)
		return err;
	sb->s_next_ino = max(sb->s_next_ino, ledger->next_ino);
	idtable_resume(&sb->s_inodes, ledger->inode_generation);
	idtable_resume(&sb->s_files, ledger->file_generation);
	save_begin(sb, true);
	return 0;
}

/* Nothing holds it: it was to go. */
void restore_end(struct super_block *sb)
{
	struct inode *inode;
	uint64_t pos = 0;

	while ((inode = idtable_next(&sb->s_inodes, &pos)) != NULL)
		inode_resumed(inode);
}
