/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The range of the ledger, its tables and its text: see ledger.h. */
#include "config.h"

#include "journal/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/log.h"

#define CHUNK ((size_t)64 << 10) /* bytes that are taken from the system at once */
#define LEAST_SHIFT (sizeof(size_t) > 4 ? 0u : 5u)
#define MOST_SHIFT 10u

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

struct ledger *ledger;

/* Where a table lies in this process, and what of it is used. */
static struct table {
	size_t size; /* of a record */
	uint32_t full; /* records without a shift */
	uint32_t max;
	size_t offset;
	uint32_t *used;	   /* records in use, by chunk */
	unsigned char *there; /* chunks that have memory */
	size_t nr_chunks;
	off_t piece, piece_end; /* of it, with memory: ledger_next() */
	size_t spare; /* an empty chunk that has kept its memory, SIZE_MAX: none */
} tables[NR_LEDGER_TABLES] = {
	[LEDGER_INODES] = {.size = sizeof(struct ledger_inode), .full = 1u << 23},
	[LEDGER_SOCKS] = {.size = sizeof(struct ledger_sock), .full = 1u << 23},
	[LEDGER_FILES] = {.size = sizeof(struct ledger_file), .full = 1u << 22},
	[LEDGER_CELLS] = {.size = sizeof(struct ledger_cell), .full = 1u << 23},
	[LEDGER_SLOTS] = {.size = sizeof(struct ledger_slot), .full = 1u << 17},
	[LEDGER_BUFS] = {.size = 0, .full = 1u << 10},
};

static int range_fd = -1;
static size_t range_bytes;

/* Cells that nobody has: a stack. */
static uint32_t *free_cells;
static size_t nr_free_cells, room_free_cells;
static unsigned char *claimed; /* a bit a cell, in a successor */

/* ------------------------------------------------------------------------ layout */

static size_t lay_out(unsigned int shift, size_t buf_size)
{
	size_t offset = ALIGN_UP(sizeof(struct ledger), CHUNK);

	tables[LEDGER_BUFS].size = buf_size;
	for (size_t i = 0; i < NR_LEDGER_TABLES; i++) {
		struct table *t = &tables[i];

		t->max = t->full >> shift;
		t->offset = offset;
		t->nr_chunks = (t->max * t->size + CHUNK - 1) / CHUNK;
		t->spare = SIZE_MAX;
		t->piece = t->piece_end = 0;
		offset += t->nr_chunks * CHUNK;
	}
	return offset;
}

static void free_books(void)
{
	for (size_t i = 0; i < NR_LEDGER_TABLES; i++) {
		free(tables[i].used);
		free(tables[i].there);
		tables[i].used = NULL;
		tables[i].there = NULL;
	}
	free(free_cells);
	free_cells = NULL;
	nr_free_cells = room_free_cells = 0;
	free(claimed);
	claimed = NULL;
}

static int make_books(void)
{
	for (size_t i = 0; i < NR_LEDGER_TABLES; i++) {
		struct table *t = &tables[i];

		t->used = calloc(t->nr_chunks, sizeof(*t->used));
		t->there = calloc(t->nr_chunks, 1);
		if (t->used == NULL || t->there == NULL) {
			free_books();
			return -ENOMEM;
		}
	}
	return 0;
}

static int map_range(int fd, size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	int err;

	if (p == MAP_FAILED)
		return -errno;
	err = make_books();
	if (err != 0) {
		munmap(p, bytes);
		return err;
	}
	/* Users' data is in it. Huge pages would make the memory of few records that of many. */
	(void)madvise(p, bytes, MADV_DONTDUMP);
	(void)madvise(p, bytes, MADV_NOHUGEPAGE);
	ledger = p;
	range_fd = fd;
	range_bytes = bytes;
	return 0;
}

static int make_memfd(void)
{
	int fd = memfd_create("sockfs", MFD_CLOEXEC | MFD_NOEXEC_SEAL);

	return fd >= 0 ? fd : memfd_create("sockfs", MFD_CLOEXEC);
}

