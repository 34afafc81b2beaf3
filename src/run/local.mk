# SPDX-License-Identifier: GPL-2.0-or-later
# A program that has no network but a sockfs.
sockfs_SOURCES += \
	src/run/filter.c \
	src/run/init.c \
	src/run/maker.c \
	src/run/root.c \
	src/run/run.c \
	src/run/run.h \
	src/run/sync.c \
	src/run/sync.h \
	src/run/userns.c
