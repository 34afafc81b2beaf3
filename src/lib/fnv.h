/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * FNV-1a of 64 bits, by Fowler, Noll and Vo: a short hash of bytes. Who would gain by
 * collisions can make them, unless it begins with something secret.
 */
#ifndef LIB_FNV_H
#define LIB_FNV_H

#include <stddef.h>
#include <stdint.h>

/* Where a hash begins that has no other beginning. */
#define FNV1A_BASIS UINT64_C(0xcbf29ce484222325)

/* @hash, and behind what it stands for the @n bytes. */
static inline uint64_t fnv1a(uint64_t hash, const void *bytes, size_t n)
{
	for (const unsigned char *b = bytes; n > 0; b++, n--)
		hash = (hash ^ *b) * UINT64_C(0x100000001b3);
	return hash;
}

#endif /* LIB_FNV_H */
