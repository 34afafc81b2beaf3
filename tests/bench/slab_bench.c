/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * slab_bench: objects of the slab against objects of malloc.
 *
 *	slab_bench alloc slab|malloc MILLISECONDS [LIBRARY]
 *	slab_bench loaded LIBRARY
 *	slab_bench access colocated|apart|malloc|all OBJECTS [PASSES]
 *
 * alloc: the time in ns of one socket made and freed. A socket is one object of
 * a kmem_cache with its inode inside, or two mallocs. LIBRARY must be loaded.
 *	slab-pair	freed at once
 *	slab-batch	a thousand made, then freed in the order of their making
 *	slab-random	of 100,000 that live, 250 at random are freed and made anew
 *
 * access: of OBJECTS objects in random order the inode is read, and by it the
 * socket: by subtraction (colocated), by a pointer into a second cache (apart),
 * by a pointer to a second malloc (malloc). ns an object, access-WAY.
 */
#include "config.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mm/slab.h"
#include "net/socket.h"

#define BATCH 1000u
#define LIVE 100000u
#define CHURN 250u

static struct kmem_cache *both, *sockets, *inodes;

/* The apart kind: an inode that points to its socket. */
struct apart {
	struct socket *socket;
	struct inode inode;
};

/* CPU time of this process: who else runs does not count, and nothing here sleeps. */
static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* What an allocation is used for: its first words are written. */
static inline void use(struct socket *socket, struct inode *inode)
{
	*(volatile socket_state *)&socket->state = SS_UNCONNECTED;
	*(volatile mode_t *)&inode->i_mode = 0644;
}

/* ----------------------------------------------------------------- making sockets */

struct way {
	struct inode *(*make)(void);
	void (*drop)(struct inode *inode);
};

static inline struct inode *slab_make(void)
{
	struct socket_alloc *ei = kmem_cache_alloc(both);

	if (ei == NULL)
		abort();
	use(&ei->socket, &ei->vfs_inode);
	return &ei->vfs_inode;
}

static inline void slab_drop(struct inode *inode)
{
	kmem_cache_free(both, container_of(inode, struct socket_alloc, vfs_inode));
}

static inline struct inode *malloc_make(void)
{
	struct apart *a = malloc(sizeof(*a));
	struct socket *socket = malloc(sizeof(*socket));

	if (a == NULL || socket == NULL)
		abort();
	use(socket, &a->inode);
	a->socket = socket;
	return &a->inode;
}

static inline void malloc_drop(struct inode *inode)
{
	struct apart *a = container_of(inode, struct apart, inode);

	free(a->socket);
	free(a);
}

/* ------------------------------------------------------------------------- alloc */

static struct inode *live[LIVE];
static uint32_t seed = 2463534242u;

static void shuffle(struct inode **inode, size_t n)
{
	for (size_t i = n - 1; i > 0; i--) {
		size_t j = next_random(&seed) % (i + 1);
		struct inode *t = inode[i];

		inode[i] = inode[j];
		inode[j] = t;
	}
}

/* One call each: how many were made and freed. Inlined for each way, as in a program. */
static inline __attribute__((always_inline)) unsigned int pair(const struct way *way)
{
	for (unsigned int i = 0; i < BATCH; i++)
		way->drop(way->make());
	return BATCH;
}

static inline __attribute__((always_inline)) unsigned int batch(const struct way *way)
{
	for (unsigned int i = 0; i < BATCH; i++)
		live[i] = way->make();
	for (unsigned int i = 0; i < BATCH; i++)
		way->drop(live[i]);
	return BATCH;
}

static inline __attribute__((always_inline)) unsigned int churn(const struct way *way)
{
	/* live[] is in random order, so neighbours in it are none in memory. */
	struct inode **victim = &live[next_random(&seed) % (LIVE - CHURN)];

	for (unsigned int i = 0; i < CHURN; i++)
		way->drop(victim[i]);
	for (unsigned int i = 0; i < CHURN; i++)
		victim[i] = way->make();
	return CHURN;
}

/* Repeats @step for @ns; ns for each made and freed. The clock is a system call: not too often. */
#define REPEAT(step, ns)                                     \
	({                                                   \
		double start_ = now(), end_ = start_ + (ns); \
		unsigned long count_ = 0;                    \
		do                                           \
			for (int i_ = 0; i_ < 32; i_++)      \
				count_ += (step);            \
		while (now() < end_);                        \
		(now() - start_) / (double)count_;           \
	})

static inline __attribute__((always_inline)) void alloc_way(const struct way *way, double ns)
{
	REPEAT(pair(way), ns / 10);
	printf("slab-pair %.3f\n", REPEAT(pair(way), ns));
	REPEAT(batch(way), ns / 10);
	printf("slab-batch %.3f\n", REPEAT(batch(way), ns));
	for (unsigned int i = 0; i < LIVE; i++)
		live[i] = way->make();
	shuffle(live, LIVE);
	REPEAT(churn(way), ns / 2);
	printf("slab-random %.3f\n", REPEAT(churn(way), ns));
	for (unsigned int i = 0; i < LIVE; i++)
		way->drop(live[i]);
}

