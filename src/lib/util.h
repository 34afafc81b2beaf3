/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The small words that every file of the daemon uses, with the kernel's names.
 *
 * Twins of include/linux/{container_of,minmax,align,array_size,compiler,
 * build_bug}.h. Everything here is a macro without state; GNU C is assumed
 * (gcc and clang).
 */
#ifndef LIB_UTIL_H
#define LIB_UTIL_H

#include <stddef.h>

/* Branch hints: @x is nearly always true, or nearly always false. */
#ifndef likely
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#endif

/* A compile-time assertion, good inside and outside of functions: it breaks
 * the build when @cond is true. BUILD_BUG_ON_MSG says @msg. */
#define BUILD_BUG_ON_MSG(cond, msg) _Static_assert(!(cond), msg)
#define BUILD_BUG_ON(cond) BUILD_BUG_ON_MSG(cond, "BUILD_BUG_ON: " #cond)

/* True when expressions (or types) @a and @b have the same type, qualifiers apart. */
#define __same_type(a, b) __builtin_types_compatible_p(__typeof__(a), __typeof__(b))

/* An int 0 that does not compile when constant @cond is true: BUILD_BUG_ON as an expression. */
#define BUILD_BUG_ON_ZERO(cond)                                              \
	((int)(0 * sizeof(struct {                                           \
		       int sizeof_wants_a_member;                            \
		       _Static_assert(!(cond), "BUILD_BUG_ON_ZERO: " #cond); \
	       })))

/*
 * The struct of @type whose @member @ptr points to: the subtraction that leads
 * from the body (inode) to the head (socket). Does not compile when @ptr is not
 * a pointer to the member's type (or to void). @ptr is evaluated once and must
 * not be NULL.
 */
#define container_of(ptr, type, member)                                                \
	({                                                                             \
		void *mptr_ = (void *)(ptr);                                           \
		_Static_assert(__same_type(*(ptr), ((type *)0)->member) ||             \
				       __same_type(*(ptr), void),                      \
			       "container_of: the pointer is not one to that member"); \
		((type *)((char *)mptr_ - offsetof(type, member)));                    \
	})

/* Elements of array @a, a size_t. Does not compile for a pointer. */
#define ARRAY_SIZE(a) \
	(sizeof(a) / sizeof((a)[0]) + (size_t)BUILD_BUG_ON_ZERO(__same_type((a), &(a)[0])))

/*
 * The smaller and the larger of two values of one type, each evaluated once.
 * Does not compile when the types differ: a silent sign conversion is how
 * lengths go wrong. min_t and max_t convert both to @type first; clamp is @val
 * moved into @lo..@hi.
 */
#define min(a, b) __cmp_once(a, b, <, "min")
#define max(a, b) __cmp_once(a, b, >, "max")
#define min_t(type, a, b) min((type)(a), (type)(b))
#define max_t(type, a, b) max((type)(a), (type)(b))
#define clamp(val, lo, hi)                                                           \
	({                                                                           \
		__typeof__(val) cval_ = (val);                                       \
		__typeof__(lo) clo_ = (lo);                                          \
		__typeof__(hi) chi_ = (hi);                                          \
		_Static_assert(__same_type(cval_, clo_) && __same_type(cval_, chi_), \
			       "clamp: the types differ");                           \
		cval_<clo_ ? clo_ : cval_> chi_ ? chi_ : cval_;                      \
	})

/* __COUNTER__ gives each use its own names, so that min(a, min(b, c)) shadows nothing. */
#define __cmp_once(a, b, op, word) __cmp_once_n(a, b, op, word, __COUNTER__)
#define __cmp_once_n(a, b, op, word, n) __cmp_once_body(a, b, op, word, n)
#define __cmp_once_body(a, b, op, word, n)                                                    \
	({                                                                                    \
		__typeof__(a) cmp_a_##n = (a);                                                \
		__typeof__(b) cmp_b_##n = (b);                                                \
		_Static_assert(__same_type(cmp_a_##n, cmp_b_##n), word ": the types differ"); \
		cmp_a_##n op cmp_b_##n ? cmp_a_##n : cmp_b_##n;                               \
	})

/* @x rounded up to a multiple of @a, a power of two. @x is evaluated once; the type is @x's. */
#define ALIGN_UP(x, a) (((x) + ((__typeof__(x))(a)-1)) & ~((__typeof__(x))(a)-1))
#define IS_ALIGNED(x, a) (((x) & ((__typeof__(x))(a)-1)) == 0)

/* 0 is not a power of two. @n is evaluated twice. */
#define is_power_of_2(n) ((n) != 0 && ((n) & ((n)-1)) == 0)

/* The compiler checks arguments from @first against the format at @fmt, both counted from 1. */
#define __printf(fmt, first) __attribute__((format(printf, fmt, first)))

/* A result that a caller must look at. */
#define __must_check __attribute__((warn_unused_result))
#define __noreturn __attribute__((noreturn))
#ifndef __maybe_unused
#define __maybe_unused __attribute__((unused))
#endif
#ifndef __cold
#define __cold __attribute__((cold, noinline))
#endif

#endif