/* To go beyond ulimit -f is a signal, so that is asked first. */
static bool fits_limits(size_t bytes)
{
	struct rlimit lim;

	if (getrlimit(RLIMIT_FSIZE, &lim) == 0 && lim.rlim_cur < bytes)
		return false;
	return getrlimit(RLIMIT_AS, &lim) != 0 || lim.rlim_cur / 2 >= bytes;
}

int ledger_make(size_t buf_size)
{
	unsigned int shift = LEAST_SHIFT;
	int fd, err = -ENOMEM;
	size_t bytes;

	if (ledger != NULL)
		return 0;
	buf_size = ALIGN_UP(buf_size, (size_t)4096);
	while (!fits_limits(lay_out(shift, buf_size)) && shift < MOST_SHIFT)
		shift++;
	bytes = lay_out(shift, buf_size);
	fd = make_memfd();
	if (fd < 0)
		return -errno;
	if (fits_limits(bytes) && ftruncate(fd, (off_t)bytes) == 0 &&
	    fallocate(fd, 0, 0, (off_t)ALIGN_UP(sizeof(struct ledger), CHUNK)) == 0)
		err = map_range(fd, bytes);
	if (err != 0) {
		close(fd);
		return err;
	}
	ledger->version = LEDGER_VERSION;
	ledger->shift = shift;
	ledger->bytes = bytes;
	ledger->dev_fd = ledger->pipe_from = ledger->pipe_to = -1;
	ledger->nr[LEDGER_CELLS] = 1; /* 0 is none */
	ledger->magic = LEDGER_MAGIC;
	return 0;
}

/* The first words of struct ledger, which with its logs is too large for a stack. */
struct ledger_form {
	uint64_t magic;
	uint32_t version, shift;
	uint64_t bytes;
};

BUILD_BUG_ON(offsetof(struct ledger_form, shift) != offsetof(struct ledger, shift));
BUILD_BUG_ON(offsetof(struct ledger_form, bytes) != offsetof(struct ledger, bytes));

/* The bytes of the range behind @fd, whose tables are laid out; 0: it has another form. */
static size_t lay_out_as(int fd, size_t buf_size)
{
	struct ledger_form head;
	size_t bytes;

	buf_size = ALIGN_UP(buf_size, (size_t)4096);
	if (pread(fd, &head, sizeof(head), 0) != (ssize_t)sizeof(head) ||
	    head.magic != LEDGER_MAGIC || head.version != LEDGER_VERSION || head.shift > MOST_SHIFT)
		return 0;
	bytes = lay_out(head.shift, buf_size);
	return bytes == head.bytes ? bytes : 0;
}

int ledger_attach(int fd, size_t buf_size)
{
	size_t bytes = lay_out_as(fd, buf_size);
	int err = bytes != 0 ? map_range(fd, bytes) : -EPROTO;

	if (err == 0)
		ledger->programs++;
	return err;
}

bool ledger_fits(int fd, size_t buf_size)
{
	return lay_out_as(fd, buf_size) != 0;
}

int ledger_fd(void)
{
	return ledger != NULL ? range_fd : -1;
}

size_t ledger_size(void)
{
	return range_bytes;
}

void ledger_drop(void)
{
	if (ledger == NULL)
		return;
	munmap(ledger, range_bytes);
	ledger = NULL;
	close(range_fd);
	range_fd = -1;
	free_books();
}

void ledger_populate(void *at, size_t bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	/* Where that is not allowed, they are there at least until memory is short. */
	(void)mlock(at, bytes);
#ifdef MADV_POPULATE_WRITE
	if (madvise(at, bytes, MADV_POPULATE_WRITE) == 0)
		return;
#endif
	for (size_t i = 0; i < bytes; i += page)
		((volatile char *)at)[i] = ((volatile char *)at)[i];
}

void ledger_begin(void)
{
	ledger_populate(ledger, ALIGN_UP(sizeof(struct ledger), CHUNK));
}

/* ------------------------------------------------------------------------ tables */

uint32_t ledger_max(enum ledger_table table)
{
	return tables[table].max;
}

