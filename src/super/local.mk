# SPDX-License-Identifier: GPL-2.0-or-later
# Two processes for a mount, and what the next one goes on with.

libsockfs_a_SOURCES += \
	src/journal/journal.c \
	src/journal/journal.h \
	src/journal/ledger.c \
	src/journal/ledger.h \
	src/resume/restore.c \
	src/resume/restore.h \
	src/resume/restore_circle.c \
	src/resume/restore_file.c \
	src/resume/restore_i.h \
	src/resume/restore_names.c \
	src/resume/restore_sock.c \
	src/resume/restore_text.c \
	src/resume/save.c \
	src/resume/save.h \
	src/resume/save_i.h \
	src/resume/save_sock.c \
	src/resume/sweep.c \
	src/resume/sweep.h \
	src/super/again.c \
	src/super/again.h \
	src/super/guard.c \
	src/super/guard.h \
	src/super/supervisor.c \
	src/super/supervisor.h \
	src/super/title.c \
	src/super/title.h
