# SPDX-License-Identifier: GPL-2.0-or-later
# Benchmarks, part of the one makefile: nothing timed in `make check`.

# BENCH=short ends in a minute; BENCHFLAGS are for tests/bench/bench, such as rows
# ("read-1m rtt") or --rounds=3. Results go to BENCH_OUT in the build folder.
BENCH = full
BENCHFLAGS =
BENCH_OUT = bench-results
# Under which name bench-doc keeps it.
BENCH_RUN = quiet
EXTRA_PROGRAMS += $(BENCHES)
EXTRA_DIST += \
	doc/BENCHMARKS.md \
	doc/bench \
	tests/bench/misses.sh \
	tests/bench/plots.gp \
	tests/bench/publish.sh \
	tests/bench/run.sh
CLEANFILES += $(BENCHES)

tests_bench_bench_SOURCES = \
	tests/bench/bench.c \
	tests/bench/bench.h \
	tests/bench/bulk.c \
	tests/bench/chan.c \
	tests/bench/fair.c \
	tests/bench/malloc.c \
	tests/bench/many.c \
	tests/bench/peer.c \
	tests/bench/report.c \
	tests/bench/scale.c \
	tests/bench/store.c \
	tests/bench/talk.c \
	tests/bench/targets.c \
	tests/bench/targets.h \
	tests/bench/tls.c
tests_bench_bench_LDADD = -lpthread -lm
tests_bench_floor_SOURCES = tests/bench/floor.c
tests_bench_floor_LDADD = $(FUSE_LIBS)
tests_bench_slab_bench_SOURCES = tests/bench/slab_bench.c
tests_bench_slab_bench_LDADD = libsockfs.a

bench: $(BENCHES) $(bin_PROGRAMS)
	srcdir='$(srcdir)' $(SHELL) $(srcdir)/tests/bench/run.sh '$(BENCH_OUT)' \
	  --form='$(BENCH)' $(BENCHFLAGS)

# Into the source folder, to be looked at and committed.
bench-doc:
	$(SHELL) $(srcdir)/tests/bench/publish.sh '$(BENCH_OUT)' $(srcdir)/doc '$(BENCH_RUN)'

.PHONY: bench bench-doc

clean-local-bench:
	rm -rf '$(BENCH_OUT)'

.PHONY: clean-local-bench