static bool is_loaded(const char *library)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	bool found = false;
	char line[512];
	size_t stem = strcspn(library, ".");

	while (maps != NULL && !found && fgets(line, sizeof(line), maps) != NULL)
		found = memmem(line, strlen(line), library, stem) != NULL;
	if (maps != NULL)
		fclose(maps);
	return found;
}

static int run_alloc(const char *who, double ns)
{
	static const struct way slab_way = { slab_make, slab_drop };
	static const struct way malloc_way = { malloc_make, malloc_drop };

	if (strcmp(who, "slab") == 0)
		alloc_way(&slab_way, ns);
	else
		alloc_way(&malloc_way, ns);
	return 0;
}

/* ------------------------------------------------------------------------ access */

static __attribute__((noinline)) uint64_t sum_colocated(struct inode **inode, size_t n)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += inode[i]->i_mode + (uint64_t)SOCKET_I(inode[i])->state;
	return sum;
}

static __attribute__((noinline)) uint64_t sum_apart(struct inode **inode, size_t n)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += inode[i]->i_mode +
		       (uint64_t)container_of(inode[i], struct apart, inode)->socket->state;
	return sum;
}

static struct inode *apart_make(void)
{
	struct apart *a = kmem_cache_alloc(inodes);
	struct socket *socket = kmem_cache_alloc(sockets);

	if (a == NULL || socket == NULL)
		abort();
	use(socket, &a->inode);
	a->socket = socket;
	return &a->inode;
}

static void apart_drop(struct inode *inode)
{
	struct apart *a = container_of(inode, struct apart, inode);

	kmem_cache_free(sockets, a->socket);
	kmem_cache_free(inodes, a);
}

static int access_way(const char *name, const struct way *way,
		      uint64_t (*sum)(struct inode **inode, size_t n), size_t n,
		      unsigned long passes)
{
	struct inode **inode = malloc(n * sizeof(*inode));
	uint64_t result = 0;
	double start;

	if (inode == NULL)
		return 1;
	for (size_t i = 0; i < n; i++)
		inode[i] = way->make();
	shuffle(inode, n);
	start = now();
	for (unsigned long i = 0; i < passes; i++)
		result += sum(inode, n);
	printf("access-%s %.3f\n", name, (now() - start) / (double)(n * passes));
	for (size_t i = 0; i < n; i++)
		way->drop(inode[i]);
	free(inode);
	return result == passes * n * (0644u + (uint64_t)SS_UNCONNECTED) ? 0 : 1;
}

static int run_access(const char *which, size_t n, unsigned long passes)
{
	static const struct way ways[] = { { slab_make, slab_drop },
					   { apart_make, apart_drop },
					   { malloc_make, malloc_drop } };
	static const char *const name[] = { "colocated", "apart", "malloc" };
	int status = 0;

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
		if (strcmp(which, "all") == 0 || strcmp(which, name[i]) == 0)
			status |= access_way(name[i], &ways[i], i == 0 ? sum_colocated : sum_apart,
					     n, passes);
	return status;
}

int main(int argc, char **argv)
{
	int status;

	if (argc == 3 && strcmp(argv[1], "loaded") == 0)
		return is_loaded(argv[2]) ? 0 : 1;
	if (argc < 4 || (strcmp(argv[1], "alloc") != 0 && strcmp(argv[1], "access") != 0)) {
		fputs("usage: slab_bench alloc slab|malloc MILLISECONDS [LIBRARY]\n"
		      "       slab_bench loaded LIBRARY\n"
		      "       slab_bench access colocated|apart|malloc|all OBJECTS [PASSES]\n",
		      stderr);
		return 2;
	}
	if (argc > 4 && strcmp(argv[1], "alloc") == 0 && !is_loaded(argv[4]))
		return 127;
	both = kmem_cache_create("sock_inode_cache", sizeof(struct socket_alloc), 0,
				 SLAB_HWCACHE_ALIGN, NULL);
	sockets = kmem_cache_create("socket", sizeof(struct socket), 0, SLAB_HWCACHE_ALIGN, NULL);
	inodes = kmem_cache_create("inode", sizeof(struct apart), 0, SLAB_HWCACHE_ALIGN, NULL);
	if (both == NULL || sockets == NULL || inodes == NULL)
		return 1;
	if (strcmp(argv[1], "alloc") == 0)
		status = run_alloc(argv[2], atof(argv[3]) * 1e6);
	else
		status = run_access(argv[2], strtoul(argv[3], NULL, 10),
				    argc > 4 ? strtoul(argv[4], NULL, 10) : 1);
	kmem_cache_destroy(both);
	kmem_cache_destroy(sockets);
	kmem_cache_destroy(inodes);
	return status;
}
