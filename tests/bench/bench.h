/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The benchmark driver: what its files share.
 *
 *   bench.c    the plan: which rows, in which order, how long
 *   store.c    samples by metric and kind, medians
 *   report.c   the table, the JSON, the data of the plots
 *   peer.c     the other end of every connection, a process of its own
 *   chan.c     daemons, and the four ways to open a connection
 *   bulk.c     throughput, cat, CPU per GB
 *   talk.c     round trips, dial, accept, create and unlink
 *   tls.c      reads and handshakes of TLS
 *   many.c     a small talker beside many bulk connections
 *   fair.c     who waits how long beside whom
 *   scale.c    memory, idle CPU, time by number of files
 *   malloc.c   runs slab_bench with each allocator
 *
 * The words
 *
 *   kind     who does the work: a plain socket, sockfs, the FUSE floor, ...
 *   row      one thing that is measured for several kinds, one after the
 *            other, so that a ratio compares neighbours in time.
 *   round    one pass over all rows; what one row gives for one kind in one
 *            round is a sample of each of the row's metrics.
 *
 * Functions return 0 or -errno.
 */
#ifndef TESTS_BENCH_BENCH_H
#define TESTS_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

enum kind {
	PLAIN,	/* a TCP socket in a program */
	SOCKFS, /* a file of sockfs */
	FLOOR,	/* a FUSE file that answers at once (floor.c) */
	SOCAT,	/* a FIFO, and socat between it and the socket */
	TMPFS,	/* a file in /dev/shm */
	SLAB,	/* objects of a kmem_cache */
	GLIBC,	/* objects from malloc, of glibc and of libraries in its place */
	JEMALLOC,
	MIMALLOC,
	OPENSSL, /* openssl s_client between two pipes */
	CURL,	 /* a curl for each page */
	NR_KINDS,
};

#define KIND(k) (1u << (k))
#define KIND_BULK (KIND(PLAIN) | KIND(SOCKFS) | KIND(FLOOR) | KIND(SOCAT))

extern const char *const kind_name[NR_KINDS];

/* ------------------------------------------------------------------- store.c */

struct series {
	char metric[40];
	enum kind kind;
	double *sample; /* one a round, NAN where there is none */
};

struct store {
	struct series *series;
	size_t nr;
	int rounds;
};

struct summary {
	double median, min, max;
	int n; /* samples; the others are valid if it is not 0 */
};

