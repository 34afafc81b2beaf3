/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much memory is kept for whom: what users can make the daemon keep beyond
 * the objects of the slab caches is counted here, and some of it bounded.
 *
 * Twin of Linux include/linux/vmstat.h. One thread; no locks; nothing can fail.
 * .proc/memory shows it.
 */
#ifndef MM_VMSTAT_H
#define MM_VMSTAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum vm_item {
	VM_DIALLED, /* names looked up below what dials, with their inodes */
	VM_PARKED,  /* data of writes that wait */
	VM_TEXT,    /* targets of symlinks, labels, long names, what sockets are told as text */
	VM_TABLES,  /* text of open tables that has not been read */
	VM_LINES,   /* lines of listeners that have been read in part */
	VM_MESSAGES, /* messages that have been read in part, or came before their socket */
	VM_MOUNTS,   /* what the kernel has mounted, while paths of UNIX sockets are walked */
	VM_USERS,    /* who has something, or looked for something */
	NR_VM_ITEMS
};

struct vm_stat {
	uint64_t objects;
	uint64_t bytes;
	uint64_t max; /* bytes at most, 0: not bounded here */
};

/* One more object of @bytes, or one less. The caller has asked vm_fits() where it matters. */
void vm_account(enum vm_item item, size_t bytes);
void vm_unaccount(enum vm_item item, size_t bytes);
/* Would @bytes more be within the bound? */
bool vm_fits(enum vm_item item, size_t bytes);
/* A bound in bytes from now on, 0: none. What is there stays. */
void vm_set_max(enum vm_item item, uint64_t max);

/*
 * A copy of @text that counts in VM_TEXT, for vm_strfree(); NULL with errno ENOSPC (the
 * bound) or ENOMEM. vm_strfree(NULL) does nothing.
 */
char *vm_strdup(const char *text);
void vm_strfree(char *text);

const struct vm_stat *vm_stat(enum vm_item item);
/* As .proc/memory calls it. */
const char *vm_item_name(enum vm_item item);

#endif /* MM_VMSTAT_H */
