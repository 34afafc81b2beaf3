/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The input of a target, from which each choice takes its bytes. */
#ifndef TESTS_FUZZ_INPUT_H
#define TESTS_FUZZ_INPUT_H

#include <stdint.h>

/* The next byte, and the end; the file with LLVMFuzzerTestOneInput() has them. */
extern const uint8_t *fuzz_at, *fuzz_end;

/* The next byte, 0 behind the end. */
static inline uint8_t byte(void)
{
	return fuzz_at < fuzz_end ? *fuzz_at++ : 0;
}

/* The next @bytes bytes, the highest first. */
static inline uint64_t number_of(unsigned int bytes)
{
	uint64_t n = 0;

	while (bytes-- > 0)
		n = n << 8 | byte();
	return n;
}

#endif /* TESTS_FUZZ_INPUT_H */
