# SPDX-License-Identifier: GPL-2.0-or-later
# Who may connect and listen where.
libsockfs_a_SOURCES += \
	src/policy/ask.c \
	src/policy/ask.h \
	src/policy/capable.c \
	src/policy/capable.h \
	src/policy/file.c \
	src/policy/file.h \
	src/policy/ip.c \
	src/policy/ip.h \
	src/policy/keep.c \
	src/policy/keep.h \
	src/policy/lex.c \
	src/policy/lex.h \
	src/policy/match.c \
	src/policy/match.h \
	src/policy/mount_rules.c \
	src/policy/mount_rules.h \
	src/policy/numbers.c \
	src/policy/parse.c \
	src/policy/parse.h \
	src/policy/path.c \
	src/policy/path.h \
	src/policy/policy.c \
	src/policy/policy.h \
	src/policy/print.c \
	src/policy/print.h \
	src/policy/reload.c \
	src/policy/reload.h \
	src/policy/rules.c \
	src/policy/rules.h \
	src/policy/tell.c \
	src/policy/tell.h
