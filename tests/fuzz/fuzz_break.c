/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A whole ledger broken: words of its records and of its head, records that are there twice,
 * transactions and answers that were sealed, messages and texts of any bytes.
 */
#include "config.h"

#include "fuzz.h"
#include "fuzz_input.h"

#include <linux/fuse.h>
#include <string.h>
#include <unistd.h>

#include "journal/journal.h"
#include "lib/util.h"
#include "resume/save.h"

static struct fill *fill;

static uint64_t any_node(void)
{
	uint8_t b = byte();

	return b < 40 ? FUSE_ROOT_ID : fill->nodes[b % FILL_NODES];
}

static uint32_t used(enum ledger_table table)
{
	return min(ledger->nr[table], ledger_max(table));
}

static size_t record_size(enum ledger_table table)
{
	return (size_t)((char *)ledger_at(table, 1) - (char *)ledger_at(table, 0));
}

/* One that is in use, most of the time; NULL: there is none. */
static void *any_record(enum ledger_table table)
{
	/* No further than the first ones reach, whatever the counter has become. */
	uint32_t nr = byte(), n = min(used(table), 400u);
	static const char none[8];

	if (n == 0)
		return NULL;
	for (uint32_t i = 0; i < n; i++) {
		void *record = ledger_at(table, (nr + i) % n);

		if (table >= LEDGER_BUFS || memcmp(record, none, sizeof(uint32_t)) != 0)
			return record;
	}
	return ledger_at(table, nr % n);
}

static uint64_t any_value(uint64_t old)
{
	uint8_t b = byte();

	switch (b % 8) {
	case 0:
		return number_of(8);
	case 1:
		return byte();
	case 2:
		return UINT64_MAX - (b >> 3) % 4;
	case 3:
		return UINT64_C(1) << byte() % 64;
	case 4:
		return used(b / 8 % NR_LEDGER_TABLES) + byte() % 3 - 1u;
	case 5:
		return ledger_max(b / 8 % NR_LEDGER_TABLES) - byte() % 2;
	case 6:
		return old + byte() - 128u;
	default:
		return old ^ UINT64_C(1) << byte() % 64;
	}
}

/* A word of @size bytes at @p is changed. */
static void change_word(char *p, size_t size)
{
	uint64_t value = 0;

	memcpy(&value, p, size);
	value = any_value(value);
	memcpy(p, &value, size);
}

/* Somewhere in @bytes bytes at @p. */
static void change(char *p, size_t bytes)
{
	uint8_t b = byte();
	size_t size = (size_t)1 << b % 4, pos = (size_t)(bytes > 512 ? number_of(2) : byte());

	pos = b & 128 ? pos : pos * size;
	if (size <= bytes)
		change_word(p + pos % (bytes - size + 1), size);
}

static void change_record(void)
{
	enum ledger_table table = byte() % NR_LEDGER_TABLES;
	char *record = any_record(table);

	if (record != NULL)
		change(record, table == LEDGER_BUFS ? 1024 : record_size(table));
}

/* A part of one record, or all, becomes another's: so things are there twice. */
static void copy_record(void)
{
	enum ledger_table table = byte() % LEDGER_BUFS;
	char *from = any_record(table), *to = any_record(table);
	size_t size = record_size(table), pos = byte() % size, len = byte();

	if (from == NULL || to == NULL)
		return;
	if (len == 0)
		pos = 0, len = size;
	memmove(to + pos, from + pos, min(len, size - pos));
}

/* All of the head but what this process is mapped by is read again by who goes on. */
static void change_head(void)
{
	const size_t first = offsetof(struct ledger, bytes), last = offsetof(struct ledger, redo);
	const size_t text = offsetof(struct ledger, init);

	if (byte() & 1)
		change((char *)ledger + first, text - first);
	else
		change((char *)ledger + text + LEDGER_INIT, last - text - LEDGER_INIT);
}

/* It has died in the midst of a read or a write. */
static void change_transfer(void)
{
	struct ledger_transfer *t = byte() & 1 ? &ledger->in : &ledger->out;
	uint8_t b = byte();
	static const char bytes[256];

	t->unique = fill->nr_open > 0 ? fill->open[b % fill->nr_open] : b;
	t->base = byte();
	t->piped = byte() % 3 == 0;
	t->msg.msg_len = (uint32_t)any_value(100);
	/* What a read has got lies in the pipe. */
	if (t->piped && ledger->pipe_to > STDERR_FILENO)
		(void)!write(ledger->pipe_to, bytes, byte());
}

/* The process had sealed this, too. */
static void add_redo(void)
{
	enum ledger_table table = byte() % NR_LEDGER_TABLES;
	char *record = any_record(table);
	uint32_t first = ledger->redo_len;
	uint8_t bytes[64];
	size_t len = byte() % sizeof(bytes);

	for (size_t i = 0; i < len; i++)
		bytes[i] = byte();
	if (record == NULL)
		record = (char *)ledger + number_of(3);
	/* It may have been changed before; whoever goes on does not write behind it then. */
	if (ledger->redo_len <= sizeof(ledger->redo) - 128 && ledger->redo_len % 8 == 0)
		journal_write(record + byte() % 8, bytes, len);
	/* Its head says where, and how much. */
	if (byte() & 1 && first < sizeof(ledger->redo) - 64)
		change(ledger->redo + first, 16);
	ledger->sealed = byte() % 4 != 0;
}

