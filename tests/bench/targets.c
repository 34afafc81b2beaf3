/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The targets. "floor or plain" divides by the slower of the FUSE floor and the
 * plain socket: no file can be faster than the one, and a figure that is as
 * fast as the other has the socket as its limit.
 */
#include "config.h"

#include "lib/util.h"
#include "tests/bench/targets.h"

#define NONE NR_KINDS
/* A call that must wait for both can take as long as both. */
#define BY_SUM(what, metric, value)                                              \
	{                                                                        \
		what, metric, SOCKFS, NULL, PLAIN, FLOOR, true, '<', value, "us" \
	}
/* One metric of sockfs by the same of another kind. */
#define BY(what, metric, den, op, value, unit)                                \
	{                                                                     \
		what, metric, SOCKFS, NULL, den, NONE, false, op, value, unit \
	}
#define BY_SLOWER(what, metric, value)                                              \
	{                                                                           \
		what, metric, SOCKFS, NULL, FLOOR, PLAIN, false, '>', value, "GB/s" \
	}
#define ONLY(what, metric, kind, op, value, unit)                            \
	{                                                                    \
		what, metric, kind, NULL, NONE, NONE, false, op, value, unit \
	}
#define SLAB_BY(what, metric, den, value)                                                      \
	{                                                                                      \
		what, metric, den, NULL, SLAB, NONE, false, value > 0 ? '>' : ' ', value, "ns" \
	}
#define SCALE(what, metric, level)                                                            \
	{                                                                                     \
		what, "scale-" metric "." level, SOCKFS, "scale-" metric ".10", SOCKFS, NONE, \
			false, ' ', 0, "us"                                                   \
	}
#define MISSES(what, level, way)                                                               \
	{                                                                                      \
		what, "misses-" level "-" way, SLAB, "misses-" level "-colocated", SLAB, NONE, \
			false, ' ', 0, ""                                                      \
	}