void *ledger_at(enum ledger_table table, uint32_t nr)
{
	return (char *)ledger + tables[table].offset + nr * tables[table].size;
}

uint32_t ledger_number(enum ledger_table table, const void *record)
{
	const struct table *t = &tables[table];

	return (uint32_t)((size_t)((const char *)record - (const char *)ledger - t->offset) / t->size);
}

/* Bytes from the beginning of @t to its last piece of memory. */
static size_t bytes_there(const struct table *t)
{
	off_t begin = (off_t)t->offset, end = begin + (off_t)(t->nr_chunks * CHUNK);
	off_t at = begin, last = begin;

	while (at < end && (at = lseek(range_fd, at, SEEK_DATA)) >= 0 && at < end) {
		at = lseek(range_fd, at, SEEK_HOLE);
		if (at < 0)
			break;
		last = min(at, end);
	}
	return (size_t)(last - begin);
}

uint32_t ledger_next(enum ledger_table table, uint32_t nr)
{
	struct table *t = &tables[table];
	off_t at = (off_t)(t->offset + nr * t->size), data;
	off_t end = (off_t)(t->offset + t->nr_chunks * CHUNK);

	/* Within the piece that was found last. */
	if (at >= t->piece && at + (off_t)t->size <= t->piece_end)
		return nr;
	data = lseek(range_fd, at, SEEK_DATA);
	if (data < 0 || data >= end)
		return UINT32_MAX;
	t->piece = data;
	t->piece_end = lseek(range_fd, data, SEEK_HOLE);
	/* It may begin in the midst of a record. */
	return data > at ? (uint32_t)((size_t)(data - (off_t)t->offset) / t->size) : nr;
}

void ledger_trim(void)
{
	for (size_t i = 0; i < NR_LEDGER_TABLES; i++) {
		const struct table *t = &tables[i];
		/* The last one may end in a page that it has not touched. */
		size_t nr = (bytes_there(t) + t->size - 1) / t->size;

		if (ledger->nr[i] > nr)
			ledger->nr[i] = (uint32_t)nr;
	}
	/* 0 is none. */
	ledger->nr[LEDGER_CELLS] = max(ledger->nr[LEDGER_CELLS], 1u);
}

static int chunk_take(struct table *t, size_t chunk)
{
	if (t->there[chunk])
		return 0;
	if (fallocate(range_fd, 0, (off_t)(t->offset + chunk * CHUNK), CHUNK) != 0)
		return errno == EINTR ? -ENOMEM : -errno;
	t->there[chunk] = 1;
	return 0;
}

/* One that is empty keeps its memory, lest it comes and goes with each file. */
static void chunk_empty(struct table *t, size_t chunk)
{
	size_t old = t->spare;

	if (old == chunk)
		return;
	t->spare = chunk;
	if (old == SIZE_MAX || t->used[old] != 0 || !t->there[old])
		return;
	if (fallocate(range_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		      (off_t)(t->offset + old * CHUNK), CHUNK) == 0)
		t->there[old] = 0;
}

int ledger_use(enum ledger_table table, uint32_t nr)
{
	struct table *t = &tables[table];
	size_t first = nr * t->size / CHUNK, last = ((nr + 1) * t->size - 1) / CHUNK;
	int err;

	if (nr >= t->max)
		return -ENOSPC;
	for (size_t chunk = first; chunk <= last; chunk++) {
		err = chunk_take(t, chunk);
		if (err != 0)
			return err;
	}
	for (size_t chunk = first; chunk <= last; chunk++)
		t->used[chunk]++;
	if (nr >= ledger->nr[table])
		ledger->nr[table] = nr + 1;
	return 0;
}

void ledger_unuse(enum ledger_table table, uint32_t nr)
{
	struct table *t = &tables[table];
	size_t first = nr * t->size / CHUNK, last = ((nr + 1) * t->size - 1) / CHUNK;

	for (size_t chunk = first; chunk <= last; chunk++)
		if (--t->used[chunk] == 0)
			chunk_empty(t, chunk);
}

/* -------------------------------------------------------------------------- text */