static void add_answer(void)
{
	struct fuse_out_header out = { .len = sizeof(out) + byte() % 64u };
	struct journal_answer *a = NULL;

	if (ledger->answers_len <= sizeof(ledger->answers) - 256 && ledger->answers_len % 8 == 0)
		a = journal_answer(out.len);
	if (a == NULL)
		return;
	out.unique = fill->nr_open > 0 ? fill->open[byte() % fill->nr_open] : byte();
	a->gift = byte() % 6;
	a->given = byte() & 1 ? fill->nodes[byte() % FILL_NODES] :
				fill->handles[byte() % FILL_HANDLES].fh;
	a->tried = byte() & 1;
	memset(a->bytes, byte(), out.len);
	memcpy(a->bytes, &out, sizeof(out));
	ledger->sealed = 1;
	if (byte() & 1)
		change((char *)a, sizeof(*a) + out.len);
}

/* This message was in work. */
static void change_message(void)
{
	static const struct {
		uint32_t opcode, size;
	} kinds[] = {
		{ FUSE_GETATTR, 16 }, { FUSE_LOOKUP, 0 },   { FUSE_MKDIR, 8 },	{ FUSE_READ, 40 },
		{ FUSE_WRITE, 40 },   { FUSE_RELEASE, 24 }, { FUSE_IOCTL, 32 }, { FUSE_FORGET, 8 },
		{ FUSE_OPEN, 8 },     { FUSE_CREATE, 16 },
	};
	const struct fuse_in_header head = {
		.len = (uint32_t)sizeof(head) + kinds[byte() % ARRAY_SIZE(kinds)].size + byte(),
		.opcode = byte() & 1 ? kinds[byte() % ARRAY_SIZE(kinds)].opcode : byte(),
		.unique = fill->unique += 2,
		.nodeid = any_node(),
	};
	uint64_t fh = fill->handles[byte() % FILL_HANDLES].fh;
	char *buf;

	if (ledger->buf >= used(LEDGER_BUFS) || head.opcode == FUSE_DESTROY ||
	    head.opcode == FUSE_NOTIFY_REPLY)
		return;
	buf = ledger_at(LEDGER_BUFS, ledger->buf);
	memcpy(buf, &head, sizeof(head));
	memcpy(buf + sizeof(head), &fh, sizeof(fh));
	for (size_t i = sizeof(head) + sizeof(fh); i < head.len; i += 8)
		buf[i] = (char)byte();
	ledger->sealed = 0;
	if (fill->nr_open < FILL_OPEN)
		fill->open[fill->nr_open++] = head.unique;
}

/* A record's text becomes one of the input's items. */
static void change_text(void)
{
	static const size_t offsets[] = {
		[LEDGER_INODES] = offsetof(struct ledger_inode, text),
		[LEDGER_SOCKS] = offsetof(struct ledger_sock, text),
		[LEDGER_FILES] = offsetof(struct ledger_file, text),
	};
	enum ledger_table table = byte() % LEDGER_CELLS;
	uint32_t nr = ledger->nr[LEDGER_CELLS], types = byte();
	char *record = any_record(table);
	struct ledger_cell *cell;
	size_t len = 0;

	if (record == NULL || nr >= ledger_max(LEDGER_CELLS))
		return;
	cell = ledger_at(LEDGER_CELLS, nr);
	ledger->nr[LEDGER_CELLS]++;
	while (len + sizeof(struct item) + 24 <= LEDGER_CELL) {
		struct item item = { .type = (types + len / 8) % 10, .len = byte() % 25 };

		memcpy(cell->bytes + len, &item, sizeof(item));
		for (size_t i = 0; i < item.len; i++)
			cell->bytes[len + sizeof(item) + i] = (char)byte();
		len += sizeof(item) + ALIGN_UP((size_t)item.len, (size_t)8);
	}
	cell->len = (uint32_t)len;
	cell->next = byte() & 1 ? *(uint32_t *)(record + offsets[table]) : 0;
	memcpy(record + offsets[table], &nr, sizeof(nr));
}

unsigned int fuzz_break(struct fill *shared)
{
	static void (*const ways[])(void) = {
		change_record, change_record, change_record,  change_record,
		copy_record,   copy_record,   change_head,    change_transfer,
		add_redo,      add_answer,    change_message, change_text,
	};
	unsigned int n;

	fill = shared;
	n = byte() % (BREAKS_MAX + 1);
	for (unsigned int i = 0; i < n; i++)
		ways[byte() % ARRAY_SIZE(ways)]();
	return n;
}

void fuzz_break_form(void)
{
	change((char *)ledger, offsetof(struct ledger, init));
}
