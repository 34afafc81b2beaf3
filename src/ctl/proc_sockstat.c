/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * .proc/sockstat: how many sockets there are, of each protocol.
 */
#include "config.h"

#include "ctl/proc.h"
#include "net/sock.h"

/* net/ipv4/proc.c: sockstat_seq_show. */
bool proc_show_sockstat(struct seq_file *m, void *data)
{
	const struct super_block *sb = data;

	seq_printf(m, "sockets: used %llu\n", (unsigned long long)sb->s_nr_sockets);
	for (const struct proto *prot = proto_next(NULL); prot != NULL; prot = proto_next(prot)) {
		unsigned long inuse = prot->inuse;
		struct slabinfo s;

		get_slabinfo(prot->slab, &s);
		/* Orphans outlive their file until libuv lets go. None of ours is in TIME-WAIT. */
		seq_printf(m, "%s: inuse %lu orphan %lu tw 0 alloc %lu mem %lu\n", prot->name,
			   inuse, s.active_objs - inuse, s.active_objs,
			   s.num_slabs << s.cache_order);
	}
	return false;
}
