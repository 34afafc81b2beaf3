/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Slabs and the ready stack: alloc, free, shrink. Twin of mm/slab.c, the
 * kernel's allocator up to 6.7, whose bookkeeping beside the objects suits
 * objects with constructors.
 *
 * The words are in slab.h, the layout in slab_def.h.
 *
 * Invariants
 *   - A slab is in `empty' (nr_free num) or in `partial', or full (nr_free 0) and in
 *     neither: to move it would touch its neighbours in a list, which are cold.
 *   - freelist[0..nr_free-1] holds each free slot's number once.
 *   - An object in the ready stack counts as in use for its slab, so a slab
 *     never goes away under it. nr_inuse - ac.avail objects are the users'.
 *   - ac.limit is 0, and ac.avail too, for debug caches and while a fault
 *     countdown runs.
 *
 * What a ready stack pins
 *
 *   64 ready objects may be the last ones of 64 slabs, 4 MiB that nobody
 *   uses. So the stack is made shallow when the cache has more than
 *   SLAB_DRAIN_BYTES of slabs of which less than a quarter is in use: then
 *   at most SLAB_DRAIN_BYTES hang on it. Each flush looks again, and there is
 *   one every half stack of frees, so a cache that is being emptied passes
 *   through that state before the last object comes back.
 */
#include "config.h"

#include "mm/slab.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifdef SLAB_ASAN
#include <sanitizer/lsan_interface.h>
#endif

#include "mm/slab_def.h"

/* ------------------------------------------------------ memory of the system */

