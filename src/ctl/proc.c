/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * .proc: tables of what is inside, in the formats of /proc, for the programs
 * that read those.
 *
 * Each is a file of mode 0444 that is a snapshot, taken when it is opened.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctl/ctl.h"
#include "ctl/faces.h"
#include "ctl/proc.h"
#include "fs/dcache.h"
#include "fs/user.h"
#include "mm/vmstat.h"
#include "net/sock.h"

/* The longest line that a socket has in a table. */
#define LINE_MAX_BYTES 256

/* mm/slab_common.c: print_slabinfo_header, cache_show. */
static bool show_slabinfo(struct seq_file *m, void *sb)
{
	struct kmem_cache *s = NULL;

	(void)sb;
	seq_puts(m, "slabinfo - version: 2.1\n"
		    "# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>"
		    " : tunables <limit> <batchcount> <sharedfactor>"
		    " : slabdata <active_slabs> <num_slabs> <sharedavail>\n");
	while ((s = kmem_cache_next(s)) != NULL) {
		struct slabinfo i;

		get_slabinfo(s, &i);
		seq_printf(m, "%-17s %6lu %6lu %6u %4u %4u", kmem_cache_name(s), i.active_objs,
			   i.num_objs, i.objsize, i.objects_per_slab, 1u << i.cache_order);
		seq_printf(m, " : tunables %4u %4u %4u", i.limit, i.batchcount, 0u);
		seq_printf(m, " : slabdata %6lu %6lu %6lu\n", i.active_slabs, i.num_slabs, 0ul);
	}
	return false;
}

/* What is kept for users beside the objects of the caches. */
static bool show_memory(struct seq_file *m, void *sb)
{
	(void)sb;
	seq_puts(m, "# name            <objects>      <bytes>  <max_bytes>\n");
	for (enum vm_item i = 0; i < NR_VM_ITEMS; i++) {
		const struct vm_stat *s = vm_stat(i);

		seq_printf(m, "%-17s %9llu %12llu %12llu\n", vm_item_name(i),
			   (unsigned long long)s->objects, (unsigned long long)s->bytes,
			   (unsigned long long)s->max);
	}
	return false;
}

static void show_limit(struct seq_file *m, const char *name, uint64_t use, uint64_t max)
{
	seq_printf(m, "%-23s %12llu %12llu\n", name, (unsigned long long)use,
		   (unsigned long long)max);
}

static void show_user(struct seq_file *m, const struct user_struct *u)
{
	const struct user_limits *max = user_limits();
	char name[32];

	snprintf(name, sizeof(name), "sockets_of_%u", u->uid);
	show_limit(m, name, u->sockets, max->sockets);
	snprintf(name, sizeof(name), "connections_of_%u", u->uid);
	show_limit(m, name, u->connections, max->connections);
	snprintf(name, sizeof(name), "parked_of_%u", u->uid);
	show_limit(m, name, u->parked, max->parked);
}

/* What is bounded, for all and for each user that has something. */
static bool show_limits(struct seq_file *m, void *private)
{
	const struct super_block *sb = private;
	const struct user_struct *u = NULL;

	seq_puts(m, "# name                        <use>        <max>\n");
	show_limit(m, "max_sockets", sb->s_nr_sockets, sb->s_max_sockets);
	show_limit(m, "max_parked", vm_stat(VM_PARKED)->bytes, vm_stat(VM_PARKED)->max);
	show_limit(m, "max_text", vm_stat(VM_TEXT)->bytes, vm_stat(VM_TEXT)->max);
	while ((u = user_next(u)) != NULL)
		if (seq_may_see(m, u->uid))
			show_user(m, u);
	return false;
}

#ifdef __clang__
#define COMPILER __VERSION__
#else
#define COMPILER "gcc " __VERSION__
#endif

static bool show_version(struct seq_file *m, void *sb)
{
	(void)sb;
	seq_puts(m, "sockfs version " PACKAGE_VERSION " (" COMPILER ")\n");
	return false;
}

/* Those of each protocol are in its row. */
static const struct proto_table tables[] = {
	{"limits", show_limits},
	{"memory", show_memory},
	{"slabinfo", show_slabinfo},
	{"sockstat", proc_show_sockstat},
	{"version", show_version},
	{"waiting", proc_show_waiting},
	{NULL, NULL},
};

static int proc_open(struct inode *inode, struct file *file, struct kiocb *iocb)
{
	const struct proto_table *table = PLAIN_I(inode)->private;

	return single_open(file, iocb, table->show, inode->i_sb);
}

static const struct file_operations proc_file_fops = {
	.open = proc_open,
	.release = single_release,
	.read_iter = seq_read_iter,
	.size = seq_size,
};

/*
 * At least as large as any table is now: some programs, and the kernel for
 * asynchronous reads, read no more than the size.
 */
static void proc_getattr(const struct inode *inode, struct stat *ret_st)
{
	uint64_t most = LINE_MAX_BYTES * (inode->i_sb->s_nr_sockets + 1);
	off_t size = 1 << 20;

	while ((uint64_t)size < most)
		size *= 2;
	fill_notional_size(ret_st, size);
}

static const struct inode_operations proc_file_iops = {
	.getattr = proc_getattr,
};

const struct inode_operations proc_dir_iops = {
	.lookup = simple_lookup,
};

static int proc_create(struct inode *dir, const struct proto_table *table)
{
	const struct qstr name = {.name = table->name, .len = strlen(table->name)};
	struct inode *inode = new_inode_plain(dir->i_sb, S_IFREG | 0444, dir->i_uid, dir->i_gid);

	if (inode == NULL)
		return -errno;
	inode->i_op = &proc_file_iops;
	inode->i_fop = &proc_file_fops;
	inode->i_state |= I_FIXED | I_UNSTABLE;
	PLAIN_I(inode)->private = (void *)table;
	if (d_add(dir, &name, inode) == NULL) {
		inode_drop_nlink(inode);
		return -ENOMEM;
	}
	return 0;
}

static int proc_mkdir(struct inode *dir, const char *word)
{
	const struct qstr name = {.name = word, .len = strlen(word)};
	struct inode *inode = new_inode_plain(dir->i_sb, S_IFDIR | 0555, dir->i_uid, dir->i_gid);

	if (inode == NULL)
		return -errno;
	inode->i_op = &proc_sock_iops;
	inode->i_fop = &proc_sock_fops;
	inode->i_state |= I_FIXED;
	if (d_add(dir, &name, inode) == NULL) {
		inode_drop_nlink(inode);
		return -ENOMEM;
	}
	inode->i_nlink = 2;
	dir->i_nlink++;
	return 0;
}

/* Up to one without a name; NULL: there are none. 0 or -errno. */
static int proc_create_all(struct inode *dir, const struct proto_table *table)
{
	int err = 0;

	for (; err == 0 && table != NULL && table->name != NULL; table++)
		err = proc_create(dir, table);
	return err;
}

int proc_root_init(struct inode *root, struct inode *inode)
{
	int err = proc_create_all(inode, tables);

	(void)root;
	for (const struct proto *prot = proto_next(NULL); err == 0 && prot != NULL;
	     prot = proto_next(prot))
		err = proc_create_all(inode, prot->tables);
	return err != 0 ? err : proc_mkdir(inode, "sock");
}
