/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Counters of memory, by what it is kept for. Twin of mm/vmstat.c.
 */
#include "config.h"

#include "mm/vmstat.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mm/slab.h"

static struct vm_stat vm_stats[NR_VM_ITEMS];

static const char *const names[NR_VM_ITEMS] = {
	[VM_DIALLED] = "dialled_names",
	[VM_PARKED] = "parked_writes",
	[VM_TEXT] = "text",
	[VM_TABLES] = "tables",
	[VM_LINES] = "lines",
	[VM_MESSAGES] = "messages",
	[VM_MOUNTS] = "mounts",
	[VM_USERS] = "users",
};

void vm_account(enum vm_item item, size_t bytes)
{
	vm_stats[item].objects++;
	vm_stats[item].bytes += bytes;
}

void vm_unaccount(enum vm_item item, size_t bytes)
{
	vm_stats[item].objects--;
	vm_stats[item].bytes -= bytes;
}

bool vm_fits(enum vm_item item, size_t bytes)
{
	const struct vm_stat *s = &vm_stats[item];

	return s->max == 0 || (bytes <= s->max && s->bytes <= s->max - bytes);
}

void vm_set_max(enum vm_item item, uint64_t max)
{
	vm_stats[item].max = max;
}

/* mm/util.c: kstrdup. */
char *vm_strdup(const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy;

	if (!vm_fits(VM_TEXT, size)) {
		errno = ENOSPC;
		return NULL;
	}
	copy = should_failslab() ? NULL : strdup(text);
	if (copy != NULL)
		vm_account(VM_TEXT, size);
	else
		errno = ENOMEM;
	return copy;
}

void vm_strfree(char *text)
{
	if (text == NULL)
		return;
	vm_unaccount(VM_TEXT, strlen(text) + 1);
	free(text);
}

const struct vm_stat *vm_stat(enum vm_item item)
{
	return &vm_stats[item];
}

const char *vm_item_name(enum vm_item item)
{
	return names[item];
}
