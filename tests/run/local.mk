# SPDX-License-Identifier: GPL-2.0-or-later
# Ways out of sockfs run.
tests_run_ways_SOURCES = \
	tests/run/ways.c \
	tests/run/ways.h \
	tests/run/ways_file.c \
	tests/run/ways_net.c \
	tests/run/ways_sys.c
tests_run_ways_LDADD =