static void *map_pages(void *hint, size_t bytes)
{
	void *p = mmap(hint, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p != MAP_FAILED ? p : NULL;
}

/*
 * Where the next slab may fit: below the last one mapped, or where one was
 * just unmapped. Only a wish; without it, mmap could offer the same gap
 * between two libraries, too crooked for an aligned slab, again and again.
 */
static char *map_hint;

/* @bytes (a power of two) of zeroed memory at a multiple of @bytes, or NULL. */
static void *map_aligned(size_t bytes)
{
	char *hint = (char *)((uintptr_t)map_hint & ~(uintptr_t)(bytes - 1));
	char *p = map_pages(hint, bytes), *aligned;
	size_t head;

	if (p == NULL)
		return NULL;
	if (!IS_ALIGNED((uintptr_t)p, bytes)) {
		/* twice as much has an aligned part; the rest is cut off */
		munmap(p, bytes);
		p = map_pages(NULL, 2 * bytes);
		if (p == NULL)
			return NULL;
		aligned = (char *)ALIGN_UP((uintptr_t)p, bytes);
		head = (size_t)(aligned - p);
		/* a cut that fails wastes addresses only: nothing touched them */
		if (head > 0)
			munmap(p, head);
		munmap(aligned + bytes, bytes - head);
		p = aligned;
	}
	map_hint = p - bytes;
	return p;
}

static struct slab *slab_new(struct kmem_cache *s)
{
	int saved = errno;
	struct slab *slab = map_aligned(s->slab_bytes);

	if (slab == NULL)
		goto out;
	slab->slab_cache = s;
	slab->nr_free = s->num;
	for (unsigned int i = 0; i < s->num; i++)
		slab->freelist[i] = (uint16_t)(s->num - 1 - i); /* slot 0 goes first */
	if (kmem_cache_debug(s) && slab_debug_setup(s, slab) < 0)
		goto unmap;
	if (s->ctor != NULL)
		for (unsigned int i = 0; i < s->num; i++)
			s->ctor(index_to_obj(s, slab, i));
#ifdef SLAB_ASAN
	__lsan_register_root_region(slab, s->slab_bytes);
#endif
	slab_asan_poison_slots(s, slab);
	LIST_INSERT_HEAD(&s->empty, slab, slab_list);
	LIST_INSERT_HEAD(&s->slabs, slab, all_list);
	s->nr_empty++;
	s->nr_slabs++;
	goto out;
unmap:
	munmap(slab, s->slab_bytes);
	slab = NULL;
out:
	errno = saved;
	return slab;
}

/* Give an empty slab back to the system. -ENOMEM (vm.max_map_count): it stays, empty and good. */
static int slab_destroy(struct kmem_cache *s, struct slab *slab)
{
	int saved = errno;

	LIST_REMOVE(slab, slab_list);
	LIST_REMOVE(slab, all_list);
	slab_asan_unpoison(slab, s->slab_bytes);
	if (munmap(slab, s->slab_bytes) < 0) {
		errno = saved;
		slab_asan_poison_slots(s, slab);
		LIST_INSERT_HEAD(&s->empty, slab, slab_list);
		LIST_INSERT_HEAD(&s->slabs, slab, all_list);
		return -ENOMEM;
	}
	map_hint = (char *)slab;
#ifdef SLAB_ASAN
	__lsan_unregister_root_region(slab, s->slab_bytes);
#endif
	if (kmem_cache_debug(s))
		slab_debug_forget(slab);
	s->nr_empty--;
	s->nr_slabs--;
	return 0;
}

/* ------------------------------------------------------------ slots of slabs */

/* A slab with a free slot: a partial one, else an empty one, else NULL. */
static struct slab *slab_with_room(const struct kmem_cache *s)
{
	struct slab *slab = LIST_FIRST(&s->partial);

	return slab != NULL ? slab : LIST_FIRST(&s->empty);
}

static void *slab_get_obj(struct kmem_cache *s, struct slab *slab)
{
	unsigned int nr_free = slab->nr_free--;
	void *obj = index_to_obj(s, slab, slab->freelist[nr_free - 1]);

	s->nr_inuse++;
	if (nr_free == s->num) {
		s->nr_empty--;
		LIST_REMOVE(slab, slab_list);
		LIST_INSERT_HEAD(&s->partial, slab, slab_list);
	}
	if (nr_free == 1)
		LIST_REMOVE(slab, slab_list);
	return obj;
}

static void slab_put_obj(struct kmem_cache *s, void *obj)
{
	struct slab *slab = virt_to_slab(s, obj);
	unsigned int nr_free = slab->nr_free++;

	/* at the head: the fullest slab is the next to be filled up, so
	 * that emptier ones get a chance to become empty */
	if (nr_free == 0)
		LIST_INSERT_HEAD(&s->partial, slab, slab_list);
	slab->freelist[nr_free] = (uint16_t)obj_to_index(s, slab, obj);
	s->nr_inuse--;
	if (nr_free + 1 != s->num)
		return;
	LIST_REMOVE(slab, slab_list);
	LIST_INSERT_HEAD(&s->empty, slab, slab_list);
	s->nr_empty++;
	if (s->nr_empty * s->slab_bytes > SLAB_KEEP_BYTES)
		slab_destroy(s, slab);
}

/* --------------------------------------------------------------- ready stack */

void cache_set_limit(struct kmem_cache *s)
{
	unsigned int shallow;

	if (kmem_cache_debug(s) || failslab_armed()) {
		s->ac.limit = 0;
		return;
	}
	s->ac.limit = s->ready_max;
	if (s->nr_slabs * s->slab_bytes > SLAB_DRAIN_BYTES &&
	    s->nr_inuse < s->nr_slabs * s->num / 4) {
		shallow = (unsigned int)(SLAB_DRAIN_BYTES / s->slab_bytes);
		s->ac.limit = min(s->ready_max, shallow);
	}
}

void cache_flush(struct kmem_cache *s, unsigned int keep)
{
	struct array_cache *ac = &s->ac;
	unsigned int n;

	if (ac->avail <= keep)
		return;
	n = ac->avail - keep;
	/* The objects that were freed last stay, they are in the CPU's cache. The
	 * others' slabs are not: ask for them all before the first is needed. */
	for (unsigned int i = 0; i < n; i++)
		__builtin_prefetch(virt_to_slab(s, ac->entry[i]), 1);
	for (unsigned int i = 0; i < n; i++)
		slab_put_obj(s, ac->entry[i]);
	memmove(ac->entry, ac->entry + n, keep * sizeof(ac->entry[0]));
	ac->avail = keep;
}

/* Half a stack of objects, or what there is; a new slab only when there is nothing. */
static bool cache_refill(struct kmem_cache *s)
{
	struct array_cache *ac = &s->ac;
	unsigned int batch, n = 0;
	struct slab *slab;

	cache_set_limit(s);
	batch = ac->limit / 2;
	while (n < batch) {
		slab = slab_with_room(s);
		if (slab == NULL && n == 0)
			slab = slab_new(s);
		if (slab == NULL)
			break;
		do {
			/* from the back, so that they go out in the order of their slots */
			ac->entry[batch - ++n] = slab_get_obj(s, slab);
		} while (n < batch && slab->nr_free != 0);
	}
	if (n < batch)
		memmove(ac->entry, ac->entry + batch - n, n * sizeof(ac->entry[0]));
	ac->avail = n;
	return n != 0;
}

static void *alloc_unready(struct kmem_cache *s)
{
	struct slab *slab;
	void *obj;

	do {
		slab = slab_with_room(s);
		if (slab == NULL)
			slab = slab_new(s);
		if (slab == NULL)
			return NULL;
		obj = slab_get_obj(s, slab);
		/* a spoilt object stays taken: whoever spoilt it still has the pointer */
	} while (kmem_cache_debug(s) && !alloc_debug_processing(s, slab, obj));
	return obj;
}

/* -------------------------------------------------------------- the long ways */

__attribute__((noinline)) void *kmem_cache_alloc_slow(struct kmem_cache *s)
{
	struct array_cache *ac = &s->ac;
	void *obj;

	if (should_failslab())
		return NULL;
	/* A fault countdown may be over. */
	if (ac->limit == 0)
		cache_set_limit(s);
	if (ac->limit == 0)
		obj = alloc_unready(s);
	else
		obj = cache_refill(s) ? ac->entry[--ac->avail] : NULL;
	if (obj != NULL)
		slab_asan_unpoison(obj, ac->object_size);
	return obj;
}

__attribute__((noinline)) void kmem_cache_free_slow(struct kmem_cache *s, void *obj)
{
	struct array_cache *ac = &s->ac;

	if (kmem_cache_debug(s) && !free_debug_processing(s, obj))
		return;
	slab_asan_poison(obj, ac->object_size);
	cache_set_limit(s);
	if (ac->limit == 0) {
		slab_put_obj(s, obj);
		return;
	}
	cache_flush(s, ac->limit / 2);
	ac->entry[ac->avail++] = obj;
}

int kmem_cache_shrink(struct kmem_cache *s)
{
	struct slab *slab;
	int err = 0;

	cache_flush(s, 0);
	while (err == 0 && (slab = LIST_FIRST(&s->empty)) != NULL)
		err = slab_destroy(s, slab);
	cache_set_limit(s);
	return err;
}
