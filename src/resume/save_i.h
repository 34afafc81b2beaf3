/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files that save share. */
#ifndef RESUME_SAVE_I_H
#define RESUME_SAVE_I_H

#include "resume/save.h"

/* The ledger is not what it should be: nobody shall go on with it. */
void save_give_up(const char *why);

uint32_t inode_generation(const struct inode *inode);

/* A text is put together: items_begin(), each item, items_end(). One at a time. */
void items_begin(void);
/* Room for an item of @len bytes; NULL: no memory, which items_end() tells. */
char *item_add(enum item_type type, size_t len);
/* The text in place of @old, which goes with this transaction; 0: there is none. */
uint32_t items_end(uint32_t old);

/* save_sock.c: @inode is a socket's. */
void save_sock(struct inode *inode, bool is_new);

#endif /* RESUME_SAVE_I_H */