static struct ledger_cell *cell_at(uint32_t nr)
{
	return ledger_at(LEDGER_CELLS, nr);
}

/* One that was never used, or was given back; 0: no memory. */
static uint32_t cell_take(void)
{
	uint32_t nr = nr_free_cells > 0 ? free_cells[nr_free_cells - 1] : ledger->nr[LEDGER_CELLS];

	if (ledger_use(LEDGER_CELLS, nr) != 0)
		return 0;
	if (nr_free_cells > 0)
		nr_free_cells--;
	return nr;
}

static void cell_put(uint32_t nr)
{
	ledger_unuse(LEDGER_CELLS, nr);
	if (nr_free_cells == room_free_cells) {
		size_t room = room_free_cells != 0 ? room_free_cells * 2 : 256;
		uint32_t *more = realloc(free_cells, room * sizeof(*more));

		/* Without memory it is lost until there is another process. */
		if (more == NULL)
			return;
		free_cells = more;
		room_free_cells = room;
	}
	free_cells[nr_free_cells++] = nr;
}

/* The cell @nr, if it can be one. */
static const struct ledger_cell *cell_check(uint32_t nr)
{
	const struct ledger_cell *cell;

	if (nr == 0 || nr >= ledger->nr[LEDGER_CELLS] || nr >= tables[LEDGER_CELLS].max)
		return NULL;
	cell = cell_at(nr);
	return cell->len > 0 && cell->len <= LEDGER_CELL ? cell : NULL;
}

void text_free(uint32_t nr)
{
	const struct ledger_cell *cell;

	while ((cell = cell_check(nr)) != NULL) {
		uint32_t next = cell->next;

		cell_put(nr);
		nr = next;
	}
}

uint32_t text_write(const void *bytes, size_t len)
{
	size_t n = (len + LEDGER_CELL - 1) / LEDGER_CELL;
	uint32_t next = 0;

	/* From the end, so that each knows the next. */
	while (n-- > 0) {
		uint32_t nr = cell_take();
		struct ledger_cell *cell = cell_at(nr);

		if (nr == 0) {
			text_free(next);
			return 0;
		}
		cell->next = next;
		cell->len = (uint32_t)min(len - n * LEDGER_CELL, (size_t)LEDGER_CELL);
		memcpy(cell->bytes, (const char *)bytes + n * LEDGER_CELL, cell->len);
		next = nr;
	}
	return next;
}

size_t text_len(uint32_t nr)
{
	const struct ledger_cell *cell;
	uint32_t most = ledger->nr[LEDGER_CELLS];
	size_t len = 0;

	for (; (cell = cell_check(nr)) != NULL && most > 0; nr = cell->next, most--)
		len += cell->len;
	return len;
}

size_t text_read(uint32_t nr, void *buf, size_t size)
{
	const struct ledger_cell *cell;
	size_t len = 0;

	for (; (cell = cell_check(nr)) != NULL && len < size; nr = cell->next) {
		size_t n = min(size - len, (size_t)cell->len);

		memcpy((char *)buf + len, cell->bytes, n);
		len += n;
	}
	return len;
}

bool text_claim(uint32_t nr)
{
	const struct ledger_cell *cell;

	if (claimed == NULL)
		claimed = calloc((tables[LEDGER_CELLS].max + 7) / 8, 1);
	if (claimed == NULL)
		return false;
	for (; (cell = cell_check(nr)) != NULL; nr = cell->next) {
		if (claimed[nr / 8] & 1u << nr % 8 || ledger_use(LEDGER_CELLS, nr) != 0)
			return false;
		claimed[nr / 8] |= (unsigned char)(1u << nr % 8);
	}
	return nr == 0;
}

void text_claimed(void)
{
	for (uint32_t nr = 1; nr < ledger->nr[LEDGER_CELLS] && nr < tables[LEDGER_CELLS].max; nr++)
		if (claimed == NULL || !(claimed[nr / 8] & 1u << nr % 8))
			if (ledger_use(LEDGER_CELLS, nr) == 0)
				cell_put(nr);
	free(claimed);
	claimed = NULL;
}