const struct target targets[] = {
	BY_SUM("1 B round trip p50, sockfs / plain + floor", "rtt-1.p50", 1.15),
	BY_SUM("4 KiB round trip p50, sockfs / plain + floor", "rtt-4k.p50", 1.15),
	BY_SLOWER("1 MiB reads, sockfs / floor or plain", "read-1m", 0.9),
	BY_SLOWER("1 MiB writes, sockfs / floor or plain", "write-1m", 0.85),
	BY("1 MiB reads, sockfs / plain", "read-1m", PLAIN, ' ', 0, "GB/s"),
	BY("1 MiB writes, sockfs / plain", "write-1m", PLAIN, ' ', 0, "GB/s"),
	BY("128 KiB reads, sockfs / plain", "read-128k", PLAIN, ' ', 0, "GB/s"),
	BY("128 KiB writes, sockfs / plain", "write-128k", PLAIN, ' ', 0, "GB/s"),
	BY("4 KiB reads, sockfs / plain", "read-4k", PLAIN, ' ', 0, "GB/s"),
	BY("4 KiB writes, sockfs / plain", "write-4k", PLAIN, ' ', 0, "GB/s"),
	BY("4 KiB reads, sockfs / floor", "read-4k", FLOOR, '>', 2, "GB/s"),
	BY("4 KiB writes, sockfs / floor", "write-4k", FLOOR, '>', 0.8, "GB/s"),
	BY_SLOWER("128 KiB reads, sockfs / floor or plain", "read-128k", 0.8),
	BY_SLOWER("128 KiB writes, sockfs / floor or plain", "write-128k", 0.8),
	BY("4 KiB reads, sockfs / socat", "read-4k", SOCAT, '>', 4, "GB/s"),
	BY("4 KiB writes, sockfs / socat", "write-4k", SOCAT, '>', 2, "GB/s"),
	BY("128 KiB reads, sockfs / socat", "read-128k", SOCAT, '>', 4, "GB/s"),
	BY("128 KiB writes, sockfs / socat", "write-128k", SOCAT, '>', 2, "GB/s"),
	BY("1 MiB reads, sockfs / socat", "read-1m", SOCAT, '>', 4, "GB/s"),
	BY("1 MiB writes, sockfs / socat", "write-1m", SOCAT, '>', 2, "GB/s"),
	BY("cat to /dev/null, sockfs / plain", "cat-read", PLAIN, ' ', 0, "GB/s"),
	BY("cat to /dev/null, sockfs / socat", "cat-read", SOCAT, ' ', 0, "GB/s"),
	BY("cat from a file, sockfs / plain", "cat-write", PLAIN, ' ', 0, "GB/s"),
	BY("cat from a file, sockfs / socat", "cat-write", SOCAT, ' ', 0, "GB/s"),
	BY("1 B round trip p50, sockfs / plain", "rtt-1.p50", PLAIN, ' ', 0, "us"),
	BY("1 B round trip p99, sockfs / plain", "rtt-1.p99", PLAIN, ' ', 0, "us"),
	BY("1 B round trip p99.9, sockfs / plain", "rtt-1.p999", PLAIN, ' ', 0, "us"),
	BY("1 B round trip p50, sockfs / socat", "rtt-1.p50", SOCAT, ' ', 0, "us"),
	BY("4 KiB round trip p50, sockfs / plain", "rtt-4k.p50", PLAIN, ' ', 0, "us"),
	BY("4 KiB round trip p99, sockfs / plain", "rtt-4k.p99", PLAIN, ' ', 0, "us"),
	BY("4 KiB round trip p99.9, sockfs / plain", "rtt-4k.p999", PLAIN, ' ', 0, "us"),
	BY("CPU of 1 MiB reads, sockfs / plain", "read-1m.cpu", PLAIN, ' ', 0, "s/GB"),
	BY("CPU of 1 MiB writes, sockfs / plain", "write-1m.cpu", PLAIN, ' ', 0, "s/GB"),
	BY("CPU of 128 KiB reads, sockfs / plain", "read-128k.cpu", PLAIN, ' ', 0, "s/GB"),
	BY("CPU of 128 KiB writes, sockfs / plain", "write-128k.cpu", PLAIN, ' ', 0, "s/GB"),
	BY("TLS 1 MiB reads, sockfs / openssl s_client", "tls-read-1m", OPENSSL, '>', 1.5, "GB/s"),
	BY("TLS handshakes, sockfs / curl", "tls-dial", CURL, '>', 2, "1/s"),
	BY_SUM("UDP 1 B round trip p50, sockfs / plain + floor", "udp-rtt-1.p50", 1.15),
	BY("UDP 1 B round trip p50, sockfs / plain", "udp-rtt-1.p50", PLAIN, '<', 1, "us"),
	BY("UDP 1 B round trip p99, sockfs / plain", "udp-rtt-1.p99", PLAIN, ' ', 0, "us"),
	BY_SLOWER("UNIX 1 MiB reads, sockfs / floor or plain", "unix-read-1m", 0.9),
	BY("UNIX 1 MiB reads, sockfs / plain", "unix-read-1m", PLAIN, '>', 0.8, "GB/s"),
	BY("dial + close, sockfs / plain", "dial", PLAIN, ' ', 0, "1/s"),
	BY("named: make, connect, remove, sockfs / plain", "named", PLAIN, ' ', 0, "1/s"),
	BY("accept + close, sockfs / plain", "accept", PLAIN, ' ', 0, "1/s"),
	BY("create + unlink, sockfs / floor", "create", FLOOR, '>', 0.8, "1/s"),
	BY("create + unlink, sockfs / tmpfs", "create", TMPFS, ' ', 0, "1/s"),
	BY("1 bulk connection: total, sockfs / plain", "many-1.total", PLAIN, ' ', 0, "GB/s"),
	BY("8 bulk connections: total, sockfs / plain", "many-8.total", PLAIN, ' ', 0, "GB/s"),
	BY("64 bulk connections: total, sockfs / plain", "many-64.total", PLAIN, ' ', 0, "GB/s"),
	BY("512 bulk connections: total, sockfs / plain", "many-512.total", PLAIN, ' ', 0, "GB/s"),
	{ "talker p99 beside 64 bulk / alone", "many-64.p99", SOCKFS, "many-0.p99", SOCKFS, NONE,
	  false, '<', 5, "us" },
	{ "the same, of a plain socket", "many-64.p99", PLAIN, "many-0.p99", PLAIN, NONE, false,
	  ' ', 0, "us" },
	BY("talker p99 beside 64 bulk, sockfs / plain", "many-64.p99", PLAIN, ' ', 0, "us"),
	BY("talker p99 beside 512 bulk, sockfs / plain", "many-512.p99", PLAIN, ' ', 0, "us"),
	{ "1 MiB reader beside 128 of INQ / alone", "fair-inq", SOCKFS, "read-1m", SOCKFS, NONE,
	  false, ' ', 0, "GB/s" },
	{ "the same, of a plain socket", "fair-inq", PLAIN, "read-1m", PLAIN, NONE, false, ' ', 0,
	  "GB/s" },
	BY("talker p50 beside 16 readers, sockfs / plain", "fair-talk.p50", PLAIN, ' ', 0, "us"),
	BY("talker p99 beside 16 readers, sockfs / plain", "fair-talk.p99", PLAIN, ' ', 0, "us"),
	BY("16 pollers p50, sockfs / plain", "fair-poll.p50", PLAIN, ' ', 0, "us"),
	{ "16 pollers p50, sockfs / without spinning", "fair-poll.p50", SOCKFS, "fair-nospin.p50",
	  SOCKFS, NONE, false, '<', 1.25, "us" },
	ONLY("slowest call beside 1 MiB of commands", "fair-ctl", SOCKFS, ' ', 0, "us"),
	ONLY("idle daemon, % of a CPU", "idle-cpu", SOCKFS, '<', 0.1, "%"),
	ONLY("daemon memory, bytes a socket", "memory-file", SOCKFS, '<', 400, "B"),
	ONLY("daemon memory, bytes a connection", "memory-connection", SOCKFS, '<', 1024, "B"),
	ONLY("daemon memory, bytes a UDP socket", "memory-udp", SOCKFS, '<', 1024, "B"),
	ONLY("daemon memory, bytes a UNIX connection", "memory-unix", SOCKFS, '<', 1024, "B"),
	ONLY("daemon memory kept when all is removed", "memory-after", SOCKFS, '<', 10, "MiB"),
	SCALE("create at 10,000 files / at 10", "create", "10000"),
	SCALE("create at 1,000,000 files / at 10", "create", "1000000"),
	SCALE("lookup at 10,000 files / at 10", "lookup", "10000"),
	SCALE("lookup at 1,000,000 files / at 10", "lookup", "1000000"),
	SCALE("unlink at 10,000 files / at 10", "unlink", "10000"),
	SCALE("unlink at 1,000,000 files / at 10", "unlink", "1000000"),
	SCALE("connect at 10,000 files / at 10", "connect", "10000"),
	SCALE("connect at 1,000,000 files / at 10", "connect", "1000000"),
	SCALE("poll wake-up at 10,000 files / at 10", "poll", "10000"),
	SCALE("poll wake-up at 1,000,000 files / at 10", "poll", "1000000"),
	SLAB_BY("make and free at once: 2 glibc mallocs / slab", "slab-pair", GLIBC, 3),
	SLAB_BY("make and free at once: 2 mimalloc / slab", "slab-pair", MIMALLOC, 1.5),
	SLAB_BY("make and free at once: 2 jemalloc / slab", "slab-pair", JEMALLOC, 0),
	SLAB_BY("make 1000, free 1000: 2 glibc mallocs / slab", "slab-batch", GLIBC, 3),
	SLAB_BY("make 1000, free 1000: 2 mimalloc / slab", "slab-batch", MIMALLOC, 1.5),
	SLAB_BY("make 1000, free 1000: 2 jemalloc / slab", "slab-batch", JEMALLOC, 0),
	SLAB_BY("replace at random: 2 glibc mallocs / slab", "slab-random", GLIBC, 3),
	SLAB_BY("replace at random: 2 mimalloc / slab", "slab-random", MIMALLOC, 1.5),
	SLAB_BY("replace at random: 2 jemalloc / slab", "slab-random", JEMALLOC, 0),
	{ "random access: in two caches / colocated", "access-apart", SLAB, "access-colocated",
	  SLAB, NONE, false, ' ', 0, "ns" },
	{ "random access: two mallocs / colocated", "access-malloc", SLAB, "access-colocated", SLAB,
	  NONE, false, ' ', 0, "ns" },
	MISSES("first-cache misses: in two caches / colocated", "first", "apart"),
	MISSES("first-cache misses: two mallocs / colocated", "first", "malloc"),
	MISSES("outer-cache misses: in two caches / colocated", "outer", "apart"),
	MISSES("outer-cache misses: two mallocs / colocated", "outer", "malloc"),
};

const size_t nr_targets = ARRAY_SIZE(targets);
