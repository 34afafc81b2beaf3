# SPDX-License-Identifier: GPL-2.0-or-later
# The fuzzers: tests/fuzz/fuzz.h tells of them.
FUZZ_TESTS = tests/fuzz/ctl tests/fuzz/dns tests/fuzz/fuzz tests/fuzz/ledger tests/fuzz/policy tests/fuzz/text
FUZZ_MAIN = tests/fuzz/fuzz.c tests/fuzz/fuzz.h
FUZZ_WIRE = tests/fuzz/fuzz_guard.c tests/fuzz/fuzz_cost.c tests/fuzz/fuzz_net.c
FUZZ_ONE = $(FUZZ_WIRE) tests/fuzz/fuzz_input.h tests/fuzz/fuzz_one.c
FUZZ_CTL = $(FUZZ_WIRE) tests/fuzz/fuzz_ctl.c tests/fuzz/fuzz_words.c
FUZZ_DNS = tests/fuzz/fuzz_dns.c tests/fuzz/fuzz_cost.c
FUZZ_LEDGER = $(FUZZ_WIRE) tests/fuzz/fuzz_break.c tests/fuzz/fuzz_fill.c tests/fuzz/fuzz_input.h \
	tests/fuzz/fuzz_ledger.c tests/fuzz/fuzz_mother.c
FUZZ_POLICY = tests/fuzz/fuzz_cost.c tests/fuzz/fuzz_policy.c tests/fuzz/fuzz_words.c
FUZZ_TEXT = tests/fuzz/fuzz_cost.c tests/fuzz/fuzz_text.c tests/fuzz/fuzz_words.c
tests_fuzz_fuzz_SOURCES = $(FUZZ_MAIN) $(FUZZ_ONE)
tests_fuzz_ctl_SOURCES = $(FUZZ_MAIN) $(FUZZ_CTL)
tests_fuzz_dns_SOURCES = $(FUZZ_MAIN) $(FUZZ_DNS)
tests_fuzz_ledger_SOURCES = $(FUZZ_MAIN) $(FUZZ_LEDGER)
tests_fuzz_policy_SOURCES = $(FUZZ_MAIN) $(FUZZ_POLICY)
tests_fuzz_text_SOURCES = $(FUZZ_MAIN) $(FUZZ_TEXT)
# The same with libFuzzer's main; tests/fuzz/fuzz.h tells how to build it.
FUZZER_FLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
EXTRA_PROGRAMS += tests/fuzz/libfuzzer tests/fuzz/libfuzzer_ctl tests/fuzz/libfuzzer_dns \
	tests/fuzz/libfuzzer_ledger tests/fuzz/libfuzzer_policy tests/fuzz/libfuzzer_text
tests_fuzz_libfuzzer_SOURCES = $(FUZZ_ONE)
tests_fuzz_libfuzzer_LDFLAGS = $(FUZZER_FLAGS)
tests_fuzz_libfuzzer_ctl_SOURCES = $(FUZZ_CTL)
tests_fuzz_libfuzzer_ctl_LDFLAGS = $(FUZZER_FLAGS)
tests_fuzz_libfuzzer_dns_SOURCES = $(FUZZ_DNS)
tests_fuzz_libfuzzer_dns_LDFLAGS = $(FUZZER_FLAGS)
tests_fuzz_libfuzzer_ledger_SOURCES = $(FUZZ_LEDGER)
tests_fuzz_libfuzzer_ledger_LDFLAGS = $(FUZZER_FLAGS)
tests_fuzz_libfuzzer_policy_SOURCES = $(FUZZ_POLICY)
tests_fuzz_libfuzzer_policy_LDFLAGS = $(FUZZER_FLAGS)
tests_fuzz_libfuzzer_text_SOURCES = $(FUZZ_TEXT)
tests_fuzz_libfuzzer_text_LDFLAGS = $(FUZZER_FLAGS)
EXTRA_DIST += tests/fuzz/corpus

if HAVE_CHECK
check_PROGRAMS += $(FUZZ_TESTS)
TESTS += $(FUZZ_TESTS)
endif
