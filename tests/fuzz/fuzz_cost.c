/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an input costs, each of which has a daemon made and unmade: nine tenths of its time went to
 * pages that the kernel cleared, mapped and took back, and to waiting.
 *
 * So slabs come from a range that keeps its pages, each at a multiple of its size. Nobody can
 * tell: a slab is zeroed when it is given out, and poisoned for ASan while nobody has it. The
 * memory that the ledger asks for at once, lest it is not there later, comes when it is touched.
 * ASan holds back little of what was freed: 256 MB, its own way, are pages that no cache has; and
 * of each allocation it keeps the caller (ASAN_OPTIONS=malloc_context_size=30 says more). Nobody
 * waits for callers who may come yet, as a session does that ends in use.
 */
#include "config.h"

#include "fuzz.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/util.h"
#include "mm/slab.h"

#define PAGE ((size_t)4096)
#define NR_SIZES 6 /* up to 128 KiB */
#define RANGE ((size_t)1 << 30)

/* A piece that nobody has; it lies in its own first bytes, so these are not poisoned. */
struct piece {
	struct piece *next;
};

static char *range, *range_end, *range_at;
static struct piece *pieces[NR_SIZES];

const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "quarantine_size_mb=8:thread_local_quarantine_size_kb=64:malloc_context_size=1";
}

/* The C library's own; those of 64 bits have a name of their own where a long has 32. */
static void *next_of(const char *name, const char *name64)
{
	void *f = sizeof(off_t) > sizeof(long) ? dlsym(RTLD_NEXT, name64) : NULL;

	if (f == NULL)
		f = dlsym(RTLD_NEXT, name);
	if (f == NULL)
		abort();
	return f;
}

static void *map(void *at, size_t len, int prot, int flags, int fd, off_t offset)
{
	static __typeof__(&mmap) real;

	if (real == NULL)
		real = (__typeof__(real))next_of("mmap", "mmap64");
	return real(at, len, prot, flags, fd, offset);
}

/* Which of the sizes, -1: none. */
static int size_of(size_t len)
{
	for (int i = 0; i < NR_SIZES; i++)
		if (len == PAGE << i)
			return i;
	return -1;
}

static void piece_poison(void *p, size_t len, bool poison)
{
#ifdef SLAB_ASAN
	if (poison)
		__asan_poison_memory_region((char *)p + sizeof(struct piece),
					    len - sizeof(struct piece));
	else
		__asan_unpoison_memory_region(p, len);
#else
	(void)p, (void)len, (void)poison;
#endif
}

/* NULL: there is none. */
static void *piece_take(int i)
{
	size_t len = PAGE << i;
	struct piece *p = pieces[i];

	if (p != NULL) {
		pieces[i] = p->next;
		piece_poison(p, len, false);
		return memset(p, 0, len);
	}
	if (range == NULL) {
		range = map(NULL, RANGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (range == MAP_FAILED)
			abort();
		range_end = range + RANGE;
		range_at = (char *)ALIGN_UP((uintptr_t)range, PAGE << NR_SIZES);
	}
	range_at = (char *)ALIGN_UP((uintptr_t)range_at, len);
	if (range_at + len > range_end)
		return NULL;
	range_at += len;
	return range_at - len;
}

void *mmap(void *at, size_t len, int prot, int flags, int fd, off_t offset)
{
	int i = size_of(len);
	void *p = NULL;

	if (i >= 0 && prot == (PROT_READ | PROT_WRITE) && flags == (MAP_PRIVATE | MAP_ANONYMOUS))
		p = piece_take(i);
	return p != NULL ? p : map(at, len, prot, flags, fd, offset);
}

int munmap(void *at, size_t len)
{
	struct piece *p = at;
	int i = size_of(len);

	if ((char *)at < range || (char *)at >= range_end)
		return (int)syscall(SYS_munmap, at, len);
	if (i < 0)
		abort(); /* a part of one, or more than one */
	p->next = pieces[i];
	pieces[i] = p;
	piece_poison(p, len, true);
	return 0;
}

int madvise(void *at, size_t len, int advice)
{
#ifdef MADV_POPULATE_WRITE
	if (advice == MADV_POPULATE_WRITE)
		return 0;
#endif
	return (int)syscall(SYS_madvise, at, len, advice);
}

int fallocate(int fd, int mode, off_t offset, off_t len)
{
	static __typeof__(&fallocate) real;

	if (mode == 0)
		return 0;
	if (real == NULL)
		real = (__typeof__(real))next_of("fallocate", "fallocate64");
	return real(fd, mode, offset, len);
}

int poll(struct pollfd *fds, nfds_t nr, int timeout)
{
	(void)timeout;
	return ppoll(fds, nr, &(struct timespec){ .tv_sec = 0 }, NULL);
}
