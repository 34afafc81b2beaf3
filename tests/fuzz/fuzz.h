/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A fuzzer of the FUSE edge: bytes become a program of requests, broken and
 * whole, of a kernel that has lost its mind; and of peers that come and go.
 *
 * fuzz_policy.c is another target, of policy files.
 *
 * fuzz_one.c runs one input, fuzz_net.c has the peers, fuzz.c makes inputs at
 * random. libFuzzer can make them instead:
 *
 *	./configure CC=clang CFLAGS='-g -O1 -fsanitize=fuzzer-no-link' --enable-sanitizers
 *	make check-programs tests/fuzz/libfuzzer && tests/fuzz/libfuzzer
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Run one input against a daemon of its own; aborts if anything is wrong. libFuzzer's name. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- fuzz_net.c: one listener that never goes, and up to a few connections ---- */

/* The listener's port, as text. */
const char *net_port(void);
/* One action of a peer, chosen by @action and @arg. @port: where it may connect to, 0: nowhere. */
void net_step(uint8_t action, uint8_t arg, unsigned int port);
/* All connections are gone. */
void net_close(void);

#endif
