# SPDX-License-Identifier: GPL-2.0-or-later
# Streams: see the head of each file.
STREAM_TESTS = \
	tests/stream/parked \
	tests/stream/pollers \
	tests/stream/side \
	tests/stream/streams \
	tests/stream/uv_client
if HAVE_EVENT
STREAM_TESTS += tests/stream/event_client
endif

check_PROGRAMS += $(STREAM_TESTS)
tests_stream_parked_SOURCES = tests/stream/ends.c tests/stream/ends.h tests/stream/parked.c
tests_stream_parked_LDADD =
tests_stream_pollers_SOURCES = tests/stream/ends.c tests/stream/ends.h tests/stream/pollers.c
tests_stream_pollers_LDADD = -lpthread
tests_stream_side_SOURCES = \
	tests/stream/ends.c \
	tests/stream/ends.h \
	tests/stream/side.c \
	tests/stream/side.h \
	tests/stream/side_ops.c
tests_stream_side_LDADD =
tests_stream_streams_SOURCES = \
	tests/stream/ends.c \
	tests/stream/ends.h \
	tests/stream/streams.c \
	tests/stream/streams.h \
	tests/stream/streams_cut.c
tests_stream_streams_LDADD = -lpthread
tests_stream_uv_client_LDADD = $(UV_LIBS)
tests_stream_event_client_CPPFLAGS = $(AM_CPPFLAGS) $(EVENT_CFLAGS)
tests_stream_event_client_LDADD = $(EVENT_LIBS)
