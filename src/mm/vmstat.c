/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Counters of memory, by what it is kept for. Twin of mm/vmstat.c.
 */
#include "config.h"

#include "mm/vmstat.h"

static struct vm_stat vm_stats[NR_VM_ITEMS];

static const char *const names[NR_VM_ITEMS] = {
	[VM_DIALLED] = "dialled_names",
	[VM_PARKED] = "parked_writes",
	[VM_TEXT] = "text",
	[VM_TABLES] = "tables",
	[VM_LINES] = "lines",
	[VM_MESSAGES] = "messages",
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

const struct vm_stat *vm_stat(enum vm_item item)
{
	return &vm_stats[item];
}

const char *vm_item_name(enum vm_item item)
{
	return names[item];
}
