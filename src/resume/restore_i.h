/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of this room share. */
#ifndef RESUME_RESTORE_I_H
#define RESUME_RESTORE_I_H

#include <stdlib.h>

#include "journal/ledger.h"
#include "resume/restore.h"
#include "resume/save.h"

struct socket;

/* A text of the ledger, read and looked through (restore_text.c). */
struct text {
	char *bytes;
	size_t len;
};

/* The text that begins with @cell (0: an empty one), which is claimed. 0, -ENOMEM, -EINVAL. */
int text_load(struct text *text, uint32_t cell);
void text_drop(struct text *text);
/* The first item, or the one behind @item; NULL: there are no more. */
const struct item *text_item(const struct text *text, const struct item *item);

/* restore.c: how many records of @table there may be, from 0. */
uint32_t nr_of(enum ledger_table table);
/* The inode of record @nr, of which there may be none. */
struct inode *inode_of(struct super_block *sb, uint32_t nr);
/* A number that nobody has is one that the kernel may ask for: ESTALE, EBADF. */
void leave_out(struct restored *ret, const char *what, uint32_t nr);

/*
 * restore_circle.c: a directory that is its own grandparent loses its name, when all have
 * theirs. 0 or -ENOMEM.
 */
int cut_circles(struct super_block *sb, struct restored *ret);

/* From here on record @nr is being made an object again: whoever dies now has died of it. */
void restore_record(enum ledger_table table, uint32_t nr);

/* ns since the epoch. */
void set_time(int64_t ns, int64_t *sec, uint32_t *nsec);

/* restore_names.c: names, targets and labels; all inodes are there. 0 or -errno. */
int restore_names(struct super_block *sb, struct restored *ret);
/* The offset of a name is a count of names, and no larger. */
#define OFFSET_MAX (UINT64_C(1) << 48)

/* restore_file.c: all open files; their inodes are there. */
void restore_files(struct super_block *sb, struct restored *ret);

/* restore_sock.c: @sock, new, as @s says. 0 or -errno: it cannot be. */
int restore_sock(struct socket *sock, struct ledger_sock *s, struct restored *ret);
/* Close the descriptor of a record that is left out. */
void lose(struct ledger_sock *s);

#endif /* RESUME_RESTORE_I_H */