/* Ends the program when there is no memory. */
void store_add(struct store *s, int round, enum kind kind, double value, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
const struct series *store_find(const struct store *s, const char *metric, enum kind kind);
void store_free(struct store *s);

/* Of those of @n values that are numbers. */
struct summary summarize(const double *value, int n);
/* The median of a series, or NAN. */
double store_median(const struct store *s, const char *metric, enum kind kind);

/* Latencies of one slice, in ns; all of them are kept. */
struct latencies {
	uint32_t *ns;
	size_t nr, room;
};

void latencies_add(struct latencies *l, uint64_t ns);
/* Sorts; @share of the values are below the answer, in microseconds. NAN for none. */
double latencies_quantile(struct latencies *l, double share);
void latencies_free(struct latencies *l);

/* -------------------------------------------------------------------- peer.c */

enum service {
	SERVE_SOURCE,  /* sends without end */
	SERVE_LIMITED, /* sends peer.limit bytes and FIN */
	SERVE_SINK,    /* reads without end */
	SERVE_ECHO,    /* sends back what comes */
	SERVE_HOLD,    /* holds the connection until the other end closes */
	SERVE_CONTROL, /* takes peer_dial */
	NR_SERVICES,
};

/* How its services are reached. */
enum way {
	BY_TCP,
	BY_UDP, /* SERVE_ECHO, whatever is asked for */
	BY_UNIX,
};

/* With unix_id and the service. */
#define PEER_UNIX_NAME "sockfs-bench.%u.%d"

struct peer {
	pid_t pid;
	uint64_t limit;
	uint16_t port[NR_SERVICES];
	uint16_t udp_port;
	unsigned int unix_id; /* in the names of UNIX, which have no file */
};

/* Before any thread is started: it forks. @limit is SERVE_LIMITED's. */
int peer_start(struct peer *peer, uint64_t limit);
/* Have it connect to @port again and again for @ms, and close when we do. */
int peer_dial(const struct peer *peer, uint16_t port, int ms);
/* Wait until it stops dialling. */
void peer_stop(struct peer *peer);

/* A listening IPv4 socket on a free port of any address, or -errno. */
int listen_any(uint16_t *ret_port);
/* A connection to 127.0.0.@host, or -errno. */
int connect_to(unsigned int host, uint16_t port);
/* The same to @service by @way; only TCP has several hosts. */
int peer_connect(const struct peer *peer, enum way way, enum service service, unsigned int host);

/* ------------------------------------------------------------------- bench.c */

struct bench {
	struct store store;
	struct peer peer;
	int round;
	int slice_ms;	/* how long one row measures one kind */
	char dir[256];	/* for mounts and FIFOs, removed at the end */
	char shm[256];	/* the same on tmpfs; empty: there is none */
	char file[300]; /* a file of peer.limit bytes */
	const char *sockfs, *floor, *slab_bench, *misses; /* programs */
	const char *out;				  /* folder of the results */
	bool has[NR_KINDS];
	pid_t daemon[NR_KINDS]; /* of SOCKFS and FLOOR */
	char mnt[NR_KINDS][280];
	unsigned int next_name;
	size_t crowd, objects; /* no row has more bulk connections, or objects */
	/* of the parts that are measured once */
	unsigned int files, connections, idle_ms;
	bool some; /* not all rows were asked for */
	int failures;
	double load; /* average of the minute before */
};

struct row {
	const char *name;
	int (*run)(struct bench *b, enum kind kind, const struct row *row);
	unsigned int kinds;
	size_t size;
	bool write;
	bool optional; /* it may need what is not installed */
};

/* Hosts are dialled in turn: each pair of ports rests for a second after use. */
#define BENCH_HOSTS 16u

static inline unsigned int next_host(struct bench *b)
{
	return 1 + b->next_name++ % BENCH_HOSTS;
}

uint64_t now_ns(void);
/* Of a daemon that was started: the process that does the work, its child or itself. */
pid_t worker_of(pid_t pid);
/* CPU time of a process and its ended threads, in ns; 0: the whole of this one. */
uint64_t cpu_ns(pid_t pid);
/* The daemon that a row which hangs waits for: it is killed then. */
void bench_watch(pid_t pid);
/* One line on stderr; the row has no sample then. */
void complain(struct bench *b, const char *row, enum kind kind, int err);

/* -------------------------------------------------------------------- chan.c */

struct chan {
	int rfd, wfd; /* often the same */
	pid_t relay;  /* socat, or 0 */
};

/*
 * Mounts @program on a new folder, with @option if that is not NULL; it says by a
 * descriptor when the mount answers.
 */
int daemon_start(struct bench *b, const char *program, const char *option, char *mnt, size_t len,
		 pid_t *ret_pid);
/* Unmounts, and waits for it. */
int daemon_stop(const char *mnt, pid_t pid);

/* Connected to @service by way of @kind, and for PLAIN and SOCKFS by @way. */
int chan_open_by(struct bench *b, enum kind kind, enum way way, enum service service,
		 struct chan *ret);
static inline int chan_open(struct bench *b, enum kind kind, enum service service,
			    struct chan *ret)
{
	return chan_open_by(b, kind, BY_TCP, service, ret);
}
void chan_close(struct chan *c);

/* A new socket file at @path, connected as peer_connect() does; a descriptor or -errno. */
int sockfs_connect(const struct peer *peer, const char *path, enum way way, enum service service,
		   unsigned int host);

/* fork and exec with descriptors @in and @out (-1: /dev/null) as 0 and 1: a pid or -errno. */
pid_t spawn(char *const argv[], int in, int out);
/* Its exit status as 0 or -errno. */
int spawn_wait(pid_t pid);

/* A daemon of sockfs of its own. */
struct site {
	unsigned int files;
	pid_t pid;
	char mnt[sizeof(((struct bench *)0)->mnt[0])];
};

/* @option: of the daemon, or NULL. */
int site_start(struct bench *b, struct site *site, const char *option);
/* Everything goes to @site from now on; @site gets what was used before. */
void site_swap(struct bench *b, struct site *site);
/* Stops it if it was started; the first error of both. */
int site_stop(const struct site *site, int err);

/* ---------------------------------------------------------------------- rows */

int bulk_run(struct bench *b, enum kind kind, const struct row *row);
int bulk_unix_run(struct bench *b, enum kind kind, const struct row *row);
int cat_run(struct bench *b, enum kind kind, const struct row *row);
int talk_run(struct bench *b, enum kind kind, const struct row *row);
int tls_read_run(struct bench *b, enum kind kind, const struct row *row);
int tls_dial_run(struct bench *b, enum kind kind, const struct row *row);
int talk_udp_run(struct bench *b, enum kind kind, const struct row *row);
int dial_run(struct bench *b, enum kind kind, const struct row *row);
int named_run(struct bench *b, enum kind kind, const struct row *row);
int accept_run(struct bench *b, enum kind kind, const struct row *row);
int create_run(struct bench *b, enum kind kind, const struct row *row);
int many_run(struct bench *b, enum kind kind, const struct row *row);
int fair_inq_run(struct bench *b, enum kind kind, const struct row *row);
int fair_talk_run(struct bench *b, enum kind kind, const struct row *row);
int fair_poll_run(struct bench *b, enum kind kind, const struct row *row);
int fair_nospin_run(struct bench *b, enum kind kind, const struct row *row);
int fair_ctl_run(struct bench *b, enum kind kind, const struct row *row);
int slab_run(struct bench *b, enum kind kind, const struct row *row);
int access_run(struct bench *b, enum kind kind, const struct row *row);
/* Once, not in rounds: */
int files_run(struct bench *b, enum kind kind, const struct row *row);
int idle_run(struct bench *b, enum kind kind, const struct row *row);
int idle_udp_run(struct bench *b, enum kind kind, const struct row *row);
int idle_unix_run(struct bench *b, enum kind kind, const struct row *row);
int misses_run(struct bench *b, enum kind kind, const struct row *row);

/* One write and the read of its echo; 0 or -errno. */
int round_trip(const struct chan *c, char *buf, size_t size);

/* ------------------------------------------------------------------ report.c */

void report_table(const struct bench *b, FILE *out);
int report_json(const struct bench *b, const char *path);
/* The .dat files that plots.gp draws. */
int report_data(const struct bench *b);

#endif
