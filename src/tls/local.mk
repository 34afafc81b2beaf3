# SPDX-License-Identifier: GPL-2.0-or-later
# sockfs-tls, where configure has found OpenSSL, and its tests.

# The daemon's side, which knows nothing of OpenSSL.
libsockfs_a_SOURCES += \
	src/net/tls/tls.c \
	src/net/tls/tls.h \
	src/net/tls/tls_conn.c \
	src/net/tls/tls_helper.c \
	src/net/tls/tls_helper.h \
	src/net/tls/tls_helper_i.h \
	src/net/tls/tls_i.h \
	src/net/tls/tls_link.c \
	src/net/tls/tls_listen.c \
	src/net/tls/tls_text.c \
	src/uapi/tls.c \
	src/uapi/tls.h

# The daemon starts it; it is nothing to type.
if WITH_TLS
libexec_PROGRAMS = sockfs-tls
dist_man_MANS += doc/sockfs-tls.8
endif
sockfs_tls_SOURCES = \
	src/tls/channel.c \
	src/tls/channel.h \
	src/tls/confine.c \
	src/tls/confine.h \
	src/tls/conn.c \
	src/tls/conn.h \
	src/tls/files.c \
	src/tls/files.h \
	src/tls/main.c \
	src/tls/pump.c \
	src/tls/pump.h \
	src/tls/reason.c \
	src/tls/reason.h \
	src/tls/session.c \
	src/tls/session.h
sockfs_tls_LDADD = libsockfs.a $(UV_LIBS) $(OPENSSL_LIBS) $(SECCOMP_LIBS)

# ---- tests of sockfs-tls, beside OpenSSL as the peer ---------------------------

TLS_TESTS = \
	tests/tls/test_tls_data \
	tests/tls/test_tls_ends \
	tests/tls/test_tls_files \
	tests/tls/test_tls_handshake \
	tests/tls/test_tls_link
TLS_TEST_SOURCES = \
	tests/tls/certs.c \
	tests/tls/certs.h \
	tests/tls/helper.c \
	tests/tls/helper.h \
	tests/tls/peer.c
TLS_TEST_LIBS = $(CHECK_LIBS) libsockfs.a $(OPENSSL_LIBS)
tests_tls_mkcerts_SOURCES = tests/tls/certs.c tests/tls/certs.h tests/tls/mkcerts.c
tests_tls_mkcerts_LDADD = $(OPENSSL_LIBS)
tests_tls_test_tls_data_SOURCES = tests/tls/test_tls_data.c $(TLS_TEST_SOURCES)
tests_tls_test_tls_data_LDADD = $(TLS_TEST_LIBS)
tests_tls_test_tls_ends_SOURCES = tests/tls/test_tls_ends.c $(TLS_TEST_SOURCES)
tests_tls_test_tls_ends_LDADD = $(TLS_TEST_LIBS)
tests_tls_test_tls_files_SOURCES = tests/tls/test_tls_files.c $(TLS_TEST_SOURCES)
tests_tls_test_tls_files_LDADD = $(TLS_TEST_LIBS)
tests_tls_test_tls_handshake_SOURCES = tests/tls/test_tls_handshake.c $(TLS_TEST_SOURCES)
tests_tls_test_tls_handshake_LDADD = $(TLS_TEST_LIBS)
tests_tls_test_tls_link_SOURCES = tests/tls/test_tls_link.c $(TLS_TEST_SOURCES)
tests_tls_test_tls_link_LDADD = $(TLS_TEST_LIBS) $(UV_LIBS)

if WITH_TLS
TLS_TOOLS = tests/tls/mkcerts
check_PROGRAMS += $(TLS_TOOLS)
if HAVE_CHECK
check_PROGRAMS += $(TLS_TESTS)
TESTS += $(TLS_TESTS)
endif
endif
