/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fuzzers, each a program. Its target runs one input:
 *
 *	fuzz	fuzz_one.c: the FUSE edge. Bytes become a program of requests, broken and
 *		whole, of a kernel that has lost its mind; and of peers that come and go
 *	ctl	fuzz_ctl.c: texts for a control file, and ioctls with any bytes
 *	dns	fuzz_dns.c: answers of a name server
 *	ledger	fuzz_ledger.c: what a daemon finds that goes on where another has died
 *	policy	fuzz_policy.c: policy files
 *	text	fuzz_text.c: addresses, commands, options, hosts(5), headers of datagrams,
 *		messages of the helper for TLS
 *
 * fuzz.c replays corpus/PROGRAM, and makes inputs at random. libFuzzer can make them
 * instead, and gave the corpus:
 *
 *	./configure CC=clang CFLAGS='-g -O2 -fsanitize=fuzzer-no-link' --enable-sanitizers \
 *		CPPFLAGS=-DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
 *	make tests/fuzz/libfuzzer_text && tests/fuzz/libfuzzer_text -entropic=0 NEW CORPUS
 *
 * That word has a mount begin with less memory (fs/inode_hash.c, fuse/fuse_i.h); each input has one
 * of its own. NEW is best in /dev/shm.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <ares.h>
#include <stddef.h>
#include <stdint.h>

/* Run one input against a daemon of its own; aborts if anything is wrong. libFuzzer's name. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* Before the first one, if the target has it; libFuzzer's, too. */
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* What ares_init_options(3) is given; c-ares 1.21 promises to leave it as it is. */
#if ARES_VERSION >= 0x011500
typedef const struct ares_options ares_init_settings;
#else
typedef struct ares_options ares_init_settings;
#endif

/*
 * fuzz_cost.c: what is linked with it takes little time for each input.
 *
 * fuzz_guard.c: what is linked with it reaches no name server, no host but this one, and no
 * path of a UNIX socket, and starts no program: it has connect(2), bind(2), sendto(2),
 * posix_spawn(3) and ares_init_options(3) of its own. Where there are namespaces
 * (network_namespaces(7)) it has its own network, too: no port is one that others serve.
 */

/* ---- fuzz_words.c ---- */

/*
 * Fill @text, of @room bytes, from @data: as it is if the first byte is a multiple of 4,
 * else each byte behind it chooses one of the @nr @words. The length; no NUL is added.
 */
size_t fuzz_text(const uint8_t *data, size_t size, const char *const *words, size_t nr, char *text,
		 size_t room);

/* ---- fuzz_fill.c: a daemon that is to die ---- */

#define FILL_NODES 64
#define FILL_HANDLES 32
#define FILL_OPEN 256

struct wire;

/* What its kernel knows: in memory that is everybody's. */
struct fill {
	uint64_t unique;
	uint64_t open[FILL_OPEN]; /* requests without an answer */
	unsigned int nr_open, nr_nodes, nr_handles;
	uint64_t nodes[FILL_NODES];
	struct {
		uint64_t node, fh;
	} handles[FILL_HANDLES];
	unsigned int port; /* a file listens on it */
};

/* Who dies, and what of him stays; fill_die() is for struct wire. */
void fill_begin(struct wire *w, struct fill *fill);
_Noreturn void fill_die(struct wire *w);
/*
 * Something of everything that @which chooses, in a mount that has nothing; then this process
 * ends, behind so many answers if @answers is not 0.
 */
_Noreturn void fill_and_die(struct wire *w, struct fill *fill, uint16_t which,
			    unsigned int answers);

/* ---- fuzz_mother.c: a process of little memory, whose children they are ---- */

#define FUZZ_FDS 256 /* that are open, at most */

/* Once, as early as can be. What she is to tell her children of is there: net_port(), net_name(). */
void mother_begin(struct fill *fill);
/* Who has @w's daemon served, with the ledger that is there, as fill_and_die(). */
void mother_serve(const struct wire *w, uint16_t which, unsigned int answers);
/* Who goes on, and dies behind so many answers; @keep[@nr] as for wire_resume(). */
void mother_resume(const struct wire *w, unsigned int answers, const int *keep, size_t nr);

/* ---- fuzz_break.c: the ledger that is there, broken as the next bytes of the input say ---- */

#define BREAKS_MAX 15
/* Its records, head and log; how many changes there were. */
unsigned int fuzz_break(struct fill *fill);
/* What says which form it has. */
void fuzz_break_form(void);

/* ---- fuzz_net.c: one listener that never goes, and up to a few connections ---- */

/* The listener's port, as text; a plain socket of UDP has it, too. */
const char *net_port(void);
/* The name of a listener of UNIX: "@...". */
const char *net_name(void);
/* One action of a peer, chosen by @action and @arg. @port: where it may connect to, 0: nowhere. */
void net_step(uint8_t action, uint8_t arg, unsigned int port);
/* All connections are gone. */
void net_close(void);

#endif
